"""Loading of models with the head of a task."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from ..runtime.gc_control import gc_disabled
from ..runtime.logging import quiet_transformers
from .base import from_hub
from .heads import with_head

log = logging.getLogger("ratsnlp_like")

Init = Literal["pretrained", "random"]


@gc_disabled()
def load_model(
    name: str | Path,
    config: Any,
    model_class: Any,
    *,
    vocabulary: int,
    init: Init = "pretrained",
    attention: str | None = None,
    complete: bool = False,
) -> Any:
    """Load a model in fp32 with the head of `model_class`, in training mode.

    Args:
        name: a folder or a hub id, as `resolve` returns it.
        config: from `load_config`, with the labels of the task.
        model_class: a Hugging Face Auto class, or a class with the same two constructors.
        vocabulary: number of tokens of the tokenizer; a model with fewer embeddings is enlarged.
        init: weights of the checkpoint, or random ones.
        attention: implementation of attention in transformers; its default for None.
        complete: raise where a tensor would start from random values, as that of a new head does in training.

    Raises:
        InputError: the checkpoint cannot be loaded, has no weights, or those of another architecture.
    """
    import torch

    name, model_class = str(name), with_head(config, model_class)
    if init == "random":
        config.vocab_size = max(config.vocab_size, vocabulary)
        try:
            model = model_class.from_config(config, attn_implementation=attention)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"no model can be built from this configuration: {error}", place="--config_overrides"
            ) from error
    else:
        folder = Path(name)
        if (folder / "adapter_config.json").exists():
            raise InputError(
                "the folder contains a LoRA adapter",
                place=name,
                expected="a complete model",
                fix="train it with --lora_merge; or Predictor.from_pretrained(FOLDER).merged().save_pretrained(NEW)",
            )
        if folder.is_dir() and not [*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]:
            raise InputError("the checkpoint has no weights", place=name, fix="add --init random to train from scratch")
        with quiet_transformers():  # a new head is expected; other missing weights are checked below
            model, info = from_hub(
                name,
                model_class.from_pretrained,
                config=config,
                dtype=torch.float32,
                attn_implementation=attention,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        if complete:
            _check_complete(name, model, info, vocabulary)
        prefix = model.base_model_prefix + "."
        missing = [key for key in info["missing_keys"] if key.startswith(prefix) and ".pooler." not in key]
        if missing:
            raise InputError(
                f"the weights lack {len(missing)} tensors of {type(model).__name__}, such as {missing[0]}",
                place=name,
                expected=f"weights of the architecture that config.json names ({config.model_type})",
            )
        mismatched = [key for key, *_ in info["mismatched_keys"] if key.startswith(prefix)]
        if mismatched:
            raise InputError(
                f"{len(mismatched)} tensors of the weights have other sizes than the configuration, such as "
                f"{mismatched[0]}",
                place=name,
                fix="leave these settings out of --config_overrides, or add --init random",
            )
        new = [key for key in info["missing_keys"] if not key.startswith(prefix)]
        if new and model.get_output_embeddings() is not None:
            log.warning(
                "%s: has no head for language modelling (%s, ...); the head starts from random weights, which need "
                "many steps of training.", name, new[0],
            )  # fmt: skip
        if vocabulary > config.vocab_size:
            log.warning("%s: %d tokens, %d embeddings; enlarged.", name, vocabulary, config.vocab_size)
            model.resize_token_embeddings(vocabulary)
    return model.train()  # from_pretrained returns a model with dropout off, and Lightning keeps it so


def _check_complete(name: str, model: Any, info: Mapping[str, Any], vocabulary: int) -> None:
    lacking = sorted(info["missing_keys"]) + sorted(key for key, *_ in info["mismatched_keys"])
    if lacking:
        raise InputError(
            f"{len(lacking)} tensors of {type(model).__name__} are missing or of another size, such as {lacking[0]}",
            place=name,
            expected="the weights that were saved with its config.json",
            fix="copy the folder again, or train again",
        )
    if vocabulary > model.config.vocab_size:
        raise InputError(
            f"the tokenizer has {vocabulary:,} tokens, the model {model.config.vocab_size:,}",
            place=name,
            expected="the tokenizer that was saved with the model",
            fix="copy the folder again, or train again",
        )
