"""Contracts of checkpoints: real tokenizers give their published ids, models come as a trainer wants them."""

from __future__ import annotations

import json
import logging
import pickle
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from ratsnlp_like.checkpoints.architectures import max_positions
from ratsnlp_like.checkpoints.base import bundled, describe_bundled, find, load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import CHECKPOINTS, CORPORA
from ratsnlp_like.tasks.base import AnyTask, Task
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.text.tokens import tokenize

Load = Callable[[str], Any]
MakeFolder = Callable[..., Path]


class Facts(NamedTuple):
    """What is known of a real checkpoint."""

    vocabulary: int
    positions: int
    pad: int
    text: str
    ids: list[int]
    """Of the text, special tokens included: as its README has them, else as its files give them in another reader."""


HELLO = "안녕하세요"
REVIEW = "아 더빙.. 진짜 짜증나네요 목소리"
ELECTRA = "한국어 ELECTRA를 공유합니다."
CHECKPOINT = {
    "dialog-koelectra-small": Facts(39_995, 128, 0, HELLO, [2, 10042, 1705, 1823, 3]),
    "kcbert-base": Facts(30_000, 300, 0, REVIEW, [2, 2170, 832, 5045, 17, 17, 7992, 29734, 4040, 10720, 3]),
    "kcbert-large": Facts(30_000, 300, 0, HELLO, [2, 19017, 8482, 3]),
    "kcelectra-base": Facts(50_135, 512, 0, HELLO, [2, 18841, 8479, 3]),
    "kobart": Facts(30_000, 1026, 3, HELLO, [22465, 23935, 1]),
    "kobert": Facts(8_002, 512, 1, "한국어 모델을 공유합니다.", [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]),
    "koelectra-base-v1-discriminator": Facts(
        32_200, 512, 0, ELECTRA, [2, 18429, 41, 6240, 15229, 6204, 20894, 5689, 12622, 10690, 18, 3]
    ),
    "koelectra-base-v3-discriminator": Facts(
        35_000, 512, 0, ELECTRA, [2, 11229, 29173, 13352, 25541, 4110, 7824, 17788, 18, 3]
    ),
    "koelectra-small-v3-discriminator": Facts(
        35_000, 512, 0, ELECTRA, [2, 11229, 29173, 13352, 25541, 4110, 7824, 17788, 18, 3]
    ),
    "kogpt2-v1": Facts(50_124, 1024, 3, HELLO, [35993]),
}
BERT_LIKE = [name for name in CHECKPOINT if name not in {"kobart", "kogpt2-v1"}]


# Real tokenizers


@pytest.mark.parametrize("name", CHECKPOINT)
def test_published_ids(name: str, real_tokenizer: Load) -> None:
    tokenizer, facts = real_tokenizer(name), CHECKPOINT[name]
    assert len(tokenizer) == facts.vocabulary
    assert tokenizer.pad_token_id == facts.pad
    assert tokenizer(facts.text)["input_ids"] == facts.ids


def test_every_real_tokenizer_has_a_row(tokenizers_root: Path) -> None:
    folders = {path.name for path in tokenizers_root.iterdir() if (path / "tokenizer_config.json").exists()}
    assert folders == set(CHECKPOINT)


@pytest.mark.parametrize("name", CHECKPOINT)
def test_hangul_is_not_taken_apart(name: str, real_tokenizer: Load) -> None:
    """A decomposed syllable is [UNK] to WordPiece, and letters (U+1100..) to the others."""
    tokenizer = real_tokenizer(name)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(REVIEW, add_special_tokens=False)["input_ids"])
    assert tokenizer.unk_token not in tokens
    letters = "".join(token.removeprefix("##").replace("▁", "") for token in tokens)
    assert letters == REVIEW.replace(" ", "")


@pytest.mark.parametrize("name", CHECKPOINT)
def test_case_is_kept(name: str, real_tokenizer: Load) -> None:
    tokenizer = real_tokenizer(name)
    assert (
        tokenizer("TV", add_special_tokens=False)["input_ids"] != tokenizer("tv", add_special_tokens=False)["input_ids"]
    )


