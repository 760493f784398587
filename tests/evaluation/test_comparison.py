"""Models are compared on the same rows; what is expected is computed from their predictions by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import job
from scipy.stats import binomtest

from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.comparison import compare
from ratsnlp_like.evaluation.comparison_report import show_comparison
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune

LINES = [
    ("배송이 빨라서 좋아요", "긍정"),
    ("다시는 안 삽니다", "부정"),
    ("정말 만족해요", "긍정"),
    ("별로예요 실망했어요", "부정"),
    ("음식이 맛있고 친절해요", "긍정"),
    ("너무 비싸고 불친절해요", "부정"),
]


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """A classifier that was trained for two steps."""
    return fine_tune(**job(tmp_path_factory.mktemp("weak"), max_steps=2))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in LINES), encoding="utf-8")
    return path


@pytest.fixture
def found(classifier: FineTuneResult, weak: FineTuneResult, rows: Path, tmp_path: Path) -> dict[str, Any]:
    return compare([weak.output, classifier.output], corpus=rows, cache_dir=tmp_path / "cache", progress=False)


@pytest.mark.slow
def test_scores_differences_and_changed_rows(
    found: dict[str, Any], classifier: FineTuneResult, weak: FineTuneResult
) -> None:
    texts, gold = [text for text, _ in LINES], [label for _, label in LINES]
    labels = [[p.label for p in Predictor.from_pretrained(run.best)(texts)] for run in (weak, classifier)]
    right = [[a == b for a, b in zip(own, gold, strict=True)] for own in labels]
    assert [run["scores"]["accuracy"] for run in found["runs"]] == [sum(own) / 6 for own in right]
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"]) == (0, 1)
    accuracy = pair["metrics"]["accuracy"]
    assert accuracy["difference"] == pytest.approx((sum(right[1]) - sum(right[0])) / 6)
    assert accuracy["interval"][0] <= accuracy["difference"] <= accuracy["interval"][1]
    fixed = sum(b and not a for a, b in zip(*right, strict=True))
    broken = sum(a and not b for a, b in zip(*right, strict=True))
    changed = [k for k in range(6) if labels[0][k] != labels[1][k]]
    assert changed, "the models agree on all rows: the test shows nothing"
    assert pair["changes"] == {"changed": len(changed), "fixed": fixed, "broken": broken}
    assert pair["mcnemar"]["p"] == pytest.approx(binomtest(fixed, fixed + broken).pvalue)
    assert sorted(row["row"] for row in found["changed"]) == changed
    for row in found["changed"]:
        assert row["text"] == texts[row["row"]]
        assert row["gold"]["label"] == gold[row["row"]]
        assert [p["label"] for p in row["predictions"]] == [own[row["row"]] for own in labels]
        assert row["correct"] == [own[row["row"]] for own in right]
        assert row["place"].endswith(f"line {row['row'] + 2}")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_model_does_not_differ_from_itself(classifier: FineTuneResult, rows: Path, tmp_path: Path) -> None:
    folders = [classifier.output, classifier.best, classifier.output]
    found = compare(folders, corpus=rows, cache_dir=tmp_path / "cache", progress=False)
    assert len(found["pairs"]) == 3
    for pair in found["pairs"]:
        assert pair["metrics"]["macro_f1"] == {
            "difference": 0.0, "interval": [0.0, 0.0], "bootstrap_p": 1.0, "randomization_p": 1.0,
            "bootstrap_p_holm": 1.0, "randomization_p_holm": 1.0,
        }  # fmt: skip
        assert pair["changes"] == {"changed": 0, "fixed": 0, "broken": 0}
    assert found["changed"] == []


@pytest.mark.slow
def test_the_corpus_of_training_by_default(classifier: FineTuneResult, weak: FineTuneResult, tmp_path: Path) -> None:
    found = compare([classifier.best, weak.best], cache_dir=tmp_path / "cache", progress=False, limit_eval=30)
    assert (found["corpus"], found["split"], found["rows"]) == ("sample-sentiment", "split test", 30)
    assert found["runs"][0]["interval_settings"]["units"] == 30


@pytest.mark.slow
@pytest.mark.exhaustive
def test_entities(recognizer: FineTuneResult, tmp_path: Path) -> None:
    found = compare([recognizer.output] * 2, cache_dir=tmp_path / "cache", progress=False, limit_eval=20)
    (pair,) = found["pairs"]
    assert pair["metrics"]["entity_f1"]["randomization_p"] == 1.0
    assert "mcnemar" not in pair
    assert found["runs"][0]["interval_settings"]["unit"] == "sentences"


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (lambda one, other: [one], "1 run"),
        (lambda one, other: [one, other], "different tasks"),
        (lambda one, other: [one, "nosuch"], "no such folder"),
    ],
)
def test_bad_runs(
    folders: Callable[..., list], message: str, classifier: FineTuneResult, recognizer: FineTuneResult
) -> None:
    with pytest.raises(InputError, match=message):
        compare(folders(classifier.output, recognizer.output))


@pytest.mark.slow
def test_table(found: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(found)
    shown = capsys.readouterr().out
    (pair,) = found["pairs"]
    assert f"{pair['metrics']['macro_f1']['difference']:+.4f}" in shown
    assert f"A to B: {pair['changes']['changed']} predictions differ" in shown
    assert found["changed"][0]["text"] in shown
    assert "adjusted" not in shown
    assert "no difference shown" in shown
