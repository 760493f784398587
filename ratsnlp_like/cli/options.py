"""Options that several commands share, and the files of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError
from ..runtime.files import make_folder, write_json

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from ..corpora.formats import Options
    from ..inference.task_file import TaskFile
    from ..tasks.base import AnyTask


def add_corpus_options(parser: ArgumentParser, columns: Iterable[str]) -> None:
    """Add the options of reading a corpus, and `--NAME_column` for each name of a column."""
    from ..arguments import CorpusArguments
    from ..corpora.formats import Options

    parser.add_class_arguments(CorpusArguments)
    parser.add_class_arguments(Options)
    group = parser.add_argument_group("Columns, where they are not found by name")
    for name in columns:
        group.add_argument(f"--{name}_column", type=str | None, default=None, help=f"name of the column of the {name}")


def columns_of_all_tasks() -> list[str]:
    """Return the names of the columns of every registered task."""
    from ..registry import TASKS

    return list(dict.fromkeys(column for _, kind in TASKS.items() for column in kind.example.columns()))


def add_precision(parser: ArgumentParser) -> None:
    """Add --precision."""
    parser.add_argument(
        "--precision",
        type=Literal["auto", "32", "bf16"],
        default="auto",
        help="precision of the computation; bf16 is faster on hardware that supports it, with scores exact to 2 or 3 "
        "digits; auto: bf16 for adapters on weights in bf16 or 4 bits, else 32",
    )


def add_task_options(parser: ArgumentParser, task: AnyTask, names: frozenset[str]) -> None:
    """Add the named fields of a saved model's task, with the saved values as defaults."""
    parser.add_class_arguments(type(task), skip={f.name for f in fields(task)} - names)
    parser.set_defaults({name: value for name, value in task.to_dict().items() if name in names})


def add_head(parser: ArgumentParser) -> None:
    """Add --task and --labels, for folders that transformers saved."""
    group = parser.add_argument_group("Folders without task.json, saved by transformers")
    group.add_argument("--task", type=str | None, default=None, help="task, where the head of the model serves several")
    group.add_argument(
        "--labels", type=tuple[str, ...], default=(), help="names of the outputs in their order, where there are none"
    )


def saved_task(arguments: Sequence[str]) -> TaskFile | None:
    """Return the description of the model that the first argument names; its task decides which flags there are."""
    from ..inference.model_folder import find_model
    from ..inference.task_file import read_task_file

    folder = next((argument for argument in arguments[:1] if not argument.startswith("-")), None)
    if folder is None:
        return None
    labels = _value_of("--labels", arguments)
    return read_task_file(find_model(folder), _value_of("--task", arguments), labels.split(",") if labels else ())


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """Return the value of a flag before it is parsed; None where it is missing."""
    for argument, following in zip(arguments, [*arguments[1:], None], strict=True):
        name, equals, value = argument.partition("=")
        if name == flag:
            return value if equals else following
    return None


def reading_options(options: dict[str, Any]) -> Options:
    """Return the options of reading files among all options."""
    from ..corpora.formats import Options

    return Options(**{f.name: options[f.name] for f in fields(Options)})


def library_options(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the options that are passed to the library: without the named ones and without columns left open."""
    out = {k: v for k, v in options.items() if k not in {*names, "config", "print_config"}}
    return {k: v for k, v in out.items() if not (v is None and k.endswith("_column"))}


def task_of(arguments: Sequence[str]) -> str | None:
    """Return the task named by --task or by the file of --config; it decides which flags there are.

    Raises:
        InputError: the configuration file cannot be read.
    """
    config = None
    for argument, following in zip(arguments, [*arguments[1:], None], strict=True):
        name, equals, value = argument.partition("=")
        if name == "--task" and (equals or following is not None):
            return value if equals else following
        if name == "--config":
            config = value if equals else following
    return read_config(Path(config)).get("task") if config else None


def read_config(path: Path) -> dict[str, Any]:
    """Return the options of a YAML file.

    Raises:
        InputError: there is no such file, or it is not a mapping in YAML.
    """
    import yaml

    if not path.is_file():
        raise InputError("no such file", place=path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"invalid YAML: {' '.join(str(error).split())}", place=path) from None
    if not isinstance(content, dict):
        raise InputError("the file has no options", place=path, expected="lines like `task: ner`")
    return content


def check_result_path(path: str | None) -> None:
    """Raise before the work starts if the result cannot be written afterwards."""
    if path is None:
        return
    if Path(path).is_dir():
        raise InputError("is a folder", place=path, expected="a file", fix=f"--result {Path(path) / 'result.json'}")
    make_folder(Path(path).parent, fix="another --result")


def write_result(path: str | None, content: dict[str, Any]) -> None:
    """Write a JSON result file, if a path is given."""
    if path is not None:
        write_json(Path(path), content)
