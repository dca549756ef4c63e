"""The ledger: every model call on record the moment it ends, and the ceiling over their sum."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from director.model.codec.columns import decode_all
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.cost import Cost
from director.model.errors import StoppedError
from director.model.reason import Reason
from director.model.state import CallRecord
from director.model.usage import Tokens
from director.records import json_lines


class Meter:
    """What one call under way has cost so far, and what is set aside for it, in US dollars."""

    def __init__(self, reserved_usd: float) -> None:
        self.reserved_usd = reserved_usd
        self.usd = 0.0

    def set(self, usd: float) -> None:
        """Note what the call has cost so far."""
        self.usd = usd


class Ledger:
    """``costs.jsonl`` of one job. ``ceiling_usd`` 0: no ceiling. Callable from any thread."""

    def __init__(self, path: Path, ceiling_usd: float = 0.0) -> None:
        self.path = path
        self.ceiling_usd = ceiling_usd
        self._records: list[CallRecord] = []
        self._of_node: dict[str | None, list[CallRecord]] = {}
        self._known: dict[tuple[str, str], tuple[float, int]] = {}  # of role and model: sum, count
        self._logs: set[str] = set()
        self._spent = 0.0
        self._meters: set[Meter] = set()
        self._lock = threading.Lock()
        for call in read_calls(path):
            self._add(call)

    def _add(self, call: CallRecord) -> None:
        self._records.append(call)
        self._of_node.setdefault(call.node, []).append(call)
        self._logs.add(Path(call.log).name)
        if call.cost is not None:
            total, count = self._known.get((call.role, call.model), (0.0, 0))
            self._known[call.role, call.model] = (total + call.cost, count + 1)
            self._spent += call.cost

    def record(self, call: CallRecord, meter: Meter | None = None) -> None:
        """Write the call down; it is on disk when this returns, and its ``meter`` stops."""
        with self._lock:
            # The meter stops under the same lock: no other call sees this one twice, or not at all.
            json_lines.append_line(self.path, encode(call), durable=True)
            self._add(call)
            if meter is not None:
                self._meters.discard(meter)

    @property
    def records(self) -> list[CallRecord]:
        """All calls so far, oldest first."""
        with self._lock:
            return list(self._records)

    def of_node(self, node_id: str) -> list[CallRecord]:
        """Return the calls for one node, oldest first."""
        with self._lock:
            return list(self._of_node.get(node_id, ()))

    def since(self, count: int) -> list[CallRecord]:
        """Return the calls that were recorded after the first ``count``, oldest first."""
        with self._lock:
            return self._records[count:]

    def knows(self, log: str) -> bool:
        """Whether the call with that log is on record; the folder makes no difference.

        An earlier version noted the name without it.
        """
        with self._lock:
            return Path(log).name in self._logs

    @property
    def spent_usd(self) -> float:
        """The sum of all known costs."""
        with self._lock:
            return self._spent

    @contextmanager
    def running(self, expected_usd: float = 0.0) -> Iterator[Meter]:
        """Give a meter for a call that starts now; it counts until the call is recorded.

        ``expected_usd`` is set aside for it. Raises StoppedError when the ceiling leaves no room:
        nothing is left to spend, or not what this call and those under way are expected to cost.
        """
        meter = Meter(expected_usd)
        with self._lock:
            self._check_room(expected_usd)
            self._meters.add(meter)
        try:
            yield meter
        finally:
            with self._lock:
                self._meters.discard(meter)

    def expected_usd(self, role: str, model: str) -> float:
        """Return the mean known cost of this role's calls to this model so far (0: none yet)."""
        with self._lock:
            total, count = self._known.get((role, model), (0.0, 0))
            return total / count if count else 0.0

    def over_ceiling(self) -> bool:
        """Whether recorded calls and those under way together have passed the ceiling."""
        if not self.ceiling_usd:
            return False
        with self._lock:
            under_way = sum(meter.usd for meter in self._meters)
            return self._spent + under_way > self.ceiling_usd

    def _check_room(self, expected_usd: float) -> None:
        if not self.ceiling_usd:
            return
        spent = self._spent
        # Lanes that ask at the same time would otherwise all find the same money left.
        aside = expected_usd + sum(max(one.usd, one.reserved_usd) for one in self._meters)
        if spent >= self.ceiling_usd or spent + aside > self.ceiling_usd:
            raise ceiling_reached(spent, self.ceiling_usd, aside)


def ceiling_reached(spent_usd: float, ceiling_usd: float, aside_usd: float = 0.0) -> StoppedError:
    """Return the error for a job whose money is used up.

    ``aside_usd`` is what calls under way and the next one are expected to cost.
    """
    aside = f", ${aside_usd:.4f} more expected for the next calls" if aside_usd else ""
    return StoppedError(
        f"the cost ceiling is reached: ${spent_usd:.4f} of ${ceiling_usd:.4f} spent{aside}",
        "raise limits.cost_ceiling_usd in config.toml, then run the command again",
        Reason.CEILING,
    )


def read_calls(path: Path) -> list[CallRecord]:
    """Return the calls recorded at ``path``, oldest first."""
    return calls_in(json_lines.read_lines(path))


def calls_in(lines: Sequence[Mapping[str, Any]]) -> list[CallRecord]:
    """Return the calls that ``lines`` of a ledger are."""
    try:
        return [call.believed() for call in decode_all(CallRecord, lines)]
    except MismatchError:
        return list(_calls_among(lines))


def _calls_among(lines: Iterable[Mapping[str, Any]]) -> Iterator[CallRecord]:
    for line in lines:
        try:
            yield CallRecord.from_json(line)
        except MismatchError:
            continue  # a line of another tool or version: it is no call of ours


def cost_of_calls(calls: Iterable[CallRecord]) -> Cost:
    """Return what calls cost, and how many of them at a price that is not known."""
    return Cost.of(call.cost for call in calls)


def total_tokens(calls: Iterable[CallRecord]) -> Tokens:
    """Return the sum of all tokens, kind by kind."""
    return Tokens(*map(sum, zip(*(call.tokens for call in calls), strict=True)))


def grouped(calls: Iterable[CallRecord], key: str) -> dict[str, dict[str, Any]]:
    """Return totals per ``key`` ("role" or "model"), as records and reports show them."""
    groups: dict[str, list[CallRecord]] = {}
    for call in calls:
        groups.setdefault(getattr(call, key), []).append(call)
    return {name: _totals(group) for name, group in sorted(groups.items())}


def _totals(calls: Sequence[CallRecord]) -> dict[str, Any]:
    cost = cost_of_calls(calls).to_json()
    return {
        "calls": len(calls),
        **encode(total_tokens(calls)),
        "cost": cost["cost_known"],
        "unknown_cost_calls": cost["unpriced_calls"],  # by its older name
        **cost,
    }
