"""The canonical examples: what every corpus yields and every task takes.

Every file format becomes one of these; nothing after the corpus knows the format. A task brings its
own example by subclassing `Example`: the names of its fields are the names of the columns, and
`aliases` says under which other names a column is found.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

from .errors import InputError


class Place(NamedTuple):
    """Where a row stands, for messages."""

    file: str
    line: int
    """Its number, from 1."""
    unit: str = "line"
    """What is counted: lines, or the records of a file that has none."""

    def __str__(self) -> str:
        return f"{self.file}, {self.unit} {self.line}"


class Entity(NamedTuple):
    """A named entity in characters of the original text, `end` exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Example:
    """One row of a corpus. `place` is where it was read; it takes no part in comparison."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Other column names under which a field is found, lower-case, in order of preference."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that a row may lack (text to predict on has no label)."""
    alternatives: ClassVar[tuple[str, ...]] = ()
    """Fields of which a row has one: the one whose column is named, else the first that is found."""
    predicted: ClassVar[frozenset[str] | None] = None
    """Fields that are predicted, and not looked at for that; those that are optional where nothing else is said."""

    place: Place | None = field(default=None, compare=False, kw_only=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the fields that are read from a row."""
        return _columns(cls)  # type: ignore[arg-type]

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Make an example from a row whose keys are field names.

        Raises:
            InputError: a value is not of the kind that the field takes.
        """
        return cls(**{name: row[name] for name in cls.columns() if name in row}, place=place)

    @classmethod
    def of(cls, value: Any) -> Self:
        """What a user hands over to be predicted: a string, a mapping, a tuple in the order of the columns."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = (value,)
        required = cls.required()
        if isinstance(value, Mapping):
            unknown = [name for name in value if name not in cls.columns()]
            if unknown:
                raise InputError(f"no field {unknown[0]!r}", expected=f"fields {', '.join(cls.columns())}")
            return cls.from_row(_complete(value, required))
        if not isinstance(value, (tuple, list)) or len(value) != len(required):
            raise InputError(
                f"cannot read {str(value)[:60]!r} as {cls.__name__}",
                expected=f"a string for the {required[0]}"
                if len(required) == 1
                else f"a tuple ({', '.join(required)}), or a mapping with these keys",
            )
        return cls.from_row(_complete(dict(zip(required, value, strict=True)), required))

    @classmethod
    def required(cls) -> list[str]:
        """The fields that every row has."""
        return [name for name in cls.columns() if name not in cls.optional]

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """Whether a user hands over one input and not several; a tuple is one where an input has several texts."""
        if isinstance(value, tuple):
            return len(cls.required()) > 1
        return isinstance(value, (str, Mapping, Example)) or not isinstance(value, Iterable)

    def asked(self) -> Self:
        """This example as an input: the same, where nothing reads otherwise when it is not to be learnt."""
        return self

    def __str__(self) -> str:
        """What was given, for a line that shows an input."""
        return "\t".join(str(value) for value in self.inputs().values() if value)

    def inputs(self) -> dict[str, Any]:
        """What was given, as JSON, for a row that shows an input."""
        return {name: value for name in self.given() if (value := getattr(self, name)) is not None}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from: the first column is blank."""
        return not str(getattr(self, type(self).columns()[0])).strip()

    @property
    def missing(self) -> str | None:
        """The name of the first field that is to be predicted, None where the example is complete."""
        for name in self.columns():
            if getattr(self, name) is None:
                return name
        return None

    @classmethod
    def left_out(cls) -> frozenset[str]:
        """The fields that are predicted: labels are not looked at then."""
        return cls.optional if cls.predicted is None else cls.predicted

    @classmethod
    def given(cls) -> tuple[str, ...]:
        """The fields that an input consists of: all but the predicted ones."""
        return tuple(name for name in cls.columns() if name not in cls.left_out())

    @property
    def stratum(self) -> str:
        """What a stratified cut keeps in balance: the label, where there is one."""
        return ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels that this example carries."""
        return ()

    def to_json(self) -> str:
        """One line of JSON, read back by `from_json`."""
        row = {name: getattr(self, name) for name in self.columns()}
        return _to_json([row, self.place])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The example that `to_json` wrote."""
        row, place = json.loads(text)
        return cls.from_row(row, Place(*place) if place else None)


def _complete(row: Mapping[str, Any], required: Sequence[str]) -> Mapping[str, Any]:
    """A row as it is.

    Raises:
        InputError: it lacks a field that every row has.
    """
    for name in required:
        if row.get(name) is None:
            raise InputError(
                f"no {name} in {str(dict(row))[:80]}", expected=f"the fields {', '.join(required)}, none of them None"
            )
    return row


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name != "place")


