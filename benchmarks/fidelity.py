"""Texts whose ids differ from those of the published tokenizer.json: AutoTokenizer, and this package.

    python -m benchmarks.fidelity --corpus_root KORPORA [--texts 2000]

Each row is a folder with a tokenizer.json that is trained here, a tokenizer_config.json that names a class of
transformers, and a config.json. `tokenizers.Tokenizer.from_file` is the reference; offsets are compared too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from ratsnlp_like.checkpoints.base import load_config
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.registry import CORPORA

_SIZE = 3000
_BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_GPT = ["<pad>", "<unk>", "<s>", "</s>"]
_CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
Make = Callable[[Sequence[str]], Tokenizer]


def wordpiece(normalizer: Any, splitter: Any) -> Make:
    """Return a function that trains WordPiece with BERT's special tokens."""

    def make(texts: Sequence[str]) -> Tokenizer:
        tokenizer: Any = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # type: ignore[call-arg]
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
        trainer = trainers.WordPieceTrainer(vocab_size=_SIZE, special_tokens=_BERT, show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        return _with_template(tokenizer, "[CLS]", "[SEP]")

    return make


def bpe(splitter: Any, normalizer: Any = None, special: Sequence[str] = _GPT, *, metaspace: bool = False) -> Make:
    """Return a function that trains byte-level BPE, or BPE over characters with a mark for spaces."""

    def make(texts: Sequence[str]) -> Tokenizer:
        tokenizer: Any = Tokenizer(models.BPE(unk_token=special[1]) if metaspace else models.BPE())
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = splitter
        tokenizer.decoder = decoders.Metaspace() if metaspace else decoders.ByteLevel()
        alphabet = [] if metaspace else pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=_SIZE, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return _with_template(tokenizer, "[CLS]", "[SEP]") if "[CLS]" in special else tokenizer

    return make


def unigram(normalizer: Any) -> Make:
    """Return a function that trains a Unigram model with BERT's special tokens."""

    def make(texts: Sequence[str]) -> Tokenizer:
        tokenizer: Any = Tokenizer(models.Unigram())
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=_SIZE, special_tokens=_BERT, unk_token="[UNK]", show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return _with_template(tokenizer, "[CLS]", "[SEP]")

    return make


def _with_template(tokenizer: Any, first: str, last: str) -> Tokenizer:
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1", special_tokens=ids
    )
    return tokenizer  # type: ignore[no-any-return]


def _sequence(*steps: Any) -> Any:
    return pre_tokenizers.Sequence(list(steps))


_BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False)
_BYTES_ONLY = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
_BERT_SPLIT = pre_tokenizers.BertPreTokenizer()
ROWS: tuple[tuple[str, str | None, str, str, Make], ...] = (
    ("bert", "BertTokenizer", "WordPiece, NFKC", "nfkc", wordpiece(normalizers.NFKC(), _BERT_SPLIT)),
    (
        "bert", "BertTokenizer", "WordPiece, WhitespaceSplit", "spaces",
        wordpiece(normalizers.BertNormalizer(lowercase=False), pre_tokenizers.WhitespaceSplit()),
    ),
    (
        "bert", "BertTokenizer", "WordPiece, lower case, accents kept", "lower",
        wordpiece(normalizers.BertNormalizer(lowercase=True, strip_accents=False), _BERT_SPLIT),
    ),
    ("bert", "BertTokenizer", "byte-level BPE", "bytes", bpe(_BYTES, special=_BERT)),
    ("electra", "ElectraTokenizer", "byte-level BPE", "bytes", bpe(_BYTES, special=_BERT)),
    ("electra", None, "byte-level BPE", "bytes", bpe(_BYTES, special=_BERT)),
    (
        "roberta", "RobertaTokenizer", "WordPiece", "wordpiece",
        wordpiece(normalizers.BertNormalizer(lowercase=False), _BERT_SPLIT),
    ),
    (
        "roberta", None, "WordPiece", "wordpiece",
        wordpiece(normalizers.BertNormalizer(lowercase=False), _BERT_SPLIT),
    ),
    (
        "llama", "LlamaTokenizer", "BPE, Metaspace, NFKC", "metaspace",
        bpe(pre_tokenizers.Metaspace(), normalizers.NFKC(), metaspace=True),
    ),
    (
        "llama", "GPT2Tokenizer", "byte-level BPE, split as cl100k", "cl100k",
        bpe(_sequence(pre_tokenizers.Split(Regex(_CL100K), "isolated"), _BYTES_ONLY)),
    ),
    (
        "gpt2", "GPT2Tokenizer", "byte-level BPE, single digits, NFC", "digits",
        bpe(_sequence(pre_tokenizers.Digits(individual_digits=True), _BYTES), normalizers.NFC()),
    ),
    ("gpt2", "GPT2Tokenizer", "BPE, Metaspace", "metaspace", bpe(pre_tokenizers.Metaspace(), metaspace=True)),
    (
        "qwen2", "Qwen2Tokenizer", "byte-level BPE, three digits", "threes",
        bpe(_sequence(pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"), _BYTES), normalizers.NFC()),
    ),
    ("deberta-v2", "DebertaV2Tokenizer", "Unigram, NFKC", "unigram-nfkc", unigram(normalizers.NFKC())),
    ("deberta-v2", "DebertaV2Tokenizer", "Unigram, NFC", "unigram-nfc", unigram(normalizers.NFC())),
)  # fmt: skip
"""Model type, class that tokenizer_config.json names, description, name of the folder, training."""


def write_folder(root: Path, row: tuple[str, str | None, str, str, Make], texts: Sequence[str]) -> Path:
    """Write a checkpoint's files without weights."""
    kind, named, _, name, make = row
    folder = root / f"{kind}-{named}-{name}"
    folder.mkdir()
    tokenizer = make(texts)
    tokenizer.save(str(folder / "tokenizer.json"))
    bracketed = tokenizer.token_to_id("[CLS]") is not None
    roles = ("pad", "unk", "cls", "sep", "mask") if bracketed else ("pad", "unk", "bos", "eos")
    special = dict(zip((f"{role}_token" for role in roles), _BERT if bracketed else _GPT, strict=True))
    settings: dict[str, Any] = special | ({"tokenizer_class": named} if named else {})
    if bracketed:
        settings["do_lower_case"] = name == "lower"  # stated, as published folders do
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": kind, "type_vocab_size": 1}), encoding="utf-8")
    return folder


def differences(folder: Path, texts: Sequence[str]) -> tuple[int | str, int]:
    """Return the number of texts that AutoTokenizer and this package encode in another way than the file."""
    from transformers import AutoTokenizer

    expected = Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(list(texts))
    own = load_tokenizer(str(folder), load_config(str(folder))).backend_tokenizer.encode_batch(list(texts))
    ours = sum((a.ids, a.offsets) != (b.ids, b.offsets) for a, b in zip(expected, own, strict=True))
    try:
        theirs = AutoTokenizer.from_pretrained(folder)(list(texts))["input_ids"]
    except Exception as error:  # the outcome of the comparison
        return type(error).__name__, ours
    return sum(a.ids != ids for a, ids in zip(expected, theirs, strict=True)), ours


def main() -> None:
    """Print a row for each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=2000)
    arguments = parser.parse_args()
    examples: Any = CORPORA["nsmc"].examples(arguments.corpus_root, "train")
    texts = [example.text for example in islice(examples, arguments.texts)]
    print("| class named, content of tokenizer.json | AutoTokenizer | this package |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        for row in ROWS:
            theirs, ours = differences(write_folder(Path(name), row, texts), texts)
            print(f"| {row[1] or f'none ({row[0]})'}: {row[2]} | {theirs} | {ours} |", flush=True)


if __name__ == "__main__":
    main()
