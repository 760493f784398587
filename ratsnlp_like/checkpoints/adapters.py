"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685) through peft.

The layers are put into the model itself, so that every task, its loss and its generation see the model they know.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
from pathlib import Path
from typing import Any

from ..arguments import ModelArguments
from ..errors import InputError
from ..runtime.logging import quiet_transformers
from .base import bundled, load_model, resolve

log = logging.getLogger("ratsnlp_like")

ADAPTER = "adapter_config.json"
"""The file by which a folder of an adapter is known."""


def check_installed(place: str | Path) -> None:
    """Peft is an extra.

    Raises:
        InputError: it is not installed.
    """
    if importlib.util.find_spec("peft") is None:
        raise InputError("the package peft is not installed", place=place, fix='pip install "ratsnlp_like[lora]"')


def add(model: Any, arguments: ModelArguments, checkpoint: str) -> int:
    """Freeze a model, and put adapters beside its matrices; what the checkpoint did not bring goes on learning.

    Args:
        model: of transformers, with the head of its task.
        arguments: rank, alpha, targets.
        checkpoint: its name, which is written into the adapter.

    Returns:
        How many weights learn.

    Raises:
        InputError: the model has no layers of the names asked for.
    """
    from peft import LoraConfig
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    targets: Any = list(arguments.lora_targets) or KNOWN.get(model.config.model_type) or "all-linear"
    settings = LoraConfig(
        r=arguments.lora_rank,
        lora_alpha=arguments.lora_alpha,
        lora_dropout=arguments.lora_dropout,
        target_modules=targets,
        modules_to_save=_heads(model) or None,
    )
    try:
        with quiet_transformers():
            model.add_adapter(settings)
    except ValueError as error:
        raise InputError(
            f"no layer of this {model.config.model_type} is called {' or '.join(map(repr, targets))}",
            place="--lora_targets",
            expected=f"some of {', '.join(_matrices(model))}",
        ) from error
    settings.base_model_name_or_path = _lasting(checkpoint)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _heads(model: Any) -> list[str]:
    """Modules with weights that no checkpoint of a language model has: the head of a task, and BERT's pooler."""
    if model.get_output_embeddings() is not None:
        return []
    modules = {name: module for name, module in model.named_children() if module is not model.base_model}
    if (pooler := getattr(model.base_model, "pooler", None)) is not None:
        modules["pooler"] = pooler
    return [name for name, module in modules.items() if any(True for _ in module.parameters())]


def _matrices(model: Any) -> list[str]:
    """The last names of the layers that have a matrix."""
    names = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if _is_matrix(module)}
    return sorted(names)


def _is_matrix(module: Any) -> bool:
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, (nn.Linear, Conv1D))


def _lasting(checkpoint: str) -> str:
    """A folder's name must be understood from any other."""
    return checkpoint if checkpoint in bundled() or not Path(checkpoint).is_dir() else str(Path(checkpoint).resolve())


def is_adapter(folder: Path) -> bool:
    """Whether a model folder holds an adapter, and not a whole model."""
    return (folder / ADAPTER).exists()


def load(folder: Path, config: Any, model_class: Any, *, vocabulary: int) -> Any:
    """The model that an adapter was made for, with the adapter in it.

    Args:
        folder: of the adapter.
        config: with the labels of the task; it lies beside the adapter.
        model_class: as for `load_model`.
        vocabulary: how many tokens the tokenizer has.

    Raises:
        InputError: the model is not to be had, or the adapter does not fit it.
    """
    check_installed(folder)
    from peft import PeftConfig

    try:
        base = str(PeftConfig.from_pretrained(str(folder)).base_model_name_or_path)
        name = resolve(base)
    except (InputError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"the checkpoint that this adapter belongs to cannot be had: {' '.join(str(error).split())}",
            place=folder / ADAPTER,
            fix="write its name or folder into base_model_name_or_path; or train with --lora_merge, and the model is "
            "whole",
        ) from error
    model = load_model(name, config, model_class, vocabulary=vocabulary)
    conversions = getattr(model, "_weight_conversions", None)  # how its own weights are named on disk
    try:
        with quiet_transformers():
            found = model.load_adapter(str(folder), is_trainable=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"the adapter does not fit {base}: {str(error).splitlines()[0]}", place=folder) from error
    if wrong := sorted(found.missing_keys) + sorted(key for key, *_ in found.mismatched_keys):
        raise InputError(
            f"the adapter does not fit {base}: {len(wrong)} of its tensors are missing or of another size, such as "
            f"{wrong[0]}",
            place=folder,
            fix="name the checkpoint that it was trained with in adapter_config.json (base_model_name_or_path)",
        )
    model._weight_conversions = conversions
    return model


def merged(model: Any) -> Any:
    """The same model with its adapters multiplied into its matrices, and without peft; other models as they are."""
    if not has_adapter(model):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper

    whole = copy.deepcopy(model)
    for name, module in list(whole.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            whole.set_submodule(name, module.get_base_layer())
        elif isinstance(module, ModulesToSaveWrapper):
            whole.set_submodule(name, module.modules_to_save["default"])
    whole._hf_peft_config_loaded = False
    del whole.peft_config
    return whole.requires_grad_(True)


def has_adapter(model: Any) -> bool:
    """Whether a model carries an adapter."""
    return bool(getattr(model, "_hf_peft_config_loaded", False))
