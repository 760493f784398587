"""A forward without padding, over the modules and weights of transformers as they are.

The tokens of a batch stand in one row, each text with positions of its own; all layers work on that row alone, and only
attention knows where a text ends: it sees texts of like length side by side, padded to the longest of them. Behind the
last layer the states stand again where the heads expect them. What nobody asks for is left out there: a classifier
reads the first token of a text, a masked language model the hidden ones, so that the last layer is computed for these
alone. All of it is exact: dropout apart, logits and gradients are those of the padded forward.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from types import MethodType
from typing import Any, NamedTuple

import torch
from torch import Tensor

log = logging.getLogger("ratsnlp_like")

FAMILIES = frozenset({"bert", "roberta", "xlm-roberta", "camembert", "electra"})
"""Model types whose layers are wired as BERT's are."""
_PREFIX = "unpadded-"
_ALIKE = 0.75
"""Texts at least this long, by the longest, share a group in attention."""


class Group(NamedTuple):
    """Texts of like length, side by side."""

    asking: Tensor
    """Where their queries stand in the row of queries. *Shape:* (texts, most queries), padded with 0."""
    tokens: Tensor
    """Where their tokens stand in the row. *Shape:* (texts, longest), padded with 0."""
    real: Tensor | None
    """Which of the tokens are no padding; None where all are. *Shape:* (texts, 1, 1, longest)."""


class Attending(NamedTuple):
    """How attention finds the texts in a row."""

    groups: tuple[Group, ...]
    back: Tensor
    """Where each query of the row stands behind the groups, flattened one after the other. *Shape:* (queries,)."""


class Packing(NamedTuple):
    """Where the tokens of a batch stand in one row."""

    rows: Tensor
    """Their places in the flattened batch. *Shape:* (tokens,)."""
    shape: tuple[int, int]
    """Of the batch: (texts, longest)."""
    attending: Attending
    """In all layers but the last."""
    kept: Tensor | None
    """The places in the row that the head asks for, None for all. *Shape:* (kept,)."""
    attending_kept: Attending | None
    """In the last layer, where only these ask."""
    first: bool
    """Whether they are the first tokens of the texts."""


def install(model: Any) -> bool:
    """Let a model run without padding; says whether it does. Models of other kinds are left as they are.

    Another `set_attn_implementation` ends it. Calls without an `attention_mask` of (batch, tokens), or that ask for
    attentions or hidden states, run as before.

    Args:
        model: of transformers.
    """
    config = model.config
    inner = config._attn_implementation
    if inner and inner.startswith(_PREFIX):
        return True
    if config.model_type not in FAMILIES or inner not in {"eager", "sdpa"} or getattr(config, "is_decoder", False):
        return False
    base = model.base_model
    first = type(model).__name__.endswith("ForSequenceClassification")
    _register(inner)
    model.set_attn_implementation(_PREFIX + inner)
    base.register_forward_pre_hook(partial(_pack, first=first), with_kwargs=True)
    base.encoder.register_forward_hook(_unpack, with_kwargs=True)
    last = base.encoder.layer[-1]
    last.forward = MethodType(_last_layer, last)
    return True


def installed(model: Any) -> bool:
    """Whether a model runs without padding."""
    return bool((getattr(model.config, "_attn_implementation", None) or "").startswith(_PREFIX))


def _register(inner: str) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    AttentionInterface.register(_PREFIX + inner, partial(_attention, inner=inner))
    AttentionMaskInterface.register(_PREFIX + inner, ALL_MASK_ATTENTION_FUNCTIONS[inner])


