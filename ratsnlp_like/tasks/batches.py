"""Padding of windows into batches, and what of a batch goes into a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from ..runtime.types import Array, Tensor, TokenizerLike
from .features import Features, InputBatch

_TARGETS = frozenset({"labels", "positions"})


def model_inputs(batch: Mapping[str, Any], targets: Collection[str] = _TARGETS) -> dict[str, Any]:
    """Return the part of a batch that goes into the model: all but the tensors that are named as targets."""
    return {name: value for name, value in batch.items() if name not in targets}


def to_array(tensor: Tensor) -> Array:
    """Return a tensor as an fp32 array on the CPU."""
    array: Array = tensor.detach().float().cpu().numpy()
    return array


def pad_inputs(features: Sequence[Features], tokenizer: TokenizerLike) -> InputBatch:
    """Pad the inputs of windows to the longest. Shape: (batch, longest)."""
    import torch

    batch: Any = {name: torch.from_numpy(array) for name, array in input_arrays(features, tokenizer).items()}
    return batch


def input_arrays(features: Sequence[Features], tokenizer: TokenizerLike) -> dict[str, Array]:
    """Return `pad_inputs` as arrays, without torch."""
    ids = [f["input_ids"] for f in features]
    batch = {"input_ids": pad_array(ids, tokenizer.pad_token_id), "attention_mask": _mask(ids).astype("int64")}
    if "token_type_ids" in features[0]:
        batch["token_type_ids"] = pad_array([f["token_type_ids"] for f in features], 0)
    return batch


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Pad rows of integers to the longest. Shape: (batch, longest)."""
    import torch

    return torch.from_numpy(pad_array(rows, value))


def pad_array(rows: Sequence[Sequence[int]], value: int) -> Array:
    """Return `pad` as an array, without torch."""
    import numpy as np

    mask = _mask(rows)
    out = np.full(mask.shape, value, dtype=np.int64)
    out[mask] = np.concatenate(rows)
    return out


def _mask(rows: Sequence[Sequence[int]]) -> Array:
    """Return which places of a padded batch are not padding. Shape: (batch, longest)."""
    import numpy as np

    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    mask: Array = np.arange(lengths.max()) < lengths[:, None]
    return mask


def group_windows(features: Sequence[Mapping[str, Any]], *, by_example: bool) -> list[list[int]]:
    """Return the positions of windows that share a batch: each alone, or all windows of an example."""
    if not by_example:
        return [[k] for k in range(len(features))]
    positions = groupby(range(len(features)), key=lambda k: int(features[k]["example"]))
    return [list(group) for _, group in positions]
