"""Explanation of an answer to a question: the choice of its first and of its last token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .abilities import SupportsExplanation
from .answers import NO_ANSWER, AnswerPrediction, ContextFeatures

if TYPE_CHECKING:
    from ..runtime.types import Tensor


class ExplainedAnswers(SupportsExplanation[AnswerPrediction]):
    """Explains an answer in the windows that hold it, and the lack of one in all windows."""

    def explained_windows(
        self, prediction: AnswerPrediction, windows: Sequence[ContextFeatures]
    ) -> Sequence[ContextFeatures]:
        return [window for window in windows if _tokens(prediction, window) is not None]

    def explained_output(
        self, outputs: Any, prediction: AnswerPrediction, labels: Sequence[str], window: ContextFeatures
    ) -> Tensor:
        """Return the log-odds of the first token, plus those of the last token, against the others of the window."""
        if "start_logits" in outputs:
            sides = outputs.start_logits.float(), outputs.end_logits.float()
        else:
            sides = outputs.logits[:, :, 0].float(), outputs.logits[:, :, 1].float()
        first, last = _tokens(prediction, window) or NO_ANSWER
        return _log_odds(sides[0], first) + _log_odds(sides[1], last)

    def explained_target(self, prediction: AnswerPrediction) -> str:
        return prediction.text or "(no answer)"


def _tokens(prediction: AnswerPrediction, window: ContextFeatures) -> tuple[int, int] | None:
    """Return the positions of the first and the last token of an answer; None where the window does not hold it."""
    if prediction.start == prediction.end:
        return NO_ANSWER
    offsets = list(zip(window["starts"], window["ends"], strict=True))
    first = next((k for k, (start, end) in enumerate(offsets) if start <= prediction.start < end), None)
    last = next((k for k, (start, end) in enumerate(offsets) if start < prediction.end <= end), None)
    return None if first is None or last is None else (window["lead"] + first, window["lead"] + last)


def _log_odds(logits: Tensor, k: int) -> Tensor:
    """Return the log-odds of one token. Shape: (batch,)."""
    others = [column for column in range(logits.shape[1]) if column != k]
    return logits[:, k] - logits[:, others].logsumexp(1)
