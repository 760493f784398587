"""A head that labels the characters of a text: a candidate that is measured against the heads of the package.

The label of a character is computed from the state of its token, its place in the token, and the character itself (its
code and, for a syllable, its three jamo), with a convolution over neighbouring characters. Trained on BIO labels of
characters. Its model is no architecture of transformers, so that it is not part of the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.tasks.base import IGNORED, BatchOutput, Window
from ratsnlp_like.tasks.batches import model_inputs, pad
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.ner import Ner, consistent_tags
from ratsnlp_like.text.spans import context, entities_to_tags, tags_to_spans

_CODES = 8192
"""Buckets for the codes of characters."""
_PLACES = 16
"""Places in a token that are distinguished, from its start and from its end."""
_SYLLABLES = range(0xAC00, 0xD7A4)


class CharacterHead(nn.Module):
    """Logits of characters from the states of their tokens.

    Args:
        hidden: size of a state.
        classes: number of classes.
        size: of the embeddings and of the hidden layer.
    """

    def __init__(self, hidden: int, classes: int, size: int = 128) -> None:
        super().__init__()
        self.state = nn.Linear(hidden, size)
        self.code = nn.Embedding(_CODES, size)
        self.jamo = nn.ModuleList(nn.Embedding(count + 1, size) for count in (19, 21, 28))
        self.places = nn.ModuleList(nn.Embedding(_PLACES, size) for _ in range(2))
        self.neighbours = nn.Conv1d(size, size, kernel_size=5, padding=2)
        self.dropout = nn.Dropout(0.1)
        self.classes = nn.Linear(size, classes)
        for table in (self.code, *self.jamo, *self.places):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, states: Tensor, characters: Tensor) -> Tensor:
        """Return logits. Shape: (batch, characters, classes).

        Args:
            states: of the tokens. Shape: (batch, tokens, hidden).
            characters: position of its token, code and two places of each character; a position of -100 is padding.
                Shape: (batch, characters, 4).
        """
        token, code, *places = characters.clamp(min=0).unbind(2)
        own = self.state(states).gather(1, token[:, :, None].expand(-1, -1, self.state.out_features))
        x = own + self.code(code % _CODES)
        for table, part in zip(self.jamo, _jamo(code), strict=True):
            x = x + table(part)
        for table, place in zip(self.places, places, strict=True):
            x = x + table(place.clamp(max=_PLACES - 1))
        x = self.dropout(F.gelu(x)) * (characters[:, :, :1] >= 0)
        x = x + F.gelu(self.neighbours(x.transpose(1, 2)).transpose(1, 2))
        logits: Tensor = self.classes(self.dropout(x))
        return logits


def _jamo(code: Tensor) -> list[Tensor]:
    """Return initial, medial and final of a syllable, counted from 1; 0 for other characters."""
    index = code - _SYLLABLES.start
    hangul = (index >= 0) & (index < len(_SYLLABLES))
    parts = index // 588, index // 28 % 21, index % 28
    return [
        torch.where(hangul, part + 1, 0).clamp(min=0, max=size) for part, size in zip(parts, (19, 21, 28), strict=True)
    ]


class CharacterModel(nn.Module):
    """An encoder with a head for tokens, whose states a head for characters reads in its place."""

    def __init__(self, tokens: Any, classes: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.head = CharacterHead(tokens.config.hidden_size, classes)
        self.config = tokens.config
        self.device = torch.device("cpu")

    def forward(self, characters: Tensor, **inputs: Any) -> Tensor:
        """Return the logits of characters. Shape: (batch, characters, classes)."""
        states = self.tokens.base_model(**inputs).last_hidden_state
        logits: Tensor = self.head(states, characters)
        return logits


@dataclass(frozen=True)
class CharacterNer(Ner):
    """Named entities by a BIO class for each character."""

    targets: ClassVar[frozenset[str]] = frozenset({"labels"})

    def encode_inputs(self, examples: Sequence[EntityExample], tokenizer: Any, max_length: int) -> list[Any]:
        windows: list[Any] = list(super().encode_inputs(examples, tokenizer, max_length))
        return [window | _characters(window, examples[window["example"]].text) for window in windows]

    def encode(
        self, examples: Sequence[EntityExample], tokenizer: Any, labels: Sequence[str], max_length: int
    ) -> list[Any]:
        index = {name: i for i, name in enumerate(self.bio_classes(labels))}
        tags = [
            [index[str(tag)] for tag in entities_to_tags([(k, k + 1) for k in range(len(e.text))], e.entities or ())]
            for e in examples
        ]
        windows = self.encode_inputs(examples, tokenizer, max_length)
        return [
            window | {"labels": tags[window["example"]][window["begin"] : window["begin"] + len(window["tokens_of"])]}
            for window in windows
        ]

    def collate(self, features: Sequence[Any], tokenizer: Any, *, noise: Any = None) -> Any:
        batch = self.collate_inputs(features, tokenizer)
        return {**batch, "labels": pad([f["labels"] for f in features], IGNORED)}

    def collate_inputs(self, features: Sequence[Any], tokenizer: Any) -> Any:
        names = ("tokens_of", "codes", "from_start", "from_end")
        columns = [pad([f[name] for f in features], IGNORED) for name in names]
        return {**super().collate_inputs(features, tokenizer), "characters": torch.stack(columns, dim=2)}

    def loss(self, model: Any, batch: Any) -> Tensor:
        logits = model(**model_inputs(batch, self.targets))
        return F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED)

    def evaluate_batch(self, model: Any, batch: Any) -> BatchOutput:
        raise NotImplementedError

    def predict_batch(self, model: Any, batch: Any) -> list[Any]:
        lengths = (batch["characters"][:, :, 0] >= 0).sum(1).tolist()
        logits = model(**batch).detach().numpy()
        return [row[:n] for row, n in zip(logits, lengths, strict=True)]

    def decode(
        self, example: EntityExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> EntityPrediction:
        classes = self.bio_classes(labels)
        length = len(example.text)
        logits = np.zeros((length, len(classes)))
        logits[:, 0] = 9.0
        most = [-1] * length
        for features, raw in windows:
            begin = features["begin"]
            for k in range(len(raw)):
                around = context(begin + k, (begin, begin + len(raw)), length)
                if around > most[begin + k]:
                    most[begin + k], logits[begin + k] = around, raw[k]
        shares = self.probabilities(logits)
        best = consistent_tags(shares, classes)
        found = []
        for first, last, label in tags_to_spans([classes[k] for k in best]):
            text = example.text[first : last + 1]
            start, end = first + len(text) - len(text.lstrip()), last + 1 - len(text) + len(text.rstrip())
            if start < end:
                score = float(np.mean([shares[k, best[k]] for k in range(first, last + 1)]))
                found.append(FoundEntity(example.text[start:end], start, end, label, score))
        return EntityPrediction(tuple(found))


def _characters(window: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the characters of a window: the token of each (the one before for a space), its code and places."""
    tokens = [(k, s, e) for k, (s, e) in enumerate(zip(window["starts"], window["ends"], strict=True)) if s < e]
    begin, end = (tokens[0][1], tokens[-1][2]) if tokens else (0, 0)
    columns: dict[str, Any] = {
        "tokens_of": [window["lead"]] * (end - begin),
        "codes": [ord(character) for character in text[begin:end]],
        "from_start": [_PLACES - 1] * (end - begin),
        "from_end": [_PLACES - 1] * (end - begin),
    }
    for (k, start, last), (_, following, _) in zip(tokens, [*tokens[1:], (0, end, 0)], strict=True):
        columns["tokens_of"][start - begin : following - begin] = [window["lead"] + k] * (following - start)
        columns["from_start"][start - begin : last - begin] = range(last - start)
        columns["from_end"][start - begin : last - begin] = range(last - start - 1, -1, -1)
    return {"begin": begin, **columns}


def without_cuts(task: Ner) -> CharacterNer:
    """Return the task that labels characters, with the fields of another one."""
    fields = {name: value for name, value in task.to_dict().items() if name not in {"spans", "particles", "cuts"}}
    return replace(CharacterNer(), **fields)
