"""Behaviour of transformers 4 for the book's notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from nlpbook_helpers import deployed, deployed_from, lightning_checkpoint
from transformers import BertTokenizer, PreTrainedTokenizerBase

from ratsnlp_like.nlpbook import classification, qa
from ratsnlp_like.nlpbook.compatibility import encode_plus


def test_a_checkpoint_of_transformers_4(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import BertConfig, BertForSequenceClassification, GPT2LMHeadModel, PreTrainedModel

    config = BertConfig.from_pretrained(str(root / "bert"), num_labels=2)
    old = {f"model.{name}": value for name, value in BertForSequenceClassification(config).state_dict().items()}
    old["model.bert.embeddings.position_ids"] = torch.arange(512).expand((1, -1))
    lightning_checkpoint(tmp_path / "epoch=0-val_loss=0.40.ckpt", 0.4, state=old)
    with pytest.raises(RuntimeError, match="position_ids"):
        deployed_from(old, BertForSequenceClassification(config))
    try:
        args = classification.ClassificationDeployArguments(str(root / "bert"), str(tmp_path))
        deployed(args, BertForSequenceClassification)
        gpt = GPT2LMHeadModel.from_pretrained(str(root / "gpt"))
        state = {f"model.{name}": value for name, value in gpt.state_dict().items()}
        state |= {
            "model.transformer.h.0.attn.bias": torch.ones(1),
            "model.transformer.h.0.attn.masked_bias": torch.ones(1),
        }
        deployed_from(state, gpt)
        with pytest.raises(RuntimeError, match=r"classifier\.bias"):  # missing weights are still reported
            deployed_from(
                {k: v for k, v in old.items() if "classifier" not in k}, BertForSequenceClassification(config)
            )
    finally:
        del PreTrainedModel.load_state_dict


@pytest.mark.skipif(hasattr(PreTrainedTokenizerBase, "encode_plus"), reason="this version has encode_plus")
def test_encode_plus_exists_for_tokenizers_of_the_notebook_alone(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "bert", tmp_path / "other")
    notebook, other = (
        BertTokenizer.from_pretrained(str(folder), do_lower_case=False)
        for folder in (root / "bert", tmp_path / "other")
    )
    path = str(lightning_checkpoint(tmp_path / "x.ckpt", 0.1))
    qa.QADeployArguments(str(root / "bert"), None, path)
    assert notebook.encode_plus("영화", "좋다").input_ids == notebook("영화", "좋다").input_ids
    for missing in (other, BertTokenizer, PreTrainedTokenizerBase):
        with pytest.raises(AttributeError):
            missing.encode_plus  # noqa: B018
    assert notebook.mask_token == "[MASK]"  # other missing attributes are looked up as before


@pytest.mark.skipif(hasattr(PreTrainedTokenizerBase, "encode_plus"), reason="this version has encode_plus")
def test_encode_plus_of_ids_equals_the_encoding_of_the_text(root: Path) -> None:
    """The question answering notebook encodes question ids and a context text."""
    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    question, context = "배우들 연기가 좋았나요?", "이 영화는 배우들의 연기가 정말 좋았다."
    ids = tokenizer.encode(question, add_special_tokens=False)
    assert tokenizer.unk_token_id not in ids
    for options in (
        {},
        {"truncation": "only_second", "padding": "max_length", "max_length": 16},
        {"truncation": True, "max_length": 13},
        {"truncation": "only_first", "max_length": 19},
        {"padding": "max_length", "max_length": 64, "return_tensors": "pt"},
    ):
        expected = tokenizer(question, context, return_token_type_ids=True, **options)
        for first in (ids, tokenizer.convert_ids_to_tokens(ids)):
            encoded = encode_plus(tokenizer, first, context, return_token_type_ids=True, **options)
            assert set(encoded) == set(expected)
            for name, values in expected.items():
                assert torch.equal(torch.as_tensor(encoded[name]), torch.as_tensor(values)), (name, options)
    assert encode_plus(tokenizer, ids).input_ids == tokenizer(question).input_ids
    with pytest.raises(ValueError, match="only_second"):
        encode_plus(tokenizer, ids, context, truncation="only_second", max_length=4)
