"""Search for hyperparameters with Optuna: `tune`. Every trial is a run; the test split is never read."""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import yaml
from filelock import FileLock, Timeout
from pytorch_lightning.trainer.states import TrainerFn

from ..checkpoints.base import load_config, resolve
from ..checkpoints.tokenizer import load_tokenizer
from ..corpora.base import Corpus
from ..errors import InputError, TrainingError
from ..runtime.files import atomic_folder, make_folder, write_json, write_text
from .finetune import open_data, run_job
from .job import Extensions, Job
from .model import build_model
from .module import TaskModule, monitored
from .rates import choose_epochs, choose_learning_rate
from .run_folder import Interrupted
from .search_space import OF_TRIALS, SearchSpace, dropouts_of, fixed_in

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

log = logging.getLogger("ratsnlp_like")

EVALUATIONS = 5
"""Evaluations of a trial, at equal shares of its steps, so that trials of different length can be compared."""
DATABASE, BEST_CONFIG, SUMMARY = "trials.sqlite3", "best.yaml", "tuning.json"
_STARTUP = 4
"""Random trials before the sampler models the space, and trials without pruning."""


class Pruned(Exception):
    """A trial is worse than the median of the others at this point."""


class ReportToTrial(pl.Callback):
    """Reports each evaluation to a trial, and stops a trial that should be pruned."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the monitored metric at the share of the steps that are done."""
        if trainer.state.fn != TrainerFn.FITTING or not isinstance(pl_module, TaskModule):
            return
        done = round(EVALUATIONS * trainer.global_step / int(trainer.estimated_stepping_batches))
        self._trial.report(float(pl_module.results[pl_module.monitor]), done)
        if done < EVALUATIONS and self._trial.should_prune():
            raise Pruned(f"pruned after {done} of {EVALUATIONS} evaluations")


@dataclass(frozen=True)
class TuningResult:
    """The outcome of a search."""

    output: Path
    metric: str
    best: dict[str, Any]
    """Hyperparameters of the best trial."""
    score: float
    """Its score on the validation split."""
    trials: list[dict[str, Any]]
    """`number`, `state` (complete, pruned, fail), `score`, and `params` of each trial."""

    def to_dict(self) -> dict[str, Any]:
        """Return the content of tuning.json."""
        return {
            "output": str(self.output),
            "metric": self.metric,
            "best": self.best,
            "score": self.score,
            "trials": self.trials,
        }


def tune(
    *,
    task: str,
    corpus: str | Path | Corpus,
    checkpoint: str | Path,
    output: str | Path,
    trials: int = 20,
    minutes: float | None = None,
    **options: Any,
) -> TuningResult:
    """Search for the learning rate, batch size, epochs, dropout and layer decay with the best validation score.

    A search continues where it was stopped, also by a kill: the same call again, with a larger budget if need be.

    Args:
        task: as for `fine_tune`.
        corpus: as for `fine_tune`; its test split is not read.
        checkpoint: as for `fine_tune`.
        output: folder of the search: `trials.sqlite3`, `best.yaml` (for `train --config`), `best/` (the best model) and
            `tuning.json`.
        trials: number of finished trials, those of earlier calls included.
        minutes: begin no trial after this time.
        options: as for `fine_tune`; those that are searched are ignored.

    Raises:
        InputError: the input is at fault, or Optuna is not installed.
    """
    job = Job.of(task, corpus, checkpoint, {**options, **OF_TRIALS})
    job.check()
    return tune_job(job, Path(output), trials=trials, minutes=minutes)


