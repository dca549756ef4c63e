"""What a person reads of a run: failures as they come, then skips, the slowest, and the sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import IO

from tests.support.runner.pool import Ended

SLOWEST = 10
RULE = "=" * 70


class Report:
    """Prints to ``out`` while tests end; ``clock`` gives seconds."""

    def __init__(self, out: IO[str], total: int, clock: Callable[[], float]) -> None:
        self._out, self._total, self._clock = out, total, clock
        self._begun = clock()
        self.ended: list[Ended] = []

    def add(self, one: Ended) -> None:
        """Take in a test; when it failed, say so at once."""
        self.ended.append(one)
        if one.outcome == "failed":
            self._say(RULE, f"FAILED {one.test}", one.text.rstrip())
            if one.printed.strip():
                self._say("-- printed meanwhile:", one.printed.rstrip())
        if self._out.isatty():
            failed = f", {len(self.failed)} failed" if self.failed else ""
            print(f"\r{len(self.ended)} of {self._total}{failed} ", end="", file=self._out)
        self._out.flush()

    @property
    def failed(self) -> Sequence[Ended]:
        """The tests that failed."""
        return [one for one in self.ended if one.outcome == "failed"]

    def close(self, workers: int) -> None:
        """Say what it comes to."""
        reasons = defaultdict(list)
        for one in self.ended:
            if one.outcome == "skipped":
                reasons[one.text].append(one.test)
        for reason, tests in reasons.items():
            self._say(f"skipped: {reason}", *(f"    {test}" for test in tests))
        slowest = sorted(self.ended, key=lambda one: -one.secs)[:SLOWEST]
        self._say(RULE, "slowest:", *(f"  {one.secs:6.2f} s  {one.test}" for one in slowest))
        if self.failed:
            self._say("failed:", *(f"    {one.test}" for one in self.failed))
            self._say("once more: python3 -m tests --failed")
        skipped = sum(map(len, reasons.values()))
        self._say(
            f"{len(self.ended)} tests in {self._clock() - self._begun:.1f} s, {workers} at once: "
            f"{len(self.failed)} failed, {skipped} skipped"
        )

    def _say(self, *lines: str) -> None:
        start = "\r" if self._out.isatty() else ""
        print(start + "\n".join(lines), file=self._out)
