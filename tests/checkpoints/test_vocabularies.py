"""Vocabularies: what is trained, what is kept, what is refused, and that a model can be trained with it at once."""

from __future__ import annotations

import shutil
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from conftest import SENTENCES
from helpers import TINY, job

from ratsnlp_like.checkpoints.vocabularies import (
    VocabularyArguments,
    check_folder,
    compare_tokenizers,
    save_tokenizer,
    train_tokenizer,
)
from ratsnlp_like.corpora.samples import SampleRaw
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune

SIZES = {"wordpiece": 2500, "bpe": 900, "unigram": 2000}
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
GPT = ["<pad>", "<s>", "</s>", "<unk>"]
JAMO = ["ㅋㅋ 재밌다 ㅠㅠ", "GOOD 영화 good ㅋㅋ ㅠㅠ", "Good GOOD ㅋㅋㅋㅋ"] * 3
TEXTS = [*SENTENCES * 2, *JAMO]
"""Characters that occur at least six times: nothing of them is rare."""


@lru_cache
def lines() -> list[str]:
    corpus = SampleRaw()
    texts = [example.text for example in corpus.examples(Path(), "train")]  # type: ignore[attr-defined]
    return [*texts, *JAMO * 10]


@lru_cache
def trained(kind: Any, style: Any = None) -> Any:
    """With a vocabulary made from `lines`."""
    return train_tokenizer(lines(), VocabularyArguments(kind=kind, style=style, vocab_size=SIZES[kind]))


KINDS = list(SIZES)
STYLES = [(kind, style) for kind in KINDS for style in ("bert", "gpt")]


def ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


class TestTrained:
    @pytest.mark.parametrize(("kind", "size"), [("wordpiece", 200), ("bpe", 300), ("bpe", 400), ("unigram", 352)])
    def test_its_size_is_the_one_asked_for(self, kind: Any, size: int) -> None:
        made = train_tokenizer(TEXTS, VocabularyArguments(kind=kind, vocab_size=size))
        assert len(made) == made.vocab_size == size
        assert sorted(made.get_vocab().values()) == list(range(size))

    @pytest.mark.parametrize(("kind", "style"), STYLES)
    def test_special_tokens_come_first(self, kind: str, style: str) -> None:
        made = trained(kind, style)
        special = BERT if style == "bert" else GPT
        assert made.convert_ids_to_tokens(list(range(len(special)))) == special
        assert sorted(made.all_special_ids) == list(range(len(special)))
        assert made.pad_token_id == 0
        if style == "bert":
            assert (made.unk_token_id, made.cls_token_id, made.sep_token_id, made.mask_token_id) == (1, 2, 3, 4)
            assert made.eos_token_id is None
        else:
            assert (made.bos_token_id, made.eos_token_id, made.unk_token_id) == (1, 2, 3)
            assert made.mask_token_id is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_usual_style(self, kind: Any) -> None:
        assert (trained(kind).mask_token_id is None) == (kind == "bpe")

    @pytest.mark.parametrize("kind", KINDS)
    def test_templates(self, kind: str) -> None:
        a, b = "영화가", "좋다"
        bert, gpt = trained(kind, "bert"), trained(kind, "gpt")
        assert bert(a)["input_ids"] == [2, *ids(bert, a), 3]
        pair = bert(a, b)
        assert pair["input_ids"] == [2, *ids(bert, a), 3, *ids(bert, b), 3]
        first = len(ids(bert, a)) + 2
        assert pair["token_type_ids"] == [0] * first + [1] * (len(pair["input_ids"]) - first)
        assert gpt(a)["input_ids"] == [1, *ids(gpt, a)]
        assert gpt(a, b)["input_ids"] == [1, *ids(gpt, a), 2, *ids(gpt, b)]
        assert "token_type_ids" not in gpt(a)

    @pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
    def test_words_that_occur_often_become_tokens(self, kind: str) -> None:
        """GOOD, Good and good are words of their own."""
        made = trained(kind)
        tokens = {made.decode([i]).strip() for i in range(len(made))}
        assert {"GOOD", "Good", "good", "ㅋㅋ", "ㅠㅠ"} <= tokens


