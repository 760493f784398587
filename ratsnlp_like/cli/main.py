"""Entry point of the command line: dispatches a command by name and turns errors into exit codes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..errors import InputError, TrainingError, did_you_mean
from .process import Terminated, drop_output, drop_output_if_it_fails, open_streams, sigterm_raises

log = logging.getLogger("ratsnlp_like")

COMMANDS = (
    *("train", "tune", "evaluate", "compare", "report", "predict", "serve"),
    *("export", "share", "inspect", "tokenizer", "list", "completion"),
)
"""Each is a module of this package with a function `run(arguments)`, imported when it is needed."""

_OVERVIEW = f"""\
usage: ratsnlp-like COMMAND ...

Fine-tuning of pretrained Korean language models (version {__version__}).

  train      fine-tune a checkpoint on a corpus, evaluate it and save it
  tune       search for the learning rate, batch size, epochs, dropout and layer decay
  evaluate   evaluate a saved model on a corpus
  compare    compare saved models on the same rows
  report     write a page with the results, curves and mistakes of runs
  predict    predict on new text with a saved model
  serve      serve a saved model: a web page and an HTTP API
  export     export a saved model to ONNX and verify its outputs
  share      upload a saved model to the Hugging Face hub
  inspect    report statistics of a corpus and of its tokens
  tokenizer  train a tokenizer on a corpus, or compare tokenizers
  list       list corpora, tasks, checkpoints, metrics, formats or runs
  completion print a script that completes commands and options in a shell

Options of a command: ratsnlp-like train --task ner --help

  ratsnlp-like train --task classification --corpus reviews.csv --checkpoint klue/bert-base --output runs/reviews
  ratsnlp-like predict runs/reviews "배송이 빨라서 좋아요"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Exit code: 0 success, 2 invalid input, 1 any other failure, 130 interrupted, 143 terminated.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    open_streams()
    _log_to_stderr()
    try:
        with sigterm_raises():
            code = _run(arguments)
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"training stopped: {error}", file=sys.stderr)
        return 1
    except Terminated:
        print("terminated", file=sys.stderr)
        return 143
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe closed it (`| head`)
        drop_output()
        return 0
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        drop_output_if_it_fails()
        print(f"error: {error.strerror}: {error.filename or 'standard output, or a log file'}", file=sys.stderr)
        return 2


def is_first_process() -> bool:
    """Return True in the main process; Lightning starts the others with the same command and a rank of their own."""
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
    if command not in COMMANDS:
        raise InputError(f"unknown command {command!r}", fix=did_you_mean(command, COMMANDS))
    import_module(f".{command}", __package__).run(with_underscores(rest))
    return 0


def with_underscores(arguments: Sequence[str]) -> list[str]:
    """Return arguments with `--batch-size` written as `--batch_size`; those after `--` are texts and stay."""
    out: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "--":
            return [*out, *arguments[i:]]
        name, equals, value = argument.partition("=")
        out.append(name[:2] + name[2:].replace("-", "_") + equals + value if argument.startswith("--") else argument)
    return out
