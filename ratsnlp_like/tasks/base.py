"""What a task is: the path of an example to a loss, and of a model's output to a prediction.

    Example -encode-> Features -collate-> batch -loss | predict_batch-> Raw -decode-> Prediction -score-> metrics

All tasks take this path: a pair encodes two texts; question answering yields several windows for an example
and decodes over all of them; generation encodes the prompt alone where there is nothing to learn from, and
its `predict_batch` generates; language modelling draws its masks in `collate`, and sums losses in `score`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from ..errors import InputError
from ..examples.base import Example
from ..runtime.types import Array, Noise, Tensor
from ..text.edits import Normalized
from ..text.normalization import Normalizer
from ..text.tokens import Template, Tokens, tokenize
from .batches import arrays

E = TypeVar("E", bound=Example)
P = TypeVar("P")

Features = dict[str, Any]
"""One window of an example: `input_ids`, `token_type_ids` where the model takes them, what `decode` needs."""
Raw = Any
"""What the model said of one window, on the CPU without padding: an array, mostly of logits."""
IGNORED = -100
"""The label of what takes no part in the loss."""


class Window(NamedTuple):
    """A window of an example, and what the model said of it."""

    features: Mapping[str, Any]
    raw: Raw


class BatchOutput(NamedTuple):
    """What `predict_batch` returns."""

    raw: list[Raw]
    loss: Tensor | None = None
    """The mean loss where the batch has labels."""
    targets: float = 0
    """Over how many targets (texts, tokens) that mean goes; the sum of their weights where they have some."""


@dataclass(frozen=True)
class Statistics:
    """What one reading of the training examples has counted."""

    rows: int
    """How many examples."""
    empty: int
    """How many have nothing but white space in their first field."""
    labels: Mapping[str, int] = field(default_factory=dict)
    """Label -> how many times it occurs."""
    several: bool = False
    """Whether an example carries a list of labels."""


@dataclass(frozen=True)
class Task(ABC, Generic[E, P]):
    """Everything that differs between tasks. Frozen: its fields are part of the cache's key and of task.json.

    Attributes (facts, stated by a subclass):
        name: as on the command line.
        description: one line for `list tasks`.
        example: the kind of example it takes.
        best_metric: by which metric the best model is chosen.
        maximize: whether more of it is better.
        ask: an input to show how a model is asked, a text for each field that an input has.
        asking: fields that `predict` can set anew, for they change what is asked and not what was learnt.
        measuring: fields that `evaluate` can set anew beside these: they change what is measured.
        outputs: the outputs of the model that predictions are made of; none where no fixed graph makes them.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    example: ClassVar[type[Example]]
    best_metric: ClassVar[str]
    maximize: ClassVar[bool] = True
    example_input: ClassVar[tuple[str, ...]] = ("문장",)
    inference_options: ClassVar[frozenset[str]] = frozenset()
    evaluation_options: ClassVar[frozenset[str]] = frozenset()
    outputs: ClassVar[tuple[str, ...]] = ()

    normalization: tuple[str, ...] = ()
    """Steps of text normalisation, in order (none by default): kcbert-clean, compatibility-jamo, nfc,
    shorten-repeats, urls, emoji, html, whitespace. Offsets always refer to the original text."""

    def __post_init__(self) -> None:
        steps = self.normalization.split(",") if isinstance(self.normalization, str) else self.normalization
        object.__setattr__(self, "normalization", tuple(step.strip() for step in steps))
        Normalizer(self.normalization)  # an unknown step is told at once

    @abstractmethod
    def model_class(self) -> Any:
        """A Hugging Face Auto class, or an own head with `from_config` and `from_pretrained`."""

    @abstractmethod
    def encode(
        self, examples: Sequence[E], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """Turn examples into windows; each names its example by its position in `examples` under `example`.

        Args:
            examples: a slice of a corpus.
            tokenizer: of the checkpoint.
            labels: the names of the labels; None to encode without gold labels, for prediction.
            max_length: the longest window in tokens, special tokens included.

        Returns:
            One or more windows for every example, in order; to learn from, none for one that teaches nothing (an
            empty text of a language model). `lost` counts tokens that no window holds.

        Raises:
            InputError: an example has a label that is not among `labels`.
        """

    @abstractmethod
    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """Pad windows to the longest of the batch.

        Args:
            features: windows.
            tokenizer: for its padding id.
            noise: random numbers for a task that draws from them in training (masked language modelling); a
                resumed run gets the same ones. None in evaluation and prediction, where nothing is random.

        Shape: (batch, longest); padding has attention_mask 0, ignored labels are -100.
        """

    @abstractmethod
    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """The mean loss of a batch. Shape: ()."""

    @abstractmethod
    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """What the model says of each window, without its padding."""

    def graph_batch(self, features: Sequence[Mapping[str, Any]], tokenizer: Any) -> dict[str, Array]:
        """What an exported graph is given to predict: `collate` without labels and without torch."""
        return arrays(features, tokenizer)

    def raw(self, said: Mapping[str, Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        """What is said of each window without its padding, taken from the `outputs` of a model or of its graph.

        Args:
            said: output -> numbers. Shape: (batch, ...).
            batch: what was asked.
        """
        return list(said[self.outputs[0]])

    def agrees(self, one: P, other: P) -> bool:
        """Whether two models give one answer, however sure they are of it."""
        return _without_floats(self.to_row(one)) == _without_floats(self.to_row(other))

    @abstractmethod
    def decode(self, example: E, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None) -> P:
        """The prediction for an example from all of its windows, in characters of the ORIGINAL text.

        Args:
            example: without its labels, as far as this method is concerned.
            windows: in order.
            labels: in the model's order.
            tokenizer: for a task whose predictions are written in tokens.
        """

    @abstractmethod
    def score(self, predictions: Sequence[P], examples: Sequence[E], labels: Sequence[str]) -> dict[str, Any]:
        """Metrics by name: numbers flat, tables nested."""

    @abstractmethod
    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Raw:
        """What a perfect model would say of a window: with it, `decode` gives gold back (the oracle contract)."""

    @abstractmethod
    def answer(self, example: E) -> P:
        """The gold labels of an example, as a prediction."""

    def improved(self, examples: Iterable[E], tokenizer: Any) -> tuple[str, Self] | None:
        """A setting that raises what the tokens can express: its flag, and this task with it; None without one."""
        return None

    def tuned(self, predictions: Sequence[P], examples: Sequence[E]) -> Self:
        """This task with what is chosen by the validation set (a threshold), from predictions on it."""
        return self

    def score_generation(self, predict: Callable[[Sequence[E]], list[P]], examples: Iterable[E]) -> dict[str, Any]:
        """Metrics of what a model says when a user asks it, where that is another thing than `predict_batch` saw.

        Args:
            predict: the predictor.
            examples: held out, with what should be said.
        """
        return {}

    def stream(self, model: Any, features: Mapping[str, Any], tokenizer: Any) -> Iterator[str]:
        """The text that a model writes, piece by piece.

        Args:
            model: of this task.
            features: the one window of what is asked.
            tokenizer: of the model.

        Raises:
            InputError: the task does not write.
        """
        raise InputError(f"{self.name} says all at once", expected="a model that writes: causal-lm or generation")

    def inexpressible(self, example: E, oracle: P) -> list[str]:
        """What the tokens cannot say of an example, in words.

        Args:
            example: with its gold labels.
            oracle: what `decode` makes of `gold`.
        """
        return []

    def order_labels(self, found: Iterable[str]) -> list[str]:
        """The labels of a corpus in a fixed order: by number where all are numbers, else by name."""
        names = set(found)
        numeric = all(name.lstrip("-").isdecimal() for name in names)
        return sorted(names, key=(lambda name: (int(name), name)) if numeric else None)

    def classes(self, labels: Sequence[str]) -> list[str]:
        """The names of the model's outputs, which become id2label."""
        return list(labels)

    def too_long(self, max_length: int) -> str:
        """What is said of inputs that have lost tokens (`lost` of a window): which they are, and by what measure."""
        return f"texts are longer than {max_length} tokens"

    def fit(self, statistics: Statistics, labels: Sequence[str], examples: Iterable[E], tokenizer: Any) -> Self:
        """This task with what depends on the training data filled in (class weights, say).

        Args:
            statistics: of the training split.
            labels: in the model's order.
            examples: of the training split, read again where a task needs them.
            tokenizer: of the checkpoint.

        Raises:
            InputError: nothing can be learnt from these data.
        """
        if statistics.rows == statistics.empty:
            flags = ", ".join(f"--{name}_column" for name in self.example.columns())
            raise InputError(f"all {statistics.rows} rows have an empty text", fix=f"name the right columns: {flags}")
        return self

    def check_model(self, config: Any) -> None:
        """Whether a model can do the task at all, by its configuration.

        Raises:
            InputError: its architecture is made for something else.
        """

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Write the labels into a model's configuration."""
        classes = self.classes(labels)
        config.num_labels = len(classes)
        config.id2label = dict(enumerate(classes))
        config.label2id = {name: index for index, name in enumerate(classes)}

    def to_dict(self) -> dict[str, Any]:
        """Its fields, for task.json."""
        return asdict(self)

    def to_row(self, prediction: P) -> dict[str, Any]:
        """A prediction as JSON; the default takes a dataclass apart."""
        return asdict(prediction)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The task that `to_dict` described; fields of later versions are an error, not a guess."""
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise InputError(
                f"task.json has unknown fields {sorted(unknown)}",
                fix="update ratsnlp_like: pip install -U ratsnlp_like",
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    # What encoders share.

    def tokenize(
        self, texts: Sequence[str], tokenizer: Any, *, offsets: bool = True
    ) -> list[tuple[Normalized, Tokens]]:
        """Normalise and tokenize, without special tokens; offsets are of the normalised texts."""
        normalizer = Normalizer(self.normalization)
        normalized = [normalizer(text) for text in texts]
        return list(zip(normalized, tokenize(tokenizer, [n.text for n in normalized], offsets=offsets), strict=True))

    @staticmethod
    def window(tokenizer: Any, first: Sequence[int], second: Sequence[int] | None = None) -> tuple[Features, int]:
        """Special tokens around one sequence of ids or two; also says where `first` begins."""
        ids, types, lead = Template.of(tokenizer).build(first, second)
        if not ids:  # an empty text under a tokenizer without special tokens: no model takes no tokens
            empty = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.pad_token_id
            ids, types = [empty], [0]
        features: Features = {"input_ids": ids}
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = types
        return features, lead

    @staticmethod
    def room(tokenizer: Any, max_length: int, *, pair: bool = False) -> int:
        """How many tokens of text fit.

        Raises:
            InputError: none does.
        """
        room = Template.of(tokenizer).room(max_length, pair=pair)
        if room < 1:
            raise InputError(
                f"max_length {max_length} leaves no room beside the special tokens",
                place="--max_length",
                expected=f"at least {max_length - room + 1}",
            )
        return room

    @staticmethod
    def label_id(label: str, index: Mapping[str, int], example: Example) -> int:
        """The number of a label.

        Raises:
            InputError: it is not among those that the model knows.
        """
        try:
            return index[label]
        except KeyError:
            raise InputError(
                f"the label {label!r} is not among the labels of the model",
                place=example.place,
                expected=f"one of {', '.join(map(repr, index))}",
                fix="correct the row, or train with a corpus that has this label",
            ) from None


def _without_floats(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_floats(inner) for name, inner in value.items() if not isinstance(inner, float)}
    return [_without_floats(inner) for inner in value] if isinstance(value, (list, tuple)) else value
