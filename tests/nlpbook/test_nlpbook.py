"""The notebooks of the book, call by call in their own order and spelling, with small models and small corpora."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from helpers import write

from ratsnlp_like import Predictor, nlpbook
from ratsnlp_like.checkpoints.base import BUNDLED
from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.data.decoding import decode_split
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.nlpbook import classification, files, generation, ner, paircls, qa
from ratsnlp_like.nlpbook.metrics import accuracy
from ratsnlp_like.registry import TASKS
from ratsnlp_like.runtime.download import download
from ratsnlp_like.tasks.base import Window

GOOD = (
    "끝까지 웃으면서 봤어요",
    "배우들 연기가 살아 있다",
    "또 보러 갈 거예요",
    "음악이 마음에 남는다",
    "올해 본 것 중 최고",
)
BAD = ("졸다가 나왔다", "돈이 아까웠어요", "이야기가 뻔하고 길다", "다시는 안 볼래요", "연기가 너무 어색했다")
REVIEWS = [(text, label) for pair in zip(GOOD, BAD, strict=True) for text, label in zip(pair, "10", strict=True)]
PAIRS = [
    ("비가 그쳐서 우산을 접었다.", "비가 왔었다.", "entailment"),
    ("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
    ("동생이 책을 샀다.", "그 책은 소설이다.", "neutral"),
] * 3
NAMES = [
    "김서연은 부산에 산다␞<김서연:PER>은 <부산:LOC>에 산다",
    "박민준은 어제 서울에 갔다␞<박민준:PER>은 <어제:DAT> <서울:LOC>에 갔다",
    "대전은 조용하다␞<대전:LOC>은 조용하다",
    "값이 3<5 라고?␞값이 <3:NOH><<5:NOH> 라고?",
] * 2
CONTEXT = "도서관은 1998년에 문을 열었다. 관장은 김하늘이다."
QUESTIONS = [("무엇이 열었나?", "도서관", 0), ("언제 열었나?", "1998년", 5), ("관장은 누구인가?", "김하늘", 24)]


def lay_nsmc(root: Path) -> None:
    """As Korpora lays it out."""
    rows = [f"{i}\t{text}\t{label}" for i, (text, label) in enumerate(REVIEWS)]
    rows.append('90\t"따옴표는 글자다\t1')
    for mode in ("train", "test"):
        write(root / "nsmc" / f"ratings_{mode}.txt", "\n".join(["id\tdocument\tlabel", *rows, ""]))


def lay_klue(root: Path) -> None:
    entries = [{"premise": a, "hypothesis": b, "gold_label": label} for a, b, label in PAIRS]
    for mode in ("train", "dev"):
        write(root / "klue-nli" / f"klue_nli_{mode}.json", json.dumps(entries, ensure_ascii=False))


def lay_ner(root: Path) -> None:
    for mode in ("train", "val"):
        write(root / "ner" / f"{mode}.txt", "\n".join([*NAMES, ""]))


def lay_korquad(root: Path) -> None:
    asked = [
        {"id": str(i), "question": question, "answers": [{"text": answer, "answer_start": start}]}
        for i, (question, answer, start) in enumerate(QUESTIONS)
    ]
    content = {"data": [{"title": "도서관", "paragraphs": [{"context": CONTEXT, "qas": asked}]}]}
    for mode in ("train", "dev"):
        write(root / "korquad-v1" / f"KorQuAD_v1.0_{mode}.json", json.dumps(content))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for /content and /gdrive in the notebooks: corpora in the book's layouts, and two checkpoints."""
    from transformers import AutoTokenizer, BertModel, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("book")
    for lay in (lay_nsmc, lay_klue, lay_ner, lay_korquad):
        lay(folder / "Korpora")
    BertModel.from_pretrained(BUNDLED / "ko-tiny-bert", num_hidden_layers=1).save_pretrained(folder / "bert")
    GPT2LMHeadModel.from_pretrained(BUNDLED / "ko-tiny-gpt", n_layer=1).save_pretrained(folder / "gpt")
    for name in ("bert", "gpt"):
        AutoTokenizer.from_pretrained(BUNDLED / f"ko-tiny-{name}").save_pretrained(folder / name)
    return folder


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    """`set_logger` sets levels for good."""
    yield
    for name in ("ratsnlp", "ratsnlp_like"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def common(root: Path, **own: Any) -> dict[str, Any]:
    """What a notebook says of itself, shortened."""
    return {
        "pretrained_model_name": str(root / "bert"),
        "downstream_corpus_root_dir": str(root / "Korpora"),
        "learning_rate": 5e-5,
        "epochs": 2,
        "tpu_cores": 0 if torch.cuda.is_available() else 8,
        "batch_size": 32 if torch.cuda.is_available() else 4,
        "seed": 7,
        "cpu_workers": 0,
    } | own


def checkpoint_of(folder: Path) -> Path:
    (path,) = folder.glob("*.ckpt")
    return path


def logged(trainer: Any) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


# Document classification


@pytest.fixture(scope="module")
def document(root: Path) -> Any:
    """The training notebook; gives its trainer."""
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


def test_document_classification_train(document: Any, root: Path) -> None:
    seen = logged(document)
    assert {"loss", "acc", "val_loss", "val_acc", "val_macro_f1"} <= seen.keys()
    assert seen["val_acc"] == pytest.approx(seen["val_accuracy"])
    path = checkpoint_of(root / "checkpoint-doccls")
    assert path.name == f"epoch={int(path.name[6])}-val_loss={seen['val_loss']:.2f}.ckpt" or path.name[6] == "0"
    assert document.global_step == 6  # 11 reviews in batches of 4, twice
    assert document.optimizers[0].param_groups[0]["lr"] == 0  # it decays; the book's package never let it


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
    answer = ask(app, "올해 본 것 중 최고").json()
    assert answer == inference_fn("올해 본 것 중 최고")
    # the folder that the package writes beside it says the same
    scores = Predictor.from_pretrained(root / "checkpoint-doccls")("올해 본 것 중 최고").scores
    assert answer["positive_data"] == f"긍정 {round(scores['1'], 4)}"
    assert no_network == []


# Pairs


def test_pair_classification_train_and_deploy(root: Path, no_network: list[str]) -> None:
    from ratsnlp_like.nlpbook.classification import ClassificationTrainArguments

    args = ClassificationTrainArguments(
        downstream_task_name="pair-classification",
        downstream_corpus_name="klue-nli",
        downstream_model_dir=str(root / "checkpoint-paircls"),
        max_seq_length=64,
        **common(root),
    )
    nlpbook.download_downstream_dataset(args)  # all of it is on this disk
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

    asked = {"premise": "비가 온다", "hypothesis": "날이 맑다"}
    answer = ask(get_web_service_app(inference_fn), asked).json()
    assert answer == inference_fn("비가 온다", "날이 맑다")
    assert no_network == []


def train(args: Any, dataset: Any, corpus: Any, mode: str, model_class: Any, task: Any) -> Any:
    """The sequence that all training notebooks share."""
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
    from transformers import BertConfig, BertTokenizer

    nlpbook.set_seed(args)
    nlpbook.set_logger(args)
    tokenizer = BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)
    own = {"batch_size": args.batch_size, "collate_fn": nlpbook.data_collator, "num_workers": args.cpu_workers}
    learnt = dataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="train")
    seen = dataset(args=args, corpus=corpus, tokenizer=tokenizer, mode=mode)
    labels = {"num_labels": corpus.num_labels} if hasattr(corpus, "num_labels") else {}
    config = BertConfig.from_pretrained(args.pretrained_model_name, **labels)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(
        task(model_class.from_pretrained(args.pretrained_model_name, config=config), args),
        train_dataloaders=DataLoader(learnt, sampler=RandomSampler(learnt, replacement=False), **own),
        val_dataloaders=DataLoader(seen, sampler=SequentialSampler(seen), **own),
    )
    return trainer


