"""Masked language modelling: masks, whole words, blanks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from helpers import write
from helpers_language_models import CLS, MASK, SEP, TEXTS, UNK, model, raw

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.data.batches import Batches, Loader
from ratsnlp_like.data.encoding import EncodedSplit, encode_split
from ratsnlp_like.data.reading import read_split
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.masked_lm import Blank, Filled, MaskedLM


def targets_of(batch: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """Row, position, the token there, and the true token, of each target."""
    longest = batch["input_ids"].shape[1]
    shown = batch["input_ids"].flatten()[batch["positions"]].tolist()
    rows = zip(batch["positions"].tolist(), shown, batch["labels"].tolist(), strict=True)
    return [(at // longest, at % longest, now, before) for at, now, before in rows]


class TestMasks:
    WINDOWS = 40
    DRAWS = 100

    @pytest.fixture
    def drawn(self, tiny_tokenizer: Any) -> tuple[list[dict[str, Any]], list[tuple[int, int, int, int]]]:
        """Windows of 22 tokens that may be hidden, and what 100 draws hid of them."""
        windows = [
            {"input_ids": [CLS, *(5 + (7 * i + k) % 190 for k in range(20)), UNK, 5, 6, SEP], "example": i, "lost": 0}
            for i in range(self.WINDOWS)
        ]
        task, rng = MaskedLM(), np.random.default_rng(0)
        found = []
        for _ in range(self.DRAWS):
            found += targets_of(task.collate(windows, tiny_tokenizer, noise=rng))
        return windows, found

    def test_share(self, drawn: Any) -> None:
        """15% of 88,000; what makes sure of one target in a window adds 0.85^22 = 2.8% of a token to 3.3."""
        total = self.WINDOWS * self.DRAWS * 22
        expected = 0.15 + 0.85**22 / 22
        assert len(drawn[1]) / total == pytest.approx(expected, abs=5 * math.sqrt(0.15 * 0.85 / total))

    @pytest.mark.parametrize("share", [0.01, 0.4, 0.9])
    def test_share_that_was_asked_for(self, share: float, tiny_tokenizer: Any) -> None:
        windows = [{"input_ids": [CLS, *range(5, 105), SEP]}] * 200
        batch = MaskedLM(mask_share=share).collate(windows, tiny_tokenizer, noise=np.random.default_rng(1))
        expected = share + (1 - share) ** 100 / 100
        assert len(batch["labels"]) / 20_000 == pytest.approx(expected, abs=5 * math.sqrt(share * (1 - share) / 20_000))

    def test_fates(self, drawn: Any, tiny_tokenizer: Any) -> None:
        """80% are masked, 10% replaced by any token (which may be the same), 10% kept."""
        fates = drawn[1]
        count, ordinary = len(fates), len(tiny_tokenizer) - 5
        masked = sum(now == MASK for _, _, now, _ in fates) / count
        kept = sum(now == before for _, _, now, before in fates) / count
        others = [now for _, _, now, before in fates if now not in (MASK, before)]
        for share, expected in ((masked, 0.8), (kept, 0.1 + 0.1 / ordinary), (len(others) / count, 0.1)):
            assert share == pytest.approx(expected, abs=5 * math.sqrt(0.16 / count))
        assert min(others) > MASK  # never a special token
        assert max(others) < len(tiny_tokenizer)
        assert len(set(others)) > 0.9 * ordinary  # from all of the vocabulary

    def test_special_and_unknown_tokens_are_never_hidden(self, drawn: Any) -> None:
        windows, fates = drawn
        assert {place for _, place, _, _ in fates} == set(range(1, 24)) - {21}
        assert all(before == windows[row]["input_ids"][place] for row, place, _, before in fates)

    def test_all_else_stays_as_it_was(self, drawn: Any, tiny_tokenizer: Any) -> None:
        windows = drawn[0]
        batch = MaskedLM().collate(windows, tiny_tokenizer, noise=np.random.default_rng(2))
        ids = batch["input_ids"].clone().flatten()
        ids[batch["positions"]] = batch["labels"]
        assert ids.view(batch["input_ids"].shape).tolist() == [window["input_ids"] for window in windows]

    def test_at_least_one_target_in_a_window(self, tiny_tokenizer: Any) -> None:
        windows = [{"input_ids": [CLS, 5, 6, SEP]}, {"input_ids": [CLS, UNK, 7, SEP]}] * 50
        task = MaskedLM(mask_share=0.001)
        for noise in (None, np.random.default_rng(3)):
            rows = [row for row, *_ in targets_of(task.collate(windows, tiny_tokenizer, noise=noise))]
            assert rows == list(range(100))  # 0.2 in a hundred windows would be chosen by luck

    def test_a_window_of_unknown_tokens_has_no_target(self, tiny_tokenizer: Any) -> None:
        windows = [{"input_ids": [CLS, UNK, UNK, SEP]}, {"input_ids": [CLS, 5, SEP]}]
        batch = MaskedLM().collate(windows, tiny_tokenizer, noise=np.random.default_rng(4))
        assert [(row, place) for row, place, *_ in targets_of(batch)] == [(1, 1)]
        alone = MaskedLM().collate(windows[:1], tiny_tokenizer, noise=np.random.default_rng(4))
        assert alone["positions"].shape == alone["labels"].shape == (0,)


class TestWholeWords:
    """부산 ##이 | [UNK] 친구 ##들 [UNK] | 안녕하세요 ##입니 ##다 [UNK] | 친구 ##이 of the tiny vocabulary."""

    TEXT = "부산이 (친구들) 안녕하세요입니다. 친구이"

    def words(self, tokenizer: Any) -> list[list[int]]:
        """The places of the tokens of each eojeol, [CLS] being place 0."""
        out, at = [], 1
        for eojeol in self.TEXT.split():
            size = len(tokenizer(eojeol, add_special_tokens=False)["input_ids"])
            out.append(list(range(at, at + size)))
            at += size
        return out

    def test_all_of_an_eojeol_or_nothing(self, tiny_tokenizer: Any) -> None:
        words = self.words(tiny_tokenizer)
        assert [len(word) for word in words] == [2, 4, 4, 2]
        task = MaskedLM(whole_words=True, mask_share=0.3)
        (window,) = task.encode(raw([self.TEXT]), tiny_tokenizer, [], 64)
        unknown = {place for place, i in enumerate(window["input_ids"]) if i == UNK}
        times = [0] * len(words)
        for seed in range(200):
            batch = task.collate([window], tiny_tokenizer, noise=np.random.default_rng(seed))
            places = {place for _, place, *_ in targets_of(batch)}
            for k, word in enumerate(words):
                assert places & set(word) in (set(), set(word) - unknown)
                times[k] += bool(places & set(word))
        assert all(30 < count < 100 for count in times)  # 30% and a little: one word at least is hidden

    def test_tokens_alone_otherwise(self, tiny_tokenizer: Any) -> None:
        words = self.words(tiny_tokenizer)
        (window,) = MaskedLM(mask_share=0.3).encode(raw([self.TEXT]), tiny_tokenizer, [], 64)
        assert "words" not in window
        batches = [
            MaskedLM(mask_share=0.3).collate([window], tiny_tokenizer, noise=np.random.default_rng(s))
            for s in range(20)
        ]
        parts = [{place for _, place, *_ in targets_of(batch)} & set(word) for batch in batches for word in words]
        assert any(0 < len(part) < len(word) for part, word in zip(parts, words * 20, strict=True))

    def test_words_of_windows(self, tiny_tokenizer: Any) -> None:
        """An eojeol is numbered alike on both sides of a cut; special tokens belong to none."""
        windows = MaskedLM(whole_words=True).encode(raw([self.TEXT]), tiny_tokenizer, [], 7)
        expected = [k for k, word in enumerate(self.words(tiny_tokenizer)) for _ in word]
        assert [i for window in windows for i in window["words"][1:-1]] == expected
        assert {(window["words"][0], window["words"][-1]) for window in windows} == {(-1, -1)}
        assert all(len(window["words"]) == len(window["input_ids"]) for window in windows)

    @pytest.mark.parametrize("name", ["kobert", "kcbert-base", "kobart"])
    def test_real_tokenizers(self, name: str, real_tokenizer: Any) -> None:
        """Spaces belong to no eojeol: SentencePiece writes them into the first token of a word."""
        tokenizer = real_tokenizer(name)
        task = MaskedLM(whole_words=True)
        (window,) = task.encode(raw(["  대한민국의 수도는\t서울특별시입니다 "]), tokenizer, [], 64)
        pieces: dict[int, list[int]] = {}
        for word, i in zip(window["words"], window["input_ids"], strict=True):
            if word >= 0:
                pieces.setdefault(word, []).append(i)
        texts = ["".join(tokenizer.decode(ids).split()) for ids in pieces.values()]
        assert [text for text in texts if text] == ["대한민국의", "수도는", "서울특별시입니다"]


