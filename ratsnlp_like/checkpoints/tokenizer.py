"""Loading and saving of tokenizers: ids, offsets and special tokens are those of the published files.

AutoTokenizer of transformers 5 rebuilds many tokenizers from their vocabulary (those of BERT, GPT-2, Llama, Qwen2 and
DeBERTa), with the normaliser and the pre-tokenizer of their class. Here tokenizer.json is loaded unchanged, and
SentencePiece models keep their character map.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..runtime.files import write_json
from ..runtime.gc_control import gc_disabled
from ..runtime.logging import quiet_transformers
from .base import Checkpoint, find, from_hub, hub_file, read_json
from .templates import add_missing_template

log = logging.getLogger("ratsnlp_like")

_KOREAN = "안녕하세요 한국어 문장입니다"
_PROBE = "한국어 ㅋㅋㅋ ㅜㅜ  2026년 1,234원! 각각 KoBERT's ABC 😀 (서울)"
"""Jamo, digits, a double space, Latin letters and an emoji."""
_LONGEST_WORD = 1000
"""Characters of the longest word that WordPiece splits; its default of 100 is less than a sentence without spaces."""
_SPM_FILES = ("spm.model", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
_ROLES = {
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("[MASK]", "<mask>"),
    "bos_token": ("<s>", "<|begin_of_text|>", "<bos>"),
    "eos_token": ("</s>", "<|end_of_text|>", "<eos>", "<|endoftext|>"),
}
"""Role -> usual tokens of it, for folders that do not state their special tokens."""
_IN_TOKENIZER_JSON = frozenset(
    {
        *("add_bos_token", "add_eos_token", "add_prefix_space", "backend", "do_lower_case", "is_local"),
        *("local_files_only", "strip_accents", "tokenize_chinese_chars", "vocab_file", "merges_file"),
    }
)
"""Settings that a saved tokenizer.json contains already; its tokenizer_config.json does not repeat them."""


@gc_disabled()
def load_tokenizer(name: str, config: Any) -> Any:
    """Load the tokenizer of a checkpoint, with exactly the inputs that its model takes.

    Padding, start and end tokens that the configuration lacks are written into it.

    Args:
        name: a folder or a hub id, as `resolve` returns it.
        config: of the checkpoint.

    Raises:
        InputError: it cannot be loaded, or its vocabulary has no Korean.
    """
    if Path(name).is_dir():  # a setting of another type in its files fails anywhere below
        return from_hub(name, _load_complete, config=config)
    return _load_complete(name, config=config)


def _load_complete(name: str, *, config: Any) -> Any:
    entry = find(name)
    tokenizer = _load(name, entry, dict(entry.tokenizer_kwargs) if entry else {})
    _name_special_tokens(tokenizer)
    if tokenizer.is_fast:
        _keep_unknown(tokenizer)
        add_missing_template(name, tokenizer, config)
    _check_korean(name, tokenizer)
    _choose_inputs(tokenizer, config, entry)
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise InputError("the tokenizer has neither a padding nor an end token", place=name)
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by attention_mask, never by id
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id  # GPT-2's classification head finds the last token by it
    if tokenizer.bos_token_id is not None:
        config.bos_token_id = tokenizer.bos_token_id
    if (ends := _end_tokens(name, tokenizer, config)) is not None:
        config.eos_token_id = ends
    tokenizer("가", "나")  # a damaged template is an error here, and not at the first pair
    return tokenizer


def write_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Save a tokenizer so that transformers 4 and 5 open it with the same ids, without this package.

    AutoTokenizer of transformers 5 rebuilds the tokenizers of some model types (qwen2 among them) whatever class is
    named; there, PreTrainedTokenizerFast.from_pretrained opens it unchanged.
    """
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = read_json(path)
    if not getattr(tokenizer, "is_fast", False) or not (folder / "tokenizer.json").exists() or not settings:
        return
    kept = {key: value for key, value in settings.items() if key not in _IN_TOKENIZER_JSON}
    kept["tokenizer_class"] = "PreTrainedTokenizerFast"  # loads tokenizer.json unchanged in both versions
    if getattr(tokenizer.backend_tokenizer.pre_tokenizer, "add_prefix_space", False):
        kept["add_prefix_space"] = True  # version 4 sets that of tokenizer.json to False where it is not stated
    if isinstance(extra := kept.pop("extra_special_tokens", None), list):
        kept["additional_special_tokens"] = extra
    elif extra is not None:
        kept["extra_special_tokens"] = extra
    write_json(path, kept)


