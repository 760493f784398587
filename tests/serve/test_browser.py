"""The pages in headless Chromium, driven by playwright."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from helpers_serve import SCRIPT, predictor

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.serve import Limits, app
from ratsnlp_like.serve.server import listen, url
from ratsnlp_like.tasks.answers import AnswerPrediction, Candidate
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.predictions import Prediction
from ratsnlp_like.tasks.question_answering import QuestionAnswering

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")

MARKUP = SCRIPT + "<img src=x onerror=alert(2)>"


class Tab:
    """A page of the browser, with the dialogs and errors that it has shown."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.dialogs: list[str] = []
        self.failures: list[str] = []
        page.on("dialog", self._on_dialog)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", lambda message: self.failures.append(message.text) if message.type == "error" else None)

    def _on_dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def open(self, address: str) -> None:
        """Open an address, and wait until the page is ready."""
        self.page.goto(address)
        playwright.expect(self.page.locator("#send")).to_be_enabled()

    def text(self, selector: str) -> str:
        """Text of the first element."""
        return self.page.locator(selector).first.text_content()

    def texts(self, selector: str) -> list[str]:
        """Texts of all elements."""
        return self.page.locator(selector).all_text_contents()

    def result(self) -> str:
        """Text of the result, once it is complete."""
        result = self.page.locator("#result")
        playwright.expect(result).to_have_attribute("aria-busy", "false")
        playwright.expect(result).to_be_visible()
        return result.text_content()

    def check(self) -> None:
        """No text was run as code, and there was no error."""
        assert self.dialogs == []
        assert self.failures == []
        assert self.page.locator("main img, main script").count() == 0


