"""Dataclasses of options. Their fields are the flags, the keys of the YAML file and the keywords of `fine_tune`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from .errors import InputError, did_you_mean, raise_together
from .option_types import check_types

Precision = Literal["auto", "32", "bf16-mixed", "16-mixed", "64"]
Schedule = Literal["linear", "cosine", "constant"]
EVAL_BATCH_SIZE = 64
"""Windows of a batch where a saved model is evaluated, unless `eval_batch_size` states another number."""


@dataclass(frozen=True)
class CorpusArguments:
    """Folders of corpora and of the cache, and options for reading."""

    corpus_root: Path | None = None
    """Folder of the registered corpora; $RATSNLP_LIKE_CORPORA or ~/Korpora by default."""
    cache_dir: Path | None = None
    """Folder of the encoded corpora; $RATSNLP_LIKE_CACHE or ~/.cache/ratsnlp_like by default."""
    subset: str | None = None
    """Configuration of a hub data set that has several."""
    label_separator: str | None = None
    """Separator of the labels of one row, where a row can have several (such as ',')."""
    label_type: Literal["auto", "class"] = "auto"
    """`class`: labels such as 3.1 or 1E3 are names of classes. `auto`: decimal numbers are refused as labels."""
    group_column: str | None = None
    """Column of groups that the cut for validation keeps on one side, such as an author or a document; by default
    equal texts, paragraphs and premises stay together."""
    train_files: tuple[str, ...] = ()
    """Files of a folder to train on, where their names do not show the split; wildcards are allowed."""
    validation_files: tuple[str, ...] = ()
    """Files of a folder to validate on, where their names do not show the split."""
    test_files: tuple[str, ...] = ()
    """Files of a folder to test on, where their names do not show the split."""

    def __post_init__(self) -> None:
        for name in ("train_files", "validation_files", "test_files"):
            object.__setattr__(self, name, _names(getattr(self, name)))
        for name in ("corpus_root", "cache_dir"):
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, Path(value).expanduser())

    @property
    def files(self) -> dict[str, tuple[str, ...]]:
        """Split -> the files that the user named for it."""
        return {"train": self.train_files, "validation": self.validation_files, "test": self.test_files}


@dataclass(frozen=True)
class DataArguments:
    """Examples for training and for evaluation."""

    eval_corpus: str | None = None
    """Validate on this corpus (name, file or hub id). By default on the validation split of the corpus, or on a
    part cut from its training split."""
    validation_share: float = 0.1
    """Share of the training split that is held out (seeded, stratified) where there is no validation split."""
    split_seed: int | None = None
    """Seed of the cut for validation, of --limit_train and --limit_eval; --seed by default."""
    max_length: int = 128
    """Longest window in tokens, special tokens included. What truncation removes is counted and reported."""
    limit_train: int | None = None
    """Number of training examples, chosen at random (seeded); all by default."""
    limit_eval: int | None = None
    """Number of evaluation examples, chosen at random (seeded); all by default."""
    augment: tuple[str, ...] = ()
    """Noise in half of the training rows, such as spacing,typo (see `evaluate --perturb`), so that a model is used to
    it; rows for validation and test stay as they are."""
    use_test: bool = True
    """Evaluate the best model on the test split too, where the corpus has one; otherwise it is not read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "augment", _names(self.augment))
        raise_together(
            [
                *_positive(self, "max_length", "limit_train", "limit_eval"),
                *_between(self, "validation_share", 0, 1),
            ]
        )


