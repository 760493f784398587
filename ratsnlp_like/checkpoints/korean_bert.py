"""Korean encoders that need nothing beyond their files except `do_lower_case=False`.

BERT's tokenizer class lower-cases by default, which decomposes Hangul into jamo; these vocabularies are cased.
"""

from ..registry import CHECKPOINTS
from .base import Checkpoint

_CASED = {"do_lower_case": False}

for _name, _description in {
    "beomi/kcbert-base": "BERT base, comments, WordPiece 30,000, 300 positions, MIT",
    "beomi/kcbert-large": "BERT large, comments, WordPiece 30,000, 300 positions, MIT",
    "beomi/KcELECTRA-base": "ELECTRA base, comments, WordPiece 50,135, 512 positions, MIT",
    "klue/bert-base": "BERT base, news and web, WordPiece 32,000, 512 positions, CC BY-SA 4.0",
    "monologg/koelectra-base-v3-discriminator": "ELECTRA base, WordPiece 35,000, 512 positions, Apache-2.0",
    "monologg/koelectra-small-v3-discriminator": "ELECTRA small, WordPiece 35,000, 512 positions, Apache-2.0",
}.items():
    CHECKPOINTS.register(
        _name, Checkpoint(_description, pattern=f"{_name}(-v[0-9]+)?|{_name.split('/')[1]}", tokenizer_kwargs=_CASED)
    )
