"""The report of a run: time of writing it in training, requests of the page, pictures, and a planted weak slice.

    python -m benchmarks.reports [NAME ...] [--test_rows 5000] [--pictures FOLDER]

Every bundled sample, and generated reviews and entities (`benchmarks.user_files`) with many test rows; a few steps of
training each. A browser opens each page and counts requests other than for the page itself. A third of the reviews has
the source SNS, where half of the labels are turned round in the test rows: `evaluate --slice_column` should find it.
Pictures: each page wide, narrow, dark and in print. Browser and pictures need playwright and Chromium.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.defaults import SAMPLES
from benchmarks.user_files import KINDS, write_corpus, write_csv
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.training import finetune
from ratsnlp_like.training.run_report import write_report

PLANTED = "planted"
VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


def write_planted(folder: Path, *, test_rows: int) -> Path:
    """Write reviews with a column of sources, of which SNS has wrong labels in the test rows."""
    rng, make = random.Random(0), KINDS["reviews"][1]
    other = {"긍정": "부정", "부정": "긍정"}
    folder.mkdir()
    for split, number in (("train", 500), ("test", test_rows)):
        rows = [make(rng) | {"source": rng.choice(["신문", "블로그", "SNS"])} for _ in range(number)]
        for row in rows:
            if split == "test" and row["source"] == "SNS" and rng.random() < 0.5:
                row["label"] = other[row["label"]]
        write_csv(folder / f"{split}.csv", rows)
    return folder


def trained(name: str, folder: Path, test_rows: int) -> tuple[Path, float]:
    """Train for some steps, and return the run folder and the seconds that its report took."""
    corpus: str | Path = name
    if name == PLANTED:
        corpus = write_planted(folder / name, test_rows=test_rows)
    elif name in KINDS:
        corpus = write_corpus(name, folder / name, test=test_rows)
    task = SAMPLES.get(name) or KINDS.get(name, ("classification",))[0]
    seconds: list[float] = []

    def timed(*args: Any) -> None:
        began = time.perf_counter()
        write_report(*args)
        seconds.append(time.perf_counter() - began)

    checkpoint = "ko-tiny-gpt" if task == "generation" else "ko-tiny-bert"
    output = folder / f"{name}-run"
    options: dict[str, Any] = {"max_steps": 60 if name == PLANTED else 10, "progress": False, "baselines": False}
    with mock.patch.object(finetune, "write_report", timed):
        finetune.fine_tune(task=task, corpus=corpus, checkpoint=checkpoint, output=output, **options)
    return output, seconds[0]


@contextmanager
def browser() -> Iterator[Any]:
    """Yield headless Chromium, or None where it is not installed."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def opened(chromium: Any, page: Path, pictures: Path | None, name: str) -> int:
    """Open a page in each view, and return the number of requests beyond that for the page."""
    requests = 0
    for view, options in VIEWS.items():
        tab = chromium.new_page(**options)
        seen: list[str] = []
        tab.on("request", lambda request, seen=seen: seen.append(request.url))
        tab.goto(page.as_uri())
        requests += len(seen) - 1
        if pictures is not None:
            tab.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
            if view == "wide":
                tab.pdf(path=pictures / f"{name}.pdf")
        tab.close()
    return requests


def main() -> None:
    """Print a row for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[*SAMPLES, PLANTED, "entities"])
    parser.add_argument("--test_rows", type=int, default=5000)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    print("| corpus | report, s | page, kB | requests |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        for name in arguments.names:
            run, seconds = trained(name, Path(folder), arguments.test_rows)
            page = run / "report.html"
            requests = "" if chromium is None else opened(chromium, page, arguments.pictures, name)
            print(f"| {name} | {seconds:.2f} | {page.stat().st_size / 1000:,.0f} | {requests} |", flush=True)
            if name == PLANTED:
                errors = Path(folder) / "errors.html"
                found = evaluate(run, errors=errors, slice_column="source", progress=False)["mistakes"]["slices"][0]
                rates = f"{found['rate']:.1%} of mistakes, {found['rate_of_rest']:.1%} in the rest"
                print(f"first: {found['slice']} = {found['value']}, {rates}, p = {found['p_holm']:.2g}", flush=True)
                if chromium is not None:
                    opened(chromium, errors, arguments.pictures, "errors")


if __name__ == "__main__":
    main()
