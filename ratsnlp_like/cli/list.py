"""`ratsnlp-like list`: the registered corpora, tasks, checkpoints and formats, and the runs in a folder."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import InputError, did_you_mean


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like list`."""
    from ..checkpoints.base import bundled, describe_bundled
    from ..corpora.formats import FORMATS
    from ..registry import CHECKPOINTS, CORPORA, METRICS, TASKS

    kinds: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "corpora": lambda: [(name, f"[{corpus.task}] {corpus.description}") for name, corpus in CORPORA.items()],
        "tasks": lambda: [
            (name, f"{task.description} (best model: validation/{task.best_metric})") for name, task in TASKS.items()
        ],
        "checkpoints": lambda: [
            *((name, "bundled: " + describe_bundled(name)) for name in bundled()),
            *((name, entry.summary()) for name, entry in CHECKPOINTS.items()),
        ],
        "metrics": lambda: [(name, _first_line(metric)) for name, metric in METRICS.items()],
        "formats": lambda: [(name, entry.description) for name, entry in FORMATS.items()],
    }
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    if not wanted:
        print("usage: ratsnlp-like list " + "|".join(kinds) + "|runs [FOLDER]")
        if not arguments:
            raise InputError("missing: what to list", fix="ratsnlp-like list corpora")
        return
    if wanted[0] == "runs":
        _list_runs(*wanted[1:2])
        return
    if wanted[0] not in kinds:
        raise InputError(f"cannot list {wanted[0]!r}", fix=did_you_mean(wanted[0], [*kinds, "runs"]))
    entries = kinds[wanted[0]]()
    width = max((len(name) for name, _ in entries), default=0)
    for name, description in entries:
        print(f"{name:{width}}  {description}")
    if wanted[0] == "corpora":
        print(f"{'FILE':{width}}  a file (formats: ratsnlp-like list formats)")
        print(f"{'OWNER/NAME':{width}}  a data set of the Hugging Face Hub")
    if wanted[0] == "checkpoints":
        print(f"{'OWNER/NAME':{width}}  a checkpoint of the Hugging Face Hub (OWNER/NAME@REVISION), or a folder")
        print("?: from the model card; not compared with the files of the checkpoint")


def _first_line(entry: object) -> str:
    """Return the first line of a docstring."""
    return (entry.__doc__ or "").strip().partition("\n")[0].removeprefix("Return ")


def _list_runs(folder: str = "runs") -> None:
    """Print a row for each run in a folder."""
    from rich.cells import cell_len

    from ..evaluation.runs import find_runs

    rows = [("run", "task", "corpus", "checkpoint", "score", "95% interval", "time", "finished")]
    for run in find_runs(folder):
        low_high = f"{run.interval[0]:.4f} to {run.interval[1]:.4f}" if run.interval else ""
        score = "unfinished" if run.finished is None else ""
        if run.score is not None:
            score = f"{run.split} {run.metric} {run.score:.4f}"
        time = "" if run.seconds is None else f"{run.seconds:,.0f} s"
        finished = (run.finished or "").replace("T", " ")
        rows.append((run.folder, run.task, run.corpus, run.checkpoint, score, low_high, time, finished))
    if len(rows) == 1:
        print(f"no run in {folder}")
        return
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]  # a Hangul syllable is two cells wide
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
