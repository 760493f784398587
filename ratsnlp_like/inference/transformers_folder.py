"""Model folders without task.json, as transformers' own Trainer and `save_pretrained` write them.

The task follows from the head that config.json names; where several tasks share the head, `task` chooses one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.architectures import auto_head, max_positions
from ..checkpoints.base import load_config
from ..errors import InputError
from ..registry import TASKS
from ..tasks.base import AnyTask
from ..text.spans import bio_labels

log = logging.getLogger("ratsnlp_like")

_HEADS = {
    "ForSequenceClassification": "sequence-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "masked-lm",
    "ForCausalLM": "causal-lm",
    "LMHeadModel": "causal-lm",
}
"""End of the name of a model's class -> head."""
_PREFERRED = {"sequence-classification": "classification", "causal-lm": "generation"}
"""Head that several tasks share -> the task without further information."""
_ENTAILMENT = frozenset({"entailment", "contradiction", "neutral", "not_entailment", "함의", "모순", "중립"})
"""Classes of pairs of texts."""
_LONGEST = 512
"""Most tokens of a window, which the folder does not state."""


def is_transformers_folder(folder: Path) -> bool:
    """Return whether a folder has a configuration of transformers and no task.json."""
    return (folder / "config.json").is_file() and not (folder / "task.json").exists()


def describe(folder: Path, task: str | None = None, labels: Sequence[str] = ()) -> dict[str, Any]:
    """Return what task.json would contain.

    Args:
        folder: with config.json.
        task: name of the task; by default the one that the head is for.
        labels: names of the outputs in their order, where config.json has none (LABEL_0, LABEL_1, ...).

    Raises:
        InputError: the model has no head, the head is for other tasks, or its classes have no names.
    """
    config = load_config(str(folder))
    head = _head(folder, config)
    task = task or _likely_task(config, head)
    _check_task(folder, config, head, task)
    fields, classes = _fields(folder, config, task, list(labels))
    return {
        "format_version": 1,
        "task": task,
        "fields": fields,
        "labels": classes,
        "max_length": min(max_positions(config) or _LONGEST, _LONGEST),
        "about": {"checkpoint": folder.resolve().name},
    }


def report_task(folder: Path, task: AnyTask) -> None:
    """Log which task a folder was loaded for, where its head serves several."""
    head = auto_head(task.model_class())
    if head in _PREFERRED:
        others = ", ".join(name for name in _tasks_of(head) if name != task.name)
        log.info("%s: no task.json; loaded for %s (--task: %s).", folder, task.name, others)


def _head(folder: Path, config: Any) -> str:
    name = str((config.architectures or ["a model without a class"])[0])
    for suffix, head in _HEADS.items():
        if name.endswith(suffix):
            return head
    raise InputError(
        f"config.json names {name}, which has no head of a task",
        place=folder,
        expected="a fine-tuned model, whose class ends in " + ", ".join(_HEADS),
        fix=f"train it first: ratsnlp-like train --checkpoint {folder} --task ...",
    )


def _tasks_of(head: str) -> list[str]:
    """Return the names of the registered tasks whose models have a head."""
    kinds: list[tuple[str, type[AnyTask]]] = list(TASKS.items())
    return [name for name, kind in kinds if auto_head(kind().model_class()) == head]


def _likely_task(config: Any, head: str) -> str:
    names = {str(name).lower() for name in config.id2label.values()}
    if head == "sequence-classification" and names <= _ENTAILMENT:
        return "pair"
    return _PREFERRED.get(head) or _tasks_of(head)[0]


def _check_task(folder: Path, config: Any, head: str, task: str) -> None:
    if task not in (names := _tasks_of(head)):
        raise InputError(
            f"the head of {config.architectures[0]} is not for {task}",
            place=folder,
            expected=f"--task {' or '.join(names)}",
        )
    if head == "sequence-classification" and (config.problem_type == "regression" or config.num_labels == 1):
        raise InputError(
            "the model predicts a number, on a scale that its folder does not state",
            place=folder,
            expected="a classifier; or a model that `ratsnlp-like train --task similarity` saved",
        )


def _fields(folder: Path, config: Any, task: str, labels: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a task and its labels."""
    head = auto_head(TASKS[task]().model_class())
    if head not in {"sequence-classification", "token-classification"}:
        return {}, []
    outputs = labels or [str(config.id2label[number]) for number in sorted(config.id2label)]
    if len(outputs) != config.num_labels:
        raise InputError(f"{len(outputs)} names of {config.num_labels} outputs", place="--labels")
    if head == "sequence-classification":
        return ({"multi_label": True} if config.problem_type == "multi_label_classification" else {}), outputs
    types = sorted({tag[2:] for tag in outputs if tag[:2] in {"B-", "I-"}})
    if missing := sorted(set(bio_labels(types)) - set(outputs)) if types else ["B-..."]:
        raise InputError(
            f"the classes of the tokens are {', '.join(outputs[:6])}, without {missing[0]}",
            place=folder / "config.json",
            expected="O, and B- and I- of each type of entity",
            fix="name the outputs in their order: --labels O,B-PS,I-PS,...",
        )
    return {"tags": outputs}, types
