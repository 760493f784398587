"""What a corpus holds, and what a checkpoint's tokenizer makes of it: looked at before training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.architectures import max_positions
from ..checkpoints.base import load_config, load_tokenizer, resolve
from ..corpora.base import Corpus
from ..errors import InputError
from ..examples.base import Example
from ..runtime.places import default_root
from ..runtime.slices import slices
from ..tasks.abilities import SupportsDiagnostics, SupportsOracle
from ..tasks.base import AnyTask, Statistics, Window
from ..text.tokens import Template, tokenize

_EXAMPLES = 8
_ORACLE = 20_000
"""Examples of a split on which the oracle is asked."""
MAX_LENGTHS = (32, 64, 128, 256, 300, 512)


def inspect(
    corpus: Corpus,
    task: AnyTask,
    *,
    checkpoint: str | None = None,
    max_length: int = 128,
    root: Path | None = None,
) -> dict[str, Any]:
    """Everything worth knowing of a corpus before one trains on it.

    Args:
        corpus: all of its splits are read.
        task: what it would be used for.
        checkpoint: with it, lengths in tokens, what truncation would cut, unknown tokens, and the oracle.
        max_length: of a window, in tokens, for the oracle.
        root: where registered corpora lie.

    Returns:
        `splits` (name -> findings), `overlap` (texts of one split that stand in another), and with a checkpoint
        `tokens` (name -> findings).

    Raises:
        InputError: the corpus or the checkpoint cannot be read.
    """
    root = root or default_root()
    splits = {name: _Findings() for name in corpus.splits(root)}
    looked_at: dict[str, Any] = {}
    tokenizer = config = None
    if checkpoint is not None:
        name = resolve(checkpoint)
        config = load_config(name)
        tokenizer = load_tokenizer(name, config)
    improved = None
    for split, findings in splits.items():
        examples = findings.watch(corpus.examples(root, split))
        if tokenizer is None:
            for _ in examples:
                pass
        else:
            kept, looked_at[split] = _look_at_tokens(examples, task, tokenizer, max_length)
            # nothing to ask of texts that carry no label
            kept = [example for example in kept if example.missing is None and task.example.optional]
            labels = task.order_labels(findings.labels)
            task = _fitted(task, findings, labels, kept, tokenizer) if kept else task
            looked_at[split]["oracle"] = None
            if not kept or not isinstance(task, SupportsOracle):
                continue
            looked_at[split]["oracle"] = _oracle(kept, task, tokenizer, labels, max_length)
            # learnt from the first split, which is the one to train on, and asked on all
            if improved is None and isinstance(task, SupportsDiagnostics):
                improved = task.improved(kept, tokenizer)
            if improved is not None:
                flag, better = improved
                found = _oracle(kept, better, tokenizer, labels, max_length)
                looked_at[split]["improved"] = {"flag": flag, "metrics": found["metrics"]}
    out: dict[str, Any] = {
        "corpus": type(corpus).__name__,
        "task": task.name,
        "splits": {name: findings.summary() for name, findings in splits.items()},
        "overlap": _overlap(splits),
    }
    if tokenizer is not None:
        out["checkpoint"] = {
            "name": checkpoint,
            "tokenizer": type(tokenizer).__name__,
            "vocabulary": len(tokenizer),
            "positions": max_positions(config),
        }
        out["tokens"] = looked_at
    return out


@dataclass
class _Findings:
    """Counts of one split, taken while its examples pass by. Texts are kept as hashes only."""

    rows: int = 0
    empty: int = 0
    repeated: int = 0
    unlabelled: int = 0
    several: bool = False
    labels: Counter[str] = field(default_factory=Counter)
    characters: list[int] = field(default_factory=list)
    seen: dict[bytes, str] = field(default_factory=dict)
    copies: Counter[bytes] = field(default_factory=Counter)
    contradictions: set[bytes] = field(default_factory=set)
    contradicting: list[str] = field(default_factory=list)

    def watch(self, examples: Iterable[Example]) -> Iterator[Example]:
        """Pass examples on, and count them."""
        for example in examples:
            self._count(example)
            yield example

    def _count(self, example: Example) -> None:
        texts = [str(value) for value in example.inputs().values()]
        self.rows += 1
        self.empty += example.is_empty
        self.unlabelled += example.missing is not None
        self.labels.update(example.label_names)
        self.several |= isinstance(getattr(example, "label", None), tuple)
        self.characters.append(sum(map(len, texts)))
        key = _digest(texts)
        self.copies[key] += 1
        label = example.stratum
        if key not in self.seen:
            self.seen[key] = label
            return
        self.repeated += 1
        if self.seen[key] != label and key not in self.contradictions:
            self.contradictions.add(key)
            if len(self.contradicting) < _EXAMPLES:
                self.contradicting.append(" / ".join(texts))

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        total = sum(self.labels.values())
        return {
            "rows": self.rows,
            "empty": self.empty,
            "unlabelled": self.unlabelled,
            "distinct": len(self.seen),
            "repeated": self.repeated,
            "with_two_labels": len(self.contradictions),
            "with_two_labels_examples": self.contradicting,
            "labels": {
                name: {"count": count, "share": round(count / total, 4)}
                for name, count in sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))
            },
            "characters": percentiles(self.characters),
        }


def _fitted(
    task: AnyTask, findings: _Findings, labels: Sequence[str], examples: Sequence[Example], tokenizer: Any
) -> AnyTask:
    """The task as training would fill it in: that questions may have no answer, and texts several labels."""
    statistics = Statistics(findings.rows, findings.empty, findings.labels, several=findings.several)
    try:
        return task.fit(statistics, labels, examples, tokenizer)
    except InputError:  # nothing could be learnt from this split: it is looked at nevertheless
        return task


def _digest(texts: Sequence[str]) -> bytes:
    # Not hash(): CPython hashes the bytes a string is stored in, and "ㄱ" (U+3131) is stored as "11" is.
    content = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=12).digest()


def _overlap(splits: dict[str, _Findings]) -> dict[str, dict[str, int]]:
    """Texts of a later split that stand in an earlier one, as texts and as rows of the later."""
    out = {}
    names = list(splits)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            shared = splits[first].seen.keys() & splits[second].seen.keys()
            if shared:
                rows = sum(splits[second].copies[key] for key in shared)
                out[f"{second} in {first}"] = {"texts": len(shared), "rows": rows}
    return out


def percentiles(lengths: Sequence[int]) -> dict[str, int]:
    """p50, p90, p99 and the maximum."""
    if not lengths:
        return {"p50": 0, "p90": 0, "p99": 0, "max": 0}
    values = np.percentile(lengths, [50, 90, 99, 100], method="higher")
    return dict(zip(("p50", "p90", "p99", "max"), map(int, values), strict=True))


def _look_at_tokens(
    examples: Iterator[Example], task: AnyTask, tokenizer: Any, max_length: int
) -> tuple[list[Example], dict[str, Any]]:
    """The first examples, to ask the oracle on, and what all of them look like in tokens."""
    lengths: list[int] = []
    unknown = total = 0
    pieces: Counter[str] = Counter()
    kept: list[Example] = []
    for part in slices(examples):
        fields = part[0].required() or [part[0].given()[0]]
        columns = [task.tokenize([str(getattr(e, name)) for e in part], tokenizer) for name in fields]
        special = sum(map(len, Template.of(tokenizer).pair if len(fields) > 1 else Template.of(tokenizer).single))
        for row in zip(*columns, strict=True):
            lengths.append(special + sum(len(tokens.ids) for _, tokens in row))
            for normalized, tokens in row:
                total += len(tokens.ids)
                for token, (start, end) in zip(tokens.ids, tokens.offsets, strict=True):
                    if token == tokenizer.unk_token_id:
                        unknown += 1
                        pieces[normalized.text[start:end]] += 1
        if len(kept) < _ORACLE:
            kept += part
    array = np.asarray(lengths)
    return kept[:_ORACLE], {
        "tokens": percentiles(lengths),
        "truncated": {str(n): round(float((array > n).mean()), 6) for n in sorted({*MAX_LENGTHS, max_length})},
        "unknown_share": round(unknown / max(1, total), 6),
        "unknown_tokens": unknown,
        "unknown_characters": _guilty(pieces, tokenizer),
    }


def _guilty(pieces: Counter[str], tokenizer: Any) -> dict[str, int]:
    """The characters that make pieces unknown, most frequent first: those that are unknown on their own too."""
    alphabet = sorted(set(chain.from_iterable(pieces)))
    alone = tokenize(tokenizer, alphabet)
    bad = {c for c, tokens in zip(alphabet, alone, strict=True) if tokenizer.unk_token_id in tokens.ids}
    counts: Counter[str] = Counter()
    for piece, times in pieces.items():
        for character in {c for c in piece if c in bad} or set(piece):
            counts[character] += times
    return dict(counts.most_common(15))


def _oracle(
    examples: Sequence[Example], task: AnyTask, tokenizer: Any, labels: Sequence[str], max_length: int
) -> dict[str, Any]:
    """Metrics of a perfect model: what the tokens leave to be reached."""
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
                lost += [f"{example.place}: {what}" if example.place else what for what in missing][:1]
    metrics = task.score(predictions, examples, labels)
    return {
        "examples": len(examples),
        "max_length": max_length,
        "metrics": {name: round(v, 6) for name, v in metrics.items() if isinstance(v, float)},
        "inexpressible": count,
        "inexpressible_rows": affected,
        "inexpressible_examples": lost[:_EXAMPLES],
    }
