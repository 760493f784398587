"""Part-of-speech tagging of given words, a task defined outside the package: a list of words in, a tag per word out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from helpers import flags
from outside import registered, train, write_jsonl
from starlette.testclient import TestClient

from ratsnlp_like import Example, InputError, Predictor, evaluate
from ratsnlp_like.cli.main import main
from ratsnlp_like.examples.base import Place
from ratsnlp_like.export.export import export
from ratsnlp_like.serve import app
from ratsnlp_like.tasks.base import IGNORED
from ratsnlp_like.tasks.predictions import Prediction, SpansView
from ratsnlp_like.tasks.token_classifier import TokenClassifier, TokenProbabilities
from ratsnlp_like.text.tokens import Offset
from ratsnlp_like.training.finetune import FineTuneResult

NAME = "pos-tagging"


@dataclass(frozen=True)
class TaggedWords(Example):
    """The words of a sentence and their tags. In a cell of a table they are separated by blanks."""

    aliases: ClassVar = {"words": ("words", "tokens", "text"), "tags": ("tags", "pos", "labels")}
    optional: ClassVar = frozenset({"tags"})

    words: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row.

        Raises:
            InputError: there are not as many tags as words.
        """
        words, tags = _split(row["words"]), _split(row.get("tags") or ())
        if tags and len(tags) != len(words):
            raise InputError(f"{len(tags)} tags for {len(words)} words", place=place, expected="one tag per word")
        return cls(words, tags or None, place=place)

    @property
    def label_names(self) -> tuple[str, ...]:
        return self.tags or ()

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each word in the words joined by blanks, in characters."""
        start = 0
        for word in self.words:
            yield start, start + len(word)
            start += len(word) + 1


def _split(cell: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.split()) if isinstance(cell, str) else tuple(cell)


@dataclass(frozen=True)
class TagPrediction(Prediction):
    """A tag for each word."""

    tags: tuple[str, ...]
    scores: tuple[float, ...]
    """Probability of each tag, 0 to 1."""

    def view(self, example: Example) -> SpansView:
        assert isinstance(example, TaggedWords)
        spans = zip(example.spans(), self.tags, self.scores, strict=True)
        return {
            "kind": "spans",
            "text": " ".join(example.words),
            "spans": [{"start": s, "end": e, "label": tag, "share": score} for (s, e), tag, score in spans],
            "headline": None,
            "bars": [],
        }


@dataclass(frozen=True)
class PosTagging(TokenClassifier[TaggedWords, TagPrediction]):
    """A tag for each word, predicted at its first token."""

    name: ClassVar[str] = NAME
    description: ClassVar[str] = "a part of speech for each given word: words, tags"
    example: ClassVar[type[Example]] = TaggedWords
    best_metric: ClassVar[str] = "accuracy"
    example_input: ClassVar[tuple[str, ...]] = ("민수가 학교에 갔다",)

    def text(self, example: TaggedWords) -> str:
        return " ".join(example.words)

    def token_labels(self, example: TaggedWords, offsets: Sequence[Offset], labels: Sequence[str]) -> list[int]:
        index = {label: i for i, label in enumerate(labels)}
        targets = [IGNORED] * len(offsets)
        for first, tag in zip(_first_tokens(example, offsets), example.tags or (), strict=True):
            if first is not None:
                targets[first] = self.label_id(tag, index, example)
        return targets

    def predict_example(self, example: TaggedWords, tokens: TokenProbabilities, labels: Sequence[str]) -> TagPrediction:
        first = _first_tokens(example, list(zip(tokens.starts, tokens.ends, strict=True)))
        unknown = np.full(len(labels), 1 / len(labels))  # a word that the tokenizer drops
        rows = [unknown if token is None else tokens.probabilities[token] for token in first]
        return TagPrediction(tuple(labels[row.argmax()] for row in rows), tuple(float(row.max()) for row in rows))

    def score(
        self, predictions: Sequence[TagPrediction], examples: Sequence[TaggedWords], labels: Sequence[str]
    ) -> dict[str, Any]:
        """Return the accuracy over all words, and the recall of each tag."""
        pairs = [
            (gold, tag)
            for prediction, example in zip(predictions, examples, strict=True)
            for gold, tag in zip(example.tags or (), prediction.tags, strict=True)
        ]
        recalls = {
            label: {"recall": float(np.mean([tag == label for gold, tag in pairs if gold == label] or [0.0]))}
            for label in labels
        }
        return {"accuracy": float(np.mean([gold == tag for gold, tag in pairs])), "per_tag": recalls}


def _first_tokens(example: TaggedWords, offsets: Sequence[Offset]) -> list[int | None]:
    """Return the position of the first token of each word."""
    return [
        next((k for k, (s, e) in enumerate(offsets) if s < e and start <= s < end), None)
        for start, end in example.spans()
    ]


NOUNS, VERBS = ("민수가", "학교에", "바다에", "친구와", "도서관에서"), ("갔다", "놀았다", "공부했다", "쉬었다")
ADVERBS = ("아주", "빨리", "조용히")
ROWS = [((noun, adverb, verb), ("NOUN", "ADV", "VERB")) for noun in NOUNS for verb in VERBS for adverb in ADVERBS] + [
    ((noun, other, verb), ("NOUN", "NOUN", "VERB")) for noun in NOUNS for other in NOUNS for verb in VERBS[:2]
]
INPUTS = ["민수가 빨리 갔다", {"words": ["친구와", "바다에", "놀았다"]}]


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(PosTagging):
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"words": list(words), "tags": list(tags)} for words, tags in ROWS]
    return write_jsonl(tmp_path_factory.mktemp("corpus") / "words.jsonl", rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> FineTuneResult:
    return train(tmp_path_factory.mktemp("run"), NAME, corpus, epochs=6, learning_rate=5e-3)


@pytest.mark.slow
def test_training_and_evaluation(run: FineTuneResult, corpus: Path) -> None:
    assert run.metrics["accuracy"] > 0.95
    assert set(run.metrics["per_tag"]) == {"ADV", "NOUN", "VERB"}
    metrics = evaluate(run.output, corpus=corpus, split="train", progress=False)
    assert metrics["accuracy"] > 0.95
    assert run.predictor.model.config.id2label == {0: "ADV", 1: "NOUN", 2: "VERB"}


def test_saving_and_loading(run: FineTuneResult) -> None:
    loaded = Predictor.from_pretrained(run.output, device="cpu")
    assert loaded.task == PosTagging()
    assert loaded(INPUTS) == run.predictor(INPUTS)


def test_prediction(run: FineTuneResult) -> None:
    adverb, nouns = run.predictor(INPUTS)
    assert adverb.tags == ("NOUN", "ADV", "VERB")
    assert nouns.tags == ("NOUN", "NOUN", "VERB")
    assert run.predictor(INPUTS[0]).tags == adverb.tags
    long = run.predictor({"words": ["민수가", "빨리", "갔다"] * 40})  # in several windows
    assert long.tags == ("NOUN", "ADV", "VERB") * 40
    assert run.predictor("").tags == ()


@pytest.mark.slow
def test_command_line(run: FineTuneResult, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "words.tsv"
    table.write_text("words\ttags\n" + "".join(f"{' '.join(w)}\t{' '.join(t)}\n" for w, t in ROWS), "utf-8")
    assert main(flags(tmp_path, task=NAME, corpus=table)) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["evaluate", str(run.output), "--corpus", str(corpus)]) == 0
    assert "ADV" in capsys.readouterr().out
    assert main(["predict", str(run.output), "민수가 빨리 갔다", "--show", "table"]) == 0
    shown = capsys.readouterr().out
    assert "민수가 빨리 갔다" in shown
    assert "NOUN  ADV  VERB" in shown
    assert main(["predict", str(run.output), "--input", str(corpus), "--show", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == len(ROWS)
    assert rows[0]["words"] == list(ROWS[0][0])
    assert rows[0]["tags"] == list(ROWS[0][1])


def test_server(run: FineTuneResult) -> None:
    with TestClient(app(run.predictor), base_url="http://localhost") as client:
        for words in ("민수가 빨리 갔다", ["민수가", "빨리", "갔다"]):
            row = client.post("/api", json={"words": words}).json()
            assert row["tags"] == ["NOUN", "ADV", "VERB"]
        assert client.post("/api", json={"words": 7}).status_code == 422
        assert client.get("/model").json()["fields"] == ["words"]


@pytest.mark.slow
def test_export(run: FineTuneResult, corpus: Path, tmp_path: Path) -> None:
    assert export(run.output, output=tmp_path / "onnx", corpus=corpus).equal_predictions == 1
    exported = Predictor.from_pretrained(tmp_path / "onnx")
    assert [p.tags for p in exported(INPUTS)] == [p.tags for p in run.predictor(INPUTS)]


def test_a_row_with_too_few_tags(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "words.jsonl", [{"words": ["비가", "온다"], "tags": ["NOUN"]}])
    with pytest.raises(InputError, match="1 tags for 2 words") as caught:
        train(tmp_path, NAME, path)
    assert "line 1" in str(caught.value)
