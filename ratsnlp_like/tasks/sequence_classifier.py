"""Classification of an example as a whole: one class, or any number of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

from ..errors import InputError
from ..examples.base import Example, Labelled
from ..metrics.classification import classification_scores, multi_label_scores
from ..modeling.probabilities import sigmoid, softmax
from ..runtime.types import Array, Noise, Tensor, TokenizerLike
from .abilities import LabelEvidence, SupportsExplanation, SupportsMatches, SupportsTuning
from .base import ExampleCounts, Window
from .batches import pad_inputs
from .confidence import Confidences
from .features import Features, LabelledBatch
from .forward import ForwardTask
from .matches import Match, class_match, label_set_match
from .predictions import BarsView, Prediction
from .smoothing import SmoothsLabels

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics

L = TypeVar("L", bound=Labelled)
log = logging.getLogger("ratsnlp_like")

_MANY_CLASSES = 20
"""Number of classes above which a warning is due where classes have hardly any rows."""
_SHOWN = 5
"""Probabilities in a row of the terminal."""


class ClassFeatures(Features):
    """Features with a class."""

    labels: int | list[float]
    """Number of the class; 0 or 1 for each class where there may be several."""


@dataclass(frozen=True)
class ClassPrediction(Prediction):
    """The class of an example. With several labels, `label` is a tuple of those that reach the threshold."""

    label: str | tuple[str, ...]
    score: float
    """Probability of the label, 0 to 1; of the most probable one where there may be several labels."""
    scores: dict[str, float]
    """Probability of each label."""
    abstained: bool = False
    """True if the probability is below the task's `abstain`."""

    def to_row(self) -> dict[str, Any]:
        return {"label": self.label, "score": self.score, "scores": self.scores}

    def cells(self) -> list[dict[str, str]]:
        label = self.label if isinstance(self.label, str) else ", ".join(self.label) or "none"
        label += " (abstained)" * self.abstained
        scores = sorted(self.scores.items(), key=lambda item: -item[1])[:_SHOWN]
        return [{"label": label, "scores": "  ".join(f"{name} {score:.3f}" for name, score in scores)}]

    def view(self, example: Example) -> BarsView:
        chosen = [self.label] if isinstance(self.label, str) else list(self.label)
        scores = sorted(self.scores.items(), key=lambda item: -item[1])
        return {
            "kind": "bars",
            "chosen": chosen,
            "several": not isinstance(self.label, str),
            "threshold": None,
            "bars": [{"label": name, "share": score, "chosen": name in chosen} for name, score in scores],
        }


