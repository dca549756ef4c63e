"""The report of an experiment as Markdown, for the summary of a CI step or a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from director.model.findings import Findings, Measure
from director.model.patterns import lazy_pattern
from director.model.printable import one_line
from director.model.statistics.verdict import Verdict
from director.reporting.experiment.words import (
    NAMES,
    footnotes,
    heading,
    in_money,
    in_time,
    sentence,
    solved,
)

HEADER = ("profile", "solved", "cost per done node", "time per done node", "cost of a run", "time")
SPECIAL = lazy_pattern(r"([\\`*_{}\[\]<>#|~])")


def experiment_markdown(found: Findings) -> str:
    """Return the report; no text in it can be markup."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Findings) -> Iterator[str]:
    yield from ("## director bench", "", _plain(heading(found)), "")
    yield from _table(
        HEADER,
        [
            (
                one.profile,
                solved(one),
                in_money(one.cost_per_node),
                in_time(one.secs_per_node),
                in_money(one.cost),
                in_time(one.secs),
            )
            for one in found.profiles
        ],
    )
    if names := [task for task in found.asked.tasks if task]:
        counts = [one.tasks for one in found.profiles]
        rows = [
            (task, *(f"{own[place].solved}/{own[place].repeats}" for own in counts))
            for place, task in enumerate(names)
        ]
        yield from ("", *_table(("solved of each task", *found.asked.profiles), rows))
    for measure in Measure:
        if compared := [one for one in found.comparisons if one.measure is measure]:
            yield from ("", f"**Differences in {NAMES[measure]}**", "")
            for one in compared:
                text = _plain(sentence(one))
                yield f"- {text if one.verdict is Verdict.INCONCLUSIVE else f'**{text}**'}"
    yield from ("", *(f"{_plain(note)}  " for note in footnotes(found)))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(header)
    yield _row(["---"] * len(header), as_is=True)
    yield from map(_row, rows)


def _row(cells: Sequence[str], *, as_is: bool = False) -> str:
    return f"| {' | '.join(cell if as_is else _plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", one_line(text))
