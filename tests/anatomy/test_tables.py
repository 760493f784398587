"""Display of calculations as text and HTML tables."""

from __future__ import annotations

import copy

import pytest
from anatomy_helpers import bert

from ratsnlp_like import anatomy


def test_steps_are_displayed_as_a_table() -> None:
    steps = anatomy.layer_norm([[1, 2, 3], [4, 5, 7]])
    lines = repr(steps).splitlines()
    assert lines[0] == "layer normalisation"
    assert lines[1].split() == ["step", "formula", "shape", "first", "values"]
    assert lines[3].split() == ["x", "input", "2", "x", "3", "1,", "2,", "3,", "4,", "5,", "7"]
    assert "<td" in steps._repr_html_()
    assert "<b>" not in anatomy.decoding([1.0], names=["<b>"])._repr_html_()
    assert copy.deepcopy(steps).x.tolist() == [[1, 2, 3], [4, 5, 7]]
    with pytest.raises(AttributeError, match="not a step"):
        steps.scores  # noqa: B018
    assert "정말 0." in repr(bert().candidates())
    assert "4 x 4 x 6 x 6" in repr(bert())
    assert "3 of 4 words remain" in repr(anatomy.decoding([4, 3, 2, 1], top_k=3))


def test_columns_are_aligned_by_display_width() -> None:
    lines = repr(anatomy.decoding([2.0, 1.0], names=["가나다", "abc"])).splitlines()
    assert lines[3].startswith("가나다  0.7311")
    assert lines[4].startswith("abc     0.2689")
