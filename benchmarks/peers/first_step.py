"""Run a module like `python -m` up to the end of its first optimizer step and write the time of that step.

    python -m benchmarks.peers.first_step FILE MODULE ARGUMENTS...

Nothing is imported ahead of the module: a thread waits until it has imported torch's optimisers by itself.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Any


def watch(file: Path) -> None:
    """Hook the optimizers as soon as torch is imported."""

    def done(*_: Any) -> None:
        file.write_text(f"{time.time()}", encoding="utf-8")
        os._exit(0)

    while True:
        hook = getattr(sys.modules.get("torch.optim.optimizer"), "register_optimizer_step_post_hook", None)
        if hook is not None:
            hook(done)
            return
        time.sleep(0.02)


def main() -> None:
    """Run the benchmark from the command line."""
    file, module, *arguments = sys.argv[1:]
    threading.Thread(target=watch, args=(Path(file),), daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    raise SystemExit("it ended without a step")


if __name__ == "__main__":
    main()
