"""The command line of ``python3 -m tests``: what to run, how, and the exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.support.hermetic import remove_tree
from tests.support.runner.pool import Pool
from tests.support.runner.record import read_record, record_file, write_record
from tests.support.runner.report import Report
from tests.support.runner.suite import Choice, Unit, chosen, find_units

FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


@dataclass(frozen=True)
class Suite:
    """The tests of a checkout: its folder, and the names of its test modules."""

    source: Path
    modules: Sequence[str]


class _TerminatedError(BaseException):
    """The run was asked to end."""


def main(argv: Sequence[str], suite: Suite) -> int:
    """Run tests as ``argv`` says and return the exit code: 0, 1, 2, 130 or 143."""
    args = _parser().parse_args(argv)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = record_file(cache, suite.source)
    record = read_record(kept)
    choice = Choice(
        names=tuple(args.names),
        patterns=tuple(args.patterns or ()),
        only=record.failed if args.failed else None,
        fast=args.fast,
        without=("tests.e2e",) if args.no_e2e else (),
    )
    units = chosen(find_units(suite.modules), choice)
    if not units:
        print("no test is like that" if not args.failed else "no test failed last time")
        return 0 if args.failed else USAGE
    report = Report(sys.stdout, sum(len(unit.tests) for unit in units), time.monotonic)
    count = min(args.jobs or len(os.sched_getaffinity(0)), len(units))
    code = _run(record.longest_first(units), suite.source, count, report)
    write_record(kept, record.after(report.ended))
    report.close(count)
    return code


def _run(units: Sequence[Unit], source: Path, count: int, report: Report) -> int:
    """Run the units and return the exit code; whatever happens, nothing of them is left."""
    signal.signal(signal.SIGTERM, _terminate)
    # A shell starts what is to run beside it with SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = Path(tempfile.mkdtemp(prefix="tests-")).resolve()
    place.chmod(0o755)  # some tests are other users
    pool = Pool(place, source, count)
    try:
        for ended in pool.run(units):
            report.add(ended)
        return FAILED if report.failed else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except _TerminatedError:
        return TERMINATED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pool.kill()
        remove_tree(place)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests",
        description="Run the tests, one process per core, and print failures as they come.",
        epilog="How long each test took and which failed is kept in ~/.cache/director-tests/.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a folder, module, class or test: tests/job"
    )
    parser.add_argument(
        "-k", dest="patterns", action="append", metavar="PATTERN", help="tests whose name has it"
    )
    parser.add_argument(
        "--fast", action="store_true", help="only those that start no process: seconds"
    )
    parser.add_argument("--failed", action="store_true", help="only those that failed last time")
    parser.add_argument("--no-e2e", action="store_true", help="all but tests/e2e")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="processes (default: cores)")
    return parser
