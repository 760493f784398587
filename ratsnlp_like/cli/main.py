"""cli.main."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..errors import InputError, TrainingError, did_you_mean
from ..runtime import lazy_imports as lean

log = logging.getLogger("ratsnlp_like")

_OVERVIEW = f"""\
usage: ratsnlp-like COMMAND ...

Fine-tuning of pretrained Korean language models (version {__version__}).

  train      fine-tune a checkpoint on a corpus, evaluate it and save it
  evaluate   measure a saved model on a corpus
  predict    ask a saved model about new text
  serve      a page and an HTTP API for a saved model
  export     write a saved model for ONNX Runtime, and certify that it says the same
  inspect    look at a corpus, and at what a checkpoint's tokenizer makes of it
  tokenizer  train a vocabulary on your own text, or compare tokenizers on it
  list       what there is: corpora, tasks, checkpoints, formats

Each command tells more: ratsnlp-like train --task ner --help

  ratsnlp-like train --task classification --corpus reviews.csv --checkpoint klue/bert-base --output runs/reviews
  ratsnlp-like predict runs/reviews "배송이 빨라서 좋아요"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0 done, 2 the user's input is at fault, 1 anything else, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _log_to_stderr()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console in CP949 has no emoji
    try:
        return _run(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"training stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        print(f"error: {error.strerror}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return 2


def is_first_process() -> bool:
    """Lightning starts the other processes of a run with the same command, and with their rank in the environment."""
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def _log_to_stderr() -> None:
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.propagate = False
    log.setLevel(os.environ.get("RATSNLP_LIKE_LOG", "INFO" if is_first_process() else "ERROR").upper())


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_OVERVIEW, end="")
        return 0
    if arguments[0] in {"--version", "-V"}:
        print(__version__)
        return 0
    command, *rest = arguments
    if command not in _COMMANDS:
        raise InputError(f"unknown command {command!r}", fix=did_you_mean(command, _COMMANDS))
    lean.install()
    module = import_module(f".{command}", __package__)
    module.run(_underscored(rest))
    return 0


def _underscored(arguments: Sequence[str]) -> list[str]:
    """`--batch-size 8` is `--batch_size 8`; what stands behind `--` is text."""
    out: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "--":
            return [*out, *arguments[i:]]
        name, equals, value = argument.partition("=")
        out.append(name[:2] + name[2:].replace("-", "_") + equals + value if argument.startswith("--") else argument)
    return out


_COMMANDS = ("train", "evaluate", "predict", "serve", "export", "inspect", "tokenizer", "list")