def deployed(args: Any, model_class: Any) -> tuple[Any, Any]:
    """The sequence that the notebooks share that ask a BERT."""
    from transformers import BertConfig, BertTokenizer

    ckpt = torch.load(args.downstream_model_checkpoint_fpath, map_location=torch.device("cpu"))
    bias = ckpt["state_dict"].get("model.classifier.bias")
    labels = {} if bias is None else {"num_labels": bias.shape.numel()}
    model = model_class(BertConfig.from_pretrained(args.pretrained_model_name, **labels))
    model.load_state_dict({k.replace("model.", ""): v for k, v in ckpt["state_dict"].items()})
    model.eval()
    return model, BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)


def ask(app: Any, body: Any, **options: Any) -> Any:
    from starlette.testclient import TestClient

    return TestClient(app, base_url="http://localhost").post("/api", json=body, **options)


# NER


def test_ner_train_and_deploy(root: Path, capsys: pytest.CaptureFixture[str], no_network: list[str]) -> None:
    from ratsnlp_like.nlpbook.ner import NERCorpus, NERDataset, NERTask, NERTrainArguments

    args = NERTrainArguments(
        downstream_corpus_name="ner",
        downstream_model_dir=str(root / "checkpoint-ner"),
        max_seq_length=64,
        **common(root),
    )
    from transformers import BertForTokenClassification

    corpus = NERCorpus(args)
    trainer = train(args, NERDataset, corpus, "val", BertForTokenClassification, NERTask)
    seen = logged(trainer)
    # untrained as it is, it has found nothing; the accuracy of most tokens hides that, this does not
    assert 0 <= seen["val_entity_f1"] < 0.5
    assert {"loss", "acc", "val_loss", "val_acc"} <= seen.keys()
    map_file = root / "checkpoint-ner" / "label_map.txt"
    types = ["PER", "LOC", "DAT", "NOH"]  # in the order of the file
    names = ["[CLS]", "[SEP]", "[PAD]", "[MASK]", "O", *(f"B-{t}" for t in types), *(f"I-{t}" for t in types)]
    assert map_file.read_text(encoding="utf-8") == "\n".join(names) + "\n"
    assert corpus.num_labels == 13

    from ratsnlp_like.nlpbook.ner import NERDeployArguments

    capsys.readouterr()
    args = NERDeployArguments(
        pretrained_model_name=str(root / "bert"),
        downstream_model_dir=str(root / "checkpoint-ner"),
        max_seq_length=64,
    )
    assert f"downstream_model_labelmap_fpath: {map_file}" in capsys.readouterr().out
    model, tokenizer = deployed(args, BertForTokenClassification)
    with open(args.downstream_model_labelmap_fpath, encoding="utf-8") as file:  # noqa: PTH123 (as the notebook)
        labels = [label.strip() for label in file.readlines()]
    id_to_label = dict(enumerate(labels))

    def inference_fn(sentence: str) -> dict[str, Any]:
        inputs = tokenizer([sentence], max_length=args.max_seq_length, padding="max_length", truncation=True)
        with torch.no_grad():
            outputs = model(**{k: torch.tensor(v) for k, v in inputs.items()})
            probs = outputs.logits[0].softmax(dim=1)
            top_probs, preds = torch.topk(probs, dim=1, k=1)
            tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
            tags = [id_to_label[pred.item()] for pred in preds]
        return {
            "sentence": sentence,
            "result": [
                {"token": token, "predicted_tag": tag, "top_prob": str(round(prob[0].item(), 4))}
                for token, tag, prob in zip(tokens, tags, top_probs, strict=True)
                if token not in [tokenizer.pad_token, tokenizer.cls_token, tokenizer.sep_token]
            ],
        }

    from ratsnlp_like.nlpbook.ner import get_web_service_app

    answer = ask(get_web_service_app(inference_fn), "김서연은 부산에 산다").json()
    assert answer == inference_fn("김서연은 부산에 산다")
    assert set(answer["result"][0]) == {"token", "predicted_tag", "top_prob"}
    # the folder beside it is asked in characters, whatever order the labels have
    found = Predictor.from_pretrained(root / "checkpoint-ner")("김서연은 부산에 산다")
    assert all(entity.text == "김서연은 부산에 산다"[entity.start : entity.end] for entity in found.entities)
    assert no_network == []


def ner_dataset(root: Path, tmp_path: Path, lines: list[str], **own: Any) -> Any:
    from transformers import BertTokenizer

    write(tmp_path / "ner" / "train.txt", "\n".join([*lines, ""]))
    args = ner.NERTrainArguments(
        downstream_corpus_root_dir=str(tmp_path), downstream_model_dir=str(tmp_path / "model"), max_seq_length=64, **own
    )
    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    return ner.NERDataset(args=args, corpus=ner.NERCorpus(args), tokenizer=tokenizer, mode="train")


