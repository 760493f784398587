"""Perturbations of Korean text, as people type it: lost and added spaces, typing errors, jamo, ㅋㅋ, emoji.

Each is a list of edits at random places of a text, so that entities and answers keep their spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from ..errors import InputError, did_you_mean
from ..examples.edited import Edit, EditedText

_FIRST, _LAST = 0xAC00, 0xD7A3
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_KEYS = ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ")
"""Rows of the 두벌식 layout (KS X 5002), without shift."""
_LAUGHTER = ("ㅋㅋ", "ㅋㅋㅋ", "ㅋㅋㅋㅋㅋ", "ㅎㅎ", "ㅎㅎㅎ")
_EMOJI = ("🙂", "👀", "✨", "🍀", "📌", "🎈", "🙏")
_LOOKALIKES = {
    "대": "머",
    "귀": "커",
    "명": "띵",
    "멍": "댕",
    "며": "띠",
    "유": "윾",
    "우": "윽",
    "왕": "앟",
    "비": "네",
    "파": "과",
    "광": "팡",
    "피": "끠",
}
"""Syllables and those that look like them (야민정음)."""


@dataclass(frozen=True)
class Perturbation:
    """A kind of noise."""

    description: str
    edits: Callable[[str, Random], Iterator[Edit]]
    """Yields the edits of a text, in order."""


def _spacing(text: str, random: Random) -> Iterator[Edit]:
    for i, character in enumerate(text):
        if character.isspace():
            if random.random() < 0.4:
                yield Edit(i, i + 1, "")
        elif _is_syllable(character) and text[i + 1 : i + 2].strip() and random.random() < 0.08:
            yield Edit(i + 1, i + 1, " ")


def _typo(text: str, random: Random) -> Iterator[Edit]:
    for i, syllable in _syllables(text, random, 0.12):
        letters = list(_decompose(syllable))
        places = [k for k, letter in enumerate(letters) if letter in _NEIGHBOURS]
        if places:
            k = random.choice(places)
            letters[k] = random.choice(_NEIGHBOURS[letters[k]])
            yield Edit(i, i + 1, _compose(*letters))


def _jamo(text: str, random: Random) -> Iterator[Edit]:
    for i, syllable in _syllables(text, random, 0.12):
        yield Edit(i, i + 1, "".join(_decompose(syllable)))


def _lookalike(text: str, random: Random) -> Iterator[Edit]:
    for i, character in enumerate(text):
        if character in _LOOKALIKES and random.random() < 0.7:
            yield Edit(i, i + 1, _LOOKALIKES[character])


def _repeat(text: str, random: Random) -> Iterator[Edit]:
    return _after_words(text, random, _LAUGHTER)


def _emoji(text: str, random: Random) -> Iterator[Edit]:
    return _after_words(text, random, _EMOJI)


def _finals(text: str, random: Random) -> Iterator[Edit]:
    for i, syllable in _syllables(text, random, 0.25):
        initial, medial, final = _decompose(syllable)
        if final:
            yield Edit(i, i + 1, _compose(initial, medial, ""))


PERTURBATIONS: Mapping[str, Perturbation] = {
    "spacing": Perturbation("spaces lost (40% of them) or added (after 8% of the syllables of an eojeol)", _spacing),
    "typo": Perturbation("a neighbouring key of the 두벌식 layout in 12% of the syllables", _typo),
    "jamo": Perturbation("12% of the syllables split into letters: 안녕 -> ㅇㅏㄴ녕", _jamo),
    "lookalike": Perturbation("syllables that look alike (야민정음): 멍멍이 -> 댕댕이", _lookalike),
    "repeat": Perturbation("ㅋㅋ after a fifth of the eojeols", _repeat),
    "emoji": Perturbation("an emoji after a fifth of the eojeols", _emoji),
    "finals": Perturbation("final consonants lost in a quarter of the syllables: 좋아 -> 조아", _finals),
}


def perturbation_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return names of perturbations, from a string with commas or a sequence; `all` are all of them.

    Raises:
        InputError: a name is unknown.
    """
    found = tuple(name.strip() for name in (names.split(",") if isinstance(names, str) else names))
    if found == ("all",):
        return tuple(PERTURBATIONS)
    for name in found:
        if name not in PERTURBATIONS:
            raise InputError(
                f"unknown perturbation {name!r}",
                expected=", ".join(PERTURBATIONS),
                fix=did_you_mean(name, PERTURBATIONS),
            )
    return found


def perturb(text: str, name: str, seed: int) -> EditedText:
    """Return a text with one kind of noise; the same text, name and seed give the same result."""
    return EditedText.of(text, PERTURBATIONS[name].edits(text, random_of(f"{seed} {name} {text}")))


def random_of(key: str) -> Random:
    """Return random numbers that depend on a text, and not on the order in which texts are read."""
    return Random(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _is_syllable(character: str) -> bool:
    return _FIRST <= ord(character) <= _LAST


def _syllables(text: str, random: Random, share: float) -> Iterator[tuple[int, str]]:
    """Yield a share of the syllables of a text with their positions."""
    for i, character in enumerate(text):
        if _is_syllable(character) and random.random() < share:
            yield i, character


def _after_words(text: str, random: Random, additions: Sequence[str]) -> Iterator[Edit]:
    """Yield insertions after a fifth of the eojeols, after the last one in any text that would have none."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    chosen = [end for end in ends if random.random() < 0.2] or ends[-1:]
    for end in chosen:
        yield Edit(end, end, random.choice(additions))


def _decompose(syllable: str) -> tuple[str, str, str]:
    """Return the letters of a syllable; the final one may be empty."""
    code = ord(syllable) - _FIRST
    return _INITIALS[code // 588], _MEDIALS[code % 588 // 28], _FINALS[code % 28]


def _compose(initial: str, medial: str, final: str) -> str:
    return chr(_FIRST + 588 * _INITIALS.index(initial) + 28 * _MEDIALS.index(medial) + _FINALS.index(final))


def _neighbours() -> dict[str, str]:
    """Return the keys around each key that have a letter of the same kind, consonant or vowel."""
    places = {letter: (x + row / 2, row) for row, letters in enumerate(_KEYS) for x, letter in enumerate(letters)}
    out = {}
    for letter, (x, row) in places.items():
        near = [
            other
            for other, (x_, row_) in places.items()
            if other != letter and abs(x - x_) <= 1 and abs(row - row_) <= 1
            if (other in _MEDIALS) == (letter in _MEDIALS)
        ]
        out[letter] = "".join(near)
    return out


_NEIGHBOURS = _neighbours()
