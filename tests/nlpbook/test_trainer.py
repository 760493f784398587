"""The trainer of the book."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nlpbook_helpers import NewsCorpus, common, features_of

from ratsnlp_like import nlpbook
from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import classification


def test_a_missing_tpu_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    args = classification.ClassificationTrainArguments(downstream_model_dir=str(tmp_path), tpu_cores=8, fp16=True)
    trainer = nlpbook.get_trainer(args)
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    if not torch.cuda.is_available():
        assert warned == [
            "tpu_cores=8: no TPU available; training on the CPU.",
            "fp16=True: no GPU available; training in fp32.",
        ]
        assert str(trainer.precision) == "32-true"
    assert trainer.max_epochs == 3
    with pytest.raises(InputError, match="downstream_model_dir"):
        nlpbook.get_trainer(classification.ClassificationTrainArguments())


def test_test_mode_runs_one_batch_and_saves_nothing(root: Path, tmp_path: Path) -> None:
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
def test_a_model_that_does_not_match_the_data_is_an_input_error(
    length: int, labels: int, match: str, root: Path, tmp_path: Path
) -> None:
    from torch.utils.data import DataLoader
    from transformers import BertForSequenceClassification

    args = classification.ClassificationTrainArguments(
        downstream_model_dir=str(tmp_path), max_seq_length=length, **common(root, tpu_cores=0)
    )
    model = BertForSequenceClassification.from_pretrained(str(root / "bert"), num_labels=labels)
    loader = DataLoader(features_of(root, NewsCorpus()), collate_fn=nlpbook.data_collator)
    with pytest.raises(InputError, match=match):
        nlpbook.get_trainer(args).fit(classification.ClassificationTask(model, args), loader, loader)
