"""From a corpus to batches: the cache, tables on disk, cuts, selections, batches of like length, the data module."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers import encode, new_tokenizer, read, tokenizer, tree, tsv, write

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.corpora.samples import SampleNer, SampleSentiment
from ratsnlp_like.data.batches import Batches, Loader
from ratsnlp_like.data.cache import cached_folder, tokenizer_fingerprint
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.data.splits import EncodedSplit, cut, encode_split
from ratsnlp_like.data.table import Table, write_table
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.tasks.ner import Ner

ROWS = [("정말 좋아요", "긍정"), ("별로예요", "부정"), ("또 갈게요", "긍정"), ("돈이 아까워요", "부정")]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return tsv(tmp_path / "reviews.tsv", ROWS)


def folders(cache: Path, kind: str = "") -> set[str]:
    return {path.name for path in cache.glob(f"{kind}*") if path.is_dir()}


class TestCache:
    def test_the_second_build_encodes_nothing(
        self, reviews: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = encode(reviews, cache)

        def called(*arguments: Any) -> None:
            raise AssertionError("encoded again")

        monkeypatch.setattr(Classification, "encode", called)
        monkeypatch.setattr(FileCorpus, "examples", called)
        second = encode(reviews, cache)
        assert [row["input_ids"].tolist() for row in second] == [row["input_ids"].tolist() for row in first]
        assert second.lost.tolist() == first.lost.tolist()

    def test_one_byte_of_the_file(self, reviews: Path, cache: Path) -> None:
        encode(reviews, cache)
        before = folders(cache)
        reviews.write_bytes(reviews.read_bytes().replace("좋아요".encode(), "좋아여".encode()))
        split = encode(reviews, cache)
        assert split.read.example(0) == TextExample("정말 좋아여", "긍정")
        assert len(folders(cache) - before) == 2  # examples and windows

    def test_the_label_column(self, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "a.tsv", [("좋아요", "긍정", "음식"), ("별로", "부정", "영화")], "text\tlabel\ttopic")
        assert read(path, cache).statistics.labels == {"긍정": 1, "부정": 1}
        assert read(path, cache, columns={"label": "topic"}).statistics.labels == {"영화": 1, "음식": 1}
        assert read(path, cache).example(0).label == "긍정"

    @pytest.mark.parametrize(
        "changes",
        [
            {"max_length": 16},
            {"task": Classification(normalization=("nfc",))},
            {"task": Classification(long_text="windows")},
            {"labels": ("긍정", "부정")},
            {"labels": ("부정", "긍정", "중립")},
        ],
        ids=["max_length", "normalization", "task field", "order of labels", "labels"],
    )
    def test_what_changes_the_windows_alone(self, reviews: Path, cache: Path, changes: dict[str, Any]) -> None:
        encode(reviews, cache)
        encode(reviews, cache, **changes)
        assert len(folders(cache, "windows")) == 2
        assert len(folders(cache, "examples")) == 1

    def test_another_order_of_labels_is_not_read_from_the_cache(self, reviews: Path, cache: Path) -> None:
        assert [int(row["labels"]) for row in encode(reviews, cache)] == [1, 0, 1, 0]
        assert [int(row["labels"]) for row in encode(reviews, cache, labels=("긍정", "부정"))] == [0, 1, 0, 1]

    def test_a_token_more(self, reviews: Path, cache: Path) -> None:
        first = encode(reviews, cache)
        larger = new_tokenizer()
        larger.add_tokens(["별로예요"])
        assert tokenizer_fingerprint(larger) != tokenizer_fingerprint(tokenizer())
        second = encode(reviews, cache, tokenizer=larger)
        assert len(folders(cache, "windows")) == 2
        assert second[1]["input_ids"].tolist() == [2, len(tokenizer()), 3] != first[1]["input_ids"].tolist()

    def test_truncation_left_on_by_an_earlier_call_changes_nothing(self, reviews: Path, cache: Path) -> None:
        used = new_tokenizer()
        used("한 번 쓴 것", truncation=True, max_length=4, padding="max_length")
        split = encode(reviews, cache, tokenizer=used)
        assert [row["input_ids"].tolist() for row in split] == [tokenizer()(text)["input_ids"] for text, _ in ROWS]
        encode(reviews, cache)
        assert len(folders(cache, "windows")) == 1

    def test_an_error_while_building_leaves_nothing(self, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "a.tsv", [*ROWS, ("그냥 그래요", "중립")])
        with pytest.raises(InputError) as caught:
            encode(path, cache)
        assert caught.value.place == Place(str(path), 6)
        assert "'중립'" in str(caught.value)
        assert folders(cache, "windows") == set()
        assert not [name for name in tree(cache) if "partial" in name]

    def test_an_error_while_reading_leaves_nothing(self, tmp_path: Path, cache: Path) -> None:
        path = write(tmp_path / "a.tsv", "text\tlabel\n좋아요\t긍정\n별로\t\n")
        with pytest.raises(InputError, match="the row has no label") as caught:
            read(path, cache)
        assert caught.value.place == Place(str(path), 3)
        assert folders(cache) == set()

    def test_what_a_killed_writer_left_is_not_taken_for_whole(self, reviews: Path, cache: Path) -> None:
        split = encode(reviews, cache)
        expected = [row["input_ids"].tolist() for row in split]
        whole = next(iter(folders(cache, "windows")))
        half = cache / f"{whole}.partial"
        (cache / whole).rename(half)
        (half / "windows.arrow").write_bytes((half / "windows.arrow").read_bytes()[:100])
        (half / "meta.json").unlink()
        assert [row["input_ids"].tolist() for row in encode(reviews, cache)] == expected
        assert folders(cache, "windows") == {whole}


def _build(folder: Path, log: Path, seconds: float) -> dict[str, int]:
    (folder / "part-1").write_text("one")
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    (folder / "part-2").write_text("two")
    return {"parts": 2}


def _process(cache: Path, log: Path, seconds: float, answers: Any) -> None:
    folder, meta = cached_folder(cache, "key", lambda partial: _build(partial, log, seconds))
    answers.put((meta, sorted(p.name for p in folder.iterdir())))


class TestProcesses:
    context = multiprocessing.get_context("fork")  # spawned ones would import torch for seconds

    def test_two_at_once_build_one(self, tmp_path: Path, cache: Path) -> None:
        answers = self.context.Queue()
        log = tmp_path / "log"
        started = [self.context.Process(target=_process, args=(cache, log, 0.3, answers)) for _ in range(2)]
        for process in started:
            process.start()
        said = [answers.get(timeout=20) for _ in started]
        for process in started:
            process.join(20)
        assert said == [({"parts": 2}, ["meta.json", "part-1", "part-2"])] * 2
        assert len(log.read_text().split()) == 1
        assert folders(cache) == {"key"}

    def test_a_killed_one_leaves_the_way_free(self, tmp_path: Path, cache: Path) -> None:
        log = tmp_path / "log"
        process = self.context.Process(target=_process, args=(cache, log, 60, self.context.Queue()))
        process.start()
        until = time.monotonic() + 20
        while not log.exists() and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(20)
        assert (cache / "key.partial" / "part-1").exists()
        folder, meta = cached_folder(cache, "key", lambda partial: _build(partial, log, 0))
        assert meta == {"parts": 2}
        assert sorted(p.name for p in folder.iterdir()) == ["meta.json", "part-1", "part-2"]
        assert folders(cache) == {"key"}


class TestTable:
    def test_rows_of_every_kind_across_chunks(self, tmp_path: Path) -> None:
        count = 4096 * 2 + 5
        rows = [
            {"ids": list(range(i % 7)), "scores": [i + 0.5] * (i % 3), "label": i, "value": i / 4, "name": f"줄 {i}"}
            for i in range(count)
        ]
        assert write_table(tmp_path / "t", rows) == count
        table = Table(tmp_path / "t")
        assert len(table) == count
        for i in (0, 1, 6, 4095, 4096, 4097, 8191, 8192, count - 1):
            row = table[i]
            assert row["ids"].tolist() == list(range(i % 7))
            assert row["scores"].tolist() == [i + 0.5] * (i % 3)
            assert (int(row["label"]), float(row["value"]), table.cells(i, ["name"])[0]) == (i, i / 4, f"줄 {i}")
        assert table.numbers("label").tolist() == list(range(count))
        assert table.numbers("ids").tolist() == [i % 7 for i in range(count)]
        assert list(table.all_cells(["name"])) == [(f"줄 {i}",) for i in range(count)]
        numbers, names = table.categories("name")
        assert names == sorted(f"줄 {i}" for i in range(count))
        assert [names[k] for k in numbers] == [f"줄 {i}" for i in range(count)]

    def test_just_one_chunk(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"label": i} for i in range(4096)])
        assert len(Table(tmp_path / "t")) == 4096
        assert int(Table(tmp_path / "t")[4095]["label"]) == 4095

    def test_no_row(self, tmp_path: Path) -> None:
        assert write_table(tmp_path / "t", []) == 0
        assert len(Table(tmp_path / "t")) == 0
        assert Table(tmp_path / "t").numbers("label").tolist() == []

    def test_lists_that_are_empty_throughout_the_first_chunk(self, tmp_path: Path) -> None:
        rows = [{"targets": [] if i < 4096 else [7]} for i in range(4097)]
        write_table(tmp_path / "t", rows)
        table = Table(tmp_path / "t")
        assert table[0]["targets"].tolist() == []
        assert table[4096]["targets"].tolist() == [7]

    def test_a_list_that_begins_with_a_whole_number_keeps_its_decimals(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"targets": [1, 0.5]}])
        assert Table(tmp_path / "t")[0]["targets"].tolist() == [1.0, 0.5]

    def test_rows_are_views_of_the_file(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"ids": [i] * 100, "score": [0.5] * 50} for i in range(10_000)])
        before = pa.total_allocated_bytes()
        table = Table(tmp_path / "t")
        rows = [table[i] for i in range(10_000)]
        assert pa.total_allocated_bytes() - before < 100_000  # of 6,000,000
        assert not rows[5]["ids"].flags.owndata
        assert not rows[5]["ids"].flags.writeable
        addresses = [row["ids"].ctypes.data for row in rows[:3]]
        assert np.diff(addresses).tolist() == [400, 400]  # 100 numbers of 4 bytes, side by side


def reviews_like_nsmc(count: int) -> np.ndarray:
    """Lengths in tokens: median about 14, a tail to 70, as of NSMC with KcBERT's tokenizer."""
    return np.clip(np.random.default_rng(0).lognormal(2.65, 0.65, count), 3, 70).astype(int)


