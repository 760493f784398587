"""klue/roberta-*: RoBERTa models with BERT's tokenizer files.

The tokenizer returns token_type_ids of 1 for a second text, and the model has one token type: an index
out of range. https://huggingface.co/klue/roberta-base
"""

from ..registry import CHECKPOINTS
from .base import Checkpoint

for _size in ("small", "base", "large"):
    CHECKPOINTS.register(
        f"klue/roberta-{_size}",
        Checkpoint(
            f"RoBERTa {_size}, news and web, WordPiece, CC BY-SA 4.0",
            pattern=f"klue/roberta-{_size}|klue-roberta-{_size}",
            tokenizer_kwargs={"do_lower_case": False},
            drop_inputs=frozenset({"token_type_ids"}),
            model_type="roberta",
            vocabulary=32_000,
            positions=512,
        ),
    )
