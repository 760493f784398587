"""The JSON files of a model folder: task.json and metrics.json."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from ..checkpoints.base import COPY_AGAIN
from ..errors import InputError, did_you_mean, is_panic
from ..option_types import check_types, takes_list, type_in_words
from ..registry import TASKS
from ..runtime.files import file_digest
from ..tasks.base import AnyTask
from .transformers_folder import describe, is_transformers_folder

log = logging.getLogger("ratsnlp_like")

FORMAT_VERSION = 1
"""Version of task.json, raised when earlier versions of this package can no longer read it."""


@dataclass(frozen=True)
class TaskFile:
    """Content of task.json."""

    task: AnyTask
    labels: list[str]
    max_length: int
    about: dict[str, Any]
    """Facts about the training: checkpoint, corpus, columns, fingerprints, versions."""
    vocabulary: str | None = None
    """Digest of the tokenizer's vocabulary; None in folders of earlier versions."""
    encoding: str | None = None
    """Digest of the ids that the tokenizer gives a probe; None likewise."""
    weights: dict[str, str] = field(default_factory=dict)
    """Digests of the files of the weights; empty in folders of earlier versions."""

    def check_weights(self, folder: Path) -> None:
        """Check that the files of the weights are those that were saved with task.json.

        Raises:
            InputError: one is missing or damaged.
        """
        for name, digest in self.weights.items():
            path = folder / Path(name).name
            if not path.is_file():
                raise InputError("the weights are missing", place=path, fix=COPY_AGAIN)
            if file_digest(path) != digest:
                raise InputError(
                    "the weights are damaged: they are not those that were saved",
                    place=path,
                    fix=f'{COPY_AGAIN}; weights that you changed yourself: delete "weights" from task.json',
                )

    def check_classes(self, id2label: Mapping[int, str], path: Path) -> None:
        """Check that config.json names the same classes in the same order; LABEL_0, LABEL_1, ... match any names.

        Raises:
            InputError: it names others.
        """
        if not self.labels:
            return
        named, classes = [id2label[i] for i in sorted(id2label)], self.task.classes(self.labels)
        if named not in (classes, [f"LABEL_{i}" for i in range(len(classes))]):
            raise InputError(
                f"config.json has the classes {', '.join(map(str, named[:6]))}, task.json {', '.join(classes[:6])}",
                place=path,
                expected="the same classes in the same order",
                fix=COPY_AGAIN,
            )

    def check_tokenizer(self, tokenizer: Any, folder: Path) -> None:
        """Check that a tokenizer has the vocabulary that the model was trained with, and gives the same ids.

        Raises:
            InputError: it does not.
        """
        for expected, digest, what in (
            (self.vocabulary, vocabulary_digest, "has another vocabulary"),
            (self.encoding, encoding_digest, "gives other ids"),
        ):
            if expected is not None and digest(tokenizer) != expected:
                raise InputError(
                    f"the tokenizer is not that of the model: it {what}",
                    place=folder,
                    expected="the tokenizer's files that were saved with the model",
                    fix=COPY_AGAIN,
                )

    @property
    def columns(self) -> dict[str, str]:
        """Columns that were named in training: field -> column."""
        columns = self.about.get("columns")
        return columns if isinstance(columns, dict) else {}


def read_task_file(path: Path, task: str | None = None, labels: Sequence[str] = ()) -> TaskFile:
    """Read task.json of a model folder; for a folder that transformers saved, it follows from config.json.

    Args:
        path: a model folder.
        task: name of the task, for a folder without task.json; see `transformers_folder`.
        labels: names of the outputs, for a folder without task.json.

    Raises:
        InputError: it is damaged, was written by a later version, or states another task.
    """
    place = path / "task.json"
    if is_transformers_folder(path):
        return _read(describe(path, task, labels), path / "config.json")
    try:
        found = _read(json.loads(place.read_text(encoding="utf-8")), place)
    except (OSError, ValueError) as error:
        raise InputError(f"not valid JSON ({error})", place=place, fix=COPY_AGAIN) from None
    except RecursionError:
        raise InputError("not valid JSON: nested too deeply", place=place, fix=COPY_AGAIN) from None
    if task not in {None, found.task.name}:
        raise InputError(f"the model is for {found.task.name}, not for {task}", place=place, fix="leave out --task")
    if labels:
        raise InputError("the model names its labels itself", place=place, fix="leave out --labels")
    return found