def _load(name: str, entry: Checkpoint | None, kwargs: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

    if entry is not None and entry.load_tokenizer is not None:
        return from_hub(name, entry.load_tokenizer, **kwargs)
    published = hub_file(name, "tokenizer.json")
    with quiet_transformers():  # another class than the named one is what is wanted
        if published is not None:
            tokenizer = from_hub(name, PreTrainedTokenizerFast.from_pretrained, **kwargs)
            settings = read_json(hub_file(name, "tokenizer_config.json")) | kwargs
            _as_published(name, tokenizer, published, settings)
        elif hub_file(name, "vocab.txt") is not None:  # WordPiece, whatever class is named
            tokenizer = from_hub(name, BertTokenizer.from_pretrained, **kwargs)
        else:
            tokenizer = from_hub(name, AutoTokenizer.from_pretrained, **kwargs)
            _restore_charsmap(name, tokenizer)
    if "do_lower_case" not in kwargs:
        _keep_case(name, tokenizer)
    return tokenizer


def _as_published(name: str, tokenizer: Any, published: Path, settings: Mapping[str, Any]) -> None:
    """Make a tokenizer that of its file, with the settings that transformers 4 applied to it."""
    from tokenizers import Tokenizer

    raw, backend = Tokenizer.from_file(str(published)), tokenizer.backend_tokenizer
    for one in (raw, backend):
        one.no_truncation()
        one.no_padding()
    if raw.post_processor is not None:
        backend.post_processor = raw.post_processor  # transformers 5 replaces it where add_bos_token is stated
    expected, found = raw.encode(_PROBE), backend.encode(_PROBE)
    if (expected.ids, expected.offsets) != (found.ids, found.offsets):
        _report_difference(name, "tokenizer.json", expected.tokens, found.tokens)
    _apply_settings(tokenizer, settings)


def _apply_settings(tokenizer: Any, settings: Mapping[str, Any]) -> None:
    """Apply stated settings as the classes of transformers 4 did after loading tokenizer.json."""
    from tokenizers import normalizers, pre_tokenizers

    backend = tokenizer.backend_tokenizer
    if isinstance(normalizer := backend.normalizer, normalizers.BertNormalizer):
        attributes = {
            "do_lower_case": "lowercase",
            "strip_accents": "strip_accents",
            "tokenize_chinese_chars": "handle_chinese_chars",
        }
        for setting, attribute in attributes.items():
            if setting in settings and getattr(normalizer, attribute) != settings[setting]:
                setattr(normalizer, attribute, settings[setting])
    spaces = settings.get("add_prefix_space")
    if isinstance(splitter := backend.pre_tokenizer, pre_tokenizers.ByteLevel) and spaces is not None:
        splitter.add_prefix_space = spaces
    named = str(settings.get("tokenizer_class"))
    if named.startswith(("Llama", "CodeLlama", "Gemma")) and {"add_bos_token", "add_eos_token"} & set(settings):
        tokenizer.add_bos_token = settings.get("add_bos_token", True)  # each assignment sets the template
        tokenizer.add_eos_token = settings.get("add_eos_token", False)


def _restore_charsmap(name: str, tokenizer: Any) -> None:
    """Add the character map of a SentencePiece model where transformers 5 leaves it out (DeBERTa)."""
    from tokenizers import normalizers

    path = next((path for file in _SPM_FILES if (path := hub_file(name, file)) is not None), None)
    if path is None or not tokenizer.is_fast:
        return
    try:
        from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2
    except ImportError:
        return  # without it, transformers has found another file to load
    proto: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    proto.ParseFromString(path.read_bytes())
    backend, charsmap = tokenizer.backend_tokenizer, proto.normalizer_spec.precompiled_charsmap
    state = json.loads(backend.to_str())["normalizer"]
    if charsmap and '"Precompiled"' not in json.dumps(state):
        own = [] if backend.normalizer is None else [backend.normalizer]
        backend.normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap), *own])
    expected = SentencePieceProcessor(model_file=str(path)).encode(_PROBE, out_type=str)
    found = backend.encode(_PROBE, add_special_tokens=False).tokens
    if list(map(str, expected)) != [token for token in found if token]:
        _report_difference(name, path.name, expected, found)


