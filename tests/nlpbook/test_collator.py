"""Batches and accuracy."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ratsnlp_like import nlpbook
from ratsnlp_like.nlpbook import classification, ner, qa
from ratsnlp_like.nlpbook.metrics import accuracy


def test_accuracy() -> None:
    preds, labels = torch.tensor([1, 2, 3, 2]), torch.tensor([1, 2, 0, 1])
    assert accuracy(preds, labels).item() == 0.5
    assert accuracy(preds, labels, ignore_index=1).item() == 0.5  # of 2 and 0
    assert accuracy(preds, labels, ignore_index=0).item() == pytest.approx(2 / 3)
    assert accuracy(preds, torch.full((4,), -100), ignore_index=-100).item() == 0


def test_data_collator() -> None:
    rows = [
        ner.NERFeatures([2, 5, 3], [1, 1, 1], None, [-100, 4, -100]),
        ner.NERFeatures([2, 3], [1, 1], None, [-100, -100]),
    ]
    batch = nlpbook.data_collator(rows)
    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[2, 5, 3], [2, 3, 0]],
        "attention_mask": [[1, 1, 1], [1, 1, 0]],
        "labels": [[-100, 4, -100], [-100, -100, -100]],
    }
    batch = nlpbook.data_collator([{"input_ids": torch.tensor([1, 2]), "label": 0.5, "note": "글"}] * 2)
    assert batch["input_ids"].tolist() == [[1, 2], [1, 2]]
    assert batch["labels"].tolist() == [0.5, 0.5]
    assert set(batch) == {"input_ids", "labels"}
    batch = nlpbook.data_collator([qa.QAFeatures([1], [1], [0], 3, 4), qa.QAFeatures([1], [1], [0], 5, 6)])
    assert (batch["start_positions"].tolist(), batch["end_positions"].tolist()) == ([3, 5], [4, 6])


def test_logits_do_not_depend_on_padding(root: Path) -> None:
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=2).eval()
    short = classification.ClassificationFeatures([2, 900, 3], [1] * 3, [0] * 3)
    long = classification.ClassificationFeatures([2, *range(900, 920), 3], [1] * 22, [0] * 22)
    with torch.no_grad():
        alone = model(**nlpbook.data_collator([short])).logits[0]
        padded = model(**nlpbook.data_collator([short, long])).logits[0]
    assert torch.allclose(alone, padded, atol=1e-5)
