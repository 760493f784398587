"""The page of a report: complete, escaped, without any request."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from helpers_pages import SCRIPT, run_folder

from ratsnlp_like.errors import InputError
from ratsnlp_like.pages.charts import line_chart, thinned, ticks
from ratsnlp_like.pages.html import element
from ratsnlp_like.pages.page import errors_page, run_page
from ratsnlp_like.pages.runs import read_run
from ratsnlp_like.pages.texts import Texts


class Reader(HTMLParser):
    """Collects the tags, and checks that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("number", [1, 2])
def test_texts_are_escaped_and_nothing_is_requested(tmp_path: Path, language: Any, number: int) -> None:
    runs = [read_run(run_folder(tmp_path / f"run{k}")) for k in range(number)]
    page = run_page(runs, language=language)
    reader = parsed(page)
    assert reader.text.count(SCRIPT) > 12 * number
    assert not reader.tags & {"script", "img", "link", "iframe", "base"}
    assert not {name for name in reader.attributes if name.startswith("on")} | reader.attributes & {"src", "srcset"}
    assert "url(" not in page
    assert re.findall(r"https?:", page) == []
    assert "Content-Security-Policy" in page
    for section in ("scores", "curves", "classes", "confusion", "calibration", "slices", "mistakes", "corpus"):
        assert page.count(f'id="{section}"') == number, section
    assert ("comparison" in reader.text) is False
    assert ("학습 곡선" in reader.text) == (language == "ko")


def test_the_page_of_mistakes(tmp_path: Path) -> None:
    analysis = json.loads((run_folder(tmp_path / "run") / "analysis.json").read_text(encoding="utf-8"))
    reader = parsed(errors_page(SCRIPT, analysis))
    assert SCRIPT in reader.text
    assert "script" not in reader.tags


def test_a_run_with_little_in_it(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result |= {"metrics": {"perplexity": 1234.5}, "verdict": None}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "analysis.json").unlink()
    (folder / "logs" / "version_0" / "metrics.csv").unlink()
    assert "1,234.5" in parsed(run_page([read_run(folder)])).text


def test_several_seeds(tmp_path: Path) -> None:
    """The page has the curves and the mistakes of the best seed, and the scores of all."""
    folder = run_folder(tmp_path / "run")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    seeds = [{"seed": seed, "validation": value} for seed, value in ((7, 0.61), (8, 0.72))]
    spread = {"macro_f1": {"mean": 0.665, "sd": 0.0778}}
    result["seeds"] = {"metric": "macro_f1", "best": 8, "runs": seeds, "validation": spread}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "seed-8").mkdir()
    for name in ("analysis.json", "logs"):
        (folder / name).rename(folder / "seed-8" / name)
    page = run_page([read_run(folder)], language="en")
    for section in ("seeds", "curves", "mistakes"):
        assert page.count(f'id="{section}"') == 1
    assert '<td><strong>8</strong></td><td class="number">0.7200</td>' in page
    assert "0.6650 ± 0.0778" in page


def test_the_command_leaves_out_what_was_chosen(tmp_path: Path) -> None:
    """An option that is `auto` is shown with its value, and not repeated in the command."""
    folder = run_folder(tmp_path / "run")
    assert "--learning_rate 0.1" in parsed(run_page([read_run(folder)])).text
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result["found"] = {"learning_rate": 0.0005, "reasons": {"learning_rate": "for its size"}}
    (folder / "result.json").write_text(json.dumps(result))
    text = parsed(run_page([read_run(folder)])).text
    assert "--learning_rate" not in text
    assert "학습률0.0005" in text.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(("name", "part"), [("config.yaml", "not a run folder"), ("result.json", "not finished")])
def test_a_folder_that_is_no_finished_run(tmp_path: Path, name: str, part: str) -> None:
    folder = run_folder(tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(InputError, match=part):
        read_run(folder)
    (folder / name).write_text("[1")
    with pytest.raises(InputError, match="cannot be read"):
        read_run(folder)


def test_elements() -> None:
    assert element("p", "a<b", None, [1, element("b", "&")], class_="x", hidden=True, title=None) == (
        '<p class="x" hidden>a&lt;b1<b>&amp;</b></p>'
    )
    assert element("p", "\x1b\ud800가", title='"') == '<p title="&quot;">\ufffd\ufffd가</p>'


def test_charts() -> None:
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(5, 5)[0] <= 5 < ticks(5, 5)[-1]
    curve = thinned([(k, k) for k in range(1000)])
    assert len(curve) <= 240
    assert curve[0] == (2, 2)
    parsed(line_chart({"하나": [(3.0, 0.5)], "둘": []}, label="x", x_label="y"))


def test_noise_does_not_fill_a_chart() -> None:
    """0.71 to 0.712 on an axis of at least 0.1."""
    points = {"f1": [(1.0, 0.71), (2.0, 0.712)]}
    close, wide = (line_chart(points, label="x", x_label="y", least=least) for least in (0.0, 0.1))
    assert "0.7105" in close
    assert "0.7105" not in wide
    assert ">0.66<" in wide
    assert ">0.78<" in wide


def test_every_text_is_in_both_languages() -> None:
    assert Texts("ko")("curves") == "학습 곡선"
    assert Texts("en").of("kinds", "particle") == "particle"
    assert Texts("ko").of("kinds", "부정 → 긍정") == "부정 → 긍정"