class TestFixedMasks:
    @pytest.fixture
    def split(self, tmp_path: Path, tiny_tokenizer: Any) -> EncodedSplit:
        path = write(tmp_path / "raw.txt", "\n".join(TEXTS * 4) + "\n")
        read = read_split(FileCorpus(file=path, kind=RawExample), "train", root=tmp_path, cache=tmp_path / "cache")
        return encode_split(read, MaskedLM(), tiny_tokenizer, [], 12, cache=tmp_path / "cache")

    def test_in_evaluation_whatever_the_batch(self, tiny_tokenizer: Any) -> None:
        task = MaskedLM()
        windows = task.encode(raw(TEXTS), tiny_tokenizer, [], 12)

        def masks(order: Sequence[int]) -> dict[int, list[tuple[int, ...]]]:
            batch = task.collate([windows[k] for k in order], tiny_tokenizer)
            found: dict[int, list[tuple[int, ...]]] = {k: [] for k in order}
            for row, *rest in targets_of(batch):
                found[order[row]].append(tuple(rest))
            return found

        everything = masks(range(len(windows)))
        assert all(everything.values())
        assert masks(range(len(windows) - 1, -1, -1)) == everything
        for k in range(len(windows)):
            assert masks([k]) == {k: everything[k]}

    def test_in_training_by_seed_epoch_and_batch(self, split: EncodedSplit, tiny_tokenizer: Any) -> None:
        def epoch(number: int, seed: int = 7, skip: int = 0) -> list[tuple[list[int], list[int], list[int]]]:
            batches = Batches(split.lengths, 4, shuffle=True, seed=seed)
            batches.set_epoch(number)
            loader = Loader(split, tiny_tokenizer, batches)
            loader.load_state_dict({"position": skip})
            return [(b["index"].tolist(), b["input_ids"].tolist(), b["positions"].tolist()) for b in loader]

        first = epoch(0)
        assert len(first) >= 5
        assert epoch(0) == first
        assert epoch(0, skip=3) == first[3:]  # as a resumed run makes them
        assert epoch(1) != first
        assert epoch(0, seed=8) != first

    def test_how_many_targets_each_text_has_is_told(self, split: EncodedSplit, tiny_tokenizer: Any) -> None:
        for batch in Loader(split, tiny_tokenizer, Batches(split.lengths, 4, shuffle=True)):
            rows = (batch["positions"] // batch["input_ids"].shape[1]).tolist()
            assert batch["counts"] == [rows.count(row) for row in range(len(batch["input_ids"]))]

    def test_the_same_windows_are_hidden_otherwise_in_the_next_epoch(
        self, split: EncodedSplit, tiny_tokenizer: Any
    ) -> None:
        batches = Batches(split.lengths, len(split), shuffle=True)
        everything = np.arange(len(split))
        loader = Loader(split, tiny_tokenizer, batches)
        first, again = (loader.batch(everything)["input_ids"] for _ in range(2))
        assert torch.equal(first, again)
        batches.set_epoch(1)
        assert not torch.equal(loader.batch(everything)["input_ids"], first)

    def test_two_processes_hide_different_tokens(self, split: EncodedSplit, tiny_tokenizer: Any) -> None:
        parts = []
        for rank in range(2):
            batches = Batches(split.lengths, 8, shuffle=True, rank=rank, world_size=2)
            parts.append(Loader(split, tiny_tokenizer, batches).batch(np.arange(8))["input_ids"])
        assert not torch.equal(*parts)


class Out(NamedTuple):
    """What a model returns."""

    logits: torch.Tensor


def fixed(tokenizer: Any, *tokens: str) -> Any:
    """A BERT of one layer that ranks these tokens in this order at every position."""
    made = model("bert", vocab_size=len(tokenizer))
    with torch.no_grad():
        for parameter in made.cls.predictions.transform.parameters():
            parameter.zero_()
        made.cls.predictions.bias.zero_()  # what is left are the biases alone
        for k, token in enumerate(tokens):
            made.cls.predictions.bias[tokenizer.convert_tokens_to_ids(token)] = 20.0 - k
    return made


class TestBlanks:
    def predictor(self, tokenizer: Any, tokens: Sequence[str], max_length: int = 64, **fields: Any) -> Predictor:
        vocabulary = tokenizer.get_vocab()
        assert set(tokens) <= set(vocabulary)
        return Predictor(MaskedLM(**fields), fixed(tokenizer, *tokens), tokenizer, [], max_length=max_length)

    @pytest.mark.parametrize(
        ("text", "token", "filled"),
        [
            ("서울에서 [MASK] 탔다", "기차를", "서울에서 기차를 탔다"),
            ("[MASK] 탔다", "기차를", "기차를 탔다"),
            ("나는 [MASK]", "기차를", "나는 기차를"),
            ("[MASK]", "기차를", "기차를"),
            ("[MASK]를 [MASK] 봤다", "다", "다를 다 봤다"),
            ("[MASK][MASK]", "다", "다다"),
            ("영화 [MASK] 봤다", "##가", "영화가 봤다"),
            ("영화[MASK] 봤다", "##가", "영화가 봤다"),
            ("[MASK]  나  ", "다", "다  나  "),
            ("GOOD 뷁😀 [MASK]", "다", "GOOD 뷁😀 다"),
        ],
    )
    def test_blanks(self, text: str, token: str, filled: str, tiny_tokenizer: Any) -> None:
        """All else stays as it was written, unknown characters too."""
        found = self.predictor(tiny_tokenizer, [token])(text)
        assert isinstance(found, Filled)
        assert found.text == filled
        assert len(found.candidates) == text.count("[MASK]")

    def test_blanks_in_several_windows(self, tiny_tokenizer: Any) -> None:
        predictor = self.predictor(tiny_tokenizer, ["다"], max_length=8)
        text = " ".join(["[MASK] 서울에서 만났다"] * 7)
        assert predictor(text).text == text.replace("[MASK]", "다")

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_candidates(self, count: int, tiny_tokenizer: Any) -> None:
        """softmax of 20, 19, 18 and zeros; best first."""
        predictor = self.predictor(tiny_tokenizer, ["다", "##가", "나"])
        (blank,) = predictor("이 [MASK]", candidates=count).candidates
        assert [c.token for c in blank][:3] == ["다", "##가", "나"][:count]
        total = sum(math.exp(-k) for k in range(3)) + (len(tiny_tokenizer) - 3) * math.exp(-20)
        assert [c.score for c in blank][:3] == pytest.approx([math.exp(-k) / total for k in range(min(3, count))])
        assert len(blank) == count
        scores = [c.score for c in blank]
        assert scores == sorted(scores, reverse=True)
        assert len(predictor("이 [MASK]").candidates[0]) == 5  # the option was for one call

    def test_more_candidates_than_tokens(self, tiny_tokenizer: Any) -> None:
        (blank,) = self.predictor(tiny_tokenizer, ["다"])("[MASK]", candidates=100_000).candidates
        assert len(blank) == len(tiny_tokenizer)
        assert sum(c.score for c in blank) == pytest.approx(1, abs=1e-4)

    def test_a_mask_token_of_another_name(self, real_tokenizer: Any) -> None:
        """A blank is written [MASK] whatever the tokenizer; its own mask token works too."""
        tokenizer = real_tokenizer("kobart")
        task = MaskedLM()
        blanks = [[Blank([tokenizer.convert_tokens_to_ids("▁밥을")], [1.0])]]
        for text in ("나는 [MASK] 먹었다", "나는 <mask> 먹었다"):
            (window,) = task.encode_inputs(raw([text]), tokenizer, 32)
            assert window["input_ids"].count(tokenizer.mask_token_id) == 1
            assert task.decode(RawExample(text), [Window(window, blanks[0])], [], tokenizer).text == "나는 밥을 먹었다"  # type: ignore[union-attr]

    def test_order_and_rows(self, tiny_tokenizer: Any) -> None:
        predictor = self.predictor(tiny_tokenizer, ["다"], candidates=1)
        texts = ["[MASK]", "아주 긴 문장의 끝에 있는 [MASK]", "[MASK] 앞"]
        rows = list(predictor.rows(texts, batch_size=2))
        assert [row["filled"] for row in rows] == ["다", "아주 긴 문장의 끝에 있는 다", "다 앞"]
        assert [row["text"] for row in rows] == texts
        assert rows[0]["candidates"][0][0]["token"] == "다"

    def test_nothing_to_fill_in(self, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="there is nothing to fill in: '서울에서 만났다'") as caught:
            self.predictor(tiny_tokenizer, ["다"])(["[MASK]", "서울에서 만났다"])
        assert "[MASK]" in str(caught.value.fix)

    def test_of_real_weights(self, tiny_tokenizer: Any) -> None:
        """The candidates are those of the plain model, also next to padding and other blanks."""
        made = model("bert", vocab_size=len(tiny_tokenizer)).eval()
        texts = ["서울에서 [MASK] 탔다", "[MASK] 정말 재미있어요 다시 [MASK] 싶어요"]
        found = Predictor(MaskedLM(candidates=3), made, tiny_tokenizer, [], max_length=64)(texts)
        for text, one in zip(texts, found, strict=True):
            ids = torch.tensor([tiny_tokenizer(text)["input_ids"]])
            with torch.inference_mode():
                best = made(ids).logits[ids == MASK].softmax(1).topk(3)
            tokens = [[tiny_tokenizer.decode([i]).strip() for i in row] for row in best.indices.tolist()]
            assert [[c.token for c in blank] for blank in one.candidates] == tokens
            assert [c.score for b in one.candidates for c in b] == pytest.approx(
                best.values.flatten().tolist(), rel=1e-4
            )
