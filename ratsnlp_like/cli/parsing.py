"""Argument parsers of the commands: the one module that works around jsonargparse.

jsonargparse has no public way to list the types of options nor structured errors, so private attributes of its parser
are read and its messages are taken apart here, and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, did_you_mean

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

_ABBREVIATIONS = {
    "--lr": "--learning_rate",
    "--bs": "--batch_size",
    "--wd": "--weight_decay",
    "--num_train_epochs": "--epochs",
    "--num_epochs": "--epochs",
    "--early_stopping": "--patience",
    "--early_stopping_patience": "--patience",
    "--max_seq_length": "--max_length",
    "--model": "--checkpoint",
    "--pretrained_model_name": "--checkpoint",
    "--data": "--corpus",
    "--dataset": "--corpus",
    "--output_dir": "--output",
    "--gradient_accumulation_steps": "--accumulate",
}
"""Names of options elsewhere -> names here."""


def new_parser(command: str, description: str) -> ArgumentParser:
    """Return a parser that raises instead of exiting."""
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return ArgumentParser(
        prog=f"ratsnlp-like {command}", description=description, exit_on_error=False, allow_abbrev=False
    )


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the values of all options.

    Raises:
        InputError: an option is unknown, or its value is not of its type.
    """
    from argparse import ArgumentError

    try:
        return dict(vars(parser.parse_args(_options_first(parser, arguments))))
    except ArgumentError as error:
        raise _as_input_error(parser, str(error)) from None


@dataclass(frozen=True)
class Flag:
    """A flag of a parser."""

    name: str
    takes_value: bool
    type: Any
    """Type hint; None where the parser knows none."""
    dest: str
    """Name of the option in the parsed values."""


def flags_of(parser: ArgumentParser) -> dict[str, Flag]:
    """Return the flags of a parser by name (`--batch_size`, `-h`)."""
    return {
        name: Flag(name, action.nargs != 0, getattr(action, "_typehint", None), action.dest)
        for action in parser._actions
        for name in action.option_strings
    }


def _options_first(parser: ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """Move options before positional arguments: argparse fills `TEXT ...` at the first gap between options.

    A flag of type bool without a value (`--lora`) is set to true, and `nfc,urls` is accepted for a list.
    """
    flags = flags_of(parser)
    options: list[str] = []
    positional: list[str] = []
    rest = deque(arguments)
    while rest:
        argument = rest.popleft()
        if argument == "--":
            positional += rest
            break
        if argument.startswith("--") or argument in flags:
            options.append(_option(argument, rest, flags))
        else:
            positional.append(argument)
    return [*options, "--", *positional] if positional else options


def _option(argument: str, rest: deque[str], flags: Mapping[str, Flag]) -> str:
    """Return `--name=value`; the value is taken from the remaining arguments where it is a separate one."""
    from ..option_types import takes_list

    name, equals, value = argument.partition("=")
    hint = flags[name].type if name in flags else None
    owner = flags.get(name.partition(".")[0])  # `--config_overrides.num_layers 2`
    if not equals and hint is bool and not (rest and rest[0].lower() in {"true", "false"}):
        equals, value = "=", "true"
    elif not equals and owner is not None and owner.takes_value and rest:
        equals, value = "=", rest.popleft()
    if name == "--config" and value:
        value = _config_as_json(Path(value))
    if value and not value.startswith("[") and takes_list(hint, unless=value):
        value = f"[{value}]"
    return name + equals + value


def _config_as_json(path: Path) -> str:
    """Return the content of a YAML file as JSON: jsonargparse would read the file in the encoding of the locale."""
    from .options import read_config

    return json.dumps(read_config(path), ensure_ascii=False, default=str)


def _as_input_error(parser: ArgumentParser, message: str) -> InputError:
    """Return the error of a message of jsonargparse."""
    from ..option_types import type_in_words

    hint = f"see {parser.prog} --help"
    if message.startswith("unrecognized arguments: "):
        return _unrecognized(parser, message.removeprefix("unrecognized arguments: ").split(), hint)
    text = " ".join(dict.fromkeys(line.strip() for line in message.splitlines() if line.strip()))
    if found := re.search(r"Option '([\w-]+)' is not accepted", text):
        known = [flag.dest for flag in flags_of(parser).values()]
        return InputError(
            f"unknown option {found[1]!r}", place="--config", fix=did_you_mean(found[1], known, few=True) + hint
        )
    if found := re.search(r'Parser key "([\w.]+)":.*?(?:Expected an? (.+?)\. Got value: |Given value: )(\S+)', text):
        types = {action.dest: getattr(action, "_typehint", None) for action in parser._actions}
        return InputError(found[3], place=f"--{found[1]}", expected=type_in_words(types.get(found[1])), fix=hint)
    return InputError(re.sub(r'Parser key "(\w+)"', r"--\1", text), fix=hint)


def _unrecognized(parser: ArgumentParser, words: Sequence[str], hint: str) -> InputError:
    argument = next(word for word in words if word != "--")
    if not argument.startswith("--"):
        return InputError(f"unexpected argument {argument!r}", fix=hint)
    name = argument.partition("=")[0]
    known = [flag for flag in flags_of(parser) if flag.startswith("--") and "shtab" not in flag]
    if (meant := _ABBREVIATIONS.get(name)) in known:
        return InputError(f"unknown option {argument}", fix=f"{meant}; {hint}")
    return InputError(f"unknown option {argument}", fix=f"{did_you_mean(name, known, few=True)}{hint}")
