"""The Trainer of transformers: as in its text-classification example, or (`--best`) with the fastest settings.

The example pads to max_length in the tokenizer and computes in fp32. The best: padding to the longest of a batch,
batches grouped by length, bf16 where the hardware has it.
"""

from __future__ import annotations

from typing import Any

import torch
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    default_data_collator,
)

from benchmarks.peers.clock import Clock, trainer_parser, write
from ratsnlp_like.runtime.hardware import computes_bf16


def accuracy(predictions: Any) -> dict[str, float]:
    """Return the metrics for `compute_metrics`."""
    return {"accuracy": float((predictions.predictions.argmax(-1) == predictions.label_ids).mean())}


def main() -> None:
    """Read, tokenize, train, evaluate, save."""
    parser = trainer_parser(__doc__)
    parser.add_argument("--best", action="store_true")
    parser.add_argument("--attention", default=None, help="such as eager; the default of transformers else")
    arguments = parser.parse_args()
    clock = Clock().install()

    files = {"train": arguments.train, "test": arguments.test}
    rows = load_dataset("csv", data_files=files, delimiter="\t", quoting=3, keep_default_na=False)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        arguments.model, num_labels=2, attn_implementation=arguments.attention
    )

    def tokenize(batch: dict[str, list[Any]]) -> Any:
        padding = False if arguments.best else "max_length"
        return tokenizer(batch["text"], padding=padding, max_length=128, truncation=True)

    rows = rows.map(tokenize, batched=True)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=arguments.output,
            num_train_epochs=1,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=64,
            learning_rate=arguments.learning_rate,
            weight_decay=0.01,
            warmup_steps=0.1,
            seed=arguments.seed,
            bf16=arguments.best and computes_bf16("cuda" if torch.cuda.is_available() else "cpu"),
            use_cpu=not torch.cuda.is_available(),  # it refuses bf16 on a CPU without
            train_sampling_strategy="group_by_length" if arguments.best else "random",
            report_to="none",
        ),
        train_dataset=rows["train"],
        eval_dataset=rows["test"],
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer) if arguments.best else default_data_collator,
        compute_metrics=accuracy,
    )
    trainer.train()
    trainer.save_model()
    metrics = trainer.evaluate()
    write(arguments.result, clock.figures(len(rows["train"])) | {"accuracy": metrics["eval_accuracy"]})


if __name__ == "__main__":
    main()
