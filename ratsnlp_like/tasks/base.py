"""The contract of a task: the path of an example to a loss, and of a model's output to a prediction.

    Example -encode-> Features -collate-> Batch -loss-> scalar
    Example -encode_inputs-> Features -collate_inputs-> InputBatch -predict_batch-> Raw -decode-> Prediction
    (Prediction, Example) -score-> metrics

Training and evaluation take the first path, with gold labels; prediction takes the second, without. `evaluate_batch`
joins them: loss and raw output of a labelled batch in one forward pass. A task with a standard head derives from
`ForwardTask` and states how outputs become a loss and raw outputs. Optional abilities are mixins: see `abilities`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeAlias

from typing_extensions import TypeVar

from ..errors import InputError
from ..examples.base import Example
from ..runtime.types import ModelLike, Noise, Tensor, TokenizerLike
from ..text.edits import Normalized
from ..text.normalization import Normalizer
from ..text.tokens import Template, Tokens, tokenize
from .batches import pad_inputs
from .features import Features, InputBatch, LabelledBatch
from .predictions import Prediction, View

E = TypeVar("E", bound=Example)
P = TypeVar("P", bound=Prediction)
F = TypeVar("F", bound=Features, default=Features)
B = TypeVar("B", bound=InputBatch, default=LabelledBatch)

Raw = Any
"""Output of a model for one window, on the CPU and without padding: an array, mostly of logits, or a record."""
IGNORED = -100
"""Label of a token that takes no part in the loss."""


class Window(NamedTuple):
    """A window of an example with the output of a model."""

    features: Any
    raw: Raw


class BatchOutput(NamedTuple):
    """Result of `evaluate_batch`."""

    raw: list[Raw]
    """Raw output of each window."""
    loss: Tensor
    """Mean loss. Shape: ()."""
    targets: float
    """Number of targets (texts, tokens) in that mean, or the sum of their weights."""


@dataclass(frozen=True)
class ExampleCounts:
    """Counts over the training examples."""

    rows: int
    """Number of examples."""
    empty: int
    """Number of examples with nothing but white space in their first field."""
    labels: Mapping[str, int] = field(default_factory=dict)
    """Label -> number of occurrences."""
    several: bool = False
    """Whether an example has a list of labels."""


@dataclass(frozen=True)
class Task(ABC, Generic[E, P, F, B]):
    """Everything that differs between tasks. Frozen: its fields are part of the cache's key and of task.json.

    Type parameters: the example, the prediction, and optionally features and batch.

    Attributes (facts, stated by a subclass):
        name: as on the command line.
        description: one line for `list tasks`.
        example: the type of examples.
        best_metric: the metric that chooses the best model.
        maximize: whether a higher value of it is better.
        example_input: an input for documentation, a text for each field of an input.
        inference_options: fields that can be overridden at prediction time.
        evaluation_options: further fields that can be overridden in evaluation.
        grouped: whether all windows of an example are in one batch, in their order.
        skips_empty: whether examples without a text have no window to train on.
        refused_options: options of other tasks that this one does not take -> the reason.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    example: ClassVar[type[Example]]
    best_metric: ClassVar[str]
    maximize: ClassVar[bool] = True
    example_input: ClassVar[tuple[str, ...]] = ("문장",)
    inference_options: ClassVar[frozenset[str]] = frozenset()
    evaluation_options: ClassVar[frozenset[str]] = frozenset()
    grouped: ClassVar[bool] = False
    skips_empty: ClassVar[bool] = False
    refused_options: ClassVar[Mapping[str, str]] = {}

    normalization: tuple[str, ...] = ()
    """Steps of text normalisation, in order (none by default): kcbert-clean, compatibility-jamo, nfc,
    shorten-repeats, urls, emoji, html, whitespace. Offsets always refer to the original text."""

    def __post_init__(self) -> None:
        steps = self.normalization.split(",") if isinstance(self.normalization, str) else self.normalization
        object.__setattr__(self, "normalization", tuple(step.strip() for step in steps))
        Normalizer(self.normalization)  # raises for an unknown step

    @abstractmethod
    def model_class(self) -> Any:
        """Return a Hugging Face Auto class, or any class with `from_config` and `from_pretrained`."""

    @abstractmethod
    def encode(
        self, examples: Sequence[E], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> Sequence[F]:
        """Encode examples with their gold labels, for training and evaluation.

        Args:
            examples: a slice of a corpus.
            tokenizer: of the checkpoint.
            labels: names of the labels, in the model's order.
            max_length: longest window in tokens, special tokens included.

        Returns:
            One or more windows of each example, in order; none where there is nothing to train on (an empty text of a
            language model).

        Raises:
            InputError: an example has a label that is not among `labels`.
        """

    @abstractmethod
    def encode_inputs(self, examples: Sequence[E], tokenizer: TokenizerLike, max_length: int) -> Sequence[Features]:
        """Encode examples without gold labels, for prediction: one or more windows of each example, in order.

        Raises:
            InputError: nothing can be predicted for an example.
        """

    @abstractmethod
    def collate(self, features: Sequence[F], tokenizer: TokenizerLike, *, noise: Noise | None = None) -> B:
        """Collate windows of `encode` into a batch, padded to the longest window.

        Args:
            features: windows.
            tokenizer: of the checkpoint, for its padding id.
            noise: random numbers for a task that draws in training (masked language modelling); a resumed run gets
                the same ones. None in evaluation, where nothing is random.

        Shape: (batch, longest); padding has attention_mask 0, ignored labels are -100.
        """

    def collate_inputs(self, features: Sequence[Features], tokenizer: TokenizerLike) -> InputBatch:
        """Collate windows of `encode_inputs` into a batch, padded to the longest window."""
        return pad_inputs(features, tokenizer)

    @abstractmethod
    def loss(self, model: ModelLike, batch: B) -> Tensor:
        """Return the mean loss of a batch. Shape: ()."""

    @abstractmethod
    def evaluate_batch(self, model: ModelLike, batch: B) -> BatchOutput:
        """Return the raw outputs and the loss of a batch of `collate`."""

    @abstractmethod
    def predict_batch(self, model: Any, batch: Any) -> list[Raw]:
        """Return the raw output for each window of a batch of `collate_inputs`."""

    @abstractmethod
    def decode(
        self, example: E, windows: Sequence[Window], labels: Sequence[str], tokenizer: TokenizerLike | None = None
    ) -> P:
        """Return the prediction for an example from all of its windows, in characters of the ORIGINAL text.

        Args:
            example: its labels are not looked at.
            windows: in order.
            labels: in the model's order.
            tokenizer: for predictions that are made of tokens.
        """

    @abstractmethod
    def score(self, predictions: Sequence[P], examples: Sequence[E], labels: Sequence[str]) -> dict[str, Any]:
        """Return metrics by name: numbers flat, tables nested."""

    def order_labels(self, found: Iterable[str]) -> list[str]:
        """Return the labels of a corpus in a fixed order: by number where all are numbers, else by name."""
        names = set(found)
        numeric = all(name.lstrip("-").isdecimal() for name in names)
        return sorted(names, key=(lambda name: (int(name), name)) if numeric else None)

    def classes(self, labels: Sequence[str]) -> list[str]:
        """Return the names of the model's outputs, which become id2label."""
        return list(labels)

    def truncation(self, max_length: int) -> str:
        """Return which inputs lose tokens, and by which limit, for a warning that begins with their number."""
        return f"texts are longer than {max_length} tokens"

    def fit(
        self, counts: ExampleCounts, labels: Sequence[str], examples: Iterable[E], tokenizer: TokenizerLike
    ) -> Self:
        """Return this task with the fields filled in that depend on the training data, such as class weights.

        Args:
            counts: of the rows that are trained on.
            labels: in the model's order.
            examples: those rows, read again where a task needs them.
            tokenizer: of the checkpoint.

        Raises:
            InputError: the data cannot be trained on.
        """
        return self

    def check_data(self, counts: ExampleCounts, labels: Sequence[str]) -> None:
        """Check the training split as a whole, before rows are held out or left out.

        Raises:
            InputError: the data cannot be trained on.
        """
        if counts.rows == counts.empty:
            flags = ", ".join(f"--{name}_column" for name in self.example.columns())
            raise InputError(f"all {counts.rows} rows have an empty text", fix=f"name the right columns: {flags}")

    def num_targets(self, batch: B) -> float:
        """Return the number of targets in the mean of `loss`, or the sum of their weights."""
        return len(batch["input_ids"])

    def check_model(self, config: Any) -> None:
        """Check by its configuration that a model can do the task.

        Raises:
            InputError: its architecture is made for something else.
        """

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Write the labels into a model's configuration."""
        classes = self.classes(labels)
        config.num_labels = len(classes)
        config.id2label = dict(enumerate(classes))
        config.label2id = {name: index for index, name in enumerate(classes)}

    def prepare_model(self, model: ModelLike) -> None:
        """Change the weights of a model that is about to be trained, such as those of a new head; by default none."""

    def notes(self) -> list[str]:
        """Return facts about a model of this task that its users should know, a sentence or two each."""
        return []

    def usable_options(self) -> frozenset[str]:
        """Return the inference options that change predictions, given the other fields of this task."""
        return self.inference_options

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for task.json."""
        return asdict(self)

    def to_row(self, prediction: P) -> dict[str, Any]:
        """Return a prediction as JSON."""
        return prediction.to_row()

    def view(self, prediction: P, example: E) -> View:
        """Return the view of a prediction in the web page, completed by the fields of the task."""
        return prediction.view(example)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the task that `to_dict` described.

        Raises:
            InputError: there are fields of a later version.
        """
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise InputError(
                f"task.json has unknown fields {sorted(unknown)}",
                fix="update ratsnlp_like: pip install -U ratsnlp_like",
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def tokenize(
        self, texts: Sequence[str], tokenizer: TokenizerLike, *, offsets: bool = True, keep: str | None = None
    ) -> list[tuple[Normalized, Tokens]]:
        """Normalise and tokenize texts, without special tokens; offsets refer to the normalised texts.

        Special tokens that are written in a text are text, except `keep`.
        """
        normalizer = Normalizer(self.normalization)
        normalized = [normalizer(text) for text in texts]
        tokens = tokenize(tokenizer, [n.text for n in normalized], offsets=offsets, keep=keep)
        return list(zip(normalized, tokens, strict=True))

    @staticmethod
    def window(
        tokenizer: TokenizerLike,
        first: Sequence[int],
        second: Sequence[int] | None = None,
        *,
        example: int,
        lost: int = 0,
    ) -> Features:
        """Return one or two sequences of token ids as a window with special tokens.

        Args:
            tokenizer: of the checkpoint.
            first: token ids of the text.
            second: token ids of the second text of a pair.
            example: position of the example.
            lost: number of tokens of the example that no window contains.
        """
        ids, types, _ = Template.of(tokenizer).build(first, second)
        if not ids:  # an empty text under a tokenizer without special tokens: no model takes zero tokens
            empty = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.pad_token_id
            ids, types = [empty], [0]
        if "token_type_ids" in tokenizer.model_input_names:
            return {"input_ids": ids, "token_type_ids": types, "example": example, "lost": lost}
        return {"input_ids": ids, "example": example, "lost": lost}

    @staticmethod
    def capacity(tokenizer: TokenizerLike, max_length: int, *, pair: bool = False) -> int:
        """Return the number of text tokens in a window of `max_length`.

        Raises:
            InputError: there are none.
        """
        capacity = Template.of(tokenizer).room(max_length, pair=pair)
        if capacity < 1:
            raise InputError(
                f"max_length {max_length} leaves no room for text besides the special tokens",
                place="--max_length",
                expected=f"at least {max_length - capacity + 1}",
            )
        return capacity

    @staticmethod
    def label_id(label: str, index: Mapping[str, int], example: Example) -> int:
        """Return the number of a label.

        Raises:
            InputError: the model does not know it.
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


AnyTask: TypeAlias = Task[Any, Any, Any, Any]
"""A task of any kind."""
