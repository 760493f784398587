"""Named entity recognition: spans in characters of the original text, whatever the tokenizer.

A token belongs to the entity of which it shows most characters. Where a particle is part of the last token of a name
(서울에서), no token boundary can express the end of the name: `inspect` counts these and shows the ceiling that they
set, and `spans` chooses how the name is cut out of its tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import InputError
from ..examples.base import Example
from ..examples.entity import Entity, EntityExample
from ..metrics.entities import entity_scores
from ..modeling.probabilities import softmax
from ..modeling.viterbi import best_path
from ..registry import TASKS
from ..runtime.slices import slices
from ..runtime.types import Array, Tensor, TokenizerLike
from ..text.neighbours import TAIL, entities_beside
from ..text.spans import bio_labels, entities_to_tags, entity_tokens, tags_to_spans
from ..text.tokens import Offset
from .abilities import NO_LABEL, LabelEvidence, SupportsMatches, SupportsTuning
from .base import IGNORED, ExampleCounts, Window
from .confidence import calibrated, entity_calibration, fit_scores
from .cuts import cut_loss
from .edges import EdgeCounts, MarkedText, Spans, SpanTask
from .entity_predictions import EntityPrediction, FoundEntity
from .explained_entities import ExplainedEntities
from .features import LabelledBatch
from .matches import Match, entity_matches
from .token_classifier import TokenClassifier, TokenFeatures, TokenProbabilities, certain

if TYPE_CHECKING:
    from ..metrics.example_statistics import ExampleStatistics


@dataclass(frozen=True)
class Ner(
    SpanTask[EntityExample, EntityPrediction, TokenFeatures, LabelledBatch],
    TokenClassifier[EntityExample, EntityPrediction],
    ExplainedEntities,
    SupportsTuning[EntityExample, EntityPrediction],
    SupportsMatches[EntityExample, EntityPrediction],
):
    """Named entities by a BIO class for each token."""

    name: ClassVar[str] = "ner"
    description: ClassVar[str] = "named entities as spans of characters: text, entities"
    example: ClassVar[type[Example]] = EntityExample
    best_metric: ClassVar[str] = "entity_f1"
    inference_options: ClassVar[frozenset[str]] = frozenset({"temperature", "offset"})
    targets: ClassVar[frozenset[str]] = frozenset({"labels", "front_cuts", "end_cuts"})

    temperature: float = 1.0
    """Divides the log-odds of an entity's score before `offset` is added, so that scores are as high as entities are
    right; both are fitted on the validation set (Platt 1999). 1 and 0 leave the scores as they are."""

    offset: float = 0.0
    """Added to the log-odds of an entity's score; see `temperature`."""

    tags: tuple[str, ...] = ()
    """Names of the model's outputs in their order, for a checkpoint that was trained elsewhere: with [CLS] and [PAD]
    among them, or all B- before all I-. By default O, then B- and I- of each type."""

    neighbours: dict[str, str] | None = None
    """Texts in a token of an entity, outside of it, that are entities too, more often than not in the training data: 미
    in 북미, with their label. See `NeighbourCounts`; `--spans cuts` adds them, {} adds none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.temperature >= 1e-6:
            raise InputError(f"{self.temperature}", place="--temperature", expected="1e-6 or more")
        if not math.isfinite(self.offset):
            raise InputError(f"{self.offset}", place="--offset", expected="a finite number")
        if self.tags and self.has_cuts:
            raise InputError(
                f"a checkpoint with the outputs {', '.join(self.tags)} has no cut classes",
                place="--tags with --spans cuts",
                fix="--spans tokens or --spans particles",
            )

    def classes(self, labels: Sequence[str]) -> list[str]:
        """Return the names of the BIO classes and of the cut classes, where there are some."""
        return self.bio_classes(labels) + (self.cut_classes.names if self.cut_classes else [])

    def bio_classes(self, labels: Sequence[str]) -> list[str]:
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
        """Fill in `particles` or `cuts`, and check that there are entities."""
        if not labels:
            raise InputError(
                "no entity is marked in the training rows",
                expected="marks in at least some rows",
                fix="check the format (--format book-ner | klue-ner | conll) or the column (--entities_column)",
            )
        edges = EdgeCounts()
        for part in slices(examples) if self.needs_edges else ():
            edges.add(self.marked_texts(part, tokenizer))
        return super().fit(counts, labels, (), tokenizer).with_edges(edges)

    def with_edges(self, counts: EdgeCounts) -> Self:
        task = super().with_edges(counts)
        if task.spans != "cuts" or task.neighbours is not None or not self.needs_edges:
            return task
        return replace(task, neighbours=counts.neighbours.neighbours())

    def unfitted(self, spans: Spans) -> Self:
        return replace(super().unfitted(spans), neighbours=None)

    def marked_texts(self, examples: Sequence[EntityExample], tokenizer: TokenizerLike) -> Iterator[MarkedText]:
        for example, (offsets, _) in zip(examples, self.token_offsets(examples, tokenizer), strict=True):
            yield MarkedText(example.text, offsets, example.entities or ())

    def notes(self) -> list[str]:
        if self.spans == "tokens":
            return []
        return [
            "`transformers.pipeline` finds entities of whole tokens: the cuts within a token are made by ratsnlp_like."
        ]

    def text(self, example: EntityExample) -> str:
        return example.text

    def token_labels(self, example: EntityExample, offsets: Sequence[Offset], labels: Sequence[str]) -> list[int]:
        """Return the BIO class of each token, -100 for a token that shows nothing."""
        types = {label: i for i, label in enumerate(labels)}
        for label in example.label_names:
            self.label_id(label, types, example)
        index = {name: i for i, name in enumerate(self.bio_classes(labels))}
        tags = entities_to_tags(offsets, example.entities or ())
        return [IGNORED if tag is None else index[tag] for tag in tags]

    def token_targets(
        self, example: EntityExample, offsets: Sequence[Offset], labels: Sequence[str]
    ) -> dict[str, list[int]]:
        """Return the BIO classes, and the cuts of the first and the last token of each entity."""
        targets = super().token_targets(example, offsets, labels)
        if self.cut_classes is None:
            return targets
        front, end = [IGNORED] * len(offsets), [IGNORED] * len(offsets)
        for entity, first, last in entity_tokens(offsets, example.entities or ()):
            cuts = self.cut_classes.targets(offsets[first], offsets[last], entity.start, entity.end)
            front[first], end[last] = cuts
        return targets | {"front_cuts": front, "end_cuts": end}

    def oracle_output(self, features: TokenFeatures, labels: Sequence[str]) -> Array:
        import numpy as np

        own: Mapping[str, Any] = features
        sizes = {"labels": len(self.bio_classes(labels))}
        if self.cut_classes:
            sizes |= {"front_cuts": self.cut_classes.front + 1, "end_cuts": self.cut_classes.end + 1}
        return np.concatenate([certain(own[name], size) for name, size in sizes.items()], axis=1)

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Tensor:
        """Return the mean over tokens of the cross entropies of their classes: a cut weighs as much as a BIO class."""
        if self.cut_classes is None:
            return super().compute_loss(outputs, batch)
        bio, front, end = self.cut_classes.split(outputs.logits)
        targets: Mapping[str, Tensor] = batch  # type: ignore[assignment]
        own = targets["front_cuts"], targets["end_cuts"]
        cuts = cut_loss((front, end), own, label_smoothing=self.label_smoothing)
        return super().compute_loss(SimpleNamespace(logits=bio), batch) + cuts / max(1.0, self.num_targets(batch))

    def probabilities(self, logits: Array) -> Array:
        if self.cut_classes is None:
            return super().probabilities(logits)
        import numpy as np

        bio = softmax(self.cut_classes.split(logits)[0])
        return np.concatenate([bio, *self.cut_classes.probabilities(logits)], axis=1)

    def predict_example(
        self, example: EntityExample, tokens: TokenProbabilities, labels: Sequence[str]
    ) -> EntityPrediction:
        starts, ends, probabilities = tokens
        classes = self.bio_classes(labels)
        cuts = self.cut_classes.split(probabilities)[1:] if self.cut_classes else ()
        shown = [k for k, (start, end) in enumerate(zip(starts, ends, strict=True)) if start < end]
        best = dict(zip(shown, consistent_tags(probabilities[shown, : len(classes)], classes), strict=True))
        tags = [classes[best[k]] if k in best else None for k in range(len(starts))]
        entities: list[FoundEntity] = []
        sharing: list[tuple[Entity, float]] = []
        for first, last, label in tags_to_spans(tags):
            own = [(k, best[k]) for k in range(first, last + 1) if k in best]
            offsets = (starts[first], ends[first]), (starts[last], ends[last])
            edges = [part[k] for part, k in zip(cuts, (first, last), strict=bool(cuts))]
            start, end, share = self.edges(example.text, label, *offsets, edges)
            score = sum(float(probabilities[at]) for at in own) / len(own) * share
            entities.append(FoundEntity(example.text[start:end], start, end, label, score))
            if self.spans == "cuts" and self.neighbours:
                own_tokens, found = (starts[first], ends[last]), Entity(start, end, label)
                beside = entities_beside(example.text, own_tokens, found, self.neighbours)
                sharing += [(entity, score) for entity in beside]
        entities = with_sharing(entities, sharing, example.text)
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

    def label_evidence(
        self, example: EntityExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: TokenizerLike
    ) -> list[LabelEvidence]:
        """Return evidence for each gold entity, for each predicted one that overlaps none, and for the other tokens."""
        tokens = self.token_probabilities(windows)
        gold = [(e.start, e.end, e.label) for e in example.entities or ()]
        predicted = [(e.start, e.end) for e in self.predict_example(example, tokens, labels).entities]
        free = [span for span in predicted if not any(start < span[1] and span[0] < end for start, end, _ in gold)]
        spans = [*gold, *((start, end, NO_LABEL) for start, end in free)]
        offsets = list(zip(tokens.starts, tokens.ends, strict=True))
        within = [[s < end and e > start for s, e in offsets] for start, end, _ in spans]
        rest = [s < e and not any(own[k] for own in within) for k, (s, e) in enumerate(offsets)]
        found = [
            LabelEvidence((start, end), label, self._type_probabilities(tokens.probabilities[own], labels))
            for (start, end, label), own in zip(spans, within, strict=True)
            if any(own)
        ]
        if any(rest):
            background = self._type_probabilities(tokens.probabilities[rest], labels)
            found.append(LabelEvidence(None, NO_LABEL, background))
        return found

    def _type_probabilities(self, probabilities: Array, labels: Sequence[str]) -> dict[str, float]:
        """Return the mean probability of each type, and of none, over tokens. Shape: (tokens, classes)."""
        classes = self.bio_classes(labels)
        mean = dict(zip(classes, probabilities[:, : len(classes)].mean(axis=0).tolist(), strict=True))
        found = {label: mean[f"B-{label}"] + mean[f"I-{label}"] for label in labels}
        return {**found, NO_LABEL: 1 - sum(found.values())}

    def gold_prediction(self, example: EntityExample) -> EntityPrediction:
        return _prediction(example, example.entities or ())

    def matches(self, prediction: EntityPrediction, example: EntityExample) -> list[Match]:
        return entity_matches(example.text, example.entities or (), prediction.entities)

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


def with_sharing(
    entities: Sequence[FoundEntity], sharing: Sequence[tuple[Entity, float]], text: str
) -> list[FoundEntity]:
    """Return entities in order, with those that share a token with one of them and overlap none; see `TAIL` too."""
    out = list(entities)
    for (start, end, label), score in sharing:
        if label == TAIL:
            out = [replace(e, text=text[e.start : end], end=end) if e.end == start else e for e in out]
        elif not any(start < other.end and other.start < end for other in out):
            out.append(FoundEntity(text[start:end], start, end, label, score))
    return sorted(out, key=lambda entity: entity.start)


def consistent_tags(probabilities: Array, classes: Sequence[str]) -> list[int]:
    """Return the most probable classes of tokens in which I- only follows B- or I- of its type.

    Args:
        probabilities: of the classes of each token. Shape: (tokens, classes).
        classes: their names.
    """
    import numpy as np

    first, allowed = _transitions(tuple(classes))
    return [int(k) for k in best_path(np.log(np.maximum(probabilities, 1e-30)), allowed, first)]


@lru_cache(maxsize=16)
def _transitions(classes: tuple[str, ...]) -> tuple[Array, Array]:
    """Return which classes may be the first, and which may follow which. Shapes: (classes,), (classes, classes)."""
    import numpy as np

    inside = [name.startswith("I-") for name in classes]
    follows = [[not i or old[2:] == new[2:] for new, i in zip(classes, inside, strict=True)] for old in classes]
    return ~np.array(inside), np.array(follows)


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
