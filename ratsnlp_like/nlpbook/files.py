"""Downloads under the names of the book: corpora, models, files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..corpora.remote import drive
from ..errors import InputError, did_you_mean
from ..registry import CORPORA
from ..runtime.download import download

log = logging.getLogger("ratsnlp")

CORPUS_NAMES = {"ner": "ner-book"}
"""Corpora that have another name in this package."""
HUB_IDS = {"kogpt2": "skt/kogpt2-base-v2", "kcbert-base": "beomi/kcbert-base", "kcbert-large": "beomi/kcbert-large"}
"""Short names of checkpoints in the book."""


def download_downstream_dataset(args: Any) -> None:
    """Download a corpus to `args.downstream_corpus_root_dir`; existing files are kept, unless `args.force_download`.

    Raises:
        InputError: no corpus of that name has a known address, or a download failed.
    """
    name = str(args.downstream_corpus_name).lower()
    known = {_book_name(own): corpus.remote for own, corpus in CORPORA.items() if corpus.remote}
    if name not in known:
        raise InputError(
            f"no corpus {name!r} to download", place="downstream_corpus_name", fix=did_you_mean(name, known)
        )
    folder = Path(args.downstream_corpus_root_dir).expanduser() / args.downstream_corpus_name
    for remote in known[name]:
        download(remote.url, folder / Path(remote.path).name, sha256=remote.sha256, force=args.force_download)


def _book_name(name: str) -> str:
    return next((book for book, own in CORPUS_NAMES.items() if own == name), name)


def download_pretrained_model(args: Any, config_only: bool = False) -> str:
    """Download a model of the Hugging Face hub; a folder is returned as it is.

    Args:
        args: `pretrained_model_name`, and `force_download`.
        config_only: its configuration alone.

    Returns:
        Its folder.

    Raises:
        InputError: the download failed.
    """
    from huggingface_hub import snapshot_download

    name = args.pretrained_model_name
    if Path(name).is_dir():
        return str(name)
    try:
        return str(
            snapshot_download(
                HUB_IDS.get(name.lower(), name),
                allow_patterns=["config.json"] if config_only else None,
                force_download=args.force_download,
            )
        )
    except (OSError, ValueError) as error:  # the hub's errors derive from these
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"cannot be downloaded from the hub: {reason}", place=name, fix="check the name and the network"
        ) from error


def get_valid_path(cache_dir: str | Path, save_fname: str, make_dir: bool = True) -> str:
    """Return the path of a file in a folder, which is made unless `make_dir` is False."""
    folder = Path(cache_dir).expanduser().absolute()
    if make_dir:
        folder.mkdir(parents=True, exist_ok=True)
    return str(folder / save_fname)


def web_download(
    url: str,
    save_fname: str,
    cache_dir: str | Path = "~/cache",
    proxies: Mapping[str, str] | None = None,
    etag_timeout: float = 10,
    force_download: bool = False,
) -> str:
    """Download a file as `runtime.download` does, and return its path."""
    path = Path(get_valid_path(cache_dir, save_fname))
    return str(download(url, path, proxies=proxies, timeout=etag_timeout, force=force_download))


def google_download(
    file_id: str, save_fname: str, cache_dir: str | Path = "~/cache", force_download: bool = False
) -> str:
    """Download a public file of Google Drive, and return its path."""
    return web_download(drive(file_id), save_fname, cache_dir, force_download=force_download)
