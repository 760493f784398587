"""Arguments of the deployment notebooks: the choice of a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import write
from nlpbook_helpers import lightning_checkpoint

from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import classification, generation, ner, qa


@pytest.mark.parametrize("folder", ["plain", "of [brackets]", "tmp/temp-run"])
def test_the_best_checkpoint_has_the_best_score(folder: str, tmp_path: Path) -> None:
    place = tmp_path / folder
    lightning_checkpoint(place / "epoch=1-val_loss=0.30.ckpt", 0.304)
    best = lightning_checkpoint(place / "epoch=2-val_loss=0.30-v1.ckpt", 0.296)
    lightning_checkpoint(place / "last.ckpt", 0.9)
    args = classification.ClassificationDeployArguments("bert", str(place))
    assert args.downstream_model_checkpoint_fpath == str(best)


def test_choice_of_the_checkpoint(tmp_path: Path) -> None:
    last = lightning_checkpoint(tmp_path / "a" / "last.ckpt", None)
    assert qa.QADeployArguments(None, str(tmp_path / "a")).downstream_model_checkpoint_fpath == str(last)
    lightning_checkpoint(tmp_path / "b" / "epoch=0-val_loss=0.40.ckpt", None)  # scores from the file names
    named = lightning_checkpoint(tmp_path / "b" / "epoch=1-val_loss=0.28.ckpt", None)
    assert qa.QADeployArguments(None, str(tmp_path / "b")).downstream_model_checkpoint_fpath == str(named)
    lightning_checkpoint(tmp_path / "c" / "x.ckpt", 0.4, mode="max")
    high = lightning_checkpoint(tmp_path / "c" / "y.ckpt", 0.8, mode="max")
    assert qa.QADeployArguments(None, str(tmp_path / "c")).downstream_model_checkpoint_fpath == str(high)
    assert generation.GenerationDeployArguments(None, None, str(high)).downstream_model_checkpoint_fpath == str(high)
    for wrong in ({}, {"downstream_model_dir": str(tmp_path)}, {"downstream_model_checkpoint_fpath": "no.ckpt"}):
        with pytest.raises(InputError):
            classification.ClassificationDeployArguments(**wrong)


def test_deploy_arguments_by_position(tmp_path: Path) -> None:
    path = str(lightning_checkpoint(tmp_path / "x.ckpt", 0.1))
    labels = str(write(tmp_path / "map.txt", "[CLS]\nO\n"))
    args = ner.NERDeployArguments("bert", None, path, labels, 64)
    assert (args.downstream_model_labelmap_fpath, args.max_seq_length) == (labels, 64)
    answers = qa.QADeployArguments("bert", None, path, 100, 20)
    assert (answers.max_seq_length, answers.max_query_length) == (100, 20)
    assert classification.ClassificationDeployArguments("bert", None, path).max_seq_length == 128
    with pytest.raises(InputError, match=r"label_map\.txt"):
        ner.NERDeployArguments("bert", None, path)
