"""inference.model_folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..checkpoints.base import BUNDLED, bundled
from ..errors import InputError
from ..registry import TASKS
from ..runtime.files import recover
from ..tasks.base import Task

FORMAT_VERSION = 1
"""Of task.json; raised when an older version of this package could not read it."""


def find_model(folder: str | Path) -> Path:
    """The model folder itself, or `best/` (else `last/`) of a run folder; a bundled checkpoint has a name too.

    Raises:
        InputError: there is none.
    """
    folder = BUNDLED / folder if str(folder) in bundled() else Path(folder).expanduser()
    for candidate in (folder, folder / "best", folder / "last"):
        recover(candidate)
        if (candidate / "task.json").exists():
            return candidate
    if not folder.exists():
        raise InputError("no such folder", place=folder, fix="give the folder that `train --output` wrote")
    raise InputError(
        f"the folder holds no model (it holds {', '.join(sorted(p.name for p in folder.iterdir())[:8]) or 'nothing'})",
        place=folder,
        expected="a run folder with best/, or a model folder with task.json",
        fix="train first: ratsnlp-like train --output " + str(folder),
    )


def describe_model(folder: str | Path | None) -> tuple[type[Task[Any, Any]] | None, dict[str, Any]]:
    """The kind of a saved model's task and the values of its fields; nothing where no folder is named."""
    if folder is None:
        return None, {}
    described = read_task_file(find_model(folder))
    return TASKS[described["task"]], described["fields"]


def read_task_file(path: Path) -> dict[str, Any]:
    """task.json, checked.

    Raises:
        InputError: it is broken, or of a later version.
    """
    try:
        content = json.loads((path / "task.json").read_text(encoding="utf-8"))
        version = content["format_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"cannot be read ({error!r})", place=path / "task.json", fix="train again, or copy it anew"
        ) from None
    if version > FORMAT_VERSION:
        raise InputError(
            f"was written by a later version (format {version}, this one reads {FORMAT_VERSION})",
            place=path / "task.json",
            fix="pip install -U ratsnlp_like",
        )
    return dict(content)
