"""Heads of this package, on model types that have none in transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from small_configs import small
from transformers import AutoConfig, AutoModel

from ratsnlp_like.checkpoints.architectures import ARCHITECTURES, has_head
from ratsnlp_like.checkpoints.heads import with_head
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.errors import InputError

CLASSES = {
    "question-answering": "AutoModelForQuestionAnswering",
    "sequence-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}
OWN = [(name, head) for name, facts in ARCHITECTURES.items() for head in sorted(facts.own_heads)]


def test_only_heads_that_transformers_lacks_are_own() -> None:
    assert {name for name, _ in OWN} == {"bart", "gemma3_text", "hyperclovax"}
    assert not [pair for pair in OWN if has_head(*pair)]
    with_transformers = with_head(AutoConfig.for_model("bert"), transformers.AutoModelForTokenClassification)
    assert with_transformers is transformers.AutoModelForTokenClassification
    with pytest.raises(InputError, match="transformers has no AutoModelForTokenClassification for mamba"):
        with_head(AutoConfig.for_model("mamba"), transformers.AutoModelForTokenClassification)


@pytest.mark.slow
@pytest.mark.parametrize(("model_type", "head"), OWN)
def test_a_head_is_trained_saved_and_loaded(model_type: str, head: str, tmp_path: Path) -> None:
    config = small(model_type)
    config.num_labels = 2 if head == "question-answering" else 3
    auto = getattr(transformers, CLASSES[head])
    torch.manual_seed(0)
    model = load_model("unused", config, auto, vocabulary=99, init="random")
    ids, mask = torch.tensor([[5, 6, 7, 8], [5, 6, 1, 1]]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    logits = _logits(model, ids, mask)
    assert logits.shape == {"sequence-classification": (2, 3), "token-classification": (2, 4, 3)}.get(head, (2, 4, 2))
    logits.sum().backward()
    assert all(p.grad is not None for name, p in model.named_parameters() if name.startswith(("score", "qa_outputs")))
    with torch.no_grad():
        expected = _logits(model.eval(), ids, mask)
    model.save_pretrained(tmp_path)
    again = load_model(tmp_path, AutoConfig.from_pretrained(tmp_path), auto, vocabulary=99, complete=True).eval()
    with torch.no_grad():
        assert torch.equal(_logits(again, ids, mask), expected)
    body, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert all(key.startswith(("score", "qa_outputs")) for key in info["unexpected_keys"])
    with torch.no_grad():
        assert torch.equal(body.eval()(ids).last_hidden_state, again.model(ids).last_hidden_state)


def _logits(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    output = model(input_ids=ids, attention_mask=mask)
    return output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits], dim=2)
