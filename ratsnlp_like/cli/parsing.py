"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError, did_you_mean
from .main import main

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from ..corpora.formats import Options
    from ..tasks.base import Task


# Parsers


def new_parser(command: str, description: str) -> ArgumentParser:
    """Return an argument parser that raises instead of exiting."""
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return ArgumentParser(
        prog=f"ratsnlp-like {command}", description=description, exit_on_error=False, allow_abbrev=False
    )


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> dict[str, Any]:
    """Parsed options without those that only steer the parser.

    Raises:
        InputError: what argparse would have said with a usage message.
    """
    from argparse import ArgumentError

    try:
        return dict(vars(parser.parse_args(_options_first(parser, arguments))))
    except ArgumentError as error:
        raise _readable(parser, str(error)) from None


def _options_first(parser: ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """Argparse fills `TEXT ...` at the first gap between options; here texts may stand on both sides of them.

    A switch alone (`--lora`) is on.
    """
    from ..arguments import takes_list

    flags = {flag: action.nargs != 0 for action in parser._actions for flag in action.option_strings}
    hints = {flag: getattr(action, "_typehint", None) for action in parser._actions for flag in action.option_strings}
    options: list[str] = []
    others: list[str] = []
    rest = deque(arguments)
    while rest:
        argument = rest.popleft()
        if argument == "--":
            others += rest
            break
        if argument.startswith("--") or argument in flags:
            name, equals, value = argument.partition("=")
            if not equals and hints.get(name) is bool and not (rest and rest[0].lower() in {"true", "false"}):
                equals, value = "=", "true"
            elif not equals and flags.get(name.partition(".")[0]) and rest:
                equals, value = "=", rest.popleft()
            if value and not value.startswith("[") and takes_list(hints.get(name), unless=value):
                value = f"[{value}]"  # `nfc,urls` as well as `[nfc, urls]`
            options.append(name + equals + value)
        else:
            others.append(argument)
    return [*options, "--", *others] if others else options


def _readable(parser: ArgumentParser, message: str) -> InputError:
    from ..arguments import type_in_words

    hint = f"see {parser.prog} --help"
    if message.startswith("unrecognized arguments: "):
        flag = next(word for word in message.removeprefix("unrecognized arguments: ").split() if word != "--")
        known = [
            o for action in parser._actions for o in action.option_strings if o.startswith("--") and "shtab" not in o
        ]
        if not flag.startswith("--"):
            return InputError(f"unexpected argument {flag!r}", fix=hint)
        return InputError(f"unknown option {flag}", fix=f"{did_you_mean(flag.split('=')[0], known, few=True)}{hint}")
    text = " ".join(dict.fromkeys(line.strip() for line in message.splitlines() if line.strip()))
    if found := re.search(r"Option '([\w-]+)' is not accepted", text):
        known = [action.dest for action in parser._actions]
        return InputError(
            f"unknown option {found[1]!r}", place="--config", fix=did_you_mean(found[1], known, few=True) + hint
        )
    if found := re.search(r'Parser key "([\w.]+)":.*?(?:Expected an? (.+?)\. Got value: |Given value: )(\S+)', text):
        action = next((action for action in parser._actions if action.dest == found[1]), None)
        hints = getattr(action, "_typehint", None)
        return InputError(f"{found[3]}", place=f"--{found[1]}", expected=type_in_words(hints), fix=hint)
    return InputError(re.sub(r'Parser key "(\w+)"', r"--\1", text), fix=hint)


def add_corpus_options(parser: ArgumentParser, columns: Iterable[str]) -> None:
    """Add the options that say how a corpus is read."""
    from ..arguments import CorpusArguments
    from ..corpora.formats import Options

    parser.add_class_arguments(CorpusArguments)
    parser.add_class_arguments(Options)
    group = parser.add_argument_group("Columns, where they are not found by name")
    for name in columns:
        group.add_argument(f"--{name}_column", type=str | None, default=None, help=f"the column of the {name}")


def reading_options(options: dict[str, Any]) -> Options:
    """How files are read, of all options."""
    from ..corpora.formats import Options

    return Options(**{f.name: options[f.name] for f in fields(Options)})


def task_of(arguments: Sequence[str], config: str | None) -> str | None:
    """The task decides which flags there are, so it is looked for before they are parsed."""
    for i, argument in enumerate(arguments):
        if argument == "--task" and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith("--task="):
            return argument.removeprefix("--task=")
        if argument.partition("=")[0] == "--config":
            config = argument.partition("=")[2] or (arguments[i + 1] if i + 1 < len(arguments) else None)
    if config and Path(config).is_file():
        import yaml

        try:
            content = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read as YAML: {' '.join(str(error).split())}", place=config) from None
        if not isinstance(content, dict):
            raise InputError("holds no options", place=config, expected="lines like `task: ner`")
        return content.get("task")
    if config:
        raise InputError("no such file", place=config)
    return None


def add_precision(parser: ArgumentParser) -> None:
    """Add --precision."""
    parser.add_argument(
        "--precision",
        type=Literal["32", "bf16"],
        default="32",
        help="numbers that are computed with; bf16 is faster where the hardware has it, and scores have 2 to 3 digits",
    )


def add_task_options(
    parser: ArgumentParser, task: type[Task[Any, Any]], names: frozenset[str], saved: dict[str, Any]
) -> None:
    """Some fields of a saved model's task, with its own values as defaults."""
    parser.add_class_arguments(task, skip={f.name for f in fields(task)} - names)
    parser.set_defaults({name: saved[name] for name in sorted(names) if name in saved})


def library_options(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """What goes on into the library: all but the named, and but columns that nobody named."""
    out = {k: v for k, v in options.items() if k not in {*names, "config", "print_config"}}
    return {k: v for k, v in out.items() if not (v is None and k.endswith("_column"))}


def first_positional(arguments: Sequence[str]) -> str | None:
    """The first argument that is no flag: the model folder, which decides which flags there are."""
    return next((a for a in arguments[:1] if not a.startswith("-")), None)


def check_result_path(path: str | None) -> None:
    """A result that cannot be written is told before the work, not after."""
    if path is None:
        return
    if Path(path).is_dir():
        raise InputError("is a folder", place=path, expected="a file", fix=f"--result {Path(path) / 'result.json'}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def write_result(path: str | None, content: dict[str, Any]) -> None:
    """Write a JSON result file, if a path is given."""
    if path is not None:
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
