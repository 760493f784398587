"""Rewriting of texts by an encoder-decoder, a task defined outside the package: a text in, a text of a BART out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from helpers import flags, new_tokenizer
from outside import registered, train, write_jsonl
from starlette.testclient import TestClient
from torch import Tensor

from ratsnlp_like import Example, InputError, Predictor, evaluate, fine_tune
from ratsnlp_like.cli.main import main
from ratsnlp_like.export.export import export
from ratsnlp_like.metrics.generation import generation_scores
from ratsnlp_like.runtime.types import Noise, TokenizerLike
from ratsnlp_like.serve import app
from ratsnlp_like.tasks.base import IGNORED, BatchOutput, Task, Window
from ratsnlp_like.tasks.batches import pad, pad_inputs
from ratsnlp_like.tasks.features import Features, LabelledBatch
from ratsnlp_like.tasks.predictions import Prediction, TextView
from ratsnlp_like.training.finetune import FineTuneResult

NAME = "rewriting"


@dataclass(frozen=True)
class TextToText(Example):
    """A text and the text to generate from it."""

    aliases: ClassVar = {"source": ("source", "text", "document"), "target": ("target", "summary")}
    optional: ClassVar = frozenset({"target"})

    source: str = ""
    target: str | None = None


@dataclass(frozen=True)
class RewrittenText(Prediction):
    """The generated text."""

    target: str

    def view(self, example: Example) -> TextView:
        return {"kind": "text", "given": str(example), "texts": [self.target]}


class TargetFeatures(Features):
    """Features with the token ids of the target, special tokens included."""

    labels: Sequence[int]


@dataclass(frozen=True)
class Rewriting(Task[TextToText, RewrittenText, TargetFeatures, LabelledBatch]):
    """A text generated from another one, by cross entropy of its tokens."""

    name: ClassVar[str] = NAME
    description: ClassVar[str] = "a text generated from another one: source, target"
    example: ClassVar[type[Example]] = TextToText
    best_metric: ClassVar[str] = "chrf"
    example_input: ClassVar[tuple[str, ...]] = ("민수가 밥을 먹어요",)
    inference_options: ClassVar[frozenset[str]] = frozenset({"max_new_tokens", "num_beams"})

    max_new_tokens: int = 32
    """Largest number of tokens to generate."""
    num_beams: int = 1
    """Number of beams of beam search; 1: greedy decoding."""

    def model_class(self) -> Any:
        from transformers import AutoModelForSeq2SeqLM

        return AutoModelForSeq2SeqLM

    def check_model(self, config: Any) -> None:
        if not config.is_encoder_decoder:
            raise InputError(f"the checkpoint is a {config.model_type}", expected="an encoder-decoder, such as a BART")

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """Leave the configuration as it is: the outputs are the vocabulary."""

    def encode_inputs(
        self, examples: Sequence[TextToText], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        return self._windows([example.source for example in examples], tokenizer, max_length)

    def encode(
        self, examples: Sequence[TextToText], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[TargetFeatures]:
        sources = self.encode_inputs(examples, tokenizer, max_length)
        targets = self._windows([example.target or "" for example in examples], tokenizer, max_length)
        return [{**s, "labels": t["input_ids"]} for s, t in zip(sources, targets, strict=True)]

    def _windows(self, texts: Sequence[str], tokenizer: TokenizerLike, max_length: int) -> list[Features]:
        capacity = self.capacity(tokenizer, max_length)
        return [
            self.window(tokenizer, ids[:capacity], example=i, lost=max(0, len(ids) - capacity))
            for i, (_, (ids, _)) in enumerate(self.tokenize(texts, tokenizer, offsets=False))
        ]

    def collate(
        self, features: Sequence[TargetFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> LabelledBatch:
        return {**pad_inputs(features, tokenizer), "labels": pad([f["labels"] for f in features], IGNORED)}

    def loss(self, model: Any, batch: LabelledBatch) -> Tensor:
        loss: Tensor = model(**batch).loss
        return loss

    def evaluate_batch(self, model: Any, batch: LabelledBatch) -> BatchOutput:
        targets = int((batch["labels"] != IGNORED).sum())
        return BatchOutput(self.predict_batch(model, batch), self.loss(model, batch), targets)

    def predict_batch(self, model: Any, batch: Any) -> list[list[int]]:
        """Return the ids of the generated texts."""
        ids = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            do_sample=False,
        )
        return [row.tolist() for row in ids]

    def decode(
        self,
        example: TextToText,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> RewrittenText:
        assert tokenizer is not None
        return RewrittenText(tokenizer.decode(windows[0].raw, skip_special_tokens=True))

    def score(
        self, predictions: Sequence[RewrittenText], examples: Sequence[TextToText], labels: Sequence[str]
    ) -> dict[str, Any]:
        """Return chrF, and the share of texts that are exactly the target."""
        scores = generation_scores([[e.target or ""] for e in examples], [p.target for p in predictions])
        exact = [p.target == e.target for p, e in zip(predictions, examples, strict=True)]
        return {"chrf": scores["chrf"], "exact_match": sum(exact) / len(exact)}


SUBJECTS = ("민수가", "지영이가", "동생이", "친구가")
VERBS = (("먹어요", "먹는다"), ("자요", "잔다"), ("웃어요", "웃는다"), ("달려요", "달린다"))
ADVERBS = ("조용히", "빨리", "오래")
ROWS = [(f"{s} {a} {polite}", f"{s} {a} {plain}") for s in SUBJECTS for a in ADVERBS for polite, plain in VERBS]


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(Rewriting):
        yield


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BART of one layer with random weights, and a WordPiece tokenizer."""
    from transformers import BartConfig, BartForConditionalGeneration

    tokenizer = new_tokenizer()
    cls, sep, padding = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
    sizes = {
        f"{part}_{name}": value
        for part in ("encoder", "decoder")
        for name, value in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 64))
    }
    config = BartConfig(
        vocab_size=len(tokenizer), d_model=32, init_std=0.2, max_position_embeddings=64, dropout=0.0, **sizes,
        bos_token_id=cls, eos_token_id=sep, pad_token_id=padding, decoder_start_token_id=sep, forced_eos_token_id=None,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("bart")
    torch.manual_seed(0)
    BartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"source": source, "target": target} for source, target in ROWS]
    return write_jsonl(tmp_path_factory.mktemp("corpus") / "texts.jsonl", rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, corpus: Path, bart: Path) -> FineTuneResult:
    own = {
        "checkpoint": bart,
        "init": "pretrained",
        "config_overrides": {},
        "epochs": 20,
        "batch_size": 4,
        "learning_rate": 5e-3,
    }
    return train(tmp_path_factory.mktemp("run"), NAME, corpus, **own)


