"""Behaviour of transformers 4 that the book's notebooks rely on, limited to what they load."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MethodType
from typing import Any

import torch

log = logging.getLogger("ratsnlp")

_COMPUTED = re.compile(r"(?:\.|^)(?:embeddings\.position_ids|attn\.(?:masked_)?bias)$")
"""Buffers that transformers 4 saved in checkpoints and transformers 5 computes."""
_NAMES: set[str] = set()
"""Names of the checkpoints whose tokenizers have `encode_plus`."""


def ignore_computed_weights(names: Iterable[str]) -> None:
    """Let `load_state_dict` ignore buffers that transformers 4 saved and transformers 5 computes.

    A notebook calls `load_state_dict` itself, so only the models' class can do this. Nothing is changed unless a
    checkpoint holds such buffers.
    """
    if not any(_COMPUTED.search(name) for name in names):
        return
    from transformers import PreTrainedModel

    if "load_state_dict" in vars(PreTrainedModel):
        return

    def load_state_dict(self: Any, state_dict: Mapping[str, Any], *args: Any, **options: Any) -> Any:
        own = self.state_dict().keys()
        kept = {name: value for name, value in state_dict.items() if name in own or not _COMPUTED.search(name)}
        return torch.nn.Module.load_state_dict(self, kept, *args, **options)

    PreTrainedModel.load_state_dict = load_state_dict  # type: ignore[method-assign]
    log.info("the checkpoint was saved by transformers 4; buffers that transformers 5 computes are ignored.")


def restore_encode_plus(name: str | None) -> None:
    """Give tokenizers loaded under this name the method `encode_plus`, which transformers 5 no longer has.

    A notebook imports its tokenizer class from transformers, so only the lookup of a missing attribute can provide it.
    Tokenizers of any other name raise AttributeError as before.
    """
    from transformers import PreTrainedTokenizerBase

    if name is None or hasattr(PreTrainedTokenizerBase, "encode_plus"):
        return
    if not _NAMES:
        lookup = PreTrainedTokenizerBase.__getattr__

        def getattr_with_encode_plus(self: Any, key: str) -> Any:
            if key == "encode_plus" and vars(self).get("name_or_path") in _NAMES:
                return MethodType(encode_plus, self)
            return lookup(self, key)

        PreTrainedTokenizerBase.__getattr__ = getattr_with_encode_plus  # type: ignore[method-assign]
    _NAMES.add(name)


def encode_plus(
    tokenizer: Any,
    text: str | Sequence[str] | Sequence[int],
    text_pair: str | Sequence[str] | Sequence[int] | None = None,
    *,
    truncation: bool | str = False,
    max_length: int | None = None,
    padding: bool | str = False,
    **options: Any,
) -> Any:
    """Encode a text or a pair, each given as text, tokens or ids, as `encode_plus` of transformers 4 does.

    Args:
        tokenizer: of transformers 5.
        text: the first text.
        text_pair: the second text.
        truncation: True or "longest_first", "only_first", "only_second", or False.
        max_length: number of tokens, special tokens included; default: the tokenizer's `model_max_length`.
        padding: as `tokenizer.pad` takes it.
        options: of `tokenizer(...)` for texts; `return_tensors` for tokens and ids.
    """
    parts = [text] if text_pair is None else [text, text_pair]
    if all(isinstance(part, str) for part in parts):
        return tokenizer(*parts, truncation=truncation, max_length=max_length, padding=padding, **options)
    ids = [_ids(tokenizer, part) for part in parts]
    if truncation:
        limit = max_length or tokenizer.model_max_length
        _truncate(ids, limit - tokenizer.num_special_tokens_to_add(pair=len(ids) == 2), truncation)
    # one token in place of each part shows where the special tokens are
    template = tokenizer(*[tokenizer.unk_token] * len(ids), return_attention_mask=False, return_token_type_ids=True)
    input_ids: list[int] = []
    types: list[int] = []
    for token, kind, part in zip(
        template["input_ids"], template["token_type_ids"], template.sequence_ids(), strict=True
    ):
        piece = [token] if part is None else ids[part]
        input_ids += piece
        types += [kind] * len(piece)
    encoded: dict[str, Any] = {"input_ids": input_ids}
    if options.get("return_token_type_ids") or "token_type_ids" in tokenizer.model_input_names:
        encoded["token_type_ids"] = types
    tensors = options.get("return_tensors")
    if tensors:  # a batch of one
        encoded = {name: [values] for name, values in encoded.items()}
    return tokenizer.pad(encoded, padding=padding, max_length=max_length, return_tensors=tensors, verbose=False)


def _ids(tokenizer: Any, part: str | Sequence[str] | Sequence[int]) -> list[int]:
    if isinstance(part, str):
        return list(tokenizer(part, add_special_tokens=False)["input_ids"])
    return [tokenizer.convert_tokens_to_ids(token) if isinstance(token, str) else int(token) for token in part]


def _truncate(ids: list[list[int]], limit: int, truncation: bool | str) -> None:
    """Remove tokens from the end until all parts together fit the limit."""
    while sum(map(len, ids)) > limit:
        if truncation in {"only_first", "only_second"}:
            part = ids[0] if truncation == "only_first" else ids[-1]
        else:
            part = max(reversed(ids), key=len)
        if not part:
            raise ValueError(f"truncation={truncation!r}: the other text alone is longer than {limit} tokens")
        part.pop()
