"""`python -m ratsnlp_like` and `ratsnlp-like` run the command line."""

import sys


def main() -> int:
    """Run the command line; Ctrl-C while its modules are imported is not a traceback either."""
    try:
        from .cli import main

        return main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return 130


if __name__ == "__main__":
    sys.exit(main())
