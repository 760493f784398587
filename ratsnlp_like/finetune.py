"""The whole job: from a corpus and a checkpoint to a model that is measured, saved and ready to be asked."""

from __future__ import annotations

import json
import logging
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from . import lora, unpadded
from .arguments import (
    RESUMABLE,
    ModelArguments,
    TrainingArguments,
)
from .checkpoints.base import load_config, load_model, load_tokenizer, positions, resolve
from .corpora.base import Corpus, FileCorpus, default_root
from .data import (
    Batches,
    EncodedSplit,
    Loader,
    TaskDataModule,
    best_split,
    default_cache,
    encode_split,
    read_split,
    warn_of_truncation,
)
from .errors import InputError, did_you_mean
from .job import Job, name_of
from .layers import freeze
from .memory import largest_batch
from .module import TaskModule
from .predictor import PredictionPrecision, Predictor
from .trainer import CHECKPOINT, Keeper, Meter, build_trainer, evaluation_trainer

log = logging.getLogger("ratsnlp_like")

CONFIG, RESULT, FOUND = "config.yaml", "result.json", "found.json"
_EVAL_BATCH = 64
"""Windows of a batch where a saved model is measured."""


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
    return carry_out(job, output=output, resume=resume, overwrite=overwrite)


def carry_out(
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
        metrics = {"validation": module.results} if module.results else {}
        return Predictor(
            module.task, module.model, tokenizer, labels, max_length=job.data.max_length, about=about, metrics=metrics
        )

    module = TaskModule(data.task, model, labels, job.training)
    keeper, meter = Keeper(folder, predictor), Meter()
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
    trainer: Any, module: TaskModule, data: TaskDataModule, state: Path | None, keeper: Keeper, folder: Path
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
    run: Run, trainer: Any, module: TaskModule, data: TaskDataModule, meter: Meter, arguments: ModelArguments
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
        metrics |= best.task.asked(best.predict, held_out.examples())
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


def evaluate(
    folder: str | Path,
    *,
    corpus: str | Path | Corpus,
    split: str | None = None,
    precision: PredictionPrecision = "32",
    **options: Any,
) -> dict[str, Any]:
    """Measure a saved model on a corpus.

    Args:
        folder: a run folder (its best model) or a model folder.
        corpus: a registered name, a file, a hub id, or a `Corpus`.
        split: of the corpus; test, else validation, else the only one by default.
        precision: `32` or `bf16`; see `Predictor.from_pretrained`.
        options: fields of `CorpusArguments` and `Options`, names of columns, `eval_batch_size`, `limit_eval`,
            `progress`; and the fields of the task that change what is asked (`asking`) or measured (`measuring`).

    Returns:
        Metrics by name, the same names as in training.

    Raises:
        InputError: no model, no corpus, or a label that the model does not know.
    """
    predictor = Predictor.from_pretrained(folder, precision=precision)
    anew = {name: options.pop(name) for name in predictor.task.asking | predictor.task.measuring if name in options}
    predictor = predictor.with_options(**anew)
    held_out = HeldOut.of(predictor, corpus, split, options)
    log.info("measured on %s", held_out)
    module = TaskModule(predictor.task, predictor.model, predictor.labels)
    trainer = evaluation_trainer(progress=held_out.progress)
    trainer.test(module, dataloaders=held_out.loader(predictor), verbose=False)
    return module.results | predictor.task.asked(predictor.predict, held_out.split.examples())


@dataclass(frozen=True)
class HeldOut:
    """Examples to measure a saved model on, encoded for it."""

    corpus: str
    kind: str
    """Which of its splits, in words."""
    split: EncodedSplit
    batch_size: int
    progress: bool

    @classmethod
    def of(
        cls, predictor: Predictor, corpus: str | Path | Corpus, split: str | None, options: Mapping[str, Any]
    ) -> HeldOut:
        """Choose and encode them; see `evaluate`."""
        if predictor.about.get("corpus") == name_of(corpus):  # the columns that it was trained on are meant
            columns = {f"{name}_column": column for name, column in predictor.about.get("columns", {}).items()}
            options = {**columns, **options}
        job = Job.of(predictor.task.name, corpus, "", options)
        source = job.open(job.corpus, like=predictor.about.get("corpus"))
        root, cache = job.places.corpus_root or default_root(), job.places.cache_dir or default_cache()
        splits = source.splits(root)
        split = split or ("test" if "test" in splits else best_split(source, root))
        if split not in splits:
            if len(splits) > 1:
                raise InputError(f"no split {split!r}", place=name_of(corpus), fix=did_you_mean(split, splits))
            split = splits[0]  # a file has one
        read = read_split(source, split, root=root, cache=cache)
        known = predictor.about.get("fingerprints", {})
        if read.fingerprint == known.get("train"):
            log.warning("%s: the model was trained on these rows; this is no measure of new text.", name_of(corpus))
        elif read.fingerprint == known.get("validation"):
            log.warning("%s: the best model was chosen by these rows; new text may turn out worse.", name_of(corpus))
        encoded = encode_split(
            read, predictor.task, predictor.tokenizer, predictor.labels, predictor.max_length, cache=cache
        )
        encoded = encoded.sample(job.data.limit_eval, job.training.seed)
        warn_of_truncation(encoded, predictor.max_length)
        kind = "the whole file" if isinstance(source, FileCorpus) and len(splits) == 1 else f"split {split}"
        size = job.training.eval_batch_size or _EVAL_BATCH
        return cls(name_of(corpus), kind, encoded, size, job.training.progress)

    def __str__(self) -> str:
        return f"{self.corpus}, {self.kind}: {int(self.split.begins.sum()):,} examples"

    def loader(self, predictor: Predictor) -> Loader:
        """Its batches, longest first."""
        batches = Batches(self.split.lengths, self.batch_size, shuffle=False)
        return Loader(self.split, predictor.tokenizer, batches)


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
    limit = positions(config)
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


@dataclass(frozen=True)
class Run:
    """The folder of a run and the configuration it was begun with.

    Layout: config.yaml, result.json once it is finished, best/ and last/ (model folders), resume.ckpt, logs/.
    """

    folder: Path
    config: dict[str, Any]

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Refuse to write over another run.

        Raises:
            InputError: the folder holds something else, or a run that would be lost.
        """
        if self.folder.is_file():
            raise InputError("is a file", place=self.folder, expected="a folder for the run", fix="another --output")
        before = self._before()
        if before is None:
            if resume:
                log.info("%s: nothing to go on with yet; the run begins.", self.folder)
            inside = ", ".join(sorted(p.name for p in self.folder.glob("*") if p.name != ".lock")[:6])
            if not overwrite and inside:
                raise InputError(
                    f"the folder is no run of this package and is not empty ({inside})",
                    place=self.folder,
                    fix="another --output",
                )
            return
        if overwrite:
            return
        differing = {
            key: (before.get(key), value)
            for key, value in self.config.items()
            if before.get(key) != value and not (key in RESUMABLE and (resume or key == "progress"))
        }
        if differing:
            listed = "\n".join(f"    {key}: {old!r} there, {new!r} now" for key, (old, new) in differing.items())
            raise InputError(
                f"the folder holds a run with another configuration:\n{listed}",
                place=self.folder,
                fix="another --output, or --overwrite to throw that run away",
            )
        if not resume and (self.folder / RESULT).exists():
            log.info("%s: the same configuration as before; it is trained again.", self.folder)
        if not resume and (self.folder / CHECKPOINT).exists() and not (self.folder / RESULT).exists():
            raise InputError(
                "the folder holds an unfinished run",
                place=self.folder,
                fix="--resume to go on with it, or --overwrite to throw it away",
            )

    def _before(self) -> dict[str, Any] | None:
        path = self.folder / CONFIG
        if not path.exists():
            return None
        try:
            return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, TypeError, ValueError) as error:
            raise InputError(f"broken ({error})", place=path, fix="another --output, or --overwrite") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training into the folder; a killed process leaves no lock.

        Raises:
            InputError: another process does just that.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout:
            raise InputError(
                "another process is training into this folder",
                place=self.folder,
                fix="wait for it, or another --output",
            ) from None

    def found(self, *, resume: bool) -> dict[str, Any]:
        """What `auto` was in the run that is resumed: it goes on with the same."""
        path = self.folder / FOUND
        return dict(json.loads(path.read_text(encoding="utf-8"))) if resume and path.exists() else {}

    def begin(self, *, resume: bool, found: Mapping[str, Any]) -> None:
        """Write the configuration, and what `auto` is in it; a new run takes the place of an old one."""
        if not resume:
            for name in ("best", "last", "logs", CHECKPOINT, RESULT, FOUND):
                path = self.folder / name
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        _write(self.folder / CONFIG, yaml.safe_dump(self.config, allow_unicode=True, sort_keys=False))
        if found:
            _write(self.folder / FOUND, to_json(found))
        (self.folder / RESULT).unlink(missing_ok=True)

    def end(self, result: FineTuneResult) -> None:
        """Write result.json: the run is finished."""
        _write(self.folder / RESULT, to_json(result.to_dict()))


def to_json(content: Mapping[str, Any]) -> str:
    """Indented JSON with Hangul as it is."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _write(path: Path, content: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(path)
