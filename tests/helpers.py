"""Small models, small files and short runs for the tests of data, training and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.data.encoding import EncodedSplit, encode_split
from ratsnlp_like.data.reading import ReadSplit, read_split
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.tasks.classification import Classification

torch.set_num_threads(1)  # the models are tiny

CHECKPOINT = "ko-blank-bert"
TINY = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
TEXTS = [
    "국물이 진하고 맛있어요",
    "두 시간이 아까운 영화",
    "배송이 하루 만에 왔어요!",
    "포장이 찢어져서 왔네요 ㅠㅠ",
    "ㅋㅋㅋㅋ 최고",
    "직원이 너무 불친절해요",
    "또 가고 싶은 곳",
    "😀 좋아요",
    "값은 비싼데 양은 적고...",
    "재미없다",
    "김하늘은 부산에서 태어났다.",
    "한빛전자가 대전에 공장을 짓는다.",
    "박서연 씨는 3월 5일에 서울역으로 갔다",
    "15명이 모였다",
    "제주도에서 사흘을 보냈다",
    "미르자동차, 두레건설, 한빛전자",
    "이 문장에는 아무것도 없다",
    "A4용지 30장을 샀다",
    "내일 광주에 비",
    "최민재",
]
"""Sentences in the style of sample-sentiment, then of sample-ner."""
COMMAND = [sys.executable, "-m", "ratsnlp_like"]


def write(path: Path, text: str | bytes) -> Path:
    """Write bytes, or text in UTF-8, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def tsv(path: Path, rows: Iterable[tuple[str, ...]], header: str = "text\tlabel") -> Path:
    """Write rows as a TSV file."""
    return write(path, "\n".join([header, *("\t".join(row) for row in rows)]) + "\n")


def lay(name: str, root: Path) -> FilesCorpus:
    """Write the samples of a registered corpus below `root` and return the corpus."""
    corpus = CORPORA[name]
    assert isinstance(corpus, FilesCorpus)
    for split, raw in corpus.sample.items():
        write(root / corpus.paths[split][0].replace("*", "-v1"), raw)
    # a bundled corpus reads its own folder; this one reads the root
    kind = type(corpus)
    return type(kind.__name__, (kind,), {"folder": None})() if corpus.folder else corpus


@lru_cache
def tokenizer() -> Any:
    """Return the bundled tokenizer."""
    return new_tokenizer()


def new_tokenizer() -> Any:
    """Return a new instance of the bundled tokenizer, which a test may change."""
    name = resolve(CHECKPOINT)
    return load_tokenizer(name, load_config(name))


def read(path: Path, cache: Path, kind: type[Example] = TextExample, **corpus: Any) -> ReadSplit:
    """Read a file through the cache."""
    return read_split(FileCorpus(file=path, kind=kind, **corpus), "train", root=cache, cache=cache)


def encode(path: Path, cache: Path, labels: tuple[str, ...] = ("부정", "긍정"), **changes: Any) -> EncodedSplit:
    """Encode a file for classification through the cache."""
    own = {"task": Classification(), "tokenizer": tokenizer(), "max_length": 32} | changes
    return encode_split(read(path, cache), own["task"], own["tokenizer"], labels, own["max_length"], cache=cache)


def job(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """Return arguments of a short `fine_tune`: 48 reviews, 6 steps, one randomly initialised layer."""
    return {
        "task": "classification",
        "corpus": "sample-sentiment",
        "checkpoint": CHECKPOINT,
        "init": "random",
        "config_overrides": TINY,
        "output": tmp_path / "run",
        "cache_dir": tmp_path / "cache",
        "epochs": 1,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "max_length": 32,
        "limit_train": 48,
        "limit_eval": 24,
        "precision": "32",
        "accelerator": "cpu",
        "progress": False,
        "report": False,
    } | changes


def flags(tmp_path: Path, **changes: Any) -> list[str]:
    """Return `job` as arguments of `ratsnlp-like train`; a value of None omits the flag."""
    import json

    out = ["train"]
    for name, value in job(tmp_path, **changes).items():
        if value is not None:
            text = json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)
            out += [f"--{name}", text]
    return out


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a child process: one thread, no network."""
    quick = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    return os.environ | quick | changes


def command(arguments: Iterable[object], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `ratsnlp-like` in a child process."""
    options = {"env": environment(), "timeout": 120, "text": True, "capture_output": True} | options
    return subprocess.run([*COMMAND, *map(str, arguments)], check=False, **options)


def python(
    code: str, *arguments: object, interpreter: Iterable[str] = (), **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a child process; `interpreter` are options of Python itself."""
    options = {"env": environment(), "timeout": 120, "text": True, "capture_output": True} | options
    options["env"] = options["env"] | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, *interpreter, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, **options)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a model folder."""
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Return the largest absolute difference between the tensors of two models of one architecture."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
