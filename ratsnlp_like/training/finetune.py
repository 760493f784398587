"""Fine-tune a checkpoint on a corpus, evaluate it and save it: `fine_tune`."""

from __future__ import annotations

import gc
import logging
import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import EVAL_BATCH_SIZE, TrainingArguments
from ..checkpoints.origin import origin_of
from ..corpora.base import Corpus
from ..data.module import TaskDataModule
from ..inference.predictor import Predictor
from ..metrics.base import Metric
from ..runtime.hardware import PeakMemory, limit_primitive_cache
from .callbacks.checkpoint import CheckpointCallback
from .callbacks.throughput import ThroughputMeter
from .job import Extensions, Job, name_of
from .measure import Measurement, measure
from .memory import largest_batch
from .model import build_model, open_checkpoint
from .module import TaskModule
from .processes import peers_watched
from .rates import with_epochs, with_learning_rate
from .run_files import RESUME_FILE
from .run_folder import Interrupted, Run
from .run_report import write_report
from .scoring import split_names
from .seeds import run_seeds
from .state import saved_state
from .trainer import build_trainer, choose_precision, ended_early
from .verdict import Verdict, judge

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from pytorch_lightning.loggers import Logger

log = logging.getLogger("ratsnlp_like")


@dataclass(frozen=True)
class FineTuneResult:
    """The outcome of a run."""

    output: Path
    """The run folder."""
    best: Path
    """The folder of the best model, which transformers opens too."""
    metrics: dict[str, Any]
    """Metrics of the best model on the validation split (or on --eval_corpus)."""
    test_metrics: dict[str, Any] | None
    """Metrics of the best model on the test split, if the corpus has one."""
    summary: dict[str, Any]
    """Steps, examples, tokens, seconds, memory, and the sizes of the splits."""
    predictor: Predictor
    """The best model, ready for prediction."""
    verdict: Verdict | None = None
    """The best model against simple baselines; None where the task has none, or with --baselines false."""
    seeds: dict[str, Any] | None = None
    """Of a run with --seeds: `runs` (scores of each seed), `best` (its seed), and `validation` and `test` with mean and
    standard deviation of each metric. The other results are those of the best model."""

    def to_dict(self) -> dict[str, Any]:
        """Return the content of result.json: all but the predictor."""
        return {
            "output": str(self.output),
            "best": str(self.best),
            "metrics": self.metrics,
            "test_metrics": self.test_metrics,
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "seeds": self.seeds,
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
    callbacks: Sequence[pl.Callback] = (),
    loggers: Iterable[str | Logger] = (),
    metrics: Iterable[str | Metric] = (),
    **options: Any,
) -> FineTuneResult:
    """Fine-tune a checkpoint on a corpus, evaluate it, and save it.

    Args:
        task: `classification`, `ner`, ...; see `ratsnlp-like list tasks`.
        corpus: a registered name, a file, a hub id, or a `Corpus`.
        checkpoint: a bundled name, a folder, or a hub id.
        output: the run folder; `runs/TASK-CORPUS-CHECKPOINT` by default.
        resume: continue the unfinished run in `output`; a new run begins if there is none.
        overwrite: delete the run in `output` first.
        callbacks: Lightning callbacks, added to those of the package.
        loggers: Lightning loggers or names of registered ones, next to the CSV file that is always written.
        metrics: functions `(predictions, examples, labels) -> float | dict` or names of registered ones. Their values
            are reported next to the metrics of the task, and `monitor` may name one.
        options: fields of `arguments.DataArguments`, `ModelArguments`, `TrainingArguments`, `CorpusArguments`,
            `corpora.formats.Options` and of the task, and names of columns (`text_column="본문"`).

    Raises:
        InputError: the input is at fault; the message states what, where, and the fix.
        TrainingError: the loss is not finite or has exploded.
        Interrupted: stopped by Ctrl-C or SIGTERM; the state is saved.
    """
    logger_names, logger_objects = split_names(loggers)
    metric_names, metric_functions = split_names(metrics)
    job = Job.of(task, corpus, checkpoint, {**options, "loggers": logger_names, "metrics": metric_names})
    job.check()
    extensions = Extensions(tuple(callbacks), tuple(logger_objects), tuple(metric_functions))
    return run_job(job, output=output, resume=resume, overwrite=overwrite, extensions=extensions)


