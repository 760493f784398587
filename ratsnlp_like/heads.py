"""Models that are more than a head of transformers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForMaskedLM

_GENERATOR = "generator"
"""Folder of the generator within that of the model."""


class Detecting(nn.Module):
    """A masked language model that also learns to tell replaced tokens from real ones (ELECTRA, arXiv:2003.10555).

    A small generator, a masked language model too, proposes the replacements. On disk the model is a plain masked
    language model, with the generator in a folder of its own, so that pretraining can go on from it.

    Attributes:
        main: the model that is kept.
        generator: which fills in the blanks that `main` then judges.
        detector: from the hidden states of `main` to one logit, real or replaced.
    """

    def __init__(self, main: Any, generator: Any) -> None:
        super().__init__()
        self.main, self.generator = main, generator
        self.detector = nn.Sequential(nn.Linear(main.config.hidden_size, main.config.hidden_size), nn.GELU())
        self.detector.append(nn.Linear(main.config.hidden_size, 1))

    @classmethod
    def from_config(cls, config: Any, **options: Any) -> Self:
        """With random weights."""
        main = AutoModelForMaskedLM.from_config(config, **options)
        return cls(main, AutoModelForMaskedLM.from_config(generator_config(config), **options))

    @classmethod
    def from_pretrained(cls, name: str, *, config: Any, output_loading_info: bool = False, **options: Any) -> Any:
        """The weights of a masked language model; its generator's where they lie beside them, random ones else."""
        main, info = AutoModelForMaskedLM.from_pretrained(name, config=config, output_loading_info=True, **options)
        folder = Path(name) / _GENERATOR
        attention = {"attn_implementation": options.get("attn_implementation")}
        if (folder / "config.json").exists():
            own = AutoConfig.from_pretrained(folder)
            generator = AutoModelForMaskedLM.from_pretrained(folder, config=own, **options)
        else:
            generator = AutoModelForMaskedLM.from_config(generator_config(config), **attention)
        model = cls(main, generator)
        return (model, info) if output_loading_info else model

    def save_pretrained(self, folder: Path, *, state_dict: Mapping[str, Any] | None = None) -> None:
        """See the class; `state_dict` is of this whole module."""
        state = self.state_dict() if state_dict is None else state_dict
        for module, name, where in ((self.main, "main.", folder), (self.generator, "generator.", folder / _GENERATOR)):
            own = {key.removeprefix(name): value for key, value in state.items() if key.startswith(name)}
            module.save_pretrained(where, state_dict=own)

    def resize_token_embeddings(self, size: int) -> None:
        """Of both models."""
        self.main.resize_token_embeddings(size)
        self.generator.resize_token_embeddings(size)

    @property
    def config(self) -> Any:
        """Of the model that is kept."""
        return self.main.config

    @property
    def base_model_prefix(self) -> str:
        """Of the model that is kept."""
        return str(self.main.base_model_prefix)

    @property
    def device(self) -> Any:
        """Where it is."""
        return self.main.device

    def forward(self, **inputs: Tensor) -> Any:
        """What the kept model says."""
        return self.main(**inputs)


def generator_config(config: Any) -> Any:
    """Half as wide and half as deep: ELECTRA's generators have a quarter to a half of the discriminator's size."""
    small = copy.deepcopy(config)
    for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"):
        setattr(small, name, max(1, getattr(small, name) // 2))
    if hasattr(small, "embedding_size"):
        small.embedding_size = small.hidden_size
    return small
