"""What is remembered of the last run: how long each test took, and which failed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.runner.pool import Ended
from tests.support.runner.suite import Unit

UNKNOWN_SECS, UNKNOWN_FAST_SECS = 1.0, 0.01


@dataclass(frozen=True)
class Record:
    """Seconds of each test, and the tests that failed when they ran last."""

    secs: Mapping[str, float] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()

    def after(self, ended: Iterable[Ended]) -> Record:
        """Return the record after these tests; what is said of others stays."""
        secs, failed = dict(self.secs), set(self.failed)
        for one in ended:
            secs[one.test] = round(one.secs, 3)
            failed.discard(one.test)
            if one.outcome == "failed":
                failed.add(one.test)
        return Record(secs, frozenset(failed))

    def longest_first(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units in the order in which they are begun, so that all end at about once."""

        def secs(unit: Unit) -> float:
            unknown = UNKNOWN_FAST_SECS if unit.fast else UNKNOWN_SECS
            return sum(self.secs.get(test, unknown) for test in unit.tests)

        return sorted(units, key=secs, reverse=True)


def record_file(cache: Path, source: Path) -> Path:
    """Return where the record of a checkout lies in a user's cache folder."""
    name = hashlib.sha256(str(source).encode()).hexdigest()[:16]
    return cache / "director-tests" / "last-run" / f"{name}.json"


def read_record(path: Path) -> Record:
    """Return the record; an empty one where there is none, or none that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(path.read_text())
        return Record(dict(said["secs"]), frozenset(said["failed"]))
    return Record()


def write_record(path: Path, record: Record) -> None:
    """Keep a record; without a place for it the next run knows nothing."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"secs": record.secs, "failed": sorted(record.failed)}))
        part.replace(path)
