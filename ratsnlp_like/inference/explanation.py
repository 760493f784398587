"""Explanation of a decision by the words of the input: integrated gradients over the embeddings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..examples.base import Example
from ..runtime.types import Array, Tensor
from ..tasks.abilities import SupportsExplanation
from ..text.tokens import Template
from .onnx import OnnxModel

if TYPE_CHECKING:
    from .predictor import Predictor

TOLERANCE = 0.01
"""Largest error of completeness, relative to the difference that is attributed."""
_STEPS = (16, 32, 64, 128, 256, 512)
"""Points of the path; more are taken until the error is within the tolerance."""
_BATCH = 32
_EOJEOL = re.compile(r"\S+")


@dataclass(frozen=True)
class Word:
    """An eojeol and its part in a decision."""

    field: str
    """Name of the field of the input."""
    text: str
    start: int
    end: int
    """In characters of the field, `end` exclusive."""
    weight: float
    """Sum of the attributions of its tokens: above 0 for the decision, below 0 against it."""


@dataclass(frozen=True)
class Explanation:
    """The part of each eojeol in a decision."""

    target: str
    """What was decided, such as the class, or an entity with its type."""
    words: tuple[Word, ...]
    value: float
    """What is attributed: the log-odds of the class, the score, the log-odds of the first and last token of the answer,
    or the mean log-odds of the type of an entity over its tokens."""
    baseline: float
    """The same without the words, whose embeddings are replaced by that of padding."""
    error: float
    """Error of completeness: the distance of the sum of all attributions from `value - baseline`, relative to it."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def explain(predictor: Predictor, example: Example) -> list[Explanation]:
    """Explain the prediction for an input.

    Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365) of a decision with respect to the word
    embeddings, on the straight path from the embedding of padding, integrated by Gauss-Legendre quadrature and summed
    over the tokens of each eojeol. Special tokens stay as they are. The sum of all attributions is the difference of
    the decision between both ends of the path (completeness), which is checked: points are added until the error is
    below 1%.

    Args:
        predictor: with a torch model.
        example: one input.

    Returns:
        An explanation of each decision: one for each entity of a text, otherwise one.

    Raises:
        InputError: the model is an ONNX model, or the task generates text.
    """
    task = check_explainable(predictor)
    (prediction,) = predictor.predict([example])
    windows = task.encode_inputs([example], predictor.tokenizer, predictor.max_length)
    return [_explained(predictor, example, decision, windows) for decision in task.explained_decisions(prediction)]


def _explained(predictor: Predictor, example: Example, decision: Any, windows: Sequence[Any]) -> Explanation:
    """Explain one decision, as the mean over the windows that it was made in."""
    task: Any = predictor.task
    windows = task.explained_windows(decision, windows)
    parts = [_attributions(predictor, window, decision) for window in windows]
    value, baseline = (float(np.mean([part[k] for part in parts])) for k in (1, 2))
    weights: dict[tuple[str, int, int], float] = {}
    total = 0.0
    for window, (attributions, _, _) in zip(windows, parts, strict=True):
        total += float(attributions.sum()) / len(windows)
        for word, weight in _by_word(predictor, example, window, attributions):
            weights[word] = weights.get(word, 0.0) + weight / len(windows)
    error = abs(total - (value - baseline)) / max(abs(value - baseline), 1e-6)
    texts = _texts(example)
    words = tuple(
        Word(name, texts[name][start:end], start, end, weights.get((name, start, end), 0.0))
        for name, start, end in _words(texts)
    )
    return Explanation(task.explained_target(decision), words, value, baseline, error)


def is_explainable(predictor: Predictor) -> bool:
    """Return True if decisions of a model can be explained."""
    try:
        check_explainable(predictor)
    except InputError:
        return False
    return True


def check_explainable(predictor: Predictor) -> Any:
    """Check that decisions of a model can be explained, and return its task.

    Raises:
        InputError: they cannot, for the reason that the message states.
    """
    if isinstance(predictor.model, OnnxModel):
        raise InputError(
            "an ONNX model computes predictions alone, and an explanation needs gradients",
            place="--explain",
            fix="use the folder of the run that was exported",
        )
    task = predictor.task
    if not isinstance(task, SupportsExplanation):
        raise InputError(
            f"{task.name} makes a decision for each token that it writes, and an explanation is of one decision",
            place="--explain",
            expected="a model for classes, pairs, scores, entities or answers",
        )
    if next(predictor.model.parameters()).element_size() < 4:
        raise InputError("gradients in 16 bits are too coarse", place="--explain", fix="--precision 32")
    return task


def _attributions(predictor: Predictor, window: Mapping[str, Any], prediction: Any) -> tuple[Array, float, float]:
    """Return the attribution of each token of a window, and the decision at both ends of the path."""
    import torch

    layer = predictor.model.get_input_embeddings()
    ids = torch.tensor(window["input_ids"], device=predictor.model.device)
    marks = set(predictor.tokenizer.all_special_ids) - {predictor.tokenizer.unk_token_id}
    special = torch.tensor([i in marks for i in ids.tolist()])
    with torch.no_grad():
        end = layer(ids).detach()
        padding = layer(torch.full_like(ids, predictor.tokenizer.pad_token_id)).detach()
        start = torch.where(special.to(ids.device)[:, None], end, padding)
    path = _Path(predictor, window, prediction, start, end)
    low, high = path.values(np.array([0.0, 1.0]))
    attributions = np.zeros(len(ids))
    for steps in _STEPS:
        attributions = path.integrated(steps)
        if abs(attributions.sum() - (high - low)) <= TOLERANCE / 2 * abs(high - low):
            break
    return attributions, high, low


