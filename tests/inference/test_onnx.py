"""Exported models, run by ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import python

from ratsnlp_like.errors import InputError
from ratsnlp_like.export.export import export
from ratsnlp_like.inference import onnx
from ratsnlp_like.inference.predictor import Predictor


@pytest.mark.slow
def test_prediction_imports_neither_torch_nor_transformers(exported: tuple[Path, Path], tmp_path: Path) -> None:
    code = (
        "import sys; from ratsnlp_like import Predictor\n"
        "print(Predictor.from_pretrained(sys.argv[1])(['좋다', '다시는 가지 않겠다'])[0].label)\n"
        "from ratsnlp_like.cli import main\n"
        "assert main(['predict', sys.argv[1], '좋다']) == 0\n"
        "assert main(['predict', sys.argv[1], '--input', sys.argv[2], '--output', sys.argv[3]]) == 0\n"
        "print('LOADED', *({'torch', 'transformers'} & set(sys.modules)))"
    )
    (tmp_path / "texts.csv").write_text("text\n좋다\n싫다\n", encoding="utf-8")
    done = python(code, exported[1], tmp_path / "texts.csv", tmp_path / "predictions.csv")
    assert done.returncode == 0, done.stderr
    label, row, loaded = done.stdout.splitlines()
    assert label == json.loads(row)["label"] == Predictor.from_pretrained(exported[0])("좋다").label
    assert loaded == "LOADED"
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_damaged_folders(exported: tuple[Path, Path], tmp_path: Path) -> None:
    for name, content in (("model.onnx", b"no graph"), ("tokenizer.json", b"{"), ("tokenizer_config.json", b"{")):
        copy = Predictor.from_pretrained(exported[1]).save_pretrained(tmp_path / "copy")
        (copy / name).write_bytes(content)
        with pytest.raises(InputError, match="cannot be loaded"):
            Predictor.from_pretrained(copy)
    with pytest.raises(InputError, match="runs on the CPU"):
        Predictor.from_pretrained(exported[1], device="cuda")
    with pytest.raises(InputError, match="precision of an exported model is fixed"):
        Predictor.from_pretrained(exported[1], precision="bf16")


def test_a_missing_package(exported: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx.importlib.util, "find_spec", lambda name: None)
    for call in (lambda: export(exported[0], output=tmp_path / "x"), lambda: Predictor.from_pretrained(exported[1])):
        with pytest.raises(InputError, match=r'pip install "ratsnlp_like\[onnx\]"'):
            call()


def test_num_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert onnx.num_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(onnx.os, "sched_getaffinity", lambda _: {4, 5}, raising=False)
    assert onnx.num_threads() == 2
