"""Entities and answers whose edge is inside a token: what each head can express, and what it learns.

    python -m benchmarks.exactness oracle --corpus_root FOLDER --tokenizers FOLDER
    python -m benchmarks.exactness train --corpus_root FOLDER --tokenizers FOLDER --output FILE.jsonl [--runs N]
    python -m benchmarks.exactness table --output FILE.jsonl

`oracle` decodes gold labels: entity F1 (strict, on characters) or KorQuAD's EM on all rows of all splits, the choice
fitted on the training rows. `train` appends a line to the output for each finished run (a corpus, a net, a head and a
seed), and skips those that are there: an interrupted benchmark continues with the same command. `table` prints mean and
standard deviation over the seeds, and the differences to learnt particles and to token edges of the net that was
trained without cuts, with their standard errors.

NER: 300 training sentences and 4 epochs for the pretrained net, 600 and 5 for nets with random weights, 400 validation
sentences. KorQuAD: twice as many questions, each with the sentence that holds the answer as its context, because nets
of this size find no answer in a paragraph; 400 validation questions. Matrix products are in bf16 where the processor
has them. Seconds are those of one thread of the processor, which other load hardly changes.

Nets: the bundled `ko-tiny-bert` (4 layers, 256 wide, pretrained), and nets of its architecture, 128 wide, with random
weights under the tokenizers of KcBERT, KoELECTRA v3 and KoBERT.
"""

from __future__ import annotations

import argparse
import json
import random
import re
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
from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.modeling import unpadded
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.runtime.hardware import computes_bf16
from ratsnlp_like.tasks.base import AnyTask, ExampleCounts, Window
from ratsnlp_like.tasks.cuts import cuts_of
from ratsnlp_like.tasks.edges import MarkedText

from .character_head import CharacterModel, without_cuts
from .presplit import moved_back, with_particles_apart

BUNDLED = "ko-tiny-bert"
RANDOM = {"hidden_size": 128, "intermediate_size": 512, "num_attention_heads": 4}
NETS = (BUNDLED, "kcbert-base", "koelectra-base-v3-discriminator", "kobert")
SEEDS = range(7, 12)
CANDIDATES = ("characters", "kiwipiepy")
"""Heads and ways that are not in the package."""
BATCH = 16


class Corpus(NamedTuple):
    """A corpus and the settings of its runs."""

    task: str
    metric: str
    heads: tuple[str, ...]
    max_length: int
    factor: int
    """Multiplies the number of training examples."""


class Settings(NamedTuple):
    """Settings of a training run."""

    examples: int
    """Training examples, drawn by the seed."""
    epochs: int
    learning_rate: float


