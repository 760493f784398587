"""Lightning modules with the book's log names, on the optimizer and the metrics of `ratsnlp_like`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch.utils.data import SequentialSampler

from ..data.decoding import decode_split
from ..errors import InputError
from ..training.model import check_length
from ..training.module import OptimizedModule
from .arguments import training_arguments
from .dataset import BookDataset

log = logging.getLogger("ratsnlp")


class BookTask(OptimizedModule):
    """Training of a model on batches of `nlpbook.data_collator`.

    Logs `loss`, `acc`, `val_loss` and `val_acc` (for tasks with an accuracy). If the features were encoded by
    `ratsnlp_like`, its metrics are logged as `val_...`: `val_macro_f1`, `val_entity_f1`, `val_korquad_em`.

    Args:
        model: transformers model with the head of the task.
        args: training arguments.
    """

    def __init__(self, model: Any, args: Any) -> None:
        super().__init__(model, training_arguments(args))
        self.args = args
        self._outputs: list[Any] = []

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """Return the accuracy of a batch; None for a task without one."""
        return None

    def raw_outputs(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        """Return the outputs of each window that the task decodes; none for a task that is not scored."""
        return []

    def on_fit_start(self) -> None:
        """Check the model against the data and set its label names."""
        config = getattr(self.model, "config", None)
        if config is None:
            return
        check_length(self.args.max_seq_length, config, self.args.pretrained_model_name)
        dataset = self.train_dataset()
        if dataset is None or dataset.split is None:
            return
        task, wanted = dataset.split.task, config.num_labels
        if dataset.with_labels and (known := len(task.classes(dataset.core_labels()))) != wanted:
            raise InputError(
                f"the model has {wanted} outputs, the corpus {known} labels",
                fix="BertConfig.from_pretrained(args.pretrained_model_name, num_labels=corpus.num_labels)",
            )
        task.configure(config, dataset.core_labels())

    def train_dataset(self) -> BookDataset | None:
        """Return the training dataset if it is a `BookDataset`."""
        self.trainer.fit_loop.setup_data()
        found = getattr(self.trainer.train_dataloader, "dataset", None)
        return found if isinstance(found, BookDataset) else None

    def training_step(self, inputs: dict[str, Any], batch_idx: int) -> Any:
        """Return the loss of a batch. Shape: ()."""
        outputs = self.model(**inputs)
        self._log(outputs, inputs, "")
        return outputs.loss

    def validation_step(self, inputs: dict[str, Any], batch_idx: int) -> Any:
        """Return the loss of a batch. Shape: ()."""
        outputs = self.model(**inputs)
        self._log(outputs, inputs, "val_")
        self._outputs += self.raw_outputs(outputs, inputs)
        return outputs.loss

    def _log(self, outputs: Any, inputs: Mapping[str, Any], prefix: str) -> None:
        """Log training values at each step and the mean of validation values."""
        values = {"loss": outputs.loss.detach(), "acc": self.accuracy(outputs, inputs)}
        shown, each, size = "val_" if prefix else "acc", not prefix, len(inputs["input_ids"])
        for name, value in values.items():
            if value is not None:
                bar = (prefix + name).startswith(shown)
                self.log(prefix + name, value, prog_bar=bar, on_step=each, on_epoch=not each, batch_size=size)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the task if all windows were seen in order."""
        outputs, self._outputs = self._outputs, []
        loader = self.trainer.val_dataloaders
        dataset = getattr(loader, "dataset", None)
        in_order = isinstance(getattr(loader, "sampler", None), SequentialSampler) and self.trainer.world_size == 1
        if not isinstance(dataset, BookDataset) or dataset.split is None or not in_order:
            return
        split = dataset.split
        if len(outputs) != len(split):  # a limited validation, or a task without raw outputs
            return
        labels = dataset.core_labels()
        predictions, examples = decode_split(split.task, split, dict(enumerate(outputs)), labels, dataset.tokenizer)
        for name, value in split.task.score(predictions, examples, labels).items():
            if isinstance(value, (int, float)):
                self.log(f"val_{name}", float(value), prog_bar=name == split.task.best_metric)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the configuration with the label names in the checkpoint."""
        if (config := getattr(self.model, "config", None)) is not None:
            checkpoint["config"] = config.to_diff_dict()
        checkpoint["pretrained_model_name"] = self.args.pretrained_model_name


def unpadded_rows(values: Any, inputs: Mapping[str, Any]) -> list[Any]:
    """Return the rows of a batch without padding, on the CPU."""
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    return [row[:length] for row, length in zip(values.float().cpu().numpy(), lengths, strict=True)]
