"""`ratsnlp-like report`: the results of runs as one HTML page."""

from __future__ import annotations

import logging
from typing import Literal

from ..errors import InputError
from ..runtime.gc_control import gc_frozen
from .parsing import new_parser, parse

log = logging.getLogger("ratsnlp_like")


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like report`."""
    parser = new_parser("report", "Write the results of one or more runs as one HTML page that needs no network.")
    parser.add_argument("runs", nargs="*", type=str, help="run folders")
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        help="HTML file; by default report.html in the run folder, or here for several runs",
    )
    parser.add_argument("--language", type=Literal["ko", "en"], default="ko", help="language of the page")
    options = parse(parser, arguments)
    if not options["runs"]:
        raise InputError("missing: the run", fix="ratsnlp-like report RUN")
    with gc_frozen():
        from ..evaluation.run_report import report

    log.info("report: %s", report(*options["runs"], output=options["output"], language=options["language"]))
