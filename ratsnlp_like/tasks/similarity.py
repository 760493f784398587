"""Semantic textual similarity: a number for a pair of texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import InputError
from ..examples.base import Example
from ..examples.pair import ScoredPairExample
from ..metrics.similarity import similarity_scores
from ..registry import TASKS
from ..runtime.types import Array, Noise, Tensor, TokenizerLike
from .abilities import SupportsExplanation, SupportsMatches
from .base import ExampleCounts, Raw, Window
from .batches import pad_inputs
from .features import Features, LabelledBatch
from .forward import ForwardTask
from .matches import Match, number_match
from .pair_encoding import encode_pairs
from .predictions import GaugeView, Prediction, View

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics


class ScoreFeatures(Features):
    """Features with a score."""

    labels: float
    """On a scale from 0 to 1."""


@dataclass(frozen=True)
class ScorePrediction(Prediction):
    """The similarity of two texts, in the unit of the training data."""

    score: float

    def cells(self) -> list[dict[str, str]]:
        return [{"score": f"{self.score:.2f}"}]


@dataclass(frozen=True)
class Similarity(
    SupportsMatches[ScoredPairExample, ScorePrediction],
    SupportsExplanation[ScorePrediction],
    ForwardTask[ScoredPairExample, ScorePrediction, ScoreFeatures, LabelledBatch],
):
    """A number for a pair of texts, by regression. The model is trained on a scale from 0 to 1."""

    name: ClassVar[str] = "similarity"
    description: ClassVar[str] = "how alike two texts are, as a number (STS): text, text_pair, score"
    example: ClassVar[type[Example]] = ScoredPairExample
    example_input: ClassVar[tuple[str, ...]] = ("방이 넓어요", "방이 크네요")
    best_metric: ClassVar[str] = "pearson"
    evaluation_options: ClassVar[frozenset[str]] = frozenset({"threshold"})
    refused_options: ClassVar[Mapping[str, str]] = {"label_smoothing": "its target is a number, not a class"}

    lowest: float = 0.0
    """Score of two texts that have nothing in common."""
    highest: float = 5.0
    """Score of two texts with the same meaning."""
    threshold: float | None = None
    """Score from which two texts count as paraphrases, for the F1 of KLUE-STS; by default three fifths of the scale,
    which is KLUE's own 3.0 of 5."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lowest >= self.highest:
            raise InputError(
                f"scores from {self.lowest} to {self.highest}", place="--lowest, --highest", expected="lowest < highest"
            )
        if self.threshold is not None and not self.lowest < self.threshold <= self.highest:
            raise InputError(
                f"{self.threshold}",
                place="--threshold",
                expected=f"a score above {self.lowest}, at most {self.highest} (--lowest, --highest)",
            )

    def model_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Configure one output, a number."""
        config.num_labels, config.problem_type = 1, "regression"

    def fit(
        self,
        counts: ExampleCounts,
        labels: Sequence[str],
        examples: Iterable[ScoredPairExample],
        tokenizer: TokenizerLike,
    ) -> Self:
        """Check that the scores differ."""
        seen = set()
        for example in examples:
            seen.add(self._target(example))
            if len(seen) > 1:
                return super().fit(counts, labels, (), tokenizer)
        raise InputError("all training rows have one score", expected="scores that differ", fix="name --score_column")

    def encode_inputs(
        self, examples: Sequence[ScoredPairExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode both texts of a pair in one window; where they do not fit, the longer one loses its end."""
        return encode_pairs(self, examples, tokenizer, max_length)

    def encode(
        self,
        examples: Sequence[ScoredPairExample],
        tokenizer: TokenizerLike,
        labels: Sequence[str],
        max_length: int,
    ) -> list[ScoreFeatures]:
        windows = self.encode_inputs(examples, tokenizer, max_length)
        return [{**window, "labels": self._target(examples[window["example"]])} for window in windows]

    def _target(self, example: ScoredPairExample) -> float:
        if example.score is None or not self.lowest <= example.score <= self.highest:
            raise InputError(
                f"the score is {example.score}",
                place=example.place,
                expected=f"a number from {self.lowest} to {self.highest}",
                fix="correct the row, or state the range: --lowest and --highest",
            )
        return (example.score - self.lowest) / (self.highest - self.lowest)

    def collate(
        self, features: Sequence[ScoreFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> LabelledBatch:
        """Pad windows; labels are numbers from 0 to 1. Shape: (batch,)."""
        import torch

        labels = torch.tensor([float(f["labels"]) for f in features], dtype=torch.float32)
        return {**pad_inputs(features, tokenizer), "labels": labels}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Tensor:
        """Return the mean squared error on the scale from 0 to 1."""
        from torch.nn import functional as F

        return F.mse_loss(outputs.logits.float().squeeze(1), batch["labels"])

    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[Raw]:
        """Return a number for each window, on the scale from 0 to 1."""
        return list(outputs["logits"][:, 0])

    def agrees(self, one: ScorePrediction, other: ScorePrediction) -> bool:
        """Return whether two scores differ by at most a hundredth of the scale."""
        return abs(one.score - other.score) <= (self.highest - self.lowest) / 100

    def decode(
        self,
        example: ScoredPairExample,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> ScorePrediction:
        """Return the score, clipped to the scale."""
        share = min(max(float(windows[0].raw), 0.0), 1.0)
        return ScorePrediction(self.lowest + share * (self.highest - self.lowest))

    def view(self, prediction: ScorePrediction, example: ScoredPairExample) -> View:
        gauge: GaugeView = {
            "kind": "gauge",
            "value": prediction.score,
            "lowest": self.lowest,
            "highest": self.highest,
        }
        return gauge

    def score(
        self, predictions: Sequence[ScorePrediction], examples: Sequence[ScoredPairExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        gold = [float(example.score or 0.0) for example in examples]
        return similarity_scores(gold, [p.score for p in predictions], self._threshold)

    def statistics(
        self, predictions: Sequence[ScorePrediction], examples: Sequence[ScoredPairExample], labels: Sequence[str]
    ) -> ExampleStatistics:
        """Return the sufficient statistics of the scores but Spearman's rho; see `SupportsStatistics`."""
        from ..metrics.statistics import similarity_statistics

        gold = [float(example.score or 0.0) for example in examples]
        return similarity_statistics(gold, [p.score for p in predictions], self._threshold)

    def baselines(
        self,
        train: Sequence[ScoredPairExample],
        examples: Sequence[ScoredPairExample],
        labels: Sequence[str],
        tokenizer: TokenizerLike,
    ) -> dict[str, list[ScorePrediction]]:
        """Return the mean score of the training examples."""
        scores = [float(example.score or 0.0) for example in train]
        return {"the mean score": [ScorePrediction(sum(scores) / max(1, len(scores)))] * len(examples)}

    @property
    def _threshold(self) -> float:
        return self.lowest + 0.6 * (self.highest - self.lowest) if self.threshold is None else self.threshold

    def oracle_output(self, features: ScoreFeatures, labels: Sequence[str]) -> float:
        return features["labels"]

    def matches(self, prediction: ScorePrediction, example: ScoredPairExample) -> list[Match]:
        """Return the match of the score, which is right up to a fifth of the scale."""
        return [number_match(float(example.score or 0.0), prediction.score, (self.highest - self.lowest) / 5)]

    def explained_output(self, outputs: Any, prediction: ScorePrediction, labels: Sequence[str], window: Any) -> Tensor:
        """Return the score in the unit of the training data, not clipped to the scale."""
        return self.lowest + outputs.logits.float()[:, 0] * (self.highest - self.lowest)

    def explained_target(self, prediction: ScorePrediction) -> str:
        return f"{prediction.score:.2f}"

    def gold_prediction(self, example: ScoredPairExample) -> ScorePrediction:
        return ScorePrediction(float(example.score or 0.0))


TASKS.register("similarity", Similarity)
