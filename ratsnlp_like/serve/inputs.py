"""Models of requests, derived from a task: the fields of its example and its inference options."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from ..errors import InputError
from ..tasks.base import AnyTask, Task
from .limits import Limits

OPTIONS = "options"
"""Name of the options in a request, beside the fields of the input."""
_STRICT = ConfigDict(extra="forbid", strict=True)


class ErrorContent(BaseModel):
    """A problem and its fix."""

    problem: str = Field(examples=["unknown field 'txt'"])
    place: str | None = Field(examples=["txt"])
    expected: str | None = Field(examples=["text, options"])
    fix: str | None = Field(examples=["did you mean 'text'?"])


class ErrorBody(BaseModel):
    """Shape of every error."""

    error: ErrorContent


def input_fields(task: AnyTask) -> tuple[str, ...]:
    """Return the names of the texts of an input; the first one where an example has alternatives (prompt)."""
    given = task.example.given()
    return tuple(name for name in given if name not in task.example.optional) or given[:1]


def example_input(task: AnyTask) -> dict[str, str]:
    """Return an input for the documentation."""
    return dict(zip(input_fields(task), task.example_input, strict=False))


def _texts(task: AnyTask, limits: Limits) -> dict[str, Any]:
    """Return the fields of an input: texts, or lists of them, which may also be sent as one text.

    Raises:
        InputError: a field has the name that the options of a request have.
    """
    names, hints, shown = input_fields(task), get_type_hints(task.example), example_input(task)
    if OPTIONS in names:
        raise InputError(f"a field is named {OPTIONS!r}", place=task.example.__name__, fix="rename it")
    text = Annotated[str, Field(max_length=limits.max_text_chars)]
    several = text | Annotated[list[text], Field(max_length=limits.max_text_chars)]
    return {
        name: (several if get_origin(hints[name]) is tuple else text, Field(examples=[shown.get(name, "문장")]))
        for name in names
    }


def _example(body: Any) -> dict[str, Any]:
    return {"example": body}


def options_model(task: AnyTask, limits: Limits) -> type[BaseModel]:
    """Return the model of the options of a request; the default of each is the saved value."""
    hints, described = get_type_hints(type(task)), option_texts(task)
    made: dict[str, Any] = {}
    for name in sorted(task.usable_options()):
        most = limits.max_options.get(name)
        about = Field(default=getattr(task, name), description=described.get(name), le=most)
        made[name] = (hints[name], about)
    return create_model("Options", __config__=_STRICT, **made)


def option_texts(task: AnyTask) -> dict[str, str]:
    """Return the documentation of the fields of a task."""
    from docstring_parser import parse_from_object

    out: dict[str, str] = {}
    for kind in reversed(type(task).__mro__):
        if issubclass(kind, Task):
            params = parse_from_object(kind).params
            out |= {param.arg_name: " ".join(param.description.split()) for param in params if param.description}
    return {f.name: out[f.name] for f in fields(task) if f.name in out}


def one_model(task: AnyTask, limits: Limits) -> type[BaseModel]:
    """Return the model of a request with one input: its fields, and options."""
    options = options_model(task, limits)
    return create_model(
        "Request",
        __config__=ConfigDict(**_STRICT, json_schema_extra=_example(example_input(task))),
        **_texts(task, limits),
        options=(options, Field(default_factory=options)),
    )


def many_model(task: AnyTask, limits: Limits) -> type[BaseModel]:
    """Return the model of a request with several inputs, and options for all of them."""
    options = options_model(task, limits)
    one: Any = create_model("Input", __config__=_STRICT, **_texts(task, limits))
    inputs: Any = Annotated[list[one], Field(max_length=limits.max_inputs)]
    return create_model(
        "BatchRequest",
        __config__=ConfigDict(**_STRICT, json_schema_extra=_example({"inputs": [example_input(task)]})),
        inputs=(inputs, ...),
        options=(options, Field(default_factory=options)),
    )
