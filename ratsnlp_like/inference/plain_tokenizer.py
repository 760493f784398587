"""A fast tokenizer that does not import transformers, which would import torch and take seconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError

_FILES = "tokenizer.json", "tokenizer_config.json"
_INPUTS = "input_ids", "token_type_ids", "attention_mask"
_NAMES = "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"


class PlainTokenizer:
    """A tokenizer of the library `tokenizers` with the part of the interface of transformers that tasks use.

    Args:
        folder: contains tokenizer.json and tokenizer_config.json.
        inputs: names of the inputs of the model.

    Raises:
        InputError: a file is missing or damaged.
    """

    is_fast = True
    chat_template = None
    pad_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | None
    unk_token_id: int | None
    mask_token_id: int | None
    mask_token: str | None

    def __init__(self, folder: Path, inputs: Collection[str]) -> None:
        from tokenizers import Tokenizer

        self.folder = folder
        try:
            config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            self.backend_tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare exceptions
            raise InputError(f"the tokenizer cannot be loaded: {error}", place=folder, fix="export it again") from error
        self.special_tokens_map = {name: _text(config[name]) for name in _NAMES if config.get(name)}
        for name in _NAMES:
            token = self.special_tokens_map.get(name)
            setattr(self, name, token)
            setattr(self, f"{name}_id", None if token is None else self.backend_tokenizer.token_to_id(token))
        extra = map(_text, config.get("additional_special_tokens") or config.get("extra_special_tokens") or ())
        special = dict.fromkeys([*self.special_tokens_map.values(), *extra])
        self.all_special_ids = [self.backend_tokenizer.token_to_id(token) for token in special]
        self.model_input_names = [name for name in _INPUTS if name in inputs]

    def __len__(self) -> int:
        return int(self.backend_tokenizer.get_vocab_size())

    def __call__(self, text: str, pair: str | None = None, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Return input_ids and, where the model takes them, token_type_ids of a text or a pair."""
        encoding = self.backend_tokenizer.encode(text, pair, add_special_tokens=add_special_tokens)
        encoded: dict[str, list[int]] = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
        return {name: ids for name, ids in encoded.items() if name == "input_ids" or name in self.model_input_names}

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Return the text of token ids."""
        return str(self.backend_tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def save_pretrained(self, folder: Path) -> None:
        """Copy the files of the tokenizer."""
        for name in _FILES:
            shutil.copyfile(self.folder / name, folder / name)


def _text(token: str | dict[str, Any]) -> str:
    """Return the text of a special token, which tokenizer_config.json may store with its properties."""
    return str(token["content"] if isinstance(token, dict) else token)
