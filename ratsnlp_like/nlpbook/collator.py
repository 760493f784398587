"""`nlpbook.data_collator`: batches padded to their longest row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tasks.base import IGNORED

_PADDING = {"label_ids": IGNORED, "labels": IGNORED}
"""Padding of labels; other fields are padded with 0, which the attention mask hides."""
_RENAMED = {"label": "labels", "label_ids": "labels"}


def data_collator(features: Sequence[Any]) -> dict[str, Any]:
    """Return a batch of tensors for a transformers model.

    Args:
        features: dataclasses or mappings with the same fields; `label` or `label_ids` become `labels`. Fields that
            are None or strings are omitted.

    Shape: (batch, longest) for lists, (batch,) for numbers.
    """
    rows = [row if isinstance(row, Mapping) else vars(row) for row in features]
    return {
        str(_RENAMED.get(name, name)): _stack([row[name] for row in rows], _PADDING.get(name, 0))
        for name, value in rows[0].items()
        if value is not None and not isinstance(value, str)
    }


def _stack(values: Sequence[Any], padding: int) -> Any:
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tensors = [torch.as_tensor(value) for value in values]
    if tensors[0].ndim:
        return pad_sequence(tensors, batch_first=True, padding_value=padding)
    return torch.stack(tensors)
