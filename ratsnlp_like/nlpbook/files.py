"""The book's downloads: corpora and models by name, files by their address."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, did_you_mean
from ..runtime.download import download

log = logging.getLogger("ratsnlp")

_DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="


@dataclass(frozen=True)
class Remote:
    """A file that can be had."""

    name: str
    url: str
    sha256: str | None = None
    """As the hub's `datasets` has published it, where it has."""


CORPORA: Mapping[str, tuple[Remote, ...]] = {
    "nsmc": (
        Remote(
            "ratings_train.txt",
            "https://raw.githubusercontent.com/e9t/nsmc/master/ratings_train.txt",
            "e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940",
        ),
        Remote(
            "ratings_test.txt",
            "https://raw.githubusercontent.com/e9t/nsmc/master/ratings_test.txt",
            "8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda",
        ),
    ),
    "korquad-v1": (
        Remote(
            "KorQuAD_v1.0_train.json",
            "https://korquad.github.io/dataset/KorQuAD_v1.0_train.json",
            "40d5115879a701751781df721d901abfa736d8db5f89000f2619433f39bf2dd2",
        ),
        Remote(
            "KorQuAD_v1.0_dev.json",
            "https://korquad.github.io/dataset/KorQuAD_v1.0_dev.json",
            "25ffeb51e6c51ec02c071b60a10188e10005c144110f0d876b26079d80a35bdf",
        ),
    ),
    "klue-nli": (
        Remote("klue_nli_train.json", _DRIVE + "18LhrHaPEW0VITMPfnwKXJ6bNuklBdi4U"),
        Remote("klue_nli_dev.json", _DRIVE + "1UKIDAFOFuDSah7A66FZXSA8XUWUHhBAd"),
    ),
    "ner": (
        Remote("train.txt", _DRIVE + "1RP764owqs1kZeHcjFnCX7zXt2EcjGY1i"),
        Remote("val.txt", _DRIVE + "1bEPNWT5952rD3xjg0LfJBy3hLHry3yUL"),
    ),
}
HUB_IDS = {"kogpt2": "skt/kogpt2-base-v2", "kcbert-base": "beomi/kcbert-base", "kcbert-large": "beomi/kcbert-large"}
"""Short names of the book."""


def download_downstream_dataset(args: Any) -> None:
    """Bring a corpus to `args.downstream_corpus_root_dir`; what is there stays, without `args.force_download`.

    Raises:
        InputError: no corpus of that name is known, or it cannot be had.
    """
    name = str(args.downstream_corpus_name).lower()
    if name not in CORPORA:
        raise InputError(
            f"no corpus {name!r} to download", place="downstream_corpus_name", fix=did_you_mean(name, CORPORA)
        )
    folder = Path(args.downstream_corpus_root_dir).expanduser() / args.downstream_corpus_name
    for remote in CORPORA[name]:
        download(remote.url, folder / remote.name, sha256=remote.sha256, force=args.force_download)


def download_pretrained_model(args: Any, config_only: bool = False) -> str:
    """Bring a model of the Hugging Face hub to this disk; a folder is taken as it is.

    Args:
        args: `pretrained_model_name`, and `force_download`.
        config_only: its configuration alone.

    Returns:
        Its folder.

    Raises:
        InputError: it cannot be had.
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
            f"cannot be had from the hub: {reason}", place=name, fix="check the name and the network"
        ) from error


def get_valid_path(cache_dir: str | Path, save_fname: str, make_dir: bool = True) -> str:
    """The path of a file in a folder, which is made unless told otherwise."""
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
    """Fetch a file; see `download.download`. Returns its path."""
    path = Path(get_valid_path(cache_dir, save_fname))
    return str(download(url, path, proxies=proxies, timeout=etag_timeout, force=force_download))


def google_download(
    file_id: str, save_fname: str, cache_dir: str | Path = "~/cache", force_download: bool = False
) -> str:
    """Fetch a file of Google Drive that is open to all. Returns its path."""
    return web_download(_DRIVE + file_id, save_fname, cache_dir, force_download=force_download)
