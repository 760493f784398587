"""The folder of a run: its configuration, its results, and the checks before it is written to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from ..arguments import RESUMABLE
from ..errors import InputError
from ..pages.runs import ANALYSIS, REPORT
from ..runtime.files import delete, make_folder, recover, write_json, write_text
from .run_files import (
    CONFIG,
    FOUND,
    RESULT,
    RESUME_FILE,
    SPLITS,
    read_config,
    read_found,
    read_result,
    read_splits,
)

log = logging.getLogger("ratsnlp_like")

_KEPT = (CONFIG, RESULT, RESUME_FILE, "best", "last")
"""Files and folders of a run that another process may have changed since the check."""
Stamp = tuple[tuple[str, int, int], ...]


class Interrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or SIGTERM; the message names the command that continues it."""


_CONTENT = "best", "last", "logs", RESUME_FILE, RESULT, FOUND, SPLITS, ANALYSIS, REPORT


_OF_NO_RUN = frozenset({".lock", f"{CONFIG}.partial"})
"""What a process leaves that is killed before it has written the configuration."""


@dataclass(frozen=True)
class Run:
    """A run folder and the configuration of the run.

    Layout: config.yaml, splits.json (labels, and the rows of each split), best/ and last/ (model folders), logs/,
    resume.ckpt (of an unfinished run), result.json, analysis.json and report.html (of a finished run). A run with
    several seeds has a run folder for each, seed-N/, and best/ is a copy of the best one of them.
    """

    folder: Path
    config: dict[str, Any]

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Check that the run does not overwrite another one.

        Raises:
            InputError: the folder has other content, or a run that would be lost.
        """
        if self.folder.is_file():
            raise InputError("is a file", place=self.folder, expected="a folder for the run", fix="another --output")
        before = self._before()
        if before is None:
            if resume:
                log.info("%s: no run to resume; a new one begins.", self.folder)
            inside = ", ".join(sorted(p.name for p in self.folder.glob("*") if p.name not in _OF_NO_RUN)[:6])
            if not overwrite and inside:
                raise InputError(
                    f"the folder is not empty ({inside}) and not a run of this package",
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
            listed = "\n".join(f"    {key}: {old!r} before, {new!r} now" for key, (old, new) in differing.items())
            raise InputError(
                f"the folder has a run with another configuration:\n{listed}",
                place=self.folder,
                fix="another --output, or --overwrite to delete that run",
            )
        if resume and not (self.folder / RESUME_FILE).exists() and not self.is_finished:
            log.info("%s: no state was saved; training begins at the first step.", self.folder)
        if not resume and (self.folder / RESULT).exists():
            log.info("%s: the same configuration as before; it is trained again.", self.folder)
        begun = any((self.folder / name).exists() for name in (RESUME_FILE, "best", "last"))
        begun = begun or any(self.folder.glob("seed-*"))
        if not resume and begun and not self.is_finished:
            raise InputError(
                "the folder has an unfinished run",
                place=self.folder,
                fix="--resume to continue it, or --overwrite to delete it",
            )

    def stamp(self) -> Stamp:
        """Return the state of the folder, which changes when another process trains into it; see `locked`."""
        for name in ("best", "last"):
            recover(self.folder / name)
        found = []
        for name in _KEPT:
            with suppress(OSError):
                stat = (self.folder / name).lstat()
                found.append((name, stat.st_ino, stat.st_mtime_ns))
        return tuple(found)

    def check_state(self) -> None:
        """Check that a resumed run that is finished has the state to continue from.

        Raises:
            InputError: the state was not kept.
        """
        if self.is_finished and not (self.folder / RESUME_FILE).exists():
            raise InputError(
                "the run is finished, and its state was not kept to continue it with more epochs or steps",
                place=self.folder,
                fix="--overwrite to train again; --keep_state true keeps the state of a finished run",
            )

    @property
    def is_complete(self) -> bool:
        """True if the run is finished, has no state, and nothing is to be continued: its results are final."""
        before = self._before() or {}
        same = all(before.get(name) == self.config.get(name) for name in ("epochs", "max_steps", "seeds"))
        return self.is_finished and same and not (self.folder / RESUME_FILE).exists()

    @property
    def is_finished(self) -> bool:
        """True if the run has results."""
        return (self.folder / RESULT).exists()

    def result(self) -> dict[str, Any]:
        """Return the content of result.json.

        Raises:
            InputError: it is damaged, or the best model is missing.
        """
        if not (self.folder / "best" / "task.json").is_file():
            raise InputError(
                "the run is finished, but its best model is missing",
                place=self.folder / "best",
                fix="restore the folder, or --overwrite to train again",
            )
        return read_result(self.folder / RESULT)

    def check_data(self, description: Mapping[str, Any]) -> None:
        """Check that a resumed run has the labels and the data that it began with.

        Args:
            description: see `TaskDataModule.description`.

        Raises:
            InputError: a label or a corpus has changed.
        """
        path = self.folder / SPLITS
        if not path.exists():
            return
        before = read_splits(path)
        changed = []
        if before["labels"] != description["labels"]:
            changed.append(f"    labels: {before['labels']} before, {description['labels']} now")
        for name in dict.fromkeys([*before["splits"], *description["splits"]]):
            old, new = (content["splits"].get(name, {}).get("fingerprint") for content in (before, description))
            if old != new:
                changed.append(f"    {name}: " + ("other content" if old and new else "added" if new else "missing"))
        if changed:
            raise InputError(
                "the data are not those that the run began with:\n" + "\n".join(changed),
                place=self.folder,
                fix="restore the corpus, or train with another --output",
            )

    def _before(self) -> dict[str, Any] | None:
        path = self.folder / CONFIG
        return read_config(path) if path.exists() else None

    @contextmanager
    def locked(self, checked: Stamp) -> Iterator[None]:
        """Lock the folder against other processes that train into it; a killed process leaves no lock.

        Args:
            checked: `stamp` of the folder before it was checked.

        Raises:
            InputError: another process has the lock, or had it since the check.
        """
        make_folder(self.folder, fix="another --output")
        try:
            with FileLock(self.folder / ".lock", timeout=0):
                if self.stamp() != checked:
                    raise InputError(
                        "another process has trained into this folder since this one began; nothing was changed",
                        place=self.folder,
                        fix="another --output, or repeat the command",
                    )
                yield
        except Timeout:
            raise InputError(
                "another process is training into this folder",
                place=self.folder,
                fix="wait for it, or another --output",
            ) from None

    def found(self, *, resume: bool) -> dict[str, Any]:
        """Return the values found for `auto` options by the run that is resumed."""
        path = self.folder / FOUND
        return dict(read_found(path)) if resume and path.exists() else {}

    def begin(self, *, resume: bool, found: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """Delete an old run unless it is resumed, and write the configuration and the values found for `auto`."""
        if not resume:
            self.clear()
        self.write_config()
        write_text(self.folder / SPLITS, json.dumps(data, ensure_ascii=False))
        if found:
            write_json(self.folder / FOUND, found)

    def clear(self) -> None:
        """Delete an old run."""
        for path in [*(self.folder / name for name in _CONTENT), *self.folder.glob("seed-*")]:
            delete(path)

    def write_config(self) -> None:
        """Write the configuration; the run counts as unfinished from here on."""
        write_text(self.folder / CONFIG, yaml.safe_dump(self.config, allow_unicode=True, sort_keys=False))
        (self.folder / RESULT).unlink(missing_ok=True)

    def end(self, result: Mapping[str, Any], *, keep_state: bool) -> None:
        """Write result.json, which marks the run as finished, and delete the state unless it is kept."""
        write_json(self.folder / RESULT, result)
        if not keep_state:
            (self.folder / RESUME_FILE).unlink(missing_ok=True)
