"""Pairs of texts: rows, scores, inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import read, tsv
from hypothesis import strategies as st

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.pair import PairExample, ScoredPairExample

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


class TestRows:
    @pytest.mark.parametrize(
        ("given", "score"),
        [
            ("3.8", 3.8),
            (" 4 ", 4.0),
            (4, 4.0),
            ("3.66666666666666", 3.66666666666666),
            ("-1e-1", -0.1),
            (None, None),
            ("", None),
            ("  ", None),
        ],
    )
    def test_a_score(self, given: Any, score: float | None) -> None:
        example = ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": given})
        assert example == ScoredPairExample("가", "나", score)
        assert example.missing == ("score" if score is None else None)

    @pytest.mark.parametrize(
        "given", ["높음", "nan", float("nan"), "inf", float("-inf"), True, "true", [3.0], {"a": 1}]
    )
    def test_no_score(self, given: Any) -> None:
        with pytest.raises(InputError) as caught:
            ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": given}, Place("sts.tsv", 3))
        message = str(caught.value)
        assert message.startswith(f"sts.tsv, line 3: the score is {given!r}")
        assert "--score_column" in message

    def test_a_score_of_hundreds_of_digits(self) -> None:
        with pytest.raises(InputError, match=r"sts\.tsv, line 3: the score is 1000"):
            ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": 10**400}, Place("sts.tsv", 3))

    def test_files(self, tmp_path: Path) -> None:
        """Columns by the names that others give them; scores that are text."""
        pairs = tsv(
            tmp_path / "p.tsv", [("비가 온다", "비", "1"), ("해", "눈", "0")], "Sentence1\tsentence2\tgold_label"
        )
        rows = read(pairs, tmp_path / "cache", PairExample)
        assert list(rows.examples()) == [PairExample("비가 온다", "비", "1"), PairExample("해", "눈", "0")]
        scored = tsv(tmp_path / "s.tsv", [("비가 온다", "비", "3.50"), ("해", "눈", "0")], "문장1\t문장2\t유사도")
        rows = read(scored, tmp_path / "cache", ScoredPairExample)
        assert list(rows.examples()) == [ScoredPairExample("비가 온다", "비", 3.5), ScoredPairExample("해", "눈", 0.0)]

    def test_a_bad_score_names_file_and_line(self, tmp_path: Path) -> None:
        path = tsv(tmp_path / "s.tsv", [("가", "나", "1"), ("다", "라", "??")], "sentence1\tsentence2\tscore")
        with pytest.raises(InputError, match=r"s\.tsv, line 3: the score is '\?\?'"):
            read(path, tmp_path / "cache", ScoredPairExample)

    def test_without_a_second_text(self, tmp_path: Path) -> None:
        path = tsv(tmp_path / "p.tsv", [("가", "1")], "premise\tlabel")
        with pytest.raises(InputError, match="no column for the text_pair") as caught:
            read(path, tmp_path / "cache", PairExample)
        assert "hypothesis" in str(caught.value)
        assert "--text_pair_column" in str(caught.value)

    def test_pairs_by_hand(self) -> None:
        assert PairExample.of(("가", "나")) == PairExample("가", "나")
        assert PairExample.of({"text": "가", "text_pair": "나"}) == PairExample("가", "나")
        for wrong in ("가", ("가",), ("가", "나", "다")):
            with pytest.raises(InputError, match=r"(?s)cannot read .*a tuple \(text, text_pair\)"):
                PairExample.of(wrong)


def test_a_score_in_labels() -> None:
    """As KLUE-STS has it, in its own file and on the hub."""
    row = {"text": "가", "text_pair": "나", "score": {"label": 3.7, "real-label": 3.71, "binary-label": 1}}
    assert ScoredPairExample.from_row(row).score == 3.7
    with pytest.raises(InputError, match=r"the score is .'binary-label': 1"):
        ScoredPairExample.from_row({**row, "score": {"binary-label": 1}})


@pytest.mark.parametrize("given", [("가", None), {"text": "가"}, {"text": "가", "text_pair": None}])
def test_half_a_pair_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match="no text_pair in"):
        PairExample.of(given)
