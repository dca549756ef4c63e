"""``python3 -m tests``: all tests, in parallel; ``--help`` says what else there is."""

import sys
from pathlib import Path

from tests import test_modules
from tests.support.runner.command import Suite, main

if __name__ == "__main__":
    source = Path(__file__).resolve().parents[1]
    sys.exit(main(sys.argv[1:], Suite(source, test_modules("test*.py"))))