@dataclass(frozen=True)
class _Path:
    """The decision as a function of a share of the way from one array of embeddings to another."""

    predictor: Predictor
    window: Mapping[str, Any]
    prediction: Any
    start: Tensor
    end: Tensor

    def values(self, shares: Array) -> list[float]:
        """Return the decision at some points."""
        import torch

        with torch.no_grad():
            return [float(value) for value in self._decide(self._points(shares))]

    def integrated(self, steps: int) -> Array:
        """Return the attribution of each token, from the gradients at `steps` points. Shape: (tokens,)."""
        import torch

        nodes, weights = np.polynomial.legendre.leggauss(steps)
        total = torch.zeros_like(self.start, dtype=torch.float64)
        for first in range(0, steps, _BATCH):
            points = self._points((nodes[first : first + _BATCH] + 1) / 2).requires_grad_()
            (gradient,) = torch.autograd.grad(self._decide(points).sum(), points)
            own = torch.tensor(weights[first : first + _BATCH] / 2, device=gradient.device)
            total += torch.einsum("s,std->td", own, gradient.double())
        found: Array = (total * (self.end - self.start).double()).sum(1).cpu().numpy()
        return found

    def _points(self, shares: Array) -> Tensor:
        import torch

        at = torch.tensor(shares, dtype=self.start.dtype, device=self.start.device)[:, None, None]
        return torch.lerp(self.start[None], self.end[None], at)

    def _decide(self, embeddings: Tensor) -> Tensor:
        """Return the decision for each of some arrays of embeddings. Shape: (points,)."""
        predictor, task = self.predictor, self.predictor.task
        assert isinstance(task, SupportsExplanation)
        batch: Any = task.collate_inputs([self.window] * len(embeddings), predictor.tokenizer)  # type: ignore[list-item]
        inputs = {name: value.to(embeddings.device) for name, value in batch.items() if hasattr(value, "to")}
        with _replaced(predictor.model.get_input_embeddings(), embeddings):
            outputs = predictor.model(**inputs)
        return task.explained_output(outputs, self.prediction, predictor.labels, self.window)


@contextmanager
def _replaced(layer: Any, embeddings: Tensor) -> Iterator[None]:
    """Let the layer of word embeddings return these, whatever the ids and the arrangement of the tokens."""
    hook = layer.register_forward_hook(lambda module, inputs, output: embeddings.reshape(output.shape))
    try:
        yield
    finally:
        hook.remove()


def _texts(example: Example) -> dict[str, str]:
    return {name: value for name, value in example.inputs().items() if isinstance(value, str)}


def _words(texts: Mapping[str, str]) -> list[tuple[str, int, int]]:
    return [(name, match.start(), match.end()) for name, text in texts.items() for match in _EOJEOL.finditer(text)]


def _by_word(
    predictor: Predictor, example: Example, window: Mapping[str, Any], attributions: Array
) -> Iterator[tuple[tuple[str, int, int], float]]:
    """Yield the attribution of each token of a window with the eojeol that it is from."""
    texts = _texts(example)
    words = _words(texts)
    encoded = predictor.task.tokenize(list(texts.values()), predictor.tokenizer)
    template = Template.of(predictor.tokenizer)
    at = len(template.pair[0] if len(texts) > 1 else template.single[0])
    between = len(template.pair[1]) if len(texts) > 1 else 0
    for name, (normalized, tokens) in zip(texts, encoded, strict=True):
        if "starts" in window and name == list(texts)[-1]:  # a part of a long text, which may repeat itself
            starts, at = window["starts"], window["lead"]
        else:
            kept = _kept(tokens.ids, window["input_ids"], at)
            starts = [normalized.to_original(*tokens.offsets[k])[0] for k in kept]
        for start in starts:
            word = next((own for own in words if own[0] == name and own[1] <= start < own[2]), None)
            if word is not None:
                yield word, float(attributions[at])
            at += 1
        at += between


def _kept(tokens: Sequence[int], window: Sequence[int], at: int) -> Iterator[int]:
    """Yield the positions of the tokens of a text that a window has from `at` on: a run of them, or head and tail."""
    rest = list(window[at:])
    runs = [(_common(tokens[first:], rest), -first) for first in range(max(1, len(tokens)))]
    longest, first = max(runs, default=(0, 0))
    head = _common(tokens, rest)
    if head < longest:
        yield from range(-first, -first + longest)
        return
    yield from range(head)
    tail = rest[head:]
    if (missing := len(tokens) - head) and tail:
        size = next((n for n in range(min(missing, len(tail)), 0, -1) if list(tokens[-n:]) == tail[:n]), 0)
        yield from range(len(tokens) - size, len(tokens))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the length of the common beginning of two sequences."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
