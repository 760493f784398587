"""Extractive question answering: the span of a text that answers a question, or nothing.

A long text is cut into windows that share tokens, each with the question. The answer is cut from the original text by
its characters, whatever the tokenizer. Where a particle is part of the last token of an answer, `spans` chooses how it
is cut off, as in named entity recognition.

With cut classes the model is a token classifier whose first two classes are the start and the end of an answer:
transformers' heads for question answering have two outputs and no others.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import InputError, raise_together
from ..examples.base import Example
from ..examples.entity import Entity
from ..examples.question import QuestionExample
from ..metrics.answers import answer_scores
from ..metrics.baselines import first_word
from ..modeling.probabilities import softmax
from ..registry import TASKS
from ..runtime.slices import slices
from ..runtime.types import Array, Noise, Tensor, TokenizerLike
from ..text.spans import windows
from ..text.tokens import Offset, Template
from .abilities import SupportsMatches, SupportsTuning
from .answers import (
    NO_ANSWER,
    NOTE_ON_CUTS,
    AnswerFeatures,
    AnswerPrediction,
    Candidate,
    ContextFeatures,
    EncodedContext,
    answer_cuts,
    answer_tokens,
    best_spans,
    best_threshold,
    exact_match,
)
from .base import IGNORED, ExampleCounts, Raw, Window
from .batches import pad_inputs
from .cuts import cut_loss
from .edges import EdgeCounts, MarkedText, SpanTask
from .explained_answers import ExplainedAnswers
from .features import LabelledBatch
from .forward import report_causal
from .matches import Match, answer_match

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics

log = logging.getLogger("ratsnlp_like")

_ANSWER = "answer"
"""Label under which particles are counted."""
_SHOWN = 5
"""Candidates that a prediction keeps."""


@dataclass(frozen=True)
class QuestionAnswering(
    SpanTask[QuestionExample, AnswerPrediction, AnswerFeatures, LabelledBatch],
    SupportsMatches[QuestionExample, AnswerPrediction],
    ExplainedAnswers,
    SupportsTuning[QuestionExample, AnswerPrediction],
):
    """The span of a context that answers a question."""

    name: ClassVar[str] = "question-answering"
    description: ClassVar[str] = "the span of a text that answers a question, or none: question, context, answers"
    example: ClassVar[type[Example]] = QuestionExample
    example_input: ClassVar[tuple[str, ...]] = ("언제 열었나?", "도서관은 1998년에 문을 열었다.")
    best_metric: ClassVar[str] = "char_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"n_best", "max_answer_length", "null_threshold"})
    outputs: ClassVar[tuple[str, ...]] = ("start_logits", "end_logits")
    refused_options: ClassVar[Mapping[str, str]] = {
        "label_smoothing": "its targets are positions in a text, not classes"
    }
    targets: ClassVar[frozenset[str]] = frozenset({"labels", "cuts"})

    doc_stride: int = 64
    """Tokens of the context that neighbouring windows share; at most half a window is used."""
    max_query_length: int = 64
    """Longest question in tokens; a longer one loses its end, which is reported."""
    max_answer_length: int = 30
    """Longest answer in tokens that is searched for."""
    n_best: int = 20
    """Most probable first and last tokens of a window that are combined."""
    null_threshold: float | None = None
    """Margin of logits by which "no answer" must exceed the best span to be predicted. Chosen on the validation set
    where the training data have questions without an answer; by default any span that is found is an answer."""

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
        from transformers import AutoModelForQuestionAnswering, AutoModelForTokenClassification

        return AutoModelForTokenClassification if self.has_cuts else AutoModelForQuestionAnswering

    def output_names(self) -> tuple[str, ...]:
        return ("logits",) if self.has_cuts else self.outputs

    def classes(self, labels: Sequence[str]) -> list[str]:
        return ["start", "end", *(self.cut_classes.names if self.cut_classes else ())]

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Configure the outputs: first and last token of an answer, and the cut classes where there are some."""
        if self.cut_classes:
            super().configure(config, labels)
        else:
            config.num_labels = 2  # without names, as transformers has them

    def notes(self) -> list[str]:
        return [NOTE_ON_CUTS] if self.has_cuts else []

    def check_model(self, config: Any) -> None:
        report_causal(config)

    def fit(
        self,
        counts: ExampleCounts,
        labels: Sequence[str],
        examples: Iterable[QuestionExample],
        tokenizer: TokenizerLike,
    ) -> Self:
        """Fill in `null_threshold`, and `particles` or `cuts`, and check that there are answers."""
        task = super().fit(counts, labels, (), tokenizer)
        edges, unanswerable, answerable = EdgeCounts(), 0, 0
        for part in slices(examples):
            unanswerable += sum(not example.answers for example in part)
            answerable += sum(bool(example.answers) for example in part)
            if self.needs_edges:
                edges.add(self.marked_texts(part, tokenizer))
        if not answerable:
            raise InputError(f"none of {unanswerable} questions has an answer", fix="check --answers_column")
        if unanswerable and task.null_threshold is None:
            log.info(
                "%s of %s questions have no answer: the model is trained to predict that too.",
                f"{unanswerable:,}", f"{unanswerable + answerable:,}",
            )  # fmt: skip
            task = replace(task, null_threshold=0.0)
        return task.with_edges(edges)

    def truncation(self, max_length: int) -> str:
        """Return that questions are cut off; no context is."""
        return f"questions are longer than {self.max_query_length} tokens (--max_query_length)"

    def marked_texts(self, examples: Sequence[QuestionExample], tokenizer: TokenizerLike) -> Iterator[MarkedText]:
        for example, (offsets, _) in zip(examples, self._contexts(examples, tokenizer), strict=True):
            spans = [Entity(a.start, a.start + len(a.text), _ANSWER) for a in (example.answers or ())[:1]]
            yield MarkedText(example.context, offsets, spans)

    def tuned(self, predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample]) -> Self:
        """Return this task with the threshold for "no answer" that gives the best KLUE-MRC EM."""
        if self.null_threshold is None:
            return self
        gains = [
            (p.null_margin, exact_match("", e) - exact_match(p.candidates[0].text, e))
            for p, e in zip(predictions, examples, strict=True)
            if p.candidates  # else there is no answer, whatever the threshold
        ]
        return replace(self, null_threshold=best_threshold(gains)) if gains else self

    def _contexts(
        self, examples: Sequence[QuestionExample], tokenizer: TokenizerLike
    ) -> Iterator[tuple[list[Offset], list[int]]]:
        """Yield offsets in the original context and token ids; equal contexts are tokenized once."""
        distinct = list(dict.fromkeys(example.context for example in examples))
        found = {}
        for text, (normalized, (ids, offsets)) in zip(distinct, self.tokenize(distinct, tokenizer), strict=True):
            found[text] = (offsets if not self.normalization else [normalized.to_original(*o) for o in offsets], ids)
        return (found[example.context] for example in examples)

    def _encode_contexts(
        self, examples: Sequence[QuestionExample], tokenizer: TokenizerLike, max_length: int
    ) -> Iterator[EncodedContext]:
        """Yield the windows of each example, without targets.

        Raises:
            InputError: the question leaves no room for the context.
        """
        before, between, _ = Template.of(tokenizer).pair
        capacity = self.capacity(tokenizer, max_length, pair=True)
        questions = self.tokenize([example.question for example in examples], tokenizer, offsets=False)
        contexts = self._contexts(examples, tokenizer)
        for i, (example, (_, (query, _)), (offsets, ids)) in enumerate(zip(examples, questions, contexts, strict=True)):
            question = query[: self.max_query_length]
            size = capacity - len(question)
            if size < 1:
                raise InputError(
                    f"the question has {len(query)} tokens, which leaves no room for the text in {max_length}",
                    place=example.place,
                    fix=f"--max_length {max_length + len(question)}, or --max_query_length {max(1, capacity // 2)}",
                )
            spans = windows(len(ids), size, min(self.doc_stride, size // 2))
            cut: list[ContextFeatures] = [
                {
                    **self.window(tokenizer, question, ids[start:end], example=i, lost=len(query) - len(question)),
                    "lead": len(before) + len(question) + len(between),
                    "starts": [offset[0] for offset in offsets[start:end]],
                    "ends": [offset[1] for offset in offsets[start:end]],
                }
                for start, end in spans
            ]
            yield EncodedContext(offsets, spans, cut, size)

    def encode_inputs(
        self, examples: Sequence[QuestionExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[ContextFeatures]:
        """Encode the question with each window of the context.

        Raises:
            InputError: the question leaves no room for the context.
        """
        encoded = self._encode_contexts(examples, tokenizer, max_length)
        return [window for context in encoded for window in context.windows]

    def encode(
        self, examples: Sequence[QuestionExample], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[AnswerFeatures]:
        """Encode the question with each window of the context; labels are the first and last token of the answer.

        Raises:
            InputError: the question leaves no room for the context, or no window holds the answer.
        """
        out: list[AnswerFeatures] = []
        encoded = self._encode_contexts(examples, tokenizer, max_length)
        for example, (offsets, spans, cut, size) in zip(examples, encoded, strict=True):
            target = answer_tokens(offsets, example)
            cuts = answer_cuts(self.cut_classes, offsets, example, target) if self.cut_classes else None
            if target is not None and not any(s <= target[0] and target[1] < e for s, e in spans):
                raise InputError(
                    f"no window holds the answer {example.answers[0].text[:60]!r}: "  # type: ignore[index]
                    f"{target[1] - target[0] + 1} tokens, but windows of {size} that share {self.doc_stride}",
                    place=example.place,
                    fix="a longer --max_length or --doc_stride, or a shorter answer",
                )
            for window, (start, end) in zip(cut, spans, strict=True):
                inside = target is not None and start <= target[0] and target[1] < end
                place = [window["lead"] + k - start for k in target] if inside and target else list(NO_ANSWER)
                out.append({**window, "labels": place})  # type: ignore[typeddict-item]
                if cuts is not None:
                    out[-1]["cuts"] = cuts if inside else [IGNORED, IGNORED]
        return out

    def collate(
        self, features: Sequence[AnswerFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> LabelledBatch:
        """Pad windows; labels are positions of tokens. Shape: (batch, 2)."""
        import torch

        rows: Sequence[Any] = features
        names = sorted(self.targets & rows[0].keys())
        batch: Any = pad_inputs(features, tokenizer)
        return batch | {name: torch.tensor([list(row[name]) for row in rows], dtype=torch.int64) for name in names}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Tensor:
        """Return the mean cross entropy of first and last token, over the tokens of the window.

        The cross entropies of the cuts of these two tokens are added, each with the weight of a position.
        """
        import torch
        from torch.nn import functional as F

        positions = batch["labels"]
        if self.cut_classes is None:
            logits = torch.stack([outputs.start_logits, outputs.end_logits], dim=2).float()
        else:
            logits, front, end = self.cut_classes.split(outputs.logits.float())
        loss = F.cross_entropy(logits.masked_fill(batch["attention_mask"][:, :, None] == 0, -1e9), positions)
        if self.cut_classes is None:
            return loss
        rows = torch.arange(len(positions), device=positions.device)
        targets: Mapping[str, Tensor] = batch  # type: ignore[assignment]
        cuts = front[rows, positions[:, 0]], end[rows, positions[:, 1]]
        return loss + cut_loss(cuts, targets["cuts"].unbind(1)) / positions.numel()

    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[Raw]:
        """Return the logits of each window: start, end, and cuts where there are some. Shape: (tokens, 2 or more)."""
        import numpy as np

        lengths = batch["attention_mask"].sum(1).tolist()
        names = self.output_names()
        rows = outputs[names[0]] if len(names) == 1 else np.stack([outputs[name] for name in names], axis=2)
        return [row[:n].copy() for row, n in zip(rows, lengths, strict=True)]

    def agrees(self, one: AnswerPrediction, other: AnswerPrediction) -> bool:
        """Return whether two answers are the same span, whatever the other candidates."""
        return (one.start, one.end) == (other.start, other.end)

    def decode(
        self,
        example: QuestionExample,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> AnswerPrediction:
        """Return the best span over all windows, or no answer by `null_threshold`."""
        import numpy as np

        spans: dict[tuple[int, int], float] = {}
        nothing = math.inf
        for features, raw in windows:
            nothing = min(nothing, float(raw[0, 0] + raw[0, 1]))
            cuts = self.cut_classes.probabilities(raw[int(features["lead"]) :]) if self.cut_classes else ()
            limits = {"n_best": self.n_best, "max_answer_length": self.max_answer_length}
            for first, last, score in best_spans(features, raw, **limits):
                tokens = [(int(features["starts"][k]), int(features["ends"][k])) for k in (first, last)]
                own = [group[k] for group, k in zip(cuts, (first, last), strict=bool(cuts))]
                begin, end, share = self.edges(example.context, _ANSWER, tokens[0], tokens[1], own)
                total = score + math.log(max(share, 1e-30))
                spans[begin, end] = max(total, spans.get((begin, end), -math.inf))
        best = sorted(spans.items(), key=lambda item: (-item[1], item[0]))[: self.n_best]
        shares = softmax(np.array([nothing, *(score for _, score in best)]))
        candidates = tuple(
            Candidate(example.context[start:end], start, end, float(share))
            for ((start, end), _), share in zip(best, shares[1:], strict=True)
        )
        margin = nothing - best[0][1] if best else math.inf
        if not candidates or (self.null_threshold is not None and margin > self.null_threshold):
            return AnswerPrediction("", 0, 0, float(shares[0]), candidates[:_SHOWN], margin)
        return AnswerPrediction(*candidates[0], candidates[:_SHOWN], margin)

    def score(
        self, predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        return answer_scores([[a.text for a in e.answers or ()] for e in examples], [p.text for p in predictions])

    def statistics(
        self, predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample], labels: Sequence[str]
    ) -> ExampleStatistics:
        """Return the sufficient statistics of the scores, whose units are documents; see `SupportsStatistics`."""
        from ..metrics.statistics import answer_statistics

        gold = [[answer.text for answer in example.answers or ()] for example in examples]
        return answer_statistics(gold, [p.text for p in predictions], [example.context for example in examples])

    def baselines(
        self,
        train: Sequence[QuestionExample],
        examples: Sequence[QuestionExample],
        labels: Sequence[str],
        tokenizer: TokenizerLike,
    ) -> dict[str, list[AnswerPrediction]]:
        """Return the first word of each context."""
        spans = [(example.context, *first_word(example.context)) for example in examples]
        return {"the first word": [AnswerPrediction(text[s:e], s, e, 1.0) for text, s, e in spans]}

    def oracle_output(self, features: AnswerFeatures, labels: Sequence[str]) -> Array:
        """Return the logits of a perfect model for a window. Shape: (tokens, 2 or more)."""
        import numpy as np

        classes = self.cut_classes.names if self.cut_classes else ()
        raw = np.full((len(features["input_ids"]), 2 + len(classes)), -20.0)
        first, last = features["labels"]
        raw[first, 0] = raw[last, 1] = 20.0
        if self.cut_classes:
            _, front, end = self.cut_classes.split(raw)
            front[first, max(0, features["cuts"][0])] = end[last, max(0, features["cuts"][1])] = 20.0
        return raw

    def gold_prediction(self, example: QuestionExample) -> AnswerPrediction:
        if not example.answers:
            return AnswerPrediction("", 0, 0, 1.0)
        text, start = example.answers[0]
        return AnswerPrediction(text, start, start + len(text), 1.0)

    def matches(self, prediction: AnswerPrediction, example: QuestionExample) -> list[Match]:
        found = prediction.start, prediction.end, prediction.score
        return [answer_match(example.context, example.answers or (), *found)]

    def inexpressible(self, example: QuestionExample, oracle: AnswerPrediction) -> list[str]:
        """Return the answer that the tokens cannot express, with the span that they express instead."""
        gold = self.gold_prediction(example)
        if (oracle.start, oracle.end) == (gold.start, gold.end):
            return []
        return [f"{gold.text} -> {oracle.text or 'nothing'}"]


TASKS.register("question-answering", QuestionAnswering)
