"""Generation: the book's notebooks, call by call, and its decoding strategies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nlpbook_helpers import GOOD, common, logged, post_api

from ratsnlp_like import nlpbook
from ratsnlp_like.nlpbook import generation


@pytest.mark.slow
def test_generation_train_and_deploy(root: Path, no_network: list[str]) -> None:
    from ratsnlp_like.nlpbook.generation import GenerationTrainArguments

    args = GenerationTrainArguments(
        downstream_corpus_name="nsmc",
        downstream_model_dir=str(root / "checkpoint-generation"),
        max_seq_length=32,
        **common(root, pretrained_model_name=str(root / "gpt")),
    )
    nlpbook.set_seed(args)
    nlpbook.set_logger(args)
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.pretrained_model_name, eos_token="</s>")
    from ratsnlp_like.nlpbook.generation import GenerationDataset, NsmcCorpus

    corpus = NsmcCorpus()
    train_dataset = GenerationDataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="train")
    assert tokenizer.decode(train_dataset[0].input_ids, skip_special_tokens=True) == f"긍정 {GOOD[0]}"
    assert train_dataset[0].input_ids[-1] == train_dataset[0].labels[-1] == tokenizer.eos_token_id
    assert train_dataset[0].token_type_ids is None
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

    train_dataloader = DataLoader(
        train_dataset,
        batch_size=args.batch_size,
        sampler=RandomSampler(train_dataset, replacement=False),
        collate_fn=nlpbook.data_collator,
        drop_last=False,
        num_workers=args.cpu_workers,
    )
    batch = next(iter(train_dataloader))
    assert bool((batch["labels"][batch["attention_mask"] == 0] == -100).all())  # no loss on padding
    val_dataset = GenerationDataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="test")
    val_dataloader = DataLoader(
        val_dataset,
        batch_size=args.batch_size,
        sampler=SequentialSampler(val_dataset),
        collate_fn=nlpbook.data_collator,
        drop_last=False,
        num_workers=args.cpu_workers,
    )
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel.from_pretrained(args.pretrained_model_name)

    from ratsnlp_like.nlpbook.generation import GenerationTask

    task = GenerationTask(model, args)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(task, train_dataloaders=train_dataloader, val_dataloaders=val_dataloader)
    assert {"loss", "val_loss"} == {name for name in logged(trainer) if name.endswith(("loss", "acc"))}

    from ratsnlp_like.nlpbook.generation import GenerationDeployArguments

    args = GenerationDeployArguments(
        pretrained_model_name=str(root / "gpt"),
        downstream_model_dir=str(root / "checkpoint-generation"),
    )
    config = GPT2Config.from_pretrained(args.pretrained_model_name)
    model = GPT2LMHeadModel(config)
    ckpt = torch.load(args.downstream_model_checkpoint_fpath, map_location=torch.device("cpu"))
    model.load_state_dict({k.replace("model.", ""): v for k, v in ckpt["state_dict"].items()})
    model.eval()
    calls: list[dict[str, Any]] = []

    def inference_fn(
        prompt: str,
        min_length: Any = 10,
        max_length: Any = 20,
        top_p: Any = 1.0,
        top_k: Any = 50,
        repetition_penalty: Any = 1.0,
        no_repeat_ngram_size: Any = 0,
        temperature: Any = 1.0,
    ) -> dict[str, str]:
        calls.append({name: value for name, value in locals().items() if name in generation.GENERATION.numbers})
        input_ids = tokenizer.encode(prompt, return_tensors="pt")
        with torch.no_grad():
            generated_ids = model.generate(
                input_ids,
                do_sample=True,
                top_p=float(top_p),
                top_k=int(top_k),
                min_length=int(min_length),
                max_length=int(max_length),
                repetition_penalty=float(repetition_penalty),
                no_repeat_ngram_size=int(no_repeat_ngram_size),
                temperature=float(temperature),
            )
        return {"result": tokenizer.decode([el.item() for el in generated_ids[0]])}

    from ratsnlp_like.nlpbook.generation import get_web_service_app

    app = get_web_service_app(inference_fn)
    answer = post_api(app, {"prompt": "긍정", "max_length": "15", "top_p": 0.9}).json()
    assert set(answer) == {"result"}
    assert "긍정" in answer["result"]
    assert calls[-1] == {
        "min_length": 10,
        "max_length": 15,
        "top_p": 0.9,
        "top_k": 50,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "temperature": 1.0,
    }
    assert no_network == []


@pytest.mark.slow
def test_decoding_strategies_of_the_book(root: Path) -> None:
    from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(root / "gpt"), eos_token="</s>")
    model = GPT2LMHeadModel.from_pretrained(str(root / "gpt"))
    model.eval()
    input_ids = tokenizer.encode("이 영화는", return_tensors="pt")

    def generate(**options: Any) -> list[int]:
        torch.manual_seed(7)
        with torch.no_grad():
            return model.generate(input_ids, min_length=8, max_length=14, **options)[0].tolist()

    greedy = generate(do_sample=False)
    assert greedy[: input_ids.shape[1]] == input_ids[0].tolist()
    assert generate(do_sample=True, top_k=1) == greedy  # only the most probable token
    assert generate(do_sample=True, temperature=0.01) == greedy
    assert generate(do_sample=True, top_p=0.01, top_k=0) == greedy
    assert generate(do_sample=False, repetition_penalty=1.0) == greedy
    trigrams = generate(do_sample=False, no_repeat_ngram_size=3)
    assert len({tuple(trigrams[i : i + 3]) for i in range(len(trigrams) - 2)}) == len(trigrams) - 2
    wild = generate(do_sample=True, temperature=100_000_000.0, top_k=0)
    assert wild != greedy
    for options in (
        {"do_sample": False, "num_beams": 3},
        *({"do_sample": False, "repetition_penalty": penalty} for penalty in (1.1, 1.2, 1.5)),
        {"do_sample": True, "temperature": 1.0, "top_k": 50},
        {"do_sample": True, "top_p": 0.92},
        {
            "do_sample": True,
            "repetition_penalty": 1.5,
            "no_repeat_ngram_size": 3,
            "temperature": 0.9,
            "top_k": 50,
            "top_p": 0.92,
        },
    ):
        assert 8 <= len(generate(**options)) <= 14


@pytest.mark.parametrize(("beams", "path", "probability"), [(1, (1, 3), 0.2), (2, (2, 5), 0.28)])
def test_two_beams_find_a_more_probable_text_than_greedy_search(
    beams: int, path: tuple[int, int], probability: float
) -> None:
    """The most probable first word leads to 0.5 · 0.4; the second one to 0.4 · 0.7."""
    from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessorList

    after = {(): {1: 0.5, 2: 0.4, 7: 0.1}, (1,): {3: 0.4, 4: 0.3, 7: 0.3}, (2,): {5: 0.7, 6: 0.3}, (7,): {7: 1.0}}

    def tree(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        probabilities = [[after[tuple(row[1:])].get(word, 0.0) for word in range(8)] for row in ids.tolist()]
        return torch.tensor(probabilities).log()

    model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=None))
    ids = model.generate(
        torch.tensor([[0]]),
        do_sample=False,
        num_beams=beams,
        max_new_tokens=2,
        logits_processor=LogitsProcessorList([tree]),
        pad_token_id=0,
    )[0].tolist()
    assert tuple(ids[1:]) == path
    assert np.prod([after[tuple(ids[1:i])][ids[i]] for i in (1, 2)]) == pytest.approx(probability)
