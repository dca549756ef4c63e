"""What a diagnosis finds: rows, each of which is fine, or says what to do."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple


class Level(StrEnum):
    """How bad it is: a warning costs something or may surprise, a problem stops the work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Row(NamedTuple):
    """One thing that was looked at. ``about`` names it, ``what`` says in a sentence what was found.

    ``fix`` is what to do ("": nothing), ``where`` a place in a file ("config.toml:12"), and
    ``usd`` what it cost to find out (None: unknown).
    """

    level: Level
    about: str
    what: str
    fix: str = ""
    where: str = ""
    usd: float | None = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the row as ``--json`` shows it."""
        return {
            "level": self.level.value,
            "about": self.about,
            "what": self.what,
            "fix": self.fix,
            "where": self.where,
        }


def ok(about: str, what: str) -> Row:
    """Return the row for what is as it must be."""
    return Row(Level.OK, about, what)


def warning(about: str, what: str, fix: str, where: str = "") -> Row:
    """Return the row for what costs something, or may surprise."""
    return Row(Level.WARNING, about, what, fix, where)


def problem(about: str, what: str, fix: str, where: str = "") -> Row:
    """Return the row for what stops the work."""
    return Row(Level.PROBLEM, about, what, fix, where)


def count(rows: Iterable[Row], level: Level) -> int:
    """Return how many rows are of a level."""
    return sum(row.level is level for row in rows)
