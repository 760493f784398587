"""Export: predictions equal those of the model, the files of the folder, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import new_tokenizer
from saved_models import INPUTS, LONG, save_random_model

from ratsnlp_like.arguments import ModelArguments
from ratsnlp_like.checkpoints import adapters as lora
from ratsnlp_like.cli.main import main
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.export import export as export_module
from ratsnlp_like.export.export import export
from ratsnlp_like.inference.onnx import OnnxModel
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS


def raw_outputs(predictor: Predictor, inputs: list[Any]) -> list[np.ndarray]:
    """Return the raw output for each window of the inputs."""
    examples = [predictor.task.example.of(value) for value in inputs]
    features = predictor.task.encode_inputs(examples, predictor.tokenizer, predictor.max_length)
    return predictor.raw_outputs(features, batch_size=2)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("task", INPUTS)
def test_export_of_each_task_equals_its_model(task: str, tmp_path: Path) -> None:
    source, inputs = save_random_model(task, tmp_path / "model"), INPUTS[task]
    certificate = export(source, output=tmp_path / "onnx", limit_eval=20)
    assert certificate.equal_predictions == 1
    assert 0 < certificate.largest_difference < 1e-3
    assert certificate.examples == 20
    for values in certificate.metrics.values():
        assert values["onnx"] == pytest.approx(values["torch"], rel=1e-4)

    original, graph = Predictor.from_pretrained(source), Predictor.from_pretrained(tmp_path / "onnx")
    assert isinstance(graph.model, OnnxModel)
    if task == "masked-lm":
        blanks = zip(original(inputs), graph(inputs), strict=True)
        for before, after in blanks:
            assert before.text == after.text
            assert [[c.token for c in blank] for blank in before.candidates] == [
                [c.token for c in blank] for blank in after.candidates
            ]
    else:
        outputs = [raw_outputs(predictor, inputs) for predictor in (original, graph)]
        assert len(outputs[0]) >= len(inputs)
        for one, other in zip(*outputs, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, atol=1e-4)
        assert max(np.abs(one - outputs[0][0].mean()).max() for one in outputs[0]) > 0.01  # the model is no constant
        for value, prediction in zip(inputs, original(inputs), strict=True):
            assert original.task.agrees(prediction, graph(value))  # in a batch of one as in a larger one


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_model_with_several_labels(tmp_path: Path) -> None:
    rows = ["text,label", "맛있고 싸다,맛|값", "비싸다,값", "맛없다,맛", "친절하다,", "싸고 맛있다,값|맛", "흔하다,"]
    (tmp_path / "reviews.csv").write_text("\n".join(rows), encoding="utf-8")
    tokenizer, task = new_tokenizer(), TASKS["classification"](multi_label=True)
    source = Predictor.from_pretrained(save_random_model("classification", tmp_path / "two", multi_label=True))
    task.configure(source.model.config, ["값", "맛"])
    predictor = Predictor(task, source.model, tokenizer, ["값", "맛"], max_length=24)
    predictor.save_pretrained(tmp_path / "model")
    certificate = export(
        tmp_path / "model", output=tmp_path / "onnx", corpus=tmp_path / "reviews.csv", label_separator="|"
    )
    assert certificate.examples == 6
    before, after = (Predictor.from_pretrained(tmp_path / name)("맛있고 싸다") for name in ("model", "onnx"))
    assert isinstance(after.label, tuple)
    assert (before.label, after.scores) == (after.label, pytest.approx(before.scores, abs=1e-5))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_lora_adapter_is_merged(tmp_path: Path) -> None:
    base = save_random_model("classification", tmp_path / "base")
    source = Predictor.from_pretrained(base)
    lora.add(source.model, ModelArguments(lora=True), str(base))
    with torch.no_grad():
        for name, parameter in source.model.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.1)
    source.save_pretrained(tmp_path / "adapter")
    assert lora.is_adapter(tmp_path / "adapter")
    assert export(tmp_path / "adapter", output=tmp_path / "onnx", limit_eval=20).equal_predictions == 1
    adapted, whole, graph = (Predictor.from_pretrained(tmp_path / name)("좋다") for name in ("adapter", "base", "onnx"))
    assert graph.scores == pytest.approx(adapted.scores, abs=1e-5)
    assert graph.scores != pytest.approx(whole.scores, abs=1e-3)


@pytest.mark.slow
def test_int8(exported: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = export(exported[0], output=tmp_path / "int8", quantize="int8", max_drop=1, limit_eval=40)
    assert certificate.quantize == "int8"
    assert certificate.bytes["onnx"] < 0.5 * certificate.bytes["torch"]
    assert 1e-4 < certificate.largest_difference < 1
    assert certificate.equal_predictions > 0.7
    scores = [Predictor.from_pretrained(folder)("좋다").scores for folder in (exported[0], tmp_path / "int8")]
    assert scores[0] == pytest.approx(scores[1], abs=0.2)
    assert not list(tmp_path.rglob("*fp32*"))


@pytest.mark.slow
def test_files_of_the_folder(exported: tuple[Path, Path]) -> None:
    source, folder = exported
    assert {p.name for p in folder.iterdir()} == {
        *("model.onnx", "config.json", "task.json", "metrics.json", "README.md", "certificate.json"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["examples"] == 24
    assert certificate["bytes"] == {
        "torch": (source / "model.safetensors").stat().st_size,
        "onnx": (folder / "model.onnx").stat().st_size,
    }
    f1 = certificate["metrics"]["macro_f1"]
    measured = evaluate(source, corpus="sample-sentiment", limit_eval=24, progress=False)
    assert f1["torch"] == pytest.approx(measured["macro_f1"])
    assert json.loads((folder / "metrics.json").read_text())["test"]["macro_f1"] == f1["onnx"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"| macro_f1 | {f1['torch']:.4f} | {f1['onnx']:.4f} |" in card
    assert "100.00% of the predictions" in card
    assert "library_name: onnxruntime" in card


def test_batch_size_and_length_are_free(exported: tuple[Path, Path]) -> None:
    import onnx

    graph = onnx.load(exported[1] / "model.onnx").graph
    assert {i.name: [d.dim_param for d in i.type.tensor_type.shape.dim] for i in graph.input} == {
        name: ["batch", "length"] for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    fused = [node.op_type for node in graph.node]
    assert fused.count("Gelu") == 1
    assert fused.count("LayerNormalization") == 3


@pytest.mark.slow
def test_an_exported_model_is_evaluated_and_saved(exported: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = (evaluate(folder, corpus="sample-sentiment", limit_eval=24, progress=False) for folder in exported)
    assert before.keys() == after.keys()
    assert after["loss"] == pytest.approx(before["loss"], rel=1e-5)
    copied = Predictor.from_pretrained(exported[1]).save_pretrained(tmp_path / "copy")
    assert {p.name for p in copied.iterdir()} == {p.name for p in exported[1].iterdir()}
    assert Predictor.from_pretrained(copied)("좋다") == Predictor.from_pretrained(exported[1])("좋다")


def invert_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exported models predict the opposite of their models."""
    write = export_module.write_graph

    def wrong(predictor: Predictor, path: Path, quantize: Any = None) -> None:
        with torch.no_grad():
            for sign in (-1, 1):
                predictor.model.classifier.weight.mul_(-1)
                predictor.model.classifier.bias.mul_(-1)
                if sign == -1:
                    write(predictor, path, quantize)

    monkeypatch.setattr(export_module, "write_graph", wrong)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_model_whose_metric_drops_is_not_exported(
    exported: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invert_exports(monkeypatch)
    output = tmp_path / "onnx"
    # gold labels are the predictions of the model: it is right on all rows, its opposite on none
    predictor = Predictor.from_pretrained(exported[0])
    texts = ["좋다", "싫다", "다시는 가지 않겠다", LONG, "배우가 좋다", "지루하다", "음식이 짜다", "꿀잼"]
    with torch.no_grad():
        predictor.model.classifier.bias[0] -= float(
            np.median([raw[0] - raw[1] for raw in raw_outputs(predictor, texts)])
        )
    source = predictor.save_pretrained(tmp_path / "model")
    rows = [f"{text}\t{predictor(text).label}" for text in texts]
    assert len({row.split("\t")[1] for row in rows}) == 2
    (tmp_path / "own.tsv").write_text("\n".join(["text\tlabel", *rows]), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape("macro_f1 falls from 1.0000 to 0.0000")) as caught:
        export(source, output=output, corpus=tmp_path / "own.tsv")
    assert "0.00% with the same prediction" in caught.value.problem
    assert caught.value.fix == "--max_drop 1"
    assert {p.name for p in tmp_path.iterdir()} == {"own.tsv", "model"}
    assert export(source, output=output, corpus=tmp_path / "own.tsv", max_drop=1).equal_predictions == 0

    before = {p.name: p.read_bytes() for p in output.iterdir()}
    with pytest.raises(InputError, match="macro_f1 falls"):
        export(source, output=output, corpus=tmp_path / "own.tsv", overwrite=True)
    assert {p.name: p.read_bytes() for p in output.iterdir()} == before


@pytest.mark.parametrize("task", ["generation", "causal-lm"])
def test_generation_cannot_be_exported(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = {"format_version": 1, "task": task, "fields": {}, "labels": [], "max_length": 64, "about": {}}
    (tmp_path / "gpt").mkdir()
    (tmp_path / "gpt" / "task.json").write_text(json.dumps(described), encoding="utf-8")
    assert main(["export", str(tmp_path / "gpt"), "--output", str(tmp_path / "onnx")]) == 2
    assert f"{task} does not predict in one forward pass" in capsys.readouterr().err
    assert not (tmp_path / "onnx").exists()


@pytest.mark.slow
def test_command_line(exported: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / "onnx")
    assert main(["export", str(exported[0]), "--to", "onnx", "--output", output, "--limit_eval", "20"]) == 0
    printed = capsys.readouterr().out
    assert "On 20 examples (sample-sentiment, split test)" in printed
    assert f"ratsnlp-like predict {output}" in printed
    assert main(["export", str(exported[0])]) == 2
    assert "missing: --output" in capsys.readouterr().err
    assert main(["export", str(exported[0]), "--output", output, "--to", "tflite"]) == 2
    assert "expected" in capsys.readouterr().err


def test_a_folder_that_another_process_has_filled_meanwhile(
    exported: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certify = export_module.certify

    def late(*models: Any, **options: Any) -> Any:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "task.json").write_text("of another export", encoding="utf-8")
        return certify(*models, **options)

    monkeypatch.setattr(export_module, "certify", late)
    with pytest.raises(InputError, match="the folder is not empty"):
        export(exported[0], output=tmp_path / "out", limit_eval=4)
    assert {p.name for p in tmp_path.rglob("*")} == {"out", "task.json"}
    assert (tmp_path / "out" / "task.json").read_text(encoding="utf-8") == "of another export"


def test_invalid_arguments(exported: tuple[Path, Path], tmp_path: Path) -> None:
    source, folder = exported
    for options, problem in (
        ({"output": folder}, "the folder is not empty"),
        ({"output": source.parent}, "contains the model to export"),
        ({"output": source / "model.safetensors"}, "is a file"),
        ({"output": tmp_path / "x", "quantize": "int4"}, "'int4'"),
        ({"output": tmp_path / "x", "max_drop": -1.0}, "-1.0"),
        ({"output": tmp_path / "x", "corpus": "sample-sentimen"}, "sample-sentimen"),
        ({"output": tmp_path / "x", "limit_evil": 3}, "unknown option 'limit_evil'"),
    ):
        with pytest.raises(InputError, match=re.escape(problem)):
            export(source, **options)
    with pytest.raises(InputError, match="is already an exported model"):
        export(folder, output=tmp_path / "x")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("비가 왔다", encoding="utf-8")
    with pytest.raises(InputError, match="something else than a model"):
        export(source, output=tmp_path / "notes", overwrite=True)
    assert {p.name for p in tmp_path.rglob("*")} == {"notes", "diary.txt"}
