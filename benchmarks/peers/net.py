"""Write a randomly initialised network and its tokenizer into a folder that every contestant can open.

    python -m benchmarks.peers.net FOLDER --shape small [--model_type bert] [--seed 7] [--exports --test FILE]

`--exports` also writes model folders: `torch`, `onnx-fp32`, `onnx-int8`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SHAPES: dict[str, dict[str, int]] = {
    "small": {},
    "base": {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
}
"""Differences from `ko-tiny-bert` (4 layers, 256 wide)."""
MODERNBERT: dict[str, dict[str, int]] = {
    "small": {"num_hidden_layers": 4, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 384},
    "base": {"num_hidden_layers": 22, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 1152},
}
"""The base is that of ModernBERT-base; the small one has its proportions."""
MODEL_TYPES = ("bert", "modernbert")


def make(folder: Path, model_type: str, shape: str, seed: int) -> None:
    """Write a network with a head for two classes."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer

    torch.manual_seed(seed)
    name = resolve("ko-tiny-bert")
    config = load_config(name, SHAPES[shape])
    tokenizer = load_tokenizer(name, config)
    if model_type == "modernbert":
        config = _modernbert(tokenizer, MODERNBERT[shape])
    config.num_labels = 2
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"  # transformers 4, which some peers want, knows another name of its class
    described = json.loads(path.read_text(encoding="utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")


def _modernbert(tokenizer: Any, sizes: dict[str, int]) -> Any:
    """Return a configuration of ModernBERT for a tokenizer."""
    from transformers import ModernBertConfig

    ids = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "cls", "sep")}
    return ModernBertConfig(
        vocab_size=len(tokenizer), bos_token_id=ids["cls_token_id"], eos_token_id=ids["sep_token_id"], **ids, **sizes
    )


def export_all(folder: Path, test: str) -> None:
    """Write the same network as a model folder and as two ONNX graphs."""
    from ratsnlp_like.checkpoints.base import load_config
    from ratsnlp_like.checkpoints.model import load_model
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.export.export import export
    from ratsnlp_like.inference.predictor import Predictor
    from ratsnlp_like.registry import TASKS

    task = TASKS["classification"]()
    config = load_config(str(folder))
    tokenizer = load_tokenizer(str(folder), config)
    model = load_model(str(folder), config, task.model_class(), vocabulary=len(tokenizer))
    own = Predictor(task, model, tokenizer, ["0", "1"]).save_pretrained(folder / "torch")
    options: dict[str, Any] = {"corpus": test, "quoting": "none", "limit_eval": 64, "progress": False}
    export(own, output=folder / "onnx-fp32", max_drop=1.0, **options)
    export(own, output=folder / "onnx-int8", max_drop=1.0, quantize="int8", **options)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--model_type", choices=MODEL_TYPES, default="bert")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--exports", action="store_true")
    parser.add_argument("--test", help="the examples that the certificates of the exports are made with")
    arguments = parser.parse_args()
    if arguments.exports:
        export_all(arguments.folder, arguments.test)
    else:
        make(arguments.folder, arguments.model_type, arguments.shape, arguments.seed)


if __name__ == "__main__":
    main()
