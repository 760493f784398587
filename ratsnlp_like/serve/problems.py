"""Error responses, all of one shape: `{"error": {problem, place, expected, fix}}`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ..errors import InputError, did_you_mean, with_article


class Json(JSONResponse):
    """JSON in UTF-8; lone surrogates of the input are written as escapes."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return as_json(content).encode("utf-8", "backslashreplace")


def as_json(content: Any) -> str:
    """Return one line of strict JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


class Problem(HTTPException):
    """Error with its HTTP status; a subclass of HTTPException, which Starlette passes to its handler."""

    def __init__(
        self,
        status: int,
        problem: str,
        *,
        place: str | None = None,
        expected: str | None = None,
        fix: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, problem, headers=dict(headers or {}))
        self.content = {"error": {"problem": problem, "place": place, "expected": expected, "fix": fix}}

    def response(self) -> Json:
        """Return the response of this error."""
        return Json(self.content, status_code=self.status_code, headers=self.headers)


def of_input(error: InputError, options: Iterable[str]) -> Problem:
    """Return an error of the library with `--threshold` written as `options.threshold`."""
    flags = "|".join(map(re.escape, sorted(options, key=len, reverse=True)))

    def reworded(text: object) -> str | None:
        if text is None:
            return None
        return re.sub(rf"--({flags})\b", r"options.\1", str(text)) if flags else str(text)

    return Problem(
        422,
        str(reworded(error.problem)),
        place=reworded(error.place),
        expected=reworded(error.expected),
        fix=reworded(error.fix),
    )


def of_status(error: HTTPException, path: str, paths: Sequence[str]) -> Problem:
    """Return an error of the framework: unknown path, wrong method, unreadable body."""
    if isinstance(error, Problem):
        return error
    if error.status_code == 404:
        return Problem(404, f"unknown path {path[:80]}", place="path", fix=did_you_mean(path[:80], paths))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow") or (error.headers or {}).get("allow")
        return Problem(405, "method not allowed", place="method", expected=allowed, headers=error.headers)
    if error.status_code == 400:
        return Problem(400, "the body is not valid JSON", place="body", expected="JSON in UTF-8")
    return Problem(error.status_code, str(error.detail), headers=error.headers)


def of_validation(errors: Sequence[Mapping[str, Any]], fields: Sequence[str], options: Iterable[str]) -> Problem:
    """Return the error of a body: an unknown name first, since it may be a misspelled required one.

    Args:
        errors: of pydantic.
        fields: names of the fields of an input.
        options: names of the options of a request.
    """
    found = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    where = [part for part in found["loc"] if part != "body"]
    if found["type"] == "extra_forbidden":
        return _unknown(where, fields, options)
    if found["type"] == "json_invalid":
        problem = f"the body is not valid JSON: {found['ctx']['error']}"
        return Problem(400, problem, place=f"body, character {where[-1]}", expected="JSON in UTF-8")
    return _REFUSED.get(found["type"], _other)(found, _place(where))


def _unknown(where: Sequence[Any], fields: Sequence[str], options: Iterable[str]) -> Problem:
    kind, known = "field", [*fields, "options"]
    if "options" in where[:-1]:
        kind, known = "option", sorted(options)
    elif where[0] == "inputs":
        known = list(fields)
    name = str(where[-1])[:60]
    return Problem(
        422,
        f"unknown {kind} {name!r}",
        place=_place(where),
        expected=", ".join(known) or "no options; this task has none",
        fix=did_you_mean(name, known, few=True).strip() or None,
    )


def _missing(found: Mapping[str, Any], place: str) -> Problem:
    return Problem(422, "the field is missing", place=place)


def _long_text(found: Mapping[str, Any], place: str) -> Problem:
    problem = f"the text has {len(found['input']):,} characters"
    return Problem(413, problem, place=place, expected=f"at most {found['ctx']['max_length']:,}")


def _many_inputs(found: Mapping[str, Any], place: str) -> Problem:
    most = f"at most {found['ctx']['max_length']:,}"
    return Problem(413, "too many inputs", place=place, expected=most, fix="send them in several requests")


def _lone_surrogate(found: Mapping[str, Any], place: str) -> Problem:
    problem = "invalid Unicode: a lone surrogate"
    return Problem(422, problem, place=place, expected="valid Unicode text")


def _other(found: Mapping[str, Any], place: str) -> Problem:
    return Problem(422, f"invalid value: {_shown(found.get('input'))}", place=place, expected=_expected(found["msg"]))


_REFUSED: dict[str, Callable[[Mapping[str, Any], str], Problem]] = {
    "missing": _missing,
    "string_too_long": _long_text,
    "too_long": _many_inputs,
    "string_unicode": _lone_surrogate,
}
"""Type of an error of pydantic -> its response."""


def _expected(message: str) -> str:
    """Return `a string` for `Input should be a valid string`."""
    short = message.removeprefix("Input should be ")
    return "an object" if "dictionary" in short else short.replace("a valid ", "a ")


def _place(parts: Sequence[Any]) -> str:
    """Return a place such as `inputs[3].text`."""
    out = ""
    for part in parts:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out[:120] or "body"


def _shown(value: Any) -> str:
    is_short = (
        value is None or isinstance(value, (bool, float)) or (isinstance(value, (str, int)) and len(str(value)) < 60)
    )
    return repr(value) if is_short else with_article(type(value).__name__)
