"""Comparison with peers: training, memory, prediction, encoding, start-up, and accuracy after the same steps.

    python -m benchmarks.run --corpus_root KORPORA [--what training ...] [--shape small base] [--rounds 3]
        [--model_type modernbert] [--examples 6400] [--threads 2] [--output FILE.json]

Binary classification of reviews of NSMC; one net with random weights and one tokenizer for all; batches of 32, at most
128 tokens, one epoch. Each contestant is a process of its own, and rounds are interleaved. The table goes to the
terminal and, with `--output`, into FILE.md and FILE.json. The scripts of the peers are in `benchmarks/peers`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from benchmarks.peers.net import MODEL_TYPES
from benchmarks.peers.rows import choose, save
from benchmarks.timing import (
    Column,
    Contestant,
    Failed,
    Measured,
    child,
    described,
    environment,
    interleaved,
    machine,
    read_result,
    table,
)

OURS, DEFAULT, BEST, REFERENCE = "ratsnlp_like", "HF Trainer, default", "HF Trainer, best", "bare loop"
EAGER = "HF Trainer, best, eager attention"
PIPELINE = "HF pipeline, batch 32, fp32"
EXAMPLES = {"small": 6400, "base": 512}
"""Default number of reviews to train on, encode or predict."""
RATES = {"small": 5e-4, "base": 5e-5}
_STARTUP = 1000
"""Number of reviews of a start-up run, few so that encoding is not measured."""
_HELD_OUT = 320
"""Number of reviews evaluated after a timed training."""

PEERS = {
    DEFAULT: ("hf_trainer",),
    BEST: ("hf_trainer", "--best"),
    EAGER: ("hf_trainer", "--best", "--attention", "eager"),
    "simpletransformers": ("simple_transformers",),
    "Flair": ("flair_trainer",),
    "ratsnlp": ("ratsnlp_tutorial",),
    REFERENCE: ("reference",),
}
"""Contestant -> its script and arguments."""

TRAINING = (
    Column("reviews/s", "examples_per_second"),
    Column("x HF default", "examples_per_second", 2, against=DEFAULT),
    Column("x HF best", "examples_per_second", 2, against=BEST),
    Column("training s", "train_seconds"),
    Column("whole command s", "wall_seconds"),
    Column("steps", "steps", 0),
)
MEMORY = (
    Column("peak MB", "peak_mb", 0),
    Column("x HF default", "peak_mb", 2, against=DEFAULT),
    Column("x HF best", "peak_mb", 2, against=BEST),
)
PREDICTION = (
    Column("texts/s", "texts_per_second", 0),
    Column("x pipeline", "texts_per_second", 2, against=PIPELINE),
    Column("one text, p50 ms", "p50_ms", 2),
    Column("x pipeline", "p50_ms", 2, against=PIPELINE),
    Column("peak MB", "peak_mb", 0),
)
ENCODING = (
    Column("cold s", "cold_seconds", 3),
    Column("x datasets.map", "cold_seconds", 3, against="datasets.map"),
    Column("CPU s", "cold_cpu_seconds", 3),
    Column("x datasets.map", "cold_cpu_seconds", 3, against="datasets.map"),
    Column("warm s", "warm_seconds", 4),
    Column("x datasets.map", "warm_seconds", 3, against="datasets.map"),
    Column("MB above imports, cold", "cold_above_mb", 0),
    Column("warm", "warm_above_mb", 0),
)
STARTUP = (
    Column("s", "seconds", 2),
    Column("x HF default's first step", "seconds", 2, against=f"first step, {DEFAULT}"),
    Column("x HF best's first step", "seconds", 2, against=f"first step, {BEST}"),
)
ACCURACY = (
    Column("accuracy %, mean ± sd", "accuracy_percent", 2, spread=True),
    Column("training s", "train_seconds"),
    Column("x HF default", "train_seconds", 3, against=DEFAULT),
    Column("steps", "steps", 0),
    Column("reviews", "examples", 0),
)


@dataclass(frozen=True)
class Bench:
    """One model size with its network and data, and the runs on it."""

    shape: str
    folder: Path
    arguments: argparse.Namespace

    @cached_property
    def environ(self) -> dict[str, str]:
        """Environment of the child processes."""
        return environment(self.arguments.threads)

    def interleaved(self, contestants: Sequence[Contestant], rounds: int) -> list[Measured]:
        """Run contestants in turn, with the limits of the command line."""
        return interleaved(contestants, rounds, self.folder, max_load=self.arguments.max_load)

    @property
    def examples(self) -> int:
        """Number of training reviews."""
        return self.arguments.examples or EXAMPLES[self.shape]

    @property
    def rate(self) -> float:
        """Peak learning rate of all contestants."""
        return self.arguments.learning_rate or RATES[self.shape]

    def reviews(self, split: str, number: int) -> Path:
        """Return a file with this number of reviews."""
        path = self.folder / f"{split}-{number}.tsv"
        source = self.arguments.corpus_root / "nsmc" / f"ratings_{split}.txt"
        return path if path.exists() else save(path, choose(source, number))

    def net(self, seed: int = 7) -> Path:
        """Return a folder with random weights and the tokenizer."""
        folder = self.folder / f"net-{seed}"
        if not folder.exists():
            kind = ("--model_type", self.arguments.model_type, "--shape", self.shape)
            self.module("net", folder, *kind, "--seed", seed)
        return folder

    def module(self, name: str, *options: Any, python: str = sys.executable, scratch: Path | None = None) -> Any:
        """Run a module of `benchmarks.peers`."""
        command = [python, "-m", f"benchmarks.peers.{name}", *map(str, options)]
        return child(command, scratch or self.folder, self.environ)

    def command_line(self, scratch: Path, *options: Any) -> list[str]:
        """Return the arguments of `train` that all trainers share, with an empty cache."""
        fixed = "--task classification --quoting none --max_length 128 --batch_size 32 --epochs 1 --progress false"
        own = {"--output": scratch / "out", "--cache_dir": scratch / "cache", "--result": scratch / "result.json"}
        return ["train", *fixed.split(), *(str(part) for pair in own.items() for part in pair), *map(str, options)]


def toolkit(bench: Bench, train: Path, test: Path, scratch: Path, *, seed: int = 7, net: int = 7) -> dict[str, float]:
    """Train once with `ratsnlp-like train`."""
    options = ["--corpus", train, "--eval_corpus", test, "--checkpoint", bench.net(net), "--seed", seed]
    options += ["--learning_rate", bench.rate]
    command = [sys.executable, "-m", "ratsnlp_like", *bench.command_line(scratch, *options)]
    outside = child(command, scratch, bench.environ)
    result = read_result(scratch / "result.json")
    figures = {name: result[name] for name in ("train_seconds", "examples", "steps")}
    return {**outside, **figures, "accuracy": result["metrics"]["accuracy"]}


def peer(
    bench: Bench, name: str, train: Path, test: Path, scratch: Path, *, seed: int = 7, net: int = 7
) -> dict[str, float]:
    """Train once with the script of a peer."""
    module, *flags = PEERS[name]
    options = ["--model", bench.net(net), "--train", train, "--test", test, "--output", scratch / "out"]
    options += ["--result", scratch / "result.json", "--learning_rate", bench.rate, "--seed", seed, *flags]
    python = bench.arguments.peer_python.get(name, sys.executable)
    outside = cached_in(scratch, bench).module(module, *options, python=python, scratch=scratch)
    return {**outside, **read_result(scratch / "result.json")}


def cached_in(scratch: Path, bench: Bench) -> Bench:
    """Return the same with an empty cache of `datasets`, so that each run encodes."""
    own = Bench(bench.shape, bench.folder, bench.arguments)
    own.environ["HF_DATASETS_CACHE"] = str(scratch / "datasets")
    return own


def train_once(run: Callable[[Path], dict[str, float]], scratch: Path) -> dict[str, float]:
    """Add the rates that tables show."""
    figures = run(scratch)
    figures["accuracy_percent"] = 100 * figures.pop("accuracy")
    return {**figures, "examples_per_second": figures["examples"] / figures["train_seconds"]}


def training(bench: Bench) -> list[Measured]:
    """Train all contestants for one epoch."""
    train, test = bench.reviews("train", bench.examples), bench.reviews("test", _HELD_OUT)
    runs = {OURS: partial(toolkit, bench, train, test)}
    runs |= {name: partial(peer, bench, name, train, test) for name in PEERS if name not in bench.arguments.skip}
    contestants = [Contestant(name, partial(train_once, run)) for name, run in runs.items()]
    return bench.interleaved(contestants, bench.arguments.rounds)


def prediction(bench: Bench) -> list[Measured]:
    """Predict the same texts with the same weights."""
    net, test = bench.net(), bench.reviews("test", bench.examples)
    bench.module("net", net, "--exports", "--test", bench.reviews("test", _HELD_OUT))
    scripts = {
        PIPELINE: ("pipeline", net),
        "Predictor, torch": ("predictor", net / "torch"),
        "Predictor, ONNX fp32": ("predictor", net / "onnx-fp32"),
        "Predictor, ONNX int8": ("predictor", net / "onnx-int8"),
    }

    def predict(kind: str, folder: Path, scratch: Path) -> dict[str, float]:
        options = [kind, "--model", folder, "--test", test, "--result", scratch / "result.json"]
        return {**bench.module("prediction", *options, scratch=scratch), **read_result(scratch / "result.json")}

    contestants = [Contestant(name, partial(predict, *what)) for name, what in scripts.items()]
    return bench.interleaved(contestants, bench.arguments.rounds)


def encoding(bench: Bench) -> list[Measured]:
    """Encode with a cold and with a warm cache, each in a separate process."""
    files = ["--train", bench.reviews("train", bench.examples), "--test", bench.reviews("test", _HELD_OUT)]

    def encode(kind: str, scratch: Path) -> dict[str, float]:
        figures: dict[str, float] = {}
        for state in ("cold", "warm"):
            result = scratch / f"{state}.json"
            options = [kind, "--model", bench.net(), *files, "--cache", scratch / "cache", "--result", result]
            bench.module("encoding", *options, scratch=scratch)
            figures |= {f"{state}_{name}": value for name, value in read_result(result).items()}
        return figures

    names = {OURS: "toolkit", "datasets.map": "datasets"}
    contestants = [Contestant(name, partial(encode, kind)) for name, kind in names.items()]
    return bench.interleaved(contestants, bench.arguments.rounds)


def startup(bench: Bench) -> list[Measured]:
    """Measure the seconds of `--help`, of `list`, and from a command to the end of the first training step."""
    train = bench.reviews("train", min(bench.examples, _STARTUP))
    test = bench.reviews("test", _HELD_OUT)

    def whole(words: list[str], scratch: Path) -> dict[str, float]:
        return {"seconds": child([*entry_point(), *words], scratch, bench.environ)["wall_seconds"]}

    def first_step(command: Callable[[Path], Sequence[Any]], scratch: Path) -> dict[str, float]:
        marked = scratch / "step.txt"
        began = time.time()
        cached_in(scratch, bench).module("first_step", marked, *command(scratch), scratch=scratch)
        if not marked.exists():
            raise Failed("it ended without a step")
        return {"seconds": float(marked.read_text(encoding="utf-8")) - began}

    def ours(scratch: Path) -> Sequence[Any]:
        options = ["--corpus", train, "--eval_corpus", test, "--checkpoint", bench.net()]
        return ["ratsnlp_like", *bench.command_line(scratch, *options)]

    def theirs(name: str, scratch: Path) -> Sequence[Any]:
        module, *flags = PEERS[name]
        options = ["--model", bench.net(), "--train", train, "--test", test, "--output", scratch / "out"]
        return [f"benchmarks.peers.{module}", *options, "--result", scratch / "result.json", *flags]

    contestants = [
        Contestant("ratsnlp-like --help", partial(whole, ["--help"])),
        Contestant("ratsnlp-like list tasks", partial(whole, ["list", "tasks"])),
        Contestant(f"first step, {OURS}", partial(first_step, ours)),
        Contestant(f"first step, {DEFAULT}", partial(first_step, partial(theirs, DEFAULT))),
        Contestant(f"first step, {BEST}", partial(first_step, partial(theirs, BEST))),
    ]
    return bench.interleaved(contestants, bench.arguments.rounds)


def entry_point() -> list[str]:
    """Return the installed command, or its module if it is not installed."""
    installed = shutil.which("ratsnlp-like", path=str(Path(sys.executable).parent))
    return [installed] if installed else [sys.executable, "-m", "ratsnlp_like"]


def accuracy(bench: Bench) -> list[Measured]:
    """Train with the same reviews, steps and hyperparameters; initial weights, order and dropout depend on the seed."""
    train = bench.reviews("train", bench.examples)
    test = bench.reviews("test", bench.arguments.test_examples)
    runs: dict[str, Callable[..., dict[str, float]]] = {OURS: partial(toolkit, bench, train, test)}
    both = [name for name in (DEFAULT, BEST) if name not in bench.arguments.skip]
    runs |= {name: partial(peer, bench, name, train, test) for name in both}
    contestants = [Contestant(name, partial(train_once, seeded(run))) for name, run in runs.items()]
    return bench.interleaved(contestants, bench.arguments.seeds)


def seeded(run: Callable[..., dict[str, float]]) -> Callable[[Path], dict[str, float]]:
    """Return a run whose seed is the number of the round: all contestants of a round start from the same weights."""
    numbers: Iterator[int] = iter(range(1, sys.maxsize))

    def once(scratch: Path) -> dict[str, float]:
        seed = next(numbers)
        return run(scratch, seed=seed, net=seed)

    return once


Section = tuple[Callable[[Bench], list[Measured]], dict[str, Sequence[Column]]]
SECTIONS: tuple[Section, ...] = (
    (training, {"training": TRAINING, "memory": MEMORY}),
    (prediction, {"prediction": PREDICTION}),
    (encoding, {"encoding": ENCODING}),
    (startup, {"startup": STARTUP}),
    (accuracy, {"accuracy": ACCURACY}),
)
"""Runs and tables of each measurement."""
WHAT = [name for _, tables in SECTIONS for name in tables]


def sections(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run the requested measurements, table by table."""
    with tempfile.TemporaryDirectory() as folder:
        for shape in arguments.shape:
            own = Path(folder) / shape
            own.mkdir()
            bench = Bench(shape, own, arguments)
            for measure, tables in SECTIONS:
                wanted = [name for name in tables if name in arguments.what]
                if wanted:
                    print(f"{' and '.join(wanted)}, {shape}:", flush=True)
                    yield from measured(bench, measure, {name: tables[name] for name in wanted})


