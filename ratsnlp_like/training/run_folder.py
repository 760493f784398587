"""training.run_folder."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock, Timeout

from ..arguments import RESUMABLE
from ..errors import InputError
from ..runtime.files import write_json, write_text
from .callbacks.checkpoint import CHECKPOINT

if TYPE_CHECKING:
    from .finetune import FineTuneResult

log = logging.getLogger("ratsnlp_like")

CONFIG, RESULT, FOUND = "config.yaml", "result.json", "found.json"


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
        write_text(self.folder / CONFIG, yaml.safe_dump(self.config, allow_unicode=True, sort_keys=False))
        if found:
            write_json(self.folder / FOUND, found)
        (self.folder / RESULT).unlink(missing_ok=True)

    def end(self, result: FineTuneResult) -> None:
        """Write result.json: the run is finished."""
        write_json(self.folder / RESULT, result.to_dict())
