"""Features of a window and tensors of a batch, as typed dictionaries.

A task with features of its own extends these and names them among its type parameters:
`Task[TextExample, ClassPrediction, ClassFeatures, LabelledBatch]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from ..runtime.types import Tensor


class Features(TypedDict):
    """One window of an example. All windows of a split have the same keys."""

    input_ids: Sequence[int]
    """Token ids, special tokens included."""
    token_type_ids: NotRequired[Sequence[int]]
    """0 for the first text and 1 for the second, where the model takes them."""
    example: int
    """Position of the example in the sequence that was encoded."""
    lost: int
    """Number of tokens of the example that no window contains."""


class InputBatch(TypedDict):
    """Inputs of the model, padded to the longest window."""

    input_ids: Tensor
    """Shape: (batch, longest)."""
    attention_mask: Tensor
    """1 for tokens, 0 for padding. Shape: (batch, longest)."""
    token_type_ids: NotRequired[Tensor]
    """Shape: (batch, longest)."""
    lengths: NotRequired[list[int]]
    """Number of tokens of each window, for a forward pass without padding."""
    counts: NotRequired[list[int]]
    """Number of positions of each window whose outputs are needed, for a forward pass without padding."""


class LabelledBatch(InputBatch):
    """Inputs with gold labels; ignored labels are -100."""

    labels: Tensor


class PositionsBatch(InputBatch):
    """Inputs of which a language model's outputs are needed at some positions only."""

    positions: Tensor
    """In the flattened batch. Shape: (positions,)."""


class TargetBatch(PositionsBatch):
    """Inputs of a language model with the tokens to predict."""

    labels: Tensor
    """Token ids to predict at `positions`. Shape: (positions,)."""
