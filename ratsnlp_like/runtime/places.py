"""Default folders of corpora and of the cache."""

from __future__ import annotations

import os
from pathlib import Path


def default_root() -> Path:
    """Return the folder of registered corpora: $RATSNLP_LIKE_CORPORA, else ~/Korpora (that of Korpora)."""
    return Path(os.environ.get("RATSNLP_LIKE_CORPORA") or "~/Korpora").expanduser()


def default_cache() -> Path:
    """Return the folder of encoded corpora: $RATSNLP_LIKE_CACHE, else ~/.cache/ratsnlp_like."""
    return Path(os.environ.get("RATSNLP_LIKE_CACHE") or "~/.cache/ratsnlp_like").expanduser()
