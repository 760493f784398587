"""ratsnlp, as in its notebook on document classification: everything padded to 128 tokens, fp32.

It wants versions of its time; with torch 2.13 it ran on transformers 4.28.1 and pytorch-lightning 1.6.5.
"""

from __future__ import annotations

from pathlib import Path

from ratsnlp import nlpbook
from ratsnlp.nlpbook.classification import (
    ClassificationDataset,
    ClassificationTask,
    ClassificationTrainArguments,
    NsmcCorpus,
)
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from benchmarks.peers.clock import Clock, trainer_parser, write
from benchmarks.peers.rows import read


def write_nsmc(source: str, target: Path) -> None:
    """Write the rows of a file in the layout of NSMC."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{i}\t{text}\t{label}" for i, (text, label) in enumerate(zip(*read(source), strict=True))]
    target.write_text("\n".join(["id\tdocument\tlabel", *lines]) + "\n", encoding="utf-8")


def vocabulary(model: str, folder: Path) -> Path:
    """Write the vocabulary file that its tokenizers read."""
    from tokenizers import Tokenizer

    ids = Tokenizer.from_file(f"{model}/tokenizer.json").get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(ids, key=ids.__getitem__)) + "\n", encoding="utf-8")
    return folder / "vocab.txt"


def main() -> None:
    """Read, train and evaluate; ratsnlp saves."""
    options = trainer_parser(__doc__).parse_args()
    folder = Path(options.output)
    for split in ("train", "test"):
        write_nsmc(getattr(options, split), folder / "nsmc" / f"ratings_{split}.txt")
    args = ClassificationTrainArguments(
        pretrained_model_name=options.model,
        downstream_corpus_name="nsmc",
        downstream_corpus_root_dir=str(folder),
        downstream_model_dir=str(folder / "checkpoint"),
        batch_size=32,
        learning_rate=options.learning_rate,
        max_seq_length=128,
        epochs=1,
        tpu_cores=0,
        seed=options.seed,
        overwrite_cache=True,
    )
    nlpbook.set_seed(args)
    clock = Clock().install()
    tokenizer = BertTokenizer(vocabulary(options.model, folder), do_lower_case=False)
    corpus = NsmcCorpus()
    data = {
        mode: ClassificationDataset(args=args, corpus=corpus, tokenizer=tokenizer, mode=mode)
        for mode in ("train", "test")
    }
    loaders = {
        mode: DataLoader(
            rows,
            batch_size=args.batch_size,
            sampler=RandomSampler(rows, replacement=False) if mode == "train" else SequentialSampler(rows),
            collate_fn=nlpbook.data_collator,
            drop_last=False,
            num_workers=args.cpu_workers,
        )
        for mode, rows in data.items()
    }
    config = BertConfig.from_pretrained(options.model, num_labels=corpus.num_labels)
    task = ClassificationTask(BertForSequenceClassification.from_pretrained(options.model, config=config), args)
    trainer = nlpbook.get_trainer(args)
    trainer.fit(task, train_dataloaders=loaders["train"], val_dataloaders=loaders["test"])
    accuracy = float(trainer.callback_metrics["val_acc"])
    write(options.result, clock.figures(len(data["train"])) | {"accuracy": accuracy})


if __name__ == "__main__":
    main()
