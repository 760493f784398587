"""KoBERT (skt/kobert-base-v1, monologg/kobert, monologg/distilkobert): its tokenizer class is not in transformers.

Its Unigram model is rebuilt with the `tokenizers` library, so that it is fast, returns offsets
(its NFKC changes ㅋ to U+110F) and is saved as a tokenizer.json that AutoTokenizer loads.
https://github.com/SKTBrain/KoBERT
"""

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..registry import CHECKPOINTS
from .base import Checkpoint, hub_file
from .revisions import with_revision

_FILES = ("spiece.model", "tokenizer_78b3253a26.model")
"""The model, as skt and as monologg name it."""


def load_tokenizer(name: str, *, revision: str | None = None, **kwargs: Any) -> Any:
    """Load the Unigram model of spiece.model, with [CLS], [SEP] and the token types of BERT.

    Raises:
        InputError: the model is missing, or the package sentencepiece is not installed.
    """
    from transformers import PreTrainedTokenizerFast

    if (Path(name) / "tokenizer.json").exists():  # a folder that this package saved
        return PreTrainedTokenizerFast.from_pretrained(name, **kwargs)
    path = next((path for file in _FILES if (path := hub_file(with_revision(name, revision), file)) is not None), None)
    if path is None:
        raise InputError("the checkpoint has no SentencePiece model", place=name, expected=" or ".join(_FILES))
    special = {key: f"[{key[:-6].upper()}]" for key in ("unk_token", "pad_token", "cls_token", "sep_token")}
    return PreTrainedTokenizerFast(
        tokenizer_object=_unigram(path),
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **special,
        **kwargs,
    )


def _unigram(path: Path) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    try:
        from sentencepiece import sentencepiece_model_pb2
    except ImportError:
        raise InputError(
            "KoBERT's tokenizer needs the packages sentencepiece and protobuf",
            place=path,
            fix="pip install 'ratsnlp_like[sentencepiece]'",
        ) from None
    proto: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    proto.ParseFromString(path.read_bytes())
    pieces = [(piece.piece, piece.score) for piece in proto.pieces]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=proto.trainer_spec.unk_id, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Strip(),
            normalizers.Replace(_regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    ids = {name: index for index, (name, _) in enumerate(pieces)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _regex(pattern: str) -> Any:
    from tokenizers import Regex

    return Regex(pattern)


CHECKPOINTS.register(
    "skt/kobert-base-v1",
    Checkpoint(
        "BERT base, Wikipedia and news, SentencePiece, padding id 1, Apache-2.0; also monologg/kobert, distilkobert",
        pattern="((skt|monologg)/)?(distil)?kobert(-base-v1)?",
        tokenizer_class="KoBERTTokenizer",
        load_tokenizer=load_tokenizer,
        model_type="bert",
        vocabulary=8_002,
        positions=512,
        checked=frozenset({"model_type", "vocabulary", "positions"}),
    ),
)
