"""One of the processes that run tests: units come in, events go out, one JSON object a line.

``python -m tests.support.runner.worker UNITS EVENTS LOG`` takes three descriptors: of two pipes,
and of the file that the standard streams lead to.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import unittest
from typing import IO, Any

STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")
ORDER = (
    "a fast test may start no process: a class that needs one derives from ProcessCase "
    "or HermeticCase"
)


class ProcessGuard:
    """Keeps fast tests from starting processes; a test that tried is told, whatever it caught."""

    def __init__(self) -> None:
        self.armed = False
        self.tried = False
        sys.addaudithook(self._notice)

    def _notice(self, event: str, _args: tuple[Any, ...]) -> None:
        if self.armed and event in STARTS:
            self.tried = True
            raise AssertionError(ORDER)


class Reporter(unittest.TestResult):
    """Tells how each test ended: {"test", "outcome", "secs", "text", "printed"}."""

    def __init__(self, events: IO[str], log: int, guard: ProcessGuard) -> None:
        super().__init__()
        self._events, self._log, self._guard = events, log, guard
        self._begun = 0.0
        self._seen = 0
        self._ends: list[tuple[str, str]] = []

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self._begun, self._seen = time.monotonic(), os.fstat(self._log).st_size
        self._ends, self._guard.tried = [], False
        self.tell(test=test.id(), outcome="begun")

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        if self._guard.tried and not any(outcome == "failed" for outcome, _ in self._ends):
            self._ends.append(("failed", ORDER))
        secs = time.monotonic() - self._begun
        outcomes = [outcome for outcome, _text in self._ends]
        outcome = next((one for one in ("failed", "skipped") if one in outcomes), "passed")
        self.tell_end(test.id(), outcome, secs, "\n".join(text for _, text in self._ends))

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self._end(test, "failed", self.errors[-1][1])

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._end(test, "failed", self.failures[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: N802
        if err is not None:
            super().addError(subtest, err)
            self._end(test, "failed", f"{subtest}\n{self.errors[-1][1]}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._end(test, "skipped", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._end(test, "failed", "it was expected to fail and did not")

    def tell_end(self, test: str, outcome: str, secs: float, text: str) -> None:
        """Tell how a test ended, with what was printed meanwhile."""
        sys.stdout.flush()
        printed = os.pread(self._log, os.fstat(self._log).st_size - self._seen, self._seen)
        shown = printed.decode(errors="replace") if outcome == "failed" else ""
        self.tell(test=test, outcome=outcome, secs=secs, text=text, printed=shown)

    def tell(self, **event: object) -> None:
        self._events.write(json.dumps(event) + "\n")
        self._events.flush()

    def _end(self, test: unittest.TestCase, outcome: str, text: str) -> None:
        self._ends.append((outcome, text))
        if not isinstance(test, unittest.TestCase):  # setUpClass or its like, outside of any test
            self.tell_end(str(test), outcome, 0.0, text)


def main() -> None:
    """Run one unit after the other, each when the one before is done."""
    units, events = os.fdopen(int(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
    log = int(sys.argv[3])
    guard = ProcessGuard()
    reporter = Reporter(events, log, guard)
    for line in units:
        unit = json.loads(line)
        try:
            suite = unittest.TestLoader().loadTestsFromNames(unit["tests"])
            guard.armed = unit["fast"]
            suite.run(reporter)
        except Exception:
            reporter.tell_end(unit["name"], "failed", 0.0, traceback.format_exc())
        guard.armed = False
        reporter.tell(done=unit["name"])


if __name__ == "__main__":
    main()