def tags_of(dataset: Any, i: int = 0) -> list[tuple[str, str]]:
    """Tokens and the tags that they are to have."""
    names, feature = dataset.get_labels(), dataset[i]
    tokens = dataset.tokenizer.convert_ids_to_tokens(feature.input_ids)
    return [(t, "-" if k == -100 else names[k]) for t, k in zip(tokens, feature.label_ids, strict=True)]


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("서울 부산␞<서울:LOC> <부산:LOC>", ["B-LOC", "B-LOC"]),  # the second of two neighbours begins anew
        ("3 5␞<3:NOH> <5:NOH>", ["B-NOH", "B-NOH"]),
        ("민수가 서울에␞<민수:PS>가 <서울:LC>에", ["B-PS", "B-LC"]),  # tags of two letters
        ("a<b 서울␞a<b <서울:LOC>", ["B-LOC"]),  # a plain < swallows nothing
        ("민수\u00a0는 서울에␞<민수:PER>\u00a0는 <서울:LOC>에", ["B-PER", "B-LOC"]),  # a no-break space shifts nothing
    ],
)
def test_ner_labels_stand_where_they_should(line: str, begins: list[str], root: Path, tmp_path: Path) -> None:
    tags = tags_of(ner_dataset(root, tmp_path, [line]))
    assert [tag for _, tag in tags if tag.startswith("B-")] == begins
    assert tags[0] == ("[CLS]", "-")
    assert tags[-1] == ("[SEP]", "-")


def test_a_line_without_its_separator_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.txt, line 2"):
        ner_dataset(root, tmp_path, [NAMES[0], "구분자가 없다"])


def test_a_label_map_of_another_corpus_is_not_taken(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "model" / "label_map.txt", "[CLS]\n[SEP]\n[PAD]\n[MASK]\nO\nB-XX\nI-XX\n")
    labels = ner_dataset(root, tmp_path, ["대전␞<대전:LOC>"]).get_labels()
    assert labels[5:] == ["B-LOC", "I-LOC"]
    assert "of another corpus" in caplog.text
    (tmp_path / "ner" / "train.txt").unlink()
    args = ner.NERTrainArguments(downstream_corpus_root_dir=str(tmp_path), downstream_model_dir=str(tmp_path / "model"))
    assert ner.NERCorpus(args).get_labels() == labels  # where a model is asked, its map is all there is


def test_a_long_sentence_loses_nothing(root: Path, tmp_path: Path) -> None:
    text = "바람이 분다 " * 60 + "서울"
    dataset = ner_dataset(root, tmp_path, [f"{text}␞{text.removesuffix('서울')}<서울:LOC>"])
    assert len(dataset) > 1
    assert sum(tag == "B-LOC" for _, tag in tags_of(dataset, len(dataset) - 1)) == 1


def test_the_order_of_labels_changes_nothing_of_what_is_found(root: Path, tmp_path: Path) -> None:
    """With gold labels as logits, the book's order of outputs gives the same entities as the package's own."""
    dataset = ner_dataset(root, tmp_path, NAMES)
    own, types = TASKS["ner"](), dataset.names()
    examples = list(dataset.split.examples())
    found = []
    for task in (own, dataset.split.task):
        windows = task.encode(examples, dataset.tokenizer, types, 64)
        said = [[Window(w, task.gold(w, types))] for w in windows]
        found.append([task.decode(e, w, types).entities for e, w in zip(examples, said, strict=True)])
    spans = [[[entity[:4] for entity in map(astuple, entities)] for entities in way] for way in found]
    assert spans[0] == spans[1]
    assert spans[0][3] == [("3", 3, 4, "NOH"), ("5", 5, 6, "NOH")]
    nothing = dict.fromkeys(range(len(dataset)), None)
    for i in nothing:  # all tokens [PAD], which is a class in the book
        shape = (len(dataset[i].input_ids), len(dataset.labels))
        nothing[i] = np.where(np.arange(shape[1]) == ner.NER_PAD_ID, 9.0, np.zeros(shape))
    predictions, _ = decode_split(dataset.split.task, dataset.split, nothing, types, dataset.tokenizer)
    assert all(prediction.entities == () for prediction in predictions)


def test_a_label_map_that_lacks_a_label_is_told() -> None:
    with pytest.raises(InputError, match="no 'I-LOC'"):
        TASKS["ner"](tags=("O", "B-LOC")).classes(["LOC"])


def test_ner_constants() -> None:
    special = (ner.NER_CLS_TOKEN, ner.NER_SEP_TOKEN, ner.NER_PAD_TOKEN, ner.NER_MASK_TOKEN)
    assert special == ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
    assert ner.NER_PAD_ID == special.index("[PAD]") == 2


# Question answering


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
    assert len(dataset) == 3  # the answer at character 0 is one of them
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

    answer = ask(get_web_service_app(inference_fn), {"question": "언제 열었나?", "context": CONTEXT}).json()
    assert answer == inference_fn("언제 열었나?", CONTEXT)
    # the folder beside it answers in letters of the text
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
    assert spans[0] == spans[-1] == (0, 0)  # nothing here: [CLS]
    assert any(end > 0 for _, end in spans)
    assert max(len(f.input_ids) for f in dataset.features) <= 64
    with pytest.raises(NotImplementedError):
        qa.QACorpus().get_examples("", "train")


# Generation


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
    assert bool((batch["labels"][batch["attention_mask"] == 0] == -100).all())  # nothing is learnt of padding
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
    asked: list[dict[str, Any]] = []

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
        asked.append({name: value for name, value in locals().items() if name in generation.GENERATION.numbers})
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
    answer = ask(app, {"prompt": "긍정", "max_length": "15", "top_p": 0.9}).json()
    assert set(answer) == {"result"}
    assert "긍정" in answer["result"]
    assert asked[-1] == {
        "min_length": 10,
        "max_length": 15,
        "top_p": 0.9,
        "top_k": 50,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "temperature": 1.0,
    }
    assert no_network == []


def test_the_tour_of_decoding(root: Path) -> None:
    from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(root / "gpt"), eos_token="</s>")
    model = GPT2LMHeadModel.from_pretrained(str(root / "gpt"))
    model.eval()
    input_ids = tokenizer.encode("이 영화는", return_tensors="pt")

    def write_on(**options: Any) -> list[int]:
        torch.manual_seed(7)
        with torch.no_grad():
            return model.generate(input_ids, min_length=8, max_length=14, **options)[0].tolist()

    greedy = write_on(do_sample=False)
    assert greedy[: input_ids.shape[1]] == input_ids[0].tolist()
    assert write_on(do_sample=True, top_k=1) == greedy  # the likeliest one alone
    assert write_on(do_sample=True, temperature=0.01) == greedy
    assert write_on(do_sample=True, top_p=0.01, top_k=0) == greedy
    assert write_on(do_sample=False, repetition_penalty=1.0) == greedy
    trigrams = write_on(do_sample=False, no_repeat_ngram_size=3)
    assert len({tuple(trigrams[i : i + 3]) for i in range(len(trigrams) - 2)}) == len(trigrams) - 2
    wild = write_on(do_sample=True, temperature=100_000_000.0, top_k=0)
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
        assert 8 <= len(write_on(**options)) <= 14


