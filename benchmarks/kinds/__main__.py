"""`inspect` and two training steps on a file of every kind that people bring.

    python -m benchmarks.kinds [--kinds NAME ...] [--keep FOLDER]

The files are written for this benchmark. Of each: the examples and labels that were read, against those that were
written; whether a bundled checkpoint trains on it; what was reported. The exit code is 1 if any of it fails.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ratsnlp_like import fine_tune
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.registry import TASKS

from .base import Kind
from .catalog import KINDS, read

CHATML = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


class _Collector(logging.Handler):
    """Keeps messages that concern the reading of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def chat_checkpoint(folder: Path) -> str:
    """Return a folder with the bundled GPT and a chat template."""
    name = resolve("ko-tiny-gpt")
    config = load_config(name)
    tokenizer = load_tokenizer(name, config)
    tokenizer.chat_template = CHATML
    model = load_model(name, config, TASKS["generation"]().model_class(), vocabulary=len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def train(kind: Kind, corpus: Any, folder: Path, chat: str) -> int:
    """Return the steps of a short training."""
    causal = kind.task in {"generation", "causal-lm"}
    checkpoint = chat if kind.chat else "ko-tiny-gpt" if causal else "ko-tiny-bert"
    result = fine_tune(
        task=kind.task, corpus=corpus, checkpoint=checkpoint, output=folder / "run", cache_dir=folder / "cache",
        max_steps=2, batch_size=4, max_length=64, accelerator="cpu", progress=False, baselines=False,
        **({"eval_prompts": 0} if kind.task == "generation" else {}), **kind.options,
    )  # fmt: skip
    return int(result.summary["steps"])


def check(kind: Kind, folder: Path, chat: str) -> tuple[list[str], bool]:
    """Return a row of the table, and True if all is right."""
    folder.mkdir(parents=True)
    try:
        corpus = kind.write(folder)
        found = read(kind, corpus, folder)
        labels = tuple(sorted(found.get("labels") or {}))
        right = found["rows"] == kind.rows and (not kind.labels or labels == tuple(sorted(kind.labels)))
        steps = train(kind, corpus, folder, chat)
        cells = [f"{found['rows']}", ", ".join(labels) or "-", f"{steps} steps"]
        return [kind.name, kind.task, *cells], right and steps == 2
    except Exception as error:  # a row of the table, whatever it is
        return [kind.name, kind.task, "", "", " ".join(f"{type(error).__name__}: {error}".split())], False


def table(kinds: Iterable[Kind], folder: Path) -> bool:
    """Print the table; return True if all kinds are read and trained on."""
    log, collector = logging.getLogger("ratsnlp_like"), _Collector()
    log.addHandler(collector)
    log.setLevel(logging.INFO)
    log.propagate = False
    chat, complete = chat_checkpoint(folder / "chat"), True
    print("| kind | task | examples | labels | training | |\n| --- | --- | --- | --- | --- | --- |")
    for number, kind in enumerate(kinds):
        cells, right = check(kind, folder / f"{number}", chat)
        complete &= right
        print(f"| {' | '.join(cells)} | {'ok' if right else 'FAILED'} |", flush=True)
        if not right:
            print("\n".join(collector.messages), file=sys.stderr)
        collector.messages.clear()
    return complete


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", help="parts of names; all by default")
    parser.add_argument("--keep", type=Path, help="write the files into this empty folder, and keep them")
    arguments = parser.parse_args()
    chosen = [k for k in KINDS if not arguments.kinds or any(part in k.name for part in arguments.kinds)]
    with tempfile.TemporaryDirectory() as temporary:
        complete = table(chosen, arguments.keep or Path(temporary))
    sys.exit(not complete)


if __name__ == "__main__":
    main()
