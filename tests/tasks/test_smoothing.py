"""Label smoothing: the losses of torch, evaluation that stays as it is, tasks that refuse it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import command
from helpers_language_models import MODELS, batch_for, everywhere, model
from torch.nn import functional as F

from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import IGNORED
from ratsnlp_like.training.job import Job


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_language_models(name: str, tiny_tokenizer: Any, tiny_bpe_tokenizer: Any) -> None:
    made, batch = model(name), batch_for(name, tiny_bpe_tokenizer if name == "gpt2" else tiny_tokenizer)
    kind = type(MODELS[name])
    logits = made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    flat = logits.view(-1, logits.shape[-1])
    expected = F.cross_entropy(flat, everywhere(batch), label_smoothing=0.2)
    loss = kind(label_smoothing=0.2).loss(made, batch)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    with torch.inference_mode():
        plain, smoothed = (kind(label_smoothing=share).evaluate_batch(made, batch) for share in (0.0, 0.2))
    assert float(smoothed.loss) == float(plain.loss)  # perplexity is that of the text


def test_tokens() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 5), torch.tensor([[1, 4, IGNORED], [0, IGNORED, IGNORED]])
    outputs: Any = type("Outputs", (), {"logits": logits})
    loss = TASKS["ner"](label_smoothing=0.1).compute_loss(outputs, {"labels": labels})
    expected = F.cross_entropy(logits.view(-1, 5), labels.view(-1), label_smoothing=0.1)
    assert float(loss) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("task", "reason"), [("similarity", "a number, not a class"), ("question-answering", "positions in a text")]
)
def test_tasks_without_classes_refuse_it(task: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Job.of(task, "a.csv", "ko-blank-bert", {"label_smoothing": 0.1})


@pytest.mark.slow
def test_the_command_states_the_reason() -> None:
    done = command(["train", "--task", "similarity", "--corpus", "a.csv", "--label-smoothing", "0.1"])
    assert (done.returncode, done.stderr) == (
        2,
        "error: --label_smoothing with the task similarity: its target is a number, not a class\n"
        "  fix: leave out --label_smoothing\n",
    )
