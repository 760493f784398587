"""Model folders: finding one, loading its model and tokenizer."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

from ..checkpoints import adapters as lora
from ..checkpoints.base import BUNDLED, bundled, load_config
from ..checkpoints.model import Weights, load_model
from ..checkpoints.tokenizer import load_tokenizer
from ..errors import InputError
from ..runtime.files import recover
from ..tasks.base import AnyTask
from .onnx import OnnxModel
from .plain_tokenizer import PlainTokenizer
from .transformers_folder import is_transformers_folder

log = logging.getLogger("ratsnlp_like")

PredictionPrecision = Literal["auto", "32", "bf16"]
"""Data type of a model in prediction; auto: bf16 for adapters on weights in bf16 or 4 bits, else 32."""


def find_model(folder: str | Path) -> Path:
    """Return the model folder: `folder` itself, or `best/` (else `last/`) of a run folder.

    A folder with a configuration of transformers is one too, if there is no task.json in any of these.

    Args:
        folder: a model folder, a run folder, or the name of a bundled checkpoint.

    Raises:
        InputError: there is no model.
    """
    folder = BUNDLED / folder if str(folder) in bundled() else Path(folder).expanduser()
    for candidate in (folder, folder / "best", folder / "last"):
        recover(candidate)
        if (candidate / "task.json").exists():
            return candidate
    if is_transformers_folder(folder):
        return folder
    if not folder.exists():
        raise InputError("no such folder", place=folder, fix="give the folder that `train --output` wrote")
    states = sorted(folder.glob("checkpoint-*/config.json"), key=lambda path: path.stat().st_mtime)
    content = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise InputError(
        f"the folder contains no model (it contains {content})",
        place=folder,
        expected="a run folder with best/, or a model folder with task.json",
        fix=f"use {states[-1].parent}" if states else f"train first: ratsnlp-like train --output {folder}",
    )


def load_torch(
    path: Path,
    task: AnyTask,
    device: str | None,
    *,
    unpadded: bool = True,
    precision: PredictionPrecision = "32",
    complete: bool = True,
) -> tuple[Any, Any]:
    """Return the model of a folder, on its device and in evaluation mode, and the tokenizer.

    Args:
        path: a model folder with weights, or with a LoRA adapter.
        task: of the model.
        device: such as `cpu`; by default a GPU where there is one.
        unpadded: run without padding where the architecture allows it.
        precision: data type of the weights; auto is 32.
        complete: raise where weights are missing; otherwise a missing head starts from random values.

    Raises:
        InputError: the folder cannot be loaded, or weights are missing or not finite.
    """
    import torch

    from ..modeling.unpadded import install
    from ..runtime.hardware import computes_bf16, limit_primitive_cache

    limit_primitive_cache()

    config = load_config(str(path))
    tokenizer = load_tokenizer(str(path), config)
    weights: Weights = "bf16" if precision == "bf16" else "fp32"
    if lora.is_adapter(path):
        model = lora.load(path, config, task.model_class(), vocabulary=len(tokenizer), weights=weights)
    else:
        exact = (path / "task.json").exists()  # other folders may have a pooler or a head that the task does not use
        model = load_model(
            path, config, task.model_class(), vocabulary=len(tokenizer), complete=complete, exact=exact, weights=weights
        )
    _check_finite(model, path)
    model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if unpadded:
        install(model)
    if precision == "bf16":
        model.to(torch.bfloat16)
        if not computes_bf16(model.device.type):
            log.warning("this %s does not compute in bf16: it is emulated, slower than fp32", model.device.type)
    return model, tokenizer


def _check_finite(model: Any, path: Path) -> None:
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point() and not parameter.detach().sum().isfinite():
            raise InputError(f"the weights contain NaN or infinity, in {name}", place=path, fix="train again")


def load_onnx(path: Path, device: str | None) -> tuple[OnnxModel, Any]:
    """Return the exported model of a folder and the tokenizer, which needs transformers only if it is not a fast one.

    Raises:
        InputError: the folder cannot be loaded.
    """
    model = OnnxModel(path, device=device)
    if (path / "tokenizer.json").exists():
        return model, PlainTokenizer(path, model.inputs)
    return model, load_tokenizer(str(path), load_config(str(path)))