# Vocabulary, tokenization, embedding


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vocabulary notebook, behind its download."""
    from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer

    folder = tmp_path_factory.mktemp("vocabulary")
    text = write(folder / "train.txt", "\n".join(GOOD + BAD) + "\n")
    (folder / "bbpe").mkdir()
    (folder / "wordpiece").mkdir()
    bytebpe_tokenizer = ByteLevelBPETokenizer()
    bytebpe_tokenizer.train(files=[str(text)], vocab_size=10000, special_tokens=["[PAD]"])
    bytebpe_tokenizer.save_model(str(folder / "bbpe"))
    wordpiece_tokenizer = BertWordPieceTokenizer(lowercase=False)
    wordpiece_tokenizer.train(files=[str(text)], vocab_size=10000)
    wordpiece_tokenizer.save_model(str(folder / "wordpiece"))
    return folder


def test_vocabulary_and_tokenization(vocabularies: Path) -> None:
    assert {path.name for path in (vocabularies / "bbpe").iterdir()} == {"vocab.json", "merges.txt"}
    assert {path.name for path in (vocabularies / "wordpiece").iterdir()} == {"vocab.txt"}
    from transformers import BertTokenizer, GPT2Tokenizer

    tokenizer_gpt = GPT2Tokenizer.from_pretrained(str(vocabularies / "bbpe"))
    tokenizer_gpt.pad_token = "[PAD]"
    tokenizer_bert = BertTokenizer.from_pretrained(str(vocabularies / "wordpiece"), do_lower_case=False)
    for tokenizer in (tokenizer_gpt, tokenizer_bert):
        sentences = [GOOD[0], BAD[1], "새 영화다"]
        assert all(tokenizer.tokenize(sentence) for sentence in sentences)
        batch_inputs = tokenizer(sentences, padding="max_length", max_length=12, truncation=True)
        assert [len(ids) for ids in batch_inputs["input_ids"]] == [12, 12, 12]
        assert batch_inputs["attention_mask"][0].count(1) <= 12
    assert "".join(tokenizer_bert.tokenize(GOOD[0])).replace("##", "") == GOOD[0].replace(" ", "")
    batch_inputs = tokenizer_bert([GOOD[0]], padding="max_length", max_length=12, truncation=True)
    assert batch_inputs["input_ids"][0][0] == tokenizer_bert.cls_token_id
    assert set(batch_inputs["token_type_ids"][0]) == {0}


def test_embedding(root: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    pretrained_model_config = BertConfig.from_pretrained(str(root / "bert"))
    model = BertModel.from_pretrained(str(root / "bert"), config=pretrained_model_config)
    features = tokenizer(["안녕하세요", "하이!"], max_length=10, padding="max_length", truncation=True)
    with torch.no_grad():
        outputs = model(**{k: torch.tensor(v) for k, v in features.items()})
    assert outputs.last_hidden_state.shape == (2, 10, 256)
    assert outputs.pooler_output.shape == (2, 256)


# Golden values, with the real tokenizers


def test_ids_of_kcbert(tokenizers_root: Path, tmp_path: Path) -> None:
    from transformers import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(str(tokenizers_root / "kcbert-base"), do_lower_case=False)
    assert tokenizer("안녕하세요")["input_ids"] == [2, 19017, 8482, 3]
    write(
        tmp_path / "nsmc" / "ratings_train.txt", "id\tdocument\tlabel\n9976970\t아 더빙.. 진짜 짜증나네요 목소리\t0\n"
    )
    args = classification.ClassificationTrainArguments(
        downstream_corpus_name="nsmc", downstream_corpus_root_dir=str(tmp_path)
    )
    dataset = classification.ClassificationDataset(args, tokenizer, classification.NsmcCorpus())
    ids = [2, 2170, 832, 5045, 17, 17, 7992, 29734, 4040, 10720, 3]
    assert dataset[0] == classification.ClassificationFeatures(ids, [1] * 11, [0] * 11, 0)


def test_real_corpora_in_their_places(data: Path, root: Path) -> None:
    places = {
        data / "ner_book": (ner.NERCorpus(None), "val", 2368),
        data / "klue": (paircls.KlueNLICorpus(), "test", 480),
        data / "kornli_xnli": (paircls.KorNLICorpus(), "val", 2490),
        data / "korquad": (qa.KorQuADV1Corpus(), "val", 1537),
        data / "korpora" / "nsmc": (classification.NsmcCorpus(), "test", 50_000),
    }
    for folder, (corpus, mode, size) in places.items():
        assert len(corpus.get_examples(folder, mode)) == size, folder
    assert len(generation.NsmcCorpus().get_examples(data / "korpora" / "nsmc", "test")) == 49_999  # one is empty


# Corpora of readers' own


def features_of(root: Path, corpus: Any, **own: Any) -> Any:
    from transformers import BertTokenizer

    args = classification.ClassificationTrainArguments(downstream_corpus_root_dir=str(root), max_seq_length=32)
    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    return classification.ClassificationDataset(args=args, tokenizer=tokenizer, corpus=corpus, **own)


class NewsCorpus:
    """As a reader writes it."""

    def get_examples(self, data_path: str, mode: str) -> list[classification.ClassificationExample]:
        rows = {"train": [("주가가 올랐다", "경제"), ("결승에 올랐다", "운동")], "val": [("비가 온다", "날씨")]}
        return [
            classification.ClassificationExample(text_a=text, text_b=None, label=label) for text, label in rows[mode]
        ]

    def get_labels(self) -> list[str]:
        return ["경제", "운동"]

    @property
    def num_labels(self) -> int:
        return len(self.get_labels())


class CustomNLICorpus(NewsCorpus):
    def get_examples(self, data_path: str, mode: str) -> list[classification.ClassificationExample]:
        return [classification.ClassificationExample(text_a="비가 온다", text_b="날이 궂다", label="운동")]


def test_a_corpus_of_a_readers_own(root: Path) -> None:
    dataset = features_of(root, NewsCorpus())
    assert [feature.label for feature in dataset] == [0, 1]
    assert dataset.get_labels() == ["경제", "운동"]
    assert dataset.tokenizer.decode(dataset[0].input_ids, skip_special_tokens=True) == "주가가 올랐다"
    pair = features_of(root, CustomNLICorpus())[0]
    assert (pair.label, max(pair.token_type_ids)) == (1, 1)
    with pytest.raises(InputError, match="'날씨' is not among the labels"):
        features_of(root, NewsCorpus(), mode="val")
    with pytest.raises(InputError, match="train or val or test"):
        features_of(root, NewsCorpus(), mode="dev")


def test_features_of_a_readers_own(root: Path) -> None:
    seen: list[Any] = []

    def convert(examples: Any, tokenizer: Any, args: Any, label_list: Any) -> list[Any]:
        seen.append((len(examples), args.max_seq_length, label_list))
        own = tokenizer([e.text_a for e in examples], padding="max_length", max_length=args.max_seq_length)
        return [
            classification.ClassificationFeatures(input_ids=ids, label=label_list.index(e.label))
            for ids, e in zip(own["input_ids"], examples, strict=True)
        ]

    dataset = features_of(root, NewsCorpus(), convert_examples_to_features_fn=convert)
    assert seen == [(2, 32, ["경제", "운동"])]
    batch = nlpbook.data_collator([dataset[0], dataset[1]])
    assert set(batch) == {"input_ids", "labels"}
    assert batch["input_ids"].shape == (2, 32)


def test_a_readers_own_features_are_learnt_from(root: Path, tmp_path: Path) -> None:
    def convert(examples: Any, tokenizer: Any, args: Any, label_list: Any) -> list[dict[str, Any]]:
        return [{"input_ids": tokenizer(e.text_a)["input_ids"], "label": label_list.index(e.label)} for e in examples]

    from torch.utils.data import DataLoader
    from transformers import BertForSequenceClassification

    dataset = features_of(root, NewsCorpus(), convert_examples_to_features_fn=convert)
    args = classification.ClassificationTrainArguments(
        downstream_model_dir=str(tmp_path / "own"), max_seq_length=32, **common(root, epochs=1, tpu_cores=0)
    )
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=2)
    loader = DataLoader(dataset, batch_size=1, collate_fn=nlpbook.data_collator)
    checkpoint_callback, trainer = nlpbook.get_trainer(args, return_trainer_only=False)
    trainer.fit(classification.ClassificationTask(model, args), train_dataloaders=loader, val_dataloaders=loader)
    assert Path(checkpoint_callback.best_model_path) == checkpoint_of(tmp_path / "own")


def test_features_are_made_anew_for_other_data_and_other_tokens(root: Path, vocabularies: Path) -> None:
    from transformers import BertTokenizer

    args = classification.ClassificationTrainArguments(downstream_corpus_root_dir=str(root), max_seq_length=32)
    made = {}
    for name, folder in {"bert": root / "bert", "own": vocabularies / "wordpiece"}.items():
        tokenizer = BertTokenizer.from_pretrained(str(folder), do_lower_case=False)
        ids = classification.ClassificationDataset(args, tokenizer, NewsCorpus())[0].input_ids
        assert ids == tokenizer("주가가 올랐다")["input_ids"]
        made[name] = ids
    assert made["bert"] != made["own"]


def test_examples_in_memory_are_a_corpus(tmp_path: Path) -> None:
    corpus = MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "긍정")], "test": []})
    assert corpus.splits(tmp_path) == ("train", "test")
    assert list(corpus.examples(tmp_path, "train")) == [TextExample("좋다", "긍정")]
    assert [row.values for row in corpus.rows(tmp_path, "train")] == [{"text": "좋다", "label": "긍정"}]
    other = MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "부정")]})
    assert corpus.fingerprint(tmp_path, "train") != other.fingerprint(tmp_path, "train")
    with pytest.raises(InputError, match="did you mean 'train'"):
        corpus.examples(tmp_path, "trian")


def test_worker_processes_get_the_dataset_whole(root: Path) -> None:
    from torch.utils.data import DataLoader

    dataset = features_of(root, NewsCorpus())
    sent = pickle.loads(pickle.dumps(dataset))  # as macOS and Windows send it
    assert list(sent) == list(dataset)
    loader = DataLoader(dataset, batch_size=2, collate_fn=nlpbook.data_collator, num_workers=1)
    assert [batch["labels"].tolist() for batch in loader] == [[0, 1]]


# Arguments

SHARED = {
    "downstream_corpus_root_dir": "/content/Korpora",
    "save_top_k": 1,
    "monitor": "min val_loss",
    "seed": None,
    "overwrite_cache": False,
    "force_download": False,
    "test_mode": False,
    "fp16": False,
    "learning_rate": 5e-5,
    "epochs": 3,
    "tpu_cores": 0,
}
DRIVE = "/gdrive/My Drive/nlpbook/checkpoint-"


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (
            classification.ClassificationTrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_task_name": "document-classification",
                "downstream_corpus_name": None,
                "downstream_model_dir": None,
                "max_seq_length": 128,
                "batch_size": 32,
            },
        ),
        (
            ner.NERTrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_task_name": "named-entity-recognition",
                "downstream_corpus_name": "ner",
                "downstream_model_dir": DRIVE + "ner",
                "max_seq_length": 128,
                "batch_size": 32,
            },
        ),
        (
            qa.QATrainArguments,
            {
                "pretrained_model_name": "beomi/kcbert-base",
                "downstream_corpus_name": "korquad-v1",
                "downstream_model_dir": DRIVE + "qa",
                "max_seq_length": 128,
                "batch_size": 32,
                "doc_stride": 64,
                "max_query_length": 32,
                "threads": 4,
                "tqdm_enabled": True,
            },
        ),
        (
            generation.GenerationTrainArguments,
            {
                "pretrained_model_name": "kogpt2",
                "downstream_task_name": "sentence-generation",
                "downstream_corpus_name": "nsmc",
                "downstream_model_dir": DRIVE + "generation",
                "max_seq_length": 32,
                "batch_size": 96,
            },
        ),
    ],
)
def test_defaults(kind: Any, own: dict[str, Any]) -> None:
    import os

    assert vars(kind()) == SHARED | own | {"cpu_workers": os.cpu_count()}


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"learning_rate": "1e-5"}, {"max_seq_length": 0}, {"monitor": "val_loss"}]
)
def test_wrong_arguments_are_told_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        classification.ClassificationTrainArguments(**wrong)


def test_load_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.json", '{"learning_rate": "1e-5", "epochs": 5, "fp16": true, "seed": null}')
    expected = classification.ClassificationTrainArguments(learning_rate=1e-5, epochs=5, fp16=True)
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments, json_file_path=str(path)) == expected
    monkeypatch.setattr(sys, "argv", ["run.py", str(path)])
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments) == expected
    monkeypatch.setattr(sys, "argv", ["run.py", "--learning_rate", "1e-5", "--epochs", "5", "--fp16"])
    assert nlpbook.load_arguments(classification.ClassificationTrainArguments) == expected
    checkpoint = lightning_checkpoint(tmp_path / "x.ckpt", 0.1)
    named = write(tmp_path / "c.json", json.dumps({"downstream_model_dir": str(tmp_path), "max_seq_length": "64"}))
    asked = nlpbook.load_arguments(qa.QADeployArguments, named)
    assert (asked.downstream_model_checkpoint_fpath, asked.max_seq_length) == (str(checkpoint), 64)
    with pytest.raises(InputError, match="holds a list"):
        nlpbook.load_arguments(classification.ClassificationTrainArguments, write(tmp_path / "b.json", "[]"))


def test_set_seed(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = []
    for _ in range(2):
        nlpbook.set_seed(qa.QATrainArguments(seed=7))
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1]
    nlpbook.set_seed(qa.QATrainArguments())
    assert capsys.readouterr().out == "set seed: 7\nset seed: 7\nnot fixed seed\n"


def test_set_logger_logs_the_arguments(caplog: pytest.LogCaptureFixture) -> None:
    nlpbook.set_logger(qa.QATrainArguments(epochs=9))
    (record,) = [record for record in caplog.records if record.name == "ratsnlp"]
    assert "epochs=9" in record.message


# Batches and metrics


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


def test_padding_changes_nothing_that_a_model_says(root: Path) -> None:
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=2).eval()
    short = classification.ClassificationFeatures([2, 900, 3], [1] * 3, [0] * 3)
    long = classification.ClassificationFeatures([2, *range(900, 920), 3], [1] * 22, [0] * 22)
    with torch.no_grad():
        alone = model(**nlpbook.data_collator([short])).logits[0]
        padded = model(**nlpbook.data_collator([short, long])).logits[0]
    assert torch.allclose(alone, padded, atol=1e-5)


# Trainer and checkpoints


def test_a_missing_tpu_is_told_in_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    args = classification.ClassificationTrainArguments(downstream_model_dir=str(tmp_path), tpu_cores=8, fp16=True)
    trainer = nlpbook.get_trainer(args)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    if not torch.cuda.is_available():
        assert told == [
            "tpu_cores=8: there is no TPU here; training on the CPU.",
            "fp16=True: there is no GPU here; computing with 32 bits.",
        ]
        assert str(trainer.precision) == "32-true"
    assert trainer.max_epochs == 3
    with pytest.raises(InputError, match="downstream_model_dir"):
        nlpbook.get_trainer(classification.ClassificationTrainArguments())


def test_test_mode_runs_a_batch_and_saves_nothing(root: Path, tmp_path: Path) -> None:
    from torch.utils.data import DataLoader
    from transformers import BertForSequenceClassification

    args = classification.ClassificationTrainArguments(
        downstream_model_dir=str(tmp_path), max_seq_length=32, test_mode=True, **common(root, tpu_cores=0)
    )
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=2)
    loader = DataLoader(features_of(root, NewsCorpus()), collate_fn=nlpbook.data_collator)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(classification.ClassificationTask(model, args), loader, loader)
    assert trainer.global_step == 1
    assert list(tmp_path.rglob("*.ckpt")) == []


@pytest.mark.parametrize(
    ("length", "labels", "match"), [(600, 2, "more than the 512 positions"), (32, 3, "3 outputs, the corpus 2 labels")]
)
def test_a_model_that_does_not_fit(length: int, labels: int, match: str, root: Path, tmp_path: Path) -> None:
    from torch.utils.data import DataLoader
    from transformers import BertForSequenceClassification

    args = classification.ClassificationTrainArguments(
        downstream_model_dir=str(tmp_path), max_seq_length=length, **common(root, tpu_cores=0)
    )
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=labels)
    loader = DataLoader(features_of(root, NewsCorpus()), collate_fn=nlpbook.data_collator)
    with pytest.raises(InputError, match=match):
        nlpbook.get_trainer(args).fit(classification.ClassificationTask(model, args), loader, loader)


def lightning_checkpoint(path: Path, score: float | None, *, mode: str = "min", state: Any = None) -> Path:
    name = f"ModelCheckpoint{{'monitor': 'val_loss', 'mode': '{mode}'}}"
    kept = {} if score is None else {name: {"current_score": torch.tensor(score)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state or {}, "callbacks": kept}, path)
    return path


@pytest.mark.parametrize("folder", ["plain", "of [brackets]", "tmp/temp-run"])
def test_the_best_checkpoint_is_chosen_by_its_score(folder: str, tmp_path: Path) -> None:
    place = tmp_path / folder
    lightning_checkpoint(place / "epoch=1-val_loss=0.30.ckpt", 0.304)
    best = lightning_checkpoint(place / "epoch=2-val_loss=0.30-v1.ckpt", 0.296)
    lightning_checkpoint(place / "last.ckpt", 0.9)
    args = classification.ClassificationDeployArguments("bert", str(place))
    assert args.downstream_model_checkpoint_fpath == str(best)


def test_which_checkpoint(tmp_path: Path) -> None:
    last = lightning_checkpoint(tmp_path / "a" / "last.ckpt", None)
    assert qa.QADeployArguments(None, str(tmp_path / "a")).downstream_model_checkpoint_fpath == str(last)
    lightning_checkpoint(tmp_path / "b" / "epoch=0-val_loss=0.40.ckpt", None)  # what it does not say, its name does
    named = lightning_checkpoint(tmp_path / "b" / "epoch=1-val_loss=0.28.ckpt", None)
    assert qa.QADeployArguments(None, str(tmp_path / "b")).downstream_model_checkpoint_fpath == str(named)
    lightning_checkpoint(tmp_path / "c" / "x.ckpt", 0.4, mode="max")
    high = lightning_checkpoint(tmp_path / "c" / "y.ckpt", 0.8, mode="max")
    assert qa.QADeployArguments(None, str(tmp_path / "c")).downstream_model_checkpoint_fpath == str(high)
    assert generation.GenerationDeployArguments(None, None, str(high)).downstream_model_checkpoint_fpath == str(high)
    for wrong in ({}, {"downstream_model_dir": str(tmp_path)}, {"downstream_model_checkpoint_fpath": "no.ckpt"}):
        with pytest.raises(InputError):
            classification.ClassificationDeployArguments(**wrong)


def test_deploy_arguments_by_position(tmp_path: Path) -> None:
    path = str(lightning_checkpoint(tmp_path / "x.ckpt", 0.1))
    labels = str(write(tmp_path / "map.txt", "[CLS]\nO\n"))
    args = ner.NERDeployArguments("bert", None, path, labels, 64)
    assert (args.downstream_model_labelmap_fpath, args.max_seq_length) == (labels, 64)
    answers = qa.QADeployArguments("bert", None, path, 100, 20)
    assert (answers.max_seq_length, answers.max_query_length) == (100, 20)
    assert classification.ClassificationDeployArguments("bert", None, path).max_seq_length == 128
    with pytest.raises(InputError, match=r"label_map\.txt"):
        ner.NERDeployArguments("bert", None, path)


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
        with pytest.raises(RuntimeError, match=r"classifier\.bias"):  # what is missing is still told
            deployed_from(
                {k: v for k, v in old.items() if "classifier" not in k}, BertForSequenceClassification(config)
            )
    finally:
        del PreTrainedModel.load_state_dict


def deployed_from(state: dict[str, Any], model: Any) -> None:
    model.load_state_dict({name.replace("model.", ""): value for name, value in state.items()})


# The page


def echo(*given: Any) -> dict[str, Any]:
    return {"given": list(given)}


APPS: list[tuple[Callable[..., Any], Any, list[Any]]] = [
    (classification.get_web_service_app, "글", ["글"]),
    (ner.get_web_service_app, "글", ["글"]),
    (paircls.get_web_service_app, {"premise": "가", "hypothesis": "나"}, ["가", "나"]),
    (qa.get_web_service_app, {"question": "왜?", "context": "글"}, ["왜?", "글"]),
    (generation.get_web_service_app, {"prompt": "글"}, ["글", 10, 20, 1.0, 50, 1.0, 0, 1.0]),
]


@pytest.mark.parametrize(("make", "body", "given"), APPS)
def test_the_page_and_the_api(make: Callable[..., Any], body: Any, given: list[Any]) -> None:
    from starlette.testclient import TestClient

    app = make(echo, is_colab=False)
    answer = ask(app, body, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()) == (200, {"given": given})
    assert "access-control-allow-origin" not in answer.headers
    client = TestClient(app, base_url="http://localhost")
    page = client.get("/").text
    assert all(f'name="{name}"' in page for name in (body if isinstance(body, dict) else ["sentence"]))
    assert "//" not in page.replace("<!doctype html>", "")  # nothing comes from elsewhere
    for name in ("page.js", "page.css"):
        assert client.get(f"/static/{name}").status_code == 200
    script = client.get("/static/page.js").text
    assert "textContent" in script
    assert "innerHTML" not in script


@pytest.mark.parametrize(
    ("make", "body", "status", "says"),
    [
        (paircls.get_web_service_app, {"premise": "가"}, 422, "hypothesis"),
        (paircls.get_web_service_app, "가", 422, "premise"),
        (qa.get_web_service_app, {"question": 3, "context": "글"}, 422, "question"),
        (classification.get_web_service_app, {"sentence": "글"}, 422, "a JSON string"),
        (generation.get_web_service_app, {"prompt": "글", "top_k": "많이"}, 422, "a whole number"),
        (generation.get_web_service_app, {"prompt": "글", "min_length": 1.5}, 422, "min_length"),
        (generation.get_web_service_app, {}, 422, "prompt"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(make: Any, body: Any, status: int, says: str) -> None:
    answer = ask(make(echo), body)
    assert answer.status_code == status
    assert says in json.dumps(answer.json()["error"], ensure_ascii=False)


def test_what_is_wrong_with_the_notebook_is_no_traceback() -> None:
    def broken(sentence: str) -> None:
        raise KeyError("비밀")

    answer = ask(classification.get_web_service_app(broken), "글")
    assert answer.status_code == 500
    assert "비밀" not in answer.text


def test_run_in_a_notebook(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell goes on; in Colab its own proxy shows the page, and no tunnel is opened."""
    import asyncio
    import time
    import types
    import urllib.request

    shown: list[int] = []
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(serve_kernel_port_as_iframe=lambda port, **_: shown.append(port))
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)

    async def cell() -> Any:
        return classification.get_web_service_app(echo).run(port=0)

    server = asyncio.run(cell())
    while not server.started:
        time.sleep(0.01)
    request = urllib.request.Request(
        f"http://127.0.0.1:{shown[0]}/api", json.dumps("글").encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"given": ["글"]}
    server.should_exit = True
    assert "the page is at http://127.0.0.1:" in caplog.text


