"""Contracts of every registered task with every tokenizer. They hold for a new task without a line here.

Examples are the samples of registered corpora; the model is a bundled architecture that the task accepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import torch
from helpers import lay
from task_helpers import REAL, TOKENIZERS, Facts, oracle, tokenizer_of

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.tasks.abilities import SupportsDiagnostics, SupportsOracle
from ratsnlp_like.tasks.base import AnyTask, ExampleCounts, Window
from ratsnlp_like.tasks.forward import ForwardTask
from ratsnlp_like.tasks.predictions import Prediction

VIEWS = {"bars", "spans", "blanks", "text", "gauge", "fields"}


def test_the_table_has_every_real_tokenizer(tokenizers_root: Path) -> None:
    folders = {path.name for path in tokenizers_root.iterdir() if (path / "tokenizer_config.json").exists()}
    assert folders == set(REAL)


@lru_cache
def samples_of(name: str) -> tuple[Example, ...]:
    """The samples of all corpora that are registered for a task, else of those with its type of example."""
    kind = TASKS[name].example
    fitting = [corpus for corpus in CORPORA if CORPORA[corpus].task == name]
    fitting = fitting or [corpus for corpus in CORPORA if CORPORA[corpus].example_type is kind]
    examples: list[Example] = []
    with TemporaryDirectory() as root:
        for corpus in fitting:
            if isinstance(CORPORA[corpus], FilesCorpus):
                folder = Path(root, corpus)
                laid = lay(corpus, folder)
                examples += (example for split in laid.sample for example in laid.examples(folder, split))
    return tuple(examples)


class Case(NamedTuple):
    """A task that is fitted to its samples, with a tokenizer."""

    task: AnyTask
    examples: tuple[Example, ...]
    labels: list[str]
    facts: Facts
    tokenizer: Any
    max_length: int
    """Short, so that texts are cut or fall into several windows."""

    @property
    def inputs(self) -> list[Example]:
        """The input that the task shows in documentation."""
        texts = self.task.example_input
        return [self.task.example.of(texts if len(texts) > 1 else texts[0])]


def case_of(name: str, facts: Facts, tokenizer: Any) -> Case:
    examples = samples_of(name)
    if not examples:
        pytest.skip("no registered corpus has samples for this task")
    labels = TASKS[name]().order_labels(label for example in examples for label in example.label_names)
    counts = {label: sum(label in example.label_names for example in examples) for label in labels}
    try:
        task = TASKS[name]().fit(ExampleCounts(len(examples), 0, counts), labels, examples, tokenizer)
    except InputError as error:
        pytest.skip(f"the task refuses the tokenizer: {error}")
    return Case(task, examples, labels, facts, tokenizer, 3 + shortest(task, examples, tokenizer, labels))


def shortest(task: AnyTask, examples: Sequence[Example], tokenizer: Any, labels: Sequence[str]) -> int:
    """The shortest window in which all examples can be encoded."""
    for length in range(1, 100):
        try:
            task.encode(examples, tokenizer, labels, length)
        except InputError:
            continue
        return length
    raise AssertionError("no window of less than 100 tokens is long enough")


def tasks_with_tokenizers(kind: type[Any] = object) -> list[tuple[str, str]]:
    """Every task of a kind with every tokenizer."""
    return [(task, name) for task in TASKS if issubclass(TASKS[task], kind) for name in TOKENIZERS]


@pytest.fixture(params=tasks_with_tokenizers(), ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """Every task with every tokenizer."""
    task, name = request.param
    return case_of(task, TOKENIZERS[name], tokenizer_of(request, name))


def test_windows(case: Case) -> None:
    task, examples, labels, facts, tokenizer, max_length = case
    before, after = facts.around
    features = task.encode(examples, tokenizer, labels, max_length)
    known = set(tokenizer.get_vocab().values())
    rows = [window["example"] for window in features]
    assert rows == sorted(rows)
    assert set(rows) == set(range(len(examples)))
    assert len({frozenset(window) for window in features}) == 1  # the same keys: they become columns
    for window in features:
        ids = window["input_ids"]
        assert 1 <= len(ids) <= max_length  # a model takes no sequence of zero tokens, and NSMC has empty reviews
        assert ids[: len(before)] == before
        assert known.issuperset(ids)
        assert window["lost"] >= 0
    assert max(len(window["input_ids"]) for window in features) >= max_length - len(after)  # some text is long enough


def test_token_types(case: Case) -> None:
    """0 for the first text, then 1 for the second; only for a model that takes them."""
    task, examples, labels, facts, tokenizer, max_length = case
    for window in task.encode(examples, tokenizer, labels, max_length):
        if "token_type_ids" in window:
            assert facts.token_types
            types = window["token_type_ids"]
            assert len(types) == len(window["input_ids"])
            assert [kind for kind, _ in groupby(types)] in ([0], [0, 1])


def test_inputs(case: Case) -> None:
    """Without gold labels: windows and batches for prediction."""
    task, tokenizer = case.task, case.tokenizer
    features = task.encode_inputs(case.inputs * 2, tokenizer, 64)
    assert {window["example"] for window in features} == {0, 1}
    batch = task.collate_inputs(features, tokenizer)
    assert "labels" not in batch
    mask = batch["attention_mask"].bool()
    for ids, own, window in zip(batch["input_ids"], mask, features, strict=True):
        assert ids[own].tolist() == window["input_ids"]
        assert set(ids[~own].tolist()) <= {tokenizer.pad_token_id}


@pytest.mark.parametrize("case", tasks_with_tokenizers(ForwardTask), ids="-".join, indirect=True)
def test_gold_changes_no_window(case: Case) -> None:
    """A task with one forward pass is trained on the windows that it predicts on."""
    task, examples, labels, _, tokenizer, max_length = case
    inputs = task.encode_inputs(examples, tokenizer, max_length)
    assert not any("labels" in window for window in inputs)
    gold = task.encode(examples, tokenizer, labels, max_length)
    assert all(set(window) > set(inputs[0]) for window in gold)
    assert [{name: window[name] for name in inputs[0]} for window in gold] == inputs


def test_batches(case: Case) -> None:
    task, examples, labels, _, tokenizer, max_length = case
    features = task.encode(examples, tokenizer, labels, max_length)
    batch = task.collate(features, tokenizer)
    lengths = [len(window["input_ids"]) for window in features]
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (len(features), max(lengths))
    assert batch["attention_mask"].sum(dim=1).tolist() == lengths
    padding = batch["input_ids"][batch["attention_mask"] == 0]
    assert set(padding.tolist()) <= {tokenizer.pad_token_id}
    assert ("token_type_ids" in batch) == ("token_type_ids" in features[0])
    assert len(batch["labels"])
    if batch["labels"].shape == batch["input_ids"].shape:  # a label for each token
        assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


@pytest.mark.parametrize("case", tasks_with_tokenizers(SupportsOracle), ids="-".join, indirect=True)
def test_oracle(case: Case) -> None:
    """Gold in, gold out, in one window and in several, except for what the task itself reports as inexpressible."""
    task, examples, labels, _, tokenizer, max_length = case
    assert isinstance(task, SupportsOracle)
    gold = [task.gold_prediction(example) for example in examples]
    assert task.score(gold, examples, labels)[task.best_metric] == pytest.approx(1, abs=1e-9)
    for length in (max_length, 64):
        found = oracle(task, examples, tokenizer, labels, length)
        rows = list(range(len(examples)))
        if isinstance(task, SupportsDiagnostics):
            rows = [i for i in rows if not task.inexpressible(examples[i], found[i])]
        assert rows
        own = [examples[i] for i in rows]
        best = task.score([gold[i] for i in rows], own, labels)[task.best_metric]
        assert task.score([found[i] for i in rows], own, labels)[task.best_metric] == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in TASKS if any(e.label_names for e in samples_of(name))])
def test_an_unknown_label_names_its_row(name: str, tiny_tokenizer: Any) -> None:
    task, examples, labels, _, _, _ = case_of(name, TOKENIZERS["tiny_tokenizer"], tiny_tokenizer)
    missing = examples[0].label_names[0]
    with pytest.raises(InputError, match=f"the label '{missing}' is not among") as caught:
        task.encode(examples, tiny_tokenizer, [label for label in labels if label != missing], 64)
    assert str(examples[0].place) in str(caught.value)


@pytest.mark.parametrize("name", TASKS)
def test_facts(name: str) -> None:
    kind = TASKS[name]
    assert kind.name == name
    assert 10 < len(kind.description) < 120
    task = kind()
    assert kind.from_dict(json.loads(json.dumps(task.to_dict()))) == task
    assert kind.inference_options | kind.evaluation_options <= set(task.to_dict()) - {"normalization"}
    assert callable(task.model_class().from_pretrained)
    assert callable(task.model_class().from_config)
    with pytest.raises(InputError, match="unknown fields"):
        kind.from_dict({"of_a_later_version": 1})
    with pytest.raises(InputError, match="did you mean 'nfc'"):
        kind(normalization=("nfd",))


@pytest.mark.parametrize("name", TASKS)
def test_a_window_without_room(name: str, tiny_tokenizer: Any) -> None:
    task = TASKS[name]()
    with pytest.raises(InputError, match="leaves no room") as caught:
        task.encode_inputs([], tiny_tokenizer, 1)
    least = re.search(r"at least (\d+)", str(caught.value))
    assert least
    assert task.encode_inputs([], tiny_tokenizer, int(least[1])) == []
    with pytest.raises(InputError, match="leaves no room"):
        task.encode([], tiny_tokenizer, [], int(least[1]) - 1)


# With a model


class Run(NamedTuple):
    """A task with an untrained model."""

    task: AnyTask
    model: Any
    tokenizer: Any
    examples: Sequence[Example]
    inputs: Sequence[Example]
    labels: list[str]


@pytest.fixture(params=TASKS)
def run(request: pytest.FixtureRequest) -> Run:
    """Every task with an untrained model of the first bundled architecture that it accepts."""
    for checkpoint in ("ko-tiny-bert", "ko-tiny-gpt"):
        config = load_config(resolve(checkpoint))
        try:
            TASKS[request.param]().check_model(config)
        except InputError:
            continue
        break
    else:
        pytest.skip("the task accepts no bundled architecture")
    case = case_of(request.param, TOKENIZERS["tiny_tokenizer"], load_tokenizer(resolve(checkpoint), config))
    case.task.configure(config, case.labels)
    torch.manual_seed(1)
    model = case.task.model_class().from_config(config).eval()
    return Run(case.task, model, case.tokenizer, case.examples[:6], case.inputs, case.labels)


def test_loss(run: Run) -> None:
    """The loss of training is that of evaluation, and reaches the weights."""
    task, model, tokenizer, examples, _, labels = run
    batch = task.collate(task.encode(examples, tokenizer, labels, 96), tokenizer)
    loss = task.loss(model, batch)
    loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    with torch.inference_mode():
        output = task.evaluate_batch(model, batch)
    assert float(output.loss) == pytest.approx(float(loss), rel=1e-5)
    assert output.targets > 0


def test_an_untrained_model_is_worse_than_gold(run: Run) -> None:
    """On the side of 1 that `maximize` states for the best metric."""
    task, model, tokenizer, examples, _, labels = run
    features = task.encode(examples, tokenizer, labels, 96)
    with torch.inference_mode():
        raw = task.evaluate_batch(model, task.collate(features, tokenizer)).raw
    assert len(raw) == len(features)
    windows = [Window(*pair) for pair in zip(features, raw, strict=True)]
    own = [[w for w in windows if w.features["example"] == i] for i in range(len(examples))]
    found = [task.decode(example, w, labels, tokenizer) for example, w in zip(examples, own, strict=True)]
    scores = task.score(found, examples, labels)
    assert json.loads(json.dumps(scores))
    value = scores[task.best_metric]
    assert value < 1 if task.maximize else value > 1


@pytest.mark.slow
def test_predictions(run: Run) -> None:
    """Of an input alone; they render themselves as JSON, as rows of a table and as a view of the page."""
    task, model, tokenizer, _, inputs, labels = run
    features = task.encode_inputs(inputs, tokenizer, 96)
    with torch.inference_mode():
        raw = task.predict_batch(model, task.collate_inputs(features, tokenizer))
    found = task.decode(inputs[0], [Window(*pair) for pair in zip(features, raw, strict=True)], labels, tokenizer)
    assert isinstance(found, Prediction)
    row = task.to_row(found)
    assert json.loads(json.dumps(row, ensure_ascii=False)).keys() == row.keys()
    for cells in found.cells():
        assert all(isinstance(text, str) for text in cells.values())
    view: Any = task.view(found, inputs[0])
    assert view["kind"] in VIEWS
    assert json.loads(json.dumps(view)) == view
