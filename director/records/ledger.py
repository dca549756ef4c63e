"""The ledger: every model call on record the moment it ends, and the ceiling over their sum."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from director.model.errors import StoppedError
from director.model.state import CallRecord
from director.model.usage import Tokens
from director.records import files


class Meter:
    """What one call under way has cost so far, in US dollars."""

    def __init__(self) -> None:
        self.usd = 0.0

    def set(self, usd: float) -> None:
        """Note what the call has cost so far."""
        self.usd = usd


class Ledger:
    """``costs.jsonl`` of one job. ``ceiling_usd`` 0: no ceiling. Callable from any thread."""

    def __init__(self, path: Path, ceiling_usd: float = 0.0) -> None:
        self.path = path
        self.ceiling_usd = ceiling_usd
        self._records = read_calls(path)
        self._meters: set[Meter] = set()
        self._turn = threading.Lock()

    def record(self, call: CallRecord, meter: Meter | None = None) -> None:
        """Write the call down; it is on disk when this returns, and its ``meter`` stops."""
        with self._turn:
            files.append_line(self.path, call.to_json(), durable=True)
            self._records.append(call)
            if meter is not None:
                self._meters.discard(meter)

    @property
    def records(self) -> list[CallRecord]:
        """All calls so far, oldest first."""
        with self._turn:
            return list(self._records)

    @property
    def spent_usd(self) -> float:
        """The sum of all known costs."""
        return known_cost(self.records)

    @contextmanager
    def running(self) -> Iterator[Meter]:
        """Give a meter for a call under way; it counts until the call is recorded."""
        meter = Meter()
        with self._turn:
            self._meters.add(meter)
        try:
            yield meter
        finally:
            with self._turn:
                self._meters.discard(meter)

    def over_ceiling(self) -> bool:
        """Whether recorded calls and those under way together have passed the ceiling."""
        if not self.ceiling_usd:
            return False
        with self._turn:
            under_way = sum(meter.usd for meter in self._meters)
            return known_cost(self._records) + under_way > self.ceiling_usd

    def left_usd(self) -> float | None:
        """Return what may still be spent, or None without a ceiling."""
        return self.ceiling_usd - self.spent_usd if self.ceiling_usd else None

    def check_ceiling(self) -> None:
        """Raise StoppedError when nothing is left to spend."""
        left = self.left_usd()
        if left is not None and left <= 0:
            raise ceiling_reached(self.spent_usd, self.ceiling_usd)


def ceiling_reached(spent_usd: float, ceiling_usd: float) -> StoppedError:
    """Return the error for a job whose money is used up."""
    return StoppedError(
        f"the cost ceiling is reached: ${spent_usd:.4f} of ${ceiling_usd:.4f} spent",
        "raise limits.cost_ceiling_usd in config.toml, then run the command again",
    )


def read_calls(path: Path) -> list[CallRecord]:
    """Return the calls recorded at ``path``, oldest first."""
    calls = []
    for line in files.read_lines(path):
        try:
            calls.append(CallRecord.from_json(line))
        except (KeyError, TypeError, ValueError):
            continue  # a line of another tool or version: it is no call of ours
    return calls


def known_cost(calls: Iterable[CallRecord]) -> float:
    """Return the sum of the known costs in US dollars."""
    return sum(call.cost for call in calls if call.cost is not None)


def total_cost(calls: Iterable[CallRecord]) -> float | None:
    """Return the sum in US dollars, or None when the cost of a call is unknown."""
    costs = [call.cost for call in calls]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def total_tokens(calls: Iterable[CallRecord]) -> Tokens:
    """Return the sum of all tokens, kind by kind."""
    return sum((call.tokens for call in calls), Tokens())


def grouped(calls: Iterable[CallRecord], key: str) -> dict[str, dict[str, Any]]:
    """Return totals per ``key`` ("role" or "model"), as records and reports show them."""
    groups: dict[str, list[CallRecord]] = {}
    for call in calls:
        groups.setdefault(getattr(call, key), []).append(call)
    return {
        name: {
            "calls": len(group),
            **total_tokens(group).to_json(),
            "cost": known_cost(group),
            "unknown_cost_calls": sum(1 for call in group if call.cost is None),
        }
        for name, group in sorted(groups.items())
    }
