"""NER: the book's notebooks, call by call, and the alignment of labels."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import write
from nlpbook_helpers import NAMES, common, deployed, logged, post_api, train

from ratsnlp_like import Predictor
from ratsnlp_like.data.decoding import decode_split
from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import ner
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import Window


@pytest.mark.slow
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
    # a model trained for 4 steps finds no entities: token accuracy hides that, entity F1 does not
    assert 0 <= seen["val_entity_f1"] < 0.5
    assert {"loss", "acc", "val_loss", "val_acc"} <= seen.keys()
    map_file = root / "checkpoint-ner" / "label_map.txt"
    types = ["PER", "LOC", "DAT", "NOH"]  # in the order of train.txt
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

    answer = post_api(get_web_service_app(inference_fn), "김서연은 부산에 산다").json()
    assert answer == inference_fn("김서연은 부산에 산다")
    assert set(answer["result"][0]) == {"token", "predicted_tag", "top_prob"}
    # the model folder predicts character offsets, whatever the order of the labels
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
    """Return tokens with their gold tags."""
    names, feature = dataset.get_labels(), dataset[i]
    tokens = dataset.tokenizer.convert_ids_to_tokens(feature.input_ids)
    return [(t, "-" if k == -100 else names[k]) for t, k in zip(tokens, feature.label_ids, strict=True)]


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("서울 부산␞<서울:LOC> <부산:LOC>", ["B-LOC", "B-LOC"]),  # the second of two adjacent entities starts with B-
        ("3 5␞<3:NOH> <5:NOH>", ["B-NOH", "B-NOH"]),
        ("민수가 서울에␞<민수:PS>가 <서울:LC>에", ["B-PS", "B-LC"]),  # tags of two letters
        ("a<b 서울␞a<b <서울:LOC>", ["B-LOC"]),  # a plain < is text
        (
            "민수\u00a0는 서울에␞<민수:PER>\u00a0는 <서울:LOC>에",
            ["B-PER", "B-LOC"],
        ),  # a no-break space keeps its offset
    ],
)
def test_ner_labels_are_aligned_with_tokens(line: str, begins: list[str], root: Path, tmp_path: Path) -> None:
    tags = tags_of(ner_dataset(root, tmp_path, [line]))
    assert [tag for _, tag in tags if tag.startswith("B-")] == begins
    assert tags[0] == ("[CLS]", "-")
    assert tags[-1] == ("[SEP]", "-")


def test_a_line_without_separator_is_an_input_error(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.txt, line 2"):
        ner_dataset(root, tmp_path, [NAMES[0], "구분자가 없다"])


def test_a_label_map_of_another_corpus_is_overwritten(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "model" / "label_map.txt", "[CLS]\n[SEP]\n[PAD]\n[MASK]\nO\nB-XX\nI-XX\n")
    labels = ner_dataset(root, tmp_path, ["대전␞<대전:LOC>"]).get_labels()
    assert labels[5:] == ["B-LOC", "I-LOC"]
    assert "belongs to another corpus" in caplog.text
    (tmp_path / "ner" / "train.txt").unlink()
    args = ner.NERTrainArguments(downstream_corpus_root_dir=str(tmp_path), downstream_model_dir=str(tmp_path / "model"))
    assert ner.NERCorpus(args).get_labels() == labels  # at prediction time only the label map exists


def test_a_long_sentence_keeps_all_its_entities(root: Path, tmp_path: Path) -> None:
    text = "바람이 분다 " * 60 + "서울"
    dataset = ner_dataset(root, tmp_path, [f"{text}␞{text.removesuffix('서울')}<서울:LOC>"])
    assert len(dataset) > 1
    assert sum(tag == "B-LOC" for _, tag in tags_of(dataset, len(dataset) - 1)) == 1


def test_predicted_entities_do_not_depend_on_the_label_order(root: Path, tmp_path: Path) -> None:
    """With gold labels as logits, the book's label order gives the same entities as the task's own order."""
    dataset = ner_dataset(root, tmp_path, NAMES)
    own, types = TASKS["ner"](), dataset.core_labels()
    examples = list(dataset.split.examples())
    found = []
    for task in (own, dataset.split.task):
        windows = task.encode(examples, dataset.tokenizer, types, 64)
        outputs = [[Window(w, task.oracle_output(w, types))] for w in windows]
        found.append([task.decode(e, w, types).entities for e, w in zip(examples, outputs, strict=True)])
    spans = [[[entity[:4] for entity in map(astuple, entities)] for entities in way] for way in found]
    assert spans[0] == spans[1]
    assert spans[0][3] == [("3", 3, 4, "NOH"), ("5", 5, 6, "NOH")]
    padding = dict.fromkeys(range(len(dataset)), None)
    for i in padding:  # every token is predicted as [PAD], a class of the book
        shape = (len(dataset[i].input_ids), len(dataset.labels))
        padding[i] = np.where(np.arange(shape[1]) == ner.NER_PAD_ID, 9.0, np.zeros(shape))
    predictions, _ = decode_split(dataset.split.task, dataset.split, padding, types, dataset.tokenizer)
    assert all(prediction.entities == () for prediction in predictions)


def test_a_label_map_without_a_needed_label_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no 'I-LOC'"):
        TASKS["ner"](tags=("O", "B-LOC")).classes(["LOC"])


def test_ner_constants() -> None:
    special = (ner.NER_CLS_TOKEN, ner.NER_SEP_TOKEN, ner.NER_PAD_TOKEN, ner.NER_MASK_TOKEN)
    assert special == ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
    assert ner.NER_PAD_ID == special.index("[PAD]") == 2
