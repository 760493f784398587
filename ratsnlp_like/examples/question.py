"""Questions on texts, with their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError
from .base import Example, Place
from .edited import TextEdit
from .values import as_string, parse_json


class Answer(NamedTuple):
    """An answer to a question, and its start in the context, in characters."""

    text: str
    start: int


@dataclass(frozen=True)
class QuestionExample(Example):
    """A question, a text, and the answers in it: () where it has none, None where they are to be predicted.

    Raises:
        InputError: the context is missing, or an answer is not at its start.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "query", "질문", "질의"),
        "context": ("context", "paragraph", "passage", "document", "text", "지문", "본문", "문단", "문맥", "내용"),
        "answers": ("answers", "answer", "answer_text", "정답", "답", "답변"),
        "answer_start": ("answer_start", "start"),
        "is_impossible": ("is_impossible",),
        "id": ("id", "guid", "qid"),
    }
    group_field: ClassVar[str] = "context"
    optional: ClassVar[frozenset[str]] = frozenset({"answers", "answer_start", "is_impossible", "id"})

    question: str = ""
    context: str = ""
    answers: tuple[Answer, ...] | None = None
    answer_start: int | None = None
    """Only read: start of a single answer that is given as text."""
    is_impossible: bool | None = None
    """Only read: True if the question has no answer, whatever the answers are."""
    id: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row; answers are [{"text", "answer_start"}], SQuAD's {"text": [], ...} or a text."""
        question, context = (as_string(row.get(name), name, place) for name in ("question", "context"))
        if not context.strip():
            raise InputError(
                "the context is empty",
                place=place,
                expected="a text that holds the answer",
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

    def edited(self, edit: TextEdit) -> Self:
        context = edit(self.context)
        changed = replace(self, question=edit(self.question).text, context=context.text)
        if self.answers is None:
            return changed
        spans = [context.span(answer.start, answer.start + len(answer.text)) for answer in self.answers]
        return replace(changed, answers=tuple(Answer(context.text[start:end], start) for start, end in spans))

    @property
    def missing(self) -> str | None:
        """`answers`, where they are to be predicted."""
        return "answers" if self.answers is None else None

    @property
    def stratum(self) -> str:
        """`answerable` or `unanswerable`."""
        return "answerable" if self.answers else "unanswerable"


def _is_true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in {"true", "1", "1.0"}


def _answers(given: Any, start: Any, context: str, place: Place | None) -> tuple[Answer, ...]:
    given = parse_json(given, place)
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
                expected="a list with the start of each answer",
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
    if start is None or start == "":
        found = _occurrences(text, context)
        if len(found) == 1:
            return Answer(text, found[0])
        raise InputError(
            f"the answer {text[:60]!r} occurs {len(found)} times in the context, and its start is not given",
            place=place,
            expected="its start in characters, answer_start",
            fix=f"answer_start: {_listed_starts(found)}" if found else "correct the answer or the context",
        )
    try:
        if isinstance(start, bool) or (isinstance(start, float) and not start.is_integer()):
            raise ValueError
        start = int(start)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"answer_start is {start!r}", place=place, expected="a whole number of characters") from None
    if start < 0 or not context.startswith(text, start):
        found = _occurrences(text, context)
        raise InputError(
            f"the answer {text[:60]!r} is not at character {start} of the context; "
            f"{context[max(0, start) : max(0, start) + len(text)][:60]!r} is",
            place=place,
            expected="answer_start in Unicode characters from 0",
            fix=f"answer_start: {_listed_starts(found)}" if found else "correct the answer or the context",
        )
    return Answer(text, start)


def _occurrences(text: str, context: str) -> list[int]:
    """Return the starts of a text in a context, overlapping ones included."""
    found: list[int] = []
    at = context.find(text)
    while at >= 0:
        found.append(at)
        at = context.find(text, at + 1)
    return found


def _listed_starts(found: Sequence[int]) -> str:
    return " or ".join(map(str, found[:5]))
