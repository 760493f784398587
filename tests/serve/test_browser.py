"""The pages in a real browser: headless Chromium, driven over the DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from test_serve import SCRIPT, predictor
from websockets.sync.client import connect

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.serve import Limits, app
from ratsnlp_like.serve.server import listen, url
from ratsnlp_like.tasks.ner import EntityPrediction, FoundEntity, Ner
from ratsnlp_like.tasks.question_answering import AnswerPrediction, Candidate, QuestionAnswering

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here (apt-get install chromium)")

MARKUP = SCRIPT + "<img src=x onerror=alert(2)>"


class Page:
    """A tab of a browser.

    Args:
        address: of its DevTools.
    """

    def __init__(self, address: str) -> None:
        self._socket = connect(address, max_size=None)
        self._number = 0
        self.dialogs: list[str] = []
        self.failures: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol, and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message["method"] == "Page.javascriptDialogOpening":
            self.dialogs.append(message["params"]["message"])
        elif message["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}:
            self.failures.append(json.dumps(message["params"], ensure_ascii=False))

    def run(self, expression: str) -> Any:
        """The value of an expression, awaited."""
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, expression: str, seconds: float = 15) -> Any:
        """The value of an expression, once it is true."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if value := self.run(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}\n{self.text('body')}\n{self.failures}")

    def open(self, address: str) -> None:
        """Go there, and wait until the page is ready."""
        self.failures.clear()
        self.call("Page.navigate", url=address)
        self.wait("document.querySelector('#send')?.disabled === false")

    def text(self, selector: str) -> str:
        """What stands in an element."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")

    def texts(self, selector: str) -> list[str]:
        """What stands in all elements of a kind."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)")

    def type(self, selector: str, text: str) -> None:
        """Write into a field, as a keyboard does."""
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """A click of the mouse in the middle of an element."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, *, ctrl: bool = False) -> None:
        """A key, with Ctrl or without."""
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                modifiers=2 if ctrl else 0,
            )

    def result(self) -> str:
        """What stands in the result, once it is whole."""
        self.wait("document.querySelector('#result').getAttribute('aria-busy') === 'false'")
        self.wait("!document.querySelector('#result').hidden")
        return self.text("#result")

    def picture(self, path: Path, *, width: int = 900, dark: bool = False) -> None:
        """A PNG of the whole page."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=700, deviceScaleFactor=1, mobile=False)
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Leave the browser."""
        self._socket.close()


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A headless browser with one page."""
    assert BROWSER is not None
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    own = [f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
    process = subprocess.Popen([BROWSER, *flags, *own], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(folder / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=60) as answer:
            tabs = json.load(answer)
        page = Page(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
        yield page
        page.close()
    finally:
        process.terminate()
        process.wait(60)


def _port(file: Path) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if file.exists() and "\n" in (content := file.read_text()):
            return int(content.splitlines()[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")


@contextmanager
def served(predictor: Predictor, limits: Limits | None = None) -> Iterator[str]:
    """The address of a server in a thread of its own."""
    with listen("127.0.0.1", 0) as taken:
        server = uvicorn.Server(
            uvicorn.Config(app(predictor, limits), log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        address = url(taken.getsockname())
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


def whole(page: Page) -> None:
    """Nothing typed was run, and nothing went wrong unseen."""
    assert page.dialogs == []
    assert page.failures == []
    assert page.run("document.querySelectorAll('main img, main script').length") == 0


def test_a_text_is_classified(page: Page) -> None:
    model = predictor(multi_label=False)
    with served(model) as address:
        page.open(address)
        assert page.run("document.activeElement.id") == "text"  # ready to be typed into
        assert page.run("document.querySelector('label[for=text]').textContent") == "문장"
        page.type("#text", f"좋아요 {MARKUP}")
        page.click("#send")
        shown = page.result()
        row = model({"text": f"좋아요 {MARKUP}"})
    assert shown.startswith(f"{row.label}확률 {100 * row.score:.1f}%")
    assert set(page.texts("#result .bars .what")) == {"부정", "긍정"}
    assert page.text("#result .bars .chosen .what") == row.label
    width = page.run("document.querySelector('#result .chosen .fill').style.width")
    assert float(width.rstrip("%")) == pytest.approx(100 * row.score, abs=0.1)
    assert page.text("#metrics") == "평가테스트정확도0.500"
    whole(page)


def test_an_example_is_a_click_and_a_text_is_sent_by_keys(page: Page) -> None:
    with served(predictor(multi_label=True)) as address:
        page.open(address)
        page.click("#examples button")
        page.result()
        assert page.run("document.querySelector('#text').value") == page.text("#examples button")
        page.click("#options summary")
        page.type("#option-threshold", "0.99")
        page.type("#text", "다른 글")
        page.press("Enter", ctrl=True)
        page.wait("document.querySelector('#result').textContent.includes('해당하는 것이 없습니다')")
        assert "99.0%" in page.text("#result .note")
        assert '"text":"다른 글","options":{"threshold":0.99}' in page.text("#curl")
    whole(page)


def test_entities_are_marked_where_they_stand(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"😀 하늘이는 강릉에 산다 {MARKUP}"
    found = (FoundEntity("하늘이", 2, 5, "PS", 0.9), FoundEntity("<script>", 14, 22, "OG", 0.5))
    monkeypatch.setattr(Ner, "decode", lambda self, *rest, **named: EntityPrediction(found))
    with served(predictor("ner")) as address:
        page.open(address)
        page.type("#text", text)
        page.click("#send")
        page.result()
    assert page.texts("#result mark") == ["하늘이PS", "<script>OG"]
    assert page.text("#result .passage") == text.replace("하늘이", "하늘이PS").replace("<script>", "<script>OG", 1)
    assert page.texts("#result .legend li") == ["PS (인물) 1개", "OG (기관) 1개"]
    hues = page.run("[...document.querySelectorAll('mark')].map((e) => getComputedStyle(e).backgroundColor)")
    assert len(set(hues)) == 2
    whole(page)


def test_the_answer_is_marked_in_its_paragraph(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    context = f"{MARKUP} 하늘이는 강릉에 산다."
    start = context.index("강릉")
    said = [
        AnswerPrediction("강릉", start, start + 2, 0.8, (Candidate("강릉", start, start + 2, 0.8),)),
        AnswerPrediction("", 0, 0, 0.6, (Candidate("강릉", start, start + 2, 0.4),)),
    ]
    monkeypatch.setattr(QuestionAnswering, "decode", lambda self, *rest, **named: said.pop(0))
    with served(predictor("question-answering")) as address:
        page.open(address)
        page.type("#question", f"어디? {MARKUP}")
        page.type("#context", context)
        page.click("#send")
        assert page.result().startswith("강릉확률 80.0%")
        assert page.texts("#result mark") == ["강릉"]
        assert page.text("#result .passage") == context
        page.click("#send")
        page.wait("document.querySelector('#result').textContent.includes('답을 찾지 못했습니다')")
        assert page.texts("#result mark") == []
    whole(page)


def test_text_appears_while_it_is_written(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    more = threading.Event()

    def stream(self: Predictor, prompt: Any, **options: Any) -> Iterator[str]:
        yield " 하늘이"
        assert more.wait(10)
        yield f" 맑다 {MARKUP}\n끝"

    monkeypatch.setattr(Predictor, "stream", stream)
    with served(predictor("generation")) as address:
        page.open(address)
        page.type("#prompt", "오늘은")
        page.click("#send")
        page.wait("document.querySelector('#result')?.textContent === '오늘은 하늘이'")
        assert page.run("!document.querySelector('#stop').hidden && document.querySelector('#send').disabled")
        more.set()
        assert page.result() == f"오늘은 하늘이 맑다 {MARKUP}\n끝"
        assert page.run("document.querySelector('#stop').hidden")
    whole(page)


def test_writing_can_be_stopped(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
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
        page.open(address)
        page.type("#prompt", "오늘은")
        page.click("#send")
        page.wait("document.querySelector('#result')?.textContent.startsWith('오늘은가')")
        page.click("#stop")
        assert page.result().startswith("오늘은가")
        assert closed.wait(10)
        assert page.run("document.querySelector('#error').hidden")
    whole(page)


def test_other_answers(page: Page) -> None:
    with served(predictor("similarity")) as address:
        page.open(address)
        page.click("#examples button")
        assert "점은 아무 관계가 없음" in page.result()
        assert page.run("document.querySelector('.gauge').getAttribute('aria-label').startsWith('유사도')")
    with served(predictor("masked-lm")) as address:
        page.open(address)
        page.type("#text", "오늘은 ")
        page.click("#insert")
        page.click("#send")
        page.result()
        others = page.texts("#result .bars button")
        assert len(others) == 5
        page.click("#result .bars li:nth-child(3) button")
        assert page.text("#result .passage") == "오늘은 " + others[2].removeprefix("##")
    with served(predictor("pair")) as address:
        page.open(address)
        page.click("#examples button")
        page.result()
        assert {"entailment (함의)", "contradiction (모순)", "neutral (중립)"} == set(page.texts("#result .what"))
    whole(page)


def test_what_is_wrong_is_told_in_place(page: Page) -> None:
    with served(predictor(), Limits(max_text_chars=10)) as address:
        page.open(address)
        page.click("#send")
        assert page.wait("document.querySelector('#error').textContent") == "문장을 적어 주세요."
        page.type("#text", "가" * 11)
        page.click("#send")
        page.wait("document.querySelector('#error').textContent.includes('10자까지')")
        page.type("#text", "가")
        page.type("#option-threshold", "7")
        page.run("document.querySelector('#options').open = true")
        page.type("#option-threshold", "7")
        page.click("#send")
        page.wait("document.querySelector('#error').textContent.startsWith('입력을 다시 살펴봐 주세요.')")
        assert "options.threshold" in page.text("#error")
        page.type("#option-threshold", "0.5")
        page.click("#send")
        page.result()
        assert page.run("document.querySelector('#error').hidden")
    page.failures = [failure for failure in page.failures if "422" not in failure]  # the refusal itself
    page.click("#send")
    page.wait("document.querySelector('#error').textContent.startsWith('서버에 연결하지 못했습니다')")
    assert page.dialogs == []


def test_a_task_without_a_view_of_its_own_is_shown_as_it_is(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    model = predictor()
    monkeypatch.setattr(type(model.task), "name", "constructor")
    with served(model) as address:
        page.open(address)
        page.type("#text", MARKUP)
        page.click("#send")
        shown = json.loads(page.result())
    assert set(shown) == {"label", "score", "scores"}
    whole(page)


def test_the_documentation_shows_the_fields(page: Page) -> None:
    with served(predictor("question-answering")) as address:
        page.call("Page.navigate", url=f"{address}/docs")
        page.wait("document.querySelectorAll('.endpoint').length === 5")
    assert page.texts(".endpoint h2")[:3] == ["POST /api", "POST /api/batch", "POST /api/stream"]
    assert {"question", "context", "max_answer_length"} <= set(page.texts(".endpoint:first-child th"))
    assert "curl" in page.text(".endpoint pre")
    whole(page)


@pytest.mark.parametrize("width", [360, 1200])
def test_pages_fit_their_window(page: Page, width: int, tmp_path: Path) -> None:
    with served(predictor("ner")) as address:
        page.open(address)
        page.click("#examples button")
        page.result()
        page.picture(tmp_path / "page.png", width=width, dark=True)
        assert page.run("document.documentElement.scrollWidth <= window.innerWidth")
    assert (tmp_path / "page.png").stat().st_size > 5000
