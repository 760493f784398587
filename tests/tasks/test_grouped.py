"""Windows of an example that belong together: batches keep them together, in training and in prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.data.batches import Batches, Loader
from ratsnlp_like.data.encoding import EncodedSplit, encode_split
from ratsnlp_like.data.reading import read_split
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.batches import group_windows, pad_inputs
from ratsnlp_like.tasks.features import Features, LabelledBatch
from ratsnlp_like.tasks.forward import ForwardTask
from ratsnlp_like.tasks.predictions import Prediction


@dataclass(frozen=True)
class Choice(Prediction):
    """The word of a text that fits best."""

    word: str


class WordFeatures(Features):
    labels: int


@dataclass(frozen=True)
class WordChoice(ForwardTask[TextExample, Choice, WordFeatures]):
    """Choose one of the words of a text; each word is a window."""

    name: ClassVar[str] = "word-choice"
    description: ClassVar[str] = "the word of a text that fits best"
    example: ClassVar[type[Example]] = TextExample
    best_metric: ClassVar[str] = "accuracy"
    grouped: ClassVar[bool] = True

    def model_class(self) -> Any:
        raise NotImplementedError

    def encode_inputs(self, examples: Sequence[TextExample], tokenizer: Any, max_length: int) -> list[Features]:
        return [
            self.window(tokenizer, tokenizer(word, add_special_tokens=False)["input_ids"], example=i)
            for i, example in enumerate(examples)
            for word in example.text.split()
        ]

    def encode(
        self, examples: Sequence[TextExample], tokenizer: Any, labels: Sequence[str], max_length: int
    ) -> list[WordFeatures]:
        words = [word for example in examples for word in example.text.split()]
        inputs = self.encode_inputs(examples, tokenizer, max_length)
        return [
            {**w, "labels": int(word == examples[w["example"]].label)} for w, word in zip(inputs, words, strict=True)
        ]

    def collate(self, features: Sequence[WordFeatures], tokenizer: Any, *, noise: Any = None) -> LabelledBatch:
        groups = group_windows(features, by_example=True)
        gold = [[features[k]["labels"] for k in group].index(1) for group in groups]
        return {**pad_inputs(features, tokenizer), "labels": torch.tensor(gold)}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Any:
        raise NotImplementedError

    def decode(
        self, example: TextExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> Choice:
        return Choice(example.text.split()[int(np.argmax([float(window.raw) for window in windows]))])

    def score(
        self, predictions: Sequence[Choice], examples: Sequence[TextExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        raise NotImplementedError


EXAMPLES = [
    TextExample("나무 강 바다", "강"),
    TextExample("서울특별시 부산", "부산"),
    TextExample("물 불", "물"),
    TextExample("아침 점심 저녁 밤", "밤"),
]


@pytest.fixture
def split(tmp_path: Path, tiny_tokenizer: Any) -> EncodedSplit:
    corpus = MemoryCorpus(kind=TextExample, given={"train": EXAMPLES})
    read = read_split(corpus, "train", root=tmp_path, cache=tmp_path / "cache")
    return encode_split(read, WordChoice(), tiny_tokenizer, ["a"], 16, cache=tmp_path / "cache")


def test_a_unit_is_an_example(split: EncodedSplit) -> None:
    assert len(split) == 11
    assert split.windows_of(np.array([3, 0])).tolist() == [7, 8, 9, 10, 0, 1, 2]
    longest = [max(split.lengths[:3]), max(split.lengths[3:5]), max(split.lengths[5:7]), max(split.lengths[7:])]
    assert split.unit_lengths.tolist() == [size * n for size, n in zip(longest, (3, 2, 2, 4), strict=True)]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("size", [{"batch_size": 1}, {"batch_size": 2}, {"batch_size": 1, "batch_tokens": 30}])
def test_batches_keep_windows_together(
    split: EncodedSplit, tiny_tokenizer: Any, shuffle: bool, size: dict[str, int]
) -> None:
    loader = Loader(split, tiny_tokenizer, Batches(split.unit_lengths, shuffle=shuffle, **size))
    seen: list[int] = []
    for batch in loader:
        index = batch["index"]
        rows = split.example_rows[index]
        for row in dict.fromkeys(rows.tolist()):
            assert index[rows == row].tolist() == np.flatnonzero(split.example_rows == row).tolist()
        assert len(batch["labels"]) == len(set(rows.tolist()))
        assert len(batch["input_ids"]) == len(batch["lengths"]) == len(index)
        seen += index.tolist()
    assert sorted(seen) == list(range(11))


class FirstToken(torch.nn.Module):
    """Scores a window by the id of its first token, and records the sizes of batches."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        self.sizes.append(len(input_ids))

        class Outputs:
            logits = input_ids[:, 1].float()

        return Outputs


def test_prediction_keeps_windows_together(tiny_tokenizer: Any) -> None:
    model = FirstToken()
    predictor = Predictor(WordChoice(), model, tiny_tokenizer, [], max_length=16)
    texts = ["나 다 가", "고 공 구"]
    best = [max(text.split(), key=lambda word: tiny_tokenizer(word)["input_ids"][1]) for text in texts]
    assert [found.word for found in predictor.predict(texts, batch_size=1)] == best
    assert best != ["나", "고"]
    assert sorted(model.sizes) == [3, 3]
    model.sizes.clear()
    predictor.predict(texts, batch_size=2)
    assert model.sizes == [6]
