"""Named entity recognition: spans in characters of the original text, whatever the tokenizer.

A token belongs to the entity of which it shows most characters. Where a particle is glued to a name
within one token (서울에서), no token boundary can express the end of the name: `inspect` counts
these and shows the ceiling they set, and `particles` learns to cut them off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from ..errors import InputError
from ..examples.base import Example
from ..examples.entity import Entity, EntityExample
from ..metrics.entities import entity_scores
from ..registry import TASKS
from ..runtime.slices import slices
from ..runtime.types import Array, Noise, Tensor
from ..text.particles import ParticleCounts, without_particle
from ..text.spans import bio_labels, context, entities_to_tags, tags_to_spans, windows
from ..text.tokens import Offset
from .base import IGNORED, BatchOutput, Features, Raw, Statistics, Task, Window
from .batches import inputs, numbers, pad, pad_inputs


@dataclass(frozen=True)
class FoundEntity:
    """An entity that the model found; start and end in characters of the original text, `end` exclusive."""

    text: str
    start: int
    end: int
    label: str
    score: float
    """Mean probability of its tokens' labels, 0 to 1."""


@dataclass(frozen=True)
class EntityPrediction:
    """The entities of a text, in order."""

    entities: tuple[FoundEntity, ...]


@dataclass(frozen=True)
class Ner(Task[EntityExample, EntityPrediction]):
    """A BIO class for each token; long texts go through overlapping windows, so that nothing vanishes."""

    name: ClassVar[str] = "ner"
    description: ClassVar[str] = "named entities as spans of characters: text, entities"
    example: ClassVar[type[Example]] = EntityExample
    best_metric: ClassVar[str] = "entity_f1"
    outputs: ClassVar[tuple[str, ...]] = ("logits",)

    stride: int = 32
    """Tokens that neighbouring windows of a long text share; at most half a window is used."""

    particles: Literal["learn"] | dict[str, list[str]] | None = None
    """What is cut off the last token of an entity: endings for each label, `learn` to take them from the training
    data (those that are more often cut than kept), or nothing. With KcBERT's tokens a perfect model reaches
    entity F1 0.84 on KLUE-NER without, and 0.97 with learnt particles."""

    tags: tuple[str, ...] = ()
    """Names of the model's outputs in their order, for a checkpoint that was trained elsewhere: with [CLS] and [PAD]
    among them, or all B- before all I-. By default O, then B- and I- of each type."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride < 0:
            raise InputError(f"stride {self.stride}", place="--stride", expected="0 or more tokens")

    def model_class(self) -> Any:
        """The standard head."""
        from transformers import AutoModelForTokenClassification

        return AutoModelForTokenClassification

    def classes(self, labels: Sequence[str]) -> list[str]:
        """O, then B- and I- of each type, where `tags` says nothing else.

        Raises:
            InputError: `tags` lacks one of them.
        """
        needed = bio_labels(labels)
        if self.tags and (missing := set(needed) - set(self.tags)):
            raise InputError(f"no {min(missing)!r} among {', '.join(self.tags)}", place="--tags")
        return list(self.tags) or needed

    def fit(
        self, statistics: Statistics, labels: Sequence[str], examples: Iterable[EntityExample], tokenizer: Any
    ) -> Self:
        """Fills in `particles`; see `Task.fit`."""
        if not labels:
            raise InputError(
                "no entity is marked in the training rows",
                expected="marks in at least some rows",
                fix="check the format (--format book-ner | klue-ner | conll) or the column (--entities_column)",
            )
        task = super().fit(statistics, labels, examples, tokenizer)
        return task.with_particles(examples, tokenizer) if task.particles == "learn" else task

    def with_particles(self, examples: Iterable[EntityExample], tokenizer: Any) -> Self:
        """This task with particles learnt from examples."""
        counts = ParticleCounts()
        for part in slices(examples):
            for example, (offsets, _) in zip(part, self._offsets(part, tokenizer), strict=True):
                counts.add(example.text, offsets, example.entities or ())
        return replace(self, particles=counts.particles())

    def improved(self, examples: Iterable[EntityExample], tokenizer: Any) -> tuple[str, Self] | None:
        """See `Task.improved`."""
        return ("--particles learn", self.with_particles(examples, tokenizer)) if self.particles is None else None

    def _offsets(self, examples: Sequence[EntityExample], tokenizer: Any) -> Iterator[tuple[list[Offset], list[int]]]:
        """Offsets of the tokens in the original texts, and their ids."""
        for normalized, (ids, found) in self.tokenize([example.text for example in examples], tokenizer):
            yield (found if not self.normalization else [normalized.to_original(*o) for o in found]), ids

    def encode(
        self, examples: Sequence[EntityExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; `starts` and `ends` say where the tokens of the text stand in the original."""
        room = self.room(tokenizer, max_length)
        index = {name: i for i, name in enumerate(self.classes(labels))} if labels is not None else None
        out: list[Features] = []
        for i, (example, (offsets, ids)) in enumerate(zip(examples, self._offsets(examples, tokenizer), strict=True)):
            if index is not None:
                self._check_labels(example, labels or ())
            targets = None if index is None else _targets(offsets, example.entities or (), index)
            for start, end in windows(len(ids), room, min(self.stride, room // 2)):
                features, lead = self.window(tokenizer, ids[start:end])
                features |= {
                    "example": i,
                    "lost": 0,
                    "first": start,
                    "lead": lead,
                    "starts": [offset[0] for offset in offsets[start:end]],
                    "ends": [offset[1] for offset in offsets[start:end]],
                }
                if targets is not None:
                    around = len(features["input_ids"]) - lead - (end - start)
                    features["labels"] = [IGNORED] * lead + targets[start:end] + [IGNORED] * around
                out.append(features)
        return out

    def _check_labels(self, example: EntityExample, labels: Sequence[str]) -> None:
        index = {label: i for i, label in enumerate(labels)}
        for label in example.label_names:
            self.label_id(label, index, example)

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; labels are (batch, longest)."""
        batch = pad_inputs(features, tokenizer)
        if "labels" in features[0]:
            batch["labels"] = pad([f["labels"] for f in features], IGNORED)
        return batch

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy over the tokens that show something."""
        return _loss(model(**inputs(batch)).logits, batch["labels"])

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (tokens, classes) logits."""
        logits = model(**inputs(batch)).logits
        loss, targets = None, 0
        if "labels" in batch:
            loss, targets = _loss(logits, batch["labels"]), int((batch["labels"] != IGNORED).sum())
        return BatchOutput(self.raw({"logits": numbers(logits)}, batch), loss, targets)

    def raw(self, said: Mapping[str, Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        """See `Task.raw`."""
        lengths = batch["attention_mask"].sum(1).tolist()
        return [row[:n].copy() for row, n in zip(said["logits"], lengths, strict=True)]

    def decode(
        self, example: EntityExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> EntityPrediction:
        """See `Task.decode`; a token shared by windows is read where it has most context."""
        starts, ends, probabilities = _merge(windows)
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
        return EntityPrediction(tuple(entities))

    def score(
        self, predictions: Sequence[EntityPrediction], examples: Sequence[EntityExample], labels: Sequence[str]
    ) -> dict[str, Any]:
        """See `entity_scores`."""
        found = [[Entity(e.start, e.end, e.label) for e in p.entities] for p in predictions]
        return entity_scores([e.entities or () for e in examples], found, [e.text for e in examples], labels)

    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Array:
        """See `Task.gold`."""
        import numpy as np

        targets = np.maximum(np.asarray(features["labels"]), 0)
        return np.where(np.arange(len(self.classes(labels))) == targets[:, None], 20.0, -20.0)

    def answer(self, example: EntityExample) -> EntityPrediction:
        """See `Task.answer`."""
        return EntityPrediction(
            tuple(FoundEntity(example.text[e.start : e.end], *e, score=1.0) for e in example.entities or ())
        )

    def inexpressible(self, example: EntityExample, oracle: EntityPrediction) -> list[str]:
        """See `Task.inexpressible`: each entity with what the tokens make of it."""
        spans = {(e.start, e.end, e.label) for e in oracle.entities}
        said = []
        for entity in example.entities or ():
            if tuple(entity) not in spans:
                near = [e for e in oracle.entities if e.start < entity.end and entity.start < e.end]
                found = " + ".join(f"{e.text} ({e.label})" for e in near) or "nothing"
                said.append(f"{example.text[entity.start : entity.end]} ({entity.label}) -> {found}")
        return said


def _targets(offsets: Sequence[Offset], entities: Sequence[Entity], index: Mapping[str, int]) -> list[int]:
    return [IGNORED if tag is None else index[tag] for tag in entities_to_tags(offsets, entities)]


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    from torch.nn import functional as F

    total = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)  # a batch of empty texts has loss 0, not NaN


def _merge(windows: Sequence[Window]) -> tuple[list[int], list[int], Array]:
    """Offsets and probabilities of all tokens of a text, each from the window with most context around it."""
    import numpy as np

    sizes = [len(w.features["starts"]) for w in windows]
    length = max(w.features["first"] + size for w, size in zip(windows, sizes, strict=True))
    starts, ends, most = [0] * length, [0] * length, [-1] * length
    logits = np.zeros((length, windows[0].raw.shape[1]))
    for (features, raw), size in zip(windows, sizes, strict=True):
        first, lead = int(features["first"]), int(features["lead"])
        for k in range(size):
            around = context(first + k, (first, first + size), length)
            if around > most[first + k]:
                most[first + k] = around
                starts[first + k], ends[first + k] = int(features["starts"][k]), int(features["ends"][k])
                logits[first + k] = raw[lead + k]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return starts, ends, exponentials / exponentials.sum(axis=1, keepdims=True)


TASKS.register("ner", Ner)
