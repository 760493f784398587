"""Labels that are probably wrong: duplicates, planted errors in classes and in entities, the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import job

from ratsnlp_like.cli.main import main
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation import label_errors as module
from ratsnlp_like.evaluation.label_errors import duplicates, find_label_errors
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.tasks.abilities import NO_LABEL
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.ner import Ner

WRONG = 7, 20
"""Lines of `rows` whose label was replaced."""


def rows(path: Path) -> Path:
    lines = ["text\tlabel"]
    for k in range(2, 62):
        text, label = ("정말 좋아요", "긍정") if k % 2 else ("아주 별로예요", "부정")
        lines.append(f"{text} {k}번\t{'부정' if k in WRONG and k % 2 else '긍정' if k in WRONG else label}")
    path.write_text(
        "\n".join([*lines, "두 번 나오는 글\t긍정", "두 번 나오는 글\t부정", "두 번 나오는 글\t긍정"]), "utf-8"
    )
    return path


def options(tmp_path: Path) -> dict[str, Any]:
    own = job(tmp_path, corpus=rows(tmp_path / "rows.tsv"), epochs=6, learning_rate=1e-2, limit_train=None)
    return {name: value for name, value in own.items() if name != "output"}


@pytest.mark.slow
def test_planted_errors_are_found(tmp_path: Path) -> None:
    found = find_label_errors(**options(tmp_path), folds=2)
    assert (found.rows, found.labels) == (63, 63)
    assert [(error.kind, error.place.rpartition(" ")[2], error.given) for error in found.errors[:3]] == [
        ("duplicate", "63", "부정"),  # before all that the models expect
        *[("label", str(line), "부정" if line % 2 else "긍정") for line in _by_quality(found.errors, WRONG)],
    ]
    assert all(error.suggested != error.given for error in found.errors)
    json.dumps(found.to_dict())


def _by_quality(errors: list[module.LabelError], lines: tuple[int, ...]) -> list[int]:
    qualities = {int(e.place.rpartition(" ")[2]): e.quality for e in errors if e.quality is not None}
    return sorted(lines, key=lambda line: qualities[line])


def test_duplicates_without_a_majority() -> None:
    texts = [TextExample("같은 글", label, place=Place("f.csv", k)) for k, label in enumerate("ab", 2)]
    assert [(e.place, e.given, e.suggested) for e in duplicates(texts)] == [
        ("f.csv, line 2", "a", ""),
        ("f.csv, line 3", "b", ""),
    ]
    assert duplicates([texts[0], texts[0], TextExample("다른 글", "b")]) == []


def test_evidence_of_entities() -> None:
    """One token for each word; the model is sure of a person, who is marked as a place, and of another, who is not."""
    text = "김하늘은 어제 박서연을 만났다"
    task, labels = Ner(), ["LC", "PS"]
    logits = np.full((4, 5), -9.0)  # O, B-LC, I-LC, B-PS, I-PS
    for token, tag in enumerate((3, 0, 3, 0)):
        logits[token, tag] = 9.0
    features = {"first": 0, "lead": 0, "starts": [0, 5, 8, 13], "ends": [4, 7, 12, 16]}
    example = EntityExample(text, (Entity(0, 3, "LC"),))
    person, missing, rest = task.label_evidence(example, [Window(features, logits)], labels, None)
    assert (person.span, person.given) == ((0, 3), "LC")
    assert person.probabilities["PS"] == pytest.approx(1, abs=1e-6)
    assert (missing.span, missing.given) == ((8, 12), NO_LABEL)
    assert (rest.span, rest.given) == (None, NO_LABEL)
    assert rest.probabilities[NO_LABEL] == pytest.approx(1, abs=1e-6)
    sure = module.LabelEvidence((0, 3), "PS", {"LC": 0.05, "PS": 0.9, NO_LABEL: 0.05})
    place = module.LabelEvidence((0, 3), "LC", {"LC": 0.9, "PS": 0.05, NO_LABEL: 0.05})
    units, names, suspicion = module.rank([[person, missing, rest], [sure, place]])
    wrong = [
        (own.span, own.given, names[suspicion.suggested[k]])
        for k, (_, own) in enumerate(units)
        if suspicion.suspected[k]
    ]
    assert wrong == [((0, 3), "LC", "PS"), ((8, 12), NO_LABEL, "PS")]


@pytest.mark.parametrize(
    ("task", "own", "message"),
    [
        ("similarity", {}, "similarity has no labels"),
        ("classification", {"folds": 1}, "--folds: 1"),
        ("classification", {"folds": 500}, "61 different texts for 500 folds"),
    ],
)
def test_refused(tmp_path: Path, task: str, own: dict[str, int], message: str) -> None:
    corpus = "sample-sts" if task == "similarity" else rows(tmp_path / "rows.tsv")
    with pytest.raises(InputError, match=message):
        find_label_errors(task=task, corpus=corpus, checkpoint="ko-blank-bert", cache_dir=tmp_path, **own)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    error = module.LabelError("rows.tsv, line 7", "label", "정말 [좋아요]", "부정", "긍정", -0.5, 0.02)
    seen: dict[str, Any] = {}

    def find(**given: Any) -> module.LabelErrors:
        seen.update(given)
        return module.LabelErrors("rows.tsv", 60, 60, [error])

    monkeypatch.setattr(module, "find_label_errors", find)
    path = rows(tmp_path / "rows.tsv")
    command = ["inspect", str(path), "--label_errors", "--folds", "3", "--result", str(tmp_path / "found.json")]
    assert main(command) == 2
    assert "--checkpoint" in capsys.readouterr().err
    assert main([*command, "--checkpoint", "ko-blank-bert", "--training", '{"epochs": 2}']) == 0
    assert {"task": "classification", "folds": 3, "epochs": 2}.items() <= seen.items()
    shown = capsys.readouterr().out
    assert "정말 [좋아요]" in shown
    assert "0.020" in shown
    assert json.loads((tmp_path / "found.json").read_text())["errors"][0]["place"] == "rows.tsv, line 7"