def _read(content: Any, place: Path) -> TaskFile:
    types = {"format_version": int, "task": str, "fields": dict, "labels": list, "max_length": int, "about": dict}
    for name, kind in types.items():
        value = content.get(name) if isinstance(content, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            problem = f"{name} is {str(value)[:60]!r}" if value is not None else f"no {name}"
            raise InputError(problem, place=place, expected=f"{name}: {type_in_words(kind)}", fix=COPY_AGAIN)
    if content["format_version"] > FORMAT_VERSION:
        raise InputError(
            f"was written by a later version (format {content['format_version']}, this one reads {FORMAT_VERSION})",
            place=place,
            fix="pip install -U ratsnlp_like",
        )
    if not all(isinstance(label, str) for label in content["labels"]):
        raise InputError("a label is no string", place=place, expected="labels: a list of strings", fix=COPY_AGAIN)
    if content["max_length"] < 1:
        raise InputError(f"max_length is {content['max_length']}", place=place, expected="at least 1", fix=COPY_AGAIN)
    try:
        task = _task_of(content["task"], content["fields"])
    except InputError as error:
        problem = f"{error.place}: {error.problem}" if error.place else error.problem
        raise InputError(problem, place=place, expected=error.expected, fix=error.fix or COPY_AGAIN) from None
    weights = content.get("weights", {})
    if not isinstance(weights, dict) or not all(isinstance(digest, str) for digest in weights.values()):
        raise InputError("weights are no digests", place=place, expected='{"model.safetensors": "..."}', fix=COPY_AGAIN)
    return TaskFile(
        task,
        content["labels"],
        content["max_length"],
        content["about"],
        content.get("vocabulary"),
        content.get("encoding"),
        weights,
    )


def _task_of(name: str, values: dict[str, Any]) -> AnyTask:
    if name not in TASKS:
        fix = f"{did_you_mean(name, TASKS)}; or import the module that registers the task"
        raise InputError(f"unknown task {name!r}", fix=fix)
    kind = TASKS[name]
    known, hints = {f.name for f in fields(kind)}, get_type_hints(kind)
    check_types(kind, {name: value for name, value in values.items() if name in known})
    for name, value in values.items():  # as an option it may be text with commas
        if isinstance(value, str) and name in known and takes_list(hints[name], unless=value):
            raise InputError(f"{value!r}", place=name, expected="a list")
    return kind.from_dict(values)


_PROBE = "한국어 ㅋㅋㅋ  2026년 1,234원! Café's \u1100\u1161\u11a8 😀 (서울)"
"""A text with syllables, jamo, two spaces, digits, an accent, a decomposed syllable and an emoji."""


def vocabulary_digest(tokenizer: Any) -> str:
    """Return the sha256 of the tokens of a tokenizer in the order of their ids, and of the largest id."""
    vocabulary: dict[str, int] = getattr(tokenizer, "backend_tokenizer", tokenizer).get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    content = "\0".join([*tokens, str(max(vocabulary.values(), default=0))])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def encoding_digest(tokenizer: Any) -> str:
    """Return the sha256 of the ids of a text and of a pair: of normalization, template and special tokens."""
    try:
        ids = [tokenizer(_PROBE)["input_ids"], tokenizer(_PROBE, "ABC")["input_ids"]]
    except BaseException as error:
        if not is_panic(error):
            raise
        return "none"  # it cannot encode
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()


def weight_digests(folder: Path) -> dict[str, str]:
    """Return the digests of the files of weights in a folder, for task.json."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in {".safetensors", ".onnx", ".data"}]
    return {path.name: file_digest(path) for path in files}


def read_metrics(path: Path) -> dict[str, Any]:
    """Return the content of metrics.json of a model folder; nothing where it is missing or damaged."""
    try:
        content = json.loads((path / "metrics.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s: not valid JSON (%s); the metrics are left out.", path / "metrics.json", error)
        return {}
    return content if isinstance(content, dict) else {}
