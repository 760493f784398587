"""tasks.batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..runtime.types import Array, Tensor


def numbers(tensor: Tensor) -> Array:
    """What a model says, as an array of fp32 on the CPU."""
    made: Array = tensor.detach().float().cpu().numpy()
    return made


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Rows of numbers, filled up to the longest. Shape: (batch, longest)."""
    import torch

    return torch.from_numpy(padded(rows, value))


def padded(rows: Sequence[Sequence[int]], value: int) -> Array:
    """`pad` without torch."""
    import numpy as np

    taken = _taken(rows)
    out = np.full(taken.shape, value, dtype=np.int64)
    out[taken] = np.concatenate(rows)
    return out


def _taken(rows: Sequence[Sequence[int]]) -> Array:
    """Where rows stand in a batch, padding apart. Shape: (batch, longest)."""
    import numpy as np

    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    taken: Array = np.arange(lengths.max()) < lengths[:, None]
    return taken


def pad_inputs(features: Sequence[Mapping[str, Any]], tokenizer: Any) -> dict[str, Tensor]:
    """input_ids, attention_mask and, where the windows have them, token_type_ids. Shape: (batch, longest)."""
    import torch

    return {name: torch.from_numpy(array) for name, array in arrays(features, tokenizer).items()}


def arrays(features: Sequence[Mapping[str, Any]], tokenizer: Any) -> dict[str, Array]:
    """`pad_inputs` without torch."""
    ids = [f["input_ids"] for f in features]
    batch = {"input_ids": padded(ids, tokenizer.pad_token_id), "attention_mask": _taken(ids).astype("int64")}
    if "token_type_ids" in features[0]:
        batch["token_type_ids"] = padded([f["token_type_ids"] for f in features], 0)
    return batch


def inputs(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a batch goes into the model."""
    return {name: value for name, value in batch.items() if name != "labels"}
