"""A task in one file: the similarity of two sentences as a number.

All of it is between the lines below, made of public pieces. It is trained, evaluated, saved, loaded and used for
prediction like the built-in ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch

from ratsnlp_like import InputError, Predictor, evaluate, fine_tune
from ratsnlp_like.checkpoints.base import load_config
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.cli.main import main
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.evaluation.inspection import inspect
from ratsnlp_like.examples.base import Example, Place
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.batches import pad_inputs
from ratsnlp_like.tasks.features import Features, LabelledBatch
from ratsnlp_like.tasks.forward import ForwardTask
from ratsnlp_like.tasks.predictions import Prediction

# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoredPair(Example):
    """Two texts and how alike they are."""

    aliases: ClassVar = {
        "text": ("text", "sentence1"),
        "text_pair": ("text_pair", "sentence2"),
        "label": ("label", "score"),
    }
    optional: ClassVar = frozenset({"label"})

    text: str = ""
    text_pair: str = ""
    label: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        label = row.get("label")
        try:
            number = None if label in (None, "") else float(label)
        except ValueError:
            raise InputError(f"the score is {label!r}", place=place, expected="a number") from None
        return cls(str(row["text"]), str(row["text_pair"]), number, place=place)


@dataclass(frozen=True)
class Similarity(Prediction):
    """How alike two texts are."""

    score: float


class ScoredFeatures(Features):
    labels: float


@dataclass(frozen=True)
class PairRegression(ForwardTask[ScoredPair, Similarity, ScoredFeatures]):
    """A number for two texts, by mean squared error."""

    name: ClassVar[str] = "pair-regression"
    description: ClassVar[str] = "a number for two texts: text, text_pair, label"
    example: ClassVar[type[Example]] = ScoredPair
    best_metric: ClassVar[str] = "pearson"

    scale: float = 5.0
    """The largest score; the model is trained on scores divided by it."""

    def model_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def classes(self, labels: Sequence[str]) -> list[str]:
        return ["score"]

    def encode_inputs(self, examples: Sequence[ScoredPair], tokenizer: Any, max_length: int) -> list[Features]:
        """Both texts in one window; the longer one loses its tail."""
        capacity = self.capacity(tokenizer, max_length, pair=True)
        firsts = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        seconds = self.tokenize([example.text_pair for example in examples], tokenizer, offsets=False)
        out = []
        for i, ((_, (first, _)), (_, (second, _))) in enumerate(zip(firsts, seconds, strict=True)):
            kept = first[: max(capacity - len(second), capacity // 2)]
            lost = max(0, len(first) + len(second) - capacity)
            out.append(self.window(tokenizer, kept, second[: capacity - len(kept)], example=i, lost=lost))
        return out

    def encode(
        self, examples: Sequence[ScoredPair], tokenizer: Any, labels: Sequence[str], max_length: int
    ) -> list[ScoredFeatures]:
        windows = self.encode_inputs(examples, tokenizer, max_length)
        return [{**w, "labels": float(examples[w["example"]].label or 0) / self.scale} for w in windows]

    def collate(self, features: Sequence[ScoredFeatures], tokenizer: Any, *, noise: Any = None) -> LabelledBatch:
        labels = torch.tensor([float(f["labels"]) for f in features], dtype=torch.float32)
        return {**pad_inputs(features, tokenizer), "labels": labels}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Any:
        return (outputs.logits[:, 0].float() - batch["labels"]).square().mean()

    def decode(
        self, example: ScoredPair, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> Similarity:
        return Similarity(float(windows[0].raw[0]) * self.scale)

    def score(
        self, predictions: Sequence[Similarity], examples: Sequence[ScoredPair], labels: Sequence[str]
    ) -> dict[str, Any]:
        """Pearson's r; 0 where one side does not vary."""
        predicted, gold = np.array([[p.score, e.label] for p, e in zip(predictions, examples, strict=True)]).T
        constant = np.ptp(predicted) == 0 or np.ptp(gold) == 0
        return {"pearson": 0.0 if constant else float(np.corrcoef(predicted, gold)[0, 1])}


# ---------------------------------------------------------------------------------------------------------------------

