"""Loading of models with the head of a task."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from ..runtime.gc_control import gc_disabled
from ..runtime.logging import quiet_transformers
from .base import COPY_AGAIN, from_hub
from .heads import with_head

log = logging.getLogger("ratsnlp_like")

Init = Literal["pretrained", "random"]
Weights = Literal["fp32", "bf16", "4bit"]


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
    exact: bool = False,
    weights: Weights = "fp32",
) -> Any:
    """Load a model with the head of `model_class`, in training mode.

    Args:
        name: a folder or a hub id, as `resolve` returns it.
        config: from `load_config`, with the labels of the task.
        model_class: a Hugging Face Auto class, or a class with the same two constructors.
        vocabulary: number of tokens of the tokenizer; a model with fewer embeddings is enlarged.
        init: weights of the checkpoint, or random ones.
        attention: implementation of attention in transformers; its default for None.
        complete: raise where a tensor would start from random values, as that of a new head does in training.
        exact: with `complete`, raise where a tensor of the files is not used, as when config.json has too few layers.
        weights: data type of the weights; 4bit quantizes them while they are loaded.

    Raises:
        InputError: the checkpoint cannot be loaded, has no weights, or those of another architecture; or 4 bits are
            stated without a CUDA GPU.
    """
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
                **_data_type(weights),
                attn_implementation=attention,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        if complete:
            _check_complete(name, model, info, vocabulary, exact=exact)
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
    _keep_block_sparse(model)
    return model.train()  # from_pretrained returns a model with dropout off, and Lightning keeps it so


def _keep_block_sparse(model: Any) -> None:
    """Let BigBird choose its attention for each batch.

    transformers switches to full attention at the first batch of at most 704 tokens, and never back: what is predicted
    for a long text would depend on whether a short one came before it.
    """
    body = model.base_model
    if model.config.model_type == "big_bird" and model.config.attention_type == "block_sparse":
        body.register_forward_pre_hook(lambda module, _: module.set_attention_type("block_sparse"))


def _data_type(weights: Weights) -> dict[str, Any]:
    """Return the arguments of `from_pretrained` for the data type of the weights.

    Raises:
        InputError: 4 bits without a CUDA GPU or without bitsandbytes.
    """
    import torch

    if weights != "4bit":
        return {"dtype": torch.float32 if weights == "fp32" else torch.bfloat16}
    if not torch.cuda.is_available():
        raise InputError("no CUDA GPU is available", place="--weights 4bit", fix="--weights bf16")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError("bitsandbytes is not installed", place="--weights 4bit", fix="pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"dtype": torch.bfloat16, "quantization_config": quantization, "device_map": {"": 0}}


def _check_complete(name: str, model: Any, info: Mapping[str, Any], vocabulary: int, *, exact: bool) -> None:
    if exact and (unused := sorted(info["unexpected_keys"])):
        raise InputError(
            f"{len(unused)} tensors of the weights are not part of the model of config.json, such as {unused[0]}",
            place=name,
            expected="the config.json that was saved with the weights",
            fix=COPY_AGAIN,
        )
    lacking = sorted(info["missing_keys"]) + sorted(key for key, *_ in info["mismatched_keys"])
    if lacking:
        raise InputError(
            f"{len(lacking)} tensors of {type(model).__name__} are missing or of another size, such as {lacking[0]}",
            place=name,
            expected="the weights that were saved with its config.json",
            fix=COPY_AGAIN,
        )
    if vocabulary > model.config.vocab_size:
        raise InputError(
            f"the tokenizer has {vocabulary:,} tokens, the model {model.config.vocab_size:,}",
            place=name,
            expected="the tokenizer that was saved with the model",
            fix=COPY_AGAIN,
        )
