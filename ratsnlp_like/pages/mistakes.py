"""Sections of mistakes: kinds, weak slices, rows with coloured text, reliability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .charts import reliability_chart
from .html import Child, Markup, element
from .parts import bar, note, passage, percent, section, table
from .texts import Texts

_OPEN = 30
"""Mistakes that are shown at once; the others are folded."""
_SLICES = 20
_NOTEWORTHY = 0.2
"""Unadjusted p-value below which a slice is shown."""
_KINDS = 12


def reliability(analysis: Mapping[str, Any], scores: Mapping[str, Any], texts: Texts) -> Markup | None:
    """Return the section on calibration; None for predictions without a confidence."""
    bins, found = analysis.get("reliability"), scores.get("calibration")
    if not bins:
        return None
    chart = reliability_chart(bins, label=texts("calibration"), x_label=texts("confidence"), y_label=texts("accuracy"))
    side: list[Child] = [note(texts("calibration_note"))]
    if found:
        rows = [
            [texts(name), f"{found[f'{name}_uncalibrated']:.4f}", f"{found[name]:.4f}"] for name in ("ece", "brier")
        ]
        side.append(table(["", texts("before"), texts("after")], rows))
        side.append(_coverage(found.get("coverage_at_accuracy") or {}, texts))
    return section("calibration", texts("calibration"), element("div", chart, element("div", side), class_="columns"))


def _coverage(found: Mapping[str, Mapping[str, float]], texts: Texts) -> Markup | None:
    if not found:
        return None
    rows = [
        [percent(float(accuracy)), f"{own['threshold']:.3f}", percent(own["coverage"])]
        for accuracy, own in found.items()
    ]
    header = [texts("wanted_accuracy"), texts("threshold"), texts("coverage")]
    return element("div", element("h3", texts("coverage_title")), note(texts("coverage_note")), table(header, rows))


def slices(analysis: Mapping[str, Any], texts: Texts) -> Markup | None:
    """Return the section on slices; None where none were made."""
    if "slices" not in analysis:
        return None
    found = [own for own in analysis["slices"] if own["p"] < _NOTEWORTHY][:_SLICES]
    if not found:
        return section("slices", texts("slices"), note(texts("no_slices")))
    header = [texts("slice"), texts("error_rate"), texts("rest"), texts("count"), "p"]
    body = table(header, [_slice(own, texts) for own in found])
    return section("slices", texts("slices"), note(texts("slices_note")), body)


def _slice(own: Mapping[str, Any], texts: Texts) -> list[Child]:
    name = f"{texts.of('slices', own['slice'])}: {texts.of('values', own['value'])}"
    p = "< 0.0001" if own["p_holm"] < 1e-4 else f"{own['p_holm']:.4f}"
    return [
        element("strong", name) if own["weak"] else name,
        bar(own["rate"], percent(own["rate"]), kind="bad" if own["weak"] else None),
        percent(own["rate_of_rest"]),
        f"{own['mistakes']:,} / {own['matches']:,}",
        element("strong", p) if own["weak"] else p,
    ]


def kinds(analysis: Mapping[str, Any], texts: Texts) -> Markup | None:
    """Return the kinds of mistakes as bars."""
    found = analysis.get("kinds") or {}
    if len(found) < 2:
        return None
    total = sum(found.values())
    rows = [
        [texts.of("kinds", kind.replace(" > ", " → ")), bar(count / total, f"{count:,} ({percent(count / total)})")]
        for kind, count in list(found.items())[:_KINDS]
    ]
    return element("div", element("h3", texts("kinds")), table(["", ""], rows, left=2), class_="kinds")


def mistakes(analysis: Mapping[str, Any], texts: Texts, *, command: str | None = None) -> Markup | None:
    """Return the section on mistakes; None for a task that has none.

    Args:
        analysis: of the predictions.
        texts: of the language.
        command: that writes all mistakes to a file, where the page shows a part.
    """
    if "mistakes" not in analysis:
        return None
    found, wrong = analysis["mistakes"], analysis["wrong_rows"]
    if not found:
        return section("mistakes", texts("mistakes"), note(texts("no_mistakes")))
    rows = f"{analysis['rows']:,}"
    share = percent(wrong / analysis["rows"])
    intro = texts("mistakes_note", rows=rows, wrong=f"{wrong:,}", share=share, shown=f"{len(found):,}")
    colours = _colours(found)
    shown = [_mistake(own, colours, texts) for own in found]
    folded = None
    if len(shown) > _OPEN:
        summary = element("summary", texts("more_mistakes", count=len(shown) - _OPEN))
        folded = element("details", summary, element("ol", shown[_OPEN:], class_="mistakes", start=_OPEN + 1))
    more = note(texts("all_mistakes", command=command)) if command and wrong > len(found) else None
    return section(
        "mistakes",
        texts("mistakes"),
        note(intro),
        kinds(analysis, texts),
        element("ol", shown[:_OPEN], class_="mistakes"),
        folded,
        more,
    )


def _mistake(own: Mapping[str, Any], colours: Mapping[str, int], texts: Texts) -> Markup:
    labels = dict.fromkeys(texts.of("kinds", kind.replace(" > ", " → ")) for kind in own["kinds"])
    confidence = own["confidence"]
    head = [
        *(element("span", label, class_="kind") for label in labels),
        element("span", f"{texts('confidence')} {confidence:.3f}") if confidence is not None else None,
        element("span", _short_place(own), class_="place", title=own["place"]),
    ]
    body = _passages(own, colours, texts) if "passage" in own else _labels(own, texts)
    tokens = [texts("tokens"), " ", list(_tokens(own["tokens"]))]
    return element(
        "li",
        element("div", head, class_="head"),
        [_field(name, text, len(own["texts"]) > 1, texts) for name, text in own["texts"].items()],
        body,
        element("p", tokens, class_="tokens") if own["tokens"] else None,
    )


def _colours(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return a number for each label of a span."""
    sides = [own.get(side, ()) for own in found for side in ("gold_spans", "predicted_spans")]
    return {label: k for k, label in enumerate(sorted({span["label"] for spans in sides for span in spans}))}