CITIES = ["서울", "부산", "대전", "광주", "대구", "인천", "울산", "세종"]
ROWS = [(f"{a}에서 봄", f"{b}에서 봄", 5.0 if a == b else 0.5) for a in CITIES for b in CITIES[:4]]


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    TASKS.register("pair-regression", PairRegression)
    yield
    del TASKS._entries["pair-regression"]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text("Score,sentence1,sentence2\n" + "".join(f"{score},{a},{b}\n" for a, b, score in ROWS), "utf-8")
    return path


@pytest.mark.slow
def test_from_a_file_to_predictions(
    tmp_path: Path, pairs: Path, tiny_model_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result = fine_tune(
        task="pair-regression",
        corpus=pairs,
        checkpoint=tiny_model_folder(),
        output=tmp_path / "run",
        cache_dir=tmp_path / "cache",
        epochs=1,
        batch_size=8,
        max_length=24,
        validation_share=0.25,
        scale=10.0,
        accelerator="cpu",
        progress=False,
    )
    assert set(result.metrics) >= {"pearson", "loss"}
    assert -1 <= result.metrics["pearson"] <= 1
    assert result.summary["splits"]["validation"]["examples"] == 8

    options = {"cache_dir": tmp_path / "cache", "accelerator": "cpu", "progress": False}
    assert set(evaluate(result.output, corpus=pairs, split="train", **options)) >= {"pearson", "loss"}

    predictor = Predictor.from_pretrained(result.output)
    assert predictor.task == PairRegression(scale=10.0)
    assert predictor.model.config.id2label == {0: "score"}
    texts = [row[:2] for row in ROWS[:3]]
    predictions = predictor(texts)
    assert [type(found) for found in predictions] == [Similarity] * 3
    assert [p.score for p in predictions] == pytest.approx([a.score for a in result.predictor(texts)], abs=1e-5)
    assert predictor({"text": texts[1][0], "text_pair": texts[1][1]}).score == pytest.approx(
        predictions[1].score, abs=1e-5
    )

    assert main(["evaluate", str(result.output), "--corpus", str(pairs), "--cache_dir", str(tmp_path / "cache")]) == 0
    assert "pearson" in capsys.readouterr().out
    assert main(["predict", str(result.output), "--input", str(pairs), "--show", "jsonl"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)


def test_inspection(pairs: Path, tiny_model_folder: Callable[..., Path]) -> None:
    """Lengths are of both texts together with their special tokens."""
    folder = str(tiny_model_folder())
    corpus = open_corpus(pairs, ScoredPair, "pair-regression")
    found = inspect(corpus, PairRegression(), checkpoint=folder, max_length=24)
    assert found["splits"]["train"]["rows"] == 32
    assert found["tokens"]["train"]["oracle"] is None  # the task states none
    tokenizer = load_tokenizer(folder, load_config(folder))
    assert found["tokens"]["train"]["tokens"]["max"] == max(len(tokenizer(a, b)["input_ids"]) for a, b, _ in ROWS)


def test_a_prediction_renders_itself() -> None:
    """By its fields, where it defines nothing else."""
    found = Similarity(3.25)
    assert found.to_row() == {"score": 3.25}
    assert found.cells() == [{"score": "3.250"}]
    assert found.view(ScoredPair("가", "나")) == {"kind": "fields", "fields": {"score": 3.25}}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("3.5,가,나\nx,다,라\n", "the score is 'x'"),
        ("3.5,가,나\n,다,라\n", "the row has no label"),
    ],
)
def test_a_bad_row_names_its_line(
    bad: str, message: str, tmp_path: Path, tiny_model_folder: Callable[..., Path]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("score,sentence1,sentence2\n" + bad, "utf-8")
    with pytest.raises(InputError, match=message) as caught:
        fine_tune(
            task="pair-regression",
            corpus=path,
            checkpoint=tiny_model_folder(),
            output=tmp_path / "run",
            cache_dir=tmp_path / "cache",
        )
    assert "line 3" in str(caught.value)


def test_the_command_line_knows_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--task", "pair-regression", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for flag in ("--scale", "The largest score", "--text_pair_column", "--normalization"):
        assert flag in shown
    assert main(["list", "tasks"]) == 0
    assert "a number for two texts" in capsys.readouterr().out


def test_a_tuple_of_the_wrong_length() -> None:
    assert ScoredPair.of(("가", "나")) == ScoredPair("가", "나")
    for wrong in ("가", ("가",), ("가", "나", "다")):
        with pytest.raises(InputError, match=r"a tuple \(text, text_pair\)"):
            ScoredPair.of(wrong)
