"""Entities and answers whose edge is inside a token: what each head can express, and what it learns.

    python -m benchmarks.exactness oracle --corpus_root FOLDER --tokenizers FOLDER
    python -m benchmarks.exactness train --corpus_root FOLDER --tokenizers FOLDER --output FILE.jsonl [--runs N]
    python -m benchmarks.exactness table --output FILE.jsonl

`oracle` decodes gold labels: entity F1 (strict, on characters) or KorQuAD's EM on all rows of all splits, the choice
fitted on the training rows. `train` appends a line to the output for each finished run (a corpus, a net, a head and a
seed), and skips those that are there: an interrupted benchmark continues with the same command. NER: 1,500 training
sentences, 4 epochs, 500 validation sentences; KorQuAD: 400 questions, 2 epochs, 200 questions. `table` prints mean and
standard deviation over the seeds, and the difference to learnt particles with its standard error.

Nets: the bundled `ko-tiny-bert` (4 layers, 256 wide, pretrained), and nets of its architecture, 128 wide, with random
weights under the tokenizers of KcBERT, KoELECTRA v3 and KoBERT.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.modeling import unpadded
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.tasks.base import AnyTask, ExampleCounts, Window

from .character_head import CharacterModel, without_cuts

BUNDLED = "ko-tiny-bert"
RANDOM = {"hidden_size": 128, "intermediate_size": 512, "num_attention_heads": 4}
NETS = (BUNDLED, "kcbert-base", "koelectra-base-v3-discriminator", "kobert")
SEEDS = range(7, 12)
BATCH = 32


class Corpus(NamedTuple):
    """A corpus and the settings of its runs."""

    task: str
    metric: str
    heads: tuple[str, ...]
    max_length: int
    examples: int
    """Training examples of a run, drawn by its seed."""
    epochs: int
    held_out: int
    """Validation examples that are scored."""


NER = Corpus("ner", "entity_f1", ("tokens", "cuts", "characters"), 128, 1_500, 4, 500)
CORPUS = {
    "klue-ner": NER,
    "ner-book": NER,
    "korquad-v1": Corpus("question-answering", "korquad_em", ("tokens", "cuts"), 192, 400, 2, 200),
}
LEARNING_RATE = {True: 5e-4, False: 1e-3}
"""Of the pretrained net, and of random ones."""


@lru_cache(maxsize=4)
def examples_of(corpus: str, root: Path, split: str) -> list[Any]:
    """Return the examples of a split."""
    return list(CORPORA[corpus].examples(root, split))


def tokenizer_of(net: str, folder: Path) -> Any:
    """Return the tokenizer of a net."""
    path = resolve(BUNDLED) if net == BUNDLED else str(folder / net)
    return load_tokenizer(path, load_config(path))


def fitted(corpus: str, spans: str, train: Sequence[Any], labels: Sequence[str], tokenizer: Any) -> AnyTask:
    """Return the task with a choice of `--spans` that is fitted to examples."""
    task: AnyTask = TASKS[CORPUS[corpus].task](spans=spans)  # type: ignore[call-arg]
    return task.fit(ExampleCounts(len(train), 0), labels, train, tokenizer)


def labels_of(examples: Sequence[Any]) -> list[str]:
    """Return the types of entities, sorted; none for questions."""
    return sorted({label for example in examples for label in example.label_names})


# Oracle


def oracle(corpus: str, tokenizer: Any, root: Path) -> dict[str, Any]:
    """Return the best possible score by choice of `--spans`, on all rows, and what cuts cannot express."""
    train = examples_of(corpus, root, "train")
    rows = [*train, *examples_of(corpus, root, "validation")]
    labels = labels_of(rows)
    out: dict[str, Any] = {"examples": len(rows)}
    for spans in ("tokens", "particles", "cuts"):
        task: Any = fitted(corpus, spans, train, labels, tokenizer)
        windows: list[list[Window]] = [[] for _ in rows]
        for features in task.encode(rows, tokenizer, labels, 512):
            windows[features["example"]].append(Window(features, task.oracle_output(features, labels)))
        found = [task.decode(example, own, labels, tokenizer) for example, own in zip(rows, windows, strict=True)]
        out[spans] = task.score(found, rows, labels)[CORPUS[corpus].metric]
        lost = [line for pair in zip(rows, found, strict=True) for line in task.inexpressible(*pair)]
    return {**out, "cuts_of": task.cuts, "inexpressible": lost}


# Training


class Run(NamedTuple):
    """A run of the benchmark."""

    seed: int
    corpus: str
    net: str
    head: str


def runs(corpora: Sequence[str], seeds: int) -> Iterator[Run]:
    """Yield all runs: all settings with one seed, then with the next; the candidate that is not in the package last."""
    for last, seed, corpus, net in product((False, True), SEEDS[:seeds], corpora, NETS):
        for head in CORPUS[corpus].heads:
            if (head == "characters") == last:
                yield Run(seed, corpus, net, head)


def train_and_score(run: Run, root: Path, tokenizers: Path) -> dict[str, Any]:
    """Return the scores of a trained net by choice of `--spans`, and times."""
    settings = CORPUS[run.corpus]
    train = list(examples_of(run.corpus, root, "train"))
    labels = labels_of(train)
    random.Random(run.seed).shuffle(train)
    train = train[: settings.examples]
    held_out = examples_of(run.corpus, root, "validation")[: settings.held_out]
    tokenizer = tokenizer_of(run.net, tokenizers)
    task = fitted(run.corpus, "tokens" if run.head == "characters" else run.head, train, labels, tokenizer)
    if run.head == "characters":
        task = without_cuts(task)  # type: ignore[arg-type]
    torch.manual_seed(run.seed)
    model = build(task, run, labels, tokenizer)
    features = list(task.encode(train, tokenizer, labels, settings.max_length))
    began = time.perf_counter()
    fit(task, model, features, tokenizer, run, settings.epochs)
    seconds = (time.perf_counter() - began) / settings.epochs
    scores, speed = {}, {}
    for name, variant in variants(task, run, train, labels, tokenizer).items():
        predictor = Predictor(variant, model.eval(), tokenizer, labels, max_length=settings.max_length)
        began = time.perf_counter()
        found = predictor.predict(held_out, batch_size=64)
        speed[name] = len(held_out) / (time.perf_counter() - began)
        scores[name] = variant.score(found, held_out, labels)[settings.metric]
    return {**run._asdict(), "scores": scores, "seconds_per_epoch": seconds, "predictions_per_second": speed}


def variants(
    task: AnyTask, run: Run, train: Sequence[Any], labels: Sequence[str], tokenizer: Any
) -> dict[str, AnyTask]:
    """Return the tasks that predict from the outputs of one trained net."""
    if run.head == "characters":
        return {"characters": task}
    particles: Any = fitted(run.corpus, "particles", train, labels, tokenizer)
    edges: Any = {"particles": particles.particles}
    out: dict[str, Any] = {spans: replace(task, spans=spans, **edges) for spans in ("tokens", "particles")}  # type: ignore[call-arg]
    if run.head == "cuts":
        out |= {"cuts": task, "cuts without endings": replace(task, endings={})}  # type: ignore[call-arg]
    return out


def build(task: AnyTask, run: Run, labels: Sequence[str], tokenizer: Any) -> Any:
    """Return the net of a run, before training."""
    pretrained = run.net == BUNDLED
    config = load_config(resolve(BUNDLED), {} if pretrained else RANDOM)
    config.pad_token_id = tokenizer.pad_token_id
    task.configure(config, labels)
    model = load_model(
        resolve(BUNDLED),
        config,
        task.model_class(),
        vocabulary=len(tokenizer),
        init="pretrained" if pretrained else "random",
        attention="eager",
    )
    if run.head == "characters":
        return CharacterModel(model, len(task.classes(labels)))
    task.prepare_model(model)
    unpadded.install(model)
    return model


def fit(task: AnyTask, model: Any, features: Sequence[Any], tokenizer: Any, run: Run, epochs: int) -> None:
    """Train with AdamW, 10% warmup and linear decay, on batches of similar length."""
    total = epochs * -(-len(features) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE[run.net == BUNDLED], weight_decay=0.01)
    warmup = 0.1 * total
    rate: Callable[[int], float] = lambda step: min((step + 1) / warmup, (total - step) / (total - warmup))  # noqa: E731
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    draw = random.Random(run.seed)
    model.train()
    for _ in range(epochs):
        for batch in batches(features, draw):
            loss = task.loss(model, task.collate(batch, tokenizer))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()


def batches(features: Sequence[Any], draw: random.Random) -> Iterator[list[Any]]:
    """Yield all windows in batches of similar length, in random order."""
    order = list(range(len(features)))
    draw.shuffle(order)
    order.sort(key=lambda k: len(features[k]["input_ids"]))  # stable: random within one length
    cut = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    draw.shuffle(cut)
    for own in cut:
        yield [features[k] for k in own]


# Tables


def means(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the rows of a table: mean and standard deviation over the seeds for each head and choice of `--spans`."""
    yield "| corpus | net | head | decoded as | seeds | score | minus learnt particles | s/epoch | predictions/s |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for corpus, net in dict.fromkeys((line["corpus"], line["net"]) for line in lines):
        own = [line for line in lines if (line["corpus"], line["net"]) == (corpus, net)]
        base = {line["seed"]: line["scores"]["particles"] for line in own if line["head"] == "tokens"}
        for head, spans in dict.fromkeys((line["head"], name) for line in own for name in line["scores"]):
            yield _row(corpus, net, head, spans, [line for line in own if line["head"] == head], base)