@pytest.mark.parametrize("name", CHECKPOINT)
def test_inputs_are_those_of_the_model(name: str, real_tokenizer: Load) -> None:
    """Token types where the model has two of them: a GPT-2 would add them to its words."""
    expected = {"input_ids", "attention_mask"} | ({"token_type_ids"} if name in BERT_LIKE else set())
    tokenizer = real_tokenizer(name)
    assert set(tokenizer.model_input_names) == expected
    assert set(tokenizer(HELLO)) == expected


@pytest.mark.parametrize("name", BERT_LIKE)
def test_the_second_text_of_a_pair_has_its_own_type(name: str, real_tokenizer: Load) -> None:
    encoded = real_tokenizer(name)(HELLO, HELLO)
    length = len(real_tokenizer(name)(HELLO)["input_ids"])
    assert encoded["token_type_ids"] == [0] * length + [1] * (length - 1)


@pytest.mark.parametrize("name", CHECKPOINT)
def test_unknown_characters_are_not_dropped(name: str, real_tokenizer: Load) -> None:
    """Where a BPE model has no unknown token it drops what it does not know, and moves all offsets after it."""
    text = "가쀍쀍가 나\u0b85다"
    (tokens,) = tokenize(real_tokenizer(name), [text])
    shown = {i for start, end in tokens.offsets for i in range(start, end)}
    assert shown == {0, 1, 2, 3, 5, 6, 7}
    assert max(end for _, end in tokens.offsets) == 8


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKPOINT)
def test_a_saved_tokenizer_is_the_same_everywhere(name: str, real_tokenizer: Load, tmp_path: Path, data: Path) -> None:
    """In transformers without this package (KoBERT too), and here again from a folder of another name."""
    from transformers import AutoTokenizer

    tokenizer = real_tokenizer(name)
    texts = [example.text for example in islice(CORPORA["nsmc"].examples(data / "korpora", "test"), 50)]
    texts += [CHECKPOINT[name].text, "넹.... 쀍 😀 ㅋㅋ"]
    expected = tokenizer(texts)["input_ids"]
    tokenizer.save_pretrained(tmp_path / "saved")
    config = load_config(str(data / "tokenizers" / name))
    config.save_pretrained(tmp_path / "saved")
    assert AutoTokenizer.from_pretrained(tmp_path / "saved")(texts)["input_ids"] == expected
    again = load_tokenizer(str(tmp_path / "saved"), config)
    assert again(texts)["input_ids"] == expected
    assert (again.model_input_names, again.pad_token_id) == (tokenizer.model_input_names, tokenizer.pad_token_id)


@pytest.mark.slow
def test_kobert_is_its_sentencepiece_model(real_tokenizer: Load, data: Path) -> None:
    """Rebuilt with the `tokenizers` library. Of 2,000 reviews all but 8 are cut as SentencePiece cuts them: ties
    between `...` and `.`, and conjoining letters that NFKC composes over a border that `tokenizers` sees."""
    sentencepiece = pytest.importorskip("sentencepiece")
    original = sentencepiece.SentencePieceProcessor(model_file=str(data / "tokenizers" / "kobert" / "spiece.model"))
    texts = [example.text for example in islice(CORPORA["nsmc"].examples(data / "korpora", "test"), 2000)]
    rebuilt = tokenize(real_tokenizer("kobert"), texts)
    same = sum(original.encode(text) == tokens.ids for text, tokens in zip(texts, rebuilt, strict=True))
    assert same == 2000 - 8


