"""Training of tokenizers, and comparison of tokenizers on a text.

Case and jamo are kept: the only normalisation is NFC, which composes the syllables of macOS and keeps ㅋㅋ.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from ..runtime.files import atomic_folder
from ..runtime.logging import quiet_transformers
from ..text.tokens import tokenize
from .base import load_config, resolve
from .tokenizer import load_tokenizer, write_tokenizer

Kind = Literal["wordpiece", "bpe", "unigram"]
Style = Literal["bert", "gpt"]

SPECIAL_TOKENS: dict[Style, dict[str, str]] = {
    "bert": {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
    "gpt": {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
}
"""Role -> token; their ids are their places in this order."""
_TEMPLATES: dict[Style, tuple[str, str]] = {
    "bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "gpt": ("<s> $A", "<s> $A </s> $B"),
}
_POSITIONS = 512
_BYTES = 256
_RUNS = 3


@dataclass(frozen=True)
class VocabularyArguments:
    """Kind, special tokens and size of a vocabulary."""

    kind: Kind = "wordpiece"
    """wordpiece (BERT's), bpe (byte-level, GPT-2's: nothing is unknown), unigram (SentencePiece's, with byte
    fallback: nothing is unknown either)."""
    style: Style | None = None
    """Special tokens and templates of bert or gpt; gpt for bpe and bert else by default."""
    vocab_size: int = 8000
    """Tokens of the vocabulary, special tokens included."""
    min_frequency: int = 2
    """Minimum number of occurrences of a piece (wordpiece, bpe)."""
    character_coverage: float = 0.9995
    """Share of all characters of the text that have a piece of their own; the rare rest is unknown (wordpiece) or
    spelled in bytes (unigram)."""

    def __post_init__(self) -> None:
        if not 0 < self.character_coverage <= 1:
            raise InputError(
                f"{self.character_coverage}", place="--character_coverage", expected="a share above 0, at most 1"
            )
        if self.min_frequency < 1:
            raise InputError(f"{self.min_frequency}", place="--min_frequency", expected="at least 1")
        least = _BYTES * (self.kind != "wordpiece") + len(SPECIAL_TOKENS[self.chosen_style])
        if self.vocab_size <= least:
            raise InputError(
                f"{self.vocab_size}",
                place="--vocab_size",
                expected=f"more than {least}: the special tokens" + (f" and {_BYTES} bytes" if least > _BYTES else ""),
            )

    @property
    def chosen_style(self) -> Style:
        """The given style, or the default of the kind."""
        return self.style or ("gpt" if self.kind == "bpe" else "bert")


def train_tokenizer(texts: Iterable[str], arguments: VocabularyArguments | None = None) -> Any:
    """Train a tokenizer on texts.

    The choice among equally frequent pieces is not deterministic (wordpiece, unigram): keep the tokenizer, not only
    the command that created it.

    Args:
        texts: read twice except for bpe, since characters are counted first.
        arguments: kind, size and special tokens.

    Returns:
        A `PreTrainedTokenizerFast`; `save_tokenizer` writes it.

    Raises:
        InputError: the texts are too few for a vocabulary of this size.
    """
    from tokenizers import normalizers

    arguments = arguments or VocabularyArguments()
    if arguments.kind != "bpe" and iter(texts) is texts:
        raise InputError("the texts are a one-way iterator", expected="texts that can be read twice, such as a list")
    tokenizer = _TRAINERS[arguments.kind](texts, arguments, normalizers.NFC())
    if (found := tokenizer.get_vocab_size()) < arguments.vocab_size:
        raise _too_little(arguments, found)
    if found > arguments.vocab_size:
        raise InputError(
            f"{arguments.vocab_size:,} tokens cannot hold the characters and special tokens, which are {found:,}",
            place="--vocab_size",
            fix=f"--vocab_size {2 * found}, or a lower --character_coverage",
        )
    return _wrapped(tokenizer, arguments.chosen_style)


def _too_little(arguments: VocabularyArguments, found: int) -> InputError:
    return InputError(
        f"the text yields a vocabulary of {found:,} tokens",
        place="--vocab_size",
        expected=f"{arguments.vocab_size:,} tokens",
        fix=f"--vocab_size {found}, a lower --min_frequency, or more text",
    )


def _wordpiece(texts: Iterable[str], arguments: VocabularyArguments, nfc: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = SPECIAL_TOKENS[arguments.chosen_style]
    tokenizer = Tokenizer(models.WordPiece(unk_token=special["unk_token"]))
    cleaned = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.normalizer = normalizers.Sequence([nfc, cleaned])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=arguments.vocab_size,
        min_frequency=arguments.min_frequency,
        limit_alphabet=len(_alphabet(texts, nfc, arguments.character_coverage)),
        special_tokens=list(special.values()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _byte_level_bpe(texts: Iterable[str], arguments: VocabularyArguments, nfc: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = nfc
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=arguments.vocab_size,
        min_frequency=arguments.min_frequency,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(SPECIAL_TOKENS[arguments.chosen_style].values()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _unigram(texts: Iterable[str], arguments: VocabularyArguments, nfc: Any) -> Any:
    """Train without rare characters, since the trainer reserves a piece for each and has no bytes; then add bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    special = list(SPECIAL_TOKENS[arguments.chosen_style].values())
    unknown = SPECIAL_TOKENS[arguments.chosen_style]["unk_token"]
    spelled = _alphabet(texts, nfc, arguments.character_coverage) | {" "}
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = nfc, pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=arguments.vocab_size - _BYTES, unk_token=unknown, special_tokens=special, show_progress=False
    )
    known = ("".join(c for c in nfc.normalize_str(text) if c in spelled) for text in texts)
    try:
        tokenizer.train_from_iterator(known, trainer)
    except Exception as error:  # the library raises no other
        raise InputError(
            f"{arguments.vocab_size:,} tokens cannot hold {len(spelled):,} characters, {_BYTES} bytes and pieces",
            place="--vocab_size",
            fix=f"--vocab_size {2 * (len(spelled) + _BYTES)}, or a lower --character_coverage",
        ) from error
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    lowest = min(score for _, score in pieces)
    bytes_ = [(f"<0x{byte:02X}>", lowest - 10) for byte in range(_BYTES)]
    vocabulary = [*map(tuple, pieces[: len(special)]), *bytes_, *map(tuple, pieces[len(special) :])]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=special.index(unknown), byte_fallback=True))
    made.normalizer, made.pre_tokenizer = nfc, pre_tokenizers.Metaspace()
    spaces = decoders.Replace("▁", " ")
    made.decoder = decoders.Sequence([spaces, decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return made


_TRAINERS: Mapping[Kind, Callable[[Iterable[str], VocabularyArguments, Any], Any]] = {
    "wordpiece": _wordpiece,
    "bpe": _byte_level_bpe,
    "unigram": _unigram,
}


def _alphabet(texts: Iterable[str], nfc: Any, coverage: float) -> set[str]:
    """Return the most frequent characters, which are a share of `coverage` of all that are not white space."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(nfc.normalize_str(text))
    counts = Counter({character: count for character, count in counts.items() if not character.isspace()})
    wanted, seen = coverage * counts.total(), 0
    alphabet: set[str] = set()
    for character, count in counts.most_common():
        if seen >= wanted:
            break
        seen += count
        alphabet.add(character)
    return alphabet


def _wrapped(tokenizer: Any, style: Style) -> Any:
    """Return a tokenizer with its special tokens and templates, as AutoTokenizer loads it."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    special = SPECIAL_TOKENS[style]
    ids = [(token, tokenizer.token_to_id(token)) for token in special.values()]
    single, pair = _TEMPLATES[style]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if style == "bert" else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=_POSITIONS, model_input_names=inputs, **special
    )


def small_config(tokenizer: Any) -> Any:
    """Return the configuration of a small BERT for a tokenizer, or of a GPT-2 where it has no mask token."""
    from transformers import BertConfig, GPT2Config

    size = len(tokenizer)
    if tokenizer.mask_token_id is not None:
        return BertConfig(
            vocab_size=size,
            hidden_size=256,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=1024,
            max_position_embeddings=_POSITIONS,
            pad_token_id=tokenizer.pad_token_id,
        )
    return GPT2Config(
        vocab_size=size,
        n_embd=256,
        n_layer=4,
        n_head=4,
        n_positions=_POSITIONS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def check_folder(folder: Path) -> None:
    """Check that a tokenizer can be written to a folder.

    Raises:
        InputError: the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("exists and is not empty", place=folder, fix="choose another --output, or empty it")


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer and the configuration of a small network, ready for `train --init random`.

    Raises:
        InputError: the folder is not empty.
    """
    check_folder(folder)
    with atomic_folder(folder, content="the tokenizer") as partial, quiet_transformers():
        write_tokenizer(tokenizer, partial)
        small_config(tokenizer).save_pretrained(partial)


def compare_tokenizers(texts: Sequence[str], checkpoints: Sequence[str]) -> dict[str, dict[str, float]]:
    """Compare the tokenizers of several checkpoints on the same texts, without special tokens.

    Args:
        texts: not all empty.
        checkpoints: bundled names, folders or hub ids.

    Returns:
        For each checkpoint: `vocabulary` (tokens), `tokens_per_eojeol` (words between spaces),
        `characters_per_token` (spaces left out), `unknown_share` (of all tokens, 0 to 1), `tokens_p50` and
        `tokens_p99` (of a text), `texts_per_second` (the best of three runs over all texts).

    Raises:
        InputError: a checkpoint cannot be loaded, or all texts are empty.
    """
    eojeols = sum(len(text.split()) for text in texts)
    characters = sum(len("".join(text.split())) for text in texts)
    if not eojeols:
        raise InputError(f"{len(texts)} texts, all of them empty", expected="text to compare tokenizers on")
    out: dict[str, dict[str, float]] = {}
    for name in checkpoints:
        path = resolve(name)
        tokenizer = load_tokenizer(path, load_config(path))
        seconds = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            rows = [tokens.ids for tokens in tokenize(tokenizer, texts, offsets=False)]
            seconds.append(time.perf_counter() - began)
        lengths = sorted(map(len, rows))
        total = sum(lengths)
        out[name] = {
            "vocabulary": len(tokenizer),
            "tokens_per_eojeol": round(total / eojeols, 3),
            "characters_per_token": round(characters / max(1, total), 3),
            "unknown_share": round(sum(row.count(tokenizer.unk_token_id) for row in rows) / max(1, total), 6),
            "tokens_p50": lengths[len(lengths) // 2],
            "tokens_p99": lengths[len(lengths) * 99 // 100],
            "texts_per_second": round(len(texts) / min(seconds)),
        }
    return out
