"""Corpora, models and calls of the book's notebooks that the tests of `nlpbook` share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from helpers import write

from ratsnlp_like import nlpbook
from ratsnlp_like.nlpbook import classification

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


def write_nsmc(root: Path) -> None:
    """As Korpora lays it out."""
    rows = [f"{i}\t{text}\t{label}" for i, (text, label) in enumerate(REVIEWS)]
    rows.append('90\t"따옴표는 글자다\t1')
    for mode in ("train", "test"):
        write(root / "nsmc" / f"ratings_{mode}.txt", "\n".join(["id\tdocument\tlabel", *rows, ""]))


def write_klue_nli(root: Path) -> None:
    entries = [{"premise": a, "hypothesis": b, "gold_label": label} for a, b, label in PAIRS]
    for mode in ("train", "dev"):
        write(root / "klue-nli" / f"klue_nli_{mode}.json", json.dumps(entries, ensure_ascii=False))


def write_ner(root: Path) -> None:
    for mode in ("train", "val"):
        write(root / "ner" / f"{mode}.txt", "\n".join([*NAMES, ""]))


def write_korquad(root: Path) -> None:
    qas = [
        {"id": str(i), "question": question, "answers": [{"text": answer, "answer_start": start}]}
        for i, (question, answer, start) in enumerate(QUESTIONS)
    ]
    content = {"data": [{"title": "도서관", "paragraphs": [{"context": CONTEXT, "qas": qas}]}]}
    for mode in ("train", "dev"):
        write(root / "korquad-v1" / f"KorQuAD_v1.0_{mode}.json", json.dumps(content))


def common(root: Path, **own: Any) -> dict[str, Any]:
    """Return the arguments that all training notebooks share, shortened."""
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


def train(args: Any, dataset: Any, corpus: Any, mode: str, model_class: Any, task: Any) -> Any:
    """Run the calls that all training notebooks share."""
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
    from transformers import BertConfig, BertTokenizer

    nlpbook.set_seed(args)
    nlpbook.set_logger(args)
    tokenizer = BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)
    own = {"batch_size": args.batch_size, "collate_fn": nlpbook.data_collator, "num_workers": args.cpu_workers}
    train_dataset = dataset(args=args, corpus=corpus, tokenizer=tokenizer, mode="train")
    val_dataset = dataset(args=args, corpus=corpus, tokenizer=tokenizer, mode=mode)
    labels = {"num_labels": corpus.num_labels} if hasattr(corpus, "num_labels") else {}
    config = BertConfig.from_pretrained(args.pretrained_model_name, **labels)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(
        task(model_class.from_pretrained(args.pretrained_model_name, config=config), args),
        train_dataloaders=DataLoader(train_dataset, sampler=RandomSampler(train_dataset, replacement=False), **own),
        val_dataloaders=DataLoader(val_dataset, sampler=SequentialSampler(val_dataset), **own),
    )
    return trainer


def deployed(args: Any, model_class: Any) -> tuple[Any, Any]:
    """Run the calls that the deployment notebooks with BERT share."""
    from transformers import BertConfig, BertTokenizer

    ckpt = torch.load(args.downstream_model_checkpoint_fpath, map_location=torch.device("cpu"))
    bias = ckpt["state_dict"].get("model.classifier.bias")
    labels = {} if bias is None else {"num_labels": bias.shape.numel()}
    model = model_class(BertConfig.from_pretrained(args.pretrained_model_name, **labels))
    model.load_state_dict({k.replace("model.", ""): v for k, v in ckpt["state_dict"].items()})
    model.eval()
    return model, BertTokenizer.from_pretrained(args.pretrained_model_name, do_lower_case=False)


def deployed_from(state: dict[str, Any], model: Any) -> None:
    model.load_state_dict({name.replace("model.", ""): value for name, value in state.items()})


def post_api(app: Any, body: Any, **options: Any) -> Any:
    from starlette.testclient import TestClient

    return TestClient(app, base_url="http://localhost").post("/api", json=body, **options)


def features_of(root: Path, corpus: Any, **own: Any) -> Any:
    from transformers import BertTokenizer

    args = classification.ClassificationTrainArguments(downstream_corpus_root_dir=str(root), max_seq_length=32)
    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    return classification.ClassificationDataset(args=args, tokenizer=tokenizer, corpus=corpus, **own)


class NewsCorpus:
    """A corpus as a reader writes it."""

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


def lightning_checkpoint(path: Path, score: float | None, *, mode: str = "min", state: Any = None) -> Path:
    name = f"ModelCheckpoint{{'monitor': 'val_loss', 'mode': '{mode}'}}"
    kept = {} if score is None else {name: {"current_score": torch.tensor(score)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state or {}, "callbacks": kept}, path)
    return path
