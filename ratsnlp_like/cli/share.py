"""`ratsnlp-like share`: upload a saved model to the Hugging Face hub."""

from __future__ import annotations

from ..errors import InputError
from .options import check_result_path, write_result
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like share`."""
    parser = new_parser(
        "share", "Upload a saved model with its card to the Hugging Face hub, into a private repository."
    )
    parser.add_argument("model", type=str, nargs="?", default=None, help="run folder or model folder")
    parser.add_argument("repository", type=str, nargs="?", default=None, help="owner/name on the hub")
    parser.add_argument("--private", type=bool, default=True, help="make a new repository private")
    parser.add_argument(
        "--license", type=str | None, default=None, help="licence of the model; by default that of the checkpoint"
    )
    parser.add_argument("--message", type=str | None, default=None, help="message of the commit")
    parser.add_argument("--dry_run", action="store_true", help="show what would be uploaded, and send nothing")
    parser.add_argument("--result", type=str | None, default=None, help="write what was uploaded to this JSON file")
    options = parse(parser, arguments)
    if options["model"] is None or options["repository"] is None:
        raise InputError("a model and a repository are needed", fix="ratsnlp-like share runs/reviews owner/name")
    check_result_path(options["result"])
    from ..inference.sharing import share

    named = {name: options[name] for name in ("private", "license", "message", "dry_run")}
    upload = share(options["model"], options["repository"], **named)
    write_result(options["result"], upload.to_dict())
    if options["dry_run"]:
        print(upload.card)
        for name, size in upload.files.items():
            print(f"{size:>14,}  {name}")
        kind = "private" if upload.private else "public"
        print(f"dry run: nothing was sent to {upload.repository} ({kind} if it is new)")
    else:
        print(upload.url)