def run_job(
    job: Job,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    extensions: Extensions | None = None,
) -> FineTuneResult:
    """Run a job that was checked; see `fine_tune`."""
    import pytorch_lightning as pl

    limit_primitive_cache()
    memory = PeakMemory()
    extensions = extensions or Extensions()
    folder = Path(output) if output else _default_output(job)
    run = Run(folder, job.to_dict())
    checked = run.stamp()
    run.check(resume=resume, overwrite=overwrite)
    if resume and run.is_complete:
        log.info("%s: the run is finished.", folder)
        return _finished(run)
    if job.training.seeds > 1:
        in_process = extensions != Extensions() or not isinstance(job.corpus, str)
        return run_seeds(
            run, checked, job, partial(run_job, extensions=extensions), resume=resume, in_process=in_process
        )

    name, config, tokenizer = open_checkpoint(job)
    precision = choose_precision(job.training, weights=job.model.weights, config=config)
    data = open_data(job, tokenizer)
    data.setup("fit")
    memory.end("encode")
    _log_sizes(data)

    pl.seed_everything(job.training.seed, verbose=False)
    model = build_model(job, name, config, task=data.task, labels=data.labels or [], vocabulary=len(tokenizer))
    found = run.found(resume=resume)
    random = job.model.init == "random"
    job = replace(job, training=with_learning_rate(job.training, model, found, random=random))
    metrics: list[str | Metric] = [*job.training.metrics, *extensions.metrics]
    module = TaskModule(data.task, model, data.labels or [], job.training, metrics=metrics)
    module.check_monitor(data.validation)
    meter = ThroughputMeter(memory)
    checkpoints = CheckpointCallback(
        folder,
        _predictor_factory(job, data, name),
        save_steps=job.training.save_steps,
        save_minutes=job.training.save_minutes,
    )
    trainer = build_trainer(
        job.training,
        folder=folder,
        precision=precision,
        callbacks=[meter, checkpoints, *extensions.callbacks],
        loggers=extensions.loggers,
    )
    if job.training.batch_size == "auto":
        _set_batch_size(found, trainer, module, data, job.training)
    job = replace(job, training=with_epochs(job.training, len(data.loader(data.train, shuffle=True)), found))
    trainer.fit_loop.max_epochs = int(job.training.epochs)
    description = data.description()
    if resume:
        run.check_data(description)
        run.check_state()
    state = saved_state(folder, module.state_dict()) if resume else None
    with run.locked(checked) if trainer.is_global_zero else nullcontext(), peers_watched(trainer, folder):
        if trainer.is_global_zero:
            run.begin(resume=resume, found=found, data=description)
        pl.seed_everything(job.training.seed, verbose=False)
        _fit(trainer, module, data, state, checkpoints, folder)
        if checkpoints.evaluated != trainer.global_step:  # the last steps, if no evaluation was due after them
            trainer.validate(module, datamodule=data, verbose=False)
        _release_training_state(trainer, module)
        memory.end("save")
        return _finish(run, trainer, data, meter, job, metrics, found)


def _log_sizes(data: TaskDataModule) -> None:
    for split, size in data.summary().items():
        log.info("%s: %s", split, ", ".join(f"{value:,} {what.replace('_', ' ')}" for what, value in size.items()))


def _predictor_factory(job: Job, data: TaskDataModule, name: str) -> Callable[[TaskModule], Predictor]:
    """Return a function that makes the predictor of a module, with its provenance and its last metrics.

    Args:
        job: arguments of the run.
        data: after `setup`.
        name: resolved name of the checkpoint.
    """
    about = {
        "checkpoint": job.source,
        "origin": origin_of(name, weights=job.model.init == "pretrained").to_dict(),
        "init": job.model.init,
        "weights": job.model.weights,
        "corpus": name_of(job.corpus),
        "columns": job.columns,
        "eval_batch_size": job.training.eval_batch_size,
        **data.provenance(),
    }

    def predictor(module: TaskModule) -> Predictor:
        metrics = {"validation": module.results} if module.results else {}
        return Predictor(
            module.task,
            module.model,
            data.tokenizer,
            module.labels,
            max_length=job.data.max_length,
            about=about | {"training": job.settings(module.trainer.max_epochs, data.batch_size, data.summary())},
            metrics=metrics,
        )

    return predictor


