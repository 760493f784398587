"""Saved model folders in other versions of transformers, without this package: differences of ids and logits.

    pip install --target FOLDER --no-deps "transformers==4.57.6" "huggingface_hub<1" "tokenizers<0.23"
    python -m benchmarks.versions --transformers_4 FOLDER [--only bert llama]

Every model type and task of `benchmarks.matrix` whose head transformers has: a small model with random weights is saved
by this package, opened by `AutoTokenizer` and the Auto class of its task in both versions, and compared on three texts.
A cell is the largest absolute difference of the logits of the first text, in transformers 4 and in the installed one;
it is empty where there is no such head.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.matrix import MODEL_TYPES, has_own_head, refusal, write_checkpoint
from ratsnlp_like.checkpoints.base import bundled, load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS

TASK_NAMES = ("classification", "ner", "question-answering", "masked-lm", "causal-lm")
"""Tasks with different heads: the columns."""
TEXTS = ("안녕하세요 한국어 문장입니다.", "  두 칸  띄우고 ㅎㅎ 1,234원 Hello 😀", "배우들의 연기가 좋았다")
_LABELS = {"classification": ["긍정", "부정"], "ner": ["PS", "LC"]}

_SCRIPT = """
import json, sys
packages, texts, wanted = json.loads(sys.stdin.read())
sys.path[:0] = packages
import torch, transformers
out = {"version": transformers.__version__}
for folder, head in wanted:
    with open(folder + "/config.json", encoding="utf-8") as file:
        if json.load(file)["model_type"] not in transformers.CONFIG_MAPPING:
            continue
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids, logits = [tokenizer(text)["input_ids"] for text in texts], []
    if head is not None:
        model = getattr(transformers, head).from_pretrained(folder).eval()
        with torch.no_grad():
            output = model(**tokenizer(texts[0], return_tensors="pt"))
        logits = (output.logits if "logits" in output else output.start_logits).flatten().tolist()
    out[folder] = [ids, logits]
print(json.dumps(out))
"""


class Opened(NamedTuple):
    """A folder in one version of transformers."""

    ids: list[list[int]]
    logits: list[float]
    """Of the first text; none for a tokenizer alone."""


class Difference(NamedTuple):
    """Differences of a folder from what this package computes."""

    texts: int
    """Texts whose ids differ."""
    logits: float
    """Largest absolute difference of the logits."""


def combinations(model_types: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield model types and tasks that have a head in transformers."""
    for model_type in model_types:
        for task in TASK_NAMES:
            if refusal(model_type, task) is None and not has_own_head(model_type, task):
                yield model_type, task


def save(folder: Path, checkpoint: Path, task_name: str) -> Opened:
    """Save a small random model of a task, and return what this package computes with it."""
    import torch

    name = str(checkpoint)
    config = load_config(name)
    tokenizer = load_tokenizer(name, config)
    task: Any = TASKS[task_name]()
    labels = _LABELS.get(task_name, [])
    task.configure(config, labels)
    torch.manual_seed(0)
    model = load_model(name, config, task.model_class(), vocabulary=len(tokenizer)).eval()
    if getattr(config, "type_vocab_size", 0) < 2:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    Predictor(task, model, tokenizer, labels, max_length=32).save_pretrained(folder)
    with torch.no_grad():
        output = model(**tokenizer(TEXTS[0], return_tensors="pt"))
    logits = output.logits if "logits" in output else output.start_logits
    return Opened([tokenizer(text)["input_ids"] for text in TEXTS], logits.flatten().tolist())


def save_all(root: Path, model_types: Sequence[str]) -> dict[tuple[str, str], Opened]:
    """Save all combinations into folders `TYPE/TASK`, and return what this package computes with them."""
    expected = {}
    for model_type, task in combinations(model_types):
        checkpoint = root / model_type / "checkpoint"
        if not checkpoint.exists():
            write_checkpoint(model_type, checkpoint)
        expected[model_type, task] = save(root / model_type / task, checkpoint, task)
    return expected


def open_all(folders: Mapping[str, str | None], packages: Sequence[str] = ()) -> tuple[str, dict[str, Opened]]:
    """Open folders in a process of its own, without this package.

    Args:
        folders: folder -> its Auto class; None for its tokenizer alone.
        packages: folder of the packages of another version of transformers; the installed one by default.

    Returns:
        The version of transformers, and what it computes by folder; without those of model types that it lacks.

    Raises:
        RuntimeError: the process fails.
    """
    sent = json.dumps([list(packages), TEXTS, list(folders.items())])
    done = subprocess.run(
        [sys.executable, "-I", "-c", _SCRIPT], input=sent, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    return found.pop("version"), {folder: Opened(*own) for folder, own in found.items()}


def difference(expected: Opened, found: Opened) -> Difference:
    """Compare what a version computes with what this package does."""
    texts = sum(one != other for one, other in zip(expected.ids, found.ids, strict=True))
    logits = max((abs(a - b) for a, b in zip(expected.logits, found.logits, strict=True)), default=0.0)
    return Difference(texts, logits)


def compare(
    root: Path, expected: Mapping[tuple[str, str], Opened], packages: Sequence[str] = ()
) -> tuple[str, dict[tuple[str, str], Difference]]:
    """Return the version of transformers and the differences of all combinations."""
    folders = {(kind, task): str(root / kind / task) for kind, task in expected}
    heads = {folders[key]: TASKS[key[1]]().model_class().__name__ for key in expected}
    version, found = open_all(heads, packages)
    return version, {
        key: difference(own, found[folders[key]]) for key, own in expected.items() if folders[key] in found
    }


def compare_bundled(packages: Sequence[str] = ()) -> dict[str, Difference]:
    """Return the differences of the tokenizers of the bundled checkpoints."""
    expected = {}
    for name in bundled():
        path = resolve(name)
        tokenizer = load_tokenizer(path, load_config(path))
        expected[path] = Opened([tokenizer(text)["input_ids"] for text in TEXTS], [])
    _, found = open_all(dict.fromkeys(expected), packages)
    return {path: difference(own, found[path]) for path, own in expected.items()}


def table(versions: Mapping[str, Mapping[tuple[str, str], Difference]]) -> Iterator[str]:
    """Yield the rows of a table: model types and tasks, a figure for each version."""
    yield f"| {' / '.join(versions)} | texts with other ids | {' | '.join(TASK_NAMES)} |"
    yield f"| --- | --- |{' --- |' * len(TASK_NAMES)}"
    for kind in dict.fromkeys(kind for found in versions.values() for kind, _ in found):
        texts = [sum(own.texts for key, own in found.items() if key[0] == kind) for found in versions.values()]
        cells = [
            " / ".join(_shown(found.get((kind, task))) for found in versions.values())
            if any((kind, task) in found for found in versions.values())
            else ""
            for task in TASK_NAMES
        ]
        yield f"| {kind} | {' / '.join(map(str, texts))} | {' | '.join(cells)} |"


def _shown(found: Difference | None) -> str:
    return "not in this version" if found is None else f"{found.logits:.1g}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transformers_4", type=Path, required=True, help="folder with the packages of transformers 4")
    parser.add_argument("--only", nargs="*", choices=MODEL_TYPES, default=MODEL_TYPES, help="model types")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        expected = save_all(Path(folder), arguments.only)
        versions = [compare(Path(folder), expected, own) for own in ([str(arguments.transformers_4)], [])]
    print("\n".join(table(dict(versions))))


if __name__ == "__main__":
    main()