def measured(
    bench: Bench, measure: Callable[[Bench], list[Measured]], tables: dict[str, Sequence[Column]]
) -> Iterator[dict[str, Any]]:
    """Return the tables of one measurement, or the error of its preparation."""
    try:
        bench.net()
        found = measure(bench)
    except Failed as error:
        found = [Measured("the preparation", error=str(error))]
    for name, columns in tables.items():
        title = f"{name}, {bench.arguments.model_type}, {bench.shape}, {bench.examples:,} reviews"
        rows = [one.to_dict() for one in found]
        text = f"### {title}\n\n{table(columns, found)}\n"
        yield {"what": name, "shape": bench.shape, "examples": bench.examples, "rows": rows, "text": text}


def parse() -> argparse.Namespace:
    """Parse the command line; unavailable measurements are reported first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", nargs="+", choices=WHAT, default=WHAT)
    parser.add_argument("--shape", nargs="+", choices=list(EXAMPLES), default=["small"])
    parser.add_argument("--model_type", choices=MODEL_TYPES, default="bert", help="of all contestants")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3, help="of accuracy, in place of rounds")
    parser.add_argument("--examples", type=int, help=f"reviews; {EXAMPLES} by default")
    parser.add_argument("--test_examples", type=int, default=5000, help="reviews that accuracy is measured on")
    parser.add_argument("--learning_rate", type=float, help=f"of all contestants; {RATES} by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--max_load", type=float, default=0.2, help="cores in use by other processes above which a round is repeated"
    )
    parser.add_argument("--corpus_root", type=Path, required=True, help="the folder in which nsmc/ lies")
    parser.add_argument(
        "--peer_python",
        nargs="+",
        default=[],
        metavar="NAME=PYTHON",
        help="the interpreter of a peer that wants an environment of its own: Flair=/path/to/python",
    )
    parser.add_argument("--skip", nargs="+", default=[], choices=list(PEERS), help="peers to leave out")
    parser.add_argument("--output", type=Path, help="FILE.json; the tables are written to FILE.md")
    arguments = parser.parse_args()
    if not (arguments.corpus_root / "nsmc" / "ratings_train.txt").exists():
        parser.error(f"--corpus_root {arguments.corpus_root}: there is no nsmc/ratings_train.txt in it")
    arguments.peer_python = dict(pair.partition("=")[::2] for pair in arguments.peer_python)
    if unknown := set(arguments.peer_python) - set(PEERS):
        parser.error(f"--peer_python: no peer is called {unknown.pop()}; there are {', '.join(PEERS)}")
    if arguments.output and not arguments.output.parent.is_dir():
        parser.error(f"--output {arguments.output}: there is no such folder")
    for name in ("rounds", "seeds", "threads", "test_examples"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name}: at least 1")
    if arguments.examples is not None and arguments.examples < 1:
        parser.error("--examples: at least 1")
    return arguments


def main() -> None:
    """Run the benchmark from the command line."""
    arguments = parse()
    facts = machine(arguments.threads)
    print(described(facts), flush=True)
    done: list[dict[str, Any]] = []
    for section in sections(arguments):
        print("\n" + section["text"], flush=True)
        done.append(section)
        if arguments.output:  # after each: what was measured outlives what fails later
            report = {"machine": facts, "options": vars(arguments), "sections": done}
            arguments.output.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")
            texts = [described(facts).replace("\n", "\n\n"), *(section["text"] for section in done)]
            arguments.output.with_suffix(".md").write_text("\n\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main()
