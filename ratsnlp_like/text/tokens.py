"""Characters and tokens: tokenizing with offsets, windows, tags and spans. No torch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from .normalization import Normalizer

Offset = tuple[int, int]
"""Start and end of a token in its text, in characters, `end` exclusive. Empty where it shows no character."""


class Tokens(NamedTuple):
    """Tokens of a text without special tokens."""

    ids: list[int]
    offsets: list[Offset]


def tokenize(tokenizer: Any, texts: Sequence[str], *, offsets: bool = True, keep: str | None = None) -> list[Tokens]:
    """Tokenize without special tokens and without truncation; offsets never begin or end with white space.

    A special token that is written in a text (`[SEP]`, `</s>`) is text, and decomposed Hangul (NFD) is read as
    syllables; offsets refer to the text as given. A tokenizer of the `tokenizers` library returns offsets; for a slow
    one they are found by `align_tokens`. Without `offsets` they are empty, which takes half the time.

    Args:
        tokenizer: of transformers, or the plain one of this package.
        texts: any number of them.
        offsets: return the offsets of tokens.
        keep: a special token that is recognised in texts.
    """
    backend = _backend(tokenizer)
    if backend is None:
        return [_tokenize_slowly(tokenizer, text, keep) for text in texts]
    found = _special_tokens(tokenizer, keep)
    unusual = {
        i
        for i, text in enumerate(texts)
        if len(text) > _LONG or _CONJOINING.search(text) or (found and found.search(text))
    }
    encoded = iter(_encode(backend, [text for i, text in enumerate(texts) if i not in unusual], offsets=offsets))
    return [
        _join(backend, _pieces(backend, _cut(text, found)), offsets=offsets) if i in unusual else next(encoded)
        for i, text in enumerate(texts)
    ]


def tokenize_parts(tokenizer: Any, parts: Sequence[str]) -> Tokens:
    """Tokenize a text in parts, in which special tokens are recognised; offsets refer to the joined text."""
    backend = _backend(tokenizer)
    if backend is None:
        raise ValueError("parts can be tokenized by a fast tokenizer only")
    return _join(backend, parts, offsets=True)


_LONG = 100_000
"""Characters that are tokenized at once; a tokenizer takes 200 bytes and more for each of them."""
_PROBE = "한국어 문장, 그리고 word 12개.\n다음 줄  두 칸"


def _pieces(backend: Any, parts: Sequence[str]) -> list[str]:
    """Cut long parts before white space, for a tokenizer that gives the same tokens for the pieces."""
    if all(len(part) <= _LONG for part in parts) or not _splits_at_spaces(backend):
        return list(parts)
    return [piece for part in parts for piece in (_long_pieces(part) if len(part) > _LONG else [part])]


def _long_pieces(text: str) -> list[str]:
    """Cut a text before white space into pieces of at most `_LONG` characters; a longer word is a piece of its own."""
    cuts = [0]
    while len(text) - cuts[-1] > _LONG:
        spaces = [match.start() for match in _SPACE.finditer(text, cuts[-1] + _LONG // 2, cuts[-1] + _LONG)]
        cut = spaces[-1] if spaces else getattr(_SPACE.search(text, cuts[-1] + _LONG), "start", lambda: len(text))()
        cuts.append(cut)
    return [text[start:end] for start, end in pairwise([*cuts, len(text)]) if start < end]


_SPACE = re.compile(r"(?<=\S)\s(?=\S)")


def _splits_at_spaces(backend: Any) -> bool:
    """Return True if a text that is cut before white space has the tokens of its pieces, as in WordPiece."""
    cuts = [0, *(match.start() for match in _SPACE.finditer(_PROBE)), len(_PROBE)]
    pieces = [backend.encode(_PROBE[start:end], add_special_tokens=False) for start, end in pairwise(cuts)]
    ids = [i for piece in pieces for i in piece.ids]
    return ids == backend.encode(_PROBE, add_special_tokens=False).ids


CUT = "\ufdd0"
"""Mark within a special token that is text; a noncharacter of Unicode, for internal use."""


def mark_special_tokens(tokenizer: Any, text: str) -> str:
    """Put `CUT` into the special tokens of a text. Split at it, its parts contain none."""
    return CUT.join(_cut(text, _special_tokens(tokenizer, None)))


_CONJOINING = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
"""Letters of decomposed Hangul, as macOS writes it."""
_COMPOSED = Normalizer(("nfc",))


def _backend(tokenizer: Any) -> Any:
    """Return the tokenizer of the `tokenizers` library, without truncation and padding; None for a slow one."""
    backend = getattr(tokenizer, "backend_tokenizer", None) if tokenizer.is_fast else None
    # An earlier call may have set these. They are changed only where needed: a tokenizer cannot be changed while
    # another thread uses it.
    if backend is not None and backend.truncation is not None:
        backend.no_truncation()
    if backend is not None and backend.padding is not None:
        backend.no_padding()
    return backend


@lru_cache(maxsize=32)
def _special_tokens(tokenizer: Any, keep: str | None) -> re.Pattern[str] | None:
    """Return a pattern of the special tokens that a tokenizer recognises in a text, except one."""
    added = tokenizer.backend_tokenizer.get_added_tokens_decoder().values()
    names = {token.content for token in added if token.special and len(token.content) > 1} - {keep}
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True)))) if names else None


def _cut(text: str, special: re.Pattern[str] | None) -> list[str]:
    """Cut a text after the first character of each special token in it."""
    if special is None:
        return [text]
    cuts: list[int] = []
    at = 0
    while match := special.search(text, at):
        at = match.start() + 1  # a special token may begin within another
        cuts.append(at)
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def _join(backend: Any, parts: Sequence[str], *, offsets: bool) -> Tokens:
    """Tokenize parts of a text, with offsets in the text."""
    composed = [_COMPOSED(part) if _CONJOINING.search(part) else None for part in parts]
    texts = [part if c is None else c.text for part, c in zip(parts, composed, strict=True)]
    ids: list[int] = []
    found: list[Offset] = []
    start = 0
    for part, c, tokens in zip(parts, composed, _encode(backend, texts, offsets=offsets), strict=True):
        ids += tokens.ids
        spans = tokens.offsets if c is None else [c.to_original(*span) for span in tokens.offsets]
        found += [(start + first, start + last) for first, last in spans]
        start += len(part)
    return Tokens(ids, found)


def _encode(backend: Any, texts: Sequence[str], *, offsets: bool) -> list[Tokens]:
    """Encode texts, about a million characters at a time."""
    if sum(map(len, texts)) > 10 * _LONG and len(texts) > 1:
        half = len(texts) // 2
        return _encode(backend, texts[:half], offsets=offsets) + _encode(backend, texts[half:], offsets=offsets)
    if not offsets:
        return [Tokens(e.ids, []) for e in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
    encodings = backend.encode_batch(list(texts), add_special_tokens=False)
    mark = backend.token_to_id("▁")  # a token of its own before an unknown word; it shows no character
    out = []
    for text, encoding in zip(texts, encodings, strict=True):
        pairs = zip(encoding.ids, encoding.offsets, strict=True)
        spans = [(start, start) if i == mark else _trim(text, start, end) for i, (start, end) in pairs]
        if any(first[1] > second[0] for first, second in pairwise(spans)):
            spans = _without_overlap(spans)
        out.append(Tokens(encoding.ids, spans))
    return out


def _without_overlap(offsets: Sequence[Offset]) -> list[Offset]:
    """Assign a character of several tokens (bytes, or … as three dots) to the first of them; the others are empty."""
    out: list[Offset] = []
    reached = 0
    for start, end in offsets:
        first = min(max(start, reached), max(end, reached))
        out.append((first, max(end, first)))
        reached = max(reached, end)
    return out


def _trim(text: str, start: int, end: int) -> Offset:
    """Exclude the space before a word, which SentencePiece and byte-level BPE include in its first token."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _tokenize_slowly(tokenizer: Any, text: str, keep: str | None) -> Tokens:
    tokens = tokenizer.tokenize(text, split_special_tokens=keep is None)
    offsets = align_tokens(text, tokens, tokenizer.unk_token)
    return Tokens(tokenizer.convert_tokens_to_ids(tokens), offsets)


