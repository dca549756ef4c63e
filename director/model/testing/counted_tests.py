"""How many tests a run shows, and sentences like "3 passed, 1 skipped" that say so."""

from collections.abc import Iterable
from typing import NamedTuple

from director.model.patterns import lazy_pattern


class CountedTests(NamedTuple):
    """What a run shows of its tests.

    ``runner`` None: not recognised. ``executed``: tests that ran, whatever became of them
    (None: not known). ``announced``: how many the runner said it would run (0: it does not say).
    """

    runner: str | None
    executed: int | None
    skipped: int = 0
    announced: int = 0


UNKNOWN = CountedTests(None, None)


def total(found: Iterable[CountedTests]) -> CountedTests:
    """Return the sum of several counts; not known where one of them is not."""
    counts = list(found)
    known = [one.executed for one in counts if one.executed is not None]
    return CountedTests(
        runner=", ".join(one.runner for one in counts if one.runner) or None,
        executed=sum(known) if counts and len(known) == len(counts) else None,
        skipped=sum(one.skipped for one in counts),
        announced=sum(one.announced for one in counts),
    )


_RAN = lazy_pattern(
    r"\b(\d+) (?:passed|failed|x?passed|xfailed|errors?|passing|failing|measured)\b"
)
_LEFT_OUT = lazy_pattern(r"\b(\d+) (?:skipped|pending|ignored|todo)\b")


def worded(runner: str, lines: Iterable[str]) -> CountedTests | None:
    """Add up lines like "3 passed, 1 skipped"; None when there are none."""
    text = "\n".join(lines)
    if not text:
        return None
    return CountedTests(runner, add_up(_RAN.findall(text)), add_up(_LEFT_OUT.findall(text)))


def add_up(numbers: Iterable[str | None]) -> int:
    """Add up numbers as they are printed; of absurd ones the first nine digits count."""
    return sum(int(number[:9]) for number in numbers if number)
