"""One stopwatch for all that train with torch: from the first batch fetched to the last step done."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


class Clock:
    """Starts when a data loader is first gone through, stops at every step of an optimiser (the last one counts)."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0
        self.steps = 0

    def start(self) -> None:
        """Once; what comes later does not matter."""
        self.began = self.began or time.perf_counter()

    def step(self, *_: Any) -> None:
        """A step of the optimiser is done."""
        self.ended = time.perf_counter()
        self.steps += 1

    def install(self) -> Clock:
        """Watch the data loaders and optimisers of this process."""
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
        """In the names that `ratsnlp-like train --result FILE` has."""
        return {"train_seconds": self.ended - self.began, "examples": examples, "steps": self.steps}


def trainer_parser(description: str | None) -> argparse.ArgumentParser:
    """What all trainers are told."""
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
    """As JSON."""
    path.write_text(json.dumps(figures), encoding="utf-8")
