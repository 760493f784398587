"""Explanation of the entities of a text: the choice of the type of each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..text.spans import context
from .abilities import SupportsExplanation
from .entity_predictions import EntityPrediction
from .token_classifier import TokenInputFeatures

if TYPE_CHECKING:
    from ..runtime.types import Tensor


class ExplainedEntities(SupportsExplanation[EntityPrediction]):
    """Explains each entity in the window that has most context around it."""

    @abstractmethod
    def bio_classes(self, labels: Sequence[str]) -> list[str]:
        """Return the names of the first outputs of the model: O, then B- and I- of each type."""

    def explained_decisions(self, prediction: EntityPrediction) -> Sequence[EntityPrediction]:
        return [replace(prediction, entities=(entity,)) for entity in prediction.entities]

    def explained_windows(
        self, prediction: EntityPrediction, windows: Sequence[TokenInputFeatures]
    ) -> Sequence[TokenInputFeatures]:
        length = max(window["first"] + len(window["starts"]) for window in windows)

        def seen(window: TokenInputFeatures) -> tuple[int, int]:
            own, first = _tokens(prediction, window), window["first"]
            whole = first, first + len(window["starts"])
            return len(own), context(first + own[0], whole, length) if own else -1

        return [max(windows, key=seen)]

    def explained_output(
        self, outputs: Any, prediction: EntityPrediction, labels: Sequence[str], window: TokenInputFeatures
    ) -> Tensor:
        """Return the log-odds of the type against the other types and none, mean over the tokens of the entity."""
        classes = self.bio_classes(labels)
        (entity,) = prediction.entities
        own = [k for k, name in enumerate(classes) if name in {f"B-{entity.label}", f"I-{entity.label}"}]
        others = [k for k in range(len(classes)) if k not in own]
        tokens = [window["lead"] + k for k in _tokens(prediction, window)]
        logits = outputs.logits[:, tokens].float()
        odds: Tensor = (logits[..., own].logsumexp(2) - logits[..., others].logsumexp(2)).mean(1)
        return odds

    def explained_target(self, prediction: EntityPrediction) -> str:
        (entity,) = prediction.entities
        return f"{entity.text} ({entity.label})"


def _tokens(prediction: EntityPrediction, window: TokenInputFeatures) -> list[int]:
    """Return which tokens of a window show a part of the entity."""
    (entity,) = prediction.entities
    offsets = zip(window["starts"], window["ends"], strict=True)
    return [k for k, (start, end) in enumerate(offsets) if start < end and start < entity.end and entity.start < end]
