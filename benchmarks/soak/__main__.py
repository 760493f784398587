"""`python -m benchmarks.soak`: run the trials and print their table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from .report import Report

PARTS = {"malformed": 0.05, "readers": 0.35, "folders": 0.1, "bodies": 0.08, "kills": 0.27, "disk": 0.1, "load": 0.05}
"""Module of a part -> its share of the time."""
LEAST = {"malformed": 600, "bodies": 200, "folders": 50}
"""Smallest number of trials, whatever the time."""
LEAST_A_MINUTE = {"readers": 7000, "kills": 1, "disk": 0.3}
"""Smallest number of trials for each minute of the whole: a busy machine takes longer, and does not try less."""


def main() -> int:
    """Run the parts, print the table, and return 1 if a trial failed."""
    parser = argparse.ArgumentParser(description="Soak test; see benchmarks/soak/__init__.py.")
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--seed", type=int, default=None, help="default: another one at each run")
    parser.add_argument("--at_least", type=int, default=0, help="smallest number of trials of each part")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--output", type=Path, default=Path("soak"), help="folder of the table and of failing inputs")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    print(f"seed {seed}, {options.minutes:g} minutes", flush=True)
    report = Report(options.output)
    try:
        _run(report, options, seed)
    except KeyboardInterrupt:
        print("interrupted; the trials so far:", flush=True)
    _write(report, options.output, seed)
    print(f"\n{report.table()}")
    return 1 if report.failures else 0


def _write(report: Report, folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(report.table() + f"\n\nseed {seed}\n", encoding="utf-8")


def _run(report: Report, options: argparse.Namespace, seed: int) -> None:
    share = sum(PARTS[part] for part in options.only)
    for part in options.only:
        seconds = 60 * options.minutes * PARTS[part] / share
        print(f"{part}: {seconds:.0f} seconds", flush=True)
        least = max(options.at_least, LEAST.get(part, 1), round(options.minutes * LEAST_A_MINUTE.get(part, 0)))
        module = importlib.import_module(f".{part}", __package__)
        module.run(report, seconds=seconds, at_least=least, seed=seed)
        _write(report, options.output, seed)


if __name__ == "__main__":
    sys.exit(main())