def _report_difference(name: str, file: str, expected: list[str], found: list[str]) -> None:
    at = next((i for i, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]), 0)
    log.warning(
        "%s: the loaded tokenizer differs from its %s: %s has the tokens %s, and the file %s",
        name, file, repr(_PROBE), " ".join(found[at : at + 6]), " ".join(expected[at : at + 6]),
    )  # fmt: skip


def _keep_case(name: str, tokenizer: Any) -> None:
    """Disable lower case where it makes words unknown.

    The default of BERT's class decomposes Hangul into jamo, which a cased vocabulary does not have.
    """
    from tokenizers import normalizers

    normalizer = tokenizer.backend_tokenizer.normalizer if tokenizer.is_fast else None
    if not isinstance(normalizer, normalizers.BertNormalizer) or not normalizer.lowercase:
        return
    unknown = _unknown_share(tokenizer)
    if unknown == 0:
        return
    normalizer.lowercase = False
    if _unknown_share(tokenizer) < unknown:
        log.warning("%s: do_lower_case would decompose Hangul; loaded with do_lower_case=False.", name)
    else:
        normalizer.lowercase = True


def _name_special_tokens(tokenizer: Any) -> None:
    """Set special tokens that no file states, where the vocabulary has one of the usual names.

    A start or end token is not needed where the tokenizer has [CLS] and [SEP].
    """
    vocabulary = tokenizer.get_vocab()
    for role, usual in _ROLES.items():
        bracketed = role in {"bos_token", "eos_token"} and tokenizer.cls_token is not None
        if getattr(tokenizer, role) is None and not bracketed:
            found = next((token for token in usual if token in vocabulary), None)
            if found is not None:
                setattr(tokenizer, role, found)


def _keep_unknown(tokenizer: Any) -> None:
    """Keep unknown characters and long words.

    A BPE model without an unknown token drops characters, and offsets after them in the word are wrong. WordPiece
    makes one unknown token of a long word.
    """
    model: Any = tokenizer.backend_tokenizer.model
    kind = type(model).__name__
    if kind == "BPE" and model.unk_token is None and tokenizer.unk_token_id is not None:
        model.unk_token = tokenizer.unk_token
    if kind == "WordPiece":
        model.max_input_chars_per_word = max(model.max_input_chars_per_word, _LONGEST_WORD)


def _check_korean(name: str, tokenizer: Any) -> None:
    if _unknown_share(tokenizer) == 1:
        raise InputError(
            f"its tokenizer (vocabulary of {len(tokenizer)}) has no word of {_KOREAN!r}",
            place=name,
            fix="use a Korean or multilingual checkpoint, or check that vocab.txt / tokenizer.json is complete",
        )


def _unknown_share(tokenizer: Any) -> float:
    ids = tokenizer(_KOREAN, add_special_tokens=False)["input_ids"]
    return sum(i == tokenizer.unk_token_id for i in ids) / len(ids) if ids else 1.0


def _choose_inputs(tokenizer: Any, config: Any, entry: Checkpoint | None) -> None:
    """Set the inputs that the tokenizer returns to those that the model takes."""
    dropped = set(entry.drop_inputs) if entry else set()
    if getattr(config, "type_vocab_size", 0) < 2:
        dropped.add("token_type_ids")
    elif "token_type_ids" not in tokenizer.model_input_names:
        tokenizer.model_input_names = [*tokenizer.model_input_names, "token_type_ids"]
    tokenizer.model_input_names = [n for n in tokenizer.model_input_names if n not in dropped]
    tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names  # saved with it


def _end_tokens(name: str, tokenizer: Any, config: Any) -> int | list[int] | None:
    """Return the ids that end a generated text: those of the tokenizer, the configuration and its generation config.

    The end of a turn of a chat model is often another token than the end token of its tokenizer. Ids that are no
    special token are left out, such as the default of GPT-2's configuration with another vocabulary.
    """
    special = set(tokenizer.get_added_vocab().values()) | set(tokenizer.all_special_ids)
    stated = [
        getattr(config, "eos_token_id", None),
        read_json(hub_file(name, "generation_config.json")).get("eos_token_id"),
    ]
    ids = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    for value in stated:
        ids += [one for one in (value if isinstance(value, list) else [value]) if one in special and one not in ids]
    return ids[0] if len(ids) == 1 else ids or None