@dataclass(frozen=True)
class ModelArguments:
    """The model that is fine-tuned."""

    revision: str | None = None
    """Branch, tag or commit of a checkpoint of the hub; `--checkpoint owner/name@revision` is the same."""
    init: Literal["pretrained", "random"] = "pretrained"
    """Start from the weights of the checkpoint, or from random weights (with its tokenizer and configuration)."""
    config_overrides: dict[str, Any] = field(default_factory=dict)
    """Settings of the model's configuration to replace, such as {"num_hidden_layers": 4}."""
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = "auto"
    """Implementation of attention in training. auto: eager on a CPU, where the backward pass of torch's fused attention
    is slow; otherwise sdpa."""
    unpadded: bool = True
    """Run BERT, RoBERTa and ELECTRA without padding, and their last layer only for the tokens that the head reads.
    The results are the same, and training is faster; other models pad their batches."""
    weights: Literal["fp32", "bf16", "4bit"] = "fp32"
    """Data type of the weights that --lora keeps: bf16 takes half the memory of fp32, 4bit (NF4, Dettmers et al. 2023,
    arXiv:2305.14314; a CUDA GPU and bitsandbytes) an eighth. The adapters are trained in fp32."""
    gradient_checkpointing: bool = False
    """Compute the activations of each layer again in the backward pass instead of keeping them: less memory, a third
    more time."""
    chat_template: str | None = None
    """Chat template for a tokenizer without one: a file in Jinja, or chatml, whose two tokens are added."""
    freeze: int | None = None
    """Freeze the embeddings and this many of the lowest layers; 0 freezes the embeddings alone."""
    lora: bool = False
    """Train low-rank adapters (LoRA) and the head, and keep the weights of the checkpoint."""
    lora_rank: int = 8
    """Rank of the adapters."""
    lora_alpha: int = 16
    """Scale of the adapters: their output is multiplied by lora_alpha / lora_rank."""
    lora_dropout: float = 0.0
    """Dropout probability of the input of the adapters."""
    lora_targets: tuple[str, ...] = ()
    """Names of the layers with adapters; by default those that peft has for the architecture (BERT: query, value)."""
    lora_merge: bool = False
    """Save the best model with its adapters merged, and not as an adapter that needs its checkpoint."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lora_targets", _names(self.lora_targets))
        wrong = [*_positive(self, "lora_rank", "lora_alpha"), *_between(self, "lora_dropout", 0, 1)]
        if self.freeze is not None:
            wrong += _between(self, "freeze", 0, None)
        if self.weights != "fp32" and not self.lora:
            wrong.append(
                InputError(
                    f"--weights {self.weights} without --lora",
                    expected="weights that are kept: a step of training is smaller than the digits of bf16",
                    fix="add --lora true, or --precision bf16-mixed for fp32 weights with bf16 computation",
                )
            )
        if self.lora:
            if self.freeze is not None:
                wrong.append(InputError("--freeze and --lora", fix="leave out --freeze: --lora freezes all layers"))
            if self.init == "random":
                wrong.append(InputError("--lora and --init random", expected="pretrained weights"))
        else:
            set_ = [f.name for f in fields(self) if f.name.startswith("lora_") and getattr(self, f.name) != f.default]
            wrong += [InputError(f"--{name} without --lora", fix="add --lora true") for name in set_]
        raise_together(wrong)


@dataclass(frozen=True)
class TrainingArguments:
    """Optimisation, evaluation and hardware."""

    epochs: int | Literal["auto"] = "auto"
    """Passes over the training examples. auto: 3, or more for a small corpus, so that there are about 200 optimizer
    steps, or those of --max_steps."""
    max_steps: int | None = None
    """Number of optimiser steps; the schedule ends there."""
    batch_size: int | Literal["auto"] = 32
    """Windows of one optimiser step over all devices together, before --accumulate. auto: the largest power of two
    that fits in memory, up to 256 and to a fiftieth of the training windows."""
    batch_tokens: int | None = None
    """Tokens of one optimiser step, padding included, in place of --batch_size: short texts come in large batches,
    long ones in small ones."""
    eval_batch_size: int | None = None
    """Windows of a batch in evaluation; twice the batch size by default."""
    accumulate: int = 1
    """Number of batches whose gradients are accumulated before an optimiser step."""
    learning_rate: float | Literal["auto"] = "auto"
    """Peak learning rate of AdamW. auto: by the number of parameters without embeddings (5e-5 for a BERT of base shape,
    2e-5 for a large one, 5e-4 for ko-tiny-bert); 10 times as high with --lora, twice as high for random weights."""
    weight_decay: float = 0.01
    """Weight decay of matrices; biases and norms have none."""
    layer_decay: float = 1.0
    """Factor between the learning rates of a layer and of the layer above it; the embeddings are the lowest layer. 0.9
    preserves more of pretraining (Howard and Ruder 2018, arXiv:1801.06146)."""
    schedule: Schedule = "linear"
    """Learning rate after the warm-up: a linear or cosine decay to 0, or constant."""
    warmup: float = 0.1
    """Warm-up of the learning rate: below 1 a share of all optimiser steps, otherwise a number of steps."""
    clip: float = 1.0
    """Maximum norm of the gradient; 0 disables clipping."""
    patience: int = 5
    """Number of evaluations in a row after which training stops if neither --monitor nor the loss of the validation
    split has improved; 0 disables it."""
    eval_steps: int | None = None
    """Number of batches between evaluations; by default, one evaluation at the end of each epoch."""
    save_steps: int | None = None
    """Optimizer steps between saved states that --resume continues from, in addition to those of evaluations."""
    save_minutes: float | None = None
    """Minutes between saved states that --resume continues from, in addition to those of evaluations."""
    keep_state: bool = False
    """Keep resume.ckpt of a finished run, so that --resume can continue it with more epochs or steps."""
    seed: int = 7
    """Seed of weights, order, dropout and splits; two runs with the same seed and --threads are equal on a CPU."""
    seeds: int = 1
    """Number of runs, with the seeds from --seed on and the same splits: mean and spread are reported, the best model
    by the validation split is kept. On several GPUs they run side by side."""
    precision: Precision = "auto"
    """Floating-point precision of training. auto: bf16 where the hardware has it, fp16 with loss scaling on older
    GPUs, otherwise 32 bits."""
    accelerator: str = "auto"
    """cpu, gpu, tpu, ... as Lightning names them."""
    threads: int | Literal["auto"] = "auto"
    """Threads of a CPU. auto: one for each assigned core, less while other processes use them; the variable
    OMP_NUM_THREADS fixes the number too."""
    devices: int | str = 1
    """Number of devices (or processes, on a CPU), `auto` for all of them, or their indices as `0,1`."""
    strategy: str = "auto"
    """Lightning's strategy: ddp, fsdp, deepspeed, ..."""
    num_nodes: int = 1
    """Number of machines of the cluster."""
    metrics: tuple[str, ...] = ()
    """Registered metrics that are reported next to those of the task: matthews, absolute_error, or your own."""
    monitor: str | None = None
    """Metric of the validation that chooses the best model and stops early, such as accuracy or loss; by default the
    best metric of the task. Any reported number will do; an unknown name lists them."""
    monitor_mode: Literal["auto", "max", "min"] = "auto"
    """Direction of --monitor. auto: losses, errors and perplexities are minimized, all else is maximized."""
    loggers: tuple[str, ...] = ()
    """Loggers next to the CSV file that is always written: tensorboard, wandb, mlflow, or your own."""
    progress: bool = True
    """Show progress bars."""
    baselines: bool = True
    """Compare the trained model with simple baselines, such as logistic regression on TF-IDF."""
    report: bool = True
    """Write report.html, a page with scores, curves, weak slices and mistakes, into the run folder."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "loggers", _names(self.loggers))
        object.__setattr__(self, "metrics", _names(self.metrics))
        together = InputError("--batch_size auto and --batch_tokens", fix="leave out one of them")
        several = InputError("--batch_size auto with several devices", fix="name a number of windows")
        auto = self.batch_size == "auto"
        many = str(self.devices) != "1" or self.num_nodes > 1
        seeds = InputError(
            f"--seeds {self.seeds} with several devices for a run",
            fix="leave out --devices: runs of one device are trained side by side; or train each --seed by itself",
        )
        spawned = InputError(
            f"{self.strategy} trains in copies of this process, whose results are lost",
            place="--strategy",
            expected="auto, ddp, fsdp or deepspeed",
            fix="--strategy ddp; from a notebook, run `ratsnlp-like train` as a command",
        )
        raise_together(
            [
                *[spawned] * any(word in self.strategy for word in ("spawn", "fork", "notebook")),
                *[together] * (auto and self.batch_tokens is not None),
                *[several] * (auto and many),
                *[seeds] * (self.seeds > 1 and many),
                *_positive(self, "epochs", "batch_size", "eval_batch_size", "accumulate", "max_steps", "eval_steps"),
                *_positive(self, "save_steps", "save_minutes"),
                *_positive(self, "learning_rate", "num_nodes", "batch_tokens", "seeds", "threads"),
                *_between(self, "weight_decay", 0, None),
                *_between(self, "layer_decay", 0, 1),
                *_between(self, "warmup", 0, None),
                *_between(self, "clip", 0, None),
                *_between(self, "patience", 0, None),
                *_between(self, "seed", 0, 2**32 - 1),
            ]
        )


RESUMABLE = frozenset(
    {
        *("epochs", "max_steps", "eval_batch_size", "patience", "accelerator", "devices", "strategy", "num_nodes"),
        *("threads", "seeds", "loggers", "progress", "baselines", "report", "save_steps", "save_minutes", "keep_state"),
    }
)
"""Options that may differ when a run is resumed; any other would make it a different run."""


def _names(value: str | Iterable[Any]) -> tuple[Any, ...]:
    """Return names from a comma-separated string or an iterable."""
    return tuple(value.split(",")) if isinstance(value, str) else tuple(value)


def _positive(arguments: object, *names: str) -> list[InputError]:
    values = [(name, getattr(arguments, name)) for name in names]
    return [
        InputError(f"{value}", place=f"--{name}", expected="a number above 0")
        for name, value in values
        if isinstance(value, (int, float)) and value <= 0
    ]


def _between(arguments: object, name: str, low: float, high: float | None) -> list[InputError]:
    value = getattr(arguments, name)
    if value >= low and (high is None or value <= high):
        return []
    return [
        InputError(
            f"{value}",
            place=f"--{name}",
            expected=f"at least {low}" if high is None else f"a number from {low} to {high}",
        )
    ]


def check_refused(names: Iterable[str], kind: Any) -> None:
    """Check that no option is one of other tasks that a task refuses.

    Raises:
        InputError: one is; the message states the reason.
    """
    refused: Mapping[str, str] = getattr(kind, "refused_options", {})
    if name := next((name for name in names if name in refused), None):
        raise InputError(f"--{name} with the task {kind.name}: {refused[name]}", fix=f"leave out --{name}")


def distribute(options: dict[str, Any], *classes: type[Any], columns: Iterable[str] = ()) -> list[Any]:
    """Return one object of each dataclass, made from flat options.

    Args:
        options: name -> value.
        classes: dataclasses, each of which takes the options that are its fields.
        columns: fields of the example; `text_column` names the column that holds `text`.

    Returns:
        The objects in the order of the classes, then the named columns as a dict.

    Raises:
        InputError: an option is not a field of any of them.
    """
    named = {f"{name}_column": name for name in columns}
    known = {name: kind for kind in classes for name in (f.name for f in fields(kind))}
    own = {kind: {name: value for name, value in options.items() if known.get(name) is kind} for kind in classes}
    for kind, values in own.items():
        check_types(kind, values)
    if unknown := [name for name in options if name not in known and name not in named]:
        for kind in classes:
            check_refused(unknown, kind)
        raise InputError(f"unknown option {unknown[0]!r}", fix=did_you_mean(unknown[0], [*known, *named]))
    objects = [kind(**own[kind]) for kind in classes]
    return [*objects, {named[name]: value for name, value in options.items() if name in named and value is not None}]