def _set_batch_size(
    found: dict[str, Any], trainer: pl.Trainer, module: TaskModule, data: TaskDataModule, arguments: TrainingArguments
) -> None:
    """Set the largest batch size that memory holds; a resumed run keeps the one it began with."""
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
    trainer: pl.Trainer,
    module: TaskModule,
    data: TaskDataModule,
    state: Path | None,
    checkpoints: CheckpointCallback,
    folder: Path,
) -> None:
    try:
        trainer.fit(module, datamodule=data, ckpt_path=state, weights_only=True)
    except (SystemExit, KeyboardInterrupt):  # Lightning turns Ctrl-C into exit code 1
        if not checkpoints.interrupted:
            raise
    finally:
        checkpoints.release()
    if checkpoints.interrupted:
        saved = (folder / RESUME_FILE).exists()
        raise Interrupted(
            f"stopped at step {trainer.global_step}"
            + (
                f"; continue with: ratsnlp-like train --output {shlex.quote(str(folder))} --resume"
                if saved
                else " before anything was saved"
            )
        )


def _release_training_state(trainer: pl.Trainer, module: TaskModule) -> None:
    """Free states of the optimizer, gradients and the last weights before the best model is loaded."""
    for optimizer in trainer.optimizers:
        optimizer.state.clear()
    module.zero_grad(set_to_none=True)
    for parameter in module.parameters():
        parameter.data = parameter.data.new_empty(0)


def _finish(
    run: Run,
    trainer: pl.Trainer,
    data: TaskDataModule,
    meter: ThroughputMeter,
    job: Job,
    metrics: Sequence[str | Metric],
    found: dict[str, Any],
) -> FineTuneResult:
    """Evaluate the best model as `evaluate` does, and write the results of the run."""
    verdict = None
    if trainer.is_global_zero:
        measured, verdict = _evaluate_best(run, trainer, data, job, metrics)
        gc.collect()  # reference cycles hold the weights of the model that was evaluated
    trainer.strategy.barrier()
    best = Predictor.from_pretrained(run.folder, unpadded=job.model.unpadded)
    result = FineTuneResult(
        output=run.folder,
        best=run.folder / "best",
        metrics=best.metrics["validation"],
        test_metrics=best.metrics.get("test"),
        summary={
            **meter.summary(),
            "origin": best.about["origin"],
            "splits": data.summary(),
            "found": found,
            "precision": str(trainer.precision),
            "evaluation_precision": "bf16" if best.model.dtype.itemsize == 2 else "32",
        },
        predictor=best,
        verdict=verdict,
    )
    if trainer.is_global_zero:
        run.end(result.to_dict(), keep_state=job.training.keep_state)
        if job.training.report:
            splits = {name: getattr(data, name) for name in ("train", "validation", "test")}
            write_report(run.folder, job, best, measured, splits)
    return result


def _evaluate_best(
    run: Run, trainer: pl.Trainer, data: TaskDataModule, job: Job, metrics: Sequence[str | Metric]
) -> tuple[Measurement, Verdict | None]:
    """Evaluate the best model, save it with its metrics, and compare it with the baselines."""
    if job.model.lora_merge:
        Predictor.from_pretrained(run.folder).merged().save_pretrained(run.folder / "best")
    best = Predictor.from_pretrained(run.folder)
    for name, split in (("validation", data.validation), ("test", data.test)):
        if split is not None:
            measured = measure(
                best,
                split,
                batch_size=job.training.eval_batch_size or EVAL_BATCH_SIZE,
                metrics=metrics,
                fixed_threads=job.training.threads != "auto",
            )
            best.metrics[name] = measured.scores
    best.save_pretrained(run.folder / "best")
    if not job.training.baselines:
        return measured, None
    steps = None if ended_early(trainer) else trainer.global_step
    outcome = measured.predictions, measured.examples, measured.scores
    return measured, judge(best, data, *outcome, job.training, steps=steps)


def _finished(run: Run) -> FineTuneResult:
    """Return the result of a finished run."""
    content = run.result()
    own = ("output", "best", "metrics", "test_metrics", "verdict", "seeds")
    return FineTuneResult(
        output=run.folder,
        best=run.folder / "best",
        metrics=content["metrics"],
        test_metrics=content["test_metrics"],
        summary={name: value for name, value in content.items() if name not in own},
        predictor=Predictor.from_pretrained(run.folder),
        verdict=Verdict.from_dict(content["verdict"]) if content.get("verdict") else None,
        seeds=content.get("seeds"),
    )


def open_data(job: Job, tokenizer: Any) -> TaskDataModule:
    """Return the data module of a job."""
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
        split_seed=job.split_seed,
        limit_train=job.data.limit_train,
        limit_eval=job.data.limit_eval,
        augment=job.data.augment,
        use_test=job.data.use_test,
    )


def _default_output(job: Job) -> Path:
    corpus = Path(name_of(job.corpus)).stem or "corpus"
    return Path("runs") / "-".join([job.task.name, corpus, Path(job.checkpoint).name])
