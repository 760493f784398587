"""Optional abilities of tasks, as mixins. Callers check for one with `isinstance(task, SupportsStreaming)`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from ..examples.base import Example
from ..runtime.types import Array, GenerativeModel, ModelLike, Tensor, TokenizerLike
from .batches import input_arrays
from .matches import Match
from .predictions import Prediction, without_floats

E = TypeVar("E", bound=Example)
P = TypeVar("P", bound=Prediction)


class SupportsStreaming(ABC, Generic[E]):
    """A task whose predictions can be read while they are generated."""

    @abstractmethod
    def stream(self, model: GenerativeModel, example: E, tokenizer: TokenizerLike, max_length: int) -> Iterator[str]:
        """Yield generated text piece by piece; the pieces together are the prediction with the same options.

        Args:
            model: of this task.
            example: one input.
            tokenizer: of the model.
            max_length: longest window in tokens.

        Raises:
            InputError: the options of the task do not allow streaming.
        """


class SupportsGenerationMetrics(ABC, Generic[E, P]):
    """A task that scores generated predictions apart from the raw outputs of `evaluate_batch`."""

    @abstractmethod
    def score_generation(self, predict: Callable[[Sequence[E]], list[P]], examples: Iterable[E]) -> dict[str, Any]:
        """Return metrics of predictions on held-out examples, by name.

        Args:
            predict: from inputs to predictions.
            examples: held out, with the expected output.
        """


class SupportsTuning(ABC, Generic[E, P]):
    """A task with a field, such as a threshold, that is chosen on the validation set."""

    @abstractmethod
    def tuned(self, predictions: Sequence[P], examples: Sequence[E]) -> Self:
        """Return this task with the field chosen from predictions on the validation set."""


class LabelEvidence(NamedTuple):
    """The probabilities of a model for one gold label, to find labels that are wrong."""

    span: tuple[int, int] | None
    """Characters that the label is for; None where it is for the whole example."""
    given: str
    """The gold label; `NO_LABEL` for characters without one."""
    probabilities: Mapping[str, float]
    """Of each label, and of `NO_LABEL` where a label can be missing."""


NO_LABEL = "(none)"


@runtime_checkable
class SupportsLabelErrors(Protocol):
    """A task whose gold labels can be compared with the probabilities of a model that was not trained on them."""

    def label_evidence(
        self, example: Any, windows: Sequence[Any], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> list[LabelEvidence]:
        """Return the evidence for each gold label of an example, and for labels that it may lack.

        Args:
            example: with gold labels.
            windows: raw outputs of the model for its windows.
            labels: in the model's order.
            tokenizer: of the model.

        Raises:
            InputError: the labels of the task cannot be compared.
        """


@runtime_checkable
class SupportsBaselines(Protocol):
    """A task that can make predictions without a neural network, for a trained model to be measured against."""

    def baselines(
        self, train: Sequence[Any], examples: Sequence[Any], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> Mapping[str, Sequence[Any]]:
        """Return the predictions of each baseline on the examples, by its name.

        Args:
            train: the examples that are trained on, all or a part; nothing else is fitted on.
            examples: those to predict; their gold labels are not used.
            labels: in the model's order.
            tokenizer: of the model.
        """
        ...


class SupportsOracle(ABC, Generic[E, P]):
    """A task that can state the raw outputs of a perfect model.

    The oracle contract: `decode` turns them back into the gold labels. Where a tokenizer makes that impossible, the
    score of the oracle is the ceiling for any model.
    """

    @abstractmethod
    def oracle_output(self, features: Any, labels: Sequence[str]) -> Any:
        """Return the raw output of a perfect model for a window of `encode`."""

    @abstractmethod
    def gold_prediction(self, example: E) -> P:
        """Return the gold labels of an example as a prediction."""


class SupportsMatches(SupportsOracle[E, P]):
    """A task that states what of a prediction is right, and the kind of each mistake."""

    @abstractmethod
    def matches(self, prediction: P, example: E) -> Sequence[Match]:
        """Return a match for each thing that is predicted: the class of a text, each entity, the answer.

        Args:
            prediction: for the example.
            example: with its gold labels.
        """


class SupportsExplanation(ABC, Generic[P]):
    """A task whose decisions are numbers of a forward pass, so that the words which they rest on can be found."""

    def explained_decisions(self, prediction: P) -> Sequence[P]:
        """Return each decision of a prediction, as a prediction of that alone: by default there is one."""
        return [prediction]

    def explained_windows(self, prediction: P, windows: Sequence[Any]) -> Sequence[Any]:
        """Return the windows of the input that the decision was made in: all of them."""
        return windows

    @abstractmethod
    def explained_output(self, outputs: Any, prediction: P, labels: Sequence[str], window: Any) -> Tensor:
        """Return the decision as a number for each row, from the outputs of a model. Shape: (batch,).

        Args:
            outputs: of the model, for a batch of copies of one window.
            prediction: a decision that is explained.
            labels: in the model's order.
            window: the features of the window.
        """

    @abstractmethod
    def explained_target(self, prediction: P) -> str:
        """Return what was decided, in words."""


class SupportsDiagnostics(SupportsOracle[E, P]):
    """A task that explains what tokens cannot express, and which settings change that."""

    @abstractmethod
    def inexpressible(self, example: E, oracle: P) -> list[str]:
        """Return a line for each gold label that the tokens cannot express.

        Args:
            example: with its gold labels.
            oracle: the prediction that is decoded from `oracle_output`.
        """

    def alternatives(self, examples: Iterable[E], tokenizer: TokenizerLike) -> Mapping[str, Self]:
        """Return this task with other settings that tokens limit less or more: flag -> task, fitted to the examples."""
        return {}


class SupportsExport(ABC, Generic[P]):
    """A task whose predictions are made from the outputs of one forward pass, so that a fixed graph can compute them.

    Attributes:
        outputs: names of the model's outputs that predictions are made of.
    """

    outputs: ClassVar[tuple[str, ...]] = ("logits",)

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the model's outputs, which may depend on the fields of a task; by default `outputs`."""
        return self.outputs

    @abstractmethod
    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[Any]:
        """Return the raw output of each window, without padding, from the outputs of a model or of its graph.

        Args:
            outputs: name -> array. Shape: (batch, ...).
            batch: inputs, as tensors or arrays.
        """

    def graph_outputs(self, model: ModelLike, batch: Mapping[str, Any]) -> list[Tensor]:
        """Return the `outputs` of a model for the tensors of `graph_inputs`: the computation that is exported."""
        outputs = model(**batch)
        return [getattr(outputs, name) for name in self.output_names()]

    def graph_inputs(self, features: Sequence[Any], tokenizer: TokenizerLike) -> dict[str, Array]:
        """Collate inputs for an exported graph, without torch."""
        return input_arrays(features, tokenizer)

    def difference(self, one: Any, other: Any) -> float:
        """Return the largest difference between two raw outputs of a window."""
        import numpy as np

        return float(np.abs(np.asarray(one) - np.asarray(other)).max())

    def agrees(self, one: P, other: P) -> bool:
        """Return whether two predictions are the same apart from their scores."""
        return bool(without_floats(one.to_row()) == without_floats(other.to_row()))
