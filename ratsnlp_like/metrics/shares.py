"""Metrics: pure functions on strings and spans that return plain dicts, ready for JSON.

All scores are shares, 0..1 (published tables print them times 100). Wherever a share has nothing to
divide by, it is 0.0, scikit-learn's `zero_division=0`; so are empty input, and texts with neither gold
nor predicted entities. `klue_char_f1` alone has 1.0 there, as in the official scorer. Nothing is ever
NaN and nothing warns. Names outside `labels` are not classes of their own, yet they do count as errors:
an unknown gold class is a miss.

scikit-learn and seqeval are imported where they are used: importing this module costs nothing.
"""

from __future__ import annotations

from collections.abc import Sized


def check_lengths(**sequences: Sized) -> None:
    """Check that all sequences have one item per text.

    Raises:
        ValueError: their lengths differ.
    """
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1:
        stated = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"the lengths differ: {stated}; expected one item of each per text")


def share(part: float, whole: float) -> float:
    """Return part / whole, 0.0 where `whole` is 0."""
    return part / whole if whole else 0.0


def precision_recall_f1(hits: int, predicted: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 = 2 * hits / (predicted + gold), the harmonic mean of the two."""
    return {
        "precision": share(hits, predicted),
        "recall": share(hits, gold),
        "f1": share(2 * hits, predicted + gold),
    }
