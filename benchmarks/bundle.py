"""Make a bundled checkpoint of a pretraining run: weights in fp16, tokenizer, configuration, and a model card.

    python -m benchmarks.bundle RUN NAME --title "..." --recipe recipe.md [--train_seconds 5000]

The card shows the held-out loss by tokens seen, from the run's own log. Dropout, off in pretraining, is written into
the configuration as fine-tuning wants it.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import Any

from ratsnlp_like.predictor import Predictor
from ratsnlp_like.checkpoints.base import BUNDLED

_DROPOUT = ("hidden_dropout_prob", "attention_probs_dropout_prob", "attn_pdrop", "embd_pdrop", "resid_pdrop")


def curve(run: Path) -> list[tuple[float, float]]:
    """(tokens seen, held-out loss) of each evaluation."""
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    per_step = result["tokens"] / result["steps"]
    points: dict[int, float] = {}
    for log in sorted(run.glob("logs/*/metrics.csv")):
        with log.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row.get("validation/loss"):
                    points[int(row["step"]) + 1] = float(row["validation/loss"])
    return [(step * per_step, loss) for step, loss in sorted(points.items())]


def draw(points: list[tuple[float, float]], path: Path, title: str) -> None:
    """The curve as a small picture."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ratsnlp_like"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.4))
    axes.plot([tokens / 1e6 for tokens, _ in points], [loss for _, loss in points], marker=".", color="#2a6f97")
    axes.set(xlabel="tokens seen (millions)", ylabel="held-out loss (nats a token)", title=title)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def bundle(run: Path, name: str) -> Path:
    """Write the folder of a bundled checkpoint; what was there is replaced."""
    predictor: Any = Predictor.from_pretrained(run / "last")
    folder = BUNDLED / name
    shutil.rmtree(folder, ignore_errors=True)
    predictor.model.half().save_pretrained(folder)
    predictor.tokenizer.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {key: 0.1 for key in _DROPOUT if key in config}
    config["dtype"] = "float32"  # stored in 16 bits, computed with in 32
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--title", required=True)
    parser.add_argument("--card", type=Path, required=True, help="Markdown with {placeholders} of the run's figures")
    arguments = parser.parse_args()
    folder = bundle(arguments.run, arguments.name)
    points = curve(arguments.run)
    draw(points, folder / "loss.svg", arguments.title)
    result = json.loads((arguments.run / "result.json").read_text(encoding="utf-8"))
    table = "\n".join(f"| {tokens / 1e6:.1f} | {loss:.3f} |" for tokens, loss in _thinned(points))
    facts = {
        "steps": f"{result['steps']:,}",
        "tokens": f"{result['tokens'] / 1e6:.1f}",
        "minutes": f"{result['train_seconds'] / 60:.0f}",
        "loss": f"{points[-1][1]:.3f}",
        "perplexity": f"{result['metrics']['perplexity']:.1f}",
        "accuracy": f"{result['metrics']['accuracy']:.3f}",
        "table": "| tokens (millions) | held-out loss |\n| --- | --- |\n" + table,
    }
    card = arguments.card.read_text(encoding="utf-8")
    for key, value in facts.items():
        card = card.replace("{" + key + "}", value)
    (folder / "README.md").write_text(card, encoding="utf-8")
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:>12,}  {file.name}")


def _thinned(points: list[tuple[float, float]], number: int = 10) -> list[tuple[float, float]]:
    step = max(1, len(points) // number)
    return [*points[step - 1 : -1 : step], points[-1]]


if __name__ == "__main__":
    main()
