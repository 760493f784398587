"""Extractive question answering: the span of a text that answers a question, or nothing.

A long text goes through windows that share tokens; the question stands in each. The answer is cut from the original
text by its characters, whatever the tokenizer. Where a particle is glued to an answer within one token, `particles`
learns to cut it off, as in named entity recognition.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple, Self

from ..errors import InputError, raise_together
from ..examples.base import Example
from ..examples.entity import Entity
from ..examples.question import Answer, QuestionExample
from ..metrics.answers import answer_scores
from ..registry import TASKS
from ..runtime.slices import slices
from ..runtime.types import Array, Noise, Tensor
from ..text.particles import ParticleCounts, without_particle
from ..text.spans import windows
from ..text.tokens import Offset, Template
from .base import BatchOutput, Features, Raw, Statistics, Task, Window
from .batches import inputs, numbers, pad_inputs

log = logging.getLogger("ratsnlp_like")

_ANSWER = "answer"
"""The label under which particles are counted."""
_SHOWN = 5
"""Candidates that a prediction keeps."""
_NOTHING = (0, 0)
"""Where a model points that finds no answer: at the first token, [CLS]."""


class Candidate(NamedTuple):
    """A possible answer."""

    text: str
    start: int
    end: int
    """In characters of the context, `end` exclusive; 0 and 0 for no answer."""
    score: float
    """Its probability among the candidates of all windows, 0 to 1."""


@dataclass(frozen=True)
class AnswerPrediction:
    """The answer to a question."""

    text: str
    """As it stands in the context; empty where there is none."""
    start: int
    end: int
    """In characters of the context, `end` exclusive."""
    score: float
    """Probability among the candidates."""
    candidates: tuple[Candidate, ...] = ()
    """The likeliest spans, best first."""
    null_margin: float = -math.inf
    """Logit of "no answer" minus that of the best span."""


@dataclass(frozen=True)
class QuestionAnswering(Task[QuestionExample, AnswerPrediction]):
    """Where in a text the answer to a question stands."""

    name: ClassVar[str] = "question-answering"
    description: ClassVar[str] = "the span of a text that answers a question, or none: question, context, answers"
    example: ClassVar[type[Example]] = QuestionExample
    example_input: ClassVar[tuple[str, ...]] = ("언제 열었나?", "도서관은 1998년에 문을 열었다.")
    best_metric: ClassVar[str] = "char_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"n_best", "max_answer_length", "null_threshold"})
    outputs: ClassVar[tuple[str, ...]] = ("start_logits", "end_logits")

    doc_stride: int = 64
    """Tokens of the text that neighbouring windows share; at most half a window is used."""
    max_query_length: int = 64
    """Longest question in tokens; of a longer one the end is cut off, and reported."""
    max_answer_length: int = 30
    """Longest answer in tokens that is looked for."""
    n_best: int = 20
    """Likeliest beginnings and ends of a window that are combined."""
    null_threshold: float | None = None
    """How much more likely "no answer" must be than the best span, in logits, to be said. Chosen on the validation
    set where the training data have questions without an answer; nothing: there is one wherever a span is found."""
    particles: Literal["learn"] | dict[str, list[str]] | None = None
    """What is cut off the last token of an answer: endings, `learn` to take them from the training data, or nothing."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = {"doc_stride": 0, "max_query_length": 1, "max_answer_length": 1, "n_best": 1}
        raise_together(
            [
                InputError(f"{getattr(self, name)}", place=f"--{name}", expected=f"at least {low}")
                for name, low in least.items()
                if getattr(self, name) < low
            ]
        )

    def model_class(self) -> Any:
        """The standard head."""
        from transformers import AutoModelForQuestionAnswering

        return AutoModelForQuestionAnswering

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """See `Task.configure`; two outputs, beginning and end."""
        config.num_labels = 2

    def check_model(self, config: Any) -> None:
        """See `Task.check_model`.

        Raises:
            InputError: the checkpoint writes from left to right, so that a token knows nothing of what follows.
        """
        from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as ANSWERING

        if config.model_type not in ANSWERING or config.model_type.startswith("gpt"):
            raise InputError(
                f"the checkpoint is a {config.model_type}",
                place=f"--task {self.name}",
                expected="an encoder that sees the whole text: a BERT, a RoBERTa, an ELECTRA",
                fix="klue/bert-base, monologg/koelectra-base-v3-discriminator, ko-tiny-bert, ...",
            )

    def fit(
        self, statistics: Statistics, labels: Sequence[str], examples: Iterable[QuestionExample], tokenizer: Any
    ) -> Self:
        """Fills in `null_threshold` and `particles`; see `Task.fit`."""
        task = super().fit(statistics, labels, (), tokenizer)
        counts, unanswerable, answerable = ParticleCounts(), 0, 0
        for part in slices(examples):
            unanswerable += sum(not example.answers for example in part)
            answerable += sum(bool(example.answers) for example in part)
            if self.particles == "learn":
                self._count(counts, part, tokenizer)
        if not answerable:
            raise InputError(f"none of {unanswerable} questions has an answer", fix="check --answers_column")
        if unanswerable and task.null_threshold is None:
            log.info(
                "%s of %s questions have no answer: to say so is learnt too.",
                f"{unanswerable:,}", f"{unanswerable + answerable:,}",
            )  # fmt: skip
            task = replace(task, null_threshold=0.0)
        return replace(task, particles=counts.particles()) if task.particles == "learn" else task

    def too_long(self, max_length: int) -> str:
        """See `Task.too_long`: a context goes through windows whole, only a question is cut."""
        return f"questions are longer than {self.max_query_length} tokens (--max_query_length)"

    def _count(self, counts: ParticleCounts, examples: Sequence[QuestionExample], tokenizer: Any) -> None:
        for example, (offsets, _) in zip(examples, self._contexts(examples, tokenizer), strict=True):
            for answer in (example.answers or ())[:1]:
                span = Entity(answer.start, answer.start + len(answer.text), _ANSWER)
                counts.add(example.context, offsets, [span])

    def improved(self, examples: Iterable[QuestionExample], tokenizer: Any) -> tuple[str, Self] | None:
        """See `Task.improved`."""
        if self.particles is not None:
            return None
        counts = ParticleCounts()
        self._count(counts, list(examples), tokenizer)
        return "--particles learn", replace(self, particles=counts.particles())

    def tuned(self, predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample]) -> Self:
        """With the threshold for "no answer" that gives the best KLUE-MRC EM; see `Task.tuned`."""
        if self.null_threshold is None:
            return self
        gains = sorted(
            (
                (p.null_margin, _exact("", e) - _exact(p.candidates[0].text, e))
                for p, e in zip(predictions, examples, strict=True)
                if p.candidates  # else there is no answer, whatever the threshold
            ),
            reverse=True,
        )
        if not gains:
            return self
        best, total, threshold = 0, 0, gains[0][0]
        for k, (margin, gain) in enumerate(gains):  # "no answer" for the k + 1 most likely ones
            total += gain
            following = gains[k + 1][0] if k + 1 < len(gains) else margin - 1.0
            if total > best and following < margin:
                best, threshold = total, (margin + following) / 2
        return replace(self, null_threshold=float(threshold))

    def _contexts(
        self, examples: Sequence[QuestionExample], tokenizer: Any
    ) -> Iterator[tuple[list[Offset], list[int]]]:
        """Offsets of the tokens in the original contexts, and their ids; a context is tokenized once for its run."""
        distinct = list(dict.fromkeys(example.context for example in examples))
        found = {}
        for text, (normalized, (ids, offsets)) in zip(distinct, self.tokenize(distinct, tokenizer), strict=True):
            found[text] = (offsets if not self.normalization else [normalized.to_original(*o) for o in offsets], ids)
        return (found[example.context] for example in examples)

    def encode(
        self, examples: Sequence[QuestionExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; labels are the tokens at which the answer begins and ends, (0, 0) where it is elsewhere.

        Raises:
            InputError: the question leaves no room for the text, or no window holds the answer.
        """
        before, between, _ = Template.of(tokenizer).pair
        room = self.room(tokenizer, max_length, pair=True)
        questions = self.tokenize([example.question for example in examples], tokenizer, offsets=False)
        contexts = self._contexts(examples, tokenizer)
        out: list[Features] = []
        for i, (example, (_, (query, _)), (offsets, ids)) in enumerate(zip(examples, questions, contexts, strict=True)):
            asked = query[: self.max_query_length]
            left = room - len(asked)
            if left < 1:
                raise InputError(
                    f"the question has {len(query)} tokens, which leaves no room for the text in {max_length}",
                    place=example.place,
                    fix=f"--max_length {max_length + len(asked)}, or --max_query_length {max(1, room // 2)}",
                )
            lead = len(before) + len(asked) + len(between)
            target = None if labels is None else _target(offsets, example)
            spans = windows(len(ids), left, min(self.doc_stride, left // 2))
            if target is not None and not any(s <= target[0] and target[1] < e for s, e in spans):
                raise InputError(
                    f"no window holds the answer {example.answers[0].text[:60]!r}: "  # type: ignore[index]
                    f"{target[1] - target[0] + 1} tokens, but windows of {left} that share {self.doc_stride}",
                    place=example.place,
                    fix="a longer --max_length or --doc_stride, or a shorter answer",
                )
            for start, end in spans:
                features, _ = self.window(tokenizer, asked, ids[start:end])
                features |= {
                    "example": i,
                    "lost": len(query) - len(asked),
                    "lead": lead,
                    "starts": [offset[0] for offset in offsets[start:end]],
                    "ends": [offset[1] for offset in offsets[start:end]],
                }
                if labels is not None:
                    inside = target is not None and start <= target[0] and target[1] < end
                    place = [lead + position - start for position in target] if inside and target else list(_NOTHING)
                    features["labels"] = place
                out.append(features)
        return out

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; labels are (batch, 2)."""
        import torch

        batch = pad_inputs(features, tokenizer)
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([list(f["labels"]) for f in features], dtype=torch.int64)
        return batch

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean of the cross entropies of beginning and end, over the tokens of the window."""
        return _loss(_logits(model, batch), batch["labels"])

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (tokens, 2) logits."""
        logits = _logits(model, batch)
        loss = _loss(logits, batch["labels"]) if "labels" in batch else None
        said = {name: numbers(logits[:, :, k]) for k, name in enumerate(self.outputs)}
        return BatchOutput(self.raw(said, batch), loss, len(logits))

    def raw(self, said: Mapping[str, Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        """See `Task.raw`."""
        import numpy as np

        lengths = batch["attention_mask"].sum(1).tolist()
        both = np.stack([said[name] for name in self.outputs], axis=2)
        return [row[:n].copy() for row, n in zip(both, lengths, strict=True)]

    def agrees(self, one: AnswerPrediction, other: AnswerPrediction) -> bool:
        """See `Task.agrees`: the answer, whatever stands behind it among the candidates."""
        return (one.start, one.end) == (other.start, other.end)

    def decode(
        self, example: QuestionExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> AnswerPrediction:
        """See `Task.decode`; the best span over all windows, or none where the threshold says so."""
        import numpy as np

        spans: dict[tuple[int, int], float] = {}
        nothing = math.inf
        for features, raw in windows:
            nothing = min(nothing, float(raw[0, 0] + raw[0, 1]))
            for start, end, score in self._spans(features, raw):
                if isinstance(self.particles, dict):
                    last = int(features["starts"][np.searchsorted(features["ends"], end)]), end
                    end = max(start + 1, without_particle(example.context, last, _ANSWER, self.particles))
                spans[start, end] = max(score, spans.get((start, end), -math.inf))
        best = sorted(spans.items(), key=lambda item: (-item[1], item[0]))[: self.n_best]
        scores = np.array([nothing, *(score for _, score in best)])
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        candidates = tuple(
            Candidate(example.context[start:end], start, end, float(share))
            for ((start, end), _), share in zip(best, shares[1:], strict=True)
        )
        margin = nothing - best[0][1] if best else math.inf
        if not candidates or (self.null_threshold is not None and margin > self.null_threshold):
            return AnswerPrediction("", 0, 0, float(shares[0]), candidates[:_SHOWN], margin)
        first = candidates[0]
        return AnswerPrediction(first.text, first.start, first.end, first.score, candidates[:_SHOWN], margin)

    def _spans(self, features: Mapping[str, Any], raw: Array) -> Iterator[tuple[int, int, float]]:
        """The likeliest spans of a window, in characters, each with the sum of its two logits."""
        import numpy as np

        starts, ends = np.asarray(features["starts"]), np.asarray(features["ends"])
        lead, count = int(features["lead"]), len(starts)
        shown = starts < ends  # tokens that show nothing begin and end no answer
        begin, finish = (np.where(shown, raw[lead : lead + count, k], -np.inf) for k in (0, 1))
        firsts = np.argsort(-begin, kind="stable")[: self.n_best]
        lasts = np.argsort(-finish, kind="stable")[: self.n_best]
        scores = begin[firsts][:, None] + finish[lasts]
        length = lasts - firsts[:, None]  # less one
        scores[(length < 0) | (length >= self.max_answer_length)] = -np.inf
        order = np.argsort(-scores, axis=None, kind="stable")[: self.n_best]
        for first, last, score in zip(*np.unravel_index(order, scores.shape), scores.flat[order], strict=True):
            if score > -np.inf:
                yield int(starts[firsts[first]]), int(ends[lasts[last]]), float(score)

    def score(
        self, predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        """See `answer_scores`."""
        return answer_scores([[a.text for a in e.answers or ()] for e in examples], [p.text for p in predictions])

    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Array:
        """See `Task.gold`."""
        import numpy as np

        raw = np.full((len(features["input_ids"]), 2), -20.0)
        raw[features["labels"][0], 0] = raw[features["labels"][1], 1] = 20.0
        return raw

    def answer(self, example: QuestionExample) -> AnswerPrediction:
        """See `Task.answer`."""
        if not example.answers:
            return AnswerPrediction("", 0, 0, 1.0)
        text, start = example.answers[0]
        return AnswerPrediction(text, start, start + len(text), 1.0)

    def inexpressible(self, example: QuestionExample, oracle: AnswerPrediction) -> list[str]:
        """See `Task.inexpressible`."""
        wanted = self.answer(example)
        if (oracle.start, oracle.end) == (wanted.start, wanted.end):
            return []
        return [f"{wanted.text} -> {oracle.text or 'nothing'}"]

    def to_row(self, prediction: AnswerPrediction) -> dict[str, Any]:
        """See `Task.to_row`."""
        return {
            "answer": prediction.text,
            "start": prediction.start,
            "end": prediction.end,
            "score": prediction.score,
            "candidates": [candidate._asdict() for candidate in prediction.candidates],
        }


def _exact(text: str, example: QuestionExample) -> int:
    return round(answer_scores([[answer.text for answer in example.answers or ()]], [text])["klue_mrc_em"])


def _target(offsets: Sequence[Offset], example: QuestionExample) -> tuple[int, int] | None:
    """The first and the last token that show characters of the answer; None without an answer."""
    if not example.answers:
        return None
    text, start = example.answers[0]
    return _covering(offsets, Answer(text, start), example)


def _covering(offsets: Sequence[Offset], answer: Answer, example: QuestionExample) -> tuple[int, int]:
    begin, finish = answer.start, answer.start + len(answer.text)
    inside = [k for k, (s, e) in enumerate(offsets) if s < e and s < finish and begin < e]
    if not inside:
        raise InputError(
            f"the tokenizer and the normalisation leave nothing of the answer {answer.text[:60]!r}",
            place=example.place,
            fix="take the row out, or use another --normalization",
        )
    return inside[0], inside[-1]


def _logits(model: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Shape: (batch, tokens, 2); padding is impossible."""
    import torch

    output = model(**inputs(batch))
    logits = torch.stack([output.start_logits, output.end_logits], dim=2).float()
    return logits.masked_fill(batch["attention_mask"][:, :, None] == 0, -1e9)


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    from torch.nn import functional as F

    return F.cross_entropy(logits, labels)


TASKS.register("question-answering", QuestionAnswering)
