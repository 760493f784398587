"""Arguments: defaults, validation, loading, seeds and logging."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import write
from nlpbook_helpers import lightning_checkpoint

from ratsnlp_like import nlpbook
from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import classification, generation, ner, qa

SHARED = {
    "downstream_corpus_root_dir": "/content/Korpora",
    "save_top_k": 1,
    "monitor": "min val_loss",
    "seed": None,
    "overwrite_cache": False,
    "force_download": False,
    "test_mode": False,
    "fp16": False,
    "learning_rate": 5e-5,
    "epochs": 3,
    "tpu_cores": 0,
}
DRIVE = "/gdrive/My Drive/nlpbook/checkpoint-"


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (
            classification.ClassificationTrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_task_name": "document-classification",
                "downstream_corpus_name": None,
                "downstream_model_dir": None,
                "max_seq_length": 128,
                "batch_size": 32,
            },
        ),
        (
            ner.NERTrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_task_name": "named-entity-recognition",
                "downstream_corpus_name": "ner",
                "downstream_model_dir": DRIVE + "ner",
                "max_seq_length": 128,
                "batch_size": 32,
            },
        ),
        (
            qa.QATrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_corpus_name": "korquad-v1",
                "downstream_model_dir": DRIVE + "qa",
                "max_seq_length": 128,
                "batch_size": 32,
                "doc_stride": 64,
                "max_query_length": 32,
                "threads": 4,
                "tqdm_enabled": True,
            },
        ),
        (
            generation.GenerationTrainArguments,
            {
                "pretrained_model_name": "kogpt2",
                "downstream_task_name": "sentence-generation",
                "downstream_corpus_name": "nsmc",
                "downstream_model_dir": DRIVE + "generation",
                "max_seq_length": 32,
                "batch_size": 96,
            },
        ),
    ],
)
def test_defaults(kind: Any, own: dict[str, Any]) -> None:
    import os

    assert vars(kind()) == SHARED | own | {"cpu_workers": os.cpu_count()}


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"learning_rate": "1e-5"}, {"max_seq_length": 0}, {"monitor": "val_loss"}]
)
def test_invalid_arguments_are_input_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        classification.ClassificationTrainArguments(**wrong)


def test_load_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.json", '{"learning_rate": "1e-5", "epochs": 5, "fp16": true, "seed": null}')
    expected = classification.ClassificationTrainArguments(learning_rate=1e-5, epochs=5, fp16=True)
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments, json_file_path=str(path)) == expected
    monkeypatch.setattr(sys, "argv", ["run.py", str(path)])
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments) == expected
    monkeypatch.setattr(sys, "argv", ["run.py", "--learning_rate", "1e-5", "--epochs", "5", "--fp16"])
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments) == expected
    checkpoint = lightning_checkpoint(tmp_path / "x.ckpt", 0.1)
    named = write(tmp_path / "c.json", json.dumps({"downstream_model_dir": str(tmp_path), "max_seq_length": "64"}))
    args = nlpbook.load_arguments(qa.QADeployArguments, named)
    assert (args.downstream_model_checkpoint_fpath, args.max_seq_length) == (str(checkpoint), 64)
    with pytest.raises(InputError, match="JSON list"):
        nlpbook.load_arguments(classification.ClassificationTrainArguments, write(tmp_path / "b.json", "[]"))


def test_set_seed(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = []
    for _ in range(2):
        nlpbook.set_seed(qa.QATrainArguments(seed=7))
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1]
    nlpbook.set_seed(qa.QATrainArguments())
    assert capsys.readouterr().out == "set seed: 7\nset seed: 7\nnot fixed seed\n"


def test_set_logger_logs_the_arguments(caplog: pytest.LogCaptureFixture) -> None:
    nlpbook.set_logger(qa.QATrainArguments(epochs=9))
    (record,) = [record for record in caplog.records if record.name == "ratsnlp"]
    assert "epochs=9" in record.message
