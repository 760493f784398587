"""Facts of the listed checkpoints are those of the files, where these are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ratsnlp_like.checkpoints.architectures import ARCHITECTURES, max_positions
from ratsnlp_like.checkpoints.base import load_config
from ratsnlp_like.registry import CHECKPOINTS

FOLDERS = {
    "beomi/KcELECTRA-base@v2021": "kcelectra-base",
    "beomi/kcbert-base": "kcbert-base",
    "beomi/kcbert-large": "kcbert-large",
    "gogamza/kobart-base-v2": "kobart",
    "kogpt2-v1": "kogpt2-v1",
    "monologg/koelectra-base-v3-discriminator": "koelectra-base-v3-discriminator",
    "monologg/koelectra-small-v3-discriminator": "koelectra-small-v3-discriminator",
    "skt/kobert-base-v1": "kobert",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_checked_facts_are_those_of_the_files(name: str, tokenizers_root: Path, real_tokenizer: Any) -> None:
    entry, config = CHECKPOINTS[name], load_config(str(tokenizers_root / FOLDERS[name]))
    found = {
        "model_type": config.model_type,
        "vocabulary": len(real_tokenizer(FOLDERS[name])),
        "positions": max_positions(config),
    }
    assert {fact: getattr(entry, fact) for fact in entry.checked} == {fact: found[fact] for fact in entry.checked}


def test_only_facts_of_files_at_hand_count_as_checked() -> None:
    assert {name for name, entry in CHECKPOINTS.items() if entry.checked} == set(FOLDERS)


def test_every_listed_model_type_is_known() -> None:
    kinds = {entry.model_type for name, entry in CHECKPOINTS.items() if entry.model_type}
    assert kinds <= set(ARCHITECTURES)
    assert len(kinds) > 12


def test_unchecked_facts_are_marked() -> None:
    assert CHECKPOINTS["beomi/kcbert-base"].summary().endswith("(bert, vocabulary of 30,000, 300 positions)")
    assert "(electra?, vocabulary of 35,000, 512 positions?)" in (
        CHECKPOINTS["monologg/koelectra-base-v3-discriminator"].summary()
    )
