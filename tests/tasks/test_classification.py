"""Classification: long texts, batches, loss and decoding by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from task_helpers import oracle

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.tasks.base import ExampleCounts, Window
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.ner import Ner

TEN = "가 나 다 라 마 바 사 아 자 차"


class Outputs(NamedTuple):
    """Outputs of a model."""

    logits: torch.Tensor


@pytest.mark.parametrize(
    ("long_text", "ids", "lost"),
    [
        ("head", [[2, 4, 5, 6, 7, 8, 9, 3]], [4]),
        ("head+tail", [[2, 4, 9, 10, 11, 12, 13, 3]], [4]),  # 6 tokens: 1 of the head, 5 of the tail
        ("windows", [[2, 4, 5, 6, 7, 8, 9, 3], [2, 8, 9, 10, 11, 12, 13, 3]], [0, 0]),
    ],
)
def test_long_texts(long_text: Any, ids: list[list[int]], lost: list[int], letters: Any) -> None:
    task = Classification(long_text=long_text)
    features = task.encode([TextExample("가", "b"), TextExample(TEN, "a")], letters, ["a", "b"], 8)
    assert [window["input_ids"] for window in features] == [[2, 4, 3], *ids]
    assert [window["lost"] for window in features] == [0, *lost]
    assert [window["example"] for window in features] == [0] + [1] * len(ids)
    assert [window["labels"] for window in features] == [1] + [0] * len(ids)


@pytest.mark.parametrize("long_text", ["head", "head+tail", "windows"])
@pytest.mark.parametrize("max_length", [3, 4, 5, 11, 12])
def test_long_texts_at_the_edge(long_text: Any, max_length: int, letters: Any) -> None:
    """Ten tokens fit into 12 and not into 11; head and tail never share a token, and windows contain each of them."""
    features = Classification(long_text=long_text).encode_inputs([TextExample(TEN)], letters, max_length)
    shown = [i for window in features for i in window["input_ids"][1:-1]]
    assert max(len(window["input_ids"]) for window in features) == max_length
    if long_text == "windows":
        assert set(shown) == set(range(4, 14))
    else:
        assert len(shown) == len(set(shown)) == max_length - 2
        assert features[0]["lost"] == 12 - max_length
        assert shown[-1] == (13 if long_text == "head+tail" else max_length + 1)


def test_batch(letters: Any) -> None:
    task = Classification()
    batch = task.collate(
        task.encode([TextExample("가", "b"), TextExample("가 나", "a")], letters, ["a", "b"], 8), letters
    )
    assert batch["input_ids"].tolist() == [[2, 4, 3, 0], [2, 4, 5, 3]]
    assert batch["labels"].tolist() == [1, 0]
    assert batch["labels"].dtype == torch.int64


def test_several_labels(letters: Any) -> None:
    task = Classification(multi_label=True)
    labels = ["a", "b", "c"]
    examples = [TextExample("가", ("c", "a")), TextExample("나", ()), TextExample("다", "b")]
    features = task.encode(examples, letters, labels, 8)
    assert [window["labels"] for window in features] == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    batch = task.collate(features, letters)
    assert batch["labels"].dtype == torch.float32
    assert [found.label for found in oracle(task, examples, letters, labels)] == [("a", "c"), (), ("b",)]


def test_several_labels_where_one_is_expected(letters: Any) -> None:
    with pytest.raises(InputError, match="several labels"):
        Classification().encode([TextExample("가", ("a", "b"))], letters, ["a", "b"], 8)


def window(*values: float) -> Window:
    return Window({}, np.array(values))


def test_the_most_probable_class() -> None:
    found = Classification().decode(TextExample("가"), [window(0.0, math.log(3))], ["a", "b"])
    assert found.label == "b"
    assert found.score == pytest.approx(0.75)
    assert found.scores == pytest.approx({"a": 0.25, "b": 0.75})


def test_the_logits_of_windows_are_averaged() -> None:
    """The mean of the probabilities, 0.88 and 0.27, would be 0.57; that of the logits gives sigmoid(0.5) = 0.62."""
    found = Classification().decode(TextExample("가"), [window(2.0, 0.0), window(-1.0, 0.0)], ["a", "b"])
    assert found.score == pytest.approx(1 / (1 + math.exp(-0.5)))


@pytest.mark.parametrize(("threshold", "chosen"), [(0.2, ("a", "b")), (0.5, ("b",)), (0.9, ())])
def test_the_threshold(threshold: float, chosen: tuple[str, ...]) -> None:
    task = Classification(multi_label=True, threshold=threshold)
    found = task.decode(TextExample("가"), [window(math.log(1 / 3), math.log(3))], ["a", "b"])
    assert found.label == chosen
    assert found.scores == pytest.approx({"a": 0.25, "b": 0.75})


def test_logits_too_large_for_exp() -> None:
    single = Classification().decode(TextExample("가"), [window(2000.0, -2000.0)], ["a", "b"])
    assert single.scores == {"a": 1.0, "b": 0.0}
    with np.errstate(over="ignore"):
        several = Classification(multi_label=True).decode(TextExample("가"), [window(900.0, -900.0)], ["a", "b"])
    assert several.scores == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize(
    ("weights", "loss"),
    [(None, (math.log(4) + math.log(4 / 3)) / 2), ((1.0, 3.0), (math.log(4) + 3 * math.log(4 / 3)) / 4)],
)
def test_loss(weights: Any, loss: float, letters: Any) -> None:
    """P(b) = 3/4 for both texts; gold is a, then b. A weighted loss is divided by the sum of the weights."""
    task = Classification(class_weights=weights)
    batch = task.collate(task.encode([TextExample("가", "a"), TextExample("나", "b")], letters, ["a", "b"], 8), letters)
    logits = torch.tensor([[0.0, math.log(3)]] * 2)
    assert float(task.loss(lambda **_: Outputs(logits), batch)) == pytest.approx(loss)
    output = task.evaluate_batch(lambda **_: Outputs(logits), batch)
    assert float(output.loss) == pytest.approx(loss)
    assert output.targets == sum(weights or (1, 1))  # with it, the means of batches add up to the mean of all


def test_the_model_gets_no_labels(letters: Any) -> None:
    seen: dict[str, Any] = {}

    def model(**inputs: Any) -> Outputs:
        seen.update(inputs)
        return Outputs(torch.zeros(1, 2))

    task = Classification()
    batch = task.collate(task.encode([TextExample("가", "a")], letters, ["a", "b"], 8), letters)
    assert task.evaluate_batch(model, batch).targets == 1
    assert set(seen) == {"input_ids", "attention_mask", "token_type_ids"}


def test_balanced_weights() -> None:
    """rows / classes / rows of the class; 0 for a label without rows, where there may be several."""
    labels = ["a", "b", "c"]
    found = ExampleCounts(8, 0, {"a": 6, "b": 2}, several=True)
    task = Classification(class_weights="balanced").fit(found, labels, [], None)
    assert task.class_weights == pytest.approx((8 / 3 / 6, 8 / 3 / 2, 0.0))


def test_a_list_of_labels_makes_it_multi_label() -> None:
    assert Classification().fit(ExampleCounts(2, 0, {"a": 1}, several=True), ["a"], [], None).multi_label


@pytest.mark.parametrize(
    ("statistics", "fields", "message"),
    [
        (ExampleCounts(3, 0, {"a": 3}), {}, "one class only: 'a'"),
        (ExampleCounts(3, 0, {"a": 2, "c": 1}), {}, "no training row has the class 'b'"),
        (ExampleCounts(3, 3, {"a": 2, "b": 1}), {}, "all 3 rows have an empty text"),
        (ExampleCounts(3, 0, {"a": 2, "b": 1}), {"class_weights": (1.0,)}, "1 class weights for 2 classes"),
    ],
)
def test_labels_that_cannot_be_trained_on(statistics: ExampleCounts, fields: Mapping[str, Any], message: str) -> None:
    labels, task = sorted({"a", "b", *statistics.labels}), Classification(**fields)
    call = task.fit if fields else lambda counts, labels, *_: task.check_data(counts, labels)
    with pytest.raises(InputError, match=message):
        call(statistics, labels, [], None)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5])
def test_a_threshold_that_is_no_probability(threshold: float) -> None:
    with pytest.raises(InputError, match="--threshold"):
        Classification(threshold=threshold)


@pytest.mark.parametrize(
    ("found", "order"),
    [
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["긍정", "부정", "긍정"], ["긍정", "부정"]),
        ([], []),
    ],
)
def test_the_order_of_labels(found: list[str], order: list[str]) -> None:
    assert Classification().order_labels(found) == order


def test_labels_in_the_configuration_of_a_model() -> None:
    class Config:
        num_labels = 2
        id2label: Any = None
        label2id: Any = None
        problem_type: Any = None

    config = Config()
    Ner().configure(config, ["LC", "PS"])
    assert config.id2label == {0: "O", 1: "B-LC", 2: "I-LC", 3: "B-PS", 4: "I-PS"}
    assert config.label2id == {"O": 0, "B-LC": 1, "I-LC": 2, "B-PS": 3, "I-PS": 4}
    assert config.num_labels == 5
    Classification().configure(config, ["부정", "긍정"])
    assert (config.id2label, config.problem_type) == ({0: "부정", 1: "긍정"}, "single_label_classification")
    Classification(multi_label=True).configure(config, ["a"])
    assert (config.num_labels, config.problem_type) == (1, "multi_label_classification")