@pytest.mark.slow
def test_training_and_evaluation(run: FineTuneResult, corpus: Path) -> None:
    assert run.metrics["chrf"] > 0.8
    metrics = evaluate(run.output, corpus=corpus, split="train", progress=False)
    assert set(metrics) >= {"chrf", "exact_match", "loss"}
    assert metrics["exact_match"] > 0.8


def test_saving_and_loading(run: FineTuneResult) -> None:
    from transformers import AutoModelForSeq2SeqLM

    loaded = Predictor.from_pretrained(run.output, device="cpu")
    assert loaded.task == Rewriting()
    texts = [source for source, _ in ROWS[:5]]
    assert loaded(texts) == run.predictor(texts)
    assert not AutoModelForSeq2SeqLM.from_pretrained(run.best, output_loading_info=True)[1]["missing_keys"]


def test_prediction(run: FineTuneResult) -> None:
    predictions = run.predictor([source for source, _ in ROWS])
    assert sum(p.target == target for p, (_, target) in zip(predictions, ROWS, strict=True)) > 0.8 * len(ROWS)
    assert run.predictor(ROWS[0][0]) == predictions[0]
    assert [run.predictor(source, batch_size=1) for source, _ in ROWS[:5]] == predictions[:5]
    assert len(run.predictor(ROWS[0][0], max_new_tokens=3).target) < len(predictions[0].target)


@pytest.mark.slow
def test_command_line(run: FineTuneResult, bart: Path, corpus: Path, tmp_path: Path, capsys: Any) -> None:
    own = {"checkpoint": bart, "init": None, "config_overrides": None, "max_new_tokens": 8}
    assert main(flags(tmp_path, task=NAME, corpus=corpus, **own)) == 0
    assert "chrf" in capsys.readouterr().out
    assert main(["evaluate", str(run.output), "--corpus", str(corpus), "--num_beams", "2"]) == 0
    assert "exact_match" in capsys.readouterr().out
    source, target = ROWS[0]
    assert main(["predict", str(run.output), source, "--show", "table"]) == 0
    assert target in capsys.readouterr().out
    assert main(["predict", str(run.output), "--input", str(corpus), "--show", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (rows[0]["source"], rows[0]["target"]) == (source, target)


def test_server(run: FineTuneResult) -> None:
    source, target = ROWS[0]
    with TestClient(app(run.predictor), base_url="http://localhost") as client:
        assert client.post("/api", json={"source": source}).json() == {"target": target}
        short = client.post("/api", json={"source": source, "options": {"max_new_tokens": 3}}).json()["target"]
        assert len(short) < len(target)
        assert client.get("/model").json()["streams"] is False


def test_it_cannot_be_exported(run: FineTuneResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not predict in one forward pass"):
        export(run.output, output=tmp_path / "onnx")


def test_a_causal_task_refuses_an_encoder_decoder(bart: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a bart is an encoder-decoder"):
        fine_tune(task="generation", corpus="sample-prompts", checkpoint=bart, output=tmp_path / "run", max_length=32)
