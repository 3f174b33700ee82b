"""`python -m langnet` is the `langnet` command."""

import sys

from langnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