def _short_place(own: Mapping[str, Any]) -> str:
    """Return the file and the line without the folder; the number of the row where there is no file."""
    return str(own["place"] or f"#{own['row']}").replace("\\", "/").rpartition("/")[2].replace(", line ", ":")


def _field(name: str, text: str, named: bool, texts: Texts) -> Markup:
    label = element("small", texts.of("fields", name)) if named else None
    return element("p", label, text, class_="text")


def _labels(own: Mapping[str, Any], texts: Texts) -> Markup:
    pairs = [
        element("span", element("small", texts(side)), element("b", own[side] or texts("nothing"), class_=kind))
        for side, kind in (("gold", "right"), ("predicted", "bad"))
    ]
    return element("p", pairs, class_="pair")


def _passages(own: Mapping[str, Any], colours: Mapping[str, int], texts: Texts) -> Markup:
    sides = {name: [_key(span) for span in own[f"{name}_spans"]] for name in ("gold", "predicted")}
    lines = []
    for side, other in (("gold", "predicted"), ("predicted", "gold")):
        differing = [k for k, span in enumerate(sides[side]) if span not in sides[other]]
        text = passage(own["passage"], own[f"{side}_spans"], differing, cut=own["cut"], colours=colours)
        lines.append(element("div", element("small", texts(side)), text, class_="line"))
    return element("div", lines, class_="lines")


def _key(span: Mapping[str, Any]) -> tuple[Any, ...]:
    return span["start"], span["end"], span["label"]


def _tokens(text: str) -> Iterator[Child]:
    """Yield tokens as they were cut, the unknown ones highlighted."""
    for k, part in enumerate(text.split("[UNK:")):
        unknown, closed, rest = part.partition("]") if k else ("", "", part)
        if k:
            yield element("mark", unknown, class_="unknown")
        yield rest if closed or not k else None
