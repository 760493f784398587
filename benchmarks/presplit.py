"""Texts whose particles were split off by a morphological analyser: a candidate beside the heads of the package.

kiwipiepy finds particles and forms of the copula, and a space is inserted before each of them. A model is then trained
and used on such texts, with token edges, and its spans are moved back to the original. The ids of the checkpoint's
pretraining, which saw no such spaces, are lost with it, and every text has to be analysed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ratsnlp_like.examples.edited import Edit, EditedText

_SPLIT_OFF = ("J", "VCP")
"""Tags of particles and of the copula."""


@cache
def _analyser() -> Any:
    from kiwipiepy import Kiwi  # type: ignore[import-not-found]  # an optional package of this benchmark only

    return Kiwi(num_workers=1)


def with_particles_apart(text: str) -> EditedText:
    """Return a text with a space before each particle."""
    return EditedText.of(text, [Edit(at, at, " ") for at in _borders(text)])


def _borders(text: str) -> Iterator[int]:
    reached = 0
    for token in _analyser().tokenize(text):
        inside = reached < token.start < len(text) and not (text[token.start - 1 : token.start + 1]).count(" ")
        if inside and token.tag.startswith(_SPLIT_OFF):
            reached = token.start
            yield token.start


def moved_back(predictions: Sequence[Any], texts: Sequence[str]) -> list[Any]:
    """Return predictions on split texts as predictions on the original texts.

    Args:
        predictions: entities or answers.
        texts: the original ones.
    """
    out = []
    for prediction, text in zip(predictions, texts, strict=True):
        inserted = [edit.start + k for k, edit in enumerate(with_particles_apart(text).edits)]
        if hasattr(prediction, "entities"):
            entities = tuple(_span(entity, inserted, text) for entity in prediction.entities)
            out.append(replace(prediction, entities=entities))
        else:
            out.append(_span(prediction, inserted, text))
    return out


def _span(found: Any, inserted: Sequence[int], text: str) -> Any:
    """Return an entity or an answer without the inserted spaces, whose places in the split text are given."""
    if not found.text:  # no answer
        return found
    start, end = (place - sum(at < place for at in inserted) for place in (found.start, found.end))
    return replace(found, text=text[start:end], start=start, end=end)
