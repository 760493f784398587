"""Export: a graph says what its model said, a certificate tells how closely, and nobody needs torch to ask it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import new_tokenizer, python

from ratsnlp_like.arguments import ModelArguments
from ratsnlp_like.checkpoints import adapters as lora
from ratsnlp_like.cli.main import main
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.export import export as exporting
from ratsnlp_like.export.export import Certificate, export
from ratsnlp_like.inference import onnx as onnx_model
from ratsnlp_like.inference.plain_tokenizer import PlainTokenizer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.runtime.places import default_root
from ratsnlp_like.tasks.question_answering import AnswerPrediction, Candidate
from ratsnlp_like.tasks.similarity import ScorePrediction
from ratsnlp_like.text.tokens import Template

SMALL = {
    "num_hidden_layers": 1,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
LONG = "국물이 시원하고 반찬이 많아서 온 식구가 배불리 먹고 왔는데 주차장이 좁은 것이 하나 아쉬웠다"
CASES: dict[str, tuple[str, str, list[str], list[Any]]] = {
    # task: family, corpus, labels, inputs of several lengths, one of them longer than the window
    "classification": ("bert", "sample-sentiment", ["긍정", "부정"], ["좋다", "다시는 가지 않겠다", LONG]),
    "ner": ("electra", "sample-ner", ["PS", "LC", "OG", "DT", "QT"], ["민수가 서울에 갔다", LONG]),
    "pair": ("bert", "sample-nli", ["모순", "중립", "함의"], [("비가 온다", "날씨가 흐리다"), (LONG, "맛있다")]),
    "similarity": ("roberta", "sample-sts", [], [("방이 넓어요", "방이 크네요"), (LONG, "맛있다")]),
    "question-answering": (
        "roberta",
        "sample-qa",
        [],
        [("누가 갔나", "민수가 서울에 갔다"), ("무엇이 좁은가", 3 * LONG)],
    ),
    "masked-lm": ("bert", "sample-raw", [], ["국물이 [MASK] 시원하다", f"{LONG} [MASK]", "[MASK] 좋고 [MASK] 싸다"]),
}


def model(task: str, folder: Path, **fields: Any) -> Path:
    """A saved model with random weights, which say different things of different texts."""
    from transformers import AutoConfig

    family, corpus, labels, _ = CASES[task]
    tokenizer, kind = new_tokenizer(), TASKS[task](**fields)
    labels = list(CORPORA[corpus].labels(default_root()) or labels)
    config = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        type_vocab_size=1 if family == "roberta" else 2,
        **SMALL,
    )
    kind.configure(config, labels)
    torch.manual_seed(3)
    made = kind.model_class().from_config(config)
    length = 48 if task == "question-answering" else 24
    return Predictor(kind, made, tokenizer, labels, max_length=length, about={"corpus": corpus}).save_pretrained(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A classifier, and what was exported of it."""
    root = tmp_path_factory.mktemp("classifier")
    source = model("classification", root / "model")
    export(source, output=root / "onnx", limit_eval=24)
    return source, root / "onnx"


# Parity


def numbers(predictor: Predictor, inputs: list[Any]) -> list[np.ndarray]:
    """What a model says of each window of its inputs."""
    examples = [predictor.task.example.of(value) for value in inputs]
    features = predictor.task.encode(examples, predictor.tokenizer, None, predictor.max_length)
    return predictor._run(features, 2)


@pytest.mark.parametrize("task", CASES)
def test_a_graph_says_what_its_model_said(task: str, tmp_path: Path) -> None:
    source, inputs = model(task, tmp_path / "model"), CASES[task][3]
    certificate = export(source, output=tmp_path / "onnx", limit_eval=20)
    assert certificate.equal_predictions == 1
    assert 0 < certificate.largest_difference < 1e-3
    assert certificate.examples == 20
    for values in certificate.metrics.values():
        assert values["onnx"] == pytest.approx(values["torch"], rel=1e-4)

    torch_model, graph = Predictor.from_pretrained(source), Predictor.from_pretrained(tmp_path / "onnx")
    assert isinstance(graph.model, onnx_model.Graph)
    if task == "masked-lm":
        blanks = zip(torch_model(inputs), graph(inputs), strict=True)
        for before, after in blanks:
            assert before.text == after.text
            assert [[c.token for c in blank] for blank in before.candidates] == [
                [c.token for c in blank] for blank in after.candidates
            ]
    else:
        said = [numbers(predictor, inputs) for predictor in (torch_model, graph)]
        assert len(said[0]) >= len(inputs)
        for one, other in zip(*said, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, atol=1e-4)
        assert max(np.abs(one - said[0][0].mean()).max() for one in said[0]) > 0.01  # the model is no constant
        for value, prediction in zip(inputs, torch_model(inputs), strict=True):
            assert torch_model.task.agrees(prediction, graph(value))  # alone as in a batch


