"""Semantic textual similarity: how alike two texts are, as a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ..errors import InputError
from ..examples.base import Example
from ..examples.pair import ScoredPairExample
from ..metrics.similarity import similarity_scores
from ..registry import TASKS
from ..runtime.types import Array, Noise, Tensor
from .base import BatchOutput, Features, Raw, Statistics, Task, Window
from .batches import inputs, numbers, pad_inputs
from .pairs import encode_pairs


@dataclass(frozen=True)
class ScorePrediction:
    """How alike two texts are, in the unit of the training data."""

    score: float


@dataclass(frozen=True)
class Similarity(Task[ScoredPairExample, ScorePrediction]):
    """A number for a pair of texts, by regression. The model learns it on a scale from 0 to 1."""

    name: ClassVar[str] = "similarity"
    description: ClassVar[str] = "how alike two texts are, as a number (STS): text, text_pair, score"
    example: ClassVar[type[Example]] = ScoredPairExample
    example_input: ClassVar[tuple[str, ...]] = ("방이 넓어요", "방이 크네요")
    best_metric: ClassVar[str] = "pearson"
    inference_options: ClassVar[frozenset[str]] = frozenset({"threshold"})
    outputs: ClassVar[tuple[str, ...]] = ("logits",)

    lowest: float = 0.0
    """The score of two texts that have nothing in common."""
    highest: float = 5.0
    """The score of two texts that mean the same."""
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
        """The standard head, with one output."""
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """See `Task.configure`; one output that is a number."""
        config.num_labels, config.problem_type = 1, "regression"

    def fit(
        self, statistics: Statistics, labels: Sequence[str], examples: Iterable[ScoredPairExample], tokenizer: Any
    ) -> Self:
        """Checks that the scores differ; see `Task.fit`."""
        seen = set()
        for example in examples:
            seen.add(self._target(example))
            if len(seen) > 1:
                return super().fit(statistics, labels, (), tokenizer)
        raise InputError("all training rows have one score", expected="scores that differ", fix="name --score_column")

    def encode(
        self, examples: Sequence[ScoredPairExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode` and `encode_pairs`."""
        out = encode_pairs(self, examples, tokenizer, max_length)
        if labels is not None:
            for features, example in zip(out, examples, strict=True):
                features["labels"] = self._target(example)
        return out

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
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; labels are (batch,) numbers from 0 to 1."""
        import torch

        batch = pad_inputs(features, tokenizer)
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([float(f["labels"]) for f in features], dtype=torch.float32)
        return batch

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error on the scale from 0 to 1."""
        from torch.nn import functional as F

        return F.mse_loss(model(**inputs(batch)).logits.float().squeeze(1), batch["labels"])

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is one number, on the scale from 0 to 1."""
        from torch.nn import functional as F

        logits = model(**inputs(batch)).logits
        loss = F.mse_loss(logits.float().squeeze(1), batch["labels"]) if "labels" in batch else None
        return BatchOutput(self.raw({"logits": numbers(logits)}, batch), loss, len(logits))

    def raw(self, said: Mapping[str, Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        """See `Task.raw`."""
        return list(said["logits"][:, 0])

    def agrees(self, one: ScorePrediction, other: ScorePrediction) -> bool:
        """See `Task.agrees`: within a hundredth of the scale."""
        return abs(one.score - other.score) <= (self.highest - self.lowest) / 100

    def decode(
        self, example: ScoredPairExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> ScorePrediction:
        """See `Task.decode`; what the model says beyond the ends of the scale is its end."""
        share = min(max(float(windows[0].raw), 0.0), 1.0)
        return ScorePrediction(self.lowest + share * (self.highest - self.lowest))

    def score(
        self, predictions: Sequence[ScorePrediction], examples: Sequence[ScoredPairExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        """See `similarity_scores`."""
        gold = [float(example.score or 0.0) for example in examples]
        threshold = self.lowest + 0.6 * (self.highest - self.lowest) if self.threshold is None else self.threshold
        return similarity_scores(gold, [p.score for p in predictions], threshold)

    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Array:
        """See `Task.gold`."""
        return features["labels"]

    def answer(self, example: ScoredPairExample) -> ScorePrediction:
        """See `Task.answer`."""
        return ScorePrediction(float(example.score or 0.0))


TASKS.register("similarity", Similarity)
