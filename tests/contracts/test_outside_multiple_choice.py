"""Multiple choice, a task defined outside the package: a question and its options in, the right option out.

Each option makes a window with the question, and a head with one output scores it. A softmax over the windows of a
question gives the probabilities of its options, of which there can be any number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from helpers import flags
from outside import registered, train, write_jsonl
from starlette.testclient import TestClient
from torch import Tensor

from ratsnlp_like import Example, InputError, Predictor, evaluate
from ratsnlp_like.cli.main import main
from ratsnlp_like.examples.base import Place
from ratsnlp_like.export.export import export
from ratsnlp_like.inference.model_folder import find_model
from ratsnlp_like.modeling.probabilities import softmax
from ratsnlp_like.runtime.types import Noise, TokenizerLike
from ratsnlp_like.serve import app
from ratsnlp_like.tasks.abilities import SupportsOracle
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.batches import pad_inputs
from ratsnlp_like.tasks.features import Features, LabelledBatch
from ratsnlp_like.tasks.forward import ForwardTask
from ratsnlp_like.tasks.predictions import BarsView, Prediction
from ratsnlp_like.training.finetune import FineTuneResult

NAME = "multiple-choice"


@dataclass(frozen=True)
class Question(Example):
    """A question with its options and the position of the right one. In a cell, options are separated by `|`."""

    aliases: ClassVar = {"choices": ("choices", "options"), "answer": ("answer", "label")}
    optional: ClassVar = frozenset({"answer"})

    question: str = ""
    choices: tuple[str, ...] = ()
    answer: int | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row.

        Raises:
            InputError: there are fewer than two options, or the answer is not the position of one.
        """
        cell, answer = row["choices"], row.get("answer")
        options = tuple(part.strip() for part in cell.split("|")) if isinstance(cell, str) else tuple(cell)
        if len(options) < 2:
            raise InputError(f"one option: {options}", place=place, expected="at least two")
        if answer not in {None, ""} and not (str(answer).isdecimal() and int(answer) < len(options)):
            raise InputError(f"the answer is {answer!r}", place=place, expected=f"from 0 to {len(options) - 1}")
        return cls(str(row["question"]), options, None if answer in {None, ""} else int(answer), place=place)


@dataclass(frozen=True)
class ChoicePrediction(Prediction):
    """The chosen option."""

    answer: int
    option: str
    scores: tuple[float, ...]
    """Probability of each option, 0 to 1."""

    def view(self, example: Example) -> BarsView:
        assert isinstance(example, Question)
        bars = enumerate(zip(example.choices, self.scores, strict=True))
        return {
            "kind": "bars",
            "chosen": [self.option],
            "several": False,
            "threshold": None,
            "bars": [{"label": option, "share": score, "chosen": k == self.answer} for k, (option, score) in bars],
        }


class OptionFeatures(Features):
    """Features of a question with one of its options."""

    is_answer: int


class OptionBatch(LabelledBatch):
    """All options of some questions. Labels are 1 for the right ones, else 0. Shape: (windows,)."""

    questions: Tensor
    """Number of the question of each window, counted from 0 within the batch. Shape: (windows,)."""


