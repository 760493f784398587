"""Datasets: corpora and features of readers, real corpora, worker processes."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from nlpbook_helpers import NewsCorpus, checkpoint_of, common, features_of

from ratsnlp_like import nlpbook
from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import classification, generation, ner, paircls, qa


class CustomNLICorpus(NewsCorpus):
    def get_examples(self, data_path: str, mode: str) -> list[classification.ClassificationExample]:
        return [classification.ClassificationExample(text_a="비가 온다", text_b="날이 궂다", label="운동")]


def test_custom_corpora(root: Path) -> None:
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


def test_custom_features(root: Path) -> None:
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


def test_training_on_custom_features(root: Path, tmp_path: Path) -> None:
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


def test_features_depend_on_the_data_and_on_the_tokenizer(root: Path, vocabularies: Path) -> None:
    from transformers import BertTokenizer

    args = classification.ClassificationTrainArguments(downstream_corpus_root_dir=str(root), max_seq_length=32)
    made = {}
    for name, folder in {"bert": root / "bert", "own": vocabularies / "wordpiece"}.items():
        tokenizer = BertTokenizer.from_pretrained(str(folder), do_lower_case=False)
        ids = classification.ClassificationDataset(args, tokenizer, NewsCorpus())[0].input_ids
        assert ids == tokenizer("주가가 올랐다")["input_ids"]
        made[name] = ids
    assert made["bert"] != made["own"]


def test_datasets_are_picklable_for_worker_processes(root: Path) -> None:
    from torch.utils.data import DataLoader

    dataset = features_of(root, NewsCorpus())
    sent = pickle.loads(pickle.dumps(dataset))  # as macOS and Windows send it
    assert list(sent) == list(dataset)
    loader = DataLoader(dataset, batch_size=2, collate_fn=nlpbook.data_collator, num_workers=1)
    assert [batch["labels"].tolist() for batch in loader] == [[0, 1]]


@pytest.mark.slow
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