_MARKS = "##", "▁", "Ġ", "</w>", "@@"


def align_tokens(text: str, tokens: Sequence[str], unk_token: str | None = None) -> list[Offset]:
    """Return the offsets of tokens in their text, for tokenizers without offsets.

    Both sides are compared letter by letter after NFKC and case folding, so that a tokenizer's own
    normalisation (half-width forms, ㅋ as U+110F, lower case) does not move the offsets. An unknown
    token covers the text between its neighbours.

    Args:
        text: the text that was tokenized.
        tokens: its tokens as strings, with the marks of WordPiece, SentencePiece or BPE.
        unk_token: the unknown token.
    """
    letters: list[str] = []  # the folded letters of the text ...
    source: list[int] = []  # ... and the character that each came from
    for i, character in enumerate(text):
        for letter in _fold(character):
            letters.append(letter)
            source.append(i)
    haystack = "".join(letters)

    found: list[Offset | None] = []
    cursor = 0
    for token in tokens:
        needle = "" if token == unk_token else _fold(_strip_marks(token))
        at = haystack.find(needle, cursor) if needle else -1
        if at < 0:
            found.append((cursor, cursor) if not needle and token != unk_token else None)
            continue
        found.append((at, at + len(needle)))
        cursor = at + len(needle)
    return [_to_characters(span, source, text) for span in _fill_gaps(found, len(haystack))]


