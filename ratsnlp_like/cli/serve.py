"""`ratsnlp-like serve`: a web page and an HTTP API for a saved model."""

from __future__ import annotations

from dataclasses import fields

from .options import add_head, add_precision
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like serve`."""
    from ..serve.limits import Limits

    parser = new_parser(
        "serve", "Serve a saved model until Ctrl-C: a web page, and an HTTP API that is documented at /docs."
    )
    parser.add_argument("model", type=str, help="run folder (its best model) or model folder")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 for any free one")
    parser.add_argument("--cors", type=list[str], default=[], help="origins of other pages, as https://example.com")
    parser.add_argument("--allowed_hosts", type=list[str], default=[], help="further names of this server, * for any")
    add_precision(parser)
    add_head(parser)
    parser.add_class_arguments(Limits)
    options = parse(parser, arguments)
    from ..serve.server import serve

    limits = Limits(**{f.name: options[f.name] for f in fields(Limits)})
    names = ("model", "host", "port", "cors", "allowed_hosts", "precision", "task", "labels")
    serve(**{name: options[name] for name in names}, limits=limits)