@dataclass(frozen=True)
class SequenceClassifier(
    SupportsMatches[L, ClassPrediction],
    SupportsExplanation[ClassPrediction],
    SupportsTuning[L, ClassPrediction],
    SmoothsLabels[L, ClassPrediction, ClassFeatures, LabelledBatch],
    ForwardTask[L, ClassPrediction, ClassFeatures, LabelledBatch],
):
    """A class for an example: one label (softmax), or several (a sigmoid for each). A subclass encodes the inputs."""

    best_metric: ClassVar[str] = "macro_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"threshold", "temperature", "abstain"})

    multi_label: bool = False
    """Whether an example may have several labels; set automatically where a row holds a list of them."""
    threshold: float = 0.5
    """Probability from which a label is predicted, where there may be several."""
    class_weights: Literal["balanced"] | tuple[float, ...] | None = None
    """Weight of each class in the loss: `balanced` (rows / classes / rows of the class), or numbers in the
    order of the labels."""
    temperature: float = 1.0
    """Divides the logits, so that probabilities are as high as predictions are right; fitted on the validation set (Guo
    et al. 2017, arXiv:1706.04599). 1 leaves them as they are."""
    abstain: float = 0.0
    """Probability below which a prediction is marked as abstained, where there is one label."""
    abstain_accuracy: float | None = None
    """Accuracy that predictions are to have which are not abstained from: chooses `abstain` on the validation set."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.class_weights, (list, tuple)) and min(self.class_weights, default=0) < 0:
            raise InputError(f"{list(self.class_weights)}", place="--class_weights", expected="no number below 0")
        if not 0 < self.threshold < 1:
            raise InputError(
                f"threshold {self.threshold}", place="--threshold", expected="a probability between 0 and 1"
            )
        if not 1e-6 <= self.temperature <= 1e30:  # a float32 has no larger ones
            raise InputError(f"{self.temperature}", place="--temperature", expected="1e-6 to 1e30")
        for name in ("abstain", "abstain_accuracy"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{value}", place=f"--{name}", expected="a probability from 0 to 1")
            if value and self.multi_label:
                raise InputError(f"--{name} with several labels", fix="--threshold, for the probability of a label")

    def label_evidence(
        self, example: L, windows: Sequence[Window], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> list[LabelEvidence]:
        """Return the evidence for the class of an example; see `SupportsLabelErrors`."""
        if not isinstance(example.label, str):
            raise InputError("several labels for an example", expected="one label, whose probability can be compared")
        return [LabelEvidence(None, example.label, self.decode(example, windows, labels, tokenizer).scores)]

    def model_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def fit(
        self, counts: ExampleCounts, labels: Sequence[str], examples: Iterable[L], tokenizer: TokenizerLike
    ) -> Self:
        """Fill in `multi_label` and `class_weights`."""
        task = super().fit(counts, labels, examples, tokenizer)
        if counts.several and not task.multi_label:
            task = replace(task, multi_label=True)
        if task.class_weights == "balanced":
            rows = [counts.labels.get(label, 0) for label in labels]
            weights = tuple(sum(rows) / len(labels) / count if count else 0.0 for count in rows)
            task = replace(task, class_weights=weights)
        elif task.class_weights is not None and len(task.class_weights) != len(labels):
            raise InputError(
                f"{len(task.class_weights)} class weights for {len(labels)} classes",
                place="--class_weights",
                expected=f"one for each of {', '.join(labels)}",
            )
        return task

    def check_data(self, counts: ExampleCounts, labels: Sequence[str]) -> None:
        """Check that there are several classes, each with rows to train on."""
        super().check_data(counts, labels)
        multi_label = self.multi_label or counts.several
        if self.multi_label and not counts.several:
            raise InputError(
                f"multi_label is set, but each row has one label, such as {labels[0]!r}",
                place="--multi_label",
                fix="--label_separator , where one cell holds several; --label_column a,b,c for 0/1 columns",
            )
        if len(labels) > _MANY_CLASSES and 2 * len(labels) > counts.rows:
            log.warning("%d classes in %d rows: is --label_column the right column?", len(labels), counts.rows)
        present = [label for label in labels if counts.labels.get(label)]
        if len(present) < 2 and not multi_label:
            raise InputError(
                f"the training rows have one class only: {', '.join(map(repr, present)) or 'none'}",
                expected="at least two classes",
                fix="check the column of labels (--label_column), or that the file is not cut off or sorted",
            )
        if len(present) < len(labels) and not multi_label:  # only labels that a corpus declares can be missing
            missing = [label for label in labels if label not in present]
            raise InputError(
                f"no training row has the class {' or '.join(map(repr, missing))}: it could never be predicted",
                expected=f"rows of each class: {', '.join(map(repr, labels))}",
                fix="complete the training file; or convert it to a TSV, whose classes are those that occur in it",
            )

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Write the labels and the problem type, by which transformers.pipeline chooses softmax or sigmoid."""
        super().configure(config, labels)
        config.problem_type = "multi_label_classification" if self.multi_label else "single_label_classification"

    def encode(
        self, examples: Sequence[L], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[ClassFeatures]:
        index = {label: i for i, label in enumerate(labels)}
        windows = self.encode_inputs(examples, tokenizer, max_length)
        targets = [self._target(example, index) for example in examples]
        return [{**window, "labels": targets[window["example"]]} for window in windows]

    def _target(self, example: L, index: Mapping[str, int]) -> int | list[float]:
        """Return the number of the label, or 0 or 1 for each label."""
        if not self.multi_label:
            if isinstance(example.label, tuple):
                raise InputError(f"several labels {example.label}", place=example.place, expected="one label")
            return self.label_id(str(example.label), index, example)
        target = [0.0] * len(index)
        for label in example.label_names:
            target[self.label_id(label, index, example)] = 1.0
        return target

    def collate(
        self, features: Sequence[ClassFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> LabelledBatch:
        """Pad windows; labels are classes, shape (batch,), or 0 and 1, shape (batch, labels)."""
        import torch

        targets = [f["labels"] for f in features]
        if self.multi_label:
            labels = torch.tensor([list(target) for target in targets], dtype=torch.float32)  # type: ignore[arg-type]
        else:
            labels = torch.tensor(targets, dtype=torch.int64)
        return {**pad_inputs(features, tokenizer), "labels": labels}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Tensor:
        """Return cross entropy, or binary cross entropy over the labels; weighted by `class_weights`."""
        import torch
        from torch.nn import functional as F

        logits, labels = outputs.logits.float(), batch["labels"]
        weight = None
        if self.class_weights is not None:
            weight = torch.tensor(self.class_weights, dtype=torch.float32, device=logits.device)
        if self.multi_label:
            smooth = labels * (1 - self.label_smoothing) + self.label_smoothing / 2 if self.label_smoothing else labels
            return F.binary_cross_entropy_with_logits(logits, smooth, weight=weight)
        if weight is None:
            return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        total = F.cross_entropy(logits, labels, weight=weight, label_smoothing=self.label_smoothing, reduction="sum")
        return total / weight[labels].sum().clamp(min=1e-12)  # 0, not NaN, for a batch of classes of weight 0

    def num_targets(self, batch: LabelledBatch) -> float:
        """Return the number of examples, or the sum of their weights, by which cross entropy divides."""
        if self.class_weights is None or self.multi_label:
            return len(batch["labels"])
        return sum(float(self.class_weights[label]) for label in batch["labels"].tolist())

    def decode(
        self,
        example: L,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> ClassPrediction:
        """Return the class of an example; logits of several windows are averaged."""
        import numpy as np

        logits = np.mean([window.raw for window in windows], axis=0)
        if self.temperature != 1:
            logits = logits / self.temperature
        scores = sigmoid(logits) if self.multi_label else softmax(logits)
        best = int(np.argmax(scores))
        named = {label: float(score) for label, score in zip(labels, scores, strict=True)}
        if not self.multi_label:
            return ClassPrediction(labels[best], float(scores[best]), named, bool(scores[best] < self.abstain))
        chosen = tuple(label for label in labels if named[label] >= self.threshold)
        return ClassPrediction(chosen, float(scores[best]), named)

    def usable_options(self) -> frozenset[str]:
        """Return the inference options: the threshold where there may be several labels, else abstention."""
        return self.inference_options - {"abstain" if self.multi_label else "threshold"}

    def view(self, prediction: ClassPrediction, example: L) -> BarsView:
        """Return bars, with the threshold where there may be several labels."""
        return {**prediction.view(example), "threshold": self.threshold if self.multi_label else None}

    def score(
        self, predictions: Sequence[ClassPrediction], examples: Sequence[L], labels: Sequence[str]
    ) -> dict[str, Any]:
        if self.multi_label:
            gold = [example.label_names for example in examples]
            scores = multi_label_scores(gold, [p.label for p in predictions], labels)
        else:
            classes = [str(p.label) for p in predictions]
            scores = classification_scores([str(e.label) for e in examples], classes, labels)
        confidences = self._confidences(predictions, examples, labels)
        return scores if confidences is None else scores | confidences.scores(self.abstain)

    def _confidences(
        self, predictions: Sequence[ClassPrediction], examples: Sequence[L], labels: Sequence[str]
    ) -> Confidences | None:
        return Confidences.of(predictions, examples, labels, temperature=self.temperature, multi_label=self.multi_label)

    def tuned(self, predictions: Sequence[ClassPrediction], examples: Sequence[L]) -> Self:
        """Return this task with the temperature, and the threshold of abstention where an accuracy is stated."""
        labels = list(predictions[0].scores) if predictions else []
        confidences = self._confidences(predictions, examples, labels)
        if confidences is None:
            return self
        task = replace(self, temperature=confidences.fitted_temperature())
        if self.abstain_accuracy is None:
            return task
        return replace(task, abstain=confidences.threshold(self.abstain_accuracy, task.temperature))

    def to_row(self, prediction: ClassPrediction) -> dict[str, Any]:
        return prediction.to_row() | ({"abstained": prediction.abstained} if self.abstain else {})

    def statistics(
        self, predictions: Sequence[ClassPrediction], examples: Sequence[L], labels: Sequence[str]
    ) -> ExampleStatistics:
        """Return the sufficient statistics of the scores; see `SupportsStatistics`."""
        from ..metrics.statistics import classification_statistics, multi_label_statistics

        if self.multi_label:
            return multi_label_statistics([e.label_names for e in examples], [p.label for p in predictions], labels)
        return classification_statistics([str(e.label) for e in examples], [str(p.label) for p in predictions], labels)

    def baselines(
        self, train: Sequence[L], examples: Sequence[L], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> dict[str, list[ClassPrediction]]:
        """Return the most frequent class, and logistic regression where there is one class per example."""
        from ..metrics.baselines import most_frequent, tfidf_classes

        if self.multi_label:
            constant: str | tuple[str, ...] = most_frequent(example.label_names for example in train)
        else:
            constant = most_frequent(str(example.label) for example in train)
        found = {"the most frequent label": [constant] * len(examples)}
        if not self.multi_label and len({example.label for example in train}) > 1:
            texts, own = ([tuple(map(str, e.inputs().values())) for e in side] for side in (train, examples))
            found["TF-IDF and logistic regression"] = [*tfidf_classes(texts, [str(e.label) for e in train], own)]
        return {name: [ClassPrediction(label, 1.0, {}) for label in own] for name, own in found.items()}

    def oracle_output(self, features: ClassFeatures, labels: Sequence[str]) -> Array:
        import numpy as np

        target = features["labels"]
        hot = np.array(target, dtype=bool) if self.multi_label else np.arange(len(labels)) == target
        return np.where(hot, 20.0, -20.0)

    def gold_prediction(self, example: L) -> ClassPrediction:
        label = example.label_names if self.multi_label else str(example.label)
        return ClassPrediction(label, 1.0, dict.fromkeys(example.label_names, 1.0))

    def matches(self, prediction: ClassPrediction, example: L) -> list[Match]:
        if isinstance(prediction.label, str):
            return [class_match(str(example.label), prediction.label, prediction.score)]
        return [label_set_match(example.label_names, prediction.label, prediction.score)]

    def explained_output(self, outputs: Any, prediction: ClassPrediction, labels: Sequence[str], window: Any) -> Tensor:
        """Return the log-odds of the predicted label, of the most probable one where there may be several."""
        logits = outputs.logits.float()
        k = labels.index(self.explained_target(prediction))
        if self.multi_label:
            return logits[:, k]
        others = [column for column in range(len(labels)) if column != k]
        return logits[:, k] - logits[:, others].logsumexp(1)

    def explained_target(self, prediction: ClassPrediction) -> str:
        return max(prediction.scores, key=lambda label: prediction.scores[label])
