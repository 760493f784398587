"""What a client is told when something is wrong: one shape, `{"error": {problem, place, expected, fix}}`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ..errors import InputError, did_you_mean


class Json(JSONResponse):
    """JSON in UTF-8; half a character (a lone surrogate) of what was asked is written as its escape."""

    def render(self, content: Any) -> bytes:
        """See `starlette.responses.JSONResponse.render`."""
        return as_json(content).encode("utf-8", "backslashreplace")


def as_json(content: Any) -> str:
    """One line of strict JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


class Problem(HTTPException):
    """An error with its status; Starlette lets it through where it would hide another kind."""

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
        """What is sent."""
        return Json(self.content, status_code=self.status_code, headers=self.headers)


def of_input(error: InputError, options: Iterable[str]) -> Problem:
    """An error of the library in the words of a request: `--threshold` is `options.threshold`."""
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
    """What the framework itself refuses: unknown paths, methods, bodies."""
    if isinstance(error, Problem):
        return error
    if error.status_code == 404:
        return Problem(404, f"there is nothing at {path[:80]}", place="path", fix=did_you_mean(path[:80], paths))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow") or (error.headers or {}).get("allow")
        return Problem(405, "this path takes another method", place="method", expected=allowed, headers=error.headers)
    if error.status_code == 400:
        return Problem(400, "the body cannot be read as JSON", place="body", expected="JSON in UTF-8")
    return Problem(error.status_code, str(error.detail), headers=error.headers)


def of_validation(errors: Sequence[Mapping[str, Any]], fields: Sequence[str], options: Iterable[str]) -> Problem:
    """What is wrong with a body: an unknown name, as it may be why another is missing, else what comes first.

    Args:
        errors: as pydantic describes them.
        fields: of an input.
        options: that a request can set.
    """
    found = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    where = [part for part in found["loc"] if part != "body"]
    if found["type"] == "extra_forbidden":
        return _unknown(where, fields, options)
    if found["type"] == "json_invalid":
        problem = f"the body is not JSON: {found['ctx']['error']}"
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
        expected=", ".join(known) or "no options: this task has none",
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


def _half_character(found: Mapping[str, Any], place: str) -> Problem:
    problem = "half a character (a lone surrogate)"
    return Problem(422, problem, place=place, expected="whole Unicode text", fix="write emoji whole")


def _other(found: Mapping[str, Any], place: str) -> Problem:
    return Problem(422, f"{_shown(found.get('input'))} does not fit", place=place, expected=_expected(found["msg"]))


_REFUSED: dict[str, Callable[[Mapping[str, Any], str], Problem]] = {
    "missing": _missing,
    "string_too_long": _long_text,
    "too_long": _many_inputs,
    "string_unicode": _half_character,
}
"""What pydantic finds -> how it is told."""


def _expected(message: str) -> str:
    """`Input should be a valid string` in fewer words."""
    short = message.removeprefix("Input should be ")
    return "an object" if "dictionary" in short else short.replace("a valid ", "a ")


def _place(parts: Sequence[Any]) -> str:
    """`inputs[3].text`."""
    out = ""
    for part in parts:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out[:120] or "body"


def _shown(value: Any) -> str:
    is_short = (
        value is None or isinstance(value, (bool, float)) or (isinstance(value, (str, int)) and len(str(value)) < 60)
    )
    return repr(value) if is_short else f"a {type(value).__name__}"