class TestKept:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("text", ["ㅋㅋ", "ㅠㅠ", "GOOD", "good", "GOOD 영화 ㅋㅋ ㅠㅠ", "아침에 눈을"])
    def test_case_and_jamo(self, kind: str, text: str) -> None:
        made = trained(kind)
        found = ids(made, text)
        assert made.unk_token_id not in found
        assert made.decode(found) == text

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_macos_takes_apart(self, kind: str) -> None:
        made, text = trained(kind), "아침에 눈을 뜨자마자 창문부터 ㅋㅋ"
        apart = unicodedata.normalize("NFD", text)
        assert len(apart) > len(text)
        assert ids(made, apart) == ids(made, text)

    @pytest.mark.parametrize("kind", KINDS)
    def test_training_text_that_is_taken_apart(self, kind: Any) -> None:
        """It teaches whole syllables: 안녕하세요 of the training text is one token of whole ones."""
        size = {"wordpiece": 200, "bpe": 400, "unigram": 352}[kind]
        apart = [unicodedata.normalize("NFD", text) for text in TEXTS]
        made = train_tokenizer(apart, VocabularyArguments(kind=kind, vocab_size=size))
        tokens = [made.decode([i]) for i in range(len(made))]
        assert not any("\u1100" <= character <= "\u11ff" for token in tokens for character in token)
        assert any(len(token.strip()) > 1 and "가" <= token.strip()[0] <= "힣" for token in tokens)

    @pytest.mark.parametrize("kind", ["bpe", "unigram"])
    @pytest.mark.parametrize(
        "text",
        ["😀👍🏽 좋다", "大韓民國의 수도", "뷁쀍 ㅋㅋ", "é ß ñ 한", "한 칸 두 칸", "가\n나", "끝 "],
    )
    def test_nothing_is_unknown(self, kind: str, text: str) -> None:
        made = trained(kind)
        found = ids(made, text)
        assert made.unk_token_id not in found
        assert made.decode(found) == text

    def test_words_of_wordpiece_may_be_unknown(self) -> None:
        made = trained("wordpiece")
        assert ids(made, "😀") == [made.unk_token_id]
        assert made.unk_token_id in ids(made, "뷁쀍")

    @pytest.mark.slow
    def test_rare_characters_are_left_out(self) -> None:
        """All but 힣 occur twice: the usual coverage of 99.95% has no place for it, one of 100% has."""
        texts = [*lines() * 2, "힣"]
        for coverage, known in ((0.9995, False), (1.0, True)):
            own: dict[str, Any] = {"vocab_size": 2500, "character_coverage": coverage}
            made = train_tokenizer(texts, VocabularyArguments(kind="wordpiece", **own))
            assert (ids(made, "힣") != [made.unk_token_id]) == known
            made = train_tokenizer(texts, VocabularyArguments(kind="unigram", **own))
            spelled = [f"<0x{byte:02X}>" for byte in "힣".encode()]
            assert (made.convert_ids_to_tokens(ids(made, "힣"))[-3:] == spelled) != known
            assert made.decode(ids(made, "힣")) == "힣"


