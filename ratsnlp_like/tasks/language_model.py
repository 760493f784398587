"""Language models: windows over texts, cross entropy at some positions, perplexity.

A text longer than the window is cut into several: nothing is lost. Batches are grouped by length, which beats texts
packed into full windows: no padding either, and attention over short sequences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..runtime.types import ModelLike, Tensor, TokenizerLike
from .abilities import SupportsOracle
from .base import BatchOutput, E, ExampleCounts, F, P
from .batches import model_inputs
from .features import TargetBatch
from .predictions import Prediction
from .smoothing import SmoothsLabels

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics


@dataclass(frozen=True)
class Likelihood(Prediction):
    """The likelihood of a window or a text under a model."""

    loss: float
    """Sum over the targets, in nats."""
    targets: int = field(default=0, compare=False)
    """Number of tokens to predict."""
    correct: int = field(default=0, compare=False)
    """Number of them that the model ranked first."""

    @classmethod
    def total(cls, parts: Sequence[Likelihood]) -> Likelihood:
        """Return the sum of likelihoods."""
        return cls(sum(p.loss for p in parts), sum(p.targets for p in parts), sum(p.correct for p in parts))


@dataclass(frozen=True)
class LanguageModel(SupportsOracle[E, P], SmoothsLabels[E, P, F, TargetBatch]):
    """A task whose targets are tokens of the text itself.

    The raw output of a labelled window is its `Likelihood`; what is predicted of an input alone, a subclass states.
    """

    best_metric: ClassVar[str] = "perplexity"
    maximize: ClassVar[bool] = False

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Leave the configuration as it is: the outputs are the vocabulary."""

    def fit(
        self, counts: ExampleCounts, labels: Sequence[str], examples: Iterable[E], tokenizer: TokenizerLike
    ) -> Self:
        """Check the tokenizer and the training data."""
        self.check_tokenizer(tokenizer)
        return super().fit(counts, labels, examples, tokenizer)

    def check_tokenizer(self, tokenizer: TokenizerLike) -> None:
        """Check that a tokenizer has the special tokens that the task needs.

        Raises:
            InputError: it is of another type of model.
        """

    def loss(self, model: ModelLike, batch: TargetBatch) -> Tensor:
        """Return the mean cross entropy of the targets, smoothed by `label_smoothing`. Shape: ()."""
        from ..modeling.losses import gather

        return gather(model, model_inputs(batch), batch["positions"]).loss(batch["labels"], self.label_smoothing)

    def num_targets(self, batch: TargetBatch) -> float:
        return len(batch["labels"])

    def evaluate_batch(self, model: ModelLike, batch: TargetBatch) -> BatchOutput:
        """Return the `Likelihood` of each window, and the loss."""
        import torch
        from torch.nn import functional as F

        from ..modeling.losses import gather

        rows, longest = batch["input_ids"].shape
        labels, sums = batch["labels"], torch.zeros(rows, 3, dtype=torch.float64, device=batch["labels"].device)
        start = 0
        for logits in gather(model, model_inputs(batch), batch["positions"]).logits():
            wanted = labels[start : start + len(logits)]
            losses = F.cross_entropy(logits, wanted, reduction="none")
            columns = [losses, torch.ones_like(losses), logits.argmax(1) == wanted]
            row = batch["positions"][start : start + len(logits)] // longest
            sums.index_add_(0, row, torch.stack([column.double() for column in columns], dim=1))
            start += len(logits)
        counts = sums.cpu().numpy()
        raw = [Likelihood(loss, int(targets), int(correct)) for loss, targets, correct in counts.tolist()]
        total, number = float(counts[:, 0].sum()), float(counts[:, 1].sum())
        return BatchOutput(raw, torch.tensor(total / max(1.0, number)), number)

    def score(self, predictions: Sequence[P], examples: Sequence[E], labels: Sequence[str]) -> dict[str, Any]:
        """Return perplexity and accuracy over all targets."""
        total = Likelihood.total([prediction for prediction in predictions if isinstance(prediction, Likelihood)])
        mean = total.loss / max(1, total.targets)
        return {
            "perplexity": math.exp(min(mean, 700.0)),
            "accuracy": total.correct / max(1, total.targets),
            "targets": total.targets,
        }

    def statistics(self, predictions: Sequence[P], examples: Sequence[E], labels: Sequence[str]) -> ExampleStatistics:
        """Return the sufficient statistics of perplexity and accuracy; see `SupportsStatistics`."""
        from ..metrics.statistics import likelihood_statistics

        known = [prediction for prediction in predictions if isinstance(prediction, Likelihood)]
        columns = ("loss", "targets", "correct")
        return likelihood_statistics(*([getattr(own, name) for own in known] for name in columns))

    def baselines(
        self, train: Sequence[E], examples: Sequence[E], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> dict[str, list[Likelihood]]:
        """Return the likelihoods of a unigram model of the tokens that are predicted."""
        from ..metrics.baselines import unigram_likelihoods

        ids, own = (self.target_ids(side, tokenizer) for side in (train, examples))
        return {"the unigram distribution": [Likelihood(**found) for found in unigram_likelihoods(ids, own)]}

    def target_ids(self, examples: Sequence[E], tokenizer: TokenizerLike) -> list[list[int]]:
        """Return the ids of the tokens of each example that a model is to predict, whatever the window."""
        return [tokens.ids for _, tokens in self.tokenize([str(e) for e in examples], tokenizer, offsets=False)]

    def oracle_output(self, features: F, labels: Sequence[str]) -> Likelihood:
        """Return the likelihood of a perfect model, with a loss of 0."""
        return Likelihood(0.0)


def split_text(length: int, size: int) -> list[tuple[int, int]]:
    """Cut a text of `length` tokens into parts of at most `size`, without overlap; an empty text has none."""
    return [(start, min(start + size, length)) for start in range(0, length, size)]
