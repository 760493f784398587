"""Confidence intervals and tests of differences: coverage, false alarms, agreement with scipy and sacreBLEU, time.

    python -m benchmarks.intervals [coverage false agreement time] [--experiments 2000]

coverage: the share of 95% intervals that hold the true score, of samples of 100, 300 and 1,000 rows from distributions
whose score is known. false: the share of experiments in which two models of the same quality differ at a level of 5%,
on 200 rows. agreement: interval ends and p-values of one sample, here and there; both are random. time: seconds of
10,000 resamples of 50,000 rows, and of the statistics that they are made of.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.metrics.bootstrap import percentiles, resampled_scores
from ratsnlp_like.metrics.entity_statistics import entity_statistics
from ratsnlp_like.metrics.example_statistics import ExampleStatistics
from ratsnlp_like.metrics.generation import chrf_statistics
from ratsnlp_like.metrics.significance import differences, mcnemar, randomization_test
from ratsnlp_like.metrics.statistics import (
    answer_statistics,
    classification_statistics,
    likelihood_statistics,
    multi_label_statistics,
    similarity_statistics,
)

Rng = np.random.Generator
LABELS = ["a", "b", "c"]
WORDS = [
    "오늘",
    "영화",
    "정말",
    "좋았다",
    "나빴다",
    "배우",
    "연기",
    "다시",
    "보고",
    "싶다",
    "그냥",
    "그랬다",
    "음악",
    "최고",
]


def classes(rng: Rng, size: int, correct: float = 0.7, labels: Sequence[str] = LABELS) -> ExampleStatistics:
    """A share is right by choice, and of the rest a part by chance; the expected F1 is the same for all classes."""
    gold = rng.integers(0, len(labels), size)
    predicted = np.where(rng.random(size) < correct, gold, rng.integers(0, len(labels), size))
    return classification_statistics(*([labels[k] for k in side] for side in (gold, predicted)), labels)


def scores(rng: Rng, size: int, r: float = 0.6) -> ExampleStatistics:
    """Normal scores with a given correlation."""
    x = rng.normal(size=size)
    return similarity_statistics(x, r * x + np.sqrt(1 - r * r) * rng.normal(size=size), 0.5)


KINDS = [(n, sum(found), wrong) for n in (1, 2) for found in product((0, 1), repeat=n) for wrong in (False, True)]
"""Sentences: gold entities, found ones, and whether one is predicted that is not there."""


def _entities() -> ExampleStatistics:
    text, entities, wrong = (
        "김민준은 서울 역에서 한빛전자 사람",
        [Entity(0, 3, "PS"), Entity(5, 7, "LC")],
        Entity(11, 15, "OG"),
    )
    gold = [entities[:n] for n, _, _ in KINDS]
    predicted = [entities[:hits] + [wrong] * extra for _, hits, extra in KINDS]
    return entity_statistics(gold, predicted, [text] * len(KINDS), ["PS", "LC", "OG"])


def sentences(rng: Rng, size: int) -> ExampleStatistics:
    """Sentences with 1 or 2 entities, each found with 70%, and in 20% one that is not there."""
    kinds = _entities()
    probabilities = [0.5 * 0.7**hits * 0.3 ** (n - hits) * (0.2 if extra else 0.8) for n, hits, extra in KINDS]
    return ExampleStatistics(kinds.table, kinds.codes[rng.choice(12, size, p=probabilities)], kinds.scores, kinds.unit)


def questions(rng: Rng, size: int) -> ExampleStatistics:
    """Documents of 5 questions, some harder than others, of which 70% are answered in the mean."""
    level = np.repeat(rng.beta(7, 3, size), 5)
    right = rng.random(5 * size) < level
    if size > 1000:  # answers are compared one by one, which takes its time
        predicted = ["서울" if own else "부산" for own in right]
        return answer_statistics([["서울"]] * (5 * size), predicted, [str(k // 5) for k in range(5 * size)])
    pair = answer_statistics([["서울"]] * 2, ["서울", "부산"], ["a", "b"])
    rows = pair.table[pair.codes][(~right).astype(int)].reshape(size, 5, -1).sum(axis=1)
    return ExampleStatistics.of_rows(rows, pair.scores, unit=pair.unit)


def texts(rng: Rng, size: int) -> ExampleStatistics:
    """Texts of 9 tokens with a mean loss of 1 each."""
    return likelihood_statistics(rng.gamma(9, 1, size), [9] * size, [1] * size)


TRUTH: dict[str, tuple[Callable[..., ExampleStatistics], float]] = {
    "accuracy": (classes, 0.8),
    "macro_f1": (classes, 0.8),
    "entity_f1": (sentences, 2 * 1.05 / (1.5 + 1.25)),
    "pearson": (scores, 0.6),
    "char_f1": (questions, 0.7),
    "perplexity": (texts, float(np.e)),
}
"""Metric -> sample, and the score of the whole distribution."""


def coverage(experiments: int) -> None:
    """Print the share of intervals that hold the true score."""
    sizes = 100, 300, 1000
    print(f"\n| metric | {' | '.join(f'{size:,} rows' for size in sizes)} |\n| --- | --- | --- | --- |")
    for metric, (draw, truth) in TRUTH.items():
        cells = []
        for size in sizes:
            rng = np.random.default_rng([size, *metric.encode()])
            found = [
                percentiles(resampled_scores([draw(rng, size)], resamples=1000)[0][metric]) for _ in range(experiments)
            ]
            cells.append(f"{100 * np.mean([low <= truth <= high for low, high in found]):.1f}%")
        print(f"| {metric} | {' | '.join(cells)} |", flush=True)


def false(experiments: int) -> None:
    """Print how often two models of the same quality differ significantly."""
    print("\n| metric | paired bootstrap | approximate randomisation | McNemar |\n| --- | --- | --- | --- |")
    for metric in ("accuracy", "macro_f1", "entity_f1", "pearson", "perplexity"):
        rng = np.random.default_rng([200, *metric.encode()])
        found = []
        for _ in range(experiments):
            first, second, right = _alike(metric, rng)
            tested = differences(first, second, resamples=1000)[metric]
            found.append((tested.bootstrap_p, tested.randomization_p, mcnemar(*right)["p"] if right else 1.0))
        shares = (np.array(found, dtype=float) <= 0.05).mean(axis=0)
        cells = [f"{100 * share:.1f}%" for share in shares[: 3 if metric == "accuracy" else 2]]
        print(f"| {metric} | {' | '.join(cells)} |{' |' if len(cells) < 3 else ''}", flush=True)


def _alike(metric: str, rng: Rng, size: int = 200) -> tuple[ExampleStatistics, ExampleStatistics, Any]:
    """Return two models of the same quality on the same rows, some of which are harder than others."""
    if metric in {"accuracy", "macro_f1"}:
        gold, hard = rng.integers(0, 3, size), rng.random(size)
        sides = [np.where(rng.random(size) < hard, gold, rng.integers(0, 3, size)) for _ in range(2)]
        names = [LABELS[k] for k in gold]
        own = [classification_statistics(names, [LABELS[k] for k in side], LABELS) for side in sides]
        return own[0], own[1], [list(side == gold) for side in sides]
    if metric == "pearson":
        x = rng.normal(size=size)
        own = [similarity_statistics(x, x + rng.normal(size=size), 0.5) for _ in range(2)]
    elif metric == "entity_f1":
        kinds, gold = _entities(), rng.integers(1, 3, size)
        own = []
        for _ in range(2):
            hits, extra = rng.binomial(gold, 0.7), rng.random(size) < 0.2
            rows = [KINDS.index((int(n), int(h), bool(e))) for n, h, e in zip(gold, hits, extra, strict=True)]
            own.append(ExampleStatistics(kinds.table, kinds.codes[rows], kinds.scores, kinds.unit))
    else:
        hard = rng.gamma(9, 0.5, size)
        own = [likelihood_statistics(hard + rng.gamma(9, 0.5, size), [9] * size, [1] * size) for _ in range(2)]
    return own[0], own[1], None


def agreement() -> None:
    """Print interval ends and p-values of this package, of scipy and of sacreBLEU."""
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest
    from scipy import stats

    print("\n| figure | here | there |\n| --- | --- | --- |")
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = 0.6 * x + 0.8 * rng.normal(size=300)
    options: Any = {"paired": True, "n_resamples": 10_000, "method": "percentile", "rng": 2}
    correlation = stats.bootstrap((x, y), lambda a, b, axis: stats.pearsonr(a, b, axis=axis).statistic, **options)
    own = percentiles(resampled_scores([similarity_statistics(x, y, 0.5)])[0]["pearson"])
    _row("interval of Pearson's r (scipy.stats.bootstrap)", own, list(correlation.confidence_interval))
    model = classes(rng, 300)
    right = model.table[model.codes][:, -1]
    mean = stats.bootstrap((right,), np.mean, **options)
    _row(
        "interval of accuracy (scipy.stats.bootstrap)",
        percentiles(resampled_scores([model])[0]["accuracy"]),
        list(mean.confidence_interval),
    )
    first, second = (x + rng.normal(shift, 1, 300) for shift in (0, 0.15))
    permuted = stats.permutation_test(
        (first, second), lambda a, b, axis: np.mean(b - a, axis=axis), permutation_type="samples", n_resamples=10_000
    )
    means = [
        ExampleStatistics.of_rows(np.stack([np.ones(300), side], axis=1), lambda s: {"mean": s[:, 1] / s[:, 0]})
        for side in (first, second)
    ]
    _row(
        "p of a difference of means (scipy.stats.permutation_test)",
        [randomization_test(*means)["mean"]],
        [permuted.pvalue],
    )
    _row(
        "p of McNemar's test, 12 and 25 (scipy.stats.binomtest)",
        [mcnemar([True] * 12 + [False] * 25, [False] * 12 + [True] * 25)["p"]],
        [stats.binomtest(12, 37).pvalue],
    )
    gold, written = _written(rng, 200)
    _, found = PairedTest(
        [(str(k), own) for k, own in enumerate(written)], {"chrf": CHRF()}, [gold], "ar", 10_000, n_ar_confidence=10_000
    )()
    theirs: Any = found["chrF2"][1]
    systems = [chrf_statistics([[text] for text in gold], own) for own in written]
    low, high = percentiles(resampled_scores(systems[1:])[0]["chrf"])
    _row("chrF (sacreBLEU)", [systems[1].observed()["chrf"]], [theirs.score / 100])
    _row("half the width of its interval (sacreBLEU)", [(high - low) / 2], [theirs.ci / 100])
    _row("p of approximate randomisation (sacreBLEU)", [randomization_test(*systems)["chrf"]], [theirs.p_value])


def _row(name: str, here: Sequence[float], there: Sequence[float]) -> None:
    cells = [", ".join(f"{value:.4f}" for value in side) for side in (here, there)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _written(rng: Rng, size: int) -> tuple[list[str], list[list[str]]]:
    """Return texts, and those of two models that get 50% and 48% of the words wrong."""
    gold = [rng.choice(WORDS, 8) for _ in range(size)]
    models = [
        [" ".join(np.where(rng.random(8) < share, rng.choice(WORDS, 8), own)) for own in gold] for share in (0.5, 0.48)
    ]
    return [" ".join(own) for own in gold], models


def duration(size: int = 50_000) -> None:
    """Print the seconds of the intervals of each family of metrics."""
    rng = np.random.default_rng(3)
    names = [f"class {k}" for k in range(100)]
    some = [[name for name in LABELS if rng.random() < 0.4] for _ in range(2 * size)]
    gold, written = _written(rng, size)
    found = [
        [Entity(3 * k, 3 * k + 2, "PLO"[rng.integers(3)]) for k in range(rng.integers(5))] for _ in range(2 * size)
    ]
    made: dict[str, Callable[[], ExampleStatistics]] = {
        "2 classes": lambda: classes(rng, size, labels=LABELS[:2]),
        "100 classes": lambda: classes(rng, size, labels=names),
        "several labels": lambda: multi_label_statistics(some[:size], some[size:], LABELS),
        "similarity": lambda: scores(rng, size),
        "entities": lambda: entity_statistics(found[:size], found[size:], ["가나 다라 마바 사아"] * size, list("PLO")),
        "answers, 10,000 documents": lambda: questions(rng, size // 5),
        "perplexity": lambda: texts(rng, size),
        "chrF": lambda: chrf_statistics([[text] for text in gold], written[0]),
    }
    print("\n| metrics | statistics, s | 10,000 resamples, s | CPU seconds of these |\n| --- | --- | --- | --- |")
    for name, make in made.items():
        begin = time.perf_counter()
        statistics = make()
        middle, used = time.perf_counter(), time.process_time()
        resampled_scores([statistics])
        end = time.perf_counter()
        print(f"| {name} | {middle - begin:.2f} | {end - middle:.2f} | {time.process_time() - used:.2f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = ["coverage", "false", "agreement", "time"]
    parser.add_argument("what", nargs="*", choices=what, default=what)
    parser.add_argument("--experiments", type=int, default=2000)
    arguments = parser.parse_args()
    for name in arguments.what:
        if name in {"coverage", "false"}:
            {"coverage": coverage, "false": false}[name](arguments.experiments)
        else:
            {"agreement": agreement, "time": duration}[name]()


if __name__ == "__main__":
    main()
