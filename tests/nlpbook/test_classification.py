"""Document and pair classification: the book's notebooks, call by call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nlpbook_helpers import checkpoint_of, common, deployed, logged, post_api, train

from ratsnlp_like import Predictor, nlpbook


@pytest.fixture(scope="module")
def document(root: Path) -> Any:
    """Run the training notebook and return its trainer."""
    from ratsnlp_like.nlpbook.classification import ClassificationTrainArguments

    args = ClassificationTrainArguments(
        downstream_corpus_name="nsmc",
        downstream_model_dir=str(root / "checkpoint-doccls"),
        max_seq_length=128,
        **common(root),
    )
    from ratsnlp_like import nlpbook

    nlpbook.set_seed(args)
    nlpbook.set_logger(args)
    from transformers import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)
    from ratsnlp_like.nlpbook.classification import ClassificationDataset, NsmcCorpus

    corpus = NsmcCorpus()
    train_dataset = ClassificationDataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="train")
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

    train_dataloader = DataLoader(
        train_dataset,
        batch_size=args.batch_size,
        sampler=RandomSampler(train_dataset, replacement=False),
        collate_fn=nlpbook.data_collator,
        drop_last=False,
        num_workers=args.cpu_workers,
    )
    val_dataset = ClassificationDataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="test")
    val_dataloader = DataLoader(
        val_dataset,
        batch_size=args.batch_size,
        sampler=SequentialSampler(val_dataset),
        collate_fn=nlpbook.data_collator,
        drop_last=False,
        num_workers=args.cpu_workers,
    )
    from transformers import BertConfig, BertForSequenceClassification

    pretrained_model_config = BertConfig.from_pretrained(args.pretrained_model_name, num_labels=corpus.num_labels)
    model = BertForSequenceClassification.from_pretrained(args.pretrained_model_name, config=pretrained_model_config)

    from ratsnlp_like.nlpbook.classification import ClassificationTask

    task = ClassificationTask(model, args)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(task, train_dataloaders=train_dataloader, val_dataloaders=val_dataloader)
    return trainer


@pytest.mark.slow
def test_document_classification_train(document: Any, root: Path) -> None:
    seen = logged(document)
    assert {"loss", "acc", "val_loss", "val_acc", "val_macro_f1"} <= seen.keys()
    assert seen["val_acc"] == pytest.approx(seen["val_accuracy"])
    path = checkpoint_of(root / "checkpoint-doccls")
    assert path.name == f"epoch={int(path.name[6])}-val_loss={seen['val_loss']:.2f}.ckpt" or path.name[6] == "0"
    assert document.global_step == 6  # 11 reviews in batches of 4, twice
    assert document.optimizers[0].param_groups[0]["lr"] == 0  # ratsnlp never decayed it


def test_document_classification_deploy(
    document: Any, root: Path, no_network: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from ratsnlp_like.nlpbook.classification import ClassificationDeployArguments

    args = ClassificationDeployArguments(
        pretrained_model_name=str(root / "bert"),
        downstream_model_dir=str(root / "checkpoint-doccls"),
        max_seq_length=128,
    )
    path = checkpoint_of(root / "checkpoint-doccls")
    assert capsys.readouterr().out == f"downstream_model_checkpoint_fpath: {path}\n"
    fine_tuned_model_ckpt = torch.load(args.downstream_model_checkpoint_fpath, map_location=torch.device("cpu"))
    assert all(name.startswith("model.") for name in fine_tuned_model_ckpt["state_dict"])
    assert fine_tuned_model_ckpt["config"]["id2label"] == {0: "0", 1: "1"}
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    pretrained_model_config = BertConfig.from_pretrained(
        args.pretrained_model_name,
        num_labels=fine_tuned_model_ckpt["state_dict"]["model.classifier.bias"].shape.numel(),
    )
    model = BertForSequenceClassification(pretrained_model_config)
    model.load_state_dict({k.replace("model.", ""): v for k, v in fine_tuned_model_ckpt["state_dict"].items()})
    model.eval()
    tokenizer = BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)

    def inference_fn(sentence: str) -> dict[str, Any]:
        inputs = tokenizer([sentence], max_length=args.max_seq_length, padding="max_length", truncation=True)
        with torch.no_grad():
            outputs = model(**{k: torch.tensor(v) for k, v in inputs.items()})
            prob = outputs.logits.softmax(dim=1)
            positive_prob = round(prob[0][1].item(), 4)
            negative_prob = round(prob[0][0].item(), 4)
            pred = "긍정 (positive)" if torch.argmax(prob) == 1 else "부정 (negative)"
        return {
            "sentence": sentence,
            "prediction": pred,
            "positive_data": f"긍정 {positive_prob}",
            "negative_data": f"부정 {negative_prob}",
            "positive_width": f"{positive_prob * 100}%",
            "negative_width": f"{negative_prob * 100}%",
        }

    from ratsnlp_like.nlpbook.classification import get_web_service_app

    app = get_web_service_app(inference_fn)
    answer = post_api(app, "올해 본 것 중 최고").json()
    assert answer == inference_fn("올해 본 것 중 최고")
    # the model folder saved next to the checkpoint predicts the same
    scores = Predictor.from_pretrained(root / "checkpoint-doccls")("올해 본 것 중 최고").scores
    assert answer["positive_data"] == f"긍정 {round(scores['1'], 4)}"
    assert no_network == []


@pytest.mark.slow
def test_pair_classification_train_and_deploy(root: Path, no_network: list[str]) -> None:
    from ratsnlp_like.nlpbook.classification import ClassificationTrainArguments

    args = ClassificationTrainArguments(
        downstream_task_name="pair-classification",
        downstream_corpus_name="klue-nli",
        downstream_model_dir=str(root / "checkpoint-paircls"),
        max_seq_length=64,
        **common(root),
    )
    nlpbook.download_downstream_dataset(args)  # all files exist
    from ratsnlp_like.nlpbook.classification import ClassificationDataset, ClassificationTask
    from ratsnlp_like.nlpbook.paircls import KlueNLICorpus

    corpus = KlueNLICorpus()
    from transformers import BertForSequenceClassification

    trainer = train(args, ClassificationDataset, corpus, "test", BertForSequenceClassification, ClassificationTask)
    assert {"val_acc", "val_macro_f1"} <= logged(trainer).keys()
    first = trainer.train_dataloader.dataset[0]
    assert first.label == 0
    assert sorted(set(first.token_type_ids)) == [0, 1]

    from ratsnlp_like.nlpbook.classification import ClassificationDeployArguments

    args = ClassificationDeployArguments(
        pretrained_model_name=str(root / "bert"),
        downstream_model_dir=str(root / "checkpoint-paircls"),
        max_seq_length=64,
    )
    model, tokenizer = deployed(args, BertForSequenceClassification)

    def inference_fn(premise: str, hypothesis: str) -> dict[str, Any]:
        inputs = tokenizer([(premise, hypothesis)], max_length=64, padding="max_length", truncation=True)
        with torch.no_grad():
            prob = model(**{k: torch.tensor(v) for k, v in inputs.items()}).logits.softmax(dim=1)
        out: dict[str, Any] = {"premise": premise, "hypothesis": hypothesis, "prediction": int(prob.argmax())}
        for i, name in enumerate(("entailment", "contradiction", "neutral")):
            out |= {f"{name}_data": f"{prob[0][i]:.2f}", f"{name}_width": f"{prob[0][i] * 100:.2f}%"}
        return out

    from ratsnlp_like.nlpbook.paircls import get_web_service_app

    body = {"premise": "비가 온다", "hypothesis": "날이 맑다"}
    answer = post_api(get_web_service_app(inference_fn), body).json()
    assert answer == inference_fn("비가 온다", "날이 맑다")
    assert no_network == []
