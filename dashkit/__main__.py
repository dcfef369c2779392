"""`python -m dashkit`."""

import sys

from dashkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
