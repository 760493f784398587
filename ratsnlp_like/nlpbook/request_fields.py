"""Fields of the requests to the book's web pages, and the page with its form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from ..errors import InputError, with_article

_TITLES = {
    "sentence": "문장",
    "premise": "전제",
    "hypothesis": "가설",
    "question": "질문",
    "context": "지문",
    "prompt": "시작하는 말",
    "min_length": "최소 길이",
    "max_length": "최대 길이",
    "top_p": "top-p",
    "top_k": "top-k",
    "repetition_penalty": "반복 페널티",
    "no_repeat_ngram_size": "반복하지 않을 n-gram 크기",
    "temperature": "온도",
}
_PAGE = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="static/page.css">
<script src="static/page.js" defer></script>
</head>
<body>
<main>
<h1>모델에게 물어보세요</h1>
<form data-bare="{bare}">
{fields}
<button>실행</button>
</form>
<p id="status" role="status"></p>
<div id="result"></div>
</main>
</body>
</html>
"""


class RequestFields:
    """Fields of a request, in the order of the arguments of `inference_fn`.

    Args:
        texts: names of the texts. A single one without numbers is sent as a plain JSON string.
        numbers: names of the numbers with their defaults.
    """

    def __init__(self, *texts: str, numbers: Mapping[str, float] | None = None) -> None:
        self.texts, self.numbers = texts, dict(numbers or {})
        self.bare = len(texts) == 1 and not self.numbers

    def values(self, body: Any) -> list[Any]:
        """Return the values of a request body.

        Raises:
            InputError: the body has the wrong form, or a value is missing or invalid.
        """
        if self.bare:
            return [_text(body, "body")]
        if not isinstance(body, dict):
            names = ", ".join(f'"{name}": ...' for name in self.texts)
            raise InputError(f"the body is {with_article(type(body).__name__)}", place="body", expected=f"{{{names}}}")
        texts = [_text(body.get(name), name) for name in self.texts]
        return [*texts, *(_number(body.get(name), name, default) for name, default in self.numbers.items())]

    def page(self) -> str:
        """Return the HTML page with an input for each field."""
        fields = [
            f'<label>{escape(_TITLES[name])}<textarea name="{name}" rows="{7 if name == "context" else 2}" required>'
            "</textarea></label>"
            for name in self.texts
        ]
        fields += [
            f'<label class="number">{escape(_TITLES[name])}<input type="number" step="{_step(value)}" name="{name}" '
            f'value="{value}"></label>'
            for name, value in self.numbers.items()
        ]
        title = " · ".join(_TITLES[name] for name in self.texts)
        return _PAGE.format(title=escape(title), bare=str(self.bare).lower(), fields="\n".join(fields))


def _step(value: float) -> str:
    return "1" if isinstance(value, int) else "any"


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        got = "missing" if value is None else with_article(type(value).__name__)
        raise InputError(f"the text is {got}", place=name, expected="a JSON string")
    return value


def _number(value: Any, name: str, default: float) -> float:
    """Return a number of the type of its default; the page sends numbers as text."""
    if value is None or value == "":
        return default
    try:
        number = float(value)
        if isinstance(value, bool) or not math.isfinite(number) or (isinstance(default, int) and number % 1):
            raise ValueError
    except (TypeError, ValueError):
        expected = "an integer" if isinstance(default, int) else "a number"
        raise InputError(f"{str(value)[:60]!r}", place=name, expected=expected) from None
    return int(number) if isinstance(default, int) else number
