"""LoRA and full fine-tuning: trainable weights, time, memory, size on disk and accuracy.

    python -m benchmarks.lora --corpus_root KORPORA [--checkpoint ko-tiny-bert] [--base] [--limit_train 5000]

The same reviews of NSMC, the same number of steps, each run in a process of its own. `--base` takes a BERT of base
shape (12 layers, width 768) with random weights, to compare memory and time; its accuracy is meaningless. At the end
adapter and merged model predict the same texts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RATES = {"full": "5e-4", "lora": "2e-3"}


def base_shaped(folder: Path) -> str:
    """Return a checkpoint of base shape with random weights."""
    from transformers import BertForMaskedLM

    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer

    name = resolve("ko-tiny-bert")
    shape = {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
    config = load_config(name, shape)
    BertForMaskedLM(config).save_pretrained(folder)
    load_tokenizer(name, config).save_pretrained(folder)
    return str(folder)


def train(kind: str, checkpoint: str, folder: Path, options: list[str]) -> dict[str, Any]:
    """Train in a separate process."""
    command = [sys.executable, "-m", "ratsnlp_like", "train", "--task", "classification", "--corpus", "nsmc"]
    command += ["--checkpoint", checkpoint, "--output", str(folder / kind), "--result", str(folder / f"{kind}.json")]
    command += ["--learning_rate", RATES[kind], "--progress", "false", *options, *(["--lora"] * (kind == "lora"))]
    log = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    result: dict[str, Any] = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
    learning = [line for line in log.splitlines() if line.startswith("LoRA: ")]
    result["learning"] = learning[0].split()[1] if learning else "all"
    best = folder / kind / "best"
    result["megabytes"] = sum(file.stat().st_size for file in best.glob("*.safetensors")) / 1e6
    return result


def largest_difference(folder: Path, texts: list[str]) -> tuple[float, int]:
    """Return the largest difference of probabilities and the number of different labels of adapter and merged model."""
    from ratsnlp_like import Predictor

    adapter = Predictor.from_pretrained(folder)
    whole = Predictor.from_pretrained(adapter.merged().save_pretrained(folder.with_name("merged")))
    pairs = list(zip(adapter.predict(texts), whole.predict(texts), strict=True))
    return max(abs(a.score - b.score) for a, b in pairs), sum(a.label != b.label for a, b in pairs)


def main() -> None:
    """Print the table and the difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", required=True)
    parser.add_argument("--checkpoint", default="ko-tiny-bert")
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--limit_train", default="5000")
    parser.add_argument("--limit_eval", default="1000")
    parser.add_argument("--max_steps", default=None)
    arguments = parser.parse_args()
    options = ["--corpus_root", arguments.corpus_root, "--limit_train", arguments.limit_train]
    options += ["--limit_eval", arguments.limit_eval, "--validation_share", "0.02"]
    options += ["--max_steps", arguments.max_steps] if arguments.max_steps else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = base_shaped(folder / "base") if arguments.base else arguments.checkpoint
        print("| | weights that learn | training | peak memory | on disk | accuracy |")
        print("| --- | --- | --- | --- | --- | --- |")
        for kind in RATES:
            run = train(kind, checkpoint, folder, options)
            print(
                f"| {kind} | {run['learning']} | {run['train_seconds']:.0f} s | {run['peak_memory_mb']:,.0f} MB | "
                f"{run['megabytes']:.1f} MB | {run['test_metrics']['accuracy']:.4f} |",
                flush=True,
            )
        texts = [
            f"{word} 영화였다" for word in ("좋은", "지루한", "뻔한", "따뜻한", "어색한", "최고의", "최악의", "볼만한")
        ] * 25
        difference, changed = largest_difference(folder / "lora" / "best", texts)
        print(f"adapter and merged model: scores differ by {difference:.1e} at most, {changed} of {len(texts)} answers")


if __name__ == "__main__":
    main()
