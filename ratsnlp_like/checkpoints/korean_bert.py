"""Korean encoders that need nothing beyond their files except `do_lower_case=False`.

BERT's tokenizer class lower-cases by default, which decomposes Hangul into jamo; these vocabularies are cased.
"""

from ..registry import CHECKPOINTS
from .base import Checkpoint

_CASED = {"do_lower_case": False}
_FILES = frozenset({"model_type", "vocabulary", "positions"})
_VOCABULARY = frozenset({"vocabulary"})

for _name, _description, _facts, _checked in (
    ("beomi/kcbert-base", "BERT base, comments, WordPiece, MIT", ("bert", 30_000, 300), _FILES),
    ("beomi/kcbert-large", "BERT large, comments, WordPiece, MIT", ("bert", 30_000, 300), _FILES),
    ("klue/bert-base", "BERT base, news and web, WordPiece, CC BY-SA 4.0", ("bert", 32_000, 512), frozenset()),
    (
        "monologg/koelectra-base-v3-discriminator",
        "ELECTRA base, WordPiece, Apache-2.0",
        ("electra", 35_000, 512),
        _VOCABULARY,
    ),
    (
        "monologg/koelectra-small-v3-discriminator",
        "ELECTRA small, WordPiece, Apache-2.0",
        ("electra", 35_000, 512),
        _VOCABULARY,
    ),
    ("snunlp/KR-ELECTRA-discriminator", "ELECTRA base, WordPiece, cased", ("electra", None, 512), frozenset()),
):
    CHECKPOINTS.register(
        _name,
        Checkpoint(
            _description,
            pattern=f"{_name}|{_name.split('/')[1]}",
            tokenizer_kwargs=_CASED,
            model_type=_facts[0],
            vocabulary=_facts[1],
            positions=_facts[2],
            checked=_checked,
        ),
    )
