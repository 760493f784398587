"""cli.export."""

from __future__ import annotations

import shlex
from typing import Literal

from ..errors import InputError
from ..runtime import lazy_imports as lean
from .parsing import add_corpus_options, first_positional, library_options, new_parser, parse


def run(arguments: list[str]) -> None:
    """`ratsnlp-like export`."""
    from ..inference.model_folder import describe_model

    parser = new_parser("export", "Write a saved model for ONNX Runtime, and certify that it says the same.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("--to", type=Literal["onnx"], default="onnx", help="the only format there is: onnx")
    parser.add_argument("--output", type=str | None, default=None, help="the folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the model in --output")
    parser.add_argument("--quantize", type=Literal["int8"] | None, default=None, help="weights of 8 bits: int8")
    parser.add_argument(
        "--max_drop",
        type=float,
        default=0.01,
        help="refuse where the best metric falls by more: absolute, or relative for perplexity",
    )
    parser.add_argument(
        "--corpus", type=str | None, default=None, help="compare on it; the corpus of the training by default"
    )
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int, default=64, help="windows of a batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="compare on this many examples")
    task, _ = describe_model(first_positional(arguments))
    add_corpus_options(parser, task.example.columns() if task else ())
    options = parse(parser, arguments)
    if not options["output"]:
        raise InputError("missing: --output", fix=f"--output {shlex.quote(options['model'])}-onnx")
    with lean.starting():
        from ..export.export import export as run

    certificate = run(**library_options(options, "to"))
    print(certificate.card())
    print(f"The model is in {options['output']}; ask it: ratsnlp-like predict {shlex.quote(options['output'])} ...")
