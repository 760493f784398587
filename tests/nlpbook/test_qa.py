"""Question answering: the book's notebooks, call by call, and the encoding of long contexts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nlpbook_helpers import CONTEXT, QUESTIONS, common, deployed, logged, post_api, train

from ratsnlp_like import Predictor
from ratsnlp_like.nlpbook import qa


@pytest.mark.slow
def test_qa_train_and_deploy(root: Path, no_network: list[str]) -> None:
    from ratsnlp_like.nlpbook.qa import KorQuADV1Corpus, QADataset, QATask, QATrainArguments

    args = QATrainArguments(
        downstream_corpus_name="korquad-v1",
        downstream_model_dir=str(root / "checkpoint-qa"),
        max_seq_length=128,
        max_query_length=32,
        doc_stride=64,
        **common(root),
    )
    from transformers import BertForQuestionAnswering

    corpus = KorQuADV1Corpus()
    trainer = train(args, QADataset, corpus, "val", BertForQuestionAnswering, QATask)
    assert {"loss", "acc", "val_loss", "val_acc", "val_korquad_em", "val_korquad_f1"} <= logged(trainer).keys()
    dataset = trainer.train_dataloader.dataset
    assert len(dataset) == 3  # including the answer at character 0
    for feature, (_, answer, _) in zip(dataset.features, QUESTIONS, strict=True):
        assert feature.start_positions <= feature.end_positions
        shown = feature.input_ids[feature.start_positions : feature.end_positions + 1]
        assert answer in dataset.tokenizer.decode(shown).replace(" ", "")

    from ratsnlp_like.nlpbook.qa import QADeployArguments

    args = QADeployArguments(
        pretrained_model_name=str(root / "bert"),
        downstream_model_dir=str(root / "checkpoint-qa"),
        max_seq_length=128,
        max_query_length=32,
    )
    model, tokenizer = deployed(args, BertForQuestionAnswering)

    def inference_fn(question: str, context: str) -> dict[str, str]:
        truncated_query = tokenizer.encode(
            question, add_special_tokens=False, truncation=True, max_length=args.max_query_length
        )
        inputs = tokenizer(
            text=tokenizer.decode(truncated_query),
            text_pair=context,
            truncation="only_second",
            padding="max_length",
            max_length=args.max_seq_length,
            return_token_type_ids=True,
        )
        with torch.no_grad():
            outputs = model(**{k: torch.tensor([v]) for k, v in inputs.items()})
        start, end = outputs.start_logits.argmax(dim=-1).item(), outputs.end_logits.argmax(dim=-1).item()
        pred_text = tokenizer.decode(inputs["input_ids"][start : end + 1])
        return {"question": question, "context": context, "answer": pred_text}

    from ratsnlp_like.nlpbook.qa import get_web_service_app

    answer = post_api(get_web_service_app(inference_fn), {"question": "언제 열었나?", "context": CONTEXT}).json()
    assert answer == inference_fn("언제 열었나?", CONTEXT)
    # the model folder answers with a part of the original text
    assert Predictor.from_pretrained(root / "checkpoint-qa")(("언제 열었나?", CONTEXT)).text in CONTEXT
    assert no_network == []


def test_a_question_on_a_long_text_and_one_without_an_answer(root: Path) -> None:
    from transformers import BertTokenizer

    long_text = CONTEXT + " 나무가 자란다." * 60 + " 이름은 하늘도서관이다."

    class Own(qa.QACorpus):
        def get_examples(self, corpus_dir: Any, mode: str) -> list[qa.QAExample]:
            name = "하늘도서관"
            return [
                qa.QAExample("이름은 무엇인가?", long_text, name, long_text.index(name)),
                qa.QAExample("값은 얼마인가?", CONTEXT, ""),
            ]

    args = qa.QATrainArguments(max_seq_length=64, doc_stride=64)
    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    dataset = qa.QADataset(args, tokenizer, Own())
    assert len(dataset) > 4
    spans = [(f.start_positions, f.end_positions) for f in dataset.features]
    assert spans[0] == spans[-1] == (0, 0)  # no answer in the window: [CLS]
    assert any(end > 0 for _, end in spans)
    assert max(len(f.input_ids) for f in dataset.features) <= 64
    with pytest.raises(NotImplementedError):
        qa.QACorpus().get_examples("", "train")
