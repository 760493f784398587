"""Types for annotations: arrays, tokenizers and models, without importing torch, numpy or transformers.

Modules whose classes become flags take array types from here: jsonargparse executes the `if TYPE_CHECKING:` blocks of
such modules, and `--help` would wait for torch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy import ndarray as Array
    from numpy.random import Generator as Noise
    from torch import Tensor
else:
    Array = Noise = Tensor = Any

__all__ = ["Array", "GenerativeModel", "ModelLike", "Noise", "Tensor", "TokenizerLike"]


class TokenizerLike(Protocol):
    """The part of a tokenizer of transformers that tasks use."""

    is_fast: bool
    model_input_names: list[str]
    all_special_ids: list[int]
    chat_template: Any
    mask_token: str | None
    pad_token_id: int
    bos_token_id: int | None
    eos_token_id: int | None
    unk_token_id: int | None
    mask_token_id: int | None

    def __len__(self) -> int: ...

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Return the text of token ids."""
        ...

    def apply_chat_template(self, conversation: Any, *, add_generation_prompt: bool, tokenize: bool) -> Any:
        """Return a conversation as the text or the tokens that a model is given."""
        ...


class ModelLike(Protocol):
    """A model of transformers, an exported graph, or anything that is called with the tensors of a batch."""

    def __call__(self, **inputs: Any) -> Any: ...


class GenerativeModel(ModelLike, Protocol):
    """A model that generates text."""

    config: Any
    device: Any
    generation_config: Any

    def generate(self, **inputs: Any) -> Tensor:
        """Return the ids of prompts and their continuations. Shape: (sequences, tokens)."""
        ...