class TestSaved:
    @pytest.mark.parametrize(("kind", "style"), STYLES)
    def test_it_is_loaded_as_it_was(self, kind: str, style: str, tmp_path: Path) -> None:
        from transformers import AutoConfig, AutoTokenizer

        made = trained(kind, style)
        save_tokenizer(made, tmp_path / "new" / "made")
        loaded = AutoTokenizer.from_pretrained(tmp_path / "new" / "made")
        for text in ("아침에 눈을 뜨자마자 ㅋㅋ", "GOOD 😀 大韓", "", "  두  칸 "):
            assert loaded(text)["input_ids"] == made(text)["input_ids"]
            assert loaded(text, "영화")["input_ids"] == made(text, "영화")["input_ids"]
        assert loaded.get_vocab() == made.get_vocab()
        assert loaded.special_tokens_map == made.special_tokens_map
        assert loaded.model_input_names == made.model_input_names
        config = AutoConfig.from_pretrained(tmp_path / "new" / "made")
        assert config.model_type == ("bert" if style == "bert" else "gpt2")
        assert (config.vocab_size, config.pad_token_id) == (len(made), 0)
        if style == "gpt":
            assert (config.bos_token_id, config.eos_token_id) == (1, 2)

    def test_a_folder_with_something_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "a").write_text("mine")
        (tmp_path / "file").write_text("mine")
        (tmp_path / "empty").mkdir()
        for name in ("full", "file"):
            with pytest.raises(InputError, match="exists and is not empty") as caught:
                save_tokenizer(trained("bpe"), tmp_path / name)
            assert caught.value.place == tmp_path / name
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "empty", "file", "full"]
        check_folder(tmp_path / "empty")
        check_folder(tmp_path / "new")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("kind", "task"), [("wordpiece", "masked-lm"), ("unigram", "masked-lm"), ("bpe", "causal-lm")]
    )
    def test_a_model_is_trained_at_once(self, kind: str, task: str, tmp_path: Path) -> None:
        save_tokenizer(trained(kind), tmp_path / "made")
        sizes: dict[str, Any] = TINY if task == "masked-lm" else {"n_layer": 1, "n_embd": 32, "n_head": 2}
        own = {"task": task, "corpus": "sample-raw", "checkpoint": str(tmp_path / "made"), "max_steps": 2}
        result = fine_tune(**job(tmp_path, **own, config_overrides=sizes))
        size = len(trained(kind))
        assert 1 < result.metrics["perplexity"] < 3 * size  # of random weights: about the size of the vocabulary
        assert result.metrics["perplexity"] > size / 3
        assert result.metrics["targets"] > 0
        shutil.rmtree(tmp_path / "made")  # the model has all it needs
        predictor = Predictor.from_pretrained(result.output)
        if task == "masked-lm":
            assert "[MASK]" not in predictor("아침에 [MASK] 떴다").text
        else:
            assert predictor("아침에", max_new_tokens=3).text.startswith("아침에")


class TestRefused:
    @pytest.mark.parametrize("coverage", [0.0, -0.5, 1.5])
    def test_coverage(self, coverage: float) -> None:
        with pytest.raises(InputError, match="--character_coverage"):
            VocabularyArguments(character_coverage=coverage)

    def test_frequency(self) -> None:
        with pytest.raises(InputError, match="--min_frequency"):
            VocabularyArguments(min_frequency=0)

    @pytest.mark.parametrize(
        ("kind", "style", "least"),
        [
            ("wordpiece", "bert", 5),
            ("wordpiece", "gpt", 4),
            ("bpe", "gpt", 260),
            ("bpe", "bert", 261),
            ("unigram", None, 261),
        ],
    )
    def test_too_small_a_vocabulary(self, kind: Any, style: Any, least: int) -> None:
        with pytest.raises(InputError, match=f"more than {least}") as caught:
            VocabularyArguments(kind=kind, style=style, vocab_size=least)
        assert caught.value.place == "--vocab_size"
        VocabularyArguments(kind=kind, style=style, vocab_size=least + 1)

    @pytest.mark.parametrize("kind", KINDS)
    def test_too_little_text(self, kind: Any) -> None:
        with pytest.raises(InputError, match="yields a vocabulary of") as caught:
            train_tokenizer(TEXTS, VocabularyArguments(kind=kind, vocab_size=5000))
        assert caught.value.place == "--vocab_size"
        assert "5,000" in str(caught.value)

    def test_the_fix_works(self) -> None:
        with pytest.raises(InputError) as caught:
            train_tokenizer(TEXTS, VocabularyArguments(kind="bpe", vocab_size=5000))
        size = int(str(caught.value.fix).split(",")[0].removeprefix("--vocab_size "))
        assert len(train_tokenizer(TEXTS, VocabularyArguments(kind="bpe", vocab_size=size))) == size

    def test_no_room_for_the_characters(self) -> None:
        """Some hundred characters, 256 bytes and special tokens do not go into 270."""
        with pytest.raises(InputError, match="cannot hold") as caught:
            train_tokenizer(TEXTS, VocabularyArguments(kind="unigram", vocab_size=270))
        assert "--character_coverage" in str(caught.value.fix)

    @pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
    def test_texts_that_can_be_read_once(self, kind: Any) -> None:
        with pytest.raises(InputError, match="one-way iterator"):
            train_tokenizer(iter(TEXTS), VocabularyArguments(kind=kind, vocab_size=420))

    def test_bpe_reads_once(self) -> None:
        arguments = VocabularyArguments(kind="bpe", vocab_size=300)
        assert train_tokenizer(iter(TEXTS), arguments).get_vocab() == train_tokenizer(TEXTS, arguments).get_vocab()

    @pytest.mark.parametrize("kind", KINDS)
    def test_no_text(self, kind: Any) -> None:
        with pytest.raises(InputError):
            train_tokenizer([], VocabularyArguments(kind=kind, vocab_size=1000))


