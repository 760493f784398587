"""Open the checkpoint of a job and build its model: weights, frozen layers, adapters, the forward without padding."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ..checkpoints import adapters as lora
from ..checkpoints.architectures import check_head, max_positions
from ..checkpoints.base import load_config, resolve
from ..checkpoints.chat_templates import set_chat_template
from ..checkpoints.model import load_model
from ..checkpoints.tokenizer import load_tokenizer
from ..errors import InputError
from ..modeling import unpadded
from ..modeling.layers import freeze
from ..tasks.base import AnyTask
from .job import Job

log = logging.getLogger("ratsnlp_like")


def open_checkpoint(job: Job) -> tuple[str, Any, Any]:
    """Return the resolved name, the configuration and the tokenizer of a checkpoint, before its weights are loaded.

    Raises:
        InputError: it is not found, or does not suit the task or the options.
    """
    name = resolve(job.source)
    config = load_config(name, job.model.config_overrides)
    tokenizer = load_tokenizer(name, config)
    if job.model.chat_template is not None:
        set_chat_template(tokenizer, config, job.model.chat_template, frozen=job.model.lora)
    check_length(job.data.max_length, config, job.checkpoint)
    job.task.check_model(config)
    check_head(config, job.task.model_class())
    return name, config, tokenizer


def build_model(job: Job, name: str, config: Any, *, task: AnyTask, labels: Sequence[str], vocabulary: int) -> Any:
    """Return the model to train.

    Args:
        job: arguments of the run.
        name: resolved name of the checkpoint.
        config: configuration of the checkpoint; the labels are written to it.
        task: task with the fields that depend on the data.
        labels: labels in the order of the outputs.
        vocabulary: number of tokens of the tokenizer.
    """
    task.configure(config, labels)
    model = load_model(
        name,
        config,
        task.model_class(),
        vocabulary=vocabulary,
        init=job.model.init,
        attention=choose_attention(job),
        weights=job.model.weights,
    )
    task.prepare_model(model)
    if job.model.freeze is not None:
        trained = freeze(model, job.model.freeze)
        log.info("frozen: embeddings and %d layers; %s parameters are trained", job.model.freeze, f"{trained:,}")
    if job.model.lora:
        trained, size = lora.add(model, job.model, job.source), model.num_parameters()
        log.info("LoRA: %s of %s parameters are trained", f"{trained:,}", f"{size:,}")
    if job.model.gradient_checkpointing:
        checkpoint_gradients(model)
    elif job.model.unpadded and not unpadded.install(model):
        log.info("%s has no forward without padding here: batches are padded", config.model_type)
    return model


def checkpoint_gradients(model: Any) -> None:
    """Compute activations again in the backward pass; batches are padded, as transformers does it layer by layer.

    Raises:
        InputError: transformers does not have it for the architecture.
    """
    if not model.supports_gradient_checkpointing:
        raise InputError(
            f"transformers has none for {model.config.model_type}",
            place="--gradient_checkpointing",
            fix="a smaller --batch_size with --accumulate",
        )
    if hasattr(model, "activation_checkpointing_enable"):  # its name in newer versions of transformers
        model.activation_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable({"use_reentrant": False})


def choose_attention(job: Job) -> str | None:
    """Return the implementation of attention: eager on a CPU, 1.2 to 1.7 times as fast there as the fused one."""
    import torch

    if job.model.attention != "auto":
        return job.model.attention
    accelerator = job.training.accelerator
    on_cpu = accelerator == "cpu" or (
        accelerator == "auto" and not torch.cuda.is_available() and not torch.backends.mps.is_available()
    )
    return "eager" if on_cpu else None


def check_length(max_length: int, config: Any, checkpoint: str) -> None:
    """Check that the model has an embedding for every position.

    Raises:
        InputError: `max_length` is more than its positions.
    """
    limit = max_positions(config)
    if limit is not None and max_length > limit:
        raise InputError(
            f"max_length {max_length} is more than the {limit} positions of {checkpoint}",
            place="--max_length",
            expected=f"at most {limit}",
            fix=f"--max_length {limit}; longer texts are split into windows (classification: --long_text windows)",
        )
