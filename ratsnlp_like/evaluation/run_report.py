"""`report`: the HTML page of one or more finished runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from ..data.encoding import EncodedSplit
from ..errors import InputError
from ..pages.runs import ANALYSIS, REPORT, read_run
from ..pages.texts import Language
from ..runtime.files import make_folder, write_json
from ..training.measure import Measurement
from ..training.run_report import analyse_run, write_run_page
from .evaluate import Evaluation, EvaluationSet, job_of_run

log = logging.getLogger("ratsnlp_like")


def report(*runs: str | Path, output: str | Path | None = None, language: Language = "ko") -> Path:
    """Write a report of one run, or of several with their comparison, as one HTML file that needs no network.

    A run from before reports is evaluated again, for its mistakes.

    Args:
        runs: run folders.
        output: the file; by default report.html in the folder of the run, or here for several runs.
        language: `ko` or `en`.

    Returns:
        Path of the page.

    Raises:
        InputError: a folder has no finished run, or the file cannot be written.
    """
    if not runs:
        raise InputError("no run", fix="ratsnlp-like report RUN")
    if language not in ("ko", "en"):
        raise InputError(f"{language!r}", place="--language", expected="ko or en")
    folders = [Path(run).expanduser() for run in runs]
    path = Path(output) if output else Path(REPORT) if len(runs) > 1 else folders[0] / REPORT
    if path.is_dir():
        raise InputError("is a folder", place=path, expected="a file", fix=f"--output {path / REPORT}")
    make_folder(path.parent, fix="another --output")
    for folder in folders:
        run = read_run(folder)
        if not run.analysis:
            log.info("%s: no analysis yet; the model is evaluated.", folder)
            write_json(run.of_seed / ANALYSIS, _analysis(folder))
    return write_run_page(*folders, output=path, language=language)


def _analysis(folder: Path) -> dict[str, object]:
    """Return the analysis of a run that has none."""
    done = Evaluation.of(folder, progress=False)
    measured = Measurement(done.scores, done.predictions, done.examples)
    return analyse_run(job_of_run(folder), done.predictor, measured, _splits(folder, done))


def _splits(folder: Path, done: Evaluation) -> Mapping[str, EncodedSplit | None]:
    """Return the splits that the run has."""
    splits: dict[str, EncodedSplit | None] = {}
    for name in ("train", "validation", "test"):
        try:
            splits[name] = EvaluationSet.of_run(done.predictor, folder, name, {}).split
        except InputError:  # the run has no such split
            continue
    return splits
