"""A stopwatch for all contestants that train with torch: from fetching the first batch to the end of the last step."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


class Clock:
    """Starts at the first iteration over a data loader and stops at every optimizer step (the last one counts)."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0
        self.steps = 0

    def start(self) -> None:
        """Start the clock on the first call."""
        self.began = self.began or time.perf_counter()

    def step(self, *_: Any) -> None:
        """Record the end of an optimizer step."""
        self.ended = time.perf_counter()
        self.steps += 1

    def install(self) -> Clock:
        """Hook the data loaders and optimizers of this process."""
        from torch.optim.optimizer import register_optimizer_step_post_hook
        from torch.utils.data import DataLoader

        iterate = DataLoader.__iter__

        def watched(loader: Any) -> Any:
            self.start()
            return iterate(loader)

        DataLoader.__iter__ = watched  # type: ignore[method-assign]
        register_optimizer_step_post_hook(self.step)
        return self

    def figures(self, examples: int) -> dict[str, float]:
        """Return the figures under the names of `ratsnlp-like train --result FILE`."""
        return {"train_seconds": self.ended - self.began, "examples": examples, "steps": self.steps}


def trainer_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of the arguments that all trainers share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", required=True, help="folder of the net and its tokenizer")
    parser.add_argument("--train", required=True, help="TSV with the columns text and label, no quoting")
    parser.add_argument("--test", required=True, help="of the same form")
    parser.add_argument("--output", required=True, help="folder to write the model to")
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--learning_rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=7)
    return parser


def write(path: Path, figures: dict[str, Any]) -> None:
    """Write figures as JSON."""
    path.write_text(json.dumps(figures), encoding="utf-8")
