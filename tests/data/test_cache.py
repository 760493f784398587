"""The cache of examples and windows: what invalidates it, many processes, killed writers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import encode, new_tokenizer, read, tokenizer, tree, tsv, write

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.data.cache import cached_folder, tokenizer_fingerprint
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.tasks.classification import Classification

ROWS = [("정말 좋아요", "긍정"), ("별로예요", "부정"), ("또 갈게요", "긍정"), ("돈이 아까워요", "부정")]


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return tsv(tmp_path / "reviews.tsv", ROWS)


def folders(cache: Path, kind: str = "") -> set[str]:
    return {path.name for path in cache.glob(f"{kind}*") if path.is_dir()}


class TestCache:
    def test_second_build_encodes_nothing(self, reviews: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = encode(reviews, cache)

        def called(*arguments: Any) -> None:
            raise AssertionError("encoded again")

        monkeypatch.setattr(Classification, "encode", called)
        monkeypatch.setattr(FileCorpus, "examples", called)
        second = encode(reviews, cache)
        assert [row["input_ids"].tolist() for row in second] == [row["input_ids"].tolist() for row in first]
        assert second.lost.tolist() == first.lost.tolist()

    def test_places_of_a_copy(self, reviews: Path, cache: Path, tmp_path: Path) -> None:
        encode(reviews, cache)
        copy = tsv(tmp_path / "copy.tsv", ROWS)
        before = folders(cache, "windows")
        assert encode(copy, cache).read.example(1).place == Place(str(copy), 3)
        assert encode(reviews, cache).read.example(1).place == Place(str(reviews), 3)
        assert folders(cache, "windows") == before  # the texts are not encoded again

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
    def test_changes_of_the_windows_alone(self, reviews: Path, cache: Path, changes: dict[str, Any]) -> None:
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

    def test_leftovers_of_a_killed_writer_are_ignored(self, reviews: Path, cache: Path) -> None:
        split = encode(reviews, cache)
        expected = [row["input_ids"].tolist() for row in split]
        whole = next(iter(folders(cache, "windows")))
        half = cache / f"{whole}.partial"
        (cache / whole).rename(half)
        (half / "windows.arrow").write_bytes((half / "windows.arrow").read_bytes()[:100])
        (half / "meta.json").unlink()
        assert [row["input_ids"].tolist() for row in encode(reviews, cache)] == expected
        assert folders(cache, "windows") == {whole}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _zero_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["examples", "windows"])
@pytest.mark.parametrize("file", ["{}.arrow", "meta.json"])
@pytest.mark.parametrize("damage", [_cut, _zero_page, Path.unlink])
def test_a_damaged_entry_is_built_again(
    kind: str, file: str, damage: Callable[[Path], None], reviews: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = [row["input_ids"].tolist() for row in encode(reviews, cache)]
    (folder,) = cache.glob(f"{kind}-*[!k]")
    damage(folder / file.format(kind))
    assert [row["input_ids"].tolist() for row in encode(reviews, cache)] == expected
    assert f"{folder}: the cached corpus is damaged" in caplog.text
    caplog.clear()
    encode(reviews, cache)
    assert "damaged" not in caplog.text


def _build(folder: Path, log: Path, seconds: float) -> dict[str, int]:
    (folder / "part-1").write_text("one")
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    (folder / "part-2").write_text("two")
    return {"parts": 2}


def _process(cache: Path, log: Path, seconds: float, queue: Any) -> None:
    folder, meta = cached_folder(cache, "key", lambda partial: _build(partial, log, seconds))
    queue.put((meta, sorted(p.name for p in folder.iterdir())))


class TestProcesses:
    context = multiprocessing.get_context("fork")  # spawned ones would import torch for seconds

    @pytest.mark.slow
    def test_two_processes_build_once(self, tmp_path: Path, cache: Path) -> None:
        queue = self.context.Queue()
        log = tmp_path / "log"
        started = [self.context.Process(target=_process, args=(cache, log, 0.3, queue)) for _ in range(2)]
        for process in started:
            process.start()
        results = [queue.get(timeout=20) for _ in started]
        for process in started:
            process.join(20)
        assert results == [({"parts": 2}, ["meta.json", "part-1", "part-2"])] * 2
        assert len(log.read_text().split()) == 1
        assert folders(cache) == {"key"}

    def test_a_killed_process_releases_the_lock(self, tmp_path: Path, cache: Path) -> None:
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
