"""The Lightning modules of the book: its names in the log, the learner and the metrics of the core behind them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch.utils.data import SequentialSampler

from ..data.decoding import decode_split
from ..errors import InputError
from ..training.finetune import check_length
from ..training.module import OptimizedModule
from .arguments import training_arguments
from .dataset import BookDataset

log = logging.getLogger("ratsnlp")


class BookTask(OptimizedModule):
    """A model that learns from `nlpbook.data_collator`'s batches.

    Logs `loss`, `acc`, `val_loss`, `val_acc` (where there is an accuracy), and the metrics of the core as `val_...`
    where it has made the features itself: `val_macro_f1`, `val_entity_f1`, `val_korquad_em`.

    Args:
        model: of transformers, with the head of the task.
        args: training arguments.
    """

    def __init__(self, model: Any, args: Any) -> None:
        super().__init__(model, training_arguments(args))
        self.args = args
        self._said: list[Any] = []

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """The share of right labels in a batch; None where a task has none."""
        return None

    def raw(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        """What the core decodes, of each window; nothing where it is not measured."""
        return []

    def on_fit_start(self) -> None:
        """Check the model against the data, and give its outputs their names."""
        config = getattr(self.model, "config", None)
        if config is None:
            return
        check_length(self.args.max_seq_length, config, self.args.pretrained_model_name)
        dataset = self.dataset()
        if dataset is None or dataset.split is None:
            return
        task, wanted = dataset.split.task, config.num_labels
        if dataset.with_labels and (known := len(task.classes(dataset.names()))) != wanted:
            raise InputError(
                f"the model has {wanted} outputs, the corpus {known} labels",
                fix="BertConfig.from_pretrained(args.pretrained_model_name, num_labels=corpus.num_labels)",
            )
        task.configure(config, dataset.names())

    def dataset(self) -> BookDataset | None:
        """What is learnt from, where it is a dataset of this package."""
        self.trainer.fit_loop.setup_data()
        found = getattr(self.trainer.train_dataloader, "dataset", None)
        return found if isinstance(found, BookDataset) else None

    def training_step(self, inputs: dict[str, Any], batch_idx: int) -> Any:
        """The loss of a batch. Shape: ()."""
        outputs = self.model(**inputs)
        self._log(outputs, inputs, "")
        return outputs.loss

    def validation_step(self, inputs: dict[str, Any], batch_idx: int) -> Any:
        """The loss of a batch. Shape: ()."""
        outputs = self.model(**inputs)
        self._log(outputs, inputs, "val_")
        self._said += self.raw(outputs, inputs)
        return outputs.loss

    def _log(self, outputs: Any, inputs: Mapping[str, Any], prefix: str) -> None:
        """Of a training step at once, of validation the mean."""
        values = {"loss": outputs.loss.detach(), "acc": self.accuracy(outputs, inputs)}
        shown, each, size = "val_" if prefix else "acc", not prefix, len(inputs["input_ids"])
        for name, value in values.items():
            if value is not None:
                bar = (prefix + name).startswith(shown)
                self.log(prefix + name, value, prog_bar=bar, on_step=each, on_epoch=not each, batch_size=size)

    def on_validation_epoch_end(self) -> None:
        """The metrics of the task, where all windows were seen in their order."""
        said, self._said = self._said, []
        loader = self.trainer.val_dataloaders
        dataset = getattr(loader, "dataset", None)
        in_order = isinstance(getattr(loader, "sampler", None), SequentialSampler) and self.trainer.world_size == 1
        if not isinstance(dataset, BookDataset) or dataset.split is None or not in_order:
            return
        split = dataset.split
        if len(said) != len(split):  # a part of them, or a task that says nothing
            return
        labels = dataset.names()
        predictions, examples = decode_split(split.task, split, dict(enumerate(said)), labels, dataset.tokenizer)
        for name, value in split.task.score(predictions, examples, labels).items():
            if isinstance(value, (int, float)):
                self.log(f"val_{name}", float(value), prog_bar=name == split.task.best_metric)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The configuration too, with the names of the labels: a checkpoint says itself what it is of."""
        if (config := getattr(self.model, "config", None)) is not None:
            checkpoint["config"] = config.to_diff_dict()
        checkpoint["pretrained_model_name"] = self.args.pretrained_model_name


def rows(values: Any, inputs: Mapping[str, Any]) -> list[Any]:
    """Each row of a batch without its padding, on the CPU."""
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    return [row[:length] for row, length in zip(values.float().cpu().numpy(), lengths, strict=True)]
