"""Inspection of a corpus before training: statistics of its splits, of its tokens, and the best reachable metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.architectures import max_positions
from ..checkpoints.base import load_config, resolve
from ..checkpoints.tokenizer import load_tokenizer
from ..corpora.base import Corpus
from ..data.findings import SplitFindings, overlap
from ..errors import InputError
from ..examples.base import Example
from ..runtime.places import default_root
from ..runtime.slices import slices
from ..tasks.abilities import SupportsDiagnostics, SupportsOracle
from ..tasks.base import AnyTask, ExampleCounts, Window
from .token_statistics import TokenStatistics

_SHOWN = 8
"""Number of labels lost to the tokens that are listed."""
_ORACLE = 20_000
"""Number of examples of a split for which the oracle is computed."""


def inspect(
    corpus: Corpus,
    task: AnyTask,
    *,
    checkpoint: str | None = None,
    max_length: int = 128,
    root: Path | None = None,
) -> dict[str, Any]:
    """Return statistics of a corpus.

    Args:
        corpus: all of its splits are read.
        task: the task that the corpus would be used for.
        checkpoint: adds statistics of its tokens, and the oracle.
        max_length: length of a window, in tokens, for the oracle.
        root: folder of the registered corpora.

    Returns:
        `splits` (name -> statistics), `overlap` (texts of one split that are in another), and with a checkpoint
        `tokens` (name -> statistics).

    Raises:
        InputError: the corpus or the checkpoint cannot be read.
    """
    root = root or default_root()
    splits = {name: SplitFindings() for name in corpus.splits(root)}
    tokens = _TokenInspection(task, checkpoint, max_length) if checkpoint is not None else None
    for name, findings in splits.items():
        examples = findings.count(corpus.examples(root, name))
        if tokens is None:
            for _ in examples:
                pass
        else:
            tokens.add(name, examples, findings)
    out: dict[str, Any] = {
        "corpus": type(corpus).__name__,
        "task": task.name,
        "splits": {name: findings.summary() for name, findings in splits.items()},
        "overlap": overlap(splits),
    }
    if tokens is not None:
        out |= {"checkpoint": tokens.about, "tokens": tokens.splits}
    return out


class _TokenInspection:
    """Statistics of the tokens of all splits, and the oracle of each."""

    def __init__(self, task: AnyTask, checkpoint: str, max_length: int) -> None:
        name = resolve(checkpoint)
        config = load_config(name)
        self._task, self._max_length = task, max_length
        self._tokenizer = load_tokenizer(name, config)
        self._alternatives: Mapping[str, AnyTask] | None = None
        self.splits: dict[str, Any] = {}
        self.about = {
            "name": checkpoint,
            "tokenizer": type(self._tokenizer).__name__,
            "vocabulary": len(self._tokenizer),
            "positions": max_positions(config),
        }

    def add(self, split: str, examples: Iterable[Example], findings: SplitFindings) -> None:
        """Add a split; its findings are complete when its examples have been read."""
        statistics = TokenStatistics(self._task, self._tokenizer)
        kept: list[Example] = []
        for part in slices(examples):
            statistics.count(part)
            kept += part[: max(0, _ORACLE - len(kept))]
        found = self.splits[split] = statistics.summary(self._max_length)
        # texts without labels have no oracle
        kept = [example for example in kept if example.missing is None and self._task.example.optional]
        labels = self._task.order_labels(findings.labels)
        self._task = _fitted(self._task, findings, labels, kept, self._tokenizer) if kept else self._task
        if not kept or not isinstance(self._task, SupportsOracle):
            found["oracle"] = None
            return
        found["oracle"] = _oracle(kept, self._task, self._tokenizer, labels, self._max_length)
        # fitted on the first split, which is the one for training, and evaluated on all
        if self._alternatives is None and isinstance(self._task, SupportsDiagnostics):
            self._alternatives = self._task.alternatives(kept, self._tokenizer)
        found["alternatives"] = {
            flag: _oracle(kept, other, self._tokenizer, labels, self._max_length)["metrics"]
            for flag, other in (self._alternatives or {}).items()
        }


def _fitted(
    task: AnyTask, findings: SplitFindings, labels: Sequence[str], examples: Sequence[Example], tokenizer: Any
) -> AnyTask:
    """Return the task as training would fit it: questions without an answer, texts with several labels."""
    statistics = ExampleCounts(findings.rows, findings.empty, findings.labels, several=findings.several)
    try:
        task.check_data(statistics, labels)
        return task.fit(statistics, labels, examples, tokenizer)
    except InputError:  # the split cannot be trained on, but its tokens can be inspected
        return task


def _oracle(
    examples: Sequence[Example], task: AnyTask, tokenizer: Any, labels: Sequence[str], max_length: int
) -> dict[str, Any]:
    """Return the metrics of a perfect model, which the tokens may keep below 1."""
    assert isinstance(task, SupportsOracle)
    predictions: list[Any] = []
    lost: list[str] = []
    affected = count = 0
    for part in slices(examples):
        windows: list[list[Window]] = [[] for _ in part]
        for features in task.encode(part, tokenizer, labels, max_length):
            windows[features["example"]].append(Window(features, task.oracle_output(features, labels)))
        for example, own in zip(part, windows, strict=True):
            predictions.append(task.decode(example, own, labels, tokenizer))
            if not isinstance(task, SupportsDiagnostics):
                continue
            if missing := task.inexpressible(example, predictions[-1]):
                affected += 1
                count += len(missing)
                lost += [f"{example.place}: {text}" if example.place else text for text in missing][:1]
    metrics = task.score(predictions, examples, labels)
    return {
        "examples": len(examples),
        "max_length": max_length,
        "metrics": {name: round(v, 6) for name, v in metrics.items() if isinstance(v, float)},
        "inexpressible": count,
        "inexpressible_rows": affected,
        "inexpressible_examples": lost[:_SHOWN],
    }
