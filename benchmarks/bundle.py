"""Make a bundled checkpoint from a pretraining run: weights in fp16, tokenizer, configuration, and a model card.

    python -m benchmarks.bundle RUN NAME --title "..." --card benchmarks/cards/NAME.md [--nsmc FILE] [--before CARD]

The card is a template; {steps}, {tokens}, {minutes}, {loss}, {perplexity}, {accuracy}, {table} and {examples} are
taken from the run, {nsmc} from the output of `benchmarks.nsmc`. Where the run went on from a checkpoint of an earlier
one, the table in that one's card goes in front, and {total} counts the tokens of both. Dropout, off in pretraining, is
written into the configuration as fine-tuning wants it.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path

from ratsnlp_like.checkpoints.base import BUNDLED
from ratsnlp_like.inference.predictor import Predictor

_PROMPTS = {
    "masked-lm": (
        "영화가 정말 [MASK] 시간 가는 줄 몰랐다",
        "배우들 [MASK]가 너무 어색해서 집중이 안 됐다",
        "이런 영화는 [MASK] 보지 마세요",
        "마지막 장면에서 [MASK] 쏟아졌다",
        "ㅋㅋㅋ 진짜 [MASK] 웃었네",
    ),
    "causal-lm": ("이 영화는", "배우들의 연기가", "오랜만에", "ㅋㅋㅋ", "감독이"),
}
_DROPOUT = ("hidden_dropout_prob", "attention_probs_dropout_prob", "attn_pdrop", "embd_pdrop", "resid_pdrop")


def curve(run: Path) -> list[tuple[float, float]]:
    """Return (tokens seen, held-out loss) of each evaluation."""
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    per_step = result["tokens"] / result["steps"]
    points: dict[int, float] = {}
    for log in sorted(run.glob("logs/*/metrics.csv")):
        with log.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row.get("validation/loss"):
                    points[int(row["step"]) + 1] = float(row["validation/loss"])
    return [(step * per_step, loss) for step, loss in sorted(points.items())]


def listed(card: str) -> list[tuple[float, float]]:
    """Return the curve in the table of a model card."""
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \|$", card, re.MULTILINE)
    return [(1e6 * float(tokens), float(loss)) for tokens, loss in rows]


def draw(points: list[tuple[float, float]], path: Path, title: str) -> None:
    """Return the curve as a small SVG."""
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
    """Write the folder of a bundled checkpoint, replacing an existing one."""
    predictor = Predictor.from_pretrained(run / "last")
    predictor.model.half()
    predictor.about |= {"corpus": Path(predictor.about["corpus"]).name, "checkpoint": f"{name}-start"}
    folder = predictor.save_pretrained(BUNDLED / name)
    (folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {key: 0.1 for key in _DROPOUT if key in config}
    config["dtype"] = "float32"  # stored in 16 bits, computed with in 32
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return folder


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--title", required=True)
    parser.add_argument("--card", type=Path, required=True, help="template of the card")
    parser.add_argument("--before", type=Path, help="card of the checkpoint that the run started from")
    parser.add_argument("--nsmc", type=Path, help="output of benchmarks.nsmc")
    arguments = parser.parse_args()
    earlier = listed(arguments.before.read_text(encoding="utf-8")) if arguments.before else []
    folder = bundle(arguments.run, arguments.name)
    already = earlier[-1][0] if earlier else 0.0
    points = [*earlier, *((already + tokens, loss) for tokens, loss in curve(arguments.run))]
    draw(points, folder / "loss.svg", arguments.title)
    result = json.loads((arguments.run / "result.json").read_text(encoding="utf-8"))
    table = "\n".join(f"| {tokens / 1e6:.1f} | {loss:.3f} |" for tokens, loss in _thinned(points))
    facts = {
        "steps": f"{result['steps']:,}",
        "tokens": f"{result['tokens'] / 1e6:.1f}",
        "total": f"{points[-1][0] / 1e6:.1f}",
        "minutes": f"{result['train_seconds'] / 60:.0f}",
        "loss": f"{points[-1][1]:.3f}",
        "perplexity": f"{result['metrics']['perplexity']:.1f}",
        "accuracy": f"{result['metrics']['accuracy']:.3f}",
        "examples": examples(Predictor.from_pretrained(arguments.run / "last")),
        "nsmc": nsmc_table(arguments.nsmc.read_text(encoding="utf-8")) if arguments.nsmc else "",
        "table": "| tokens (millions) | held-out loss |\n| --- | --- |\n" + table,
    }
    card = arguments.card.read_text(encoding="utf-8")
    for key, value in facts.items():
        card = card.replace("{" + key + "}", value)
    (folder / "README.md").write_text(card, encoding="utf-8")
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:>12,}  {file.name}")


def examples(predictor: Predictor) -> str:
    """Return filled masks or continued prompts as a list."""
    lines = []
    for text in _PROMPTS[predictor.task.name]:
        if predictor.task.name == "masked-lm":
            (blank,) = predictor(text).candidates
            lines.append(f"- {text}: " + ", ".join(f"{c.token} ({c.score:.2f})" for c in blank))
        else:
            lines += [f"- **{text}**{written}" for written in predictor(text, continuations=2).continuations]
    return "\n".join(lines)


def nsmc_table(printed: str) -> str:
    """Return the output of `benchmarks.nsmc` as a table with a column for each number of reviews."""
    found: dict[str, dict[str, str]] = {}
    for line in printed.splitlines():
        if match := re.match(r" *([\d,]+)  (.+?)  ([\d.]+(?: ± [\d.]+)?)  ", line):
            found.setdefault(Path(match[2]).name, {})[match[1]] = match[3]
    sizes = list(dict.fromkeys(size for row in found.values() for size in row))
    lines = ["| | " + " | ".join(sizes) + " |", "| --- |" + " --- |" * len(sizes)]
    lines += [f"| {name} | " + " | ".join(row.get(size, "") for size in sizes) + " |" for name, row in found.items()]
    return "\n".join(lines)


def _thinned(points: list[tuple[float, float]], number: int = 10) -> list[tuple[float, float]]:
    step = max(1, len(points) // number)
    return [*points[step - 1 : -1 : step], points[-1]]


if __name__ == "__main__":
    main()
