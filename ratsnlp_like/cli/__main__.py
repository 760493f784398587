"""`python -m ratsnlp_like.cli` runs the command line, as `python -m ratsnlp_like` does."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
