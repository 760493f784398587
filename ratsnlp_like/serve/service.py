"""The API of one model: predictions, streams, and its description."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, NamedTuple

from ..errors import InputError
from ..examples.base import Example
from ..inference.explanation import Explanation, is_explainable
from ..inference.predictor import Predictor
from ..tasks.abilities import SupportsStreaming
from ..tasks.base import AnyTask
from ..tasks.predictions import Prediction
from .batcher import Batcher, after_first, outcomes_of
from .guard import unexpected
from .inputs import example_input, input_fields, option_texts
from .limits import Limits
from .problems import Problem, as_json, of_input


class Predicted(NamedTuple):
    """A prediction, with what it takes to render it."""

    task: AnyTask
    example: Example
    prediction: Prediction
    explanations: Sequence[Explanation] | None = None

    def to_row(self, *, view: bool) -> dict[str, Any]:
        """Return the prediction as JSON, with its explanations and its view for the page if requested."""
        row = self.task.to_row(self.prediction)
        if self.explanations is not None:
            row["explanations"] = [own.to_dict() for own in self.explanations]
        return {**row, "view": self.task.view(self.prediction, self.example)} if view else row


class Service:
    """The API of one model.

    Args:
        predictor: the model.
        limits: of a request.
        batcher: queue of the model.
        name: name of the model.
    """

    def __init__(self, predictor: Predictor, limits: Limits, batcher: Batcher, *, name: str) -> None:
        self.predictor, self.task, self.limits, self.name = predictor, predictor.task, limits, name
        self._batcher = batcher

    @property
    def streams(self) -> bool:
        """True if the model generates text piece by piece."""
        return isinstance(self.task, SupportsStreaming)

    @property
    def explains(self) -> bool:
        """True if the words that a decision rests on can be found."""
        return is_explainable(self.predictor)

    async def predict(
        self, inputs: Sequence[dict[str, Any]], options: dict[str, Any], *, explain: bool = False
    ) -> list[Any]:
        """Return an example and its prediction for each input, or the exception of an input that failed."""
        predictor = self.predictor.with_options(**options) if options else self.predictor
        key = (explain, *sorted(options.items()))

        def pairs(values: list[Any]) -> list[Any]:
            examples = [self.task.example.of(value) for value in values]
            predictions = predictor.predict(examples, batch_size=self.limits.batch_size)
            explanations = [predictor.explain(example) if explain else None for example in examples]
            parts = zip(examples, predictions, explanations, strict=True)
            return [Predicted(predictor.task, *part) for part in parts]

        return await self._batcher.submit(inputs, lambda values: outcomes_of(pairs, values), key=key)

    async def stream(self, value: dict[str, Any], options: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return events: `data: {"text": piece}`, then `event: done`, or `event: error` if the generation fails."""
        pieces = await after_first(self._batcher.stream(lambda: self.predictor.stream(value, **options)))

        async def events() -> AsyncGenerator[bytes, None]:
            try:
                async for piece in pieces:
                    yield _event(None, {"text": piece})
                yield _event("done", {})
            except Exception as error:
                yield _event("error", self.problem(error).content)
            finally:
                await pieces.aclose()

        return events()

    def problem(self, error: Exception) -> Problem:
        """Return the response of an outcome that is an exception."""
        if isinstance(error, Problem):
            return error
        return of_input(error, self.task.usable_options()) if isinstance(error, InputError) else unexpected(error)

    def health(self) -> dict[str, Any]:
        """Return the status for monitoring."""
        return {"status": "ok", "waiting": self._batcher.waiting}

    def describe(self) -> dict[str, Any]:
        """Return the description of the model for the page."""
        predictor, task, texts = self.predictor, self.task, option_texts(self.task)
        split = next((s for s in ("test", "validation") if s in predictor.metrics), None)
        metrics = predictor.metrics[split] if split else {}
        numbers = {key: value for key, value in metrics.items() if isinstance(value, float)}
        best = {task.best_metric: numbers[task.best_metric]} if task.best_metric in numbers else {}
        return {
            "name": self.name,
            "task": task.name,
            "fields": list(input_fields(task)),
            "example": list(example_input(task).values()),
            "labels": predictor.labels,
            "settings": task.to_dict(),
            "options": [
                {
                    "name": option,
                    "default": getattr(task, option),
                    "most": self.limits.max_options.get(option),
                    "description": texts.get(option),
                }
                for option in sorted(task.usable_options())
            ],
            "checkpoint": predictor.about.get("checkpoint"),
            "corpus": predictor.about.get("corpus"),
            "split": split,
            "metrics": best | numbers,
            "max_length": predictor.max_length,
            "max_text_chars": self.limits.max_text_chars,
            "streams": self.streams,
            "explains": self.explains,
        }


def _event(name: str | None, content: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {as_json(content)}\n\n".encode("utf-8", "backslashreplace")