def test_a_public_address_that_cannot_be_had(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from ratsnlp_like.nlpbook import ports

    monkeypatch.setattr(ports, "find_spec", lambda name: None)
    ports.open_tunnel(5000)
    assert "pyngrok is not installed; going on" in caplog.text


# Downloads

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Host(BaseHTTPRequestHandler):
    """A host whose answers a test chooses by the path."""

    content, tag = CONTENT, '"v1"'
    breaks = 0
    """How many answers break off in the middle."""
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        Host.asked.append((self.path, wanted))
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/page":
            self._send(200, b"<!DOCTYPE html><title>sign in</title>", kind="text/html; charset=utf-8")
            return
        if self.path == "/disguised":
            self._send(200, b"\n <html><body>quota exceeded</body></html>")
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start and self.headers.get("If-Range") == self.tag:
            if start >= len(self.content):
                self.send_error(416)
                return
            self._send(206, self.content[start:])
        else:
            self._send(200, self.content)

    def _send(self, status: int, body: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.tag)
        self.end_headers()
        if Host.breaks:
            Host.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    Host.content, Host.tag, Host.breaks = CONTENT, '"v1"', 0
    Host.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_download_is_whole_and_kept(host: str, tmp_path: Path) -> None:
    path = nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"))
    assert path == nlpbook.get_valid_path(str(tmp_path / "new"), "a.bin")
    assert Path(path).read_bytes() == CONTENT
    assert {file.name for file in (tmp_path / "new").iterdir()} <= {"a.bin", "a.bin.lock"}
    Host.content = b"other"
    nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"))
    assert len(Host.asked) == 1  # what is there is not asked for
    nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"), force_download=True)
    assert Path(path).read_bytes() == b"other"


def test_a_download_goes_on_where_it_broke_off(host: str, tmp_path: Path) -> None:
    Host.breaks = 2
    assert download(f"{host}/a", tmp_path / "a.bin", sha256=DIGEST).read_bytes() == CONTENT
    assert [wanted for _, wanted in Host.asked] == [None, "bytes=256000-", "bytes=384000-"]


def test_a_download_that_keeps_breaking_off_goes_on_the_next_time(host: str, tmp_path: Path) -> None:
    Host.breaks = 3
    with pytest.raises(InputError, match=r"broke after 448,000 of 512,000 bytes"):
        download(f"{host}/a", tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
    download(f"{host}/a", tmp_path / "a.bin", sha256=DIGEST)
    assert Host.asked[-1][1] == "bytes=448000-"


def test_a_part_of_another_version_is_thrown_away(host: str, tmp_path: Path) -> None:
    Host.breaks = 3
    with pytest.raises(InputError):
        download(f"{host}/a", tmp_path / "a.bin")
    Host.content, Host.tag = CONTENT[::-1], '"v2"'
    assert download(f"{host}/a", tmp_path / "a.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_too_long_is_thrown_away(host: str, tmp_path: Path) -> None:
    write(tmp_path / "a.bin.part", CONTENT + b"more")
    write(tmp_path / "a.bin.part.etag", Host.tag)
    assert download(f"{host}/a", tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "says"),
    [("/page", "a web page in place of the file: .*sign in"), ("/disguised", "quota exceeded"), ("/missing", "404")],
)
def test_what_is_no_file_is_told(path: str, says: str, host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says) as caught:
        download(host + path, tmp_path / "a.bin")
    assert caught.value.place == host + path
    assert {file.name for file in tmp_path.iterdir()} <= {"a.bin.lock"}


def test_a_wrong_digest_and_a_host_that_is_not_there(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=DIGEST):
        download(f"{host}/a", tmp_path / "a.bin", sha256="0" * 64)
    assert {file.name for file in tmp_path.iterdir()} <= {"a.bin.lock"}
    with pytest.raises(InputError, match="refused"):
        download("http://127.0.0.1:9/a", tmp_path / "a.bin", timeout=1)


def test_a_corpus_lands_where_its_class_looks(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nsmc = files.CORPORA["nsmc"]
    Host.content = "id\tdocument\tlabel\n1\t좋다\t1\n".encode()
    digest = hashlib.sha256(Host.content).hexdigest()
    monkeypatch.setattr(
        files,
        "CORPORA",
        {"nsmc": SimpleNamespace(remote=[replace(r, url=f"{host}/{r.path}", sha256=digest) for r in nsmc.remote])},
    )
    args = classification.ClassificationTrainArguments(
        downstream_corpus_name="nsmc", downstream_corpus_root_dir=str(tmp_path)
    )
    nlpbook.download_downstream_dataset(args)
    for mode in ("train", "test"):
        (example,) = classification.NsmcCorpus().get_examples(tmp_path / "nsmc", mode)
        assert example == classification.ClassificationExample("좋다", None, "1")
    with pytest.raises(InputError, match=r"did you mean 'nsmc'"):
        nlpbook.download_downstream_dataset(replace(args, downstream_corpus_name="nmsc"))
    with pytest.raises(InputError, match=r"ratings_val\.txt"):
        classification.NsmcCorpus().get_examples(tmp_path / "nsmc", "val")


def test_files_of_google_drive(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "drive", lambda file_id: f"{host}/drive?id={file_id}")
    path = nlpbook.google_download("abc", "a.bin", cache_dir=str(tmp_path))
    assert Path(path).read_bytes() == CONTENT
    assert Host.asked == [("/drive?id=abc", None)]


def test_download_pretrained_model(root: Path) -> None:
    args = generation.GenerationTrainArguments(pretrained_model_name=str(root / "gpt"))
    assert nlpbook.download_pretrained_model(args, config_only=True) == str(root / "gpt")
    with pytest.raises(InputError, match="cannot be downloaded from the hub"):
        nlpbook.download_pretrained_model(replace(args, pretrained_model_name="kogpt2"))


# Worked values of the text that are no parts of a Transformer (those are in test_anatomy.py)


def test_byte_pairs_of_the_text() -> None:
    """`hug` 10, `pug` 5, `pun` 12, `bun` 4, `hugs` 5 times, and a vocabulary of 11."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=11, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator([word for word, count in counts.items() for _ in range(count)], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    assert [" ".join(merge) for merge in model["merges"]] == ["u g", "u n", "h ug"]
    assert set(model["vocab"]) == {"<unk>", *"bghnpsu", "ug", "un", "hug"}
    assert tokenizer.encode("pug bug mug").tokens == ["p", "ug", "b", "ug", "<unk>", "ug"]


@pytest.mark.parametrize(("beams", "path", "probability"), [(1, (1, 3), 0.2), (2, (2, 5), 0.28)])
def test_greedy_search_misses_what_two_beams_find(beams: int, path: tuple[int, int], probability: float) -> None:
    """The likeliest first word (0.5) leads to 0.5 · 0.4; the second (0.4) to 0.4 · 0.7."""
    from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessorList

    after = {(): {1: 0.5, 2: 0.4, 7: 0.1}, (1,): {3: 0.4, 4: 0.3, 7: 0.3}, (2,): {5: 0.7, 6: 0.3}, (7,): {7: 1.0}}

    def tree(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        chances = [[after[tuple(row[1:])].get(word, 0.0) for word in range(8)] for row in ids.tolist()]
        return torch.tensor(chances).log()

    model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=None))
    said = model.generate(
        torch.tensor([[0]]),
        do_sample=False,
        num_beams=beams,
        max_new_tokens=2,
        logits_processor=LogitsProcessorList([tree]),
        pad_token_id=0,
    )[0].tolist()
    assert tuple(said[1:]) == path
    assert np.prod([after[tuple(said[1:i])][said[i]] for i in (1, 2)]) == pytest.approx(probability)
