"""``python3 -m tests``: all tests, those of the benchmarks too, in parallel.

``--help`` says what else there is.
"""

import sys
from pathlib import Path

from tests import test_modules
from tests.support.runner.command import Suite, main

if __name__ == "__main__":
    source = Path(__file__).resolve().parents[1]
    modules = test_modules("test*.py") + test_modules("test*.py", source / "benchmarks")
    sys.exit(main(sys.argv[1:], Suite(source, modules)))
