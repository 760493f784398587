"""Named entity recognition: spans in characters of the original text, whatever the tokenizer.

A token belongs to the entity of which it shows most characters. Where a particle is part of the last token of a name
(서울에서), no token boundary can express the end of the name: `inspect` counts these and shows the ceiling that they
set, and `particles` cuts them off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from ..errors import InputError
from ..examples.base import Example
from ..examples.entity import Entity, EntityExample
from ..metrics.entities import entity_scores
from ..registry import TASKS
from ..runtime.slices import slices
from ..runtime.types import TokenizerLike
from ..text.particles import ParticleCounts, without_particle
from ..text.spans import bio_labels, entities_to_tags, tags_to_spans
from ..text.tokens import Offset
from .abilities import SupportsDiagnostics, SupportsMatches, SupportsTuning
from .base import IGNORED, ExampleCounts
from .confidence import calibrated, entity_calibration, fit_scores
from .matches import Match, entity_matches
from .predictions import Prediction, SpansView
from .token_classifier import TokenClassifier, TokenProbabilities

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics


@dataclass(frozen=True)
class FoundEntity:
    """A predicted entity; start and end in characters of the original text, `end` exclusive."""

    text: str
    start: int
    end: int
    label: str
    score: float
    """Mean probability of the classes of its tokens, calibrated; 0 to 1."""


@dataclass(frozen=True)
class EntityPrediction(Prediction):
    """The entities of a text, in order."""

    entities: tuple[FoundEntity, ...]

    def cells(self) -> list[dict[str, str]]:
        return [
            {
                "entity": entity.text,
                "label": entity.label,
                "start": f"{entity.start:,}",
                "end": f"{entity.end:,}",
                "score": f"{entity.score:.4f}",
            }
            for entity in self.entities
        ]

    def view(self, example: Example) -> SpansView:
        return {
            "kind": "spans",
            "text": str(example.inputs()["text"]),
            "spans": [{"start": e.start, "end": e.end, "label": e.label, "share": e.score} for e in self.entities],
            "headline": None,
            "bars": [],
        }


@dataclass(frozen=True)
class Ner(
    TokenClassifier[EntityExample, EntityPrediction],
    SupportsTuning[EntityExample, EntityPrediction],
    SupportsMatches[EntityExample, EntityPrediction],
    SupportsDiagnostics[EntityExample, EntityPrediction],
):
    """Named entities by a BIO class for each token."""

    name: ClassVar[str] = "ner"
    description: ClassVar[str] = "named entities as spans of characters: text, entities"
    example: ClassVar[type[Example]] = EntityExample
    best_metric: ClassVar[str] = "entity_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"temperature", "offset"})

    particles: Literal["learn"] | dict[str, list[str]] | None = None
    """Particles to cut off the last token of an entity: endings for each label, `learn` to take them from the training
    data (those that are more often cut than kept), or nothing. With KcBERT's tokens a perfect model reaches
    entity F1 0.84 on KLUE-NER without, and 0.97 with particles of the training data."""

    temperature: float = 1.0
    """Divides the log-odds of an entity's score before `offset` is added, so that scores are as high as entities are
    right; both are fitted on the validation set (Platt 1999). 1 and 0 leave the scores as they are."""

    offset: float = 0.0
    """Added to the log-odds of an entity's score; see `temperature`."""

    tags: tuple[str, ...] = ()
    """Names of the model's outputs in their order, for a checkpoint that was trained elsewhere: with [CLS] and [PAD]
    among them, or all B- before all I-. By default O, then B- and I- of each type."""

    def classes(self, labels: Sequence[str]) -> list[str]:
        """Return O, then B- and I- of each type, or `tags`.

        Raises:
            InputError: `tags` lacks one of them.
        """
        needed = bio_labels(labels)
        if self.tags and (missing := set(needed) - set(self.tags)):
            raise InputError(f"no {min(missing)!r} among {', '.join(self.tags)}", place="--tags")
        return list(self.tags) or needed

    def fit(
        self,
        counts: ExampleCounts,
        labels: Sequence[str],
        examples: Iterable[EntityExample],
        tokenizer: TokenizerLike,
    ) -> Self:
        """Fill in `particles`, and check that there are entities."""
        if not labels:
            raise InputError(
                "no entity is marked in the training rows",
                expected="marks in at least some rows",
                fix="check the format (--format book-ner | klue-ner | conll) or the column (--entities_column)",
            )
        task = super().fit(counts, labels, examples, tokenizer)
        return task.with_particles(examples, tokenizer) if task.particles == "learn" else task

    def with_particles(self, examples: Iterable[EntityExample], tokenizer: TokenizerLike) -> Self:
        """Return this task with the particles of examples."""
        counts = ParticleCounts()
        for part in slices(examples):
            for example, (offsets, _) in zip(part, self.token_offsets(part, tokenizer), strict=True):
                counts.add(example.text, offsets, example.entities or ())
        return replace(self, particles=counts.particles())

    def text(self, example: EntityExample) -> str:
        return example.text

    def token_labels(self, example: EntityExample, offsets: Sequence[Offset], labels: Sequence[str]) -> list[int]:
        """Return the BIO class of each token, -100 for a token that shows nothing."""
        types = {label: i for i, label in enumerate(labels)}
        for label in example.label_names:
            self.label_id(label, types, example)
        index = {name: i for i, name in enumerate(self.classes(labels))}
        tags = entities_to_tags(offsets, example.entities or ())
        return [IGNORED if tag is None else index[tag] for tag in tags]

    def predict_example(
        self, example: EntityExample, tokens: TokenProbabilities, labels: Sequence[str]
    ) -> EntityPrediction:
        starts, ends, probabilities = tokens
        best = probabilities.argmax(axis=1)
        classes = self.classes(labels)
        tags = [classes[k] if s < e else None for k, s, e in zip(best, starts, ends, strict=True)]
        entities = []
        for first, last, label in tags_to_spans(tags):
            shown = [i for i in range(first, last + 1) if tags[i] is not None]
            score = float(probabilities[shown, best[shown]].mean())
            start, end = starts[first], ends[last]
            if isinstance(self.particles, dict):
                end = without_particle(example.text, (starts[last], end), label, self.particles)
            entities.append(FoundEntity(example.text[start:end], start, end, label, score))
        scores = calibrated([entity.score for entity in entities], self.temperature, self.offset)
        return EntityPrediction(tuple(replace(e, score=score) for e, score in zip(entities, scores, strict=True)))

    def score(
        self, predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        scores = entity_scores(*_entities(predictions, examples), [e.text for e in examples], labels)
        return scores | entity_calibration(*_confidences(predictions, examples), self.temperature, self.offset)

    def tuned(self, predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample]) -> Self:
        """Return this task with the temperature and the offset of the scores."""
        temperature, offset = fit_scores(*_confidences(predictions, examples), self.temperature, self.offset)
        return replace(self, temperature=temperature, offset=offset)

    def statistics(
        self, predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample], labels: Sequence[str]
    ) -> ExampleStatistics:
        """Return the sufficient statistics of the scores; see `SupportsStatistics`."""
        from ..metrics.entity_statistics import entity_statistics

        return entity_statistics(*_entities(predictions, examples), [e.text for e in examples], labels)

    def baselines(
        self,
        train: Sequence[EntityExample],
        examples: Sequence[EntityExample],
        labels: Sequence[str],
        tokenizer: TokenizerLike,
    ) -> dict[str, list[EntityPrediction]]:
        """Return the most frequent entity of each word."""
        from ..metrics.baselines import frequent_entities

        entities = [example.entities or () for example in train]
        found = frequent_entities([e.text for e in train], entities, [e.text for e in examples])
        return {"the most frequent tag of each word": list(map(_prediction, examples, found))}

    def gold_prediction(self, example: EntityExample) -> EntityPrediction:
        return _prediction(example, example.entities or ())

    def matches(self, prediction: EntityPrediction, example: EntityExample) -> list[Match]:
        return entity_matches(example.text, example.entities or (), prediction.entities)

    def improved(self, examples: Iterable[EntityExample], tokenizer: TokenizerLike) -> tuple[str, Self] | None:
        return ("--particles learn", self.with_particles(examples, tokenizer)) if self.particles is None else None

    def inexpressible(self, example: EntityExample, oracle: EntityPrediction) -> list[str]:
        """Return each entity that the tokens cannot express, with the entities that they express instead."""
        spans = {(e.start, e.end, e.label) for e in oracle.entities}
        lines = []
        for entity in example.entities or ():
            if tuple(entity) not in spans:
                near = [e for e in oracle.entities if e.start < entity.end and entity.start < e.end]
                found = " + ".join(f"{e.text} ({e.label})" for e in near) or "nothing"
                lines.append(f"{example.text[entity.start : entity.end]} ({entity.label}) -> {found}")
        return lines


def _confidences(
    predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample]
) -> tuple[list[float], list[bool]]:
    """Return the score of each predicted entity, and whether it is right."""
    scores, correct = [], []
    for prediction, example in zip(predictions, examples, strict=True):
        gold = {(e.start, e.end, e.label) for e in example.entities or ()}
        for found in prediction.entities:
            scores.append(found.score)
            correct.append((found.start, found.end, found.label) in gold)
    return scores, correct


def _prediction(example: EntityExample, entities: Sequence[Entity]) -> EntityPrediction:
    return EntityPrediction(tuple(FoundEntity(example.text[e.start : e.end], *e, score=1.0) for e in entities))


def _entities(
    predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample]
) -> tuple[list[Sequence[Entity]], list[list[Entity]]]:
    """Return gold and predicted entities."""
    found = [[Entity(e.start, e.end, e.label) for e in prediction.entities] for prediction in predictions]
    return [example.entities or () for example in examples], found


TASKS.register("ner", Ner)
