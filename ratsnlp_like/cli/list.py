"""`ratsnlp-like list`: the registered corpora, tasks, checkpoints and formats."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import InputError, did_you_mean


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like list`."""
    from ..checkpoints.base import bundled, describe_bundled
    from ..corpora.formats import FORMATS
    from ..registry import CHECKPOINTS, CORPORA, TASKS

    kinds: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "corpora": lambda: [(name, f"[{corpus.task}] {corpus.description}") for name, corpus in CORPORA.items()],
        "tasks": lambda: [(name, task.description) for name, task in TASKS.items()],
        "checkpoints": lambda: [
            *((name, "bundled: " + describe_bundled(name)) for name in bundled()),
            *((name, entry.description) for name, entry in CHECKPOINTS.items()),
        ],
        "formats": lambda: [(name, entry.description) for name, entry in FORMATS.items()],
    }
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    if not wanted:
        print("usage: ratsnlp-like list " + "|".join(kinds))
        if not arguments:
            raise InputError("missing: what to list", fix="ratsnlp-like list corpora")
        return
    if wanted[0] not in kinds:
        raise InputError(f"cannot list {wanted[0]!r}", fix=did_you_mean(wanted[0], kinds))
    entries = kinds[wanted[0]]()
    width = max((len(name) for name, _ in entries), default=0)
    for name, description in entries:
        print(f"{name:{width}}  {description}")
    if wanted[0] == "corpora":
        print(f"{'FILE':{width}}  a file (formats: ratsnlp-like list formats)")
        print(f"{'OWNER/NAME':{width}}  a data set of the Hugging Face Hub")
    if wanted[0] == "checkpoints":
        print(f"{'OWNER/NAME':{width}}  a checkpoint of the Hugging Face Hub, or a folder")
