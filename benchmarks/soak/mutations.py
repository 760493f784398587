"""The ways in which a corpus is malformed, each with its oracle."""

from __future__ import annotations

import codecs
import copy
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.text import RawExample

from .samples import Sample


@dataclass(frozen=True)
class Mutated:
    """A malformed file and the results that are right; none where it must be refused."""

    content: bytes
    expected: tuple[list[Example], ...] = ()
    file: str | None = None


Apply = Callable[[Sample, list[Example], np.random.Generator], Mutated | None]


@dataclass(frozen=True)
class Mutation:
    """One way in which a file is malformed.

    Args:
        name: of the mutation.
        group: row of the table.
        fits: True for the samples that it applies to.
        apply: returns the malformed file and the right results; None where there is nothing to change.
    """

    name: str
    group: str
    fits: Callable[[Sample], bool]
    apply: Apply


MUTATIONS: list[Mutation] = []
_TABULAR = frozenset({"csv", "tsv"})
_ROWS = frozenset({"jsonl", "entities", "doccano", "tokens", "pairs", "answers", "messages"})


def _is_text(sample: Sample) -> bool:
    return sample.is_text


def _is_json(sample: Sample) -> bool:
    return sample.file.endswith((".json", ".jsonl"))


def _named(*names: str) -> Callable[[Sample], bool]:
    return lambda sample: sample.name in names


def _mutation(group: str, fits: Callable[[Sample], bool]) -> Callable[[Apply], Apply]:
    def register(apply: Apply) -> Apply:
        MUTATIONS.append(Mutation(apply.__name__, group, fits, apply))
        return apply

    return register


def _line(content: bytes, rng: np.random.Generator, *, first: int = 0) -> tuple[list[bytes], int]:
    """Return the lines of a file, and the index of one of them that is not blank."""
    lines = content.split(b"\n")
    filled = [i for i, line in enumerate(lines) if line.strip() and i >= first]
    return lines, filled[rng.integers(0, len(filled))]


# encodings and line ends: the meaning is the same, or the file is refused