def check_installed() -> None:
    """Check that Optuna is installed.

    Raises:
        InputError: it is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise InputError("Optuna is not installed", place="tune", fix='pip install "ratsnlp_like[tune]"')


def tune_job(job: Job, folder: Path, *, trials: int, minutes: float | None) -> TuningResult:
    """Search with a job that was checked; see `tune`."""
    check_installed()
    for name, value in (("trials", trials), ("minutes", minutes)):
        if value is not None and value <= 0:
            raise InputError(f"{value}", place=f"--{name}", expected="a number above 0")
    if job.training.seeds != 1:
        raise InputError(f"--seeds {job.training.seeds} in a search", fix="leave it out, and train with best.yaml")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    until = math.inf if minutes is None else time.monotonic() + 60 * minutes
    with _locked(folder):
        study = _open_study(job, folder)
        space = _space(job)
        while _finished(study) < trials and time.monotonic() < until:
            _run_trial(study, space, job, folder)
        return _summarize(study, space, job, folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    make_folder(folder, fix="another --output")
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise InputError("another process is tuning in this folder", place=folder, fix="another --output") from None


def _open_study(job: Job, folder: Path) -> Study:
    """Open the study of a folder; trials that a killed process left are put first in the queue.

    Raises:
        InputError: the folder has a search with another configuration.
    """
    import optuna
    from optuna.trial import TrialState

    storage = f"sqlite:///{(folder / DATABASE).resolve()}"
    _, maximize = monitored(job.task, job.training)
    study = optuna.create_study(
        storage=storage,
        study_name="tune",
        load_if_exists=True,
        direction="maximize" if maximize else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
    )
    # another seed in each session, or a resumed search would sample the same points again
    study.sampler = optuna.samplers.TPESampler(seed=job.training.seed + len(study.trials), n_startup_trials=_STARTUP)
    before, config = study.user_attrs.get("config"), job.to_dict()
    if before is not None and before != config:
        differing = ", ".join(sorted(name for name in config if before.get(name) != config[name]))
        raise InputError(
            f"the folder has a search with another configuration ({differing})", place=folder, fix="another --output"
        )
    study.set_user_attr("config", config)
    for left in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)
        study.enqueue_trial(left.params, user_attrs={"folder": _folder_of(left, folder).name})
        log.info("trial %d was stopped, and is continued", left.number)
    return study


def _folder_of(trial: Trial | FrozenTrial, folder: Path) -> Path:
    """Return the run folder of a trial: that of the trial that it continues, or its own."""
    return folder / str(trial.user_attrs.get("folder", f"trial-{trial.number}"))


def _finished(study: Study) -> int:
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _space(job: Job) -> SearchSpace:
    """Return the ranges for the model and the corpus of a job."""
    name = resolve(job.source)
    config = load_config(name, job.model.config_overrides)
    tokenizer = load_tokenizer(name, config)
    data = open_data(job, tokenizer)
    data.setup("fit")
    labels = data.labels or []
    model = build_model(job, name, config, task=data.task, labels=labels, vocabulary=len(tokenizer))
    rate = choose_learning_rate(model, random=job.model.init == "random").value
    epochs = choose_epochs(len(data.loader(data.train, shuffle=True))).value
    assert data.train is not None
    return SearchSpace(rate, epochs, dropouts_of(config), rows=int(data.train.begins.sum()), fixed=fixed_in(job))


def _run_trial(study: Study, space: SearchSpace, job: Job, folder: Path) -> None:
    """Run one trial; Ctrl-C leaves it to be continued."""
    from optuna.trial import TrialState

    trial = study.ask()
    found = space.suggest(trial)
    own = _folder_of(trial, folder)
    log.info("trial %d: %s", trial.number, ", ".join(f"{name} {value:g}" for name, value in found.items()))
    try:
        result = run_job(
            _with_evaluations(space.apply(found, job)),
            output=own,
            resume=own.exists(),
            extensions=Extensions(callbacks=[ReportToTrial(trial)]),
        )
    except Interrupted:
        raise Interrupted(f"stopped; the same command continues the search in {shlex.quote(str(folder))}") from None
    except (Pruned, TrainingError) as reason:
        log.info("trial %d: %s", trial.number, str(reason).splitlines()[0])
        study.tell(trial, state=TrialState.PRUNED)
        shutil.rmtree(own, ignore_errors=True)
        return
    metric, _ = monitored(job.task, job.training)
    score = float(result.metrics[metric])
    study.tell(trial, score)
    log.info("trial %d: %s %.4f (best so far %.4f)", trial.number, metric, score, study.best_value)
    if study.best_trial.number == trial.number:
        with atomic_folder(folder / "best", content="the best model") as partial:
            shutil.copytree(result.best, partial, dirs_exist_ok=True)
    shutil.rmtree(own, ignore_errors=True)


def _with_evaluations(job: Job) -> Job:
    """Return the job with evaluations at equal shares of its steps, and without early stopping."""
    tokenizer = load_tokenizer(resolve(job.source), load_config(resolve(job.source)))
    data = open_data(job, tokenizer)
    data.setup("fit")
    batches = len(data.loader(data.train, shuffle=True)) * int(job.training.epochs)
    every = max(1, math.ceil(batches / EVALUATIONS))
    return replace(job, training=replace(job.training, eval_steps=every, patience=0))


def _summarize(study: Study, space: SearchSpace, job: Job, folder: Path) -> TuningResult:
    """Write tuning.json and best.yaml.

    Raises:
        InputError: no trial was completed.
    """
    from optuna.trial import TrialState

    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise InputError("no trial was completed", place=folder, fix="a larger --trials or --minutes")
    trials = [
        {"number": t.number, "state": t.state.name.lower(), "score": t.value, "params": t.params}
        for t in study.get_trials(deepcopy=False)
    ]
    best = study.best_trial
    result = TuningResult(folder, monitored(job.task, job.training)[0], dict(best.params), study.best_value, trials)
    config = space.apply(best.params, job).to_dict() | dict.fromkeys(OF_TRIALS, True)
    write_text(folder / BEST_CONFIG, yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    write_json(folder / SUMMARY, json.loads(json.dumps(result.to_dict(), default=str)))
    return result
