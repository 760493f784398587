"""Profile of a training step and of the encoding of a corpus.

    python -m benchmarks.parts --corpus_root KORPORA [--shape small base] [--steps 20] [--examples 100000]

Reviews of NSMC. Of a step the share of matrix products among all operators (torch.profiler, their own time); of
encoding the seconds of reading and of encoding, wall and CPU time, and the tokenizer alone on the same texts.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers.net import SHAPES
from benchmarks.peers.rows import choose, save
from benchmarks.timing import described, machine

_PRODUCTS = frozenset({"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"})


def products(shape: str, corpus: Path, cache: Path, steps: int) -> tuple[float, float]:
    """Return the share of matrix products in training steps and the seconds of a step under the profiler."""
    import torch
    from torch.profiler import ProfilerActivity, profile
    from transformers import BertForSequenceClassification

    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.corpora.formats import Options
    from ratsnlp_like.corpora.opening import open_corpus
    from ratsnlp_like.data.batches import ON_HOST
    from ratsnlp_like.data.module import TaskDataModule
    from ratsnlp_like.modeling import unpadded
    from ratsnlp_like.registry import TASKS

    name = resolve("ko-tiny-bert")
    config = load_config(name, SHAPES[shape])
    config._attn_implementation = "eager"
    task = TASKS["classification"]()
    source = open_corpus(corpus, task.example, task.name, options=Options(quoting="none"))
    data = TaskDataModule(task, source, load_tokenizer(name, config), cache=cache)
    data.setup("fit")
    model = BertForSequenceClassification(config)
    unpadded.install(model)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    batches = iter(data.train_dataloader())

    def step() -> None:
        batch = {name: value for name, value in next(batches).items() if name not in {"index", *ON_HOST}}
        task.loss(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(3):
        step()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        began = time.perf_counter()
        for _ in range(steps):
            step()
        seconds = (time.perf_counter() - began) / steps
    own = {event.key: event.self_cpu_time_total for event in seen.key_averages()}
    return sum(own.get(operator, 0) for operator in _PRODUCTS) / sum(own.values()), seconds


def encoding(corpus: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median wall and CPU seconds of each part."""
    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.corpora.formats import Options
    from ratsnlp_like.corpora.opening import open_corpus
    from ratsnlp_like.data.encoding import encode_split
    from ratsnlp_like.data.reading import read_split
    from ratsnlp_like.registry import TASKS
    from ratsnlp_like.text.tokens import tokenize

    name, task = resolve("ko-tiny-bert"), TASKS["classification"]()
    tokenizer = load_tokenizer(name, load_config(name))
    source = open_corpus(corpus, task.example, task.name, options=Options(quoting="none"))
    found: dict[str, list[tuple[float, float]]] = {}

    def timed(what: str, part: Callable[[], Any]) -> Any:
        began = time.perf_counter(), time.process_time()
        made = part()
        found.setdefault(what, []).append((time.perf_counter() - began[0], time.process_time() - began[1]))
        return made

    def alone(texts: list[str]) -> None:
        for i in range(0, len(texts), 1024):
            tokenize(tokenizer, texts[i : i + 1024], offsets=False)

    for _ in range(rounds + 1):  # the first one warms up
        with tempfile.TemporaryDirectory() as folder:
            cache = Path(folder)
            read = timed("reading", lambda cache=cache: read_split(source, "train", root=Path(), cache=cache))
            labels = sorted(read.statistics.labels)
            timed(
                "encoding",
                lambda read=read, cache=cache, labels=labels: encode_split(
                    read, task, tokenizer, labels, 128, cache=cache
                ),
            )
            texts = [example.text for example in read.examples()]
            timed("the tokenizer alone", lambda texts=texts: alone(texts))
    return {
        what: (statistics.median(clock for clock, _ in rounds[1:]), statistics.median(own for _, own in rounds[1:]))
        for what, rounds in found.items()
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", type=Path, required=True, help="the folder in which nsmc/ lies")
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=["small"])
    parser.add_argument("--steps", type=int, default=20, help="training steps that are looked at")
    parser.add_argument("--examples", type=int, default=100_000, help="reviews to encode")
    parser.add_argument("--rounds", type=int, default=3, help="of encoding")
    arguments = parser.parse_args()
    import torch

    print(described(machine(torch.get_num_threads())))
    source = arguments.corpus_root / "nsmc" / "ratings_train.txt"
    with tempfile.TemporaryDirectory() as folder:
        corpus = save(Path(folder) / "step.tsv", choose(source, 64 * (arguments.steps + 3)))
        for shape in arguments.shape:
            share, seconds = products(shape, corpus, Path(folder) / "cache", arguments.steps)
            print(f"{shape}: {share:.0%} of a step of {1000 * seconds:.0f} ms are matrix products", flush=True)
        corpus = save(Path(folder) / "encode.tsv", choose(source, arguments.examples))
        for what, (clock, own) in encoding(corpus, arguments.rounds).items():
            print(f"{what}: {clock:.2f} s, {own:.2f} s of the processor")


if __name__ == "__main__":
    main()
