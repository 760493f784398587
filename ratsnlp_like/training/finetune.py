"""The whole job: from a corpus and a checkpoint to a model that is measured, saved and ready to be asked."""

from __future__ import annotations

import logging
import shlex
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..arguments import ModelArguments, TrainingArguments
from ..checkpoints import adapters as lora
from ..checkpoints.architectures import max_positions
from ..checkpoints.base import load_config, load_model, load_tokenizer, resolve
from ..corpora.base import Corpus
from ..data.module import TaskDataModule
from ..errors import InputError
from ..inference.predictor import Predictor
from ..modeling import unpadded
from ..modeling.layers import freeze
from ..tasks.abilities import SupportsGenerationMetrics
from .callbacks.checkpoint import CHECKPOINT, CheckpointCallback
from .callbacks.throughput import ThroughputMeter
from .job import Job, name_of
from .memory import largest_batch
from .module import TaskModule
from .run_folder import Run
from .trainer import build_trainer

log = logging.getLogger("ratsnlp_like")


class Interrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or SIGTERM; the message says how to go on."""


@dataclass(frozen=True)
class FineTuneResult:
    """What came of a run."""

    output: Path
    """The run folder."""
    best: Path
    """The folder of the best model, which transformers opens too."""
    metrics: dict[str, Any]
    """Of the best model on the validation split (or on --eval_corpus)."""
    test_metrics: dict[str, Any] | None
    """Of the best model on the test split, where the corpus has one."""
    summary: dict[str, Any]
    """Steps, examples, tokens, seconds, memory, and the sizes of the splits."""
    predictor: Predictor
    """The best model, ready to be asked."""

    def to_dict(self) -> dict[str, Any]:
        """For result.json; the predictor is left out."""
        return {
            "output": str(self.output),
            "best": str(self.best),
            "metrics": self.metrics,
            "test_metrics": self.test_metrics,
            **self.summary,
        }


def fine_tune(
    *,
    task: str,
    corpus: str | Path | Corpus,
    checkpoint: str | Path,
    output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **options: Any,
) -> FineTuneResult:
    """Fine-tune a checkpoint on a corpus, evaluate it, and save it.

    Args:
        task: `classification`, `ner`, ...; see `ratsnlp-like list tasks`.
        corpus: a registered name, a file, a hub id, or a `Corpus`.
        checkpoint: a bundled name, a folder, or a hub id.
        output: the run folder; `runs/TASK-CORPUS-CHECKPOINT` by default.
        resume: go on with the unfinished run that lies in `output`; begin it where there is none yet.
        overwrite: throw away the run that lies in `output`.
        options: fields of `arguments.DataArguments`, `ModelArguments`, `TrainingArguments`, `CorpusArguments`,
            `corpora.formats.Options` and of the task, and names of columns (`text_column="본문"`).

    Raises:
        InputError: the input is at fault; the message says what, where, and how to mend it.
        TrainingError: the loss is not finite or has exploded.
        Interrupted: stopped by Ctrl-C; the state is saved.
    """
    job = Job.of(task, corpus, checkpoint, options)
    job.check()
    return run_job(job, output=output, resume=resume, overwrite=overwrite)


def run_job(
    job: Job, *, output: str | Path | None = None, resume: bool = False, overwrite: bool = False
) -> FineTuneResult:
    """`fine_tune`, of a job that was checked."""
    import pytorch_lightning as pl

    folder = Path(output) if output else _default_output(job)
    run = Run(folder, job.to_dict())
    run.check(resume=resume, overwrite=overwrite)

    name = resolve(job.checkpoint)
    config = load_config(name, job.model.config_overrides)
    tokenizer = load_tokenizer(name, config)
    check_length(job.data.max_length, config, job.checkpoint)
    job.task.check_model(config)
    data = open_data(job, tokenizer)
    data.setup("fit")
    labels = data.labels or []
    for split, size in data.summary().items():
        log.info("%s: %s", split, ", ".join(f"{value:,} {what.replace('_', ' ')}" for what, value in size.items()))

    direction = "higher" if data.task.maximize else "lower"
    log.info("the best model is the one with the best validation %s (%s is better)", data.task.best_metric, direction)

    pl.seed_everything(job.training.seed, verbose=False)
    data.task.configure(config, labels)
    model = load_model(
        name,
        config,
        data.task.model_class(),
        vocabulary=len(tokenizer),
        init=job.model.init,
        attention=choose_attention(job),
    )
    if job.model.freeze is not None:
        learning = freeze(model, job.model.freeze)
        log.info("frozen: embeddings and %d layers; %s weights go on learning", job.model.freeze, f"{learning:,}")
    if job.model.lora:
        learning, size = lora.add(model, job.model, job.checkpoint), model.num_parameters()
        log.info("LoRA: %s of %s weights learn", f"{learning:,}", f"{size:,}")
    if job.model.unpadded and not unpadded.install(model):
        log.info("a %s has no forward without padding here: batches are padded", config.model_type)
    about = {
        "checkpoint": job.checkpoint,
        "init": job.model.init,
        "corpus": name_of(job.corpus),
        "columns": job.columns,
        "fingerprints": {
            name: split.read.fingerprint
            for name in ("train", "validation", "test")
            if (split := getattr(data, name)) is not None
        },
    }

    def predictor(module: TaskModule) -> Predictor:
        module.add_intervals()
        metrics = {"validation": module.results} if module.results else {}
        return Predictor(
            module.task, module.model, tokenizer, labels, max_length=job.data.max_length, about=about, metrics=metrics
        )

    module = TaskModule(data.task, model, labels, job.training)
    keeper, meter = CheckpointCallback(folder, predictor), ThroughputMeter()
    trainer = build_trainer(job.training, task=data.task, folder=folder, keeper=keeper, meter=meter)
    found = run.found(resume=resume)
    if job.training.batch_size == "auto":
        _set_batch_size(found, trainer, module, data, job.training)
    with run.locked() if trainer.is_global_zero else nullcontext():
        if trainer.is_global_zero:
            run.begin(resume=resume, found=found)
        state = folder / CHECKPOINT if resume and (folder / CHECKPOINT).exists() else None
        pl.seed_everything(job.training.seed, verbose=False)
        _fit(trainer, module, data, state, keeper, folder)
        if keeper.evaluated != trainer.global_step:  # a finished run, resumed
            trainer.validate(module, datamodule=data, verbose=False)
        return _finish(run, trainer, module, data, meter, job.model)


def _set_batch_size(
    found: dict[str, Any], trainer: Any, module: TaskModule, data: TaskDataModule, arguments: TrainingArguments
) -> None:
    """Let the data come in batches as large as memory holds; as before in a run that is resumed."""
    if "batch_size" not in found and data.train is not None:
        found["batch_size"] = largest_batch(
            data.task,
            module.model,
            data.train,
            data.tokenizer,
            device=trainer.strategy.root_device,
            precision=str(trainer.precision),
        )
    data.set_batch_size(found["batch_size"], arguments.eval_batch_size)


def _fit(
    trainer: Any, module: TaskModule, data: TaskDataModule, state: Path | None, keeper: CheckpointCallback, folder: Path
) -> None:
    try:
        trainer.fit(module, datamodule=data, ckpt_path=state, weights_only=True)
    except (SystemExit, KeyboardInterrupt):  # Lightning turns Ctrl-C into exit code 1
        if not keeper.interrupted:
            raise
    finally:
        keeper.release()
    for callback in trainer.early_stopping_callbacks:
        if callback.stopped_epoch:
            log.info("stopped early: no better in %d evaluations", callback.patience)
    if keeper.interrupted:
        saved = (folder / CHECKPOINT).exists()
        raise Interrupted(
            f"stopped at step {trainer.global_step}"
            + (
                f"; go on with: ratsnlp-like train --output {shlex.quote(str(folder))} --resume"
                if saved
                else " before anything was saved"
            )
        )


def _finish(
    run: Run, trainer: Any, module: TaskModule, data: TaskDataModule, meter: ThroughputMeter, arguments: ModelArguments
) -> FineTuneResult:
    """Measure the best model on the test split, and write down what came of the run."""
    best = Predictor.from_pretrained(run.folder, unpadded=arguments.unpadded)
    if arguments.lora_merge:
        best = best.merged()
    metrics, held_out = best.metrics.setdefault("validation", {}), data.validation
    if data.test is not None:
        device = best.model.device
        module.model, module.task = best.model, best.task  # the task with what the validation set has decided
        trainer.test(module, dataloaders=data.test_dataloader(), verbose=False)
        best.model.to(device)
        metrics, held_out = best.metrics.setdefault("test", module.results), data.test
    if trainer.is_global_zero and held_out is not None:
        if isinstance(best.task, SupportsGenerationMetrics):
            metrics |= best.task.score_generation(best.predict, held_out.examples())
        best.save_pretrained(run.folder / "best")
    summary = {**meter.summary(), "splits": data.summary(), "precision": str(trainer.precision)}
    trainer.strategy.barrier()
    result = FineTuneResult(
        output=run.folder,
        best=run.folder / "best",
        metrics=best.metrics["validation"],
        test_metrics=best.metrics.get("test"),
        summary=summary,
        predictor=best,
    )
    if trainer.is_global_zero:
        run.end(result)
    return result


def choose_attention(job: Job) -> str | None:
    """Eager attention on a CPU: 1.2 to 1.7 times as fast there as the fused one, whose way back is slow."""
    import torch

    if job.model.attention != "auto":
        return job.model.attention
    accelerator = job.training.accelerator
    on_cpu = accelerator == "cpu" or (
        accelerator == "auto" and not torch.cuda.is_available() and not torch.backends.mps.is_available()
    )
    return "eager" if on_cpu else None


def open_data(job: Job, tokenizer: Any) -> TaskDataModule:
    """The data module of a job."""
    return TaskDataModule(
        job.task,
        job.open(job.corpus),
        tokenizer,
        eval_corpus=job.open(job.data.eval_corpus, like=job.corpus) if job.data.eval_corpus else None,
        root=job.places.corpus_root,
        cache=job.places.cache_dir,
        max_length=job.data.max_length,
        batch_size=32 if job.training.batch_size == "auto" else job.training.batch_size,
        batch_tokens=job.training.batch_tokens,
        eval_batch_size=job.training.eval_batch_size,
        validation_share=job.data.validation_share,
        seed=job.training.seed,
        limit_train=job.data.limit_train,
        limit_eval=job.data.limit_eval,
    )


def check_length(max_length: int, config: Any, checkpoint: str) -> None:
    """A model has no embedding for a position beyond its last.

    Raises:
        InputError: `max_length` asks for one.
    """
    limit = max_positions(config)
    if limit is not None and max_length > limit:
        raise InputError(
            f"max_length {max_length} is more than the {limit} positions of {checkpoint}",
            place="--max_length",
            expected=f"at most {limit}",
            fix=f"--max_length {limit}; longer texts go through windows (classification: --long_text windows)",
        )


def _default_output(job: Job) -> Path:
    corpus = Path(name_of(job.corpus)).stem or "corpus"
    return Path("runs") / "-".join([job.task.name, corpus, Path(job.checkpoint).name])