@contextmanager
def served(predictor: Predictor, limits: Limits | None = None) -> Iterator[str]:
    """The address of a server in a thread."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app(predictor, limits), log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        address = url(listening.getsockname())
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield launched
        launched.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    page = browser.new_page()
    page.set_default_timeout(15_000)
    yield Tab(page)
    page.close()


@pytest.mark.slow
def test_classification(tab: Tab) -> None:
    model = predictor(multi_label=False)
    with served(model) as address:
        tab.open(address)
        playwright.expect(tab.page.locator("#text")).to_be_focused()
        assert tab.text("label[for=text]") == "문장"
        tab.page.fill("#text", f"좋아요 {MARKUP}")
        tab.page.click("#send")
        shown = tab.result()
        row = model({"text": f"좋아요 {MARKUP}"})
    assert shown.startswith(f"{row.label}확률 {100 * row.score:.1f}%")
    assert set(tab.texts("#result .bars .what")) == {"부정", "긍정"}
    assert tab.text("#result .bars .chosen .what") == row.label
    width = tab.page.evaluate("document.querySelector('#result .chosen .fill').style.width")
    assert float(width.rstrip("%")) == pytest.approx(100 * row.score, abs=0.1)
    assert tab.text("#metrics") == "평가테스트정확도0.500"
    tab.check()


@pytest.mark.slow
def test_the_words_that_a_decision_rests_on(tab: Tab) -> None:
    text = f"좋아요 정말 {MARKUP}"
    with served(predictor(multi_label=False)) as address:
        tab.open(address)
        tab.page.fill("#text", text)
        tab.page.click("#send")
        tab.result()
        tab.page.click("#explain")
        playwright.expect(tab.page.locator("#result h2").last).to_have_text("판단의 근거")
    assert tab.texts("#result .passage .word") == text.split()
    strengths = tab.page.evaluate("[...document.querySelectorAll('.passage .word')].map((e) => e.style.cssText)")
    assert any("65%" in strength for strength in strengths)
    assert "완전성 오차 0." in tab.result()
    tab.check()


@pytest.mark.slow
def test_each_entity_has_an_explanation(tab: Tab) -> None:
    model, text = predictor("ner"), f"하늘이는 강릉에 산다 {MARKUP}"
    entities = model(text).entities
    assert len(entities) > 1
    with served(model) as address:
        tab.open(address)
        tab.page.fill("#text", text)
        tab.page.click("#send")
        tab.result()
        tab.page.click("#explain")
        headings = tab.page.locator("#result .explanation h2")
        playwright.expect(headings).to_have_count(len(entities))
    assert all(e.text in heading for e, heading in zip(entities, headings.all_text_contents(), strict=True))
    assert tab.texts("#result .explanation .passage .word") == text.split() * len(entities)
    tab.check()


@pytest.mark.slow
def test_examples_and_keyboard(tab: Tab) -> None:
    with served(predictor(multi_label=True)) as address:
        tab.open(address)
        tab.page.click("#examples button >> nth=0")
        tab.result()
        assert tab.page.input_value("#text") == tab.text("#examples button")
        tab.page.click("#options summary")
        tab.page.fill("#option-threshold", "0.99")
        tab.page.fill("#text", "다른 글")
        tab.page.press("#text", "Control+Enter")
        playwright.expect(tab.page.locator("#result")).to_contain_text("해당하는 레이블이 없습니다")
        assert "99.0%" in tab.text("#result .note")
        assert '"text":"다른 글","options":{"threshold":0.99}' in tab.text("#curl")
    tab.check()


@pytest.mark.slow
def test_entities_are_marked_in_the_text(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"😀 하늘이는 강릉에 산다 {MARKUP}"
    found = (FoundEntity("하늘이", 2, 5, "PS", 0.9), FoundEntity("<script>", 14, 22, "OG", 0.5))
    monkeypatch.setattr(Ner, "decode", lambda self, *rest, **named: EntityPrediction(found))
    with served(predictor("ner")) as address:
        tab.open(address)
        tab.page.fill("#text", text)
        tab.page.click("#send")
        tab.result()
    assert tab.texts("#result mark") == ["하늘이PS", "<script>OG"]
    assert tab.text("#result .passage") == text.replace("하늘이", "하늘이PS").replace("<script>", "<script>OG", 1)
    assert tab.texts("#result .legend li") == ["PS (인물) 1개", "OG (기관) 1개"]
    hues = tab.page.evaluate("[...document.querySelectorAll('mark')].map((e) => getComputedStyle(e).backgroundColor)")
    assert len(set(hues)) == 2
    tab.check()


@pytest.mark.slow
def test_answer_is_marked_in_its_paragraph(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    context = f"{MARKUP} 하늘이는 강릉에 산다."
    start = context.index("강릉")
    predictions = [
        AnswerPrediction("강릉", start, start + 2, 0.8, (Candidate("강릉", start, start + 2, 0.8),)),
        AnswerPrediction("", 0, 0, 0.6, (Candidate("강릉", start, start + 2, 0.4),)),
    ]
    monkeypatch.setattr(QuestionAnswering, "decode", lambda self, *rest, **named: predictions.pop(0))
    with served(predictor("question-answering")) as address:
        tab.open(address)
        tab.page.fill("#question", f"어디? {MARKUP}")
        tab.page.fill("#context", context)
        tab.page.click("#send")
        assert tab.result().startswith("강릉확률 80.0%")
        assert tab.texts("#result mark") == ["강릉"]
        assert tab.text("#result .passage") == context
        tab.page.click("#send")
        playwright.expect(tab.page.locator("#result")).to_contain_text("답을 찾지 못했습니다")
        assert tab.texts("#result mark") == []
    tab.check()


@pytest.mark.slow
def test_text_is_shown_while_it_is_generated(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    more = threading.Event()

    def stream(self: Predictor, prompt: Any, **options: Any) -> Iterator[str]:
        yield " 하늘이"
        assert more.wait(10)
        yield f" 맑다 {MARKUP}\n끝"

    monkeypatch.setattr(Predictor, "stream", stream)
    with served(predictor("generation")) as address:
        tab.open(address)
        tab.page.fill("#prompt", "오늘은")
        tab.page.click("#send")
        playwright.expect(tab.page.locator("#result")).to_have_text("오늘은 하늘이")
        playwright.expect(tab.page.locator("#stop")).to_be_visible()
        playwright.expect(tab.page.locator("#send")).to_be_disabled()
        more.set()
        assert tab.result() == f"오늘은 하늘이 맑다 {MARKUP}\n끝"
        playwright.expect(tab.page.locator("#stop")).to_be_hidden()
    tab.check()


@pytest.mark.slow
def test_generation_can_be_stopped(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = threading.Event()

    def stream(self: Predictor, prompt: Any, **options: Any) -> Iterator[str]:
        try:
            while True:
                time.sleep(0.02)
                yield "가"
        finally:
            closed.set()

    monkeypatch.setattr(Predictor, "stream", stream)
    with served(predictor("generation")) as address:
        tab.open(address)
        tab.page.fill("#prompt", "오늘은")
        tab.page.click("#send")
        playwright.expect(tab.page.locator("#result")).to_have_text(re.compile("^오늘은가"))
        tab.page.click("#stop")
        assert tab.result().startswith("오늘은가")
        assert closed.wait(10)
        playwright.expect(tab.page.locator("#error")).to_be_hidden()
    tab.check()


@pytest.mark.slow
def test_similarity_is_a_gauge(tab: Tab) -> None:
    with served(predictor("similarity")) as address:
        tab.open(address)
        tab.page.click("#examples button >> nth=0")
        assert "점은 아무 관계가 없음" in tab.result()
        assert tab.page.get_attribute(".gauge", "aria-label").startswith("유사도")
    tab.check()


@pytest.mark.slow
def test_candidates_fill_the_blank(tab: Tab) -> None:
    with served(predictor("masked-lm")) as address:
        tab.open(address)
        tab.page.fill("#text", "오늘은 ")
        tab.page.click("#insert")
        tab.page.click("#send")
        tab.result()
        candidates = tab.texts("#result .bars button")
        assert len(candidates) == 5
        tab.page.click("#result .bars li:nth-child(3) button")
        assert tab.text("#result .passage") == "오늘은 " + candidates[2].removeprefix("##")
    tab.check()


@pytest.mark.slow
def test_labels_have_glosses(tab: Tab) -> None:
    with served(predictor("pair")) as address:
        tab.open(address)
        tab.page.click("#examples button >> nth=0")
        tab.result()
        assert {"entailment (함의)", "contradiction (모순)", "neutral (중립)"} == set(tab.texts("#result .what"))
    tab.check()


@pytest.mark.slow
def test_errors_are_shown_in_place(tab: Tab) -> None:
    error = tab.page.locator("#error")
    with served(predictor(multi_label=True), Limits(max_text_chars=10)) as address:
        tab.open(address)
        tab.page.click("#send")
        playwright.expect(error).to_have_text("문장을 입력해 주세요.")
        tab.page.fill("#text", "가" * 11)
        tab.page.click("#send")
        playwright.expect(error).to_contain_text("10자까지")
        tab.page.fill("#text", "가")
        tab.page.click("#options summary")
        tab.page.fill("#option-threshold", "7")
        tab.page.click("#send")
        playwright.expect(error).to_contain_text("입력을 다시 확인해 주세요.")
        assert "options.threshold" in error.text_content()
        tab.page.fill("#option-threshold", "0.5")
        tab.page.click("#send")
        tab.result()
        playwright.expect(error).to_be_hidden()
    assert all("422" in failure for failure in tab.failures)  # the browser logs the refused request
    tab.page.click("#send")
    playwright.expect(error).to_contain_text("서버에 연결하지 못했습니다")
    assert tab.dialogs == []


@pytest.mark.slow
def test_task_without_texts_or_a_view_of_its_own(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    model = predictor()
    monkeypatch.setattr(type(model.task), "name", "constructor")
    monkeypatch.setattr(
        type(model.task), "view", lambda self, prediction, example: Prediction.view(prediction, example)
    )
    with served(model) as address:
        tab.open(address)
        assert tab.texts("#examples button") == [model.task.example_input[0]]
        assert (tab.text("#kind"), tab.text("label[for=text]")) == ("constructor", "문장")
        tab.page.fill("#text", MARKUP)
        tab.page.click("#send")
        tab.result()
        shown = json.loads(tab.text("#result pre"))
    assert set(shown) == {"label", "score", "scores"}
    tab.check()


@pytest.mark.slow
def test_documentation_lists_what_the_model_serves(tab: Tab) -> None:
    with served(predictor("question-answering")) as address:
        tab.page.goto(f"{address}/docs")
        playwright.expect(tab.page.locator(".endpoint")).to_have_count(4)
    assert tab.texts(".endpoint h2")[:2] == ["POST /api", "POST /api/batch"]
    assert {"question", "context", "max_answer_length"} <= set(tab.texts(".endpoint:first-child th"))
    assert "curl" in tab.text(".endpoint pre")
    with served(predictor("generation")) as address:
        tab.page.goto(f"{address}/docs")
        playwright.expect(tab.page.locator(".endpoint")).to_have_count(5)
    assert "POST /api/stream" in tab.texts(".endpoint h2")
    tab.check()


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1200])
def test_pages_fit_their_window(tab: Tab, width: int, tmp_path: Path) -> None:
    with served(predictor("ner")) as address:
        tab.page.set_viewport_size({"width": width, "height": 700})
        tab.page.emulate_media(color_scheme="dark")
        tab.open(address)
        tab.page.click("#examples button >> nth=0")
        tab.result()
        tab.page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert (tmp_path / "page.png").stat().st_size > 5000
