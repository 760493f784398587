"""LoRA: what learns, what is saved, and that an adapter, the merged model and the model in memory say the same."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import CHECKPOINT, command, job, new_tokenizer, weights
from safetensors.torch import load_file

from ratsnlp_like.arguments import ModelArguments
from ratsnlp_like.checkpoints import adapters as lora
from ratsnlp_like.checkpoints.base import resolve
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune

SMALL = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
GPT = {"n_layer": 2, "n_embd": 32, "n_head": 2, "n_positions": 64}
TASKS = {
    "classification": "좋은 영화였다",
    "ner": "민수가 서울에 갔다",
    "pair": ("비가 온다", "날씨가 흐리다"),
    "similarity": ("비가 온다", "날씨가 흐리다"),
    "question-answering": ("누가 갔나", "민수가 서울에 갔다"),
    "masked-lm": "날씨가 [MASK] 좋다",
}
CORPUS = {
    "classification": "sample-sentiment",
    "ner": "sample-ner",
    "pair": "sample-nli",
    "similarity": "sample-sts",
    "question-answering": "sample-qa",
    "masked-lm": "sample-raw",
}


def checkpoint(folder: Path, kind: str) -> Path:
    """A folder with small random weights of a family, and the bundled tokenizer."""
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM

    torch.manual_seed(3)
    tokenizer = new_tokenizer()
    own = GPT if kind == "gpt2" else SMALL | ({"embedding_size": 16} if kind == "electra" else {})
    special = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": None, "eos_token_id": None}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **own, **special)
    heads = {"bert": AutoModelForMaskedLM, "gpt2": AutoModelForCausalLM}
    heads.get(kind, AutoModel).from_config(config).save_pretrained(folder)
    if kind == "gpt2":
        tokenizer = Predictor.from_pretrained("ko-tiny-gpt").tokenizer
        config.vocab_size = len(tokenizer)
        config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def options(tmp_path: Path, base: Path | str, **changes: Any) -> dict[str, Any]:
    own = {"checkpoint": base, "init": "pretrained", "config_overrides": {}, "lora": True, "learning_rate": 1e-2}
    return job(tmp_path, **own | {"max_length": 64, "eval_batch_size": 8} | changes)


def base_of(kind: str) -> dict[str, torch.Tensor]:
    return weights(Path(resolve(kind)))


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("task", TASKS)
def test_adapter_merged_and_memory_say_the_same(tmp_path: Path, task: str) -> None:
    """And the weights of the checkpoint are as they were, in all of them."""
    base = checkpoint(tmp_path / "base", "bert")
    result = fine_tune(**options(tmp_path, base, task=task, corpus=CORPUS[task]))
    saved = Predictor.from_pretrained(result.best)
    whole = saved.merged()
    folder = whole.save_pretrained(tmp_path / "whole")
    again = Predictor.from_pretrained(folder)
    inputs = [TASKS[task]]
    rows = [list(saved.task.to_row(p(inputs)[0]).items()) for p in (result.predictor, saved, whole, again)]
    for other in rows[1:]:
        assert re.sub(r"(\.\d{4})\d+", r"\1", str(other)) == re.sub(r"(\.\d{4})\d+", r"\1", str(rows[0]))
    batch = {"input_ids": torch.tensor([[2, 90, 91, 92, 3]]), "attention_mask": torch.ones(1, 5, dtype=torch.long)}
    with torch.inference_mode():
        logits = [p.model(**batch)[0] for p in (result.predictor, saved, whole, again)]
    for got in logits[1:]:
        assert torch.allclose(got, logits[0], atol=1e-5)
    assert (result.best / "adapter_config.json").exists()
    assert not (result.best / "model.safetensors").exists()
    assert (folder / "model.safetensors").exists()
    assert not (folder / "adapter_config.json").exists()
    kept, before = weights(folder), weights(base)
    same = [name for name in before if name in kept and torch.equal(before[name], kept[name])]
    assert any("embeddings.word_embeddings" in name for name in same)
    assert any(".key.weight" in name for name in same)
    changed = [name for name in before if name in kept and name not in same]
    assert changed
    assert all(name.endswith(("query.weight", "value.weight")) for name in changed)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["roberta", "electra", "gpt2"])
def test_families(tmp_path: Path, kind: str) -> None:
    base = checkpoint(tmp_path / "base", kind)
    task = "generation" if kind == "gpt2" else "classification"
    corpus = "sample-prompts" if kind == "gpt2" else "sample-sentiment"
    result = fine_tune(**options(tmp_path, base, task=task, corpus=corpus, lora_merge=True))
    assert (result.best / "model.safetensors").exists()
    adapter = Predictor.from_pretrained(result.output / "last")
    assert lora.has_adapter(adapter.model)
    assert not lora.has_adapter(result.predictor.model)
    ids = torch.tensor([[2, 90, 91, 92, 3]])
    with torch.inference_mode():
        assert torch.allclose(adapter.model(ids)[0], result.predictor.model(ids)[0], atol=1e-5)


def test_what_learns() -> None:
    """Adapters, the head, and the pooler that no masked language model brings: the count is exact."""
    from transformers import AutoModelForSequenceClassification, BertConfig

    model = AutoModelForSequenceClassification.from_config(BertConfig(vocab_size=50, num_labels=3, **SMALL))
    count = lora.add(model, ModelArguments(lora=True, lora_rank=4), "some/checkpoint")
    adapters = 2 * 2 * (32 * 4 + 4 * 32)  # two layers, query and value
    assert count == adapters + (32 * 32 + 32) + (32 * 3 + 3)


@pytest.mark.slow
def test_a_head_is_saved_with_the_adapter(tmp_path: Path) -> None:
    result = fine_tune(**options(tmp_path, checkpoint(tmp_path / "base", "bert")))
    names = load_file(result.best / "adapter_model.safetensors")
    heads = {name for name in names if "lora" not in name}
    assert {name.removeprefix("base_model.model.") for name in heads} == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    }


@pytest.mark.slow
def test_peft_opens_the_adapter(tmp_path: Path) -> None:
    """The folder is peft's own format: no need of this package."""
    from peft import PeftModel
    from transformers import AutoConfig, AutoModelForSequenceClassification

    base = checkpoint(tmp_path / "base", "bert")
    result = fine_tune(**options(tmp_path, base))
    plain = AutoModelForSequenceClassification.from_pretrained(
        base, config=AutoConfig.from_pretrained(result.best), dtype=torch.float32
    )
    opened = PeftModel.from_pretrained(plain, str(result.best)).eval()
    ids = torch.tensor([[2, 90, 91, 92, 3]])
    with torch.inference_mode():
        assert torch.allclose(opened(ids).logits, result.predictor.model(ids).logits, atol=1e-6)