def _pack(base: Any, arguments: tuple[Any, ...], options: dict[str, Any], *, first: bool) -> Any:
    """Before the body: ids, types and positions in one row."""
    names = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds")
    given = dict(zip(names, arguments, strict=False)) | options
    if len(arguments) > len(names) or not _can_pack(base, given):
        return None
    ids, mask, types, kept = given["input_ids"], given["attention_mask"], given.get("token_type_ids"), None
    rows = mask.flatten().nonzero().flatten()
    lengths = mask.sum(1)
    if first:
        kept, asking = lengths.cumsum(0) - lengths, [1] * len(ids)
    elif (wanted := given.pop("kept", None)) is not None:
        kept = torch.empty_like(mask.flatten()).index_copy(0, rows, torch.arange(len(rows), device=rows.device))[wanted]
        asking = torch.bincount(wanted // ids.shape[1], minlength=len(ids)).tolist()
    sizes = lengths.tolist()
    packing = Packing(
        rows,
        (ids.shape[0], ids.shape[1]),
        _attending(sizes, sizes, ids.device),
        kept,
        None if kept is None else _attending(asking, sizes, ids.device),
        first,
    )
    places = given.get("position_ids")
    places = _positions(base.config, ids) if places is None else places.expand_as(ids)
    return (), given | {
        "input_ids": ids.flatten()[rows][None],
        "token_type_ids": torch.zeros_like(rows)[None] if types is None else types.flatten()[rows][None],
        "position_ids": places.flatten()[rows][None],
        "attention_mask": None,
        "packing": packing,
    }


def _can_pack(base: Any, given: Mapping[str, Any]) -> bool:
    """Whether a call has ids and a plain mask, and asks for no more than the last states."""
    mask = given.get("attention_mask")
    if given.get("input_ids") is None or mask is None or mask.dim() != 2 or not installed(base):
        return False
    if any(given.get(name) is not None for name in ("inputs_embeds", "past_key_values", "encoder_hidden_states")):
        return False
    wanted = ("output_attentions", "output_hidden_states")
    return not any(given.get(name) or getattr(base.config, name, False) for name in wanted)


def _positions(config: Any, ids: Tensor) -> Tensor:
    """As the models count them. *Shape:* (batch, tokens)."""
    if config.model_type in {"bert", "electra"}:
        return torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    real = ids.ne(config.pad_token_id).long()
    return real.cumsum(1) * real + config.pad_token_id


def _attending(asking: Sequence[int], lengths: Sequence[int], device: torch.device) -> Attending:
    """Groups of like length.

    Args:
        asking: queries of each text, which stand one text after the other.
        lengths: tokens of each text, likewise.
        device: of the tokens.
    """
    import numpy as np

    count, size = np.asarray(asking), np.asarray(lengths)
    first_query, first_token = np.cumsum(count) - count, np.cumsum(size) - size
    order = np.argsort(-size, kind="stable")
    groups: list[Group] = []
    back = np.empty(int(count.sum()), dtype=np.int64)
    behind = start = 0
    while start < len(order):
        end = start + int(np.searchsorted(-size[order[start:]], -_ALIKE * size[order[start]], side="right"))
        own = order[start:end]
        tokens, real = _side_by_side(first_token[own], size[own])
        queries, asked = _side_by_side(first_query[own], count[own])
        back[queries[asked]] = behind + np.flatnonzero(asked)
        behind += asked.size
        groups.append(
            Group(
                torch.from_numpy(queries).to(device),
                torch.from_numpy(tokens).to(device),
                None if real.all() else torch.from_numpy(real[:, None, None]).to(device),
            )
        )
        start = end
    return Attending(tuple(groups), torch.from_numpy(back).to(device))


def _side_by_side(first: Any, count: Any) -> tuple[Any, Any]:
    """Numbers that count up from `first`, and which of them are wanted. Shape: (texts, most)."""
    import numpy as np

    steps = np.arange(count.max(initial=1))
    wanted = steps < count[:, None]
    return np.where(wanted, first[:, None] + steps, 0), wanted


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    inner: str,
    packing: Packing | Attending | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """What transformers calls for attention. Shape: (1, heads, tokens, size) -> (1, tokens, heads, size)."""
    from transformers import AttentionInterface
    from transformers.models.bert.modeling_bert import eager_attention_forward

    attend = AttentionInterface().get_interface(inner, eager_attention_forward)
    if packing is None:
        return attend(module, query, key, value, attention_mask, **options)
    attending = packing.attending if isinstance(packing, Packing) else packing
    q, k, v = (part[0].transpose(0, 1).flatten(1) for part in (query, key, value))  # (tokens, heads * size)
    heads, size = query.shape[1], query.shape[3]
    parts = []
    for group in attending.groups:
        own = [
            row.index_select(0, at.flatten()).view(*at.shape, heads, size).transpose(1, 2)
            for row, at in ((q, group.asking), (k, group.tokens), (v, group.tokens))
        ]
        mask = group.real
        if mask is not None and inner == "eager":
            mask = torch.zeros(mask.shape, dtype=query.dtype, device=query.device).masked_fill(
                ~mask, torch.finfo(query.dtype).min
            )
        parts.append(attend(module, *own, mask, **options)[0].reshape(-1, heads * size))
    joined = parts[0] if len(parts) == 1 else torch.cat(parts)
    return joined.index_select(0, attending.back).view(1, -1, heads, size), None


def _last_layer(layer: Any, hidden: Tensor, *arguments: Any, packing: Packing | None = None, **options: Any) -> Any:
    """The last layer, for the tokens that are asked for alone. Shape: (1, tokens, width) -> (1, kept, width)."""
    from transformers import AttentionInterface

    if packing is None or packing.kept is None:
        return type(layer).forward(layer, hidden, *arguments, packing=packing, **options)
    own = layer.attention.self
    asking = hidden.index_select(1, packing.kept)
    q, k, v = (
        part.view(1, -1, own.num_attention_heads, own.attention_head_size).transpose(1, 2)
        for part in (own.query(asking), own.key(hidden), own.value(hidden))
    )
    attend = AttentionInterface()[own.config._attn_implementation]
    dropout = own.dropout.p if layer.training else 0.0
    attended, _ = attend(own, q, k, v, None, dropout=dropout, scaling=own.scaling, packing=packing.attending_kept)
    return layer.feed_forward_chunk(layer.attention.output(attended.flatten(2), asking))


def _unpack(encoder: Any, arguments: tuple[Any, ...], options: dict[str, Any], output: Any) -> Any:
    """Behind the last layer: states where the heads expect them. Shape: (batch, tokens, width), or (1, kept, width)."""
    states = output.last_hidden_state
    packing = options.get("packing")
    if packing is None:
        kept = options.get("kept")
        if kept is not None:
            output["last_hidden_state"] = states.flatten(0, 1).index_select(0, kept)[None]
        return output
    if packing.first:
        states = states.transpose(0, 1)
    elif packing.kept is None:
        batch, longest = packing.shape
        padded = states.new_zeros(batch * longest, states.shape[2])
        states = padded.index_copy(0, packing.rows, states[0]).view(batch, longest, -1)
    output["last_hidden_state"] = states
    return output
