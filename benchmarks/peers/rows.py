"""The reviews that all contestants get, in one plain form: TSV with a heading, no quoting."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path


def read(path: str | Path) -> tuple[list[str], list[int]]:
    """Texts and labels (0 or 1)."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()[1:]
    pairs = [line.rsplit("\t", 1) for line in lines]
    return [text for text, _ in pairs], [int(label) for _, label in pairs]


def choose(file: Path, number: int, *, seed: int = 7) -> list[tuple[str, str]]:
    """So many reviews of a file of NSMC, at random; those without text are left out (not all peers take them)."""
    found = []
    for line in file.read_text(encoding="utf-8").split("\n")[1:]:
        cells = line.split("\t")
        text = " ".join(cells[1].split()) if len(cells) == 3 else ""
        if text:
            found.append((text, cells[2].strip()))
    return random.Random(seed).sample(found, min(number, len(found)))


def save(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    """Write what `read` reads."""
    lines = ["text\tlabel", *(f"{text}\t{label}" for text, label in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def head(path: str | Path, target: Path, *, rows: int = 64) -> Path:
    """Copy the first rows, and read no more than these."""
    with Path(path).open(encoding="utf-8") as lines:
        target.write_text("".join(islice(lines, rows + 1)), encoding="utf-8")
    return target