def _fold(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not c.isspace())


def _strip_marks(token: str) -> str:
    for mark in _MARKS:
        token = token.removeprefix(mark) if mark not in ("</w>", "@@") else token.removesuffix(mark)
    return token


def _fill_gaps(found: list[Offset | None], length: int) -> Iterator[Offset]:
    """Yield spans in which the first of several unknown tokens covers all letters up to the next known token."""
    previous_end = 0
    for i, span in enumerate(found):
        if span is None:
            following = next((s[0] for s in found[i + 1 :] if s is not None and s[0] < s[1]), length)
            span = (previous_end, max(previous_end, following))
        elif span[0] == span[1]:
            span = (max(previous_end, span[0]),) * 2
        previous_end = span[1]
        yield span


def _to_characters(span: Offset, source: list[int], text: str) -> Offset:
    start, end = span
    if start >= end:
        at = source[start] if start < len(source) else len(text)
        return at, at
    return _trim(text, source[start], source[end - 1] + 1)


@dataclass(frozen=True)
class Template:
    """The special tokens of a checkpoint around one text, or around a pair.

    They are read from an encoded probe, so that they do not depend on the name of a model.
    """

    single: tuple[tuple[int, ...], tuple[int, ...]]
    """Ids before and after a text."""
    pair: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    """Ids before, between and after the two texts of a pair."""
    second_type: int
    """Token type of the second text: 1 where the model distinguishes two texts, otherwise 0."""

    @classmethod
    def of(cls, tokenizer: Any) -> Template:
        """Return the template of a tokenizer."""
        return _template(tokenizer)

    def room(self, max_length: int, *, pair: bool = False) -> int:
        """Return the number of tokens of text that fit into `max_length` tokens."""
        return max_length - sum(map(len, self.pair if pair else self.single))

    def build(self, first: Sequence[int], second: Sequence[int] | None = None) -> tuple[list[int], list[int], int]:
        """Return input ids, token type ids, and the position of the first token of `first`."""
        if second is None:
            before, after = self.single
            ids = [*before, *first, *after]
            return ids, [0] * len(ids), len(before)
        before, between, after = self.pair
        ids = [*before, *first, *between, *second, *after]
        tail = len(second) + len(after)
        return ids, [0] * (len(ids) - tail) + [self.second_type] * tail, len(before)


@lru_cache(maxsize=16)
def _template(tokenizer: Any) -> Template:
    probe, other = tokenizer("가", add_special_tokens=False)["input_ids"], "나"
    second = tokenizer(other, add_special_tokens=False)["input_ids"]
    ids = tokenizer("가")["input_ids"]
    at = _find(ids, probe)
    both = tokenizer("가", other)
    pair = both["input_ids"]
    first_at = _find(pair, probe)
    first_end = first_at + len(probe)
    second_at = first_end + _find(pair[first_end:], second)
    types = both.get("token_type_ids") or [0] * len(pair)
    return Template(
        single=(tuple(ids[:at]), tuple(ids[at + len(probe) :])),
        pair=(tuple(pair[:first_at]), tuple(pair[first_end:second_at]), tuple(pair[second_at + len(second) :])),
        second_type=types[second_at],
    )


def _find(sequence: Sequence[int], part: Sequence[int]) -> int:
    for at in range(len(sequence) - len(part) + 1):
        if list(sequence[at : at + len(part)]) == list(part):
            return at
    raise ValueError(f"{part} is not in {sequence}: the tokenizer changes a text when it adds special tokens")