_to_json = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` makes an encoder anew for each row


def as_string(value: Any, name: str, place: Place | None) -> str:
    """A text, from whatever a file holds: nothing is an empty text, numbers are written out."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"the {name} is broken at character {error.start + 1}: half a character (a lone surrogate)",
                place=place,
                expected="whole Unicode text",
                fix="read it in its own encoding (CP949?), and write emoji whole",
            ) from None
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)):
        raise InputError(f"the {name} is {type(value).__name__} {str(value)[:60]!r}", place=place, expected="a string")
    return str(value)


def as_label(value: Any, place: Place | None) -> str | None:
    """A class name, from whatever a file holds: text, whole numbers and booleans have names, floats do not."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    number = value
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if not _is_decimal(value):
            return value
        number = float(value)
    if isinstance(number, float):
        whole = number.is_integer()
        raise InputError(
            f"the label is the decimal number {value}",
            place=place,
            expected="a class name or a whole number",
            fix=f"write {int(number)} (a column with empty cells is often saved as decimals; fill or drop those rows)"
            if whole
            else "name the column of classes with --label_column, or give each range of scores a class name",
        )
    return as_string(value, "label", place)


def as_labels(value: Any, place: Place | None) -> str | tuple[str, ...] | None:
    """A class name, or a tuple of them for a list."""
    if isinstance(value, (list, tuple)):
        return tuple(name for one in value if (name := as_label(one, place)) is not None)
    return as_label(value, place)


@lru_cache(maxsize=4096)  # a corpus has few labels
def _is_decimal(value: str) -> bool:
    """`0.5`, `1.0`, `1e-3`: numbers that no class is named after."""
    digits = value.lstrip("+-")
    if not digits[:1].isdigit() and not digits.startswith("."):
        return False
    if digits.isdigit():
        return False
    try:
        float(value)
    except ValueError:
        return False
    return value.count(".") == 1 or "e" in value.lower()


class Labelled(Example):
    """What examples with a class share. A subclass has the field `label`: a class, a tuple of them, or None."""

    label: str | tuple[str, ...] | None

    @property
    def stratum(self) -> str:
        """The class, or the set of classes."""
        return "\t".join(self.label_names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes of this example."""
        if self.label is None:
            return ()
        return self.label if isinstance(self.label, tuple) else (self.label,)


_TEXT_NAMES = (
    "text", "document", "sentence", "review", "comments", "comment", "content", "body", "utterance",
    "문장", "텍스트", "내용", "본문", "리뷰", "댓글", "발화", "title", "제목",
)  # fmt: skip


@dataclass(frozen=True)
class RawExample(Example):
    """A text and nothing else, for language modelling."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": (*_TEXT_NAMES[:-2], "context", "paragraph", "passage", "지문", "문단", *_TEXT_NAMES[-2:])
    }

    text: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`."""
        return cls(text=as_string(row.get("text"), "text", place), place=place)


@dataclass(frozen=True)
class TextExample(Labelled):
    """A text and its class, or its classes (`label` is a tuple then), or none where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _TEXT_NAMES,
        "label": (
            "label", "labels", "class", "category", "sentiment", "target", "y", "intent", "topic", "emotion",
            "라벨", "레이블", "분류", "감정", "감성", "카테고리", "정답",
        ),
    }  # fmt: skip
    optional: ClassVar[frozenset[str]] = frozenset({"label"})

    text: str = ""
    label: str | tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; a list of labels makes a multi-label example."""
        text = as_string(row.get("text"), "text", place)
        return cls(text=text, label=as_labels(row.get("label"), place), place=place)


class OfTwoTexts(Example):
    """What examples with two texts share."""

    text: str
    text_pair: str

    @property
    def is_empty(self) -> bool:
        """See `Example.is_empty`: one of the two texts is blank."""
        return not (self.text.strip() and self.text_pair.strip())


_FIRST_TEXTS = ("sentence1", "premise", "question1", "text_a", "text1", "문장1", "전제", "질문1")
_SECOND_TEXTS = ("sentence2", "hypothesis", "question2", "text_b", "text2", "문장2", "가설", "질문2")


@dataclass(frozen=True)
class PairExample(OfTwoTexts, Labelled):
    """Two texts and the class of the pair; None where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _FIRST_TEXTS,
        "text_pair": _SECOND_TEXTS,
        "label": ("gold_label", *TextExample.aliases["label"], "is_duplicate"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"label"})

    text: str = ""
    text_pair: str = ""
    label: str | tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`."""
        first, second = (as_string(row.get(name), name, place) for name in ("text", "text_pair"))
        return cls(text=first, text_pair=second, label=as_labels(row.get("label"), place), place=place)


@dataclass(frozen=True)
class ScoredPairExample(OfTwoTexts):
    """Two texts and a number that says how alike they are; None where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _FIRST_TEXTS,
        "text_pair": _SECOND_TEXTS,
        "score": ("label", "similarity", "labels", "점수", "유사도"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"score"})

    text: str = ""
    text_pair: str = ""
    score: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; a score is a number, a string that reads as one, or the `label` of a mapping (KLUE).

        Raises:
            InputError: it is neither.
        """
        first, second = (as_string(row.get(name), name, place) for name in ("text", "text_pair"))
        given: Any = row.get("score")
        if isinstance(given, Mapping) and "label" in given:
            given = given["label"]
        if given is None or (isinstance(given, str) and not given.strip()):
            return cls(text=first, text_pair=second, place=place)
        try:
            score = float(given)
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if isinstance(given, bool) or not math.isfinite(score):
            raise InputError(
                f"the score is {given!r}", place=place, expected="a number", fix="name the column: --score_column"
            )
        return cls(text=first, text_pair=second, score=score, place=place)


class Message(NamedTuple):
    """A turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True)
class GenerationExample(Example):
    """A prompt and what is to be written after it; None where that is to be generated.

    A text alone is a completion of nothing. What an instruction is about (`input`, as in Alpaca's data) stands on a
    line of its own behind it. A conversation ends with the turn that is to be learnt, or is to be answered.

    Raises:
        InputError: neither a text, nor a prompt, nor messages.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "prompt": ("prompt", "instruction", "question", "q", "input", "질문", "지시", "입력"),
        "completion": ("completion", "response", "output", "answer", "a", "답변", "응답", "출력"),
        "text": _TEXT_NAMES,
        "messages": ("messages", "conversation", "conversations", "대화"),
        "input": ("입력",),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"prompt", "completion", "text", "messages", "input"})
    predicted: ClassVar[frozenset[str] | None] = frozenset({"completion"})
    alternatives: ClassVar[tuple[str, ...]] = ("messages", "prompt", "text")

    prompt: str = ""
    completion: str | None = None
    text: str | None = None
    """Only read: all of it is to be learnt."""
    messages: tuple[Message, ...] = ()
    input: str | None = None
    """Only read: what the prompt is about."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; messages are [{"role", "content"}]."""
        if row.get("messages"):
            return cls(messages=_messages(row["messages"], place), place=place)
        if row.get("prompt") is None and row.get("text") is not None:
            return cls(completion=as_string(row["text"], "text", place), place=place)
        if row.get("prompt") is None:
            raise InputError(
                "the row has nothing to write on from",
                place=place,
                expected="a prompt with its completion, or a text, or messages",
                fix="fill it in or take the row out",
            )
        completion = row.get("completion")
        written = None if completion is None else as_string(completion, "completion", place)
        prompt, about = as_string(row["prompt"], "prompt", place), as_string(row.get("input"), "input", place)
        return cls(prompt=f"{prompt}\n{about}" if about.strip() else prompt, completion=written, place=place)

    @classmethod
    def of(cls, value: Any) -> Self:
        """See `Example.of`; a string is a prompt, a list of messages a conversation to be answered."""
        if isinstance(value, str):
            return cls(prompt=value)
        if isinstance(value, (list, tuple)):
            return cls(messages=_messages(value, None))
        return super().of(value).asked() if isinstance(value, Mapping) else super().of(value)

    def asked(self) -> Self:
        """See `Example.asked`: a text alone, which is learnt whole, is a prompt."""
        if self.prompt or self.messages or self.completion is None:
            return self
        return replace(self, prompt=self.completion, completion=None)

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """See `Example.is_one`; a list of messages is one conversation."""
        is_conversation = (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(isinstance(item, Mapping) and {"role", "content"} <= set(item) for item in value)
        )
        return is_conversation or super().is_one(value)

    def __str__(self) -> str:
        """See `Example`: of a conversation its last turn."""
        return self.messages[-1].content if self.messages else self.prompt

    def inputs(self) -> dict[str, Any]:
        """See `Example.inputs`."""
        if self.messages:
            return {"messages": [message._asdict() for message in self.messages]}
        return {"prompt": self.prompt}

    @property
    def is_empty(self) -> bool:
        """See `Example.is_empty`: of what is to be learnt; of a prompt alone, the prompt."""
        if self.messages:
            return any(message.role == "assistant" and not message.content.strip() for message in self.messages)
        return not (self.prompt if self.completion is None else self.completion).strip()

    @property
    def missing(self) -> str | None:
        """The completion, where it is to be generated."""
        return None if self.messages or self.completion is not None else "completion"


def _messages(given: Any, place: Place | None) -> tuple[Message, ...]:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            given = json.loads(given)
    if not isinstance(given, (list, tuple)) or not given:
        raise InputError(
            f"the messages are {str(given)[:60]!r}",
            place=place,
            expected='[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]',
        )
    out = []
    for item in given:
        parts = (item.get("role"), item.get("content")) if isinstance(item, Mapping) else item
        if not isinstance(parts, (list, tuple)) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            raise InputError(
                f"cannot read the message {str(item)[:80]!r}",
                place=place,
                expected='{"role": "user", "content": "..."}',
            )
        out.append(Message(*parts))
    return tuple(out)


class Answer(NamedTuple):
    """An answer to a question, and where it begins in the context, in characters."""

    text: str
    start: int


@dataclass(frozen=True)
class QuestionExample(Example):
    """A question, a text, and the answers in it: none where it has none (), None where they are to be predicted.

    Raises:
        InputError: the context is missing, or an answer does not stand where it is said to.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "query", "질문", "질의"),
        "context": ("context", "paragraph", "passage", "document", "text", "지문", "본문", "문단"),
        "answers": ("answers", "answer", "answer_text", "정답", "답", "답변"),
        "answer_start": ("answer_start", "start"),
        "is_impossible": ("is_impossible",),
        "id": ("id", "guid", "qid"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"answers", "answer_start", "is_impossible", "id"})

    question: str = ""
    context: str = ""
    answers: tuple[Answer, ...] | None = None
    answer_start: int | None = None
    """Only read: where a single answer that is written as text begins."""
    is_impossible: bool | None = None
    """Only read: that the answers are none, whatever else is written there."""
    id: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; answers are [{"text", "answer_start"}], SQuAD's {"text": [], ...}, or one text."""
        question, context = (as_string(row.get(name), name, place) for name in ("question", "context"))
        if not context.strip():
            raise InputError(
                "the context is empty",
                place=place,
                expected="a text in which the answer stands",
                fix="fill it in or take the row out; if another column holds it: --context_column",
            )
        given = () if _is_true(row.get("is_impossible")) else row.get("answers")
        answers = None if given is None else _answers(given, row.get("answer_start"), context, place)
        return cls(
            question=question,
            context=context,
            answers=answers,
            id="" if row.get("id") is None else str(row["id"]),
            place=place,
        )

    @property
    def missing(self) -> str | None:
        """The answers, where they are to be predicted."""
        return "answers" if self.answers is None else None

    @property
    def stratum(self) -> str:
        """Whether the question has an answer."""
        return "answerable" if self.answers else "unanswerable"


def _is_true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in {"true", "1", "1.0"}


def _answers(given: Any, start: Any, context: str, place: Place | None) -> tuple[Answer, ...]:
    if isinstance(given, str) and given.lstrip()[:1] in {"[", "{"}:
        with contextlib.suppress(ValueError):
            given = json.loads(given)
    if isinstance(given, str):
        given = [{"text": given, "answer_start": start}] if given else []
    if isinstance(given, Mapping) and isinstance(given.get("text"), (list, tuple)):
        starts = given.get("answer_start")
        if starts is None or starts == []:
            starts = [None] * len(given["text"])
        if not isinstance(starts, (list, tuple)) or len(starts) != len(given["text"]):
            raise InputError(
                f"{len(given['text'])} answers, and answer_start is {str(starts)[:60]}",
                place=place,
                expected="a list with the beginning of each answer",
            )
        given = [{"text": text, "answer_start": at} for text, at in zip(given["text"], starts, strict=True)]
    if isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, (list, tuple)):
        raise InputError(
            f"the answers are {str(given)[:60]!r}",
            place=place,
            expected='[{"text": "...", "answer_start": 0}], a text that occurs once, or [] where there is none',
        )
    return tuple(dict.fromkeys(_answer(item, context, place) for item in given))


def _answer(item: Any, context: str, place: Place | None) -> Answer:
    if isinstance(item, str):
        item = {"text": item}
    if isinstance(item, (list, tuple)) and len(item) == 2:
        item = {"text": item[0], "answer_start": item[1]}
    text = item.get("text") if isinstance(item, Mapping) else None
    if not isinstance(text, str) or not text:
        raise InputError(f"cannot read the answer {str(item)[:80]!r}", place=place, expected="its text, not empty")
    start = item.get("answer_start", item.get("start"))
    found = [match.start() for match in re.finditer(f"(?={re.escape(text)})", context)]
    if start is None or start == "":
        if len(found) == 1:
            return Answer(text, found[0])
        raise InputError(
            f"the answer {text[:60]!r} stands {len(found)} times in the context, and nothing says which is meant",
            place=place,
            expected="its beginning in characters, answer_start",
            fix=f"answer_start: {_listed_starts(found)}" if found else "correct the answer or the context",
        )
    try:
        if isinstance(start, float) and not start.is_integer():
            raise ValueError
        start = int(start)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"answer_start is {start!r}", place=place, expected="a whole number of characters") from None
    if start not in found:
        raise InputError(
            f"the answer {text[:60]!r} does not stand at character {start} of the context; "
            f"{context[max(0, start) : max(0, start) + len(text)][:60]!r} does",
            place=place,
            expected="answer_start in Unicode characters from 0",
            fix=f"answer_start: {_listed_starts(found)}" if found else "correct the answer or the context",
        )
    return Answer(text, start)


def _listed_starts(found: Sequence[int]) -> str:
    return " or ".join(map(str, found[:5]))


@dataclass(frozen=True)
class EntityExample(Example):
    """A text and its named entities, sorted, in characters; None where they are to be predicted.

    Raises:
        InputError: an entity lies outside the text, is empty, or overlaps another.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "document", "content", "문장", "텍스트", "내용", "본문"),
        "entities": ("entities", "entity", "ner", "spans", "label", "labels", "ne", "개체명", "개체"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"entities"})

    text: str = ""
    entities: tuple[Entity, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; entities are [start, end, label] or {"start", "end", "label"[, "text"]}."""
        text = as_string(row.get("text"), "text", place)
        if (raw := row.get("entities")) is None:
            return cls(text=text, place=place)
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except ValueError:
                raw = raw or "''"
        if not isinstance(raw, (list, tuple)):
            raise InputError(
                f"the entities are {str(raw)[:60]!r}",
                place=place,
                expected='a list like [{"start": 0, "end": 3, "label": "PS"}]',
            )
        entities = sorted(_entity(item, text, place) for item in raw)
        for left, right in pairwise(entities):
            if right.start < left.end:
                raise InputError(
                    f"the entities {text[left.start : left.end]!r} ({left.label}, {left.start}-{left.end}) and "
                    f"{text[right.start : right.end]!r} ({right.label}, {right.start}-{right.end}) overlap",
                    place=place,
                    expected="entities that do not overlap: a token has one label",
                    fix="keep the outer or the inner one of each pair",
                )
        return cls(text=text, entities=tuple(entities), place=place)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The types of the entities in this text."""
        return tuple(entity.label for entity in self.entities or ())


def _entity(item: Any, text: str, place: Place | None) -> Entity:
    said = None
    try:
        if isinstance(item, Mapping):
            start, end = item["start"], item["end"]
            label, said = item.get("label", item.get("type")), item.get("text")
        else:
            start, end, label = item
        entity = Entity(int(start), int(end), str(label))
    except (KeyError, TypeError, ValueError):
        label = None
    if label is None:
        raise InputError(
            f"cannot read the entity {str(item)[:80]!r}",
            place=place,
            expected='{"start": 0, "end": 3, "label": "PS"} or [0, 3, "PS"], in characters, end exclusive',
        )
    if not 0 <= entity.start < entity.end <= len(text):
        raise InputError(
            f"the entity {tuple(entity)} lies outside its text of {len(text)} characters or is empty", place=place
        )
    found = text[entity.start : entity.end]
    if said is not None and said != found:
        where = text.find(str(said))
        raise InputError(
            f"the entity says {said!r}, but characters {entity.start}-{entity.end} of the text are {found!r}",
            place=place,
            fix=f"start {where}, end {where + len(str(said))}" if where >= 0 else "correct the offsets or the text",
        )
    return entity
