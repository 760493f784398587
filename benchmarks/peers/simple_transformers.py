"""simpletransformers, as its documentation trains a binary classifier."""

from __future__ import annotations

import pandas as pd
from simpletransformers.classification import ClassificationArgs, ClassificationModel

from benchmarks.peers.clock import Clock, trainer_parser, write
from benchmarks.peers.rows import read


def main() -> None:
    """Read, train, evaluate; it saves by itself."""
    arguments = trainer_parser(__doc__).parse_args()
    clock = Clock().install()
    frames = {}
    for split in ("train", "test"):
        texts, labels = read(getattr(arguments, split))
        frames[split] = pd.DataFrame({"text": texts, "labels": labels})
    settings = ClassificationArgs(
        num_train_epochs=1,
        train_batch_size=32,
        eval_batch_size=64,
        max_seq_length=128,
        learning_rate=arguments.learning_rate,
        manual_seed=arguments.seed,
        output_dir=arguments.output,
        overwrite_output_dir=True,
        cache_dir=f"{arguments.output}/cache",
        no_cache=True,
        use_multiprocessing_for_evaluation=False,  # its forked workers deadlock if torch runs two threads
    )
    model = ClassificationModel("bert", arguments.model, num_labels=2, args=settings, use_cuda=False)
    model.train_model(frames["train"])
    result, _, _ = model.eval_model(frames["test"])
    right = (result["tp"] + result["tn"]) / len(frames["test"])
    write(arguments.result, clock.figures(len(frames["train"])) | {"accuracy": float(right)})


if __name__ == "__main__":
    main()