def _row(
    corpus: str, net: str, head: str, spans: str, lines: Sequence[Mapping[str, Any]], base: Mapping[int, float]
) -> str:
    scores = {line["seed"]: line["scores"][spans] for line in lines}
    gains = [value - base[seed] for seed, value in scores.items() if seed in base]
    epoch = statistics.median(line["seconds_per_epoch"] for line in lines)
    speed = statistics.median(line["predictions_per_second"][spans] for line in lines)
    error = f" ± {statistics.stdev(gains) / len(gains) ** 0.5:.4f}" if len(gains) > 1 else ""
    gain = f"{statistics.mean(gains):+.4f}{error}" if gains else ""
    spread = f" ± {statistics.stdev(scores.values()):.4f}" if len(scores) > 1 else ""
    score = f"{statistics.mean(scores.values()):.4f}{spread}"
    return f"| {corpus} | {net} | {head} | {spans} | {len(scores)} | {score} | {gain} | {epoch:.1f} | {speed:.0f} |"


def main() -> None:
    """Run one part of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["oracle", "train", "table"])
    parser.add_argument("--corpus_root", type=Path)
    parser.add_argument("--tokenizers", type=Path, help="folder with a folder for each tokenizer")
    parser.add_argument("--output", type=Path, help="JSON lines of finished runs")
    parser.add_argument("--runs", type=int, help="stop after this many runs")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="number of seeds")
    parser.add_argument("--corpora", nargs="+", default=list(CORPUS), choices=list(CORPUS))
    options = parser.parse_args()
    {"oracle": _oracle, "train": _train, "table": _table}[options.what](options)


def _oracle(options: argparse.Namespace) -> None:
    print("| corpus | tokens of | rows | tokens | particles | cuts | largest cuts | inexpressible with cuts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    names = sorted(path.parent.name for path in options.tokenizers.glob("*/tokenizer_config.json"))
    for corpus, name in product(options.corpora, [BUNDLED, *names]):
        found = oracle(corpus, tokenizer_of(name, options.tokenizers), options.corpus_root)
        scores = " | ".join(f"{found[spans]:.4f}" for spans in ("tokens", "particles", "cuts"))
        cuts = " and ".join(map(str, found["cuts_of"]))
        print(f"| {corpus} | {name} | {found['examples']:,} | {scores} | {cuts} | {len(found['inexpressible'])} |")
        if options.output:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"corpus": corpus, "tokenizer": name, **found}, ensure_ascii=False) + "\n")


def _train(options: argparse.Namespace) -> None:
    done = {Run(line["seed"], line["corpus"], line["net"], line["head"]) for line in _lines(options.output)}
    left = [run for run in runs(options.corpora, options.seeds) if run not in done]
    for run in left[: options.runs]:
        found = train_and_score(run, options.corpus_root, options.tokenizers)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        with options.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        print(found, flush=True)


def _table(options: argparse.Namespace) -> None:
    print("\n".join(means(_lines(options.output))))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
