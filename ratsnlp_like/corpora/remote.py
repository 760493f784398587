"""Download of published corpora: the files that a corpus lists in `remote`, or through the package Korpora."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..runtime.download import download

log = logging.getLogger("ratsnlp_like")


@dataclass(frozen=True)
class RemoteFile:
    """A published file of a corpus."""

    path: str
    """Place of the file below the corpus root."""
    url: str
    license: str
    sha256: str | None = None
    """Its published digest, in hexadecimal; None where none is known."""


def drive(file_id: str) -> str:
    """Return the address of a public file of Google Drive."""
    return f"https://drive.usercontent.google.com/download?export=download&confirm=t&id={file_id}"


def fetch_files(files: Sequence[RemoteFile], root: Path) -> None:
    """Download the files of a corpus to their places below `root`; files that exist are kept.

    Raises:
        InputError: a file cannot be downloaded, or its digest differs.
    """
    for file in files:
        path = root / file.path
        if path.exists():
            continue
        log.warning("%s is not in %s; downloading it (%s).", path.name, path.parent, file.license)
        try:
            download(file.url, path, sha256=file.sha256)
        except (InputError, OSError) as error:
            raise InputError(
                f"{path.name} is not on this disk and cannot be downloaded: {error}",
                fix=f"put it into {path.parent}, or give its folder with --corpus_root FOLDER",
            ) from error


def fetch_with_korpora(name: str, root: Path) -> None:
    """Download a corpus through Korpora; it is complete in `root`, or not there.

    Korpora writes straight to the final file and connects to the network even when that exists, so it is
    called only when it does not, and on a folder of its own.

    Raises:
        InputError: the download failed.
    """
    from Korpora import Korpora

    log.warning("%s is not in %s; Korpora downloads it.", name, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as folder:
            Korpora.fetch(name, root_dir=folder)
            for part in Path(folder).iterdir():
                shutil.copytree(part, root / part.name, dirs_exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{name} is not on this disk and cannot be downloaded: {error}",
            fix=f"put its files into {root / name}, or give their folder with --corpus_root FOLDER",
        ) from error
