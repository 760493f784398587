"""Several runs that differ by their seed: `--seeds`, one run folder with a folder for each seed."""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Queue
from typing import TYPE_CHECKING, Any

import torch

from ..errors import TrainingError
from ..pages.runs import seed_folder
from ..runtime.files import atomic_folder, write_json
from .job import Job
from .module import monitored
from .run_files import RESULT, SPLITS
from .run_folder import Interrupted, Run, Stamp
from .run_report import write_run_report

if TYPE_CHECKING:
    from .finetune import FineTuneResult

log = logging.getLogger("ratsnlp_like")

_SPLITS = {"validation": "metrics", "test": "test_metrics"}
"""Split -> key of result.json."""


def run_seeds(
    run: Run, checked: Stamp, job: Job, train: Callable[..., FineTuneResult], *, resume: bool, in_process: bool
) -> FineTuneResult:
    """Fine-tune once for each seed, and keep the best model by the validation split in `best/`.

    All runs have the same rows for training, validation and test.

    Args:
        run: the run folder, which was checked; the run of a seed is in `seed-SEED`.
        checked: stamp of the folder before it was checked.
        job: with the first seed and the number of seeds.
        train: trains one job: `finetune.run_job` with the extensions of the user.
        resume: continue unfinished runs and keep finished ones.
        in_process: train in this process alone, since the job has Python objects; otherwise the runs share the GPUs.

    Returns:
        The result of the best seed, with `seeds`.
    """
    seeds = [job.training.seed + k for k in range(job.training.seeds)]
    data = replace(job.data, split_seed=job.split_seed)
    jobs = {s: replace(job, data=data, training=replace(job.training, seed=s, seeds=1)) for s in seeds}
    with run.locked(checked):
        if not resume:
            run.clear()
        run.write_config()
        gpus = [] if in_process else _gpus(job)
        if len(gpus) > 1:
            _run_side_by_side(jobs, run, gpus, resume=resume)
        else:
            _run_in_turn(jobs, run, train, resume=resume)
        results = {s: json.loads((seed_folder(run.folder, s) / RESULT).read_text("utf-8")) for s in seeds}
        metric, maximize = monitored(job.task, job.training)
        sign = 1 if maximize else -1
        best = max(seeds, key=lambda seed: sign * results[seed]["metrics"][metric])
        own = seed_folder(run.folder, best)
        with atomic_folder(run.folder / "best", content="the best model") as partial:
            shutil.copytree(own / "best", partial, dirs_exist_ok=True)
        shutil.copy(own / SPLITS, run.folder / SPLITS)
        result = replace(
            train(jobs[best], output=own, resume=True),
            output=run.folder,
            best=run.folder / "best",
            seeds=summarize(results, metric, best),
        )
        run.end(result.to_dict(), keep_state=False)
        if job.training.report:
            write_run_report(run.folder)
    return result


def _run_in_turn(jobs: Mapping[int, Job], run: Run, train: Callable[..., FineTuneResult], *, resume: bool) -> None:
    for number, (seed, job) in enumerate(jobs.items(), 1):
        log.info("seed %d (%d of %d)", seed, number, len(jobs))
        try:
            train(job, output=seed_folder(run.folder, seed), resume=resume)
        except Interrupted:
            command = f"ratsnlp-like train --output {shlex.quote(str(run.folder))} --resume"
            raise Interrupted(f"stopped in the run of seed {seed}; continue with: {command}") from None


def _run_side_by_side(jobs: Mapping[int, Job], run: Run, gpus: Sequence[str], *, resume: bool) -> None:
    """Run each seed in a process of its own, as many at a time as there are GPUs.

    Raises:
        TrainingError: a process has failed; the message has its last lines.
    """
    free: Queue[str] = Queue()
    for gpu in gpus:
        free.put(gpu)

    def train(seed: int) -> None:
        gpu = free.get()
        try:
            _train_on(gpu, seed, jobs[seed], run, resume=resume)
        finally:
            free.put(gpu)

    with ThreadPoolExecutor(len(gpus)) as pool:
        for done in [pool.submit(train, seed) for seed in jobs]:
            done.result()


def _train_on(gpu: str, seed: int, job: Job, run: Run, *, resume: bool) -> None:
    folder = seed_folder(run.folder, seed)
    config = run.folder / f"seed-{seed}.json"
    write_json(config, {**job.to_dict(), "progress": False})
    command = [sys.executable, "-m", "ratsnlp_like", "train", "--config", str(config), "--output", str(folder)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": gpu}
    log.info("seed %d: on GPU %s", seed, gpu)
    done = subprocess.run(
        [*command, *["--resume"] * resume], env=environment, capture_output=True, text=True, check=False
    )
    config.unlink(missing_ok=True)
    if done.returncode:
        lines = "\n".join(done.stderr.splitlines()[-12:])
        raise TrainingError(f"the run of seed {seed} has failed on GPU {gpu}:\n{lines}")


def _gpus(job: Job) -> list[str]:
    """Return the ids of the GPUs that runs of one device can share out."""
    if job.training.accelerator not in {"auto", "gpu", "cuda"} or not torch.cuda.is_available():
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",") if visible else [str(k) for k in range(torch.cuda.device_count())]


def summarize(results: Mapping[int, Mapping[str, Any]], metric: str, best: int) -> dict[str, Any]:
    """Return the scores of each seed, and mean and standard deviation (of the sample) of each metric.

    Args:
        results: seed -> content of result.json.
        metric: by which the best model was chosen.
        best: its seed.
    """
    splits = {name: key for name, key in _SPLITS.items() if all(own[key] for own in results.values())}
    return {
        "metric": metric,
        "best": best,
        "runs": [
            {"seed": seed, **{name: own[key].get(metric) for name, key in splits.items()}}
            for seed, own in results.items()
        ],
        **{name: _spread([own[key] for own in results.values()]) for name, key in splits.items()},
    }


def _spread(scores: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    names = [name for name, value in scores[0].items() if isinstance(value, (int, float))]
    columns = {name: [float(own[name]) for own in scores if name in own] for name in names}
    return {
        name: {"mean": statistics.mean(values), "sd": statistics.stdev(values) if len(values) > 1 else 0.0}
        for name, values in columns.items()
    }
