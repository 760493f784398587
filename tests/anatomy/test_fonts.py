"""The choice of a font with Hangul."""

from __future__ import annotations

import sys

import pytest
from anatomy_helpers import bert

from ratsnlp_like import InputError, anatomy
from ratsnlp_like.anatomy import fonts


def test_fonts_with_hangul_are_chosen() -> None:
    assert set("한글ㅋ뷁") <= fonts.characters_of(fonts._chosen()[0][1])
    assert fonts.font_families()[-1] == "DejaVu Sans"
    assert fonts.drawable("가▁\U000f0000") == "가▁<F0000>"
    assert fonts._shipped()[0][0] == "NanumGothic"
    assert "koreanize_matplotlib" not in sys.modules  # importing it would change the fonts of all plots
    assert fonts.characters_of(__file__) == frozenset()
    latin = fonts._chosen()[1]
    with pytest.raises(InputError, match="pip install koreanize-matplotlib"):
        fonts._first_with_hangul([latin, ("broken", __file__)])


def test_missing_matplotlib_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"ratsnlp_like\[plots\]"):
        anatomy.plot_stream(bert())
