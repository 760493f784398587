"""The one LightningModule of the package, and what any other that learns shares with it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from ..arguments import TrainingArguments
from ..data.batches import ON_HOST, Loader
from ..data.decoding import decode_split
from ..errors import TrainingError
from ..metrics.bootstrap import confidence_intervals
from ..modeling import unpadded
from ..modeling.layers import depths
from ..tasks.abilities import SupportsTuning
from ..tasks.base import AnyTask, Raw

log = logging.getLogger("ratsnlp_like")

_EXPLODED = 10
"""A loss so many times that of the first steps will not come down again."""
_FIRST = 10
"""Steps whose mean loss is taken as the loss at the start."""
_LOOK_EVERY = 16
"""Steps between looks at the loss on a GPU: each look waits for it."""


class OptimizedModule(pl.LightningModule):
    """How a model learns, under any Lightning trainer: the optimiser, its schedule, clipping.

    A subclass brings the steps. The model is the attribute `model`, so that its weights are `model.*` in a checkpoint.

    Args:
        model: of transformers, or any other.
        arguments: of the optimiser and its schedule.
    """

    def __init__(self, model: Any, arguments: TrainingArguments | None = None) -> None:
        super().__init__()
        self.arguments = arguments or TrainingArguments()
        self.model = model.train()

    def configure_optimizers(self) -> Any:
        """AdamW without decay on biases and norms (no matrices), and a schedule that steps with the optimiser."""
        from transformers import get_scheduler

        arguments = self.arguments
        optimizer = torch.optim.AdamW(self._groups(), lr=arguments.learning_rate, fused=self._can_fuse())
        steps = int(self.trainer.estimated_stepping_batches)
        warmup = round(arguments.warmup * steps) if arguments.warmup < 1 else int(arguments.warmup)
        if warmup > steps:
            log.warning("the warm-up of %d steps is longer than the %d steps of this run", warmup, steps)
        name = "constant_with_warmup" if arguments.schedule == "constant" else arguments.schedule
        scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices and the rest, of each layer where layers learn at rates of their own."""
        arguments = self.arguments
        depth = depths(self.model) if arguments.layer_decay != 1 else {}
        top = max(depth.values(), default=0)
        groups: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((depth.get(name, top), parameter.ndim >= 2), []).append(parameter)
        return [
            {
                "params": parameters,
                "lr": arguments.learning_rate * arguments.layer_decay ** (top - level),
                "weight_decay": arguments.weight_decay if is_matrix else 0.0,
            }
            for (level, is_matrix), parameters in sorted(groups.items(), key=lambda item: (-item[0][0], not item[0][1]))
        ]

    def _can_fuse(self) -> bool:
        """Not under fp16 (a fused step unscales gradients itself, after clipping), nor where parameters are sharded."""
        strategy = type(self.trainer.strategy).__name__
        plain = strategy in {"SingleDeviceStrategy", "DDPStrategy"} and self.device.type in {"cpu", "cuda"}
        return plain and self.trainer.precision != "16-mixed"

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Lightning refuses to clip for any fused optimiser, though only fp16 would need it to."""
        if gradient_clip_val and self._can_fuse():
            torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)


class TaskModule(OptimizedModule):
    """A task and its model under any Lightning trainer.

    The model is the attribute `model`. Loaders must give `index`, the numbers of the windows, as `data.Loader` does;
    with the `data.ON_HOST`, a forward without padding need not ask a GPU for them.

    Args:
        task: as the data module has filled it in.
        model: with the head that the task names.
        labels: in the model's order.
        arguments: of the optimiser and its schedule.
    """

    def __init__(
        self, task: AnyTask, model: Any, labels: Sequence[str], arguments: TrainingArguments | None = None
    ) -> None:
        super().__init__(model, arguments)
        self.task, self.labels = task, list(labels)
        self.results: dict[str, Any] = {}
        """The metrics of the last evaluation, tables included."""
        self.predictions: list[Any] = []
        """Of the last evaluation, one for each of `examples`."""
        self.examples: list[Any] = []
        self._raw: dict[int, Raw] = {}
        self._losses: dict[int, tuple[float, float]] = {}
        self._unseen: list[tuple[int, np.ndarray, torch.Tensor]] = []
        self._first: list[float] = []

    def _inputs(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """What of a batch the task takes."""
        wanted = self.device.type == "cuda" and unpadded.installed(self.model)
        return {name: value for name, value in batch.items() if name != "index" and (wanted or name not in ON_HOST)}

    # Training

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> torch.Tensor:
        """The loss of a batch. Shape: ()."""
        index = batch["index"]
        loss = self.task.loss(self.model, self._inputs(batch))
        self._unseen.append((self.global_step, index, loss.detach()))
        if loss.device.type == "cpu" or len(self._unseen) == _LOOK_EVERY:
            self._look_at_losses()
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(index))
        return loss

    def _look_at_losses(self) -> None:
        """Stop where the loss is not finite or has exploded, and say at which rows."""
        seen, self._unseen = self._unseen, []
        for (step, index, _), loss in zip(seen, torch.stack([entry[2] for entry in seen]).tolist(), strict=True):
            if len(self._first) < _FIRST and math.isfinite(loss):
                self._first.append(loss)
            usual = float(np.mean(self._first)) if self._first else math.nan
            exploded = len(self._first) == _FIRST and loss > max(_EXPLODED * usual, 1)
            if math.isfinite(loss) and not exploded:
                continue
            raise TrainingError(
                f"the loss is {loss:.4g} at step {step} (it was {usual:.4g} in the first steps)\n"
                f"  batch: {self._describe(index)}\n"
                f"  fix: lower --learning_rate (now {self.arguments.learning_rate}), --precision 32, look at the rows"
            )

    def _describe(self, index: np.ndarray) -> str:
        loader = self.trainer.train_dataloader
        if not isinstance(loader, Loader):
            return f"windows {index.tolist()}"
        rows = dict.fromkeys(int(row) for row in loader.split.example_rows[index])
        places = [str(loader.split.read.example(row).place or f"row {row + 1}") for row in list(rows)[:8]]
        return "; ".join(places) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")

    # Evaluation

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Keep what the model says of each window."""
        index = batch["index"]
        output = self.task.evaluate_batch(self.model, self._inputs(batch))
        self._raw.update(zip(index.tolist(), output.raw, strict=True))
        # by the first window: what a process repeats to keep step with the others counts once
        self._losses[int(index[0])] = float(output.loss), output.targets

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Score all examples, those of other processes too."""
        if self.trainer.sanity_checking:
            self._raw.clear()
            self._losses.clear()
            return
        self._finish(self.trainer.val_dataloaders, "validation")

    def on_test_epoch_end(self) -> None:
        """As `on_validation_epoch_end`."""
        self._finish(self.trainer.test_dataloaders, "test")

    def _finish(self, loader: Any, name: str) -> None:
        raw, losses = self._gather()
        predictions, examples = decode_split(self.task, loader.split, raw, self.labels, loader.tokenizer)
        if name == "validation" and (tuned := self._tuned(predictions, examples)) != self.task:
            self.task = tuned
            predictions, examples = decode_split(self.task, loader.split, raw, self.labels, loader.tokenizer)
        self.predictions, self.examples = predictions, examples
        self.results = self.task.score(predictions, examples, self.labels)
        if losses:
            total = sum(targets for _, targets in losses.values())
            self.results["loss"] = sum(loss * targets for loss, targets in losses.values()) / (total or 1)
        best = self.task.best_metric
        for metric, value in self.results.items():
            if isinstance(value, (int, float)):
                self.log(f"{name}/{metric}", float(value), prog_bar=metric == best)
        if name == "test":
            self.add_intervals()

    def add_intervals(self) -> None:
        """Add the confidence intervals of the last evaluation to `results`; see `metrics.bootstrap`."""
        if self.predictions and "intervals" not in self.results:
            self.results |= confidence_intervals(self.task, self.results, self.predictions, self.examples, self.labels)

    def _tuned(self, predictions: Sequence[Any], examples: Sequence[Any]) -> AnyTask:
        """Return the task with the fields that are chosen on the validation set."""
        return self.task.tuned(predictions, examples) if isinstance(self.task, SupportsTuning) else self.task

    def _gather(self) -> tuple[dict[int, Raw], dict[int, tuple[float, float]]]:
        raw, losses = self._raw, self._losses
        self._raw, self._losses = {}, {}
        if self.trainer.world_size > 1:
            parts: list[Any] = [None] * self.trainer.world_size
            torch.distributed.all_gather_object(parts, (raw, losses))
            raw = {index: value for part, _ in parts for index, value in part.items()}
            losses = {index: entry for _, part in parts for index, entry in part.items()}
        return raw, losses
