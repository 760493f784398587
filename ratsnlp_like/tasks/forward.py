"""Tasks with one forward pass of a standard head, from which both the loss and the raw outputs are computed."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from ..errors import with_article
from ..runtime.types import Array, ModelLike, Tensor
from .abilities import SupportsExport, SupportsMatches, SupportsOracle
from .base import B, BatchOutput, E, F, P, Raw, Task
from .batches import model_inputs, to_array

log = logging.getLogger("ratsnlp_like")


def report_causal(config: Any) -> None:
    """Log that a causal model reads a token without the text after it."""
    from ..checkpoints.architectures import architecture_of

    if architecture_of(config).causal:
        log.info(
            "%s reads a text from left to right: each token is judged without what follows it; an encoder (BERT, "
            "RoBERTa, ELECTRA) sees both sides.", with_article(config.model_type),
        )  # fmt: skip


@dataclass(frozen=True)
class ForwardTask(SupportsExport[P], Task[E, P, F, B], Generic[E, P, F, B]):
    """A task that states `compute_loss` and, where raw outputs are not rows of logits, `raw`; the rest follows.

    Attributes:
        targets: names of the tensors of a batch that only the loss is computed from, and that the model does not take.
    """

    targets: ClassVar[frozenset[str]] = frozenset({"labels"})

    @abstractmethod
    def compute_loss(self, outputs: Any, batch: B) -> Tensor:
        """Return the mean loss from the model's outputs for a labelled batch. Shape: ()."""

    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[Raw]:
        """Return the raw output of each window; by default its row of the first of `outputs`."""
        return list(outputs[self.output_names()[0]])

    def loss(self, model: ModelLike, batch: B) -> Tensor:
        return self.compute_loss(self._forward(model, batch), batch)

    def evaluate_batch(self, model: ModelLike, batch: B) -> BatchOutput:
        outputs = self._forward(model, batch)
        return BatchOutput(self._raw(outputs, batch), self.compute_loss(outputs, batch), self.num_targets(batch))

    def predict_batch(self, model: ModelLike, batch: Any) -> list[Raw]:
        return self._raw(self._forward(model, batch), batch)

    def _forward(self, model: ModelLike, batch: Mapping[str, Any]) -> Any:
        return model(**model_inputs(batch, self.targets))

    def _raw(self, outputs: Any, batch: Mapping[str, Any]) -> list[Raw]:
        return self.raw({name: to_array(getattr(outputs, name)) for name in self.output_names()}, batch)


def can_be_wrong(task: object) -> bool:
    """Return True for a task with gold labels that a prediction equals or not; a text that is continued has none."""
    return isinstance(task, SupportsMatches) or (isinstance(task, SupportsOracle) and isinstance(task, ForwardTask))
