"""The page of a report in headless Chromium: nothing is requested, run, or refused by its policy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers_pages import SCRIPT, run_folder

from ratsnlp_like.pages.page import run_page
from ratsnlp_like.pages.runs import read_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_in_a_browser(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(run_page([read_run(run_folder(tmp_path / "run"))]), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.set_default_timeout(15_000)
        seen: list[str] = []
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.goto(path.as_uri())
        assert seen == [path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert (
            page.locator(".matrix td").first.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
        )
        assert SCRIPT in page.locator("#mistakes").text_content()
        browser.close()