class TestCompare:
    def test_by_hand(self, tiny_model_folder: Any, tiny_tokenizer: Any) -> None:
        """부산 ##이 | 안녕하세요 ##입니 ##다 [UNK]; and 친구 ##들: 8 tokens for 3 eojeols of 15 characters."""
        folder = str(tiny_model_folder(weights=False))
        texts = ["부산이 안녕하세요입니다.", "친구들"]
        assert tiny_tokenizer.tokenize(texts[0]) == ["부산", "##이", "안녕하세요", "##입니", "##다", "[UNK]"]
        assert tiny_tokenizer.tokenize(texts[1]) == ["친구", "##들"]
        found = compare_tokenizers(texts, [folder])[folder]
        assert found.pop("texts_per_second") > 0
        assert found == {
            "vocabulary": len(tiny_tokenizer),
            "tokens_per_eojeol": 2.667,
            "characters_per_token": 1.875,
            "unknown_share": 0.125,
            "tokens_p50": 6,
            "tokens_p99": 6,
        }

    def test_several(self, tiny_model_folder: Any, tmp_path: Path) -> None:
        """Letters of bytes that no merge joins: three tokens for 뷁, and nothing unknown."""
        save_tokenizer(train_tokenizer(TEXTS, VocabularyArguments(kind="bpe", vocab_size=300)), tmp_path / "bpe")
        names = [str(tiny_model_folder(weights=False)), str(tmp_path / "bpe")]
        found = compare_tokenizers(["뷁", "뷁", "뷁"], names)
        assert list(found) == names
        assert [found[name]["tokens_per_eojeol"] for name in names] == [1, 3]
        assert [found[name]["unknown_share"] for name in names] == [1, 0]
        assert found[names[1]]["vocabulary"] == 300

    def test_percentiles(self, tiny_model_folder: Any) -> None:
        folder = str(tiny_model_folder(weights=False))
        found = compare_tokenizers(["뷁 " * n for n in range(1, 201)], [folder])[folder]
        assert (found["tokens_p50"], found["tokens_p99"]) == (101, 199)

    @pytest.mark.parametrize("texts", [[], ["", "  "]])
    def test_nothing_to_compare_on(self, texts: list[str]) -> None:
        with pytest.raises(InputError, match=f"{len(texts)} texts, all of them empty"):
            compare_tokenizers(texts, ["ko-blank-bert"])

    def test_an_unknown_checkpoint(self, no_network: list[str]) -> None:
        with pytest.raises(InputError, match="ko-blank-brt"):
            compare_tokenizers(["가"], ["ko-blank-brt"])
