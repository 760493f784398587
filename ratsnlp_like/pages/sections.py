"""Sections of the results of a run: scores, curves, classes, corpus, configuration, environment."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from .charts import interval_chart, line_chart, number
from .html import Child, Markup, element
from .parts import bar, definitions, interval, note, percent, score, section, table
from .runs import RunFiles, numbers
from .texts import Texts

_NEVER = re.compile(r"(.+) (?:is|are) never predicted: (.+)")
_CLASSES = 40
_LARGEST_MATRIX = 20
_LABELS = 20
_LEAST_RANGE = 0.1
"""Smallest range of the vertical axis for metrics from 0 to 1."""


def scores(run: RunFiles, texts: Texts) -> Markup:
    """Return all scores of all splits with their intervals, those from 0 to 1 as a diagram too."""
    found = run.scores
    ends = found.get("intervals", {})
    splits = {"validation": run.result["metrics"]}
    if run.result.get("test_metrics"):
        splits = {"test": run.result["test_metrics"], **splits}
    header = [texts("metric")]
    for split in splits:
        header += [texts(split), texts("intervals")]
    rows = []
    for name in dict.fromkeys(name for own in splits.values() for name in numbers(own)):
        cells: list[Child] = [element("strong", name) if name == run.best_metric else name]
        for own in splits.values():
            cells += [score(own[name]) if name in own else None, interval(own.get("intervals", {}).get(name))]
        rows.append(cells)
    drawn = [
        (name, value, ends.get(name)) for name, value in numbers(found).items() if name in ends and 0 <= value <= 1
    ]
    chart = interval_chart(drawn, label=texts("scores")) if drawn else None
    return section(
        "scores",
        texts("scores"),
        element("div", chart, table(header, rows), class_="columns fit" if drawn else None),
        _about_intervals(found, run.split, texts),
    )


def _about_intervals(found: Mapping[str, Any], split: str, texts: Texts) -> Markup | None:
    if not (about := found.get("interval_settings")):
        return None
    unit = texts.of("units", about["unit"])
    return note(texts("scores_note", split=texts(split), unit=unit, units=f"{about['units']:,}"))


def curves(run: RunFiles, texts: Texts) -> Markup | None:
    """Return the loss and the metric that chooses the best model, by optimizer step."""
    losses = {
        texts(name): run.history[key]
        for name, key in (("train_loss", "train_loss"), ("validation_loss", "validation/loss"))
        if run.history.get(key)
    }
    metric = run.history.get(f"validation/{run.best_metric}", [])
    charts = [line_chart(losses, label=texts("loss"), x_label=texts("steps"))] if losses else []
    if metric and run.best_metric != "loss":
        name = f"{run.best_metric} ({texts('validation')})"
        charts.append(_metric_chart({name: metric}, name, texts))
    return section("curves", texts("curves"), element("div", charts, class_="columns")) if charts else None


def _metric_chart(series: Mapping[str, Sequence[tuple[float, float]]], label: str, texts: Texts) -> Markup:
    share = all(0 <= value <= 1 for points in series.values() for _, value in points)
    return line_chart(series, label=label, x_label=texts("steps"), least=_LEAST_RANGE if share else 0.0)


def seeds(run: RunFiles, texts: Texts) -> Markup | None:
    """Return the score of each seed, with mean and standard deviation; None for a run of one seed."""
    found = run.result.get("seeds")
    if not found:
        return None
    splits = [name for name in ("test", "validation") if name in found]
    rows: list[list[Child]] = []
    for own in found["runs"]:
        best = own["seed"] == found["best"]
        rows.append([element("strong", str(own["seed"])) if best else str(own["seed"])])
        rows[-1] += [score(own[split]) if own[split] is not None else None for split in splits]
    means = [found[split].get(found["metric"]) for split in splits]
    rows.append([texts("mean_and_sd"), *(f"{own['mean']:.4f} ± {own['sd']:.4f}" if own else None for own in means)])
    header = [texts("seed"), *(f"{found['metric']} ({texts(split)})" for split in splits)]
    about = note(texts("seeds_note", best=found["best"]))
    return section("seeds", texts("seeds"), about, table(header, rows))


def classes(run: RunFiles, texts: Texts) -> Markup | None:
    """Return a row for each class or type of entity."""
    for name, rows in run.scores.items():
        if name.startswith("per_") and isinstance(rows, dict) and rows:
            return section("classes", texts("classes"), *_class_table(rows, texts))
    return None


def _class_table(rows: Mapping[str, Any], texts: Texts) -> list[Markup]:
    cells = {name: row if isinstance(row, Mapping) else {"value": row} for name, row in rows.items()}
    columns = list(dict.fromkeys(column for row in cells.values() for column in row))
    key = "f1" if "f1" in columns else columns[0]
    shown = list(cells)
    if len(shown) > _CLASSES:
        shown = sorted(shown, key=lambda name: cells[name].get(key) or 0)[:_CLASSES]
    header = [texts("class"), *(texts.of("", column) for column in columns)]
    body = table(header, [[name, *(_class_cell(cells[name].get(c), bars=c == key) for c in columns)] for name in shown])
    if len(shown) == len(cells):
        return [body]
    return [body, note(texts("worst_of", shown=len(shown), total=f"{len(cells):,}"))]


def _class_cell(value: Any, *, bars: bool) -> Child:
    if not isinstance(value, (int, float)):
        return None if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return bar(value, f"{value:.3f}") if bars and 0 <= value <= 1 else f"{value:.3f}"


def confusion(run: RunFiles, texts: Texts) -> Markup | None:
    """Return the confusion matrix; None where there is none, or it is too large to be read."""
    found = run.scores.get("confusion_matrix")
    if not found or len(found["labels"]) > _LARGEST_MATRIX:
        return None
    head = [element("th", texts("gold_predicted")), *(element("th", label, scope="col") for label in found["labels"])]
    body = []
    for k, (label, row) in enumerate(zip(found["labels"], found["matrix"], strict=True)):
        total = sum(row) or 1
        cells = [
            element(
                "td",
                f"{count:,}",
                style=f"--share:{100 * count / total:.1f}%",
                title=percent(count / total),
                class_="right" if k == j else "bad" if count else None,
            )
            for j, count in enumerate(row)
        ]
        body.append(element("tr", element("th", label, scope="row"), cells))
    matrix = element("table", element("thead", element("tr", head)), element("tbody", body), class_="matrix")
    return section(
        "confusion", texts("confusion"), element("div", matrix, class_="scroll"), note(texts("confusion_note"))
    )


def corpus(run: RunFiles, texts: Texts) -> Markup | None:
    """Return the statistics of the corpus."""
    found = run.analysis.get("corpus")
    if not found:
        return None
    splits = found["splits"]
    header = ["", *(texts(name) for name in splits)]
    rows: list[list[Child]] = [
        [texts(f"findings.{key}"), *(f"{own[key]:,}" for own in splits.values())]
        for key in ("rows", "empty", "repeated", "with_two_labels")
    ]
    lengths = [f"{own['characters']['p50']:,} / {own['characters']['p99']:,}" for own in splits.values()]
    rows.append([texts("findings.characters"), *lengths])
    truncated = [run.result.get("splits", {}).get(name, {}).get("truncated_tokens", 0) for name in splits]
    rows.append([texts("findings.truncated"), *(f"{count:,}" for count in truncated)])
    return section(
        "corpus",
        texts("data"),
        note(texts("data_part", count=f"{found['limit']:,}")) if found.get("limit") else None,
        table(header, rows),
        [note(_overlap(name, own, texts)) for name, own in found["overlap"].items()],
        _balance(splits, texts),
    )


def _overlap(name: str, own: Mapping[str, int], texts: Texts) -> str:
    first, _, second = name.partition(" in ")
    return texts("overlap", first=texts(first), second=texts(second), count=f"{own['texts']:,}")


def _balance(splits: Mapping[str, Any], texts: Texts) -> Markup | None:
    """Return the share of each label in each split."""
    names = list(dict.fromkeys(label for own in splits.values() for label in own["labels"]))[:_LABELS]
    if not names:
        return None
    rows = []
    for name in names:
        cells = [own["labels"].get(name) for own in splits.values()]
        bars = [bar(c["share"], f"{c['count']:,} ({percent(c['share'])})") if c else None for c in cells]
        rows.append([name, *bars])
    return element("div", element("h3", texts("labels")), table(["", *(texts(name) for name in splits)], rows))


def settings(run: RunFiles, texts: Texts) -> Markup:
    """Return the command that repeats the run, and its configuration."""
    config = {name: value for name, value in run.config.items() if value not in (None, (), [], {}, "")}
    changed = {**{name: config[name] for name in ("task", "corpus", "checkpoint") if name in config}}
    automatic = run.result.get("found", {}).get("reasons", {})
    names = [name for name in run.analysis.get("chosen", ()) if name in config and name not in automatic]
    changed |= {name: config[name] for name in names}
    options = [element("span", f"--{name} {shlex.quote(_value(v))}", class_="option") for name, v in changed.items()]
    command = ["ratsnlp-like train", *([" ", option] for option in options)]
    rows = [[name, element("code", _value(value))] for name, value in config.items()]
    return section(
        "settings",
        texts("settings"),
        note(texts("command")),
        element("pre", command),
        element("details", element("summary", texts("defaults")), table(["", ""], rows, left=2)),
    )


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def environment(run: RunFiles, texts: Texts) -> Markup | None:
    """Return the versions and the hardware of the training."""
    found = run.analysis.get("environment")
    if not found:
        return None
    facts: dict[str, Child] = {texts.of("", name): value for name, value in found.items()}
    result = run.result
    facts[texts("examples_per_second")] = f"{result['examples_per_second']:,.0f}"
    facts[texts("memory")] = f"{result['peak_memory_mb']:,.0f} MB"
    facts[texts("precision_of_training")] = str(result["precision"])
    return section("environment", texts("environment"), definitions(facts))


def comparison(runs: Sequence[RunFiles], texts: Texts) -> Markup:
    """Return the scores of several runs side by side, and their curves in one diagram."""
    metric = runs[0].best_metric
    header = [texts("run"), texts("checkpoint"), texts("time"), *(name for name in numbers(runs[0].scores))]
    rows = []
    for k, run in enumerate(runs):
        found = numbers(run.scores)
        cells = [score(found[name]) if name in found else None for name in header[3:]]
        link = element("a", run.name, href=f"#run-{k}")
        rows.append([link, str(run.config.get("checkpoint")), duration(run, texts), *cells])
    drawn = [
        (run.name, run.scores[metric], run.scores.get("intervals", {}).get(metric))
        for run in runs
        if 0 <= run.scores.get(metric, -1) <= 1
    ]
    histories = {run.name: run.history.get(f"validation/{metric}", []) for run in runs}
    charts = [
        element("div", element("h3", f"{metric} ({texts(runs[0].split)})"), interval_chart(drawn, label=metric))
        if drawn
        else None,
        element(
            "div",
            element("h3", f"{metric} ({texts('validation')})"),
            _metric_chart(histories, metric, texts),
        )
        if any(histories.values())
        else None,
    ]
    return section(
        "comparison", texts("comparison"), table(header, rows, left=2), element("div", charts, class_="columns")
    )


def summary(run: RunFiles, texts: Texts) -> Markup:
    """Return the key facts of a run: its score, verdict and description."""
    value = run.scores.get(run.best_metric)
    ends = interval(run.scores.get("intervals", {}).get(run.best_metric))
    headline = element(
        "p",
        element("b", "" if value is None else score(value)),
        element("span", f"{run.best_metric} · {texts(run.split)}", f" · 95% {ends}" if ends else None),
        class_="headline",
    )
    verdict = run.result.get("verdict")
    train = run.result.get("splits", {}).get("train", {})
    facts: dict[str, Child] = {
        texts("task"): str(run.config.get("task")),
        texts("corpus"): str(run.config.get("corpus")),
        texts("run"): run.name,
        texts("checkpoint"): str(run.config.get("checkpoint")),
        texts("train"): f"{train.get('examples', 0):,}",
        texts("steps"): f"{run.result.get('steps', 0):,}",
        **_choices(run, texts),
        texts("time"): duration(run, texts),
    }
    return element(
        "div",
        headline,
        element("p", _verdict(verdict, texts), class_="verdict") if verdict else None,
        definitions(facts),
    )


def _choices(run: RunFiles, texts: Texts) -> dict[str, Child]:
    """Return the learning rate and the epochs, those that were chosen where the configuration leaves them open."""
    known = {**run.config, **run.result.get("found", {})}
    values = {name: known.get(name) for name in ("learning_rate", "epochs")}
    shown: dict[str, Child] = {
        texts(name): number(value) for name, value in values.items() if isinstance(value, (int, float))
    }
    trained, epochs = run.result.get("epochs"), values["epochs"]
    if trained and isinstance(epochs, (int, float)) and trained < epochs:
        shown[texts("epochs")] = texts("epochs_of", trained=number(trained), epochs=number(epochs))
    return shown


def _verdict(verdict: Mapping[str, Any], texts: Texts) -> str:
    """Return the comparison with baselines in the language of the page."""
    others = [own for own in verdict["baselines"] if not own["beaten"]]
    listed = ", ".join(
        f"{texts.of('baselines', own['name'])} ({own['score']:.4f})" for own in others or verdict["baselines"]
    )
    sentence = texts(
        f"verdict.{verdict['relation']}", metric=verdict["metric"], score=f"{verdict['score']:.4f}", others=listed
    )
    tried = (
        [texts("verdict_try", settings=", ".join(texts.of("advice", own) for own in verdict["advice"]))]
        if verdict["advice"]
        else []
    )
    return " ".join([sentence, *tried, *(_warning(text, texts) for text in verdict["warnings"])])


def _warning(text: str, texts: Texts) -> str:
    """Return the warning of classes that are never predicted in the language of the page; any other as it is."""
    found = _NEVER.fullmatch(text)
    return texts("never_predicted", names=found[1], setting=found[2]) if found else text


def duration(run: RunFiles, texts: Texts) -> str:
    """Return the training time in seconds, or in minutes from two on."""
    seconds = run.result.get("train_seconds", 0.0)
    return texts("minutes", value=f"{seconds / 60:.1f}") if seconds >= 120 else texts("seconds", value=f"{seconds:.1f}")
