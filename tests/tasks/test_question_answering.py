"""Question answering: windows, decoding, the threshold of "no answer", training."""

from __future__ import annotations

import json
import math
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import NO_DROPOUT, TINY, job, write
from torch.nn import functional as F

from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.metrics.answers import klue_mrc_normalized
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.tasks.answers import AnswerPrediction, Candidate
from ratsnlp_like.tasks.base import ExampleCounts, Window
from ratsnlp_like.tasks.question_answering import QuestionAnswering
from ratsnlp_like.training.finetune import fine_tune

Q = QuestionExample
near: Any = pytest.approx
CONTEXT = "도서관은 1998년에 문을 열었다. 관장은 김하늘이다. 도서관은 크다."
"""도서관 is at 0 and at 31, 1998년 at 5, 김하늘 at 24."""


# Every syllable of these texts is a token of the tiny tokenizer; token k is at (2k, 2k + 1).

EIGHT = "가 나 다 고 공 구 국 기"
QUESTION = "너 는"


def ids(tokenizer: Any, text: str) -> list[int]:
    """Of words that are tokens."""
    found: list[int] = tokenizer.convert_tokens_to_ids(text.split())
    assert tokenizer.unk_token_id not in found
    return found


def question_on(answer: str | None, context: str = EIGHT, question: str = QUESTION) -> QuestionExample:
    """A question with one answer, or none."""
    answers = () if answer is None else (Answer(answer, context.index(answer)),)
    return Q(question, context, answers, place=Place("own.json", 9))


def encoded(example: QuestionExample, tokenizer: Any, max_length: int = 9, **fields: Any) -> list[dict[str, Any]]:
    """Its windows with labels: nine tokens, of which four are of the text, half of them shared."""
    return QuestionAnswering(**{"doc_stride": 2, **fields}).encode([example], tokenizer, [], max_length)


