"""``python -m director``: the same as the installed ``director`` command."""

import sys

from director.cli import main

if __name__ == "__main__":
    sys.exit(main())
