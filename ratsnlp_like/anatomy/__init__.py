"""The inside of a Transformer: building blocks step by step, traces of real models, and plots of both.

Example:
    >>> from ratsnlp_like import anatomy
    >>> anatomy.layer_norm([1, 2, 3])  # displays every step
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
from .fonts import font_families
from .plots import (
    plot_attention,
    plot_candidates,
    plot_decoding,
    plot_difference,
    plot_directions,
    plot_heads,
    plot_stream,
)
from .records import Candidates, Trace
from .steps import Step, Steps
from .tracing import trace

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
    "font_families",
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