class TestEncode:
    def test_windows(self, tiny_tokenizer: Any) -> None:
        prefix = [2, *ids(tiny_tokenizer, QUESTION), 3]
        common = {"token_type_ids": [0] * 4 + [1] * 5, "example": 0, "lost": 0, "lead": 4}
        assert encoded(question_on("공 구"), tiny_tokenizer) == [
            common
            | {"input_ids": [*prefix, *ids(tiny_tokenizer, text), 3], "starts": starts, "labels": labels}
            | {"ends": [start + 1 for start in starts]}
            for text, starts, labels in [
                ("가 나 다 고", [0, 2, 4, 6], [0, 0]),
                ("다 고 공 구", [4, 6, 8, 10], [6, 7]),
                ("공 구 국 기", [8, 10, 12, 14], [4, 5]),
            ]
        ]

    @pytest.mark.parametrize(
        ("answer", "labels"),
        [
            ("가", [[4, 4], [0, 0], [0, 0]]),  # at 0
            ("가 나 다 고", [[4, 7], [0, 0], [0, 0]]),
            ("고 공", [[0, 0], [5, 6], [0, 0]]),  # the first and the last hold a part
            ("다 고", [[6, 7], [4, 5], [0, 0]]),
            ("기", [[0, 0], [0, 0], [7, 7]]),
            (" 공 ", [[0, 0], [6, 6], [4, 4]]),  # spaces are no tokens
            (None, [[0, 0], [0, 0], [0, 0]]),
        ],
    )
    def test_labels(self, answer: str | None, labels: list[list[int]], tiny_tokenizer: Any) -> None:
        assert [window["labels"] for window in encoded(question_on(answer), tiny_tokenizer)] == labels

    def test_the_first_answer_is_the_target(self, tiny_tokenizer: Any) -> None:
        example = replace(question_on("기"), answers=(Answer("나", 2), Answer("기", 14)))
        assert [w["labels"] for w in encoded(example, tiny_tokenizer)] == [[5, 5], [0, 0], [0, 0]]

    def test_a_part_of_a_token(self, tiny_tokenizer: Any) -> None:
        """A particle is part of the answer's token: the whole token is the target."""
        example = Q(QUESTION, "쀍뷁은 가", (Answer("쀍뷁", 0),))
        (window,) = encoded(example, tiny_tokenizer)
        assert (window["starts"], window["ends"], window["labels"]) == ([0, 4], [3, 5], [4, 4])

    def test_no_labels_for_prediction(self, tiny_tokenizer: Any) -> None:
        windows = QuestionAnswering(doc_stride=2).encode_inputs([question_on("공")], tiny_tokenizer, 9)
        assert len(windows) == 3
        assert all("labels" not in window for window in windows)

    @pytest.mark.parametrize(("stride", "windows"), [(0, 2), (1, 3), (2, 3), (3, 3), (64, 3)])
    def test_at_most_half_a_window_is_shared(self, stride: int, windows: int, tiny_tokenizer: Any) -> None:
        assert len(encoded(question_on("가"), tiny_tokenizer, doc_stride=stride)) == windows

    def test_a_long_question(self, tiny_tokenizer: Any) -> None:
        """It loses its end, which is counted, and the context takes the space."""
        example = question_on("공", question="너 는 일 이")
        first, second = encoded(example, tiny_tokenizer, max_query_length=1, max_length=10)
        assert first["input_ids"] == [2, *ids(tiny_tokenizer, "너"), 3, *ids(tiny_tokenizer, "가 나 다 고 공 구"), 3]
        assert (first["lost"], second["lost"]) == (3, 3)
        assert (first["lead"], first["labels"]) == (3, [7, 7])

    def test_long_questions_are_reported(
        self, tmp_path: Path, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
        examples = [question_on("공", question="너 는 일 이"), question_on("공"), question_on("공")]
        corpus = MemoryCorpus(kind=QuestionExample, given={"train": examples})
        data = TaskDataModule(
            QuestionAnswering(max_query_length=2), corpus, tiny_tokenizer, cache=tmp_path, max_length=16,
            eval_corpus=corpus,
        )  # fmt: skip
        data.setup("fit")
        assert "train: 1 of 3 questions are longer than 2 tokens (--max_query_length); " in caplog.text

    def test_a_question_that_leaves_no_room(self, tiny_tokenizer: Any) -> None:
        example = question_on("공", question=EIGHT)
        with pytest.raises(
            InputError, match=r"own\.json, line 9: the question has 8 tokens.*no room .* in 11"
        ) as caught:
            encoded(example, tiny_tokenizer, max_length=11)
        assert "--max_length 19" in str(caught.value)
        assert "--max_query_length 4" in str(caught.value)
        assert encoded(example, tiny_tokenizer, max_length=19)  # what is advised helps
        assert encoded(example, tiny_tokenizer, max_length=11, max_query_length=4)
        assert len(encoded(example, tiny_tokenizer, max_length=12)) == 8  # windows of one token

    @pytest.mark.parametrize(
        ("answer", "stride", "tokens"), [("고 공", 0, 2), ("가 나 다 고 공", 2, 5), ("나 다 고 공", 2, 4)]
    )
    def test_an_answer_that_no_window_holds(self, answer: str, stride: int, tokens: int, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match=rf"own\.json, line 9: no window holds the answer '{answer}'") as caught:
            encoded(question_on(answer), tiny_tokenizer, doc_stride=stride)
        assert f"{tokens} tokens, but windows of 4" in str(caught.value)
        assert encoded(question_on(answer), tiny_tokenizer, max_length=16)

    def test_an_answer_that_normalisation_deletes(self, tiny_tokenizer: Any) -> None:
        example = question_on("😀", context="가 😀 나")
        with pytest.raises(InputError, match=r"own\.json, line 9: .*leave nothing of the answer '😀'"):
            encoded(example, tiny_tokenizer, normalization=("emoji",))

    def test_several_questions_on_one_text(self, tiny_tokenizer: Any) -> None:
        examples = [question_on("가"), question_on("나", question="너"), question_on("다", context="다 가")]
        windows = QuestionAnswering(doc_stride=2).encode(examples, tiny_tokenizer, [], 9)
        assert [w["example"] for w in windows] == [0, 0, 0, 1, 1, 2]
        assert [w["labels"] for w in windows] == [[4, 4], [0, 0], [0, 0], [4, 4], [0, 0], [4, 4]]

    def test_collate(self, tiny_tokenizer: Any) -> None:
        windows = [
            *encoded(question_on("공 구"), tiny_tokenizer),
            *encoded(question_on("가", context="가"), tiny_tokenizer),
        ]
        batch = QuestionAnswering().collate(windows, tiny_tokenizer)
        assert batch["labels"].tolist() == [[0, 0], [6, 7], [4, 5], [4, 4]]
        assert batch["attention_mask"].sum(dim=1).tolist() == [9, 9, 9, 6]

    @pytest.mark.parametrize("name", ["max_query_length", "max_answer_length", "n_best"])
    def test_numbers_out_of_range(self, name: str) -> None:
        field: dict[str, Any] = {name: 0}
        with pytest.raises(InputError, match=f"--{name}: 0"):
            QuestionAnswering(**field)
        with pytest.raises(InputError, match="--doc_stride: -1"):
            QuestionAnswering(doc_stride=-1)


NEVER = -30.0


def window_with(
    features: Mapping[str, Any], begin: Mapping[int, float], finish: Mapping[int, float], null: float
) -> Window:
    """A window with the logits of some tokens of its text; the first token has `null` in sum."""
    raw = np.full((len(features["input_ids"]), 2), NEVER)
    for column, logits in enumerate((begin, finish)):
        for token, logit in logits.items():
            raw[features["lead"] + token, column] = logit
    raw[0] = null / 2
    return Window(features, raw)


Heard = tuple[Mapping[int, float], Mapping[int, float]]


def decoded(
    tokenizer: Any, *logits_of: Heard, null: float = 2 * NEVER, context: str = "가 나 다 고", **fields: Any
) -> AnswerPrediction:
    """The prediction from the logits of each window."""
    task, example = QuestionAnswering(**{"doc_stride": 2, **fields}), Q(QUESTION, context)
    windows = task.encode_inputs([example], tokenizer, 9)
    own = [window_with(window, *logits, null) for window, logits in zip(windows, logits_of, strict=True)]
    return task.decode(example, own, [])


class TestDecode:
    @pytest.mark.parametrize(
        ("begin", "finish", "fields", "text"),
        [
            ({1: 5}, {2: 5}, {}, "나 다"),
            ({0: 5}, {3: 5}, {}, "가 나 다 고"),
            ({0: 5}, {0: 5}, {}, "가"),
            ({3: 5, 0: 5}, {1: 5, 3: 2}, {}, "가 나"),
            ({3: 5, 0: 1}, {1: 5, 3: 2}, {}, "고"),  # 5 + 2 > 1 + 5; from 3 to 1 is no span
            ({0: 5}, {3: 5, 1: 1}, {"max_answer_length": 4}, "가 나 다 고"),
            ({0: 5}, {3: 5, 1: 1}, {"max_answer_length": 3}, "가 나"),
            ({0: 5}, {3: 5, 1: 4, 0: 1}, {"max_answer_length": 1}, "가"),
            ({1: 5, 2: 4}, {0: 5, 3: 4}, {"n_best": 2}, "나 다 고"),
            ({1: 5, 3: 4}, {0: 5, 1: 1, 2: 4}, {"n_best": 1}, ""),  # from 1 to 0
            # of equal ones the earlier, then the shorter
            ({2: 5, 0: 5}, {2: 5, 0: 5}, {}, "가"),
            ({2: 5, 0: 4}, {2: 4, 0: 5}, {}, "가"),
            ({1: 5, 2: 5}, {2: 5}, {}, "나 다"),
            ({1: 5}, {1: 5, 2: 5, 3: 5}, {}, "나"),
        ],
    )
    def test_the_best_span(
        self,
        begin: dict[int, float],
        finish: dict[int, float],
        fields: dict[str, Any],
        text: str,
        tiny_tokenizer: Any,
    ) -> None:
        found = decoded(tiny_tokenizer, (begin, finish), **fields)
        start = "가 나 다 고".index(text)
        assert (found.text, found.start, found.end) == (text, start, start + len(text))
        assert [c.text for c in found.candidates[:1]] == ([text] if text else [])
        assert [c for c in found.candidates if c.end - c.start > 2 * fields.get("max_answer_length", 4) - 1] == []

    def test_no_answer_outside_the_context(self, tiny_tokenizer: Any) -> None:
        """[CLS], the question, and both [SEP]: their logits count for nothing."""
        logits_of = dict.fromkeys((-4, -3, -2, -1, 4), 100.0)  # the text is 0 to 3
        found = decoded(tiny_tokenizer, ({**logits_of, 1: 1.0}, {**logits_of, 2: 1.0}), null=200.0)
        assert (found.text, found.start, found.end) == ("나 다", 2, 5)
        assert all(0 <= c.start < c.end <= 7 for c in found.candidates)

    def test_the_best_over_windows(self, tiny_tokenizer: Any) -> None:
        nothing: Heard = ({}, {})
        found = decoded(tiny_tokenizer, ({1: 5}, {1: 5}), nothing, ({3: 6}, {3: 5}), context=EIGHT)
        assert (found.text, found.start, found.end) == ("기", 14, 15)
        assert [c.text for c in found.candidates[:2]] == ["기", "나"]

    def test_a_span_in_two_windows_counts_once(self, tiny_tokenizer: Any) -> None:
        """고 is the last token of the first window and the second one of the second."""
        logits_of: list[Heard] = [({3: 1, 0: 2}, {3: 1, 0: 1}), ({1: 3}, {1: 2}), ({0: NEVER}, {})]
        found = decoded(tiny_tokenizer, *logits_of, context=EIGHT)
        assert [c.text for c in found.candidates[:2]] == ["고", "가"]
        assert [c.text for c in found.candidates].count("고") == 1
        # of 5 and 3: the larger of the two scores of 고, not their sum
        assert found.candidates[0].score / found.candidates[1].score == near(math.exp(5 - 3))

    def test_probabilities(self, tiny_tokenizer: Any) -> None:
        """A softmax over "no answer" and all candidates: here 1, 3 and 4."""
        logits_of = ({0: math.log(3), 1: math.log(4)}, {0: 0.0, 1: 0.0})
        found = decoded(tiny_tokenizer, logits_of, null=0.0, max_answer_length=1)
        assert (found.text, found.score) == ("나", near(4 / 8))
        assert [(c.text, c.score) for c in found.candidates[:2]] == [
            ("나", near(4 / 8)),
            ("가", near(3 / 8)),
        ]
        assert found.null_margin == near(-math.log(4))
        none = decoded(tiny_tokenizer, logits_of, null=0.0, max_answer_length=1, null_threshold=-2.0)
        assert (none.text, none.start, none.end, none.score) == ("", 0, 0, near(1 / 8))
        assert none.candidates == found.candidates

    @pytest.mark.parametrize(
        ("threshold", "null", "text"),
        [
            (None, 50.0, "나"),  # there is always an answer
            (0.0, 7.5, ""),
            (0.0, 7.0, "나"),  # as likely as the best span
            (0.0, 6.5, "나"),
            (1.5, 8.0, "나"),
            (1.5, 8.5, "나"),
            (1.5, 9.0, ""),
            (-1.0, 6.5, ""),
            (math.inf, 50.0, "나"),
        ],
    )
    def test_no_answer(self, threshold: float | None, null: float, text: str, tiny_tokenizer: Any) -> None:
        """The best span has 3 + 4."""
        found = decoded(tiny_tokenizer, ({1: 3}, {1: 4}), null=null, null_threshold=threshold)
        assert found.text == text
        assert found.null_margin == near(null - 7)
        assert found.candidates[0].text == "나"

    def test_no_answer_needs_every_window(self, tiny_tokenizer: Any) -> None:
        """The window that is least sure of it decides."""
        task, example = QuestionAnswering(doc_stride=2, null_threshold=0.0), Q(QUESTION, EIGHT)
        features = task.encode_inputs([example], tiny_tokenizer, 9)
        logits_of: Heard = ({1: 2}, {1: 3})

        def answer(*nulls: float) -> AnswerPrediction:
            return task.decode(
                example,
                [
                    window_with(f, *(logits_of if i == 0 else ({}, {})), n)
                    for i, (f, n) in enumerate(zip(features, nulls, strict=True))
                ],
                [],
            )

        assert (answer(9, 4, 9).text, answer(9, 4, 9).null_margin) == ("나", -1)
        assert (answer(9, 6, 9).text, answer(9, 6, 9).null_margin) == ("", 1)

    def test_text_is_cut_from_the_original(self, tiny_tokenizer: Any) -> None:
        """The model sees composed syllables, and the user what he wrote."""
        context = unicodedata.normalize("NFD", "가 나 다 고")
        found = decoded(tiny_tokenizer, ({1: 5}, {2: 5}), context=context, normalization=("nfc",))
        assert found.text == unicodedata.normalize("NFD", "나 다")
        assert (found.start, found.end) == (3, 8)
        assert context[found.start : found.end] == found.text
        task = QuestionAnswering(normalization=("nfc",))
        (window,) = task.encode_inputs([Q(QUESTION, context)], tiny_tokenizer, 9)
        assert window["input_ids"][4:8] == ids(tiny_tokenizer, "가 나 다 고")

    @pytest.mark.parametrize(
        ("particles", "text"),
        [
            (None, "나 쀍뷁에서는"),
            ({}, "나 쀍뷁에서는"),
            ({"answer": ["은"]}, "나 쀍뷁에서는"),
            ({"answer": ["는"]}, "나 쀍뷁에서"),
            ({"answer": ["는", "에서는", "서는"]}, "나 쀍뷁"),  # the longest
            ({"answer": ["나"]}, "나 쀍뷁에서는"),
        ],
    )
    def test_particles(self, particles: dict[str, list[str]] | None, text: str, tiny_tokenizer: Any) -> None:
        context = "가 나 쀍뷁에서는"  # tokens of (0, 1), (2, 3) and (4, 9)
        found = decoded(tiny_tokenizer, ({1: 5}, {2: 5}), context=context, spans="particles", particles=particles)
        assert (found.text, found.start, found.end) == (text, 2, 2 + len(text))

    def test_a_token_that_is_a_particle_stays(self, tiny_tokenizer: Any) -> None:
        found = decoded(tiny_tokenizer, ({1: 5}, {1: 5}), spans="particles", particles={"answer": ["나"]})
        assert found.text == "나"

    def test_as_json(self, tiny_tokenizer: Any) -> None:
        found = decoded(tiny_tokenizer, ({1: 5}, {2: 5}))
        row = json.loads(json.dumps(QuestionAnswering().to_row(found)))
        assert (row["answer"], row["start"], row["end"]) == ("나 다", 2, 5)
        assert row["candidates"][0] == {"text": "나 다", "start": 2, "end": 5, "score": near(row["score"])}
        assert len(row["candidates"]) <= 5


def prediction_with(text: str, margin: float) -> AnswerPrediction:
    """A prediction whose best span is this."""
    return AnswerPrediction(text, 0, len(text), 1.0, (Candidate(text, 0, len(text), 1.0),), margin)


def exact(predictions: Sequence[AnswerPrediction], examples: Sequence[QuestionExample], threshold: float) -> int:
    """How many questions are answered right with a threshold."""
    return sum(
        klue_mrc_normalized("" if p.null_margin > threshold else p.candidates[0].text)
        in ([klue_mrc_normalized(a.text) for a in e.answers or ()] or [""])
        for p, e in zip(predictions, examples, strict=True)
    )


class TestThreshold:
    FIELD = QuestionAnswering(null_threshold=0.0)

    def test_by_hand(self) -> None:
        """Right with "no answer" for 5 and 3, wrong for 2: between 3 and 2."""
        answered, none = Q("?", "가", (Answer("가", 0),)), Q("?", "가", ())
        predictions = [prediction_with("가", margin) for margin in (5.0, 2.0, 3.0, -1.0)]
        assert self.FIELD.tuned(predictions, [none, answered, none, answered]).null_threshold == 2.5
        # all are answerable: never "no answer"
        threshold = self.FIELD.tuned(predictions, [answered] * 4).null_threshold
        assert threshold is not None
        assert threshold >= 5
        # none is: always
        threshold = self.FIELD.tuned(predictions, [none] * 4).null_threshold
        assert threshold is not None
        assert threshold < -1

    def test_a_wrong_answer_is_worth_nothing(self) -> None:
        """Where the span is wrong anyway, "no answer" costs nothing."""
        answered, none = Q("?", "가 나", (Answer("가", 0),)), Q("?", "가 나", ())
        predictions = [prediction_with("나", 4.0), prediction_with("나", 2.0), prediction_with("가", 1.0)]
        assert self.FIELD.tuned(predictions, [answered, none, answered]).null_threshold == 1.5

    def test_windows_without_a_span(self) -> None:
        """Where no beginning fits an end there is nothing to choose: the margin is infinite, the threshold is not."""
        answered = Q("?", "가", (Answer("가", 0),))
        predictions = [AnswerPrediction("", 0, 0, 1.0, (), math.inf), prediction_with("가", 1.0)]
        threshold = self.FIELD.tuned(predictions, [answered, answered]).null_threshold
        assert threshold is not None
        assert 1 <= threshold < math.inf

    def test_unchanged_where_there_is_no_choice(self) -> None:
        predictions = [prediction_with("가", 1.0)]
        assert QuestionAnswering().tuned(predictions, [Q("?", "가", ())]).null_threshold is None
        assert self.FIELD.tuned([], []).null_threshold == 0.0

    @pytest.mark.parametrize("seed", range(60))
    def test_against_all_thresholds(self, seed: int) -> None:
        dice = random.Random(seed)
        size = dice.randint(1, 12)
        examples, predictions = [], []
        for _ in range(size):
            examples.append(Q("?", "가 나", dice.choice([(), (Answer("가", 0),), (Answer("나", 2), Answer("가", 0))])))
            margin = float(dice.randint(-3, 3)) if seed % 2 else dice.uniform(-3, 3)  # with ties, and without
            predictions.append(prediction_with(dice.choice(["가", "나", "《가》"]), margin))
        margins = sorted({p.null_margin for p in predictions})
        between = [(low + high) / 2 for low, high in pairwise(margins)]
        best = max(exact(predictions, examples, t) for t in [margins[0] - 1, *between, margins[-1]])
        tuned = self.FIELD.tuned(predictions, examples)
        assert tuned.null_threshold is not None
        assert exact(predictions, examples, tuned.null_threshold) == best
        assert replace(tuned, null_threshold=0.0) == self.FIELD


def fit(task: QuestionAnswering, examples: Sequence[QuestionExample], tokenizer: Any) -> QuestionAnswering:
    return task.fit(ExampleCounts(rows=len(examples), empty=0), [], examples, tokenizer)


class TestFit:
    def test_a_threshold_where_questions_have_no_answer(self, tiny_tokenizer: Any) -> None:
        answered, none = question_on("가"), question_on(None)
        assert fit(QuestionAnswering(), [answered, answered], tiny_tokenizer).null_threshold is None
        assert fit(QuestionAnswering(), [answered, none], tiny_tokenizer).null_threshold == 0.0
        assert fit(QuestionAnswering(null_threshold=1.5), [answered, none], tiny_tokenizer).null_threshold == 1.5

    def test_no_answers_at_all(self, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="none of 2 questions has an answer") as caught:
            fit(QuestionAnswering(), [question_on(None)] * 2, tiny_tokenizer)
        assert "--answers_column" in str(caught.value)

    def test_particles(self, tiny_tokenizer: Any) -> None:
        """Twice 에 is cut and once 은, which stays once too; 는 is cut twice, and stays twice."""
        words = [
            ("쀍뷁에", 2),
            ("꿹뷁에", 2),
            ("뷁쀍은", 2),
            ("쀍꿹은", 3),
            ("쀍뷁는", 2),
            ("꿹뷁는", 2),
            ("뷁쀍는", 3),
            ("뷁꿹는", 3),
        ]
        examples = [question_on(word[:length], context=f"{word} 가") for word, length in words]
        assert fit(QuestionAnswering(spans="particles"), examples, tiny_tokenizer).particles == {"answer": ["에"]}
        assert fit(QuestionAnswering(spans="tokens"), examples, tiny_tokenizer).particles is None
        given = {"answer": ["도"]}
        task = QuestionAnswering(spans="particles", particles=given)
        assert fit(task, examples, tiny_tokenizer).particles == given
        others = QuestionAnswering(spans="tokens").alternatives(examples, tiny_tokenizer)
        assert others["--spans particles"].particles == {"answer": ["에"]}
        assert others["--spans cuts"].cuts == (0, 1)

    def test_a_causal_model_is_reported(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from transformers import BertConfig, GPT2Config

        monkeypatch.setattr("ratsnlp_like.tasks.forward.log.propagate", True)
        with caplog.at_level("INFO", "ratsnlp_like"):
            QuestionAnswering().check_model(BertConfig())
            assert not caplog.text
            QuestionAnswering().check_model(GPT2Config())
        assert "a gpt2 reads a text from left to right" in caplog.text


class TestModel:
    @pytest.fixture
    def model(self, tiny_model_folder: Callable[..., Path]) -> Any:
        from transformers import AutoModelForQuestionAnswering

        torch.manual_seed(3)
        return AutoModelForQuestionAnswering.from_pretrained(tiny_model_folder(initializer_range=0.3)).eval()

    def batch(self, tokenizer: Any, *examples: QuestionExample) -> dict[str, torch.Tensor]:
        task = QuestionAnswering(doc_stride=2)
        return task.collate(task.encode(examples, tokenizer, [], 9), tokenizer)

    def test_loss_is_that_of_the_plain_model(self, model: Any, tiny_tokenizer: Any) -> None:
        batch = self.batch(tiny_tokenizer, question_on("공 구"))
        assert batch["attention_mask"].all()
        plain = {name: value for name, value in batch.items() if name != "labels"}
        with torch.inference_mode():
            starts, ends = batch["labels"].T
            expected = float(model(**plain, start_positions=starts, end_positions=ends).loss)
            task = QuestionAnswering()
            assert float(task.loss(model, batch)) == near(expected, rel=1e-5)
            output = task.evaluate_batch(model, batch)
        assert (float(output.loss), output.targets) == (near(expected, rel=1e-5), 3)

    def test_padding_has_no_effect(self, model: Any, tiny_tokenizer: Any) -> None:
        """The loss of a batch is the mean of its windows' own cross entropies."""
        short, long = question_on("나", context="가 나"), question_on("공 구")
        task = QuestionAnswering()
        with torch.inference_mode():
            together = self.batch(tiny_tokenizer, short, long)
            assert not together["attention_mask"].all()
            losses = []
            for example in (short, long):
                for window in task.encode([example], tiny_tokenizer, [], 9):
                    own = task.collate([window], tiny_tokenizer)
                    output = model(input_ids=own["input_ids"], token_type_ids=own["token_type_ids"])
                    first, last = own["labels"].T
                    losses += [F.cross_entropy(output.start_logits, first), F.cross_entropy(output.end_logits, last)]
            expected = float(torch.stack(losses).mean())
            assert len(losses) == 2 * len(together["labels"]) == 2 * 4
            assert float(task.loss(model, together)) == near(expected, rel=1e-5)
            raw = task.predict_batch(model, together)
        assert [len(row) for row in raw] == together["attention_mask"].sum(dim=1).tolist()
        assert all(row.shape[1] == 2 and (row > -1e8).all() for row in raw)


MEMORISED = [
    ("도서관은 어디에 있나요?", "우리 도서관 은 바다 옆 에 있다 . 시장 은 산 아래 에 선다 .", "바다 옆"),
    ("시장은 어디에 서나요?", "우리 도서관 은 바다 옆 에 있다 . 시장 은 산 아래 에 선다 .", "산 아래"),
    ("무엇이 바다 옆에 있나요?", "우리 도서관 은 바다 옆 에 있다 . 시장 은 산 아래 에 선다 .", "우리 도서관"),
    ("누가 빵을 굽나요?", "아침 마다 민수 가 빵 을 굽고 영희 는 우유 를 판다 .", "민수"),
    ("누가 우유를 파나요?", "아침 마다 민수 가 빵 을 굽고 영희 는 우유 를 판다 .", "영희"),
    ("언제 빵을 굽나요?", "아침 마다 민수 가 빵 을 굽고 영희 는 우유 를 판다 .", "아침 마다"),
    ("비는 며칠 왔나요?", "비 가 사흘 동안 와서 강물 이 두 배 로 불었다 .", "사흘"),
    ("강물은 얼마나 불었나요?", "비 가 사흘 동안 와서 강물 이 두 배 로 불었다 .", "두 배"),
]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_overfitting(tmp_path: Path) -> None:
    """Eight questions memorised from random weights; then saved, loaded and predicted."""
    rows = [
        {"question": question, "context": context, "answers": [{"text": text, "answer_start": context.index(text)}]}
        for question, context, text in MEMORISED
    ]
    for split in ("train", "dev"):
        write(tmp_path / "own" / f"{split}.jsonl", "\n".join(map(json.dumps, rows)) + "\n")
    sizes = TINY | NO_DROPOUT | {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    result = fine_tune(
        **job(
            tmp_path,
            task="question-answering",
            corpus=tmp_path / "own",
            config_overrides=sizes,
            batch_size=2,
            epochs=160,  # processors round differently, and some need longer
            max_length=64,
            eval_steps=40,
        )
    )
    assert result.metrics["korquad_em"] == result.metrics["korquad_f1"] == result.metrics["char_f1"] == 1
    inputs = [(question, context) for question, context, _ in MEMORISED]
    answers = result.predictor(inputs)
    assert [answer.text for answer in answers] == [text for *_, text in MEMORISED]
    assert all(context[a.start : a.end] == a.text for a, (_, context) in zip(answers, inputs, strict=True))
    assert result.predictor(inputs[0]).text == "바다 옆"
    loaded = Predictor.from_pretrained(result.best, device="cpu")
    assert [a.score for a in loaded(inputs)] == near([a.score for a in answers], abs=1e-5)
    # options of inference can be overridden
    assert {a.text for a in result.predictor(inputs, null_threshold=-1000.0)} == {""}
    assert all(len(a.text.split()) == 1 for a in result.predictor(inputs, max_answer_length=1))


@pytest.mark.slow
def test_the_threshold_is_chosen_and_saved(tmp_path: Path) -> None:
    """sample-qa has questions without an answer."""
    result = fine_tune(**job(tmp_path, task="question-answering", corpus="sample-qa", max_length=256, max_steps=2))
    task = result.predictor.task
    assert isinstance(task, QuestionAnswering)
    assert task.null_threshold is not None
    assert math.isfinite(task.null_threshold)
    again = Predictor.from_pretrained(result.best, device="cpu").task
    assert again == task
    assert {"korquad_em", "korquad_f1", "klue_mrc_em", "klue_mrc_rouge_w", "char_f1"} <= set(result.metrics)


@pytest.mark.slow
def test_the_oracle_on_korquad(data: Path, real_tokenizer: Callable[[str], Any]) -> None:
    """With KcBERT's vocabulary a particle is glued to every fifth answer; most of them are cut off again."""
    corpus, tokenizer = CORPORA["korquad-v1"], real_tokenizer("kcbert-base")

    def first(split: str, count: int) -> list[QuestionExample]:
        return [e for e in islice(corpus.examples(data, split), count) if isinstance(e, Q)]

    examples = first("validation", 200)

    def em(task: QuestionAnswering) -> float:
        windows: list[list[Window]] = [[] for _ in examples]
        for features in task.encode(examples, tokenizer, [], 300):
            windows[features["example"]].append(Window(features, task.oracle_output(features, [])))
        predictions = [task.decode(e, own, [], tokenizer) for e, own in zip(examples, windows, strict=True)]
        return float(task.score(predictions, examples, [])["korquad_em"])

    assert 0.70 < em(QuestionAnswering(spans="tokens")) <= 0.85
    fitted = fit(QuestionAnswering(spans="particles"), first("train", 500), tokenizer)
    assert em(fitted) > 0.93
    fitted = fit(QuestionAnswering(spans="cuts"), first("train", 500), tokenizer)
    assert em(fitted) > 0.99
