"""`ratsnlp-like tokenizer`: train a tokenizer on a corpus of text, or compare tokenizers on it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, did_you_mean
from .options import add_corpus_options, check_result_path, reading_options, write_result
from .parsing import new_parser, parse

if TYPE_CHECKING:
    from ..corpora.base import Corpus


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like tokenizer`."""
    commands = {"train": _train_tokenizer, "compare": _compare_tokenizers}
    command = arguments[0] if arguments else "--help"
    if command in {"-h", "--help"}:
        print("usage: ratsnlp-like tokenizer train CORPUS --output FOLDER ...")
        print("       ratsnlp-like tokenizer compare CORPUS CHECKPOINT ...")
        return
    if command not in commands:
        raise InputError(f"unknown command {command!r}", fix=did_you_mean(command, commands))
    commands[command](arguments[1:])


def _train_tokenizer(arguments: list[str]) -> None:
    from ..checkpoints.vocabularies import VocabularyArguments, check_folder, save_tokenizer, train_tokenizer

    parser = new_parser("tokenizer train", "Train a tokenizer on a corpus of text.")
    parser.add_argument("corpus", type=str, help="registered name, file, folder of files, or hub id")
    parser.add_argument("--output", type=str | None, default=None, help="folder to write: tokenizer and config.json")
    parser.add_class_arguments(VocabularyArguments)
    add_corpus_options(parser, ("text",))
    options = parse(parser, arguments)
    if not options["output"]:
        raise InputError("missing: --output", fix="--output my-tokenizer")
    check_folder(Path(options["output"]))
    made = VocabularyArguments(**{f.name: options[f.name] for f in fields(VocabularyArguments)})
    trained = train_tokenizer(_corpus_texts(options), made)
    save_tokenizer(trained, Path(options["output"]))
    task = "masked-lm" if trained.mask_token_id is not None else "causal-lm"
    print(f"{made.kind} tokenizer of {len(trained):,} tokens: {options['output']}")
    print(
        f"pretrain with it: ratsnlp-like train --task {task} --corpus {shlex.quote(options['corpus'])} "
        f"--checkpoint {shlex.quote(options['output'])} --init random"
    )


def _compare_tokenizers(arguments: list[str]) -> None:
    from ..checkpoints.vocabularies import compare_tokenizers
    from ..evaluation.inspection_report import show_tokenizers

    parser = new_parser("tokenizer compare", "Compare the tokenizers of several checkpoints on a corpus of text.")
    parser.add_argument("corpus", type=str, help="registered name, file, folder of files, or hub id")
    parser.add_argument("checkpoints", nargs="*", type=str, help="bundled names, folders or hub ids")
    parser.add_argument("--limit", type=int, default=10_000, help="number of texts, from the first one")
    parser.add_argument("--result", type=str | None, default=None, help="write the figures to this JSON file")
    add_corpus_options(parser, ("text",))
    options = parse(parser, arguments)
    if not options["checkpoints"]:
        raise InputError(
            "missing: checkpoints to compare", fix="ratsnlp-like tokenizer compare CORPUS ko-tiny-bert ko-tiny-gpt"
        )
    if options["limit"] < 1:
        raise InputError(f"{options['limit']}", place="--limit", expected="at least 1")
    check_result_path(options["result"])
    found = compare_tokenizers(list(islice(_corpus_texts(options), options["limit"])), options["checkpoints"])
    write_result(options["result"], found)
    show_tokenizers(found)


class _CorpusTexts:
    """Texts of the first split of a corpus, read again by each iteration."""

    def __init__(self, corpus: Corpus, root: Path) -> None:
        self._corpus, self._root = corpus, root
        self._split = corpus.splits(root)[0]

    def __iter__(self) -> Iterator[str]:
        for example in self._corpus.examples(self._root, self._split):
            yield example.text  # type: ignore[attr-defined]


def _corpus_texts(options: dict[str, Any]) -> _CorpusTexts:
    from ..corpora.opening import open_corpus
    from ..examples.text import RawExample
    from ..runtime.places import default_root

    corpus = open_corpus(
        options["corpus"],
        RawExample,
        "tokenizer",
        columns={"text": options["text_column"]} if options["text_column"] else {},
        subset=options["subset"],
        options=reading_options(options),
    )
    return _CorpusTexts(corpus, Path(options["corpus_root"] or default_root()))
