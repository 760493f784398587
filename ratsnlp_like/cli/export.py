"""`ratsnlp-like export`: a saved model for ONNX Runtime, verified against the original."""

from __future__ import annotations

import shlex
from typing import Literal

from ..arguments import EVAL_BATCH_SIZE
from ..errors import InputError
from ..runtime.gc_control import gc_frozen
from .options import add_corpus_options, add_head, library_options, saved_task
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like export`."""
    parser = new_parser("export", "Export a saved model to ONNX and verify its outputs.")
    parser.add_argument("model", type=str, help="run folder (its best model) or model folder")
    parser.add_argument("--to", type=Literal["onnx"], default="onnx", help="format; onnx is the only one")
    parser.add_argument("--output", type=str | None, default=None, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the model in --output")
    parser.add_argument("--quantize", type=Literal["int8"] | None, default=None, help="quantize the weights: int8")
    parser.add_argument(
        "--max_drop",
        type=float,
        default=0.01,
        help="largest accepted drop of the best metric: absolute, or relative for perplexity",
    )
    parser.add_argument(
        "--corpus", type=str | None, default=None, help="corpus to verify on; that of the training by default"
    )
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int, default=EVAL_BATCH_SIZE, help="windows per batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="verify on this many examples")
    add_head(parser)
    saved = saved_task(arguments)
    add_corpus_options(parser, saved.task.example.columns() if saved else ())
    options = parse(parser, arguments)
    if not options["output"]:
        raise InputError("missing: --output", fix=f"--output {shlex.quote(options['model'])}-onnx")
    with gc_frozen():
        from ..export.export import export

    certificate = export(**library_options(options, "to"))
    print(certificate.card())
    print(f"model: {options['output']}")
    print(f"predict with it: ratsnlp-like predict {shlex.quote(options['output'])} ...")
