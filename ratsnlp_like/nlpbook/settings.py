"""`nlpbook.set_seed` and `nlpbook.set_logger`."""

import logging
from typing import Any

log = logging.getLogger("ratsnlp")


def set_seed(args: Any) -> None:
    """Seed all random number generators with `args.seed`, if it is not None, and print the seed."""
    from pytorch_lightning import seed_everything

    if args.seed is None:
        print("not fixed seed")  # noqa: T201 (the book shows this line)
        return
    seed_everything(args.seed, workers=True, verbose=False)
    print(f"set seed: {args.seed}")  # noqa: T201 (the book shows this line)


def set_logger(args: Any) -> None:
    """Show this package's log records and log the arguments; safe to call repeatedly."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    for name in ("ratsnlp", "ratsnlp_like"):
        logging.getLogger(name).setLevel(logging.INFO)
    log.info("Training/evaluation parameters %s", args)
