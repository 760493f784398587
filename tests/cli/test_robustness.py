"""`evaluate --perturb` and `train --augment`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import encode, flags, job, tokenizer, tsv
from helpers_cli import ROWS, Cli, check_message

from ratsnlp_like.data.augmentation import AugmentedSplit
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import TASKS
from ratsnlp_like.training.finetune import fine_tune


@pytest.mark.slow
def test_a_table_of_falls(run: Path, tmp_path: Path, cli: Cli) -> None:
    own = ["evaluate", run, "--perturb", "spacing,emoji", "--result"]
    for name in ("a.json", "b.json"):
        outcome = cli(*own, tmp_path / name)
        assert outcome.code == 0, outcome.err
    found, again = (json.loads((tmp_path / name).read_text())["robustness"] for name in ("a.json", "b.json"))
    assert found == again
    assert found["rows"] == 24
    assert list(found["perturbations"]) == ["spacing", "emoji"]
    for noise in found["perturbations"].values():
        assert noise["changed"] > 15
        assert noise["fall"] == pytest.approx(found["score"] - noise["scores"]["macro_f1"])
        low, high = noise["interval"]
        assert low <= noise["fall"] <= high
        assert 0 < noise["p"] <= 1
    assert "emoji" in outcome.out


@pytest.mark.slow
def test_entities(ner_run: Path, tmp_path: Path, cli: Cli) -> None:
    """Inserted emoji move the spans: a model that still finds the names keeps its score."""
    outcome = cli("evaluate", ner_run, "--perturb", "emoji", "--result", tmp_path / "r.json")
    assert outcome.code == 0, outcome.err
    found = json.loads((tmp_path / "r.json").read_text())["robustness"]
    assert found["perturbations"]["emoji"]["scores"]["entity_f1"] > found["score"] / 2 > 0


@pytest.mark.slow
def test_wrong_names(run: Path, tmp_path: Path, cli: Cli) -> None:
    check_message(cli("evaluate", run, "--perturb", "spacng"), "--perturb", "spacng", "spacing")
    check_message(cli(*flags(tmp_path, augment="typos")), "--augment", "typos", "typo")
    check_message(
        cli(
            "train",
            "--task",
            "masked-lm",
            "--corpus",
            "sample-raw",
            "--checkpoint",
            "ko-tiny-bert",
            "--augment",
            "typo",
        ),
        "--augment",
        "predicts the text itself",
    )


def test_half_of_the_training_rows_are_perturbed(tmp_path: Path) -> None:
    split = encode(tsv(tmp_path / "a.tsv", ROWS * 10), tmp_path / "cache").read
    augmented = AugmentedSplit.of(split, ["emoji"], 7)
    plain, noisy = list(split.examples()), list(augmented.examples())
    changed = [a.text != b.text for a, b in zip(plain, noisy, strict=True)]
    assert 0.3 < np.mean(changed) < 0.7
    assert [a.label for a in plain] == [b.label for b in noisy]
    assert list(augmented.examples()) == noisy
    assert augmented.example(3) == noisy[3]


def test_the_held_out_rows_stay_as_they_are(tmp_path: Path) -> None:
    path = tsv(tmp_path / "a.tsv", [(f"{k}번 {text}", label) for k, (text, label) in enumerate(ROWS * 5)])
    splits = []
    for augment in ((), ("emoji",)):
        data = TaskDataModule(
            TASKS["classification"](), path, tokenizer(), cache=tmp_path / "cache", max_length=32, augment=augment
        )
        data.setup("fit")
        splits.append(data)
    plain, noisy = splits
    assert plain.train is not None
    assert noisy.train is not None
    assert plain.validation is not None
    assert noisy.validation is not None
    assert list(plain.validation.examples()) == list(noisy.validation.examples())
    before, after = list(plain.train.examples()), list(noisy.train.examples())
    assert len(before) == len(after)
    assert 0.3 < np.mean([a.text != b.text for a, b in zip(before, after, strict=True)]) < 0.7
    assert plain.description() == noisy.description()  # `evaluate --split train` still finds the rows


@pytest.mark.slow
def test_training_with_noise(tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path, augment=["spacing", "typo"], limit_train=16))
    assert "augment:\n- spacing\n- typo" in (result.output / "config.yaml").read_text()
    with pytest.raises(InputError, match="typos"):
        fine_tune(**job(tmp_path, augment="typos"))
