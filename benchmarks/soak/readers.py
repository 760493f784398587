"""Random damage to files of every format: what a reader returns is consistent, what it raises is an InputError."""

from __future__ import annotations

import gzip
import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.question import QuestionExample

from .damage import damaged, damaged_value, dumped
from .report import Report, WrongResultError, memory_folder, until
from .samples import Sample, samples

_TEXT_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".conll", ".ann", ".gz", ".parquet", ".xlsx", "")


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Read damaged files until the time is over."""
    logging.getLogger("ratsnlp_like").setLevel(logging.ERROR)
    chosen = samples()
    with tempfile.TemporaryDirectory(prefix="soak-", dir=memory_folder()) as name:
        folder = Path(name)
        for rng in until(seconds, at_least, seed):
            sample = chosen[rng.integers(0, len(chosen))]
            kind, content = _damage(sample, rng)
            file = sample.file
            if rng.integers(0, 12) == 0:  # under the suffix of another format
                file = f"b{_TEXT_SUFFIXES[rng.integers(0, len(_TEXT_SUFFIXES))]}"
            with report.trial(f"fuzzed {kind}", lambda: (Path(file).name, content)):  # noqa: B023
                check_consistent(sample.read(content, folder, file=file))
            if not sample.corpus:
                (folder / file).unlink(missing_ok=True)


def _damage(sample: Sample, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return the kind of damage, and the damaged file."""
    if sample.file.endswith((".json", ".jsonl")) and rng.integers(0, 3):
        lines = sample.file.endswith(".jsonl")
        text = sample.content.decode()
        value: Any = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
        return "JSON values", dumped(damaged_value(value, rng), rng, lines=lines)
    if not sample.is_text:
        return "binary files", damaged(sample.content, rng)
    content = damaged(sample.content, rng)
    if rng.integers(0, 30) == 0:
        return "gzip", damaged(gzip.compress(content, mtime=0), rng)
    return "text files", content


def check_consistent(examples: list[Example]) -> None:
    """Check what holds for every example, however damaged its file is.

    Raises:
        WrongResultError: an entity or an answer is not in its text, or the cache would return another example.
    """
    for example in examples:
        if example != type(example).from_json(example.to_json()):
            raise WrongResultError(f"differs after the cache: {example}")
        if isinstance(example, EntityExample):
            for start, end, label in example.entities or ():
                if not (0 <= start < end <= len(example.text) and label.strip()):
                    raise WrongResultError(f"an entity outside its text: {example}")
        if isinstance(example, QuestionExample):
            for answer in example.answers or ():
                if example.context[answer.start : answer.start + len(answer.text)] != answer.text:
                    raise WrongResultError(f"an answer that is not in its context: {example}")
