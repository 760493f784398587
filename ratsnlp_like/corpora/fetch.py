"""Corpora that the package Korpora can download."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

from ..errors import InputError

log = logging.getLogger("ratsnlp_like")


def fetch_with_korpora(korpora_name: str, root: Path) -> None:
    """Let Korpora download a corpus; it lands in `root` whole or not at all.

    Korpora writes straight to the final file and asks the network even when that is there, so it is
    called only when it is not, and on a folder of its own.

    Raises:
        InputError: the download failed.
    """
    from Korpora import Korpora

    log.warning("%s is not in %s; Korpora downloads it.", korpora_name, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as folder:
            Korpora.fetch(korpora_name, root_dir=folder)
            for part in Path(folder).iterdir():
                shutil.copytree(part, root / part.name, dirs_exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{korpora_name} is not on this disk and cannot be downloaded: {error}",
            fix=f"put its files into {root / korpora_name}, or say where they are with --corpus_root FOLDER",
        ) from error
