"""cli.serve."""

from __future__ import annotations

from dataclasses import fields

from .parsing import add_precision, new_parser, parse


def run(arguments: list[str]) -> None:
    """`ratsnlp-like serve`."""
    from ..serve.limits import Limits

    parser = new_parser("serve", "A page to try a saved model on, and an HTTP API (documented at /docs), until Ctrl-C.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; 0.0.0.0 for others too")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 for any that is free")
    parser.add_argument("--cors", type=list[str], default=[], help="origins whose pages may ask: https://example.com")
    parser.add_argument("--allowed_hosts", type=list[str], default=[], help="further names of this server, * for any")
    add_precision(parser)
    parser.add_class_arguments(Limits)
    options = parse(parser, arguments)
    from ..serve.server import run

    limits = Limits(**{f.name: options[f.name] for f in fields(Limits)})
    names = ("model", "host", "port", "cors", "allowed_hosts", "precision")
    run(**{name: options[name] for name in names}, limits=limits)
