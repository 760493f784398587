"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685) through peft.

The layers are added to the model itself, so that losses and generation need no changes.
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
from .base import bundled, resolve
from .model import Weights, load_model
from .revisions import split_revision, with_revision

log = logging.getLogger("ratsnlp_like")

ADAPTER = "adapter_config.json"
"""File that identifies the folder of an adapter."""


def check_installed(place: str | Path) -> None:
    """Check that peft, an optional dependency, is installed.

    Raises:
        InputError: it is missing.
    """
    if importlib.util.find_spec("peft") is None:
        raise InputError("the package peft is not installed", place=place, fix='pip install "ratsnlp_like[lora]"')


def add(model: Any, arguments: ModelArguments, checkpoint: str) -> int:
    """Freeze a model and add adapters to its matrices; what the checkpoint does not contain remains trainable.

    Args:
        model: of transformers, with the head of its task.
        arguments: rank, alpha, targets.
        checkpoint: name that is written into the adapter.

    Returns:
        The number of trainable weights.

    Raises:
        InputError: the model has no layers of the given names.
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
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.is_floating_point():
            parameter.data = parameter.data.float()  # a step is smaller than the digits of bf16
    repository, settings.revision = split_revision(checkpoint)
    settings.base_model_name_or_path = _lasting(repository)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _heads(model: Any) -> list[str]:
    """Return names of modules that no language model's checkpoint contains: the head of a task, and BERT's pooler."""
    if model.get_output_embeddings() is not None:
        return []
    modules = {name: module for name, module in model.named_children() if module is not model.base_model}
    if (pooler := getattr(model.base_model, "pooler", None)) is not None:
        modules["pooler"] = pooler
    return [name for name, module in modules.items() if any(True for _ in module.parameters())]


def _matrices(model: Any) -> list[str]:
    """Return the last part of the names of the layers that have a matrix."""
    names = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if _is_matrix(module)}
    return sorted(names)


def _is_matrix(module: Any) -> bool:
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, (nn.Linear, Conv1D))


def _lasting(checkpoint: str) -> str:
    """Return an absolute path for a folder, so that it can be found from any working directory."""
    return checkpoint if checkpoint in bundled() or not Path(checkpoint).is_dir() else str(Path(checkpoint).resolve())


def is_adapter(folder: Path) -> bool:
    """Return whether a model folder contains an adapter instead of a complete model."""
    return (folder / ADAPTER).exists()


def load(folder: Path, config: Any, model_class: Any, *, vocabulary: int, weights: Weights = "fp32") -> Any:
    """Load the checkpoint of an adapter, and the adapter into it.

    Args:
        folder: of the adapter.
        config: configuration of the adapter's folder, with the labels of the task.
        model_class: as for `load_model`.
        vocabulary: number of tokens of the tokenizer.
        weights: data type of the weights of the checkpoint.

    Raises:
        InputError: the checkpoint cannot be loaded, or the adapter does not fit it.
    """
    check_installed(folder)
    from peft import PeftConfig

    try:
        saved = PeftConfig.from_pretrained(str(folder))
        base = with_revision(str(saved.base_model_name_or_path), saved.revision)
        name = resolve(base)
    except (InputError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"the checkpoint of this adapter cannot be loaded: {' '.join(str(error).split())}",
            place=folder / ADAPTER,
            fix="set base_model_name_or_path to its name or folder; or train with --lora_merge for a complete model",
        ) from error
    model = load_model(name, config, model_class, vocabulary=vocabulary, weights=weights)
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
    """Return a copy of a model with its adapters merged into its matrices; a model without adapters is returned."""
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
    """Return whether a model has an adapter."""
    return bool(getattr(model, "_hf_peft_config_loaded", False))
