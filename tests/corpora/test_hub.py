"""Data sets of the hub, without the hub: `datasets.load_dataset` gives tables made here."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

from ratsnlp_like.corpora import hub
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.runtime.network import offline_if_cut_off

ROOT = Path()


@pytest.fixture(autouse=True)
def _forget_loaded() -> Any:
    hub._load.cache_clear()
    yield
    hub._load.cache_clear()


def serve(monkeypatch: pytest.MonkeyPatch, **splits: datasets.Dataset) -> list[tuple[str, str | None]]:
    calls: list[tuple[str, str | None]] = []

    def load_dataset(hub_id: str, subset: str | None = None) -> datasets.DatasetDict:
        calls.append((hub_id, subset))
        return datasets.DatasetDict(splits)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


def reviews() -> datasets.Dataset:
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "review": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["나쁨", "좋음"]),
        }
    )
    return datasets.Dataset.from_dict(
        {"id": ["a", "b", "c"], "review": ["졸렸다", "웃었다", "모르겠다"], "label": [0, 1, -1]}, features=features
    )


def entities(tokens: list[str], tags: list[int]) -> datasets.Dataset:
    names = datasets.ClassLabel(names=["O", "B-PS", "I-PS", "B-LC", "I-LC"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(names)})
    return datasets.Dataset.from_dict({"tokens": [tokens], "ner_tags": [tags]}, features=features)


def test_class_numbers_become_names_and_splits_get_their_usual_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = serve(monkeypatch, train=reviews(), dev=reviews())
    corpus = open_corpus("owner/reviews", TextExample, "classification", subset="small")
    assert corpus.splits(ROOT) == ("train", "validation")
    found = list(corpus.examples(ROOT, "validation"))
    assert [(e.text, e.label) for e in found] == [("졸렸다", "나쁨"), ("웃었다", "좋음")]
    assert "no gold label" in caplog.text
    assert str(found[1].place) == "owner/reviews (validation), row 2"
    assert calls == [("owner/reviews", "small")]


def test_columns_are_named_as_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, train=reviews())
    corpus = open_corpus("owner/reviews", TextExample, "classification", columns={"text": "id"})
    assert [e.text for e in corpus.examples(ROOT, "train")] == ["a", "b"]  # the third has no class
    wrong = open_corpus("owner/reviews", TextExample, "classification", columns={"text": "reviw"})
    with pytest.raises(InputError, match=r"no column 'reviw'(.|\n)*did you mean 'review'"):
        list(wrong.examples(ROOT, "train"))


def test_tags_of_words_become_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, train=entities(["김서연", "씨는", "부산", "항에"], [1, 0, 3, 4]))
    (example,) = open_corpus("owner/ner", EntityExample, "ner").examples(ROOT, "train")
    assert example == EntityExample(text="김서연 씨는 부산 항에", entities=(Entity(0, 3, "PS"), Entity(7, 12, "LC")))


def test_tags_of_characters_are_joined_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, train=entities([*"부산 감"], [3, 4, 0, 0]))
    (example,) = open_corpus("owner/ner", EntityExample, "ner").examples(ROOT, "train")
    assert example == EntityExample(text="부산 감", entities=(Entity(0, 2, "LC"),))


def test_fingerprint_follows_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, train=reviews(), test=reviews().select([0]))
    corpus = open_corpus("owner/reviews", TextExample, "classification")
    assert corpus.fingerprint(ROOT, "train") != corpus.fingerprint(ROOT, "test")
    assert corpus.fingerprint(ROOT, "train") == corpus.fingerprint(ROOT, "train")


def test_without_a_network_there_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_dataset(*_: Any) -> None:
        raise ConnectionError("Couldn't reach the Hub\nwith more lines")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    corpus = open_corpus("owner/reviews", TextExample, "classification")
    with pytest.raises(InputError) as caught:
        corpus.splits(ROOT)
    assert "'owner/reviews' cannot be loaded: Couldn't reach the Hub" in str(caught.value)
    assert "--subset" in str(caught.value)


def test_unknown_split(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, train=reviews(), test=reviews())
    corpus = open_corpus("owner/reviews", TextExample, "classification")
    with pytest.raises(InputError, match=r"no split 'tset'(.|\n)*did you mean 'test'"):
        list(corpus.examples(ROOT, "tset"))


@pytest.mark.parametrize(
    ("proxy", "reachable", "offline"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_offline_mode_is_set_when_there_is_no_network(
    monkeypatch: pytest.MonkeyPatch, proxy: bool, reachable: bool, offline: bool
) -> None:
    def getaddrinfo(*_: Any) -> list[Any]:
        if not reachable:
            raise OSError("Name or service not known")
        return []

    monkeypatch.setattr("ratsnlp_like.runtime.network.socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr(
        "ratsnlp_like.runtime.network.urllib.request.getproxies", lambda: {"https": "x"} if proxy else {}
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "")  # so that it is put back afterwards
    for module in ("huggingface_hub.constants", "datasets.config"):
        if module in sys.modules:
            monkeypatch.setattr(sys.modules[module], "HF_HUB_OFFLINE", False)
    offline_if_cut_off()
    assert (os.environ["HF_HUB_OFFLINE"] == "1") is offline
    assert sys.modules["datasets.config"].HF_HUB_OFFLINE is offline  # type: ignore[attr-defined]
