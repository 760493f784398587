"""`ratsnlp.nlpbook.paircls`: natural language inference, with the arguments, dataset and task of classification."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..corpora.base import NLI_LABELS
from ..errors import InputError
from ..examples.pair import PairExample
from ..registry import CORPORA
from .classification import (
    ClassificationDataset,
    ClassificationDeployArguments,
    ClassificationExample,
    ClassificationFeatures,
    ClassificationTask,
    ClassificationTrainArguments,
)
from .dataset import find_file, read_examples
from .request_fields import RequestFields
from .web import WebApp

__all__ = [
    "ClassificationDataset",
    "ClassificationDeployArguments",
    "ClassificationExample",
    "ClassificationFeatures",
    "ClassificationTask",
    "ClassificationTrainArguments",
    "KlueNLICorpus",
    "KorNLICorpus",
    "get_web_service_app",
]


class _NLICorpus:
    """Premises and hypotheses of a registered corpus."""

    name: ClassVar[str]
    files: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]]
    """Mode -> files, each by its possible names."""

    def get_examples(self, data_path: str | Path, mode: str) -> list[ClassificationExample]:
        """Read the pairs of train, val or test."""
        if mode not in self.files:
            raise InputError(f"{mode!r}", place="mode", expected=" or ".join(self.files))
        options = CORPORA[self.name].reading  # type: ignore[attr-defined]
        examples = [
            e for names in self.files[mode] for e in read_examples(find_file(data_path, *names), PairExample, options)
        ]
        return [ClassificationExample(e.text, e.text_pair, e.label) for e in examples]

    def get_labels(self) -> list[str]:
        """Return the labels in KLUE's order."""
        return list(NLI_LABELS)

    @property
    def num_labels(self) -> int:
        """Number of labels."""
        return len(NLI_LABELS)


class KlueNLICorpus(_NLICorpus):
    """KLUE-NLI: `klue_nli_train.json`, and `klue_nli_dev.json` for val and test."""

    name = "klue-nli"
    _dev = (("klue_nli_dev.json", "klue-nli*_dev.json"),)
    files: ClassVar = {"train": (("klue_nli_train.json", "klue-nli*_train.json"),), "val": _dev, "test": _dev}


class KorNLICorpus(_NLICorpus):
    """KorNLI: MultiNLI and SNLI for training, XNLI for validation and test."""

    name = "kornli"
    files: ClassVar = {
        "train": (("multinli.train.ko.tsv",), ("snli_1.0_train.ko.tsv",)),
        "val": (("xnli.dev.ko.tsv",),),
        "test": (("xnli.test.ko.tsv",),),
    }


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """Return a web application; POST /api takes {premise, hypothesis} and returns the result of `inference_fn`."""
    return WebApp(inference_fn, RequestFields("premise", "hypothesis"), is_colab=is_colab)