@pytest.mark.slow
def test_evaluate_from_either(tmp_path: Path) -> None:
    result = fine_tune(**options(tmp_path, checkpoint(tmp_path / "base", "bert")))
    whole = Predictor.from_pretrained(result.best).merged().save_pretrained(tmp_path / "whole")
    one, other = (
        evaluate(f, corpus="sample-sentiment", cache_dir=tmp_path / "cache", limit_eval=24, progress=False)
        for f in (result.output, whole)
    )
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-5)
    assert one["accuracy"] == other["accuracy"] == result.test_metrics["accuracy"]  # type: ignore[index]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path) -> None:
    base = checkpoint(tmp_path / "base", "bert")
    fine_tune(**options(tmp_path / "b", base, epochs=2, max_steps=6, schedule="constant", warmup=0, keep_state=True))
    straight = fine_tune(**options(tmp_path / "c", base, epochs=2, max_steps=12, schedule="constant", warmup=0))
    resumed = fine_tune(
        **options(tmp_path / "b", base, epochs=2, max_steps=12, schedule="constant", warmup=0), resume=True
    )
    assert resumed.metrics == straight.metrics
    ours, theirs = (load_file(r.output / "last" / "adapter_model.safetensors") for r in (resumed, straight))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


class TestRefusals:
    def test_layers_that_are_not_there(self, tmp_path: Path) -> None:
        base = checkpoint(tmp_path / "base", "bert")
        with pytest.raises(InputError) as raised:
            fine_tune(**options(tmp_path, base, lora_targets=("q_proj",)))
        assert "no layer of this bert is called 'q_proj'" in str(raised.value)
        assert "classifier, decoder, dense" in str(raised.value) or "query" in str(raised.value)
        assert "--lora_targets" in str(raised.value)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"lora": True, "freeze": 1}, "--freeze and --lora"),
            ({"lora": True, "init": "random"}, "--lora and --init random"),
            ({"lora_rank": 4}, "--lora_rank without --lora"),
            ({"lora_targets": ("query",)}, "--lora_targets without --lora"),
            ({"lora": True, "lora_rank": 0}, "--lora_rank"),
            ({"lora": True, "lora_dropout": 1.5}, "--lora_dropout"),
        ],
    )
    def test_contradictions(self, changes: dict[str, Any], expected: str) -> None:
        with pytest.raises(InputError) as raised:
            ModelArguments(**changes)
        assert expected in str(raised.value)

    def test_peft_is_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        found = lora.importlib.util.find_spec
        monkeypatch.setattr(lora.importlib.util, "find_spec", lambda name: None if name == "peft" else found(name))
        with pytest.raises(InputError) as raised:
            fine_tune(**options(tmp_path, "ko-tiny-bert"))
        assert 'pip install "ratsnlp_like[lora]"' in str(raised.value)

    @pytest.mark.slow
    def test_the_checkpoint_has_gone(self, tmp_path: Path) -> None:
        base = checkpoint(tmp_path / "base", "bert")
        result = fine_tune(**options(tmp_path, base))
        shutil.rmtree(base)
        with pytest.raises(InputError) as raised:
            Predictor.from_pretrained(result.best)
        assert "the checkpoint of this adapter cannot be loaded" in str(raised.value)
        assert str(base) in str(raised.value)

    @pytest.mark.slow
    def test_another_checkpoint(self, tmp_path: Path) -> None:
        result = fine_tune(**options(tmp_path, checkpoint(tmp_path / "base", "bert")))
        path = result.best / "adapter_config.json"
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"base_model_name_or_path": str(checkpoint(tmp_path / "e", "electra"))}))
        with pytest.raises(InputError) as raised:
            Predictor.from_pretrained(result.best)
        assert str(tmp_path) in str(raised.value)

    @pytest.mark.slow
    def test_an_adapter_is_no_checkpoint(self, tmp_path: Path) -> None:
        result = fine_tune(**options(tmp_path, checkpoint(tmp_path / "base", "bert")))
        with pytest.raises(InputError) as raised:
            fine_tune(**options(tmp_path / "other", result.best))
        assert "contains a LoRA adapter" in str(raised.value)


@pytest.mark.slow
def test_a_switch_alone_is_on(tmp_path: Path) -> None:
    """`--lora` as well as `--lora true`; what follows is the next flag."""
    shown = command(
        [
            *("train", "--task", "classification", "--corpus", "sample-sentiment", "--checkpoint", CHECKPOINT),
            *("--output", tmp_path / "run", "--lora", "--lora-targets", "query,value", "--freeze", 1),
        ]
    )
    assert shown.returncode == 2
    assert "--freeze and --lora" in shown.stderr
