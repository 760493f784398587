"""The Transformer from inside: its parts step by step, a text on its way through a real model, and pictures of both.

Example:
    >>> from ratsnlp_like import anatomy
    >>> anatomy.layer_norm([1, 2, 3])  # shows every step
    >>> trace = anatomy.trace("ko-tiny-bert", "이 영화는 [MASK] 재미있다")
    >>> trace.attentions.shape  # layers, heads, tokens, tokens
    >>> anatomy.plot_candidates(trace.candidates())  # needs the extra `plots`
"""

from .blocks import (
    adam,
    attention,
    dropout,
    feed_forward,
    layer_norm,
    masks,
    multi_head_attention,
    residual,
    residual_paths,
    self_attention,
)
from .distribution import Decoding, decoding
from .plots import (
    plot_attention,
    plot_candidates,
    plot_decoding,
    plot_difference,
    plot_directions,
    plot_heads,
    plot_stream,
)
from .steps import Step, Steps
from .tracing import Candidates, Trace, trace

__all__ = [
    "Candidates",
    "Decoding",
    "Step",
    "Steps",
    "Trace",
    "adam",
    "attention",
    "decoding",
    "dropout",
    "feed_forward",
    "layer_norm",
    "masks",
    "multi_head_attention",
    "plot_attention",
    "plot_candidates",
    "plot_decoding",
    "plot_difference",
    "plot_directions",
    "plot_heads",
    "plot_stream",
    "residual",
    "residual_paths",
    "self_attention",
    "trace",
]
