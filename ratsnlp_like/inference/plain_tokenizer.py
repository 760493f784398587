"""A fast tokenizer without transformers, whose import brings torch and takes seconds."""

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
    """What tasks ask of a tokenizer, answered by the library `tokenizers` from the files of a model folder.

    Args:
        folder: with tokenizer.json and tokenizer_config.json.
        inputs: what the model takes.

    Raises:
        InputError: a file is missing or broken.
    """

    is_fast = True
    chat_template = None
    pad_token_id: int | None
    eos_token_id: int | None
    unk_token_id: int | None
    mask_token_id: int | None
    mask_token: str | None

    def __init__(self, folder: Path, inputs: Collection[str]) -> None:
        from tokenizers import Tokenizer

        self.folder = folder
        try:
            described = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            self.backend_tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare ones
            raise InputError(f"the tokenizer cannot be loaded: {error}", place=folder, fix="export it anew") from error
        self.special_tokens_map = {name: _text(described[name]) for name in _NAMES if described.get(name)}
        for name in _NAMES:
            token = self.special_tokens_map.get(name)
            setattr(self, name, token)
            setattr(self, f"{name}_id", None if token is None else self.backend_tokenizer.token_to_id(token))
        extra = map(_text, described.get("extra_special_tokens") or ())
        special = dict.fromkeys([*self.special_tokens_map.values(), *extra])
        self.all_special_ids = [self.backend_tokenizer.token_to_id(token) for token in special]
        self.model_input_names = [name for name in _INPUTS if name in inputs]

    def __len__(self) -> int:
        return int(self.backend_tokenizer.get_vocab_size())

    def __call__(self, text: str, pair: str | None = None, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Ids and types of one text or of a pair."""
        encoding = self.backend_tokenizer.encode(text, pair, add_special_tokens=add_special_tokens)
        made: dict[str, list[int]] = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
        return {name: ids for name, ids in made.items() if name == "input_ids" or name in self.model_input_names}

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids."""
        return str(self.backend_tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def save_pretrained(self, folder: Path) -> None:
        """Copy its files."""
        for name in _FILES:
            shutil.copyfile(self.folder / name, folder / name)


def _text(token: Any) -> str:
    """Of a token that is written with or without its properties."""
    return str(token["content"] if isinstance(token, dict) else token)
