"""Fixtures of the tests of `nlpbook`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import write
from nlpbook_helpers import BAD, GOOD, write_klue_nli, write_korquad, write_ner, write_nsmc

from ratsnlp_like.checkpoints.base import BUNDLED


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in place of /content and /gdrive: corpora in the book's layouts and two checkpoints."""
    from transformers import AutoTokenizer, BertModel, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("book")
    for write_corpus in (write_nsmc, write_klue_nli, write_ner, write_korquad):
        write_corpus(folder / "Korpora")
    BertModel.from_pretrained(BUNDLED / "ko-tiny-bert", num_hidden_layers=1).save_pretrained(folder / "bert")
    GPT2LMHeadModel.from_pretrained(BUNDLED / "ko-tiny-gpt", n_layer=1).save_pretrained(folder / "gpt")
    for name in ("bert", "gpt"):
        AutoTokenizer.from_pretrained(BUNDLED / f"ko-tiny-{name}").save_pretrained(folder / name)
    return folder


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    """Reset the levels that `set_logger` sets."""
    yield
    for name in ("ratsnlp", "ratsnlp_like"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the vocabulary notebook after its download."""
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
