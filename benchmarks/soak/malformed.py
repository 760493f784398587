"""Corpora that are malformed in a known way: an oracle states which result is right, or that the file is refused."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ratsnlp_like.examples.base import Example

from .mutations import MUTATIONS, Mutated, Mutation
from .report import Report, WrongResultError, memory_folder, until
from .samples import Sample, samples


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Read malformed corpora until the time is over, each mutation as often as the others."""
    logging.getLogger("ratsnlp_like").setLevel(logging.ERROR)
    fitting = {id(mutation): [sample for sample in samples() if mutation.fits(sample)] for mutation in MUTATIONS}
    with tempfile.TemporaryDirectory(prefix="soak-", dir=memory_folder()) as name:
        folder = Path(name)
        right = {id(sample): _without_places(sample.read(sample.content, folder)) for sample in samples()}
        for number, rng in enumerate(until(seconds, at_least, seed)):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            chosen = fitting[id(mutation)]
            sample = chosen[rng.integers(0, len(chosen))]
            _try(report, mutation, sample, right[id(sample)], folder, rng)


def _try(
    report: Report, mutation: Mutation, sample: Sample, right: list[Example], folder: Path, rng: np.random.Generator
) -> None:
    mutated = mutation.apply(sample, right, rng)
    if mutated is None:  # nothing of the kind in this file
        return
    file = mutated.file or sample.file
    with report.trial(f"malformed: {mutation.group}", _describe(file, mutated)):
        found = _without_places(sample.read(mutated.content, folder, file=file))
        if not any(found == expected for expected in mutated.expected):
            raise WrongResultError(f"{mutation.name} in {sample.name}: read as {found}, expected {_expected(mutated)}")
    if not sample.corpus:
        (folder / file).unlink(missing_ok=True)


def _describe(file: str, mutated: Mutated) -> Callable[[], tuple[str, bytes]]:
    return lambda: (Path(file).name, mutated.content)


def _expected(mutated: Mutated) -> str:
    return " or ".join(map(str, mutated.expected)) if mutated.expected else "an error"


def _without_places(examples: list[Example]) -> list[Example]:
    return [replace(example, place=None) for example in examples]