def test_kobert_without_sentencepiece_says_what_to_install(
    tokenizers_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    folder = str(tokenizers_root / "kobert")
    with pytest.raises(InputError, match="pip install"):
        load_tokenizer(folder, load_config(folder))


def test_the_guard_of_case(tokenizers_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder under a name that nobody knows, without tokenizer_config.json: lower-casing would be the default."""
    for name in ("vocab.txt", "config.json"):
        shutil.copy(tokenizers_root / "kcbert-base" / name, tmp_path / name)
    with caplog.at_level(logging.WARNING, logger="ratsnlp_like"):
        tokenizer = load_tokenizer(str(tmp_path), load_config(str(tmp_path)))
    assert tokenizer(HELLO)["input_ids"] == [2, 19017, 8482, 3]
    assert "do_lower_case" in caplog.text


def test_the_guard_of_case_is_silent_where_nothing_is_wrong(
    tiny_model_folder: MakeFolder, caplog: pytest.LogCaptureFixture
) -> None:
    folder = str(tiny_model_folder())
    with caplog.at_level(logging.WARNING, logger="ratsnlp_like"):
        load_tokenizer(folder, load_config(folder))
    assert caplog.text == ""


def test_a_tokenizer_that_knows_no_korean(tmp_path: Path, tiny_model_folder: MakeFolder) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "hello": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    english = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
    folder = str(tiny_model_folder(tokenizer=english))
    with pytest.raises(InputError, match="vocabulary of 3") as caught:
        load_tokenizer(folder, load_config(folder))
    assert "Korean" in str(caught.value)


def test_klue_roberta_gets_no_token_types(tokenizers_root: Path, tiny_tokenizer: Any, tmp_path: Path) -> None:
    """A BERT tokenizer makes them, and this model has one type: an index of 1 would crash. The name does not matter."""
    from transformers import AutoTokenizer

    config = load_config(str(tokenizers_root / "config_only" / "klue-roberta-base"))
    assert config.type_vocab_size == 1
    for name in ("klue-roberta-base", "renamed"):
        config.save_pretrained(tmp_path / name)
        tiny_tokenizer.save_pretrained(tmp_path / name)
        tokenizer = load_tokenizer(str(tmp_path / name), load_config(str(tmp_path / name)))
        assert tokenizer.model_input_names == ["input_ids", "attention_mask"]
        assert "token_type_ids" not in tokenizer("영화", "영화")
        tokenizer.save_pretrained(tmp_path / "saved")  # transformers itself must not make them again
        assert "token_type_ids" not in AutoTokenizer.from_pretrained(tmp_path / "saved")("영화", "영화")


def test_gpt2_without_a_padding_token_pads_with_its_end(tiny_bpe_tokenizer: Any, tmp_path: Path) -> None:
    from transformers import GPT2Config

    tiny_bpe_tokenizer.pad_token = None
    tiny_bpe_tokenizer.save_pretrained(tmp_path)
    GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=360).save_pretrained(tmp_path)
    tokenizer = load_tokenizer(str(tmp_path), load_config(str(tmp_path)))
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


# Positions


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        *((name, facts.positions) for name, facts in CHECKPOINT.items()),
        ("config_only/klue-roberta-base", 512),  # 514 rows, of which the first two are never used
        ("config_only/klue-bert-base", 512),
        ("config_only/kogpt2-base-v2", 1024),
    ],
)
def test_positions(name: str, limit: int, tokenizers_root: Path) -> None:
    assert max_positions(load_config(str(tokenizers_root / name))) == limit


def test_a_roberta_takes_just_so_many_positions() -> None:
    """512 of 514: `positions` is what the model accepts."""
    from transformers import RobertaConfig, RobertaModel

    config = RobertaConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        vocab_size=9,
        max_position_embeddings=18,
        pad_token_id=1,
    )
    model = RobertaModel(config).eval()
    limit = max_positions(config)
    assert limit == 16
    model(torch.full((1, limit), 5))
    with pytest.raises((IndexError, RuntimeError), match=r"out of (bounds|range)"):
        model(torch.full((1, limit + 1), 5))


# Names


def test_what_is_listed() -> None:
    assert bundled()
    for name in bundled():
        assert resolve(name).endswith(name)
        assert len(describe_bundled(name)) > 20
    for name, entry in CHECKPOINTS.items():
        assert 20 < len(entry.description) < 120
        assert entry.matches(name, None)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("beomi/kcbert-base", "beomi/kcbert-base"),
        ("beomi/KcELECTRA-base-v2022", "beomi/KcELECTRA-base@v2022"),
        ("/models/KoELECTRA-base-v3-discriminator", "monologg/koelectra-base-v3-discriminator"),
        ("skt/kogpt2-base-v2", "skt/kogpt2-base-v2"),
        ("somebody/kcbert-base-finetuned", None),
        ("klue/bert-base-multilingual", None),
    ],
)
def test_which_entry_speaks_of_a_name(name: str, entry: str | None) -> None:
    found = find(name)
    assert found is (CHECKPOINTS[entry] if entry else None)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ko-blank-brt", ["unknown checkpoint", "did you mean 'ko-blank-bert'"]),
        ("./nowhere", ["no checkpoint folder './nowhere'"]),
        ("/nowhere/at/all", ["no checkpoint folder"]),
    ],
)
def test_an_unknown_checkpoint(name: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        resolve(name)
    for part in parts:
        assert part in str(caught.value)


def test_a_hub_id_without_a_network(no_network: list[str]) -> None:
    name = resolve("beomi/kcbert-bse")
    with pytest.raises(InputError, match="did you mean 'beomi/kcbert-base'"):
        load_config(name)
    assert no_network == []  # HF_HUB_OFFLINE


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "run" / "best").mkdir(parents=True)
    with pytest.raises(InputError, match=r"has no config.json \(it contains best\)"):
        resolve(str(tmp_path / "run"))
    (tmp_path / "run" / "best" / "config.json").write_text("{}")
    with pytest.raises(InputError, match=f"use {tmp_path}/run/best"):
        resolve(str(tmp_path / "run"))


@pytest.mark.parametrize("content", ["", "{", '{"model_type": "no-such-model"}', "{}"])
def test_a_broken_configuration(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match="cannot be loaded"):
        load_config(resolve(str(tmp_path)))


def test_overrides(tiny_model_folder: MakeFolder) -> None:
    folder = str(tiny_model_folder())
    assert load_config(folder, {"num_hidden_layers": 1}).num_hidden_layers == 1
    with pytest.raises(InputError, match="bert has no setting 'num_hiden_layers'") as caught:
        load_config(folder, {"num_hiden_layers": 1})
    assert "did you mean 'num_hidden_layers'" in str(caught.value)


# Models


def load(folder: Path, task: AnyTask, labels: list[str], overrides: Any = None, **options: Any) -> Any:
    """Configuration, tokenizer and model as `fine_tune` loads them; the model."""
    config = load_config(str(folder), overrides)
    tokenizer = load_tokenizer(str(folder), config)
    task.configure(config, labels)
    return load_model(str(folder), config, task.model_class(), vocabulary=len(tokenizer), **options)


def test_a_pretrained_model(tiny_model_folder: MakeFolder) -> None:
    """Its own weights under a new head, in 32 bits, with dropout on."""
    from safetensors.torch import load_file

    folder = tiny_model_folder()
    model = load(folder, Classification(), ["부정", "긍정", "중립"])
    own, saved = model.bert.state_dict(), load_file(folder / "model.safetensors")
    assert len(saved) > 30
    assert all(torch.equal(own[name], tensor) for name, tensor in saved.items())
    assert model.classifier.out_features == 3
    assert model.config.id2label == {0: "부정", 1: "긍정", 2: "중립"}
    assert all(module.training for module in model.modules())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_checkpoint_in_half_precision_becomes_full(tiny_model_folder: MakeFolder) -> None:
    from transformers import BertModel

    folder = tiny_model_folder()
    BertModel.from_pretrained(folder).half().save_pretrained(folder)
    assert {p.dtype for p in load(folder, Ner(), ["PS"]).parameters()} == {torch.float32}


def test_random_weights(tiny_model_folder: MakeFolder) -> None:
    """None are read, even where there are some; the embeddings serve every token."""
    folder = tiny_model_folder(vocab_size=50)
    torch.manual_seed(1)
    one = load(folder, Classification(), ["a", "b"], init="random")
    torch.manual_seed(1)
    other = load(folder, Classification(), ["a", "b"], init="random")
    words = one.bert.embeddings.word_embeddings.weight
    assert words.shape[0] == one.config.vocab_size > 100
    assert torch.equal(words, other.bert.embeddings.word_embeddings.weight)
    assert not torch.equal(
        words[:50], load(folder, Classification(), ["a"]).bert.embeddings.word_embeddings.weight[:50]
    )
    assert all(module.training for module in one.modules())


def test_a_vocabulary_larger_than_the_embeddings(
    tiny_model_folder: MakeFolder, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens were added to the tokenizer; the rows that are there stay."""
    folder = tiny_model_folder(vocab_size=50)
    with caplog.at_level(logging.WARNING, logger="ratsnlp_like"):
        model = load(folder, Classification(), ["a", "b"])
    assert model.bert.embeddings.word_embeddings.weight.shape[0] == len(tiny_tokenizer)
    assert f"{len(tiny_tokenizer)} tokens, 50 embeddings; enlarged" in caplog.text
    before = torch.nn.Embedding(50, 32)
    before.load_state_dict({"weight": model.bert.embeddings.word_embeddings.weight[:50].detach()})
    from transformers import BertModel

    assert torch.equal(before.weight, BertModel.from_pretrained(folder).embeddings.word_embeddings.weight)


@pytest.mark.parametrize("name", ["dialog-koelectra-small", "kobert", "kogpt2-v1"])
def test_every_token_has_an_embedding(name: str, real_tokenizer: Load, tokenizers_root: Path) -> None:
    """Dialog-KoELECTRA repeats lines of its vocabulary, KoGPT2 has tokens beyond that of its configuration."""
    tokenizer = real_tokenizer(name)
    sizes = {"n_embd": 8, "n_layer": 1, "n_head": 1}
    if name != "kogpt2-v1":
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    config = load_config(str(tokenizers_root / name), sizes)
    task = Classification()
    task.configure(config, ["a", "b"])
    model = load_model(name, config, task.model_class(), vocabulary=len(tokenizer), init="random")
    assert model.get_input_embeddings().num_embeddings > max(tokenizer.get_vocab().values())


def test_a_checkpoint_without_weights(tiny_model_folder: MakeFolder) -> None:
    folder = tiny_model_folder(weights=False)
    with pytest.raises(InputError, match="has no weights") as caught:
        load(folder, Classification(), ["a", "b"])
    assert "--init random" in str(caught.value)
    assert load(folder, Classification(), ["a", "b"], init="random").training


def test_weights_of_another_architecture(tiny_model_folder: MakeFolder) -> None:
    folder = tiny_model_folder()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "electra", "embedding_size": 32}))
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    save_file({f"bert.{key}": value for key, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="the weights lack"):
        load(folder, Classification(), ["a", "b"])


@pytest.mark.parametrize("setting", [{"hidden_size": 64}, {"intermediate_size": 128}, {"max_position_embeddings": 64}])
def test_weights_of_another_size_are_not_thrown_away_in_silence(
    setting: dict[str, int], tiny_model_folder: MakeFolder
) -> None:
    """A new head is expected; a new body would be a random model that calls itself pretrained."""
    with pytest.raises(InputError, match="--init random"):
        load(tiny_model_folder(), Classification(), ["a", "b"], setting)
    assert load(tiny_model_folder(), Classification(), ["a", "b"], setting, init="random").training


def test_a_model_of_fewer_layers_than_its_weights(tiny_model_folder: MakeFolder) -> None:
    model = load(tiny_model_folder(), Classification(), ["a", "b"], {"num_hidden_layers": 1})
    assert len(model.bert.encoder.layer) == 1


def test_another_number_of_labels_than_in_the_checkpoint(tiny_model_folder: MakeFolder) -> None:
    folder = tiny_model_folder()
    load(folder, Classification(), ["a", "b", "c"]).save_pretrained(folder)
    again = load(folder, Classification(), ["a", "b"])
    assert again.classifier.out_features == 2


@pytest.mark.parametrize("init", ["pretrained", "random"])
def test_an_architecture_without_the_head(
    init: Any, tokenizers_root: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    """There is no GPT-2 for masked language modelling."""
    shutil.copy(tokenizers_root / "kogpt2-v1" / "config.json", tmp_path / "config.json")
    (tmp_path / "model.safetensors").write_bytes(b"")
    tiny_tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="transformers has no AutoModelForMaskedLM for gpt2"):
        load(tmp_path, MaskedLM(), [], init=init)


@pytest.mark.parametrize("kept", [1000, 20_000])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_weights_cut_off(name: str, kept: int, tiny_model_folder: MakeFolder) -> None:
    """As a download leaves them that was broken off."""
    from safetensors.torch import load_file

    folder = tiny_model_folder()
    if name == "pytorch_model.bin":
        torch.save(load_file(folder / "model.safetensors"), folder / name)
        (folder / "model.safetensors").unlink()
    content = (folder / name).read_bytes()
    assert len(content) > kept
    (folder / name).write_bytes(content[:kept])
    with pytest.raises(InputError, match="cannot be loaded"):
        load(folder, Classification(), ["a", "b"])


class Code:
    """Runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_pickled_objects_among_weights(tiny_model_folder: MakeFolder, save: Callable[..., Any]) -> None:
    folder, trace = tiny_model_folder(), tiny_model_folder() / "executed"
    (folder / "model.safetensors").unlink()
    save({"classifier.bias": torch.zeros(2), "more": Code(trace)}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled objects besides tensors, which could execute code") as caught:
        load(folder, Classification(), ["a", "b"])
    assert "weights_only" not in str(caught.value)  # torch advises to load it without the check
    assert not trace.exists()


def test_a_checkpoint_of_the_days_of_transformers_4(tiny_model_folder: MakeFolder) -> None:
    """pytorch_model.bin with a prefix, position_ids, a head of another kind, and gamma and beta for the norms."""
    from safetensors.torch import load_file

    folder = tiny_model_folder()
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    old = {
        f"bert.{key}".replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for key, value in tensors.items()
        if "pooler" not in key
    }
    old |= {"bert.embeddings.position_ids": torch.arange(128)[None], "cls.predictions.bias": torch.zeros(9)}
    torch.save(old, folder / "pytorch_model.bin")
    own = load(folder, Ner(), ["PS"]).bert.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in tensors.items() if "pooler" not in name)


# Every architecture through every task: configured by the files alone


SMALL = {
    "bert": {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16},
    "gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2},
    "bart": {
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16,
    },
}
SMALL["electra"] = SMALL["bert"] | {"embedding_size": 16}


@pytest.mark.slow
@pytest.mark.parametrize("texts", [["영화가 정말 재미있어요", "별로"], ["", "별로"], [""]])
@pytest.mark.parametrize(
    ("name", "task", "labels"),
    [
        *((name, Classification(), ["부정", "긍정"]) for name in ("kcbert-base", "kobert", "kogpt2-v1", "kobart")),
        *((name, Ner(), ["PS"]) for name in ("kcelectra-base", "kobert", "kogpt2-v1")),
    ],
    ids=lambda value: value.name if isinstance(value, Task) else None,
)
def test_small_models_of_real_checkpoints_answer(
    name: str, task: AnyTask, labels: list[str], texts: list[str], real_tokenizer: Load, tokenizers_root: Path
) -> None:
    """Batches of unlike lengths, and of empty texts, in the order of the inputs."""
    from ratsnlp_like.inference.predictor import Predictor

    real_tokenizer(name)
    folder = str(tokenizers_root / name)
    kind = load_config(folder).model_type
    config = load_config(folder, SMALL[kind])
    tokenizer = load_tokenizer(folder, config)
    task.configure(config, labels)
    torch.manual_seed(0)
    model = load_model(folder, config, task.model_class(), vocabulary=len(tokenizer), init="random").eval()
    predictor = Predictor(task, model, tokenizer, labels, max_length=32)
    together = [task.to_row(prediction) for prediction in predictor(texts)]
    alone = [task.to_row(predictor(text)) for text in texts]
    assert json.loads(json.dumps(together), parse_float=lambda x: round(float(x), 4)) == json.loads(
        json.dumps(alone), parse_float=lambda x: round(float(x), 4)
    )


@pytest.mark.parametrize("name", ["vocab_size", "num_labels", "id2label"])
def test_what_the_data_decide_cannot_be_overridden(name: str, tiny_model_folder: MakeFolder) -> None:
    with pytest.raises(InputError, match=f"--config_overrides: {name}"):
        load_config(str(tiny_model_folder()), {name: 7})