def test_several_labels(tmp_path: Path) -> None:
    rows = ["text,label", "맛있고 싸다,맛|값", "비싸다,값", "맛없다,맛", "친절하다,", "싸고 맛있다,값|맛", "흔하다,"]
    (tmp_path / "reviews.csv").write_text("\n".join(rows), encoding="utf-8")
    tokenizer, task = new_tokenizer(), TASKS["classification"](multi_label=True)
    source = Predictor.from_pretrained(model("classification", tmp_path / "two", multi_label=True))
    made = Predictor(task, source.model, tokenizer, ["값", "맛"], max_length=24)
    made.save_pretrained(tmp_path / "model")
    certificate = export(
        tmp_path / "model", output=tmp_path / "onnx", corpus=tmp_path / "reviews.csv", label_separator="|"
    )
    assert certificate.examples == 6
    before, after = (Predictor.from_pretrained(tmp_path / name)("맛있고 싸다") for name in ("model", "onnx"))
    assert isinstance(after.label, tuple)
    assert (before.label, after.scores) == (after.label, pytest.approx(before.scores, abs=1e-5))


def test_an_adapter_is_merged(tmp_path: Path) -> None:
    base = model("classification", tmp_path / "base")
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


def test_int8(folders: tuple[Path, Path], tmp_path: Path) -> None:
    certificate = export(folders[0], output=tmp_path / "int8", quantize="int8", max_drop=1, limit_eval=40)
    assert certificate.quantize == "int8"
    assert certificate.bytes["onnx"] < 0.5 * certificate.bytes["torch"]
    assert 1e-4 < certificate.largest_difference < 1
    assert certificate.equal_predictions > 0.7
    said = [Predictor.from_pretrained(folder)("좋다").scores for folder in (folders[0], tmp_path / "int8")]
    assert said[0] == pytest.approx(said[1], abs=0.2)
    assert not list(tmp_path.rglob("*fp32*"))


# The folder


