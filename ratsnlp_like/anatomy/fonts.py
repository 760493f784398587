"""A Hangul font for matplotlib: an installed one, or else the one that koreanize-matplotlib ships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputError

FAMILIES = (
    *("NanumGothic", "NanumBarunGothic", "Noto Sans CJK KR", "Noto Sans KR", "Pretendard", "Malgun Gothic"),
    *("Apple SD Gothic Neo", "AppleGothic", "UnDotum", "Baekmuk Gulim"),
)
"""Known Korean fonts, the most readable first."""
_PACKAGE = "koreanize_matplotlib"
_HANGUL = "가힣뷁ㅋ"
"""Test of Hangul coverage: the first and the last syllable, a rare one, a letter."""
_FALLBACK = "DejaVu Sans"
"""Ships with matplotlib; has symbols that Korean fonts lack."""


def font_families() -> tuple[str, ...]:
    """Return font families for matplotlib's `family`: one with Hangul, then matplotlib's own.

    Raises:
        InputError: no font with Hangul was found, or matplotlib is not installed.
    """
    return tuple(name for name, _ in _chosen())


def drawable(text: str) -> str:
    """Return the text with characters that none of the fonts has replaced by code points, such as `<1F600>`."""
    return "".join(c if c in _characters() else f"<{ord(c):X}>" for c in text)


def check_installed() -> None:
    """Check that matplotlib is installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("matplotlib") is None:
        raise InputError("matplotlib is not installed", place="plots", fix='pip install "ratsnlp_like[plots]"')


@cache
def _chosen() -> tuple[tuple[str, str], ...]:
    """Return families and files of the fonts used."""
    check_installed()
    from matplotlib.font_manager import findfont

    fallback = _FALLBACK, str(findfont(_FALLBACK))
    return _first_with_hangul(_candidates()), fallback


@cache
def _characters() -> frozenset[str]:
    return frozenset(character for _, file in _chosen() for character in characters_of(file))


def characters_of(file: str) -> frozenset[str]:
    """Return the characters that a font file has glyphs for; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(file).get_charmap()))
    except (RuntimeError, OSError):
        return frozenset()


def _first_with_hangul(candidates: Iterable[tuple[str, str]]) -> tuple[str, str]:
    for name, file in candidates:
        if set(_HANGUL) <= characters_of(file):
            return name, file
    raise InputError(
        "no font with Hangul found",
        place="plots",
        fix="pip install koreanize-matplotlib; or install one: apt install fonts-nanum (Linux, Colab)",
    )


def _candidates() -> Iterator[tuple[str, str]]:
    """Iterate over names and files of fonts: known Korean ones, then koreanize-matplotlib's, then all others."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {str(Path(entry.fname)) for entry in fontManager.ttflist}
    for file in findSystemFonts():  # includes fonts installed after matplotlib built its cache, as on Colab
        if file not in known:
            _add(file)
    installed = [(entry.name, str(entry.fname)) for entry in fontManager.ttflist if entry.style == "normal"]
    yield from _in_order(installed)
    yield from _shipped()
    yield from installed


def _in_order(installed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [entry for family in FAMILIES for entry in installed if entry[0] == family]


def _shipped() -> list[tuple[str, str]]:
    """Return the font of koreanize-matplotlib, without importing it: the import changes the fonts of all plots."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return []
    files = [Path(spec.origin).with_name("fonts") / f"NanumGothic{weight}.ttf" for weight in ("", "Bold")]
    return [("NanumGothic", str(file)) for file in files if file.exists() and _add(str(file))][:1]


def _add(file: str) -> bool:
    from matplotlib.font_manager import fontManager

    try:
        fontManager.addfont(file)
    except (RuntimeError, OSError):  # not a font, or broken
        return False
    return True