@_mutation("encodings", lambda sample: sample.is_text and sample.kind is not RawExample)  # its blank lines are rows
def other_encoding(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """The same text in another encoding with a byte order mark, compressed, or with other line ends."""
    text = sample.content.decode()
    content, file = [
        (codecs.BOM_UTF8 + sample.content, None),
        (text.encode("utf-16"), None),
        (text.encode("utf-32"), None),
        (text.replace("\r\n", "\n").replace("\n", "\r\n").encode(), None),
        (gzip.compress(sample.content, mtime=0), f"{sample.file}.gz"),
        (sample.content + b"\n\n", None),
    ][rng.integers(0, 6)]
    return Mutated(content, (right,), file)


@_mutation("encodings", _is_text)
def bytes_of_no_encoding(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """Bytes that are neither UTF-8 nor CP949, or a NUL, in the middle of the file."""
    at = int(rng.integers(1, len(sample.content)))
    piece = [b"\xff\xff", b"\x00", b"\x80\xff"][rng.integers(0, 3)]
    return Mutated(sample.content[:at] + piece + sample.content[at:])


@_mutation("encodings", _is_text)
def one_line_in_cp949(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated | None:
    """One line of a UTF-8 file is CP949."""
    lines, at = _line(sample.content, rng)
    try:
        other = lines[at].decode().encode("cp949")
    except UnicodeEncodeError:
        return None
    if other == lines[at] or all(line.isascii() for i, line in enumerate(lines) if i != at):
        return None
    return Mutated(b"\n".join([*lines[:at], other, *lines[at + 1 :]]))


@_mutation("cut files", lambda sample: True)
def cut_compressed_or_binary(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A compressed or binary file is cut off."""
    content, file = sample.content, None
    if sample.is_text:
        content, file = gzip.compress(content, mtime=0), f"{sample.file}.gz"
    return Mutated(content[: rng.integers(2, len(content) - 1)], (), file)  # one byte is a text


@_mutation("cut files", lambda sample: sample.file.endswith(".json"))
def cut_json(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A JSON file is cut off before its last bracket."""
    return Mutated(sample.content[: rng.integers(1, len(sample.content.rstrip()))])


@_mutation("cut files", lambda sample: sample.file.endswith((".jsonl", ".csv", ".tsv", ".conll")))
def cut_lines(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated | None:
    """A file of lines is cut off within a line whose beginning is not a row."""
    lines, at = _line(sample.content, rng, first=1)
    if sample.file.endswith(".jsonl"):
        kept = lines[at][: rng.integers(1, len(lines[at].rstrip()))]
    else:
        separator = b"\t" if b"\t" in lines[at] else b","
        kept = lines[at][: rng.integers(1, lines[at].rindex(separator) + 1)]
        if kept.endswith(separator) or separator in kept.replace(b'""', b""):
            kept = kept.split(separator)[0] or b"x"
    return Mutated(b"\n".join([*lines[:at], kept]))


# rows: order, repetition, deletion


@_mutation("lines", lambda sample: sample.name in _ROWS | _TABULAR | {"text", "fasttext"})
def lines_moved(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A row is deleted or repeated, and the order changes: the result changes alike."""
    lines = sample.content.decode().rstrip("\n").split("\n")
    head = lines[:1] if sample.name in _TABULAR else []
    body = lines[len(head) :]
    order = list(rng.permutation(len(body)))
    if rng.integers(0, 2):
        order = [*order, order[0]]
    elif len(order) > 1:
        order = order[1:]
    return Mutated("\n".join([*head, *(body[i] for i in order), ""]).encode(), ([right[i] for i in order],))


@_mutation("tables", _named("csv", "tsv"))
def cells_of_a_row(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A row has a cell more or fewer, or its label is missing."""
    lines, at = _line(sample.content, rng, first=1)
    separator = b"\t" if sample.name == "tsv" else b","
    text, _, label = lines[at].rpartition(separator)
    lines[at] = [text, lines[at] + separator + b"x", text + separator, separator.join([b"", text, label])][
        rng.integers(0, 4)
    ]
    return Mutated(b"\n".join(lines))


@_mutation("tables", _named("csv", "tsv"))
def header(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """The header is missing, has a name twice or in two cases, or lacks one; or it is repeated, which is skipped."""
    separator = "\t" if sample.name == "tsv" else ","
    lines = sample.content.decode().split("\n")
    case = rng.integers(0, 5)
    if case == 0:
        at = int(rng.integers(2, len(lines) - 1))
        return Mutated("\n".join([*lines[:at], lines[0], *lines[at:]]).encode(), (right,))
    names = [["text", "text"], ["text", ""], ["a", "b"], None][case - 1]
    head = [] if names is None else [separator.join(names)]
    return Mutated("\n".join([*head, *lines[1:]]).encode())


@_mutation("tables", _named("csv"))
def open_quote(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """The closing quote of a cell is missing, or text follows it."""
    lines, at = _line(sample.content, rng, first=1)
    end = lines[at].rindex(b'"')
    lines[at] = lines[at][:end] + (b'"x' if rng.integers(0, 2) else b"") + lines[at][end + 1 :]
    return Mutated(b"\n".join(lines))


# JSON: broken syntax, and values of other types


@_mutation("JSON syntax", _is_json)
def json_syntax(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A bracket, a quote or a colon is missing."""
    places = [i for i, byte in enumerate(sample.content) if byte in b'{}:"' and sample.content[i - 1 : i] != b"\\"]
    at = places[rng.integers(0, len(places))]
    return Mutated(sample.content[:at] + sample.content[at + 1 :])


@_mutation("JSON syntax", lambda sample: sample.name in _ROWS)
def key_twice(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """An object has a key twice with two values."""
    lines, at = _line(sample.content, rng)
    key = next(iter(json.loads(lines[at])))
    lines[at] = lines[at][:-1] + f', "{key}": "다른 값"}}'.encode()
    return Mutated(b"\n".join(lines))


_NO_TEXT: list[Any] = [True, False, ["가"], {"a": "가"}, [], {}, {"text": "가"}]
_NO_LABEL: list[Any] = [None, "", " ", 1.5, 2.0, {"a": 1}, float("nan"), float("inf"), "\u200b", [["a"]], [{}], 1e300]
_NO_OFFSET: list[Any] = [None, True, False, "0", "x", 0.5, -1, 99, float("nan"), float("inf"), [], {}, 10**40]
_NO_TYPE: list[Any] = [None, "", " ", 1, True, {}, [], ["a", "b"], "\u200b", "B-PS", float("nan")]


def _value_mutation(group: str, names: tuple[str, ...], change: Callable[[Any, np.random.Generator], bool]) -> None:
    """Register a mutation that changes the rows of a JSON file; `change` returns False where there is nothing to do."""

    def apply(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated | None:
        is_lines = sample.file.endswith(".jsonl")
        text = sample.content.decode()
        value = [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)
        row = value[rng.integers(0, len(value))] if isinstance(value, list) else value
        if not change(row, rng):
            return None
        out = "\n".join(json.dumps(one, ensure_ascii=False) for one in (value if is_lines else [value]))
        return Mutated(out.encode())

    MUTATIONS.append(Mutation(change.__name__, group, _named(*names), apply))


def _pick(values: list[Any], rng: np.random.Generator) -> Any:
    return copy.deepcopy(values[rng.integers(0, len(values))])


def texts_of_other_types(row: Any, rng: np.random.Generator) -> bool:
    """A text is no text."""
    key = next(name for name in ("text", "premise", "question") if name in row)
    row[key] = _pick(_NO_TEXT, rng)
    return True


def labels_of_other_types(row: Any, rng: np.random.Generator) -> bool:
    """A label is no class."""
    row["label"] = _pick(_NO_LABEL, rng)
    return True


def _spans(row: Any) -> list[Any]:
    return row.get("entities", row.get("label")) or []


def offsets(row: Any, rng: np.random.Generator) -> bool:
    """An offset of an entity is no offset, or is outside the text."""
    if not (spans := _spans(row)):
        return False
    spans[rng.integers(0, len(spans))][rng.integers(0, 2)] = _pick(_NO_OFFSET, rng)
    return True


def types_of_entities(row: Any, rng: np.random.Generator) -> bool:
    """The type of an entity is none."""
    if not (spans := _spans(row)):
        return False
    spans[rng.integers(0, len(spans))][2] = _pick(_NO_TYPE, rng)
    return True


def overlapping(row: Any, rng: np.random.Generator) -> bool:
    """Two entities overlap, or an entity has no length."""
    if not (spans := _spans(row)):
        return False
    start, end, _ = spans[0]
    spans.append([start, end, "OG"] if rng.integers(0, 2) else [end, end, "OG"])
    return True


def answer_starts(row: Any, rng: np.random.Generator) -> bool:
    """The start of an answer is none, or another one."""
    row["answer_start"] = _pick([1, 2, 99, True, False, 0.5, "x", [], {}, -2], rng)
    return True


def answers(row: Any, rng: np.random.Generator) -> bool:
    """An answer is not in its context, or is no text."""
    row["answer"] = _pick(["없는 말", 5, True, {"a": 1}, ["가", "나"], 1.5], rng)
    return True


def tags(row: Any, rng: np.random.Generator) -> bool:
    """There are more or fewer tags than words, or one is no tag."""
    values: list[Any] = row["ner_tags"]
    match rng.integers(0, 3):
        case 0:
            values.append("O")
        case 1:
            values.pop()
        case _:
            values[rng.integers(0, len(values))] = _pick([None, "X", 5, "B-", "", {}, "I-OG", True], rng)
    return True


def roles(row: Any, rng: np.random.Generator) -> bool:
    """A message has no role or no content."""
    message = row["messages"][rng.integers(0, 2)]
    key = ("role", "content")[rng.integers(0, 2)]
    if rng.integers(0, 2):
        del message[key]
    else:
        message[key] = _pick([None, 5, True, [], {}, "nobody" if key == "role" else 1.5], rng)
    return True


_value_mutation("values", ("jsonl", "entities", "doccano", "pairs", "answers"), texts_of_other_types)
_value_mutation("values", ("jsonl", "json", "pairs"), labels_of_other_types)
_value_mutation("entities", ("entities", "doccano"), offsets)
_value_mutation("entities", ("entities", "doccano"), types_of_entities)
_value_mutation("entities", ("entities", "doccano"), overlapping)
_value_mutation("entities", ("tokens",), tags)
_value_mutation("answers", ("answers",), answer_starts)
_value_mutation("answers", ("answers",), answers)
_value_mutation("values", ("messages",), roles)


def squad_items(value: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each question of SQuAD's JSON with its paragraph."""
    for article in value["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph, question


@_mutation("answers", lambda sample: sample.options.format == "squad")
def squad(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated | None:
    """An answer of SQuAD's JSON has moved, is of another type, or its context is missing."""
    value = json.loads(sample.content)
    items = [item for item in squad_items(value) if item[1]["answers"]]
    paragraph, question = items[rng.integers(0, len(items))]
    answer = question["answers"][0]
    match rng.integers(0, 5):
        case 0:
            answer["answer_start"] += 1
        case 1:
            answer["answer_start"] = _pick([True, 0.5, "x", [], -3], rng)
        case 2:
            answer["text"] = _pick([None, 5, "없는 말", ["가"]], rng)
        case 3:
            paragraph["context"] = _pick([None, "", 5, [], "다른 글"], rng)
        case _:
            question["answers"] = _pick([5, "없는 말", {"a": 1}, [5], True], rng)
    return Mutated(json.dumps(value, ensure_ascii=False).encode())


@_mutation("tags", _named("conll"))
def conll(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A tag is missing, unknown or follows nothing; a row has another number of columns."""
    lines, at = _line(sample.content, rng)
    word, _, tag = lines[at].partition(b"\t")
    options = [word, word + b"\tX", word + b"\tI-QT", word + b"\tB-", b"\t" + tag, word + b"\tx\t" + tag, word + b"\t"]
    lines[at] = options[rng.integers(0, len(options))]
    return Mutated(b"\n".join(lines), (right,) if lines[at].endswith(b"I-QT") and tag == b"" else ())


@_mutation("tags", _named("klue-ner"))
def klue(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """A row of a character is missing, doubled or has another tag; the head has another entity."""
    lines = sample.content.split(b"\n")
    rows = [i for i, line in enumerate(lines) if line and not line.startswith(b"## ")]
    at = rows[rng.integers(0, len(rows))]
    match rng.integers(0, 4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines[at] = lines[at].split(b"\t")[0] + b"\tB-QT"
        case _:
            lines[0] = lines[0].replace(b":LC>", b":QT>")
    return Mutated(b"\n".join(lines))


@_mutation("tags", lambda sample: sample.options.format == "book-ner")
def book(sample: Sample, right: list[Example], rng: np.random.Generator) -> Mutated:
    """The two halves differ, or the separator is missing."""
    left, _, marked = sample.content.decode().rstrip("\n").partition("\u241e")
    at = int(rng.integers(0, len(left)))
    return Mutated(
        [
            f"{left}{marked}\n",
            f"{left[:at]}{left[at + 1 :]}\u241e{marked}\n",
            f"{left}\u241e{marked}가\n",
            f"{left}\u241e{marked}\u241e\n",
        ][rng.integers(0, 4)].encode()
    )
