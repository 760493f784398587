"""Throughput over many texts and the median time of one text: HF's pipeline or `Predictor`.

python -m benchmarks.peers.prediction pipeline|predictor --model FOLDER --test FILE --result FILE
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers.clock import write
from benchmarks.peers.rows import read

_SINGLE, _WARM = 200, 64


def pipeline(folder: str) -> Callable[[Any], Any]:
    """Return a pipeline with batches of 32 in fp32, for a list of texts or one text."""
    import torch
    import transformers

    own = transformers.pipeline(
        "text-classification", model=folder, tokenizer=folder, batch_size=32, dtype=torch.float32, device="cpu"
    )
    return lambda texts: own(texts, truncation=True, max_length=128)


def predictor(folder: str) -> Callable[[Any], Any]:
    """Return a predictor with batches of 32; torch or ONNX, depending on the folder."""
    from ratsnlp_like.inference.predictor import Predictor

    return Predictor.from_pretrained(folder)


def main() -> None:
    """Load, warm up, predict all texts, then single texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["pipeline", "predictor"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--result", type=Path, required=True)
    arguments = parser.parse_args()
    texts, _ = read(arguments.test)
    predict = {"pipeline": pipeline, "predictor": predictor}[arguments.kind](arguments.model)
    predict(texts[:_WARM])
    began = time.perf_counter()
    predictions = predict(texts)
    seconds = time.perf_counter() - began
    if len(predictions) != len(texts):
        raise SystemExit(f"{len(predictions)} predictions for {len(texts)} texts")
    singles = []
    for text in texts[:_SINGLE]:
        began = time.perf_counter()
        predict(text)
        singles.append(time.perf_counter() - began)
    figures = {"texts_per_second": len(texts) / seconds, "p50_ms": 1000 * statistics.median(singles)}
    write(arguments.result, figures)


if __name__ == "__main__":
    main()
