"""Special tokens around texts, for tokenizers whose files add none."""

from __future__ import annotations

import logging
from typing import Any

from .architectures import architecture_of

log = logging.getLogger("ratsnlp_like")


def add_missing_template(name: str, tokenizer: Any, config: Any) -> None:
    """Add [CLS] and [SEP] to the texts of an encoder that lack them, and a separator to two texts of a decoder.

    Args:
        name: of the checkpoint, for the report.
        tokenizer: a fast tokenizer, which is changed.
        config: of the checkpoint.
    """
    if getattr(config, "is_encoder_decoder", False):
        return
    architecture = architecture_of(config)
    backend = tokenizer.backend_tokenizer
    plain = backend.encode("가", add_special_tokens=False).ids
    single = backend.encode("가").ids
    if not architecture.causal:
        cls, sep = tokenizer.cls_token, tokenizer.sep_token
        if single == plain and cls is not None and sep is not None:
            second = f"{sep} {sep} $B {sep}" if architecture.offset_positions else f"{sep} $B:1 {sep}:1"
            _set_template(tokenizer, f"{cls} $A {sep}", f"{cls} $A {second}", (cls, sep))
            log.warning("%s: its tokenizer adds no special tokens; texts get %s and %s.", name, cls, sep)
        return
    end = tokenizer.eos_token
    if end is None or backend.encode("가", "가").ids != [*single[: len(single)], *plain] or single[-1:] != plain[-1:]:
        return  # the texts are separated already
    before = tokenizer.convert_ids_to_tokens(single[: len(single) - len(plain)])
    start = " ".join([*before, "$A"])
    _set_template(tokenizer, start, f"{start} {end} $B", (*before, end))
    log.info("%s: its tokenizer does not separate two texts; pairs get %s between them.", name, end)


def _set_template(tokenizer: Any, single: str, pair: str, tokens: tuple[str, ...]) -> None:
    from tokenizers import processors

    backend = tokenizer.backend_tokenizer
    ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in dict.fromkeys(tokens)]
    template = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    own = backend.post_processor
    if own is None or isinstance(own, processors.TemplateProcessing):
        backend.post_processor = template
    else:
        backend.post_processor = processors.Sequence([own, template])
