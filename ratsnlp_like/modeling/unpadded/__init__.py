"""A forward without padding, over the modules and weights of transformers as they are.

The tokens of a batch are concatenated to one row, each text with its own positions; all layers compute on that row, and
only attention depends on where a text ends. GPUs have kernels for that (torch.nn.attention.varlen); elsewhere attention
is computed in groups of texts of similar length, padded to the longest of them. After the last layer, the states are
returned in the shape that heads expect. The last layer is computed only for the tokens that the head reads: the first
token of a text for a classifier, the masked ones for a masked language model. Apart from dropout, logits and gradients
equal those of the padded forward.
"""

from __future__ import annotations

from .install import first_alone, install, installed, remove

__all__ = ["first_alone", "install", "installed", "remove"]
