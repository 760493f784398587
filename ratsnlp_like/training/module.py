"""TaskModule: a task and its model as a LightningModule, on an optimizer that other modules share."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from ..arguments import TrainingArguments
from ..data.batches import Loader
from ..data.decoding import decode_split
from ..data.encoding import EncodedSplit
from ..errors import InputError, TrainingError, did_you_mean
from ..metrics.base import Metric
from ..metrics.bootstrap import confidence_intervals
from ..modeling.layers import depths
from ..tasks.abilities import SupportsOracle, SupportsTuning
from ..tasks.base import AnyTask, Raw
from .rates import learning_rate, schedule_factor
from .scoring import mean_loss, metrics_by_name, score, task_inputs

log = logging.getLogger("ratsnlp_like")

_EXPLOSION_FACTOR = 10
"""A loss this many times that of the first steps counts as exploded."""
_FIRST_STEPS = 10
"""Steps whose mean loss is the loss of the start."""
_CHECK_EVERY = 16
"""Steps between checks of the loss on a GPU, since each check waits for it."""


class OptimizedModule(pl.LightningModule):
    """Base of modules: the optimizer, its schedule and clipping, under any Lightning trainer.

    A subclass adds the steps. The model is the attribute `model`, so that its weights are `model.*` in a checkpoint.

    Args:
        model: the model to train.
        arguments: arguments of the optimizer and its schedule.
    """

    def __init__(self, model: Any, arguments: TrainingArguments | None = None) -> None:
        super().__init__()
        self.arguments = arguments or TrainingArguments()
        self.model = model.train()
        self.learning_rate = learning_rate(self.arguments, model)

    def configure_optimizers(self) -> Any:
        """Return AdamW, without weight decay for biases and norms, and a schedule that steps with it."""
        arguments = self.arguments
        optimizer = torch.optim.AdamW(self._groups(), lr=self.learning_rate, fused=self._can_fuse())
        steps = int(self.trainer.estimated_stepping_batches)
        warmup = round(arguments.warmup * steps) if arguments.warmup < 1 else int(arguments.warmup)
        if warmup > steps:
            log.warning("the warm-up of %d steps is longer than the %d steps of this run", warmup, steps)
        factor = partial(schedule_factor, schedule=arguments.schedule, warmup=warmup, steps=steps)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _groups(self) -> list[dict[str, Any]]:
        """Return groups of matrices and of other parameters, per layer if learning rates differ by layer."""
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
                "lr": self.learning_rate * arguments.layer_decay ** (top - level),
                "weight_decay": arguments.weight_decay if is_matrix else 0.0,
            }
            for (level, is_matrix), parameters in sorted(groups.items(), key=lambda item: (-item[0][0], not item[0][1]))
        ]

    def _can_fuse(self) -> bool:
        """Return False for fp16 (a fused step unscales gradients after clipping) and for sharded parameters."""
        strategy = type(self.trainer.strategy).__name__
        plain = strategy in {"SingleDeviceStrategy", "DDPStrategy"} and self.device.type in {"cpu", "cuda"}
        return plain and self.trainer.precision != "16-mixed"

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of the gradients; Lightning refuses this for every fused optimizer, for the sake of fp16."""
        if gradient_clip_val and self._can_fuse():
            torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)


