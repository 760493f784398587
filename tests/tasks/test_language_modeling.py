"""Language models by hand: which tokens are hidden, what the loss is, how blanks are filled and texts go on."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from helpers import write
from torch import nn
from torch.nn import functional as F

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.data.batches import Batches, Loader
from ratsnlp_like.data.encoding import EncodedSplit, encode_split
from ratsnlp_like.data.reading import read_split
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.modeling.losses import _ROWS, LinearCrossEntropy
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import AnyTask, Window
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.causal_model import Generated
from ratsnlp_like.tasks.masked_lm import Filled, MaskedLM

TEXTS = (
    "김민준은 서울에서 기차를 탔다",
    "이서연이 부산에 사는 친구를 만났다",
    "영화가 정말 재미있어요 다시 보고 싶어요",
    "한빛전자는 3월 2일에 새 공장을 연다",
    "안녕하세요",
)
PAD, UNK, CLS, SEP, MASK = range(5)


def raw(texts: Sequence[str]) -> list[RawExample]:
    return [RawExample(text) for text in texts]


def hidden(batch: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """Row, place, what stands there, and what stood there."""
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
            found += hidden(task.collate(windows, tiny_tokenizer, noise=rng))
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
            rows = [row for row, *_ in hidden(task.collate(windows, tiny_tokenizer, noise=noise))]
            assert rows == list(range(100))  # 0.2 in a hundred windows would be chosen by luck

    def test_a_window_of_unknown_tokens_has_no_target(self, tiny_tokenizer: Any) -> None:
        windows = [{"input_ids": [CLS, UNK, UNK, SEP]}, {"input_ids": [CLS, 5, SEP]}]
        batch = MaskedLM().collate(windows, tiny_tokenizer, noise=np.random.default_rng(4))
        assert [(row, place) for row, place, *_ in hidden(batch)] == [(1, 1)]
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
            places = {place for _, place, *_ in hidden(batch)}
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
        parts = [{place for _, place, *_ in hidden(batch)} & set(word) for batch in batches for word in words]
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


class TestMasksStay:
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
            for row, *rest in hidden(batch):
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


# The loss

SIZE = 400
SMALL = {
    "vocab_size": SIZE,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 64,
}


def model(name: str, **config: Any) -> Any:
    """A tiny model of transformers with fixed random weights."""
    import transformers

    heads = {"bert": "BertForMaskedLM", "roberta": "RobertaForMaskedLM", "electra": "ElectraForMaskedLM"}
    own = SMALL | {"embedding_size": 12} if name == "electra" else SMALL
    if name == "gpt2":
        own = {"vocab_size": SIZE, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
        own |= {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        own |= {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    kind: Any = getattr(transformers, heads.get(name, "GPT2LMHeadModel"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = kind(kind.config_class(**own | config))
        for parameter in made.parameters():  # biases begin at 0 and would show nothing
            nn.init.normal_(parameter, std=0.2)
    return made.train()


MODELS: dict[str, AnyTask] = {name: MaskedLM() for name in ("bert", "roberta", "electra")}
MODELS["gpt2"] = CausalLM()


def batch_for(name: str, tokenizer: Any) -> dict[str, Any]:
    task = MODELS[name]
    return task.collate(task.encode(raw(TEXTS), tokenizer, [], 16), tokenizer)


def everywhere(batch: dict[str, Any]) -> torch.Tensor:
    """The labels at all positions, -100 where nothing is to be guessed."""
    labels = torch.full(batch["input_ids"].shape, -100).flatten()
    labels[batch["positions"]] = batch["labels"]
    return labels


def plain_loss(made: Any, batch: dict[str, Any]) -> torch.Tensor:
    logits = made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), everywhere(batch))


class TestLoss:
    @pytest.fixture(params=MODELS)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def batch(self, name: str, tiny_tokenizer: Any, tiny_bpe_tokenizer: Any) -> dict[str, Any]:
        return batch_for(name, tiny_bpe_tokenizer if name == "gpt2" else tiny_tokenizer)

    def gradients(self, made: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
        made.zero_grad()
        loss.backward()
        return {n: p.grad.clone() for n, p in made.named_parameters() if p.grad is not None}

    def test_it_is_cross_entropy_over_the_hidden_tokens(self, name: str, batch: dict[str, Any]) -> None:
        made = model(name)
        loss, plain = MODELS[name].loss(made, batch), plain_loss(made, batch)
        assert float(loss) == pytest.approx(float(plain), rel=1e-5)
        assert float(plain) > 1  # of random weights
        ours, theirs = self.gradients(made, loss), self.gradients(made, plain)
        assert ours.keys() == theirs.keys()
        for parameter, gradient in theirs.items():
            torch.testing.assert_close(ours[parameter], gradient, rtol=1e-4, atol=1e-6, msg=parameter)

    def test_the_model_is_left_as_it_was(self, name: str, batch: dict[str, Any]) -> None:
        made = model(name)
        inputs = {n: batch[n] for n in ("input_ids", "attention_mask")}
        before = made(**inputs).logits
        MODELS[name].loss(made, batch)
        assert torch.equal(made(**inputs).logits, before)
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in made.modules())

    def test_likelihoods(self, name: str, batch: dict[str, Any]) -> None:
        """Of each window: the sum of its losses, its targets, and how many of them were the likeliest token."""
        made = model(name).eval()
        with torch.inference_mode():
            output = MODELS[name].evaluate_batch(made, batch)
            logits = made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        labels = everywhere(batch).view(batch["input_ids"].shape)
        assert len(output.raw) == len(labels)
        for said, row, wanted in zip(output.raw, logits, labels, strict=True):
            at = wanted != -100
            expected = F.cross_entropy(row[at], wanted[at], reduction="sum")
            assert said.loss == pytest.approx(float(expected), rel=1e-5)
            assert (said.targets, said.correct) == (int(at.sum()), int((row[at].argmax(1) == wanted[at]).sum()))
        assert output.targets == len(batch["labels"])
        assert float(output.loss) == pytest.approx(float(plain_loss(made, batch)), rel=1e-5)

    def test_perplexity(self, name: str, batch: dict[str, Any]) -> None:
        """exp of all losses over all targets: a text with many of them weighs more."""
        made, task = model(name).eval(), MODELS[name]
        with torch.inference_mode():
            output = task.evaluate_batch(made, batch)
        found = [task.decode(RawExample(""), [Window({}, said)], []) for said in output.raw]
        scores = task.score(found, [RawExample("")] * len(found), [])
        assert scores["perplexity"] == pytest.approx(math.exp(float(plain_loss(made, batch))), rel=1e-4)
        assert scores["targets"] == len(batch["labels"])

    def test_perplexity_is_that_of_transformers(self, tiny_bpe_tokenizer: Any) -> None:
        """One text in one window, and in several, whose first tokens are not guessed."""
        made, text = model("gpt2").eval(), TEXTS[0]
        ids = torch.tensor([[*tiny_bpe_tokenizer(text)["input_ids"], 0]])
        assert ids.shape[1] > 12
        for length in (64, 6):
            features = CausalLM().encode(raw([text]), tiny_bpe_tokenizer, [], length)
            with torch.inference_mode():
                said = CausalLM().evaluate_batch(made, CausalLM().collate(features, tiny_bpe_tokenizer)).raw
                parts = [part for part in ids.split(length, dim=1) if part.shape[1] > 1]
                losses = [made(part, labels=part).loss * (part.shape[1] - 1) for part in parts]
            windows = [Window(f, r) for f, r in zip(features, said, strict=True)]
            found = CausalLM().decode(RawExample(text), windows, [])
            targets = ids.shape[1] - len(features)
            expected = math.exp(float(sum(losses)) / targets)
            assert CausalLM().score([found], raw([text]), [])["perplexity"] == pytest.approx(expected, rel=1e-4)

    def test_a_window_of_one_token_has_no_target(self, tiny_bpe_tokenizer: Any) -> None:
        batch = CausalLM().collate([{"input_ids": [5]}], tiny_bpe_tokenizer)
        loss = CausalLM().loss(made := model("gpt2"), batch)
        assert float(loss) == 0
        loss.backward()
        assert all(bool(p.grad.isfinite().all()) for p in made.parameters() if p.grad is not None)
        output = CausalLM().evaluate_batch(made, batch)
        assert (output.targets, asdict(output.raw[0])) == (0, {"loss": 0, "targets": 0, "correct": 0})


class TestLinearCrossEntropy:
    @pytest.mark.parametrize("rows", [1, 7, _ROWS, _ROWS + 1, 2 * _ROWS + 3])
    @pytest.mark.parametrize("bias", [True, False])
    def test_value_and_gradients(self, rows: int, bias: bool) -> None:
        torch.manual_seed(rows)
        values = [torch.randn(rows, 8), torch.randn(50, 8), torch.randn(50) if bias else None]
        targets = torch.randint(50, (rows,))

        def run(call: Any) -> tuple[float, list[torch.Tensor]]:
            own = [None if v is None else v.clone().requires_grad_() for v in values]
            loss = call(*own)
            (3 * loss).backward()  # the gradient from outside counts
            return float(loss), [v.grad for v in own if v is not None and v.grad is not None]

        plain, expected = run(lambda h, w, b: F.cross_entropy(F.linear(h, w, b), targets, reduction="sum"))
        ours, found = run(lambda h, w, b: LinearCrossEntropy.apply(h, w, b, targets, torch.float32))
        assert ours == pytest.approx(plain, rel=1e-5)
        assert len(found) == len(expected) == 2 + bias
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)

    def test_logits_too_large_for_exp(self) -> None:
        hidden, weight = torch.tensor([[1000.0]], requires_grad=True), torch.tensor([[1.0], [-1.0]])
        loss = LinearCrossEntropy.apply(hidden, weight, None, torch.tensor([1]), torch.float32)
        assert float(loss) == 2000
        loss.backward()
        assert hidden.grad is not None
        assert hidden.grad.tolist() == [[2.0]]

    def test_no_rows(self) -> None:
        hidden, weight = torch.zeros(0, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
        loss = LinearCrossEntropy.apply(hidden, weight, None, torch.zeros(0, dtype=torch.int64), torch.float32)
        loss.backward()
        assert float(loss) == 0
        assert weight.grad is not None
        assert weight.grad.abs().sum() == 0
        assert hidden.grad is not None
        assert hidden.grad.shape == (0, 8)


# Fill in the blank


class Out(NamedTuple):
    """What a model returns."""

    logits: torch.Tensor


def fixed(tokenizer: Any, *tokens: str) -> Any:
    """A BERT of one layer that likes these tokens in this order, wherever it is asked."""
    made = model("bert", vocab_size=len(tokenizer))
    with torch.no_grad():
        for parameter in made.cls.predictions.transform.parameters():
            parameter.zero_()
        made.cls.predictions.bias.zero_()  # what is left are the biases alone
        for k, token in enumerate(tokens):
            made.cls.predictions.bias[tokenizer.convert_tokens_to_ids(token)] = 20.0 - k
    return made


class TestFill:
    def ask(self, tokenizer: Any, tokens: Sequence[str], max_length: int = 64, **fields: Any) -> Predictor:
        known = tokenizer.get_vocab()
        assert set(tokens) <= set(known)
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
        found = self.ask(tiny_tokenizer, [token])(text)
        assert isinstance(found, Filled)
        assert found.text == filled
        assert len(found.candidates) == text.count("[MASK]")

    def test_blanks_in_several_windows(self, tiny_tokenizer: Any) -> None:
        predictor = self.ask(tiny_tokenizer, ["다"], max_length=8)
        text = " ".join(["[MASK] 서울에서 만났다"] * 7)
        assert predictor(text).text == text.replace("[MASK]", "다")

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_candidates(self, count: int, tiny_tokenizer: Any) -> None:
        """softmax of 20, 19, 18 and zeros; best first."""
        predictor = self.ask(tiny_tokenizer, ["다", "##가", "나"])
        (blank,) = predictor("이 [MASK]", candidates=count).candidates
        assert [c.token for c in blank][:3] == ["다", "##가", "나"][:count]
        total = sum(math.exp(-k) for k in range(3)) + (len(tiny_tokenizer) - 3) * math.exp(-20)
        assert [c.score for c in blank][:3] == pytest.approx([math.exp(-k) / total for k in range(min(3, count))])
        assert len(blank) == count
        scores = [c.score for c in blank]
        assert scores == sorted(scores, reverse=True)
        assert len(predictor("이 [MASK]").candidates[0]) == 5  # asking changed nothing

    def test_more_candidates_than_tokens(self, tiny_tokenizer: Any) -> None:
        (blank,) = self.ask(tiny_tokenizer, ["다"])("[MASK]", candidates=100_000).candidates
        assert len(blank) == len(tiny_tokenizer)
        assert sum(c.score for c in blank) == pytest.approx(1, abs=1e-4)

    def test_a_mask_token_of_another_name(self, real_tokenizer: Any) -> None:
        """[MASK] is how a blank is written whatever the tokenizer says; its own way of writing works too."""
        tokenizer = real_tokenizer("kobart")
        task = MaskedLM()
        said = [[([tokenizer.convert_tokens_to_ids("▁밥을")], [1.0])]]
        for text in ("나는 [MASK] 먹었다", "나는 <mask> 먹었다"):
            (window,) = task.encode_inputs(raw([text]), tokenizer, 32)
            assert window["input_ids"].count(tokenizer.mask_token_id) == 1
            assert task.decode(RawExample(text), [Window(window, said[0])], [], tokenizer).text == "나는 밥을 먹었다"  # type: ignore[union-attr]

    def test_order_and_rows(self, tiny_tokenizer: Any) -> None:
        predictor = self.ask(tiny_tokenizer, ["다"], candidates=1)
        texts = ["[MASK]", "아주 긴 문장의 끝에 있는 [MASK]", "[MASK] 앞"]
        rows = list(predictor.rows(texts, batch_size=2))
        assert [row["filled"] for row in rows] == ["다", "아주 긴 문장의 끝에 있는 다", "다 앞"]
        assert [row["text"] for row in rows] == texts
        assert rows[0]["candidates"][0][0]["token"] == "다"

    def test_nothing_to_fill_in(self, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="there is nothing to fill in: '서울에서 만났다'") as caught:
            self.ask(tiny_tokenizer, ["다"])(["[MASK]", "서울에서 만났다"])
        assert "[MASK]" in str(caught.value.fix)

    def test_of_real_weights(self, tiny_tokenizer: Any) -> None:
        """The likeliest tokens are those of the plain model, also where padding and other blanks stand beside."""
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


# Write on


class TestGenerate:
    PROMPTS = ("김민준은", "영화가 정말 재미있어요 다시", "물")

    @pytest.fixture
    def asked(self, tiny_bpe_tokenizer: Any) -> Predictor:
        made = model("gpt2", vocab_size=len(tiny_bpe_tokenizer)).eval()
        return Predictor(CausalLM(max_new_tokens=8), made, tiny_bpe_tokenizer, [], max_length=32)

    def test_the_likeliest_tokens_as_if_asked_alone(self, asked: Predictor) -> None:
        """Prompts of different lengths share a batch; nothing of that shows in what is written."""
        found = asked(list(self.PROMPTS), sample=False)
        for prompt, one in zip(self.PROMPTS, found, strict=True):
            ids = asked.tokenizer(prompt, return_tensors="pt")["input_ids"]
            with torch.inference_mode():
                alone = asked.model.generate(
                    ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=8, pad_token_id=0
                )
            whole = asked.tokenizer.decode(alone[0], skip_special_tokens=True)
            assert whole.startswith(prompt)
            assert isinstance(one, Generated)
            assert (one.text, one.continuations) == (whole, (whole[len(prompt) :],))
        assert len({one.continuations for one in found}) > 1

    def test_the_seed(self, asked: Predictor) -> None:
        def texts(seed: int) -> list[str]:
            return [one.text for one in asked(list(self.PROMPTS), generation_seed=seed)]

        state = torch.random.get_rng_state()
        assert texts(1) == texts(1)
        assert len({tuple(texts(seed)) for seed in range(5)}) > 1
        assert torch.equal(torch.random.get_rng_state(), state)  # the caller's random numbers are the caller's

    def test_several_continuations(self, asked: Predictor) -> None:
        found = asked(list(self.PROMPTS), continuations=3, temperature=2.0)
        assert [len(one.continuations) for one in found] == [3, 3, 3]
        assert len(set(found[0].continuations)) > 1
        assert all(one.text == p + one.continuations[0] for one, p in zip(found, self.PROMPTS, strict=True))
        beams = asked(self.PROMPTS[0], continuations=3, sample=False, num_beams=3)
        assert len(set(beams.continuations)) == 3

    def certain(self, asked: Predictor, token: int) -> Predictor:
        """A model that writes one token for ever: the head is tied to the embeddings, so the last norm points there."""
        made = asked.model
        with torch.no_grad():
            made.transformer.ln_f.weight.zero_()
            made.transformer.ln_f.bias.copy_(1000 * made.transformer.wte.weight[token])
        return asked

    def test_the_end_token_stops(self, asked: Predictor) -> None:
        found = self.certain(asked, 0)(list(self.PROMPTS), sample=False)
        assert [one.continuations for one in found] == [("",)] * 3
        longer = asked(self.PROMPTS[0], sample=False, min_new_tokens=2, max_new_tokens=5)
        assert longer.continuations[0]

    def test_so_many_tokens(self, asked: Predictor) -> None:
        (letter,) = asked.tokenizer("a")["input_ids"]
        found = self.certain(asked, letter)
        assert found("물", max_new_tokens=5).continuations == ("aaaaa",)
        assert found("물", max_new_tokens=1).text == "물a"
        assert found("물", max_new_tokens=6, no_repeat_ngram_size=2).continuations[0][:2] == "aa"
        assert found("물", max_new_tokens=6, no_repeat_ngram_size=2).continuations[0] != "aaaaaa"

    def test_options_reach_transformers(self, asked: Predictor) -> None:
        task = CausalLM(top_k=3, temperature=0.5, repetition_penalty=1.2, num_beams=2, continuations=2)
        made = task.generation_config(asked.model.config)
        assert (made.do_sample, made.top_k, made.top_p, made.temperature) == (True, 3, 1.0, 0.5)
        assert (made.repetition_penalty, made.num_beams, made.num_return_sequences) == (1.2, 2, 2)
        assert (made.eos_token_id, made.pad_token_id) == (0, 0)
        usual = CausalLM().generation_config(asked.model.config)
        assert (usual.top_k, usual.top_p, usual.temperature, usual.max_new_tokens) == (0, 0.9, 1.0, 48)
        assert CausalLM(sample=False).generation_config(asked.model.config).do_sample is False

    def test_the_likeliest_alone_is_no_drawing(self, asked: Predictor) -> None:
        greedy = asked(list(self.PROMPTS), sample=False)
        for options in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}):
            assert asked(list(self.PROMPTS), **options) == greedy

    def test_beyond_the_positions_of_the_model(self, asked: Predictor) -> None:
        """64 positions; 물 is three bytes, hence as many tokens at most."""
        size = len(asked.tokenizer("물")["input_ids"])
        assert asked("물", sample=False, max_new_tokens=64 - size).text.startswith("물")
        with pytest.raises(InputError, match=f"prompt of {size} tokens and {65 - size} new ones") as caught:
            asked("물", sample=False, max_new_tokens=65 - size)
        assert caught.value.place == "--max_new_tokens"
        assert caught.value.fix == f"--max_new_tokens {64 - size}"

    def test_a_prompt_longer_than_the_window(self, asked: Predictor) -> None:
        with pytest.raises(InputError, match=r"the prompt has \d+ tokens: '뷁뷁") as caught:
            asked("뷁" * 11)  # 33 bytes that no merge joins
        assert "at most 32" in str(caught.value)
        assert asked("뷁" * 10 + "ab", max_new_tokens=1).text.startswith("뷁")

    def test_rows(self, asked: Predictor) -> None:
        (row,) = asked.with_options(continuations=2).rows(["물"])
        assert (row["text"], len(row["continuations"])) == ("물", 2)
        assert row["generated"] == "물" + row["continuations"][0]

    def test_white_space_at_the_end_of_a_prompt(self, asked: Predictor) -> None:
        assert asked("물 ", sample=False).text.startswith("물 ")

    def test_an_empty_prompt(self, asked: Predictor) -> None:
        found = asked("", sample=False)
        assert found.text == found.continuations[0] != ""


# What is refused


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "flag"),
        [
            ({"max_new_tokens": 0}, "--max_new_tokens"),
            ({"min_new_tokens": -1}, "--min_new_tokens"),
            ({"min_new_tokens": 9, "max_new_tokens": 8}, "--min_new_tokens"),
            ({"temperature": 0.0}, "--temperature"),
            ({"temperature": -1.0}, "--temperature"),
            ({"top_k": 0}, "--top_k"),
            ({"top_p": 0.0}, "--top_p"),
            ({"top_p": 1.1}, "--top_p"),
            ({"repetition_penalty": 0.0}, "--repetition_penalty"),
            ({"no_repeat_ngram_size": -1}, "--no_repeat_ngram_size"),
            ({"num_beams": 0}, "--num_beams"),
            ({"continuations": 0}, "--continuations"),
            ({"generation_seed": -1}, "--generation_seed"),
            ({"generation_seed": 2**63}, "--generation_seed"),
            ({"sample": False, "top_k": 3}, "--top_k"),
            ({"sample": False, "top_p": 0.5}, "--top_p"),
            ({"sample": False, "temperature": 0.5}, "--temperature"),
            ({"sample": False, "continuations": 2}, "--continuations"),
            ({"sample": False, "continuations": 4, "num_beams": 3}, "--continuations"),
        ],
        ids=str,
    )
    def test_generation(self, fields: dict[str, Any], flag: str) -> None:
        with pytest.raises(InputError) as caught:
            CausalLM(**fields)
        assert flag in str(caught.value)

    def test_all_at_once(self) -> None:
        with pytest.raises(InputError) as caught:
            CausalLM(top_k=0, top_p=2.0, num_beams=0)
        assert all(flag in str(caught.value) for flag in ("--top_k", "--top_p", "--num_beams"))

    @pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
    def test_mask_share(self, share: float) -> None:
        with pytest.raises(InputError, match="--mask_share"):
            MaskedLM(mask_share=share)

    def test_candidates(self) -> None:
        with pytest.raises(InputError, match="--candidates"):
            MaskedLM(candidates=0)

    @pytest.mark.parametrize("name", ["bert", "roberta", "electra"])
    def test_an_encoder_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match=f"a {name} does not generate text") as caught:
            CausalLM().check_model(model(name).config)
        assert "--task masked-lm" in str(caught.value)
        CausalLM().check_model(model("gpt2").config)

    def test_a_decoder_of_berts_kind_writes(self) -> None:
        CausalLM().check_model(model("bert", is_decoder=True).config)

    def test_blanks_with_the_tokenizer_of_a_gpt(self, tiny_bpe_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="--task causal-lm for a GPT"):
            MaskedLM().check_tokenizer(tiny_bpe_tokenizer)

    @pytest.mark.parametrize("name", ["masked-lm", "causal-lm"])
    def test_an_option_that_was_learnt(self, name: str, tiny_tokenizer: Any) -> None:
        """Asking does not change what a model was trained for."""
        predictor = Predictor(TASKS[name](), None, tiny_tokenizer, [])
        for option in ("normalization", "mask_share", "unknown"):
            with pytest.raises(InputError, match=f"unknown option '{option}'"):
                predictor("[MASK]", **{option: 1})


# What a checkpoint or a file is, said before anything is learnt from it


def test_a_gpt_fills_in_no_blanks_though_its_vocabulary_has_a_mask() -> None:
    """KoGPT2 v2 has `<mask>`."""
    from transformers import BertConfig, ElectraConfig, GPT2Config, RobertaConfig

    for kind in (BertConfig, ElectraConfig, RobertaConfig):
        MaskedLM().check_model(kind())
    with pytest.raises(InputError, match="--task masked-lm: the checkpoint is a gpt2") as caught:
        MaskedLM().check_model(GPT2Config())
    assert "--task causal-lm" in str(caught.value)


@pytest.mark.parametrize("has_head", [True, False])
def test_a_head_that_begins_at_random_is_told(
    has_head: bool, tmp_path: Path, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM, BertForSequenceClassification

    from ratsnlp_like.checkpoints.base import load_model

    monkeypatch.setattr("ratsnlp_like.checkpoints.base.log.propagate", True)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(tiny_tokenizer), **sizes)
    (BertForMaskedLM if has_head else BertForSequenceClassification)(config).save_pretrained(tmp_path)
    load_model(tmp_path, BertConfig.from_pretrained(tmp_path), AutoModelForMaskedLM, vocabulary=len(tiny_tokenizer))
    assert ("holds no head for language modelling" in caplog.text) is not has_head


def test_raw_text_of_squad_is_its_contexts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.corpora.columns.log.propagate", True)
    caplog.set_level("INFO", "ratsnlp_like")
    question = {"id": "1", "question": "누가?", "answers": [{"text": "비", "answer_start": 0}]}
    article = {"title": "날씨", "paragraphs": [{"context": "비가 왔다.", "qas": [question]}]}
    path = write(tmp_path / "a.json", json.dumps({"data": [article]}))
    (example,) = FileCorpus(file=path, kind=RawExample).examples(tmp_path, "train")
    assert str(example) == "비가 왔다."
    assert f"{path}: the text is read from 'context', not from 'title' (--text_column)." in caplog.text


def test_a_column_that_is_read_for_another_field_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ratsnlp_like.examples.generation import GenerationExample

    monkeypatch.setattr("ratsnlp_like.corpora.columns.log.propagate", True)
    caplog.set_level("INFO", "ratsnlp_like")
    path = write(tmp_path / "a.csv", "instruction,input,output\n요약해,가나,가\n")
    (example,) = FileCorpus(file=path, kind=GenerationExample).examples(tmp_path, "train")
    assert str(example) == "요약해\n가나"
    assert "is read from" not in caplog.text


def test_a_corpus_without_bare_text_names_those_that_have_it() -> None:
    from ratsnlp_like.corpora.opening import open_corpus

    with pytest.raises(InputError, match=r"'sample-qa' .* has no column of bare text") as caught:
        open_corpus("sample-qa", RawExample, "tokenizer")
    assert {"sample-raw", "nsmc"} <= set(str(caught.value).replace(",", " ").split())
    assert "--task" not in str(caught.value)
