"""The page of a report: one file of HTML, with its style sheet and diagrams inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import __version__
from . import mistakes, sections
from .html import Child, Markup, element
from .runs import RunFiles
from .texts import Language, Texts

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Forbids every request and script, so that a text of the corpus can do nothing even if it were not escaped."""


def run_page(runs: Sequence[RunFiles], *, language: Language = "ko") -> str:
    """Return the report of one run, or of several with their comparison, as HTML."""
    texts = Texts(language)
    if len(runs) == 1:
        run = runs[0]
        title = f"{Path(str(run.config.get('corpus'))).name} · {run.config.get('task')}"
        return _page(title, texts("title"), [sections.summary(run, texts)], _sections(run, texts), texts)
    parts: list[Markup] = [sections.comparison(runs, texts)]
    for k, run in enumerate(runs):
        heading = element("h2", run.name, id=f"run-{k}", class_="run")
        parts += [heading, element("div", sections.summary(run, texts), class_="card"), *_sections(run, texts)]
    return _page(" · ".join(run.name for run in runs), texts("comparison"), [], parts, texts)


def errors_page(title: str, analysis: Mapping[str, Any], *, language: Language = "ko") -> str:
    """Return the mistakes of an evaluation as HTML."""
    texts = Texts(language)
    parts = [
        mistakes.slices(analysis, texts),
        mistakes.reliability(analysis, {}, texts),
        mistakes.mistakes(analysis, texts),
    ]
    return _page(title, texts("errors_title"), [], [part for part in parts if part is not None], texts)


def _sections(run: RunFiles, texts: Texts) -> list[Markup]:
    command = f"ratsnlp-like evaluate {run.folder} --errors errors.csv"
    found = [
        sections.scores(run, texts),
        sections.seeds(run, texts),
        sections.curves(run, texts),
        sections.classes(run, texts),
        sections.confusion(run, texts),
        mistakes.reliability(run.analysis, run.scores, texts),
        mistakes.slices(run.analysis, texts),
        mistakes.mistakes(run.analysis, texts, command=command),
        sections.corpus(run, texts),
        sections.settings(run, texts),
        sections.environment(run, texts),
    ]
    return [part for part in found if part is not None]


def _page(title: str, kind: str, top: Sequence[Child], parts: Sequence[Child], texts: Texts) -> str:
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    when = datetime.now().strftime("%Y-%m-%d %H:%M")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("header", element("p", kind, class_="eyebrow"), element("h1", title), top),
        element("main", parts),
        element("footer", texts("made", version=__version__, when=when)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=texts.language)}\n"
