"""Tokenizers as published: folders as the Hub has them, with tokenizers trained on a few sentences."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

from ratsnlp_like.checkpoints.base import load_config
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer, write_tokenizer
from ratsnlp_like.text.tokens import Template

TEXTS = [
    "안녕하세요 한국어 문장입니다. 오늘은 날씨가 맑아서 산책을 했어요.",
    "서울에서 부산까지 2026년 11월 26일 기차로 3시간 걸렸다 ㅋㅋㅋ ㅜㅜ",
    "KoBERT and GPT-2 are models, 각각 110M 124M parameters!",
    "영화가 정말 재미있었고  배우들의 연기도 좋았습니다 (강력 추천)",
]
UNSEEN = [*TEXTS, "  두 칸  띄우고 ㅎㅎ 1,234,567원 Hello 😀 끝", "한국어문장입니다안녕하세요", ""]
BERT = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
GPT = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def wordpiece(normalizer: Any, splitter: Any) -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer, made.decoder = normalizer, splitter, decoders.WordPiece()
    made.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=list(BERT.values())))
    ids = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return made


def byte_level(splitter: Any, special: dict[str, str], normalizer: Any = None) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = splitter, decoders.ByteLevel()
    if normalizer is not None:
        made.normalizer = normalizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=list(special.values()), initial_alphabet=alphabet)
    made.train_from_iterator(TEXTS, trainer)
    return made


def metaspace(normalizer: Any) -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.normalizer, made.pre_tokenizer = normalizer, pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", special_tokens=list(GPT.values()))
    made.train_from_iterator(TEXTS, trainer)
    return made


def cl100k() -> Any:
    numbers = pre_tokenizers.Split(Regex(r"\p{N}{1,3}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+"), "isolated")
    return pre_tokenizers.Sequence([numbers, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def folder(path: Path, tokenizer: Tokenizer | None, model_type: str, **settings: Any) -> str:
    """Write a checkpoint folder without weights."""
    path.mkdir(exist_ok=True)
    size = 600 if tokenizer is None else tokenizer.get_vocab_size()
    (path / "config.json").write_text(json.dumps({"model_type": model_type, "vocab_size": size}))
    if settings:
        (path / "tokenizer_config.json").write_text(json.dumps(settings))
    if tokenizer is not None:
        tokenizer.save(str(path / "tokenizer.json"))
    return str(path)


def load(name: str) -> Any:
    return load_tokenizer(name, load_config(name))


def plain(cleaned: bool = True, **options: Any) -> Any:
    return normalizers.BertNormalizer(clean_text=cleaned, lowercase=False, **options)


PUBLISHED: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "bert-nfkc": ("bert", "BertTokenizer", lambda: wordpiece(normalizers.NFKC(), pre_tokenizers.Whitespace()), BERT),
    "bert-whitespace": ("bert", "BertTokenizer", lambda: wordpiece(plain(), pre_tokenizers.WhitespaceSplit()), BERT),
    "electra-bytes": ("electra", "ElectraTokenizer", lambda: byte_level(pre_tokenizers.ByteLevel(), BERT), BERT),
    "roberta-wordpiece": (
        "roberta",
        "RobertaTokenizer",
        lambda: wordpiece(plain(), pre_tokenizers.BertPreTokenizer()),
        BERT,
    ),
    "llama-metaspace": ("llama", "LlamaTokenizer", lambda: metaspace(normalizers.NFKC()), GPT),
    "gpt2-cl100k": ("gpt2", "GPT2Tokenizer", lambda: byte_level(cl100k(), GPT), GPT),
    "gpt2-nfc": (
        "gpt2",
        "GPT2Tokenizer",
        lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), GPT, normalizers.NFC()),
        GPT,
    ),
    "gpt2-metaspace": ("gpt2", "GPT2Tokenizer", lambda: metaspace(normalizers.NFC()), GPT),
    "qwen2-digits": ("qwen2", "Qwen2Tokenizer", lambda: byte_level(cl100k(), GPT), GPT),
    "deberta-unigram": ("deberta-v2", "DebertaV2Tokenizer", lambda: metaspace(normalizers.NFKC()), GPT),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_ids_and_offsets_are_those_of_tokenizer_json(tmp_path: Path, case: str) -> None:
    model_type, named, make, special = PUBLISHED[case]
    made = make()
    tokenizer = load(folder(tmp_path, made, model_type, tokenizer_class=named, **special))
    for text in UNSEEN:
        expected, found = (b.encode(text, add_special_tokens=False) for b in (made, tokenizer.backend_tokenizer))
        assert (found.ids, found.offsets) == (expected.ids, expected.offsets), text
    if made.post_processor is not None:
        assert tokenizer(TEXTS[0])["input_ids"] == made.encode(TEXTS[0]).ids


def test_a_saved_tokenizer_opens_in_transformers_with_the_same_ids(tmp_path: Path) -> None:
    for case, (model_type, named, make, special) in PUBLISHED.items():
        name = folder(tmp_path / case, make(), model_type, tokenizer_class=named, **special)
        tokenizer = load(name)
        saved = tmp_path / f"{case}-saved"
        write_tokenizer(tokenizer, saved)
        AutoConfig.from_pretrained(name).save_pretrained(saved)
        settings = json.loads((saved / "tokenizer_config.json").read_text(encoding="utf-8"))
        assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert "extra_special_tokens" not in settings
        assert "backend" not in settings
        opened = (PreTrainedTokenizerFast if model_type == "qwen2" else AutoTokenizer).from_pretrained(saved)
        for again in (opened, load(str(saved))):
            assert [again(text)["input_ids"] for text in UNSEEN] == [tokenizer(text)["input_ids"] for text in UNSEEN]


def test_additional_special_tokens_are_saved_for_both_versions(tmp_path: Path) -> None:
    made = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), {**GPT, "turn": "<|end_of_turn|>"})
    extra = {"additional_special_tokens": ["<|end_of_turn|>"]}
    tokenizer = load(folder(tmp_path / "a", made, "gpt2", tokenizer_class="GPT2Tokenizer", **GPT, **extra))
    write_tokenizer(tokenizer, tmp_path / "b")
    settings = json.loads((tmp_path / "b" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["additional_special_tokens"] == ["<|end_of_turn|>"]


class TestSettings:
    """Settings that transformers 4 applied after loading tokenizer.json."""

    def test_do_lower_case(self, tmp_path: Path) -> None:
        made = wordpiece(plain(), pre_tokenizers.BertPreTokenizer())
        tokenizer = load(folder(tmp_path, made, "bert", **BERT, do_lower_case=True, strip_accents=False))
        normalizer = tokenizer.backend_tokenizer.normalizer
        assert normalizer.normalize_str("KoBERT 각") == "kobert 각"

    def test_lower_case_without_strip_accents_is_kept(self, tmp_path: Path) -> None:
        lower = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
        made = wordpiece(lower, pre_tokenizers.BertPreTokenizer())
        tokenizer = load(folder(tmp_path, made, "bert", tokenizer_class="BertTokenizer", **BERT))
        assert tokenizer.backend_tokenizer.normalizer.normalize_str("ABC 각") == "abc 각"

    def test_hangul_is_not_decomposed_for_a_cased_vocabulary(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = wordpiece(plain(), pre_tokenizers.BertPreTokenizer())
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        with caplog.at_level(logging.WARNING, "ratsnlp_like"):
            tokenizer = load(folder(tmp_path, made, "bert", **BERT))
        assert tokenizer.unk_token_id not in tokenizer("안녕하세요")["input_ids"]
        assert "do_lower_case would decompose Hangul" in caplog.text

    def test_add_prefix_space(self, tmp_path: Path) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), GPT)
        tokenizer = load(folder(tmp_path, made, "gpt2", tokenizer_class="GPT2Tokenizer", **GPT, add_prefix_space=True))
        assert tokenizer.tokenize("한")[0].startswith("Ġ")

    @pytest.mark.parametrize(("named", "applied"), [("LlamaTokenizer", True), ("GPT2Tokenizer", False)])
    def test_add_bos_token(self, tmp_path: Path, named: str, applied: bool) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), GPT)
        options = {"add_bos_token": True, "add_eos_token": True, "tokenizer_class": named}
        tokenizer = load(folder(tmp_path, made, "llama", **GPT, **options))
        ids = tokenizer("한국어")["input_ids"]
        assert (ids[0] == tokenizer.bos_token_id) is applied
        assert (ids[-1] == tokenizer.eos_token_id) is applied


class TestSpecialTokens:
    def test_they_are_found_in_a_folder_without_settings(self, tmp_path: Path) -> None:
        tokenizer = load(folder(tmp_path, byte_level(pre_tokenizers.ByteLevel(), GPT), "gpt2"))
        assert {role: getattr(tokenizer, role) for role in GPT} == GPT
        assert tokenizer.cls_token is None

    def test_those_of_an_encoder(self, tmp_path: Path) -> None:
        made = wordpiece(plain(), pre_tokenizers.BertPreTokenizer())
        tokenizer = load(folder(tmp_path, made, "bert"))
        assert {role: getattr(tokenizer, role) for role in BERT} == BERT
        assert tokenizer.bos_token is None

    @pytest.mark.parametrize(("model_type", "between"), [("electra", 1), ("roberta", 2)])
    def test_an_encoder_gets_the_template_that_its_files_lack(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, model_type: str, between: int
    ) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(), BERT)
        with caplog.at_level(logging.WARNING, "ratsnlp_like"):
            tokenizer = load(folder(tmp_path, made, model_type, **BERT))
        template = Template.of(tokenizer)
        cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        assert template.single == ((cls,), (sep,))
        assert template.pair == ((cls,), (sep,) * between, (sep,))
        assert "adds no special tokens; texts get [CLS] and [SEP]" in caplog.text

    def test_two_texts_of_a_decoder_are_separated(self, tmp_path: Path) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(), GPT)
        tokenizer = load(folder(tmp_path, made, "gpt2", **GPT))
        assert Template.of(tokenizer).pair == ((), (tokenizer.eos_token_id,), ())
        assert Template.of(tokenizer).single == ((), ())

    def test_generation_ends_at_the_end_of_a_turn(self, tmp_path: Path) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(), {**GPT, "turn": "<|im_end|>"})
        name = folder(tmp_path, made, "qwen2", **GPT)
        turn, end = made.token_to_id("<|im_end|>"), made.token_to_id("</s>")
        (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [turn, end]}))
        config = load_config(name)
        load_tokenizer(name, config)
        assert config.eos_token_id == [end, turn]

    def test_an_end_that_is_an_ordinary_token_is_ignored(self, tmp_path: Path) -> None:
        made = byte_level(pre_tokenizers.ByteLevel(), GPT)
        name = folder(tmp_path, made, "gpt2", **GPT)
        config = load_config(name)
        config.eos_token_id = 200
        load_tokenizer(name, config)
        assert config.eos_token_id == made.token_to_id("</s>")


@pytest.mark.parametrize("model_type", ["bert", "albert", "funnel", "electra", "roberta"])
def test_a_vocabulary_alone_is_wordpiece(tmp_path: Path, model_type: str) -> None:
    made = wordpiece(plain(), pre_tokenizers.BertPreTokenizer())
    name = folder(tmp_path, None, model_type, do_lower_case=False)
    vocabulary = sorted(made.get_vocab().items(), key=lambda item: item[1])
    (tmp_path / "vocab.txt").write_text("".join(f"{token}\n" for token, _ in vocabulary), encoding="utf-8")
    assert load(name)(TEXTS[0])["input_ids"] == made.encode(TEXTS[0]).ids


def test_a_sentencepiece_model_keeps_its_character_map(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    pytest.importorskip("google.protobuf")
    (tmp_path / "texts").write_text("\n".join(TEXTS * 5), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "texts"), model_prefix=str(tmp_path / "spm"), vocab_size=106, pad_id=0, unk_id=1,
        pad_piece="[PAD]", unk_piece="[UNK]", bos_id=2, eos_id=3, bos_piece="[CLS]", eos_piece="[SEP]",
        normalization_rule_name="nmt_nfkc", minloglevel=2,
    )  # fmt: skip
    tokenizer = load(folder(tmp_path, None, "deberta-v2", tokenizer_class="DebertaV2Tokenizer", **BERT))
    published = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))
    for text in ("ㅋㅋㅋ 한국어", "ＡＢＣ 2026년 ㅜㅜ", *TEXTS):
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == published.encode(text), text
    assert tokenizer.unk_token_id not in tokenizer("ㅋㅋㅋ")["input_ids"]


_LONG = "안" + "녕하세요" * 40


def test_a_long_word_is_split(tmp_path: Path) -> None:
    made = wordpiece(plain(), pre_tokenizers.BertPreTokenizer())
    tokenizer = load(folder(tmp_path, made, "bert", **BERT))
    ids = tokenizer(_LONG, add_special_tokens=False)["input_ids"]
    assert made.encode(_LONG, add_special_tokens=False).ids == [made.token_to_id("[UNK]")]
    assert tokenizer.unk_token_id not in ids
    assert len(ids) > 40


@pytest.mark.parametrize("file", ["spiece.model", "tokenizer_78b3253a26.model"])
def test_distilkobert_has_the_loader_of_kobert(tmp_path: Path, tokenizers_root: Path, file: str) -> None:
    pytest.importorskip("sentencepiece")
    path = tmp_path / "distilkobert"
    path.mkdir()
    (path / file).write_bytes((tokenizers_root / "kobert" / "spiece.model").read_bytes())
    (path / "config.json").write_text(json.dumps({"model_type": "distilbert", "vocab_size": 8002}))
    tokenizer = load(str(path))
    assert tokenizer("한국어 모델을 공유합니다.")["input_ids"] == [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]
    assert "token_type_ids" not in tokenizer.model_input_names


def test_names_that_scripts_import_from_their_old_module() -> None:
    from ratsnlp_like.checkpoints import base, model, tokenizer

    assert base.load_tokenizer is tokenizer.load_tokenizer
    assert base.load_model is model.load_model
    with pytest.raises(AttributeError, match="load_tokeniser"):
        base.load_tokeniser  # noqa: B018
