"""The analysis of a finished run, and its report as an HTML page."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from .. import __version__
from ..analysis.analysis import Analysis
from ..data.encoding import EncodedSplit
from ..data.findings import SplitFindings, overlap
from ..inference.predictor import Predictor
from ..pages.page import run_page
from ..pages.runs import ANALYSIS, REPORT, read_run
from ..pages.texts import Language
from ..runtime.files import write_json, write_text
from ..tasks.forward import can_be_wrong
from .job import Job
from .measure import Measurement

log = logging.getLogger("ratsnlp_like")

_ROWS = 10_000
"""Largest number of rows of a split that are analysed."""
_MISTAKES = 200


def write_report(
    folder: Path,
    job: Job,
    predictor: Predictor,
    measured: Measurement,
    splits: Mapping[str, EncodedSplit | None],
) -> None:
    """Write analysis.json and report.html of a finished run.

    Args:
        folder: of the run, with its results.
        job: what was run.
        predictor: the best model.
        measured: its predictions on the test split, else on the validation split.
        splits: of the corpus, by name.
    """
    write_run_report(folder, lambda: analyse_run(job, predictor, measured, splits))


def write_run_report(folder: Path, analyse: Callable[[], dict[str, Any]] | None = None) -> None:
    """Write report.html of a finished run, and before it analysis.json where a function returns its content.

    A run is complete without its report: a failure is logged, and the command that writes it again.
    """
    try:
        if analyse is not None:
            write_json(folder / ANALYSIS, analyse())
        write_run_page(folder)
    except Exception as error:  # hours of training must not end in a traceback about a page
        log.warning("no report: %s; ratsnlp-like report %s", error, folder)


def write_run_page(*folders: Path, output: Path | None = None, language: Language = "ko") -> Path:
    """Write the page of one or more runs, and return its path.

    Raises:
        InputError: a folder has no finished run.
    """
    page = run_page([read_run(folder) for folder in folders], language=language)
    path = output or folders[0] / REPORT
    write_text(path, page)
    return path


def analyse_run(
    job: Job, predictor: Predictor, measured: Measurement, splits: Mapping[str, EncodedSplit | None]
) -> dict[str, Any]:
    """Return the content of analysis.json; the arguments are those of `write_report`."""
    found: dict[str, Any] = {
        "best_metric": predictor.task.best_metric,
        "chosen": _chosen(job),
        "corpus": _corpus(splits),
        "environment": _environment(predictor),
    }
    if can_be_wrong(predictor.task):
        own, gold = measured.predictions[:_ROWS], measured.examples[:_ROWS]
        found |= Analysis.of(predictor.task, own, gold, predictor.tokenizer).to_dict(_MISTAKES)
    return found


def _corpus(splits: Mapping[str, EncodedSplit | None]) -> dict[str, Any]:
    """Return statistics of the rows that were trained on and evaluated."""
    findings = {name: SplitFindings() for name, split in splits.items() if split is not None}
    limited = False
    for name, own in findings.items():
        split = splits[name]
        assert split is not None
        rows = split.example_rows[split.begins]
        for _ in own.count(islice(split.read.examples(np.sort(rows)), _ROWS)):
            pass
        limited |= len(rows) > _ROWS
    summaries = {name: own.summary() for name, own in findings.items()}
    return {
        "limit": _ROWS if limited else None,
        "splits": summaries,
        "overlap": overlap(findings),
    }


def _chosen(job: Job) -> list[str]:
    """Return the options that have another value than by default."""
    parts: tuple[Any, ...] = (job.reading, job.places, job.data, job.model, job.training, job.task)
    names = [f.name for part in parts for f in fields(part) if getattr(part, f.name) != _default(f)]
    return [*names, *(f"{name}_column" for name in job.columns)]


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _environment(predictor: Predictor) -> dict[str, str]:
    device = getattr(predictor.model, "device", torch.device("cpu"))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU ({torch.get_num_threads()})"
    return {
        "ratsnlp_like": __version__,
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "Lightning": version("pytorch-lightning"),
        "device": name,
        "platform": platform.system(),
    }
