"""Random damage to bytes and to JSON values."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

_PIECES = [
    *(
        b'"',
        b"'",
        b"\t",
        b",",
        b";",
        b"|",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"null",
        b"NaN",
        b"Infinity",
        b"-1",
        b"1e999",
        b"9" * 40,
        b"true",
        b'""',
        b"\\ud83d",
    ),
    *(
        b"B-PS",
        b"I-LC",
        b"O",
        b"<",
        b">",
        b":PS>",
        "\u241e".encode(),
        b"## ",
        b"# ",
        b"__label__",
        b"T1\t",
        b"-DOCSTART-",
    ),
    *(
        "가".encode("cp949"),
        "가".encode(),
        "\u1100\u1161".encode(),
        "\U0001f600".encode(),
        "\u200b".encode(),
        b"\x1f\x8b",
    ),
]
"""Bytes that mean something to one of the formats."""
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        3,
        10**30,
        1.5,
        2.0,
        -0.0,
        1e308,
        float("nan"),
        float("inf"),
        "",
        " ",
        "0",
        "nan",
        "가",
    ),
    *(
        "\ud800",
        "\0",
        "가" * 5000,
        "[" * 2000,
        '{"a": 1}',
        "B-PS",
        [],
        [[]],
        [None],
        [1, 2],
        ["가"],
        [[0, 1, "PS"]],
        {},
    ),
    *(
        {"a": 1},
        {"text": "가"},
        {"start": 0, "end": 1, "label": "PS"},
        [{"text": "가", "answer_start": 0}],
        [0, 1, "PS"],
    ),
]
"""JSON values of all types, and extreme ones."""


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one to four random changes."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(0, len(data) + 1))
        size = int(rng.integers(1, 9))
        match rng.integers(0, 8):
            case 0:
                data[at : at + 1] = bytes([int(rng.integers(0, 256))])
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = _PIECES[rng.integers(0, len(_PIECES))]
            case 3:
                data[at : at + size] = _PIECES[rng.integers(0, len(_PIECES))]
            case 4:  # a piece of the file once more, elsewhere
                start = int(rng.integers(0, len(data) + 1))
                data[at:at] = data[start : start + 4 * size]
            case 5:
                data[at : at + 1] = bytes([data[at] ^ (1 << int(rng.integers(0, 8)))]) if at < len(data) else b""
            case 6:
                _swap_lines(data, rng)
            case _:
                if rng.integers(0, 4) == 0:
                    del data[at:]
    return bytes(data)


def _swap_lines(data: bytearray, rng: np.random.Generator) -> None:
    lines = bytes(data).split(b"\n")
    one, other = rng.integers(0, len(lines), 2)
    match rng.integers(0, 3):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            del lines[one]
        case _:
            lines.insert(one, lines[other])
    data[:] = b"\n".join(lines)


def damaged_value(value: Any, rng: np.random.Generator) -> Any:
    """Return a JSON value with one to three random changes: other types, missing and new keys, doubled items."""
    value = copy.deepcopy(value)
    for _ in range(rng.integers(1, 4)):
        parents = _containers(value)
        if not parents:
            return VALUES[rng.integers(0, len(VALUES))]
        _change(parents[rng.integers(0, len(parents))], rng)
    return value


def _containers(value: Any) -> list[Any]:
    """Return all lists and objects within a value that are not empty."""
    found, queue = [], [value]
    while queue:
        one = queue.pop()
        if isinstance(one, (dict, list)) and one:
            found.append(one)
            queue.extend(one.values() if isinstance(one, dict) else one)
    return found


def _change(container: Any, rng: np.random.Generator) -> None:
    keys: list[Any] = list(container) if isinstance(container, dict) else list(range(len(container)))
    key = keys[rng.integers(0, len(keys))]
    replacement = copy.deepcopy(VALUES[rng.integers(0, len(VALUES))])
    match rng.integers(0, 6):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 1:
            container[f"{key} "] = container.pop(key)
        case 2 if isinstance(container[key], str) and container[key]:
            container[key] = container[key][: rng.integers(0, len(container[key]))]
        case 3 if isinstance(container[key], int):
            container[key] = container[key] + int(rng.integers(-3, 4))
        case _:
            container[key] = replacement


def dumped(value: Any, rng: np.random.Generator, *, lines: bool) -> bytes:
    """Return JSON or JSON lines; lone surrogates are escaped."""
    escape = bool(rng.integers(0, 2))
    rows = value if lines and isinstance(value, list) else [value]
    indent = None if lines else [None, 1][rng.integers(0, 2)]
    text = "\n".join(json.dumps(row, ensure_ascii=escape, indent=indent) for row in rows)
    return text.encode("utf-8", "surrogatepass")