def test_the_folder(folders: tuple[Path, Path]) -> None:
    source, exported = folders
    assert {p.name for p in exported.iterdir()} == {
        *("model.onnx", "config.json", "task.json", "metrics.json", "README.md", "certificate.json"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    certificate = json.loads((exported / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["examples"] == 24
    assert certificate["bytes"] == {
        "torch": (source / "model.safetensors").stat().st_size,
        "onnx": (exported / "model.onnx").stat().st_size,
    }
    f1 = certificate["metrics"]["macro_f1"]
    measured = evaluate(source, corpus="sample-sentiment", limit_eval=24, progress=False)
    assert f1["torch"] == pytest.approx(measured["macro_f1"])
    assert json.loads((exported / "metrics.json").read_text())["test"]["macro_f1"] == f1["onnx"]
    card = (exported / "README.md").read_text(encoding="utf-8")
    assert f"| macro_f1 | {f1['torch']:.4f} | {f1['onnx']:.4f} |" in card
    assert "in 100.00%" in card
    assert "library_name: onnxruntime" in card


def test_the_axes_are_free(folders: tuple[Path, Path]) -> None:
    import onnx

    graph = onnx.load(folders[1] / "model.onnx").graph
    assert {i.name: [d.dim_param for d in i.type.tensor_type.shape.dim] for i in graph.input} == {
        name: ["batch", "length"] for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    fused = [node.op_type for node in graph.node]
    assert fused.count("Gelu") == 1
    assert fused.count("LayerNormalization") == 3


def test_evaluate_and_save_again(folders: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = (evaluate(folder, corpus="sample-sentiment", limit_eval=24, progress=False) for folder in folders)
    assert before.keys() == after.keys()
    assert after["loss"] == pytest.approx(before["loss"], rel=1e-5)
    copied = Predictor.from_pretrained(folders[1]).save_pretrained(tmp_path / "copy")
    assert {p.name for p in copied.iterdir()} == {p.name for p in folders[1].iterdir()}
    assert Predictor.from_pretrained(copied)("좋다") == Predictor.from_pretrained(folders[1])("좋다")


def test_nobody_needs_torch_to_ask(folders: tuple[Path, Path], tmp_path: Path) -> None:
    code = (
        "import sys; from ratsnlp_like import Predictor\n"
        "print(Predictor.from_pretrained(sys.argv[1])(['좋다', '다시는 가지 않겠다'])[0].label)\n"
        "from ratsnlp_like.cli import main\n"
        "assert main(['predict', sys.argv[1], '좋다']) == 0\n"
        "assert main(['predict', sys.argv[1], '--input', sys.argv[2], '--output', sys.argv[3]]) == 0\n"
        "print('LOADED', *({'torch', 'transformers'} & set(sys.modules)))"
    )
    (tmp_path / "texts.csv").write_text("text\n좋다\n싫다\n", encoding="utf-8")
    done = python(code, folders[1], tmp_path / "texts.csv", tmp_path / "said.csv")
    assert done.returncode == 0, done.stderr
    label, row, loaded = done.stdout.splitlines()
    assert label == json.loads(row)["label"] == Predictor.from_pretrained(folders[0])("좋다").label
    assert loaded == "LOADED"
    assert len((tmp_path / "said.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_the_plain_tokenizer_is_the_one_of_transformers(folders: tuple[Path, Path]) -> None:
    plain, theirs = PlainTokenizer(folders[1], {"input_ids", "token_type_ids"}), new_tokenizer()
    assert Template.of(plain) == Template.of(theirs)
    assert plain("비가 온다", "날이 흐리다") == {
        name: theirs("비가 온다", "날이 흐리다")[name] for name in ("input_ids", "token_type_ids")
    }
    assert len(plain) == len(theirs)
    assert sorted(plain.all_special_ids) == sorted(theirs.all_special_ids)
    for name in ("pad_token_id", "mask_token", "mask_token_id", "unk_token_id", "eos_token_id", "special_tokens_map"):
        assert getattr(plain, name) == getattr(theirs, name)
    assert [plain.decode([i]) for i in range(100, 400)] == [theirs.decode([i]) for i in range(100, 400)]


# What is refused


def opposite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs that say the opposite of their models."""
    write = exporting.write_graph

    def wrong(predictor: Predictor, path: Path, quantize: Any = None) -> None:
        with torch.no_grad():
            for sign in (-1, 1):
                predictor.model.classifier.weight.mul_(-1)
                predictor.model.classifier.bias.mul_(-1)
                if sign == -1:
                    write(predictor, path, quantize)

    monkeypatch.setattr(exporting, "write_graph", wrong)


def test_a_model_that_falls_is_not_exported(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opposite(monkeypatch)
    output = tmp_path / "onnx"
    # on its own answers the model is right in all, and its opposite in none
    said = Predictor.from_pretrained(folders[0])
    texts = ["좋다", "싫다", "다시는 가지 않겠다", LONG, "배우가 좋다", "지루하다", "음식이 짜다", "꿀잼"]
    with torch.no_grad():
        said.model.classifier.bias[0] -= float(np.median([raw[0] - raw[1] for raw in numbers(said, texts)]))
    source = said.save_pretrained(tmp_path / "model")
    rows = [f"{text}\t{said(text).label}" for text in texts]
    assert len({row.split("\t")[1] for row in rows}) == 2
    (tmp_path / "own.tsv").write_text("\n".join(["text\tlabel", *rows]), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape("macro_f1 falls from 1.0000 to 0.0000")) as caught:
        export(source, output=output, corpus=tmp_path / "own.tsv")
    assert "0.00% with the same answer" in caught.value.problem
    assert caught.value.fix == "--max_drop 1"
    assert {p.name for p in tmp_path.iterdir()} == {"own.tsv", "model"}
    assert export(source, output=output, corpus=tmp_path / "own.tsv", max_drop=1).equal_predictions == 0

    before = {p.name: p.read_bytes() for p in output.iterdir()}
    with pytest.raises(InputError, match="macro_f1 falls"):
        export(source, output=output, corpus=tmp_path / "own.tsv", overwrite=True)
    assert {p.name: p.read_bytes() for p in output.iterdir()} == before


@pytest.mark.parametrize(
    ("metric", "maximize", "before", "after", "drop"),
    [("macro_f1", True, 0.9, 0.85, 0.05), ("perplexity", False, 20.0, 21.0, 0.05), ("macro_f1", True, 0.8, 0.9, -0.1)],
)
def test_what_a_drop_is(metric: str, maximize: bool, before: float, after: float, drop: float) -> None:
    metrics = {metric: {"torch": before, "onnx": after}}
    certificate = Certificate("a", 1, None, 0.0, 1.0, metrics, {"torch": 1, "onnx": 1})
    assert certificate.drop(metric, maximize=maximize) == pytest.approx(drop)


def test_a_metric_that_is_no_number_is_refused() -> None:
    certificate = Certificate("a", 1, None, 0.0, 1.0, {"pearson": {"torch": 0.5, "onnx": float("nan")}}, {})
    source = Predictor(TASKS["similarity"](), None, None, [])
    with pytest.raises(InputError, match=re.escape("pearson falls from 0.5000 to nan")):
        exporting._check_drop(source, certificate, 0.01)


def test_what_agrees() -> None:
    similarity, answering = TASKS["similarity"](), TASKS["question-answering"]()
    assert similarity.agrees(ScorePrediction(3.0), ScorePrediction(3.05))
    assert not similarity.agrees(ScorePrediction(3.0), ScorePrediction(3.06))
    one = AnswerPrediction("서울", 3, 5, 0.9, (Candidate("서울", 3, 5, 0.9),))
    assert answering.agrees(one, AnswerPrediction("서울", 3, 5, 0.4))
    assert not answering.agrees(one, AnswerPrediction("서울", 7, 9, 0.9))


@pytest.mark.parametrize("task", ["generation", "causal-lm"])
def test_what_writes_has_no_fixed_graph(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = {"format_version": 1, "task": task, "fields": {}, "labels": [], "max_length": 64, "about": {}}
    (tmp_path / "gpt").mkdir()
    (tmp_path / "gpt" / "task.json").write_text(json.dumps(described), encoding="utf-8")
    assert main(["export", str(tmp_path / "gpt"), "--output", str(tmp_path / "onnx")]) == 2
    assert f"a model of {task} writes token after token" in capsys.readouterr().err
    assert not (tmp_path / "onnx").exists()


def test_the_command(folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / "onnx")
    assert main(["export", str(folders[0]), "--to", "onnx", "--output", output, "--limit_eval", "20"]) == 0
    said = capsys.readouterr().out
    assert "Asked about 20 examples (sample-sentiment, split test)" in said
    assert f"ratsnlp-like predict {output}" in said
    assert main(["export", str(folders[0])]) == 2
    assert "missing: --output" in capsys.readouterr().err
    assert main(["export", str(folders[0]), "--output", output, "--to", "tflite"]) == 2
    assert "expected" in capsys.readouterr().err


def test_wrong_requests(folders: tuple[Path, Path], tmp_path: Path) -> None:
    source, exported = folders
    for options, problem in (
        ({"output": exported}, "the folder is not empty"),
        ({"output": source.parent}, "holds the model that is to be exported"),
        ({"output": source / "model.safetensors"}, "is a file"),
        ({"output": tmp_path / "x", "quantize": "int4"}, "'int4'"),
        ({"output": tmp_path / "x", "max_drop": -1.0}, "-1.0"),
        ({"output": tmp_path / "x", "corpus": "sample-sentimen"}, "sample-sentimen"),
        ({"output": tmp_path / "x", "limit_evil": 3}, "unknown option 'limit_evil'"),
    ):
        with pytest.raises(InputError, match=re.escape(problem)):
            export(source, **options)
    with pytest.raises(InputError, match="is an exported model already"):
        export(exported, output=tmp_path / "x")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("비가 왔다", encoding="utf-8")
    with pytest.raises(InputError, match="something else than a model"):
        export(source, output=tmp_path / "notes", overwrite=True)
    assert {p.name for p in tmp_path.rglob("*")} == {"notes", "diary.txt"}


def test_a_missing_package(folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model.importlib.util, "find_spec", lambda name: None)
    for ask in (lambda: export(folders[0], output=tmp_path / "x"), lambda: Predictor.from_pretrained(folders[1])):
        with pytest.raises(InputError, match=r'pip install "ratsnlp_like\[onnx\]"'):
            ask()


def test_broken_folders(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name, content in (("model.onnx", b"no graph"), ("tokenizer.json", b"{"), ("tokenizer_config.json", b"{")):
        copy = Predictor.from_pretrained(folders[1]).save_pretrained(tmp_path / "copy")
        (copy / name).write_bytes(content)
        with pytest.raises(InputError, match="cannot be loaded"):
            Predictor.from_pretrained(copy)
    with pytest.raises(InputError, match="runs on the CPU"):
        Predictor.from_pretrained(folders[1], device="cuda")
    with pytest.raises(InputError, match="numbers are fixed"):
        Predictor.from_pretrained(folders[1], precision="bf16")


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert onnx_model.threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(onnx_model.os, "sched_getaffinity", lambda _: {4, 5}, raising=False)
    assert onnx_model.threads() == 2
