"""What all tasks with a class for an example share: one class, or any number of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, TypeVar

from ..errors import InputError
from ..examples.base import Labelled
from ..metrics.classification import classification_scores, multi_label_scores
from ..runtime.types import Array, Noise, Tensor
from .base import BatchOutput, Statistics, Task, Window
from .batches import inputs, numbers, pad_inputs

L = TypeVar("L", bound=Labelled)
log = logging.getLogger("ratsnlp_like")

_MANY = 20
"""Classes from which it is asked whether they are classes at all."""


@dataclass(frozen=True)
class ClassPrediction:
    """The class of a text. With several labels, `label` is a tuple of those that reach the threshold."""

    label: str | tuple[str, ...]
    score: float
    """Probability of the label, 0 to 1; of the likeliest one where there are several labels."""
    scores: dict[str, float]
    """Probability of each label."""


@dataclass(frozen=True)
class Classifier(Task[L, ClassPrediction]):
    """What all tasks with a class for an example share: one label (softmax), or several (a sigmoid for each)."""

    best_metric: ClassVar[str] = "macro_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"threshold"})
    outputs: ClassVar[tuple[str, ...]] = ("logits",)

    multi_label: bool = False
    """Whether an example may have several labels; found by itself where a row holds a list of them."""
    threshold: float = 0.5
    """Probability from which a label is given, where there may be several."""
    class_weights: Literal["balanced"] | tuple[float, ...] | None = None
    """Weight of each class in the loss: `balanced` (rows / classes / rows of the class), or numbers in the
    order of the labels."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.class_weights, (list, tuple)) and min(self.class_weights, default=0) < 0:
            raise InputError(f"{list(self.class_weights)}", place="--class_weights", expected="no number below 0")
        if not 0 < self.threshold < 1:
            raise InputError(
                f"threshold {self.threshold}", place="--threshold", expected="a probability between 0 and 1"
            )

    def model_class(self) -> Any:
        """The standard head."""
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def fit(self, statistics: Statistics, labels: Sequence[str], examples: Iterable[L], tokenizer: Any) -> Self:
        """Fills in `multi_label` and `class_weights`; see `Task.fit`."""
        task = super().fit(statistics, labels, examples, tokenizer)
        if statistics.several and not task.multi_label:
            task = replace(task, multi_label=True)
        if task.multi_label and not statistics.several:
            raise InputError(
                f"several labels for a row were asked for, but each row has one, such as {labels[0]!r}",
                place="--multi_label",
                fix="--label_separator , where one cell holds several; --label_column a,b,c for 0/1 columns",
            )
        if len(labels) > _MANY and 2 * len(labels) > statistics.rows:
            log.warning("%d classes in %d rows: is --label_column the right column?", len(labels), statistics.rows)
        present = [label for label in labels if statistics.labels.get(label)]
        if len(present) < 2 and not task.multi_label:
            raise InputError(
                f"the training rows have one class only: {', '.join(map(repr, present)) or 'none'}",
                expected="at least two classes",
                fix="check the column of labels (--label_column), or that the file is not cut off or sorted",
            )
        if len(present) < len(labels) and not task.multi_label:  # only labels that a corpus declares can be missing
            missing = [label for label in labels if label not in present]
            raise InputError(
                f"no training row has the class {' or '.join(map(repr, missing))}: it could never be predicted",
                expected=f"rows of each class: {', '.join(map(repr, labels))}",
                fix="complete the training file; or convert it to a TSV, whose classes are those that occur in it",
            )
        if task.class_weights == "balanced":
            counts = [statistics.labels.get(label, 0) for label in labels]
            weights = tuple(sum(counts) / len(labels) / count if count else 0.0 for count in counts)
            task = replace(task, class_weights=weights)
        elif task.class_weights is not None and len(task.class_weights) != len(labels):
            raise InputError(
                f"{len(task.class_weights)} class weights for {len(labels)} classes",
                place="--class_weights",
                expected=f"one for each of {', '.join(labels)}",
            )
        return task

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """See `Task.configure`; the problem type tells transformers.pipeline softmax from sigmoid."""
        super().configure(config, labels)
        config.problem_type = "multi_label_classification" if self.multi_label else "single_label_classification"

    def target(self, example: L, index: Mapping[str, int]) -> int | list[float]:
        """The number of the label, or 0 and 1 for each label."""
        if not self.multi_label:
            if isinstance(example.label, tuple):
                raise InputError(f"several labels {example.label}", place=example.place, expected="one label")
            return self.label_id(str(example.label), index, example)
        target = [0.0] * len(index)
        for label in example.label_names:
            target[self.label_id(label, index, example)] = 1.0
        return target

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; labels are (batch,) classes, or (batch, labels) of 0 and 1."""
        import torch

        batch = pad_inputs(features, tokenizer)
        if "labels" in features[0]:
            targets = [f["labels"] for f in features]
            if self.multi_label:
                batch["labels"] = torch.tensor([list(target) for target in targets], dtype=torch.float32)
            else:
                batch["labels"] = torch.tensor(targets, dtype=torch.int64)
        return batch

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy, or binary cross entropy over the labels; weighted where asked."""
        return self._loss(model(**inputs(batch)).logits, batch["labels"])

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits = logits.float()
        weight = None
        if self.class_weights is not None:
            weight = torch.tensor(self.class_weights, dtype=torch.float32, device=logits.device)
        if self.multi_label:
            return F.binary_cross_entropy_with_logits(logits, labels, weight=weight)
        return F.cross_entropy(logits, labels, weight=weight)

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (labels,) logits."""
        logits = model(**inputs(batch)).logits
        raw = self.raw({"logits": numbers(logits)}, batch)
        if "labels" not in batch:
            return BatchOutput(raw)
        targets = float(len(raw))
        if self.class_weights is not None and not self.multi_label:  # cross entropy divides by their sum
            targets = sum(float(self.class_weights[label]) for label in batch["labels"].tolist())
        return BatchOutput(raw, self._loss(logits, batch["labels"]), targets)

    def decode(
        self, example: L, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> ClassPrediction:
        """See `Task.decode`; the logits of several windows are averaged."""
        import numpy as np

        scores = self._probabilities(np.mean([window.raw for window in windows], axis=0))
        best = int(np.argmax(scores))
        named = {label: float(score) for label, score in zip(labels, scores, strict=True)}
        if not self.multi_label:
            return ClassPrediction(labels[best], float(scores[best]), named)
        given = tuple(label for label in labels if named[label] >= self.threshold)
        return ClassPrediction(given, float(scores[best]), named)

    def _probabilities(self, logits: Array) -> Array:
        import numpy as np

        if self.multi_label:
            return np.asarray(1 / (1 + np.exp(-logits)))
        exponentials = np.exp(logits - logits.max())
        return np.asarray(exponentials / exponentials.sum())

    def score(
        self, predictions: Sequence[ClassPrediction], examples: Sequence[L], labels: Sequence[str]
    ) -> dict[str, Any]:
        """See `classification_scores` and `multi_label_scores`."""
        if self.multi_label:
            gold = [example.label_names for example in examples]
            return multi_label_scores(gold, [p.label for p in predictions], labels)
        return classification_scores([str(e.label) for e in examples], [str(p.label) for p in predictions], labels)

    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Array:
        """See `Task.gold`."""
        import numpy as np

        target = features["labels"]
        hot = np.array(target, dtype=bool) if self.multi_label else np.arange(len(labels)) == target
        return np.where(hot, 20.0, -20.0)

    def answer(self, example: L) -> ClassPrediction:
        """See `Task.answer`."""
        label = example.label_names if self.multi_label else str(example.label)
        return ClassPrediction(label, 1.0, dict.fromkeys(example.label_names, 1.0))