NER = Corpus("ner", "entity_f1", ("tokens", "cuts", "characters", "kiwipiepy"), 128, 1)
CORPUS = {
    "klue-ner": NER,
    "ner-book": NER,
    "korquad-v1": Corpus("question-answering", "korquad_em", ("tokens", "cuts", "kiwipiepy"), 192, 2),
}
PRETRAINED = Settings(300, 4, 5e-4)
FROM_SCRATCH = Settings(600, 5, 1e-3)
HELD_OUT = 400
"""Validation examples that are scored."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


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
    reasons: dict[str, list[str]] = {}
    for marked, prediction in zip(task.marked_texts(rows, tokenizer), found, strict=True):
        expressed = {(span.start, span.end) for span in getattr(prediction, "entities", [prediction])}
        for span in marked.spans:
            if (span.start, span.end) not in expressed:
                tokens = [marked.text[s:e] for s, e in marked.offsets if s < span.end and span.start < e]
                line = f"{marked.text[span.start : span.end]} in {' '.join(tokens)}"
                reasons.setdefault(reason(marked, span, task), []).append(line)
    return {**out, "cuts_of": task.cuts, "inexpressible": reasons}


def reason(marked: MarkedText, span: Entity, task: Any) -> str:
    """Return why a span cannot be expressed with cuts."""
    own = [token for token in marked.offsets if token[0] < span.end and span.start < token[1]]
    text = marked.text[span.start : span.end]
    if text != text.strip():
        return "white space at an edge"
    if not own:
        return "no token"
    if any(s < other.end and other.start < e for other in marked.spans if other != span for s, e in own):
        return "a token of two spans"
    if any(cut > most for cut, most in zip(cuts_of(own[0], own[-1], span.start, span.end), task.cuts, strict=True)):
        return "a larger cut than in training"
    if len(own) > getattr(task, "max_answer_length", len(own)):
        return "longer than --max_answer_length"
    return "other"


# Training


class Run(NamedTuple):
    """A run of the benchmark."""

    seed: int
    corpus: str
    net: str
    head: str


def runs(corpora: Sequence[str], heads: Sequence[str], seeds: int) -> Iterator[Run]:
    """Yield all runs: all settings with one seed, then with the next; candidates outside of the package last."""
    for last, seed, corpus, net in product((False, True), SEEDS[:seeds], corpora, NETS):
        for head in CORPUS[corpus].heads:
            if head in heads and (head in CANDIDATES) == last:
                yield Run(seed, corpus, net, head)


def train_and_score(run: Run, root: Path, tokenizers: Path) -> dict[str, Any]:
    """Return the scores of a trained net by choice of `--spans`, and times."""
    corpus, settings = CORPUS[run.corpus], PRETRAINED if run.net == BUNDLED else FROM_SCRATCH
    train = [within_sentence(example) for example in examples_of(run.corpus, root, "train")]
    labels = labels_of(train)
    random.Random(run.seed).shuffle(train)
    train = train[: settings.examples * corpus.factor]
    held_out = [within_sentence(example) for example in examples_of(run.corpus, root, "validation")[:HELD_OUT]]
    gold, texts = held_out, [_text(example) for example in held_out]
    if run.head == "kiwipiepy":
        train, held_out = ([own.edited(with_particles_apart) for own in examples] for examples in (train, held_out))
    tokenizer = tokenizer_of(run.net, tokenizers)
    task = fitted(run.corpus, run.head if run.head == "cuts" else "tokens", train, labels, tokenizer)
    if run.head == "characters":
        task = without_cuts(task)  # type: ignore[arg-type]
    torch.manual_seed(run.seed)
    model = build(task, run, labels, tokenizer)
    features = list(task.encode(train, tokenizer, labels, corpus.max_length))
    torch.manual_seed(run.seed)  # the same dropout for each head, whatever was drawn for its weights
    began = time.process_time()
    fit(task, model, features, tokenizer, run.seed, settings)
    epoch = (time.process_time() - began) / settings.epochs
    began = time.process_time()
    windows = outputs(Predictor(task, model.eval(), tokenizer, labels, max_length=corpus.max_length), held_out)
    forward = time.process_time() - began
    scores, speed = {}, {}
    for name, variant in variants(task, run, train, labels, tokenizer).items():
        began = time.process_time()
        found: Any = [
            variant.decode(example, own, labels, tokenizer) for example, own in zip(held_out, windows, strict=True)
        ]
        speed[name] = len(held_out) / (forward + time.process_time() - began)
        if run.head == "kiwipiepy":
            found = moved_back(found, texts)
        scores[name] = variant.score(found, gold, labels)[corpus.metric]
    return {**run._asdict(), "scores": scores, "seconds_per_epoch": epoch, "predictions_per_second": speed}


def outputs(predictor: Predictor, examples: Sequence[Any]) -> list[list[Window]]:
    """Return the windows of each example with their raw outputs."""
    features = list(predictor.task.encode_inputs(examples, predictor.tokenizer, predictor.max_length))
    windows: list[list[Window]] = [[] for _ in examples]
    for own, raw in zip(features, predictor.raw_outputs(features, batch_size=64), strict=True):
        windows[own["example"]].append(Window(own, raw))
    return windows


def _text(example: Any) -> str:
    return str(example.context if isinstance(example, QuestionExample) else example.text)


def within_sentence(example: Any) -> Any:
    """Return a question with the sentence of its answer as context; other examples as they are."""
    if not isinstance(example, QuestionExample) or not example.answers:
        return example
    text, start = example.answers[0]
    ends = [match.end() for match in _SENTENCE_END.finditer(example.context)]
    begin = max((end for end in ends if end <= start), default=0)
    stop = min((end for end in ends if end >= start + len(text)), default=len(example.context))
    return replace(example, context=example.context[begin:stop], answers=(Answer(text, start - begin),))


def variants(
    task: AnyTask, run: Run, train: Sequence[Any], labels: Sequence[str], tokenizer: Any
) -> dict[str, AnyTask]:
    """Return the tasks that predict from the outputs of one trained net."""
    if run.head in {"characters", "kiwipiepy"}:
        return {run.head: task}
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


def fit(task: AnyTask, model: Any, features: Sequence[Any], tokenizer: Any, seed: int, settings: Settings) -> None:
    """Train with AdamW, 10% warmup and linear decay, on batches of similar length."""
    total = settings.epochs * -(-len(features) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    warmup = 0.1 * total
    rate: Callable[[int], float] = lambda step: min((step + 1) / warmup, (total - step) / (total - warmup))  # noqa: E731
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    draw = random.Random(seed)
    bf16 = computes_bf16("cpu")
    model.train()
    for _ in range(settings.epochs):
        for batch in batches(features, draw):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                loss = task.loss(model, task.collate(batch, tokenizer))
            loss.backward()
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
    names = ("corpus", "net", "head", "decoded as", "seeds", "score", "minus particles", "minus tokens")
    columns = (*names, "s/epoch", "predictions/s")
    yield f"| {' | '.join(columns)} |"
    yield "| --- " * len(columns) + "|"
    for corpus, net in dict.fromkeys((line["corpus"], line["net"]) for line in lines):
        own = [line for line in lines if (line["corpus"], line["net"]) == (corpus, net)]
        base = {line["seed"]: line["scores"] for line in own if line["head"] == "tokens"}
        for head, spans in dict.fromkeys((line["head"], name) for line in own for name in line["scores"]):
            yield _row(corpus, net, head, spans, [line for line in own if line["head"] == head], base)


def _row(
    corpus: str, net: str, head: str, spans: str, lines: Sequence[Mapping[str, Any]], base: Mapping[int, Any]
) -> str:
    scores = {line["seed"]: line["scores"][spans] for line in lines}
    epoch = statistics.median(line["seconds_per_epoch"] for line in lines)
    speed = statistics.median(line["predictions_per_second"][spans] for line in lines)
    spread = f" ± {statistics.stdev(scores.values()):.4f}" if len(scores) > 1 else ""
    score = f"{statistics.mean(scores.values()):.4f}{spread}"
    gains = " | ".join(
        _gain([value - base[seed][name] for seed, value in scores.items() if seed in base])
        for name in ("particles", "tokens")
    )
    return f"| {corpus} | {net} | {head} | {spans} | {len(scores)} | {score} | {gains} | {epoch:.1f} | {speed:.0f} |"


def _gain(gains: Sequence[float]) -> str:
    """Return the mean of paired differences with its standard error."""
    error = f" ± {statistics.stdev(gains) / len(gains) ** 0.5:.4f}" if len(gains) > 1 else ""
    return f"{statistics.mean(gains):+.4f}{error}" if gains else ""


def main() -> None:
    """Run one part of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["oracle", "train", "table"])
    parser.add_argument("--corpus_root", type=Path)
    parser.add_argument("--tokenizers", type=Path, help="folder with a folder for each tokenizer")
    parser.add_argument("--output", type=Path, help="JSON lines of finished runs")
    parser.add_argument("--runs", type=int, help="stop after this many runs")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="number of seeds")
    parser.add_argument("--heads", nargs="+", default=list(NER.heads), choices=NER.heads)
    parser.add_argument("--corpora", nargs="+", default=list(CORPUS), choices=list(CORPUS))
    options = parser.parse_args()
    {"oracle": _oracle, "train": _train, "table": _table}[options.what](options)


def _oracle(options: argparse.Namespace) -> None:
    print("| corpus | tokens of | rows | tokens | particles | cuts | largest cuts | not expressed with cuts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    names = sorted(path.parent.name for path in options.tokenizers.glob("*/tokenizer_config.json"))
    for corpus, name in product(options.corpora, [BUNDLED, *names]):
        found = oracle(corpus, tokenizer_of(name, options.tokenizers), options.corpus_root)
        scores = " | ".join(f"{found[spans]:.4f}" for spans in ("tokens", "particles", "cuts"))
        cuts = " and ".join(map(str, found["cuts_of"]))
        lost = "; ".join(f"{why}: {len(lines)}" for why, lines in sorted(found["inexpressible"].items()))
        print(f"| {corpus} | {name} | {found['examples']:,} | {scores} | {cuts} | {lost} |", flush=True)
        if options.output:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"corpus": corpus, "tokenizer": name, **found}, ensure_ascii=False) + "\n")


def _train(options: argparse.Namespace) -> None:
    done = {Run(line["seed"], line["corpus"], line["net"], line["head"]) for line in _lines(options.output)}
    left = [run for run in runs(options.corpora, options.heads, options.seeds) if run not in done]
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