class TaskModule(OptimizedModule):
    """A task and its model under any Lightning trainer.

    Batches must have the entry `index`, the indices of their windows, as those of `data.batches.Loader` do; with the
    entries `ON_HOST`, a forward without padding does not wait for a GPU.

    Args:
        task: task with the fields that depend on the data, as `TaskDataModule.task` is after `setup`.
        model: model with the head of the task.
        labels: labels in the order of the outputs.
        arguments: arguments of the optimizer, its schedule, and the metric that chooses the best model.
        metrics: functions or names of registered metrics, reported next to those of the task.
    """

    def __init__(
        self,
        task: AnyTask,
        model: Any,
        labels: Sequence[str],
        arguments: TrainingArguments | None = None,
        *,
        metrics: Iterable[str | Metric] = (),
    ) -> None:
        super().__init__(model, arguments)
        self.task, self.labels, self.metrics = task, list(labels), metrics_by_name(metrics)
        self.monitor, self.maximize = monitored(task, self.arguments)
        self.results: dict[str, Any] = {}
        """Metrics of the last evaluation, tables included."""
        self.predictions: list[Any] = []
        """Predictions of the last evaluation, one for each of `examples`."""
        self.examples: list[Any] = []
        self._unit: float | None = None
        self._step_follows = False
        self._step_targets, self._step_loss = 0.0, torch.zeros(())
        self._raw: dict[int, Raw] = {}
        self._losses: dict[int, tuple[float, float]] = {}
        self._unchecked: list[tuple[int, np.ndarray, torch.Tensor]] = []
        self._first_losses: list[float] = []

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> torch.Tensor:
        """Return the mean loss of a batch, weighted by its targets if several batches make a step. Shape: ()."""
        index = batch["index"]
        loss = self.task.loss(self.model, task_inputs(batch, self.model))
        self._unchecked.append((self.global_step, index, loss.detach()))
        if loss.device.type == "cpu" or len(self._unchecked) == _CHECK_EVERY:
            self._check_losses()
        if not self._shares_steps():
            self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(index))
            return loss
        targets = 0.0 if batch.get("repeated") else float(self.task.num_targets(task_inputs(batch, self.model)))
        if self._unit is None:
            self._unit = self._choose_unit(targets)
        self._step_follows = (batch_idx + 1) % self.trainer.accumulate_grad_batches == 0 or self.trainer.is_last_batch
        self._step_targets += targets
        self._step_loss = self._step_loss + loss.detach() * targets
        return loss * (targets / self._unit)

    def _shares_steps(self) -> bool:
        """Return True if several batches or processes contribute to a step (DeepSpeed keeps gradients to itself)."""
        several = self.trainer.accumulate_grad_batches > 1 or self.trainer.world_size > 1
        return several and "DeepSpeed" not in type(self.trainer.strategy).__name__

    def _choose_unit(self, targets: float) -> float:
        """Return a power of two near the targets of a batch, by which sums of losses are divided without rounding."""
        number = torch.tensor(targets, device=self.device)
        if self.trainer.world_size > 1:
            number = self.trainer.strategy.reduce(number, reduce_op="max")
        return 2.0 ** round(math.log2(max(1.0, float(number))))

    def on_after_backward(self) -> None:
        """Before a step, turn the sum over all of its batches and processes into the mean over their targets."""
        if self._unit is None or not self._step_follows:
            return
        sums = torch.stack([torch.as_tensor(self._step_targets, device=self.device), self._step_loss.to(self.device)])
        world = self.trainer.world_size
        if world > 1:
            sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        targets, loss = sums[0].clamp(min=1e-12), sums[1]
        factor = self.trainer.accumulate_grad_batches * world * self._unit / targets  # Lightning took the mean of these
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
        self.log("train_loss", loss / targets, prog_bar=True)
        self._step_targets, self._step_loss = 0.0, torch.zeros(())

    def _check_losses(self) -> None:
        """Raise TrainingError with the rows of the batch if a loss is not finite or has exploded."""
        unchecked, self._unchecked = self._unchecked, []
        for (step, index, _), loss in zip(
            unchecked, torch.stack([entry[2] for entry in unchecked]).tolist(), strict=True
        ):
            if len(self._first_losses) < _FIRST_STEPS and math.isfinite(loss):
                self._first_losses.append(loss)
            usual = float(np.mean(self._first_losses)) if self._first_losses else math.nan
            exploded = len(self._first_losses) == _FIRST_STEPS and loss > max(_EXPLOSION_FACTOR * usual, 1)
            if math.isfinite(loss) and not exploded:
                continue
            raise TrainingError(
                f"the loss is {loss:.4g} at step {step} (it was {usual:.4g} in the first steps)\n"
                f"  batch: {self._describe(index)}\n"
                f"  fix: lower --learning_rate (now {self.learning_rate}), use --precision 32, "
                "or correct the rows"
            )

    def check_monitor(self, split: EncodedSplit | None) -> None:
        """Check before training that the monitored metric is reported, by scoring a few gold labels.

        Raises:
            InputError: it is not among the metrics.
        """
        if self.arguments.monitor is None or split is None or not isinstance(self.task, SupportsOracle):
            return
        examples = list(islice(split.examples(), 16))
        gold = [self.task.gold_prediction(example) for example in examples]
        found = score(self.task, gold, examples, self.labels, self.metrics)
        known = {"loss", *(name for name, value in found.items() if isinstance(value, (int, float)))}
        if self.monitor not in known:
            raise InputError(
                f"unknown metric {self.monitor!r}", place="--monitor", fix=did_you_mean(self.monitor, known)
            )

    def _describe(self, index: np.ndarray) -> str:
        loader = self.trainer.train_dataloader
        if not isinstance(loader, Loader):
            return f"windows {index.tolist()}"
        rows = dict.fromkeys(int(row) for row in loader.split.example_rows[index])
        places = [str(loader.split.read.example(row).place or f"row {row + 1}") for row in list(rows)[:8]]
        return "; ".join(places) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Predict the windows of a batch, and keep the output until the end of the epoch."""
        index = batch["index"]
        output = self.task.evaluate_batch(self.model, task_inputs(batch, self.model))
        self._raw.update(zip(index.tolist(), output.raw, strict=True))
        # keyed by the first window, so that a batch repeated for the sake of other processes counts once
        self._losses[int(index[0])] = float(output.loss), output.targets

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Score all examples, including those of other processes."""
        if self.trainer.sanity_checking:
            self._raw.clear()
            self._losses.clear()
            return
        self._finish(self.trainer.val_dataloaders, "validation")

    def on_test_epoch_end(self) -> None:
        """Score all examples, including those of other processes."""
        self._finish(self.trainer.test_dataloaders, "test")

    def _finish(self, loader: Any, name: str) -> None:
        raw, losses = self._gather()
        predictions, examples = decode_split(self.task, loader.split, raw, self.labels, loader.tokenizer)
        if name == "validation" and (tuned := self._tuned(predictions, examples)) != self.task:
            self.task = tuned
            predictions, examples = decode_split(self.task, loader.split, raw, self.labels, loader.tokenizer)
        self.predictions, self.examples = predictions, examples
        self.results = score(self.task, predictions, examples, self.labels, self.metrics)
        if losses:
            self.results["loss"] = mean_loss(losses)
        for metric, value in self.results.items():
            if isinstance(value, (int, float)):
                self.log(f"{name}/{metric}", float(value), prog_bar=metric == self.monitor)
        if name == "test":
            self.add_intervals()

    def add_intervals(self) -> None:
        """Add the confidence intervals of the last evaluation to `results`; see `metrics.bootstrap`."""
        if self.predictions and "intervals" not in self.results:
            self.results |= confidence_intervals(
                self.task,
                {name: value for name, value in self.results.items() if name != "loss"},  # no task scores it
                self.predictions,
                self.examples,
                self.labels,
                rescore=lambda own, gold: score(self.task, own, gold, self.labels, self.metrics),
            )

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


def monitored(task: AnyTask, arguments: TrainingArguments) -> tuple[str, bool]:
    """Return the metric that chooses the best model, and True if higher values are better.

    The direction of another metric than that of the task follows from its name unless `monitor_mode` states it: losses,
    errors and perplexities are minimized.
    """
    name = arguments.monitor or task.best_metric
    if arguments.monitor_mode != "auto":
        return name, arguments.monitor_mode == "max"
    if name == task.best_metric:
        return name, task.maximize
    return name, not any(word in name for word in ("loss", "error", "perplexity"))