@dataclass(frozen=True)
class MultipleChoice(
    SupportsOracle[Question, ChoicePrediction], ForwardTask[Question, ChoicePrediction, OptionFeatures, OptionBatch]
):
    """The right one of several options, by the cross entropy of a softmax over the options of a question."""

    name: ClassVar[str] = NAME
    description: ClassVar[str] = "the right one of several options: question, choices, answer"
    example: ClassVar[type[Example]] = Question
    best_metric: ClassVar[str] = "accuracy"
    example_input: ClassVar[tuple[str, ...]] = ("바다는 어떤가요?", "넓다 | 넓습니다")
    grouped: ClassVar[bool] = True
    targets: ClassVar[frozenset[str]] = frozenset({"labels", "questions"})

    def model_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def classes(self, labels: Sequence[str]) -> list[str]:
        return ["score"]

    def encode_inputs(self, examples: Sequence[Question], tokenizer: TokenizerLike, max_length: int) -> list[Features]:
        """Encode each option in one window with its question, which loses its end where both are too long."""
        capacity = self.capacity(tokenizer, max_length, pair=True)
        out = []
        for i, example in enumerate(examples):
            texts = self.tokenize([example.question, *example.choices], tokenizer, offsets=False)
            question, *options = (ids for _, (ids, _) in texts)
            for option in options:
                kept = question[: max(0, capacity - len(option))]
                lost = max(0, len(question) + len(option) - capacity)
                out.append(self.window(tokenizer, kept, option[: capacity - len(kept)], example=i, lost=lost))
        return out

    def encode(
        self, examples: Sequence[Question], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[OptionFeatures]:
        answers = [k == example.answer for example in examples for k in range(len(example.choices))]
        windows = self.encode_inputs(examples, tokenizer, max_length)
        return [{**window, "is_answer": int(answer)} for window, answer in zip(windows, answers, strict=True)]

    def collate(
        self, features: Sequence[OptionFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> OptionBatch:
        _, questions = np.unique([f["example"] for f in features], return_inverse=True)
        labels = torch.tensor([int(f["is_answer"]) for f in features])
        return {**pad_inputs(features, tokenizer), "labels": labels, "questions": torch.from_numpy(questions)}

    def compute_loss(self, outputs: Any, batch: OptionBatch) -> Tensor:
        """Return the mean negative log probability of the right options."""
        scores, questions, number = outputs.logits[:, 0].float(), batch["questions"], self.num_targets(batch)
        highest = scores.detach().max()
        sums = torch.zeros(number, device=scores.device).index_add(0, questions, (scores - highest).exp())
        right = batch["labels"].bool()
        return (sums.log().sum() - (scores - highest)[right].sum()) / number

    def num_targets(self, batch: OptionBatch) -> int:
        """Return the number of questions."""
        return int(batch["questions"].max()) + 1

    def decode(
        self,
        example: Question,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> ChoicePrediction:
        scores = softmax(np.array([window.raw[0] for window in windows]))
        answer = int(scores.argmax())
        return ChoicePrediction(answer, example.choices[answer], tuple(map(float, scores)))

    def score(
        self, predictions: Sequence[ChoicePrediction], examples: Sequence[Question], labels: Sequence[str]
    ) -> dict[str, Any]:
        right = [p.answer == e.answer for p, e in zip(predictions, examples, strict=True)]
        return {"accuracy": float(np.mean(right))}

    def oracle_output(self, features: OptionFeatures, labels: Sequence[str]) -> Any:
        return np.array([20.0 if features["is_answer"] else -20.0])

    def gold_prediction(self, example: Question) -> ChoicePrediction:
        answer = example.answer or 0
        scores = tuple(float(k == answer) for k in range(len(example.choices)))
        return ChoicePrediction(answer, example.choices[answer], scores)


THINGS = ("바다", "도서관", "김치찌개", "겨울", "시장", "기차", "한강", "설악산")
STEMS = (
    ("넓다", "넓습니다"),
    ("조용하다", "조용합니다"),
    ("좋다", "좋습니다"),
    ("멀다", "멉니다"),
    ("춥다", "춥습니다"),
)
ROWS = [
    {
        "question": f"{thing}는 어떤가요?",
        "choices": [
            polite if k == answer else STEMS[(first + k) % 5][0]  # the right answer is the polite one
            for k, polite in enumerate(STEMS[(first + k) % 5][1] for k in range(count))
        ],
        "answer": answer,
    }
    for n, thing in enumerate(THINGS)
    for first in range(5)
    for count in (2, 3)
    for answer in [(n + first) % count]
]
INPUTS = [("바다는 어떤가요?", ["넓다", "조용합니다"]), ("시장은 어떤가요?", ["멉니다", "춥다", "좋다", "넓다"])]


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(MultipleChoice):
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("corpus") / "questions.jsonl", ROWS)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> FineTuneResult:
    return train(tmp_path_factory.mktemp("run"), NAME, corpus, epochs=6, learning_rate=5e-3)


@pytest.mark.slow
def test_training_and_evaluation(run: FineTuneResult, corpus: Path) -> None:
    assert run.metrics["accuracy"] > 0.9
    splits = run.summary["splits"]
    assert splits["train"]["examples"] + splits["validation"]["examples"] == 80
    assert 4 <= splits["validation"]["examples"] <= 12  # equal questions stay together
    assert sum(splits[name]["windows"] for name in ("train", "validation")) == 40 * 2 + 40 * 3
    metrics = evaluate(run.output, corpus=corpus, split="train", progress=False)
    assert metrics["accuracy"] > 0.9
    sizes = [evaluate(run.output, corpus=corpus, eval_batch_size=n, progress=False)["loss"] for n in (1, 7)]
    assert sizes == pytest.approx([metrics["loss"]] * 2, abs=1e-5)  # a question is never torn apart


def test_the_loss_is_that_of_a_softmax_over_options(tiny_tokenizer: Any) -> None:
    task = MultipleChoice()
    examples = [Question("가", ("나", "다"), 1), Question("라", ("마", "바", "사"), 0)]
    batch = task.collate(task.encode(examples, tiny_tokenizer, [], 16), tiny_tokenizer)
    assert batch["questions"].tolist() == [0, 0, 1, 1, 1]
    scores = torch.tensor([0.5, 2.0, -1.0, 0.25, 3.0])

    class Outputs:
        logits = scores[:, None]

    expected = -(scores[:2].log_softmax(0)[1] + scores[2:].log_softmax(0)[0]) / 2
    torch.testing.assert_close(task.compute_loss(Outputs, batch), expected)


def test_the_oracle(tiny_tokenizer: Any) -> None:
    task, example = MultipleChoice(), Question("가", ("나", "다", "라"), 2)
    windows = [Window(f, task.oracle_output(f, [])) for f in task.encode([example], tiny_tokenizer, [], 16)]
    found = task.decode(example, windows, [])
    assert found.answer == task.gold_prediction(example).answer == 2
    assert found.scores == pytest.approx(task.gold_prediction(example).scores)


def test_saving_and_loading(run: FineTuneResult) -> None:
    loaded = Predictor.from_pretrained(run.output, device="cpu")
    assert loaded.task == MultipleChoice()
    assert loaded.model.config.num_labels == 1
    assert loaded(INPUTS) == run.predictor(INPUTS)
    assert "predictor([(" in (find_model(run.output) / "README.md").read_text(encoding="utf-8")


def test_prediction(run: FineTuneResult) -> None:
    two, four = run.predictor(INPUTS)
    assert (two.answer, two.option) == (1, "조용합니다")
    assert (four.answer, four.option) == (0, "멉니다")
    assert sum(four.scores) == pytest.approx(1)
    assert run.predictor(INPUTS[1]) == run.predictor({"question": INPUTS[1][0], "choices": INPUTS[1][1]})
    alone = [run.predictor(value, batch_size=1).scores for value in INPUTS]
    assert np.concatenate(alone) == pytest.approx(np.concatenate([two.scores, four.scores]), abs=1e-5)


@pytest.mark.slow
def test_command_line(run: FineTuneResult, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "questions.tsv"
    lines = [f"{row['question']}\t{'|'.join(row['choices'])}\t{row['answer']}" for row in ROWS]
    table.write_text("\n".join(["question\toptions\tlabel", *lines]), encoding="utf-8")
    assert main(flags(tmp_path, task=NAME, corpus=table)) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["evaluate", str(run.output), "--corpus", str(corpus)]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["predict", str(run.output), "바다는 어떤가요?", "넓다 | 조용합니다", "--show", "table"]) == 0
    shown = capsys.readouterr().out
    assert "바다는 어떤가요?" in shown
    assert "조용합니다" in shown
    assert main(["predict", str(run.output), "--input", str(corpus), "--show", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["choices"] for row in rows] == [row["choices"] for row in ROWS]
    assert np.mean([row["answer"] == gold["answer"] for row, gold in zip(rows, ROWS, strict=True)]) > 0.9


@pytest.mark.slow
def test_server(run: FineTuneResult) -> None:
    with TestClient(app(run.predictor), base_url="http://localhost") as client:
        for choices in ("넓다 | 조용합니다", ["넓다", "조용합니다"]):
            row = client.post("/api", json={"question": "바다는 어떤가요?", "choices": choices}).json()
            assert row["option"] == "조용합니다"
        inputs = [{"question": question, "choices": choices} for question, choices in INPUTS]
        rows = client.post("/api/batch", json={"inputs": inputs}).json()["predictions"]
        assert [row["answer"] for row in rows] == [1, 0]
        assert client.post("/api", json={"question": "바다", "choices": ["넓다"]}).status_code == 422


@pytest.mark.exhaustive
@pytest.mark.slow
def test_export(run: FineTuneResult, corpus: Path, tmp_path: Path) -> None:
    assert export(run.output, output=tmp_path / "onnx", corpus=corpus).equal_predictions == 1
    exported = Predictor.from_pretrained(tmp_path / "onnx")
    assert [p.option for p in exported(INPUTS)] == [p.option for p in run.predictor(INPUTS)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"choices": ["하나"]}, "one option"), ({"answer": 2}, "the answer is 2"), ({"answer": None}, "has no answer")],
)
def test_a_bad_row_names_its_line(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    row = {"question": "바다는 어떤가요?", "choices": ["넓다", "넓습니다"], "answer": 1}
    path = write_jsonl(tmp_path / "questions.jsonl", [row, row | changes])
    with pytest.raises(InputError, match=message) as caught:
        train(tmp_path, NAME, path)
    assert "line 2" in str(caught.value)
