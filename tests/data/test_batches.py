"""Batches of windows of similar length, and the loader that collates them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers import encode, tokenizer, tsv

from ratsnlp_like.data.batches import Batches, Loader


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

    def test_batches_have_the_requested_size(self) -> None:
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
        """They depend on seed, epoch, number and process, not on earlier draws."""

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
        """Padding and all processes included; every window once, in the same number of batches each epoch."""
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
        """Sorted: 2 3 3 5 9. 2 and 3 make 6 with padding; 9 is longer than the budget and is alone."""
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

    def test_resuming_within_an_epoch(self, loader: Loader) -> None:
        iterator = iter(loader)
        first = [next(iterator)["index"].tolist() for _ in range(2)]
        state = loader.state_dict()
        assert state == {"position": 2}
        rest = [batch["index"].tolist() for batch in iterator]

        again = Loader(loader.split, tokenizer(), Batches(loader.split.lengths, 4, shuffle=True))
        again.load_state_dict(json.loads(json.dumps(state)))
        assert [batch["index"].tolist() for batch in again] == rest
        assert [batch["index"].tolist() for batch in again] == first + rest  # the next epoch is whole

    def test_the_state_after_resuming(self, loader: Loader) -> None:
        loader.load_state_dict({"position": 2})
        next(iter(loader))
        assert loader.state_dict() == {"position": 3}

    def test_the_state_after_a_whole_epoch(self, loader: Loader) -> None:
        list(loader)
        assert loader.state_dict() == {"position": 0}
