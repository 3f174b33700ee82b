"""`python -m langnet` is `langnet`."""

from langnet.cli import main

if __name__ == "__main__":
    main()
