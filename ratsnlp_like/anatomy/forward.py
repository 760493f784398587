"""A forward pass with hooks that record attention, the residual stream and the sub-layers' outputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from ..checkpoints.architectures import architecture_of
from .module_paths import ModulePaths
from .records import Norm

Hook = Callable[..., None]


@contextmanager
def evaluation_mode(model: Any) -> Iterator[None]:
    """Switch off dropout and return attention weights; restore the model's own settings afterwards."""
    training = [(module, module.training) for module in model.modules()]
    implementation = model.config._attn_implementation
    model.eval()
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(implementation)
        for module, flag in training:
            module.training = flag


def record(model: Any, paths: ModulePaths, encoded: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return attentions, states, mid_states and updates of one encoded text, as `Trace` names them."""
    body, caught = model.base_model, defaultdict[str, list[Tensor]](list)
    blocks = list(attrgetter(architecture_of(model.config).layers)(body))
    with ExitStack() as hooks:
        for block in blocks:
            for name in ("attention", "feed_forward"):
                part = attrgetter(getattr(paths, name))(block)
                hooks.callback(part.register_forward_hook(_append_output(caught[name])).remove)
            between = attrgetter(paths.between)(block)
            hooks.callback(between.register_forward_pre_hook(_append_input(caught["between"])).remove)
        # the last of hidden_states has passed GPT-2's final norm
        hooks.callback(blocks[-1].register_forward_hook(_append_output(caught["last"])).remove)
        inputs = {key: value.to(model.device) for key, value in encoded.items()}
        output = body(**inputs, output_attentions=True, output_hidden_states=True, return_dict=True)
    states = [state[0] for state in output.hidden_states[:-1]]
    return {
        "attentions": torch.stack([attention[0] for attention in output.attentions]),
        "states": torch.stack([*states, *caught["last"]]),
        "mid_states": torch.stack(caught["between"]),
        "updates": torch.stack([torch.stack(caught["attention"]), torch.stack(caught["feed_forward"])], dim=1),
    }


def _append_output(into: list[Tensor]) -> Hook:
    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        into.append((output[0] if isinstance(output, tuple) else output)[0])

    return hook


def _append_input(into: list[Tensor]) -> Hook:
    def hook(_module: Any, inputs: Any) -> None:
        into.append(inputs[0][0])

    return hook


def copy_norms(model: Any, paths: ModulePaths) -> tuple[tuple[Norm, Norm], ...]:
    """Return copies of the norms after each layer's two residual connections."""

    def copy(block: Any, path: str) -> Norm:
        norm = attrgetter(path)(block)
        return Norm(norm.weight.detach().float().cpu().clone(), norm.bias.detach().float().cpu().clone(), norm.eps)

    if not paths.norms:
        return ()
    first, second = paths.norms
    layers = attrgetter(architecture_of(model.config).layers)(model.base_model)
    return tuple((copy(layer, first), copy(layer, second)) for layer in layers)


def read_states(
    head: Callable[[Any], Any] | None, states: Tensor, candidates: int
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the logits of the last state, and ids and probabilities of each state's most probable words."""
    if head is None:
        return None, None, None
    ids, probabilities = [], []
    for state in states:  # one layer at a time: the logits of all layers of a long text would not fit into memory
        logits = head(state).float()
        top = logits.softmax(-1).topk(min(candidates, logits.shape[-1]))
        ids.append(top.indices.cpu())
        probabilities.append(top.values.cpu())
    return logits.cpu(), torch.stack(ids), torch.stack(probabilities)
