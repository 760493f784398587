"""Tiny language models and batches that tests of language modelling share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.tasks.base import AnyTask
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.masked_lm import MaskedLM

TEXTS = (
    "김민준은 서울에서 기차를 탔다",
    "이서연이 부산에 사는 친구를 만났다",
    "영화가 정말 재미있어요 다시 보고 싶어요",
    "한빛전자는 3월 2일에 새 공장을 연다",
    "안녕하세요",
)
PAD, UNK, CLS, SEP, MASK = range(5)


def raw(texts: Sequence[str]) -> list[RawExample]:
    return [RawExample(text) for text in texts]


SIZE = 400
SMALL = {
    "vocab_size": SIZE,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 64,
}


def model(name: str, **config: Any) -> Any:
    """A tiny model of transformers with fixed random weights."""
    import transformers

    heads = {"bert": "BertForMaskedLM", "roberta": "RobertaForMaskedLM", "electra": "ElectraForMaskedLM"}
    own = SMALL | {"embedding_size": 12} if name == "electra" else SMALL
    if name == "gpt2":
        own = {"vocab_size": SIZE, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
        own |= {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        own |= {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    kind: Any = getattr(transformers, heads.get(name, "GPT2LMHeadModel"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = kind(kind.config_class(**own | config))
        for parameter in made.parameters():  # biases begin at 0 and would show nothing
            nn.init.normal_(parameter, std=0.2)
    return made.train()


MODELS: dict[str, AnyTask] = {name: MaskedLM() for name in ("bert", "roberta", "electra")}
MODELS["gpt2"] = CausalLM()


def batch_for(name: str, tokenizer: Any) -> dict[str, Any]:
    task = MODELS[name]
    return task.collate(task.encode(raw(TEXTS), tokenizer, [], 16), tokenizer)


def everywhere(batch: dict[str, Any]) -> torch.Tensor:
    """The labels at all positions, -100 elsewhere."""
    labels = torch.full(batch["input_ids"].shape, -100).flatten()
    labels[batch["positions"]] = batch["labels"]
    return labels


def plain_loss(made: Any, batch: dict[str, Any]) -> torch.Tensor:
    logits = made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), everywhere(batch))
