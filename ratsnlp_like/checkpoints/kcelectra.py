"""beomi/KcELECTRA-base: three models under one name, distinguished by their revisions.

The main branch is the model of 2023, whose tokenizer is a byte-level BPE; those of 2021 and 2022 have a vocab.txt of
WordPiece. Weights of one revision with the tokenizer of another load without an error and are useless.
https://huggingface.co/beomi/KcELECTRA-base
"""

from ..registry import CHECKPOINTS
from .base import Checkpoint

_NAME = "beomi/KcELECTRA-base"
_CASED = {"do_lower_case": False}

CHECKPOINTS.register(
    _NAME,
    Checkpoint(
        "ELECTRA base of 2023, comments, byte-level BPE, padding id 3, MIT",
        pattern=f"{_NAME}(@main|@v2023)?|KcELECTRA-base",
        tokenizer_kwargs=_CASED,  # for a folder of an earlier revision under this name
        model_type="electra",
        vocabulary=30_000,
        positions=512,
    ),
)
CHECKPOINTS.register(
    f"{_NAME}@v2022",
    Checkpoint(
        "ELECTRA base of 2022, comments, WordPiece, MIT",
        pattern=f"{_NAME}@v2022|{_NAME}-v2022|KcELECTRA-base-v2022",
        tokenizer_kwargs=_CASED,
        model_type="electra",
        vocabulary=54_343,
        positions=512,
    ),
)
CHECKPOINTS.register(
    f"{_NAME}@v2021",
    Checkpoint(
        "ELECTRA base of 2021, comments, WordPiece, MIT",
        pattern=f"{_NAME}@v2021|KcELECTRA-base-v2021",
        tokenizer_kwargs=_CASED,
        model_type="electra",
        vocabulary=50_135,
        positions=512,
        checked=frozenset({"vocabulary"}),
    ),
)