def waste(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Positions of the padded batches for one token."""
    return float(sum(len(b) * lengths[b].max() for b in batches) / lengths.sum())


class TestBatches:
    @pytest.mark.parametrize("world", [1, 2, 3])
    @pytest.mark.parametrize("shuffle", [True, False])
    @pytest.mark.parametrize("count", [96, 97, 103])
    def test_every_window_once(self, world: int, shuffle: bool, count: int) -> None:
        lengths = reviews_like_nsmc(count)
        ranks = [Batches(lengths, 8, shuffle=shuffle, rank=r, world_size=world) for r in range(world)]
        given = [list(batches) for batches in ranks]
        assert {len(batches) for batches in given} == {len(ranks[0])} == {-(-count // 8)}
        together = [np.concatenate(parts) for parts in zip(*given, strict=True)]
        seen = Counter(int(k) for batch in together for k in batch)
        assert set(seen) == set(range(count))
        # only a last batch smaller than the number of processes repeats a window
        assert sum(seen.values()) == count + max(0, world - (count % 8 or 8))

    def test_batches_have_the_size_that_was_asked_for(self) -> None:
        sizes = [len(batch) for batch in Batches(reviews_like_nsmc(100), 8, shuffle=True)]
        assert sorted(sizes) == [4] + [8] * 12

    def test_processes_share_a_batch(self) -> None:
        lengths = reviews_like_nsmc(64)
        whole = list(Batches(lengths, 8, shuffle=True, seed=3))
        parts = [list(Batches(lengths, 8, shuffle=True, seed=3, rank=r, world_size=2)) for r in range(2)]
        for batch, left, right in zip(whole, *parts, strict=True):
            assert len(left) == len(right) == 4
            assert sorted(batch) == sorted([*left, *right])

    def test_fewer_windows_than_processes(self) -> None:
        given = [list(Batches(np.array([5, 4]), 8, shuffle=False, rank=r, world_size=3)) for r in range(3)]
        assert [[batch.tolist() for batch in batches] for batches in given] == [[[0]], [[1]], [[0]]]

    def test_random_numbers_of_a_batch(self) -> None:
        """Of seed, epoch, number and process; not of what was drawn before."""

        def drawn(number: int, **own: int) -> float:
            epoch = own.pop("epoch", 0)
            batches = Batches(np.array([3, 4]), 2, shuffle=True, **own)
            batches.set_epoch(epoch)
            return float(batches.noise(number).random())

        assert drawn(3) == drawn(3)
        assert len({drawn(3), drawn(4), drawn(3, seed=1), drawn(3, epoch=1), drawn(3, rank=1, world_size=2)}) == 5

    def test_seed_and_epoch_set_the_order(self) -> None:
        def order(seed: int, epoch: int) -> list[int]:
            batches = Batches(reviews_like_nsmc(100), 8, shuffle=True, seed=seed)
            batches.set_epoch(epoch)
            return [int(k) for batch in batches for k in batch]

        assert order(1, 0) == order(1, 0)
        assert order(1, 0) != order(2, 0)
        assert order(1, 0) != order(1, 1)

    def test_evaluation_begins_with_the_longest(self) -> None:
        lengths = np.array([3, 9, 5, 9, 1])
        assert [b.tolist() for b in Batches(lengths, 2, shuffle=False)] == [[1, 3], [2, 0], [4]]

    def test_little_is_padding(self) -> None:
        lengths = reviews_like_nsmc(20_000)
        grouped = waste(lengths, list(Batches(lengths, 32, shuffle=True)))
        order = np.random.default_rng(1).permutation(len(lengths))
        shuffled = waste(lengths, [order[i : i + 32] for i in range(0, len(order), 32)])
        # measured: 1.03 positions for a token, 3.13 in random order
        assert grouped < 1.05
        assert shuffled > 3

    @pytest.mark.parametrize("world", [1, 2])
    @pytest.mark.parametrize("budget", [100, 333, 1_000_000])
    def test_tokens_of_a_batch(self, world: int, budget: int) -> None:
        """Padding included, and over all processes together; every window once, in as many batches each epoch."""
        lengths = np.append(reviews_like_nsmc(500), [101, 400])  # two that are longer than the smallest budget
        ranks = [Batches(lengths, 8, shuffle=True, rank=r, world_size=world, batch_tokens=budget) for r in range(world)]
        orders, counts = [], set()
        for epoch in range(3):
            for batches in ranks:
                batches.set_epoch(epoch)
            given = [list(batches) for batches in ranks]
            counts |= {len(parts) for parts in given} | {len(batches) for batches in ranks}
            whole = [np.unique(np.concatenate(parts)) for parts in zip(*given, strict=True)]
            assert sorted(k for batch in whole for k in batch) == list(range(502))
            assert all(len(batch) == 1 or len(batch) * lengths[batch].max() <= budget for batch in whole)
            orders.append([batch.tolist() for batch in whole])
        assert len(counts) == 1
        if budget < 1_000_000:
            assert orders[0] != orders[1] != orders[2]
            assert max(len(batch) for batch in orders[0]) > 8  # the number of windows is no limit here
        else:
            assert counts == {1}

    def test_tokens_of_a_batch_by_hand(self) -> None:
        """Sorted: 2 3 3 5 9. 2 and 3 make 6 with padding; 9 is longer than the budget and stands alone."""
        batches = Batches(np.array([9, 3, 5, 2, 3]), 8, shuffle=True, batch_tokens=6)
        lengths = batches.lengths
        assert sorted(sorted(lengths[batch].tolist()) for batch in batches) == [[2, 3], [3], [5], [9]]
        assert len(batches) == 4

    def test_budgets_are_used(self) -> None:
        lengths = reviews_like_nsmc(20_000)
        batches = list(Batches(lengths, 8, shuffle=True, batch_tokens=1024))
        assert waste(lengths, batches) < 1.02
        assert lengths.sum() / 1024 < len(batches) < 1.05 * lengths.sum() / 1024

    def test_windows_of_one_length_meet_others_in_the_next_epoch(self) -> None:
        batches = Batches(np.full(64, 4), 8, shuffle=True, batch_tokens=16)
        first = {frozenset(batch.tolist()) for batch in batches}
        batches.set_epoch(1)
        assert {frozenset(batch.tolist()) for batch in batches} != first

    def test_processes_share_a_batch_of_tokens(self) -> None:
        lengths = reviews_like_nsmc(200)
        whole = list(Batches(lengths, 8, shuffle=True, batch_tokens=300))
        parts = [list(Batches(lengths, 8, shuffle=True, batch_tokens=300, rank=r, world_size=2)) for r in range(2)]
        for batch, left, right in zip(whole, *parts, strict=True):
            assert abs(len(left) - len(right)) <= 1
            if len(batch) > 1:
                assert sorted(batch) == sorted([*left, *right])

    def test_lengths_stay_mixed_over_an_epoch(self) -> None:
        lengths = reviews_like_nsmc(20_000)
        means = np.array([lengths[b].mean() for b in Batches(lengths, 32, shuffle=True)])
        assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.1  # neither longest nor shortest first


class TestExamplesWithoutWindows:
    """A language model learns nothing from an empty line."""

    @pytest.fixture
    def split(self, tmp_path: Path, cache: Path) -> EncodedSplit:
        rows = "".join(json.dumps({"text": text}) + "\n" for text in ("", "하나", "", "둘 셋 " * 20, "", "넷", ""))
        own = read(write(tmp_path / "raw.jsonl", rows), cache, kind=RawExample)
        return encode_split(own, MaskedLM(), tokenizer(), [], 16, cache=cache)

    def test_their_windows(self, split: EncodedSplit) -> None:
        assert len(split.read) == 7
        assert split.read.statistics.empty == 4
        assert set(split.example_rows.tolist()) == {1, 3, 5}
        assert (split.example_rows == 3).sum() > 1
        assert split.begins.sum() == 3
        assert split.example_rows[split.begins].tolist() == [1, 3, 5]

    def test_selections(self, split: EncodedSplit) -> None:
        assert len(split.select(np.array([0, 2, 6]))) == 0
        assert split.select(np.array([0, 5])).example_rows.tolist() == [5]
        kept = split.sample(2, seed=1)
        assert len(set(kept.example_rows.tolist())) == 2  # of those that teach something
        assert split.sample(3, seed=1) is split

    def test_batches(self, split: EncodedSplit) -> None:
        loader = Loader(split, tokenizer(), Batches(split.lengths, 2, shuffle=False))
        assert sorted(int(k) for batch in loader for k in batch["index"]) == list(range(len(split)))


class TestLoader:
    @pytest.fixture
    def loader(self, tmp_path: Path, cache: Path) -> Loader:
        rows = [("좋아요 " * (1 + i % 5), "긍정" if i % 2 else "부정") for i in range(22)]
        split = encode(tsv(tmp_path / "a.tsv", rows), cache)
        return Loader(split, tokenizer(), Batches(split.lengths, 4, shuffle=True))

    def test_batches_are_padded_to_their_longest(self, loader: Loader) -> None:
        assert len(loader) == 6
        for batch in loader:
            lengths = loader.split.lengths[batch["index"]]
            assert tuple(batch["input_ids"].shape) == (len(lengths), lengths.max())
            assert batch["attention_mask"].sum(dim=1).tolist() == lengths.tolist() == batch["lengths"]

    def test_it_goes_on_where_it_stood(self, loader: Loader) -> None:
        iterator = iter(loader)
        first = [next(iterator)["index"].tolist() for _ in range(2)]
        state = loader.state_dict()
        assert state == {"given": 2}
        rest = [batch["index"].tolist() for batch in iterator]

        again = Loader(loader.split, tokenizer(), Batches(loader.split.lengths, 4, shuffle=True))
        again.load_state_dict(json.loads(json.dumps(state)))
        assert [batch["index"].tolist() for batch in again] == rest
        assert [batch["index"].tolist() for batch in again] == first + rest  # the next epoch is whole

    def test_the_state_counts_on_after_going_on(self, loader: Loader) -> None:
        loader.load_state_dict({"given": 2})
        next(iter(loader))
        assert loader.state_dict() == {"given": 3}

    def test_a_finished_epoch_leaves_nothing_to_skip(self, loader: Loader) -> None:
        list(loader)
        assert loader.state_dict() == {"given": 0}


class TestCut:
    def test_every_stratum_gives_its_share(self) -> None:
        strata = np.repeat([0, 1, 2], [70, 20, 10])
        larger, smaller = cut(strata, 0.1, 7)
        assert np.bincount(strata[smaller]).tolist() == [7, 2, 1]
        assert sorted([*larger, *smaller]) == list(range(100))
        assert list(larger) == sorted(larger)
        assert list(smaller) == sorted(smaller)

    def test_the_seed_chooses(self) -> None:
        strata = np.array([0, 1] * 50)
        assert cut(strata, 0.1, 1)[1].tolist() == cut(strata, 0.1, 1)[1].tolist()
        assert cut(strata, 0.1, 1)[1].tolist() != cut(strata, 0.1, 2)[1].tolist()

    def test_rows_are_taken_at_random(self) -> None:
        _, smaller = cut(np.zeros(1000, dtype=int), 0.1, 3)
        assert len(set(np.diff(smaller))) > 5  # not each tenth

    @pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
    def test_classes_of_one_row(self, share: float) -> None:
        larger, smaller = cut(np.arange(40), share, 7)
        assert (len(larger), len(smaller)) == (round(40 * (1 - share)), round(40 * share))

    def test_no_strata(self) -> None:
        larger, smaller = cut(np.zeros(10, dtype=int), 0.3, 7)
        assert (len(larger), len(smaller)) == (7, 3)


def module(corpus: Any, cache: Path, **options: Any) -> TaskDataModule:
    task = Ner() if issubclass(corpus.example_type, EntityExample) else Classification()
    own = {"task": task, "corpus": corpus, "tokenizer": tokenizer(), "cache": cache, "max_length": 32} | options
    data = TaskDataModule(own.pop("task"), own.pop("corpus"), own.pop("tokenizer"), **own)
    data.setup("fit")
    return data


def texts(split: Any) -> set[str]:
    return {split.read.example(int(row)).text for row in split.example_rows}


@pytest.fixture
def hundred(tmp_path: Path) -> FileCorpus:
    rows = [(f"{i}번 손님의 말", "긍정" if i < 80 else "부정") for i in range(100)]
    return FileCorpus(file=tsv(tmp_path / "hundred.tsv", rows))


class TestDataModule:
    def test_splits_of_the_corpus(self, cache: Path) -> None:
        data = module(SampleSentiment(), cache)
        assert {name: size["examples"] for name, size in data.summary().items()} == {
            "train": 440,
            "validation": 80,
            "test": 120,
        }
        assert data.labels == ["긍정", "부정"]

    def test_a_cut_where_there_is_no_validation_split(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, validation_share=0.2)
        assert data.train is not None
        assert data.validation is not None
        assert data.test is None
        assert not texts(data.train) & texts(data.validation)
        labels = Counter(data.validation.read.example(int(i)).label for i in data.validation.example_rows)
        assert labels == {"긍정": 16, "부정": 4}
        assert len(data.train) == 80
        again = module(hundred, cache, validation_share=0.2)
        assert texts(again.validation) == texts(data.validation)
        assert texts(module(hundred, cache, validation_share=0.2, seed=8).validation) != texts(data.validation)

    def test_an_evaluation_corpus_of_its_own(self, hundred: FileCorpus, tmp_path: Path, cache: Path) -> None:
        other = FileCorpus(file=tsv(tmp_path / "other.tsv", ROWS))
        data = module(hundred, cache, eval_corpus=other)
        assert data.train is not None
        assert len(data.train) == 100  # nothing is cut off
        assert texts(data.validation) == {text for text, _ in ROWS}

    def test_an_evaluation_corpus_gives_its_validation_split(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, eval_corpus=SampleSentiment())
        assert data.validation is not None
        assert len(data.validation.read) == 80

    def test_an_evaluation_corpus_with_another_label(self, hundred: FileCorpus, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "other.tsv", [*ROWS, ("그저 그래요", "보통")])
        with pytest.raises(InputError, match="the label '보통' is not among the labels of the model") as caught:
            module(hundred, cache, eval_corpus=FileCorpus(file=path))
        assert caught.value.place == Place(str(path), 6)

    def test_limits(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, limit_train=10, limit_eval=4)
        assert data.train is not None
        assert data.validation is not None
        assert (len(data.train), len(data.validation)) == (10, 4)
        assert texts(data.train) == texts(module(hundred, cache, limit_train=10).train)
        assert texts(data.train) != texts(module(hundred, cache, limit_train=10, seed=8).train)
        assert len(module(hundred, cache, limit_train=10_000).train or []) == 90

    def test_a_limit_counts_examples_and_keeps_all_their_windows(self, tmp_path: Path, cache: Path) -> None:
        rows = [("길고 긴 글입니다 " * 20, "긍정"), ("길고 지루한 글입니다 " * 20, "부정")] * 5
        corpus = FileCorpus(file=tsv(tmp_path / "long.tsv", rows))
        data = module(corpus, cache, task=Classification(long_text="windows"), limit_train=3)
        assert data.train is not None
        whole = Counter(module(corpus, cache, task=data.task).train.table.numbers("example").tolist())
        kept = Counter(data.train.example_rows.tolist())
        assert len(kept) == 3
        assert kept == {row: whole[row] for row in kept}
        assert min(kept.values()) > 1

    def test_a_row_without_a_label(self, tmp_path: Path, cache: Path) -> None:
        path = write(tmp_path / "a.tsv", "text\tlabel\n좋아요\t긍정\n\t부정\n별로\t  \n")
        with pytest.raises(InputError, match="--label_column") as caught:
            module(FileCorpus(file=path), cache)
        assert caught.value.place == Place(str(path), 4)

    def test_a_file_without_labels(self, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "a.tsv", [("좋아요", "1"), ("별로", "2")], "text\tid")
        with pytest.raises(InputError, match="no column for the label among"):
            module(FileCorpus(file=path), cache)

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (["나", "가", "다"], ["가", "나", "다"]),
            (["10", "9", "1"], ["1", "9", "10"]),
            (["1", "-1", "0"], ["-1", "0", "1"]),
            (["10", "9", "중립"], ["10", "9", "중립"]),
        ],
    )
    def test_the_order_of_labels(self, tmp_path: Path, cache: Path, found: list[str], expected: list[str]) -> None:
        path = tsv(tmp_path / "a.tsv", [(f"글 {i}", name) for i, name in enumerate(found * 4)])
        assert module(FileCorpus(file=path), cache).labels == expected

    def test_the_types_of_entities(self, cache: Path) -> None:
        data = module(SampleNer(), cache, limit_train=8)
        assert data.labels == ["DT", "LC", "OG", "PS", "QT"]
        assert data.task.classes(data.labels)[:3] == ["O", "B-DT", "I-DT"]

    def test_questions_without_an_answer_are_no_class(self, tmp_path: Path, cache: Path) -> None:
        rows = [
            {
                "question": f"{i}?",
                "context": "도서관은 1998년에 문을 열었다",
                "answers": [{"text": "1998년", "answer_start": 5}],
            }
            for i in range(12)
        ]
        rows[3]["answers"] = []
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        own = FileCorpus(file=write(tmp_path / "q.jsonl", lines + "\n"), kind=QuestionExample)
        task = TASKS["question-answering"]()
        data = module(own, cache, task=task, eval_corpus=own, limit_train=1, max_length=64)
        assert data.train is not None
        assert int(data.train.begins.sum()) == 1

    def test_one_row_cannot_be_cut(self, tmp_path: Path, cache: Path) -> None:
        path = write(tmp_path / "a.tsv", "text\tlabel\n좋아요\t긍정\n")
        with pytest.raises(InputError, match="--eval_corpus"):
            module(FileCorpus(file=path, label_separator=","), cache)

    def test_two_rows_are_cut_into_one_and_one(self, tmp_path: Path, cache: Path) -> None:
        rows = [(text, "긍정,부정") for text, _ in ROWS[:2]]
        data = module(FileCorpus(file=tsv(tmp_path / "a.tsv", rows), label_separator=","), cache)
        assert (len(data.train or []), len(data.validation or [])) == (1, 1)

    def test_a_selection_of_one_class(self, tmp_path: Path, hundred: FileCorpus, cache: Path) -> None:
        two = FileCorpus(file=tsv(tmp_path / "a.tsv", [("좋다", "긍정"), ("나쁘다", "부정")]))
        for corpus, limit in ((two, None), (hundred, 1)):
            with pytest.raises(InputError, match=r"of 2 classes only '.정' is left in the 1 rows"):
                module(corpus, cache, limit_train=limit)

    def test_a_class_that_a_limit_loses(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.splits.log.propagate", True)
        rows = [(f"{i}번", "중립" if i == 59 else ("긍정", "부정")[i % 2]) for i in range(60)]
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", rows))
        module(own, cache, limit_train=8, eval_corpus=own)
        assert "no row of the class '중립' is among the 8 to train on" in caplog.text
        caplog.clear()
        module(own, cache, eval_corpus=own)
        assert "no row of the class" not in caplog.text

    def test_a_cut_that_leaves_nothing_to_learn_from(self, hundred: FileCorpus, cache: Path) -> None:
        with pytest.raises(InputError, match="validation_share"):
            module(hundred, cache, validation_share=1.0)

    def test_no_validation_file_and_small_share_gives_one_row(self, tmp_path: Path, cache: Path) -> None:
        data = module(FileCorpus(file=tsv(tmp_path / "a.tsv", ROWS)), cache, validation_share=0.01)
        assert (len(data.train or []), len(data.validation or [])) == (3, 1)

    def test_setup_twice_changes_nothing(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, limit_train=10)
        train = data.train
        data.setup("fit")
        data.prepare_data()
        assert data.train is train

    def test_what_truncation_cuts_away_is_counted_and_said(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.splits.log.propagate", True)
        rows = [("가 " * 10, "긍정"), ("가", "부정"), ("가", "긍정"), ("가", "부정")]
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", rows))
        data = module(own, cache, max_length=6, eval_corpus=FileCorpus(file=tsv(tmp_path / "b.tsv", rows[1:])))
        # 10 tokens and two special ones go into 6: 4 are kept and 6 are lost; the others are 3 long
        assert data.train is not None
        assert data.train.lost.tolist() == [6, 0, 0, 0]
        sizes = data.summary()
        assert (sizes["train"]["tokens"], sizes["train"]["tokens_cut_away"]) == (6 + 3 * 3, 6)
        assert sizes["validation"]["tokens_cut_away"] == 0
        assert "train: 1 of 4 texts are longer than 6 tokens; 28.57% of all tokens are cut away." in caplog.text
        chosen = data.train.select(np.array([1, 2]))  # of a selection its own is counted
        assert chosen.lost.tolist() == [0, 0]

    def test_what_was_cut_off_for_validation_goes_by_that_name(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.splits.log.propagate", True)
        rows = [("가 " * 10, label) for label in ("긍정", "부정") * 10]  # all of them are too long
        module(FileCorpus(file=tsv(tmp_path / "a.tsv", rows)), cache, max_length=6)
        said = [r.getMessage().partition(" of ")[0] for r in caplog.records if "longer than" in r.getMessage()]
        assert said == ["train: 18", "validation: 2"]

    def test_windows_lose_nothing(self, tmp_path: Path, cache: Path) -> None:
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", [("가 " * 10, "긍정"), ("나", "부정")]))
        data = module(own, cache, max_length=6, task=Classification(long_text="windows"), eval_corpus=own)
        assert data.train is not None
        assert data.train.lost.tolist() == [0] * 4  # 0-4, 3-7, 6-10 of the first; the second
        assert data.train.begins.tolist() == [True, False, False, True]

    def test_head_and_tail(self, tmp_path: Path, cache: Path) -> None:
        words = "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열"
        path = tsv(tmp_path / "a.tsv", [(words, "긍정"), ("짧다", "부정")])
        whole = encode(path, cache, max_length=64)[0]["input_ids"].tolist()
        short = encode(path, cache, max_length=10, task=Classification(long_text="head+tail"))[0]["input_ids"].tolist()
        assert len(whole) > 10
        assert short == whole[:3] + whole[-7:]  # 2 of 8 from the head, 6 from the tail, and the special tokens

    def test_loaders(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, batch_size=16, limit_train=40)
        assert [len(batch["index"]) for batch in data.val_dataloader()] == [10]
        assert sorted(len(batch["index"]) for batch in data.train_dataloader()) == [8, 16, 16]
        assert data.train_dataloader().batch_sampler.shuffle
        assert not data.val_dataloader().batch_sampler.shuffle
        with pytest.raises(RuntimeError, match="setup"):
            data.test_dataloader()

    def test_a_corpus_with_an_option_is_another_corpus(self, hundred: FileCorpus, cache: Path) -> None:
        assert replace(hundred, label_separator=",").fingerprint(cache, "train") != hundred.fingerprint(cache, "train")
