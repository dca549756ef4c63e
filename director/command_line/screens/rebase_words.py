"""What ``director rebase`` shows: what becomes of each node on the new base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from director.model.format import counted
from director.model.integration_gates import not_counting
from director.model.printable import one_line, printable
from director.model.state import NodeStatus
from director.reporting.terminal.cells import wrapped
from director.running.rebasing import Prospect
from director.running.replaying import Carried, Fate

LABEL = 12  # cells before what is said of something
MEASURE = 96  # cells of a line
WIDEST = 28  # cells of a node's id: others take a line of their own
WORDS = {Fate.CARRIED: "carried, green", Fate.AGAIN: "to be done again"}


def table(prospect: Prospect) -> str:
    """Return what would become of the job, as a person reads it."""
    plan, base = prospect.plan, prospect.base
    head = f"{plan.job_branch}   {base.before[:12]} → {base.commit[:12]} ({base.name})"
    rows = [line for row in _rows(prospect) for line in _row(*row)]
    return printable("\n".join([head, "", *rows, "", *_nodes(prospect)]))


def rebased_words(prospect: Prospect) -> str:
    """Return how many nodes are carried, and how many are not, in one sentence."""
    carried, again = prospect.of(Fate.CARRIED), prospect.of(Fate.AGAIN)
    said = [f"{counted(len(carried), 'node')} carried"]
    said += [f"{len(again)} to be done again"] if again else []
    said += [f"{len(left)} not done yet"] if (left := prospect.of(Fate.LEFT)) else []
    return ", ".join(said)


def next_of(prospect: Prospect, job: str | None) -> tuple[str, ...]:
    """Return the command that continues a job which was rebased, or lands one that is done."""
    if len(prospect.of(Fate.CARRIED)) == len(prospect.fates):
        return ("director", "land", *(("--job", prospect.plan.job_id) if job is not None else ()))
    if job is not None:
        return ("director", "plan", "--resume", prospect.plan.job_id)
    return ("director", "run")


def as_json(prospect: Prospect) -> dict[str, Any]:
    """Return the keys of ``--json``."""
    base = prospect.base
    return {
        "job_branch": prospect.plan.job_branch,
        "onto": base.name,
        "before": base.before,
        "base": base.commit,
        "newer_commits": base.newer,
        "missing_commits": base.missing,
        "tip": prospect.tip or None,
        "nodes": [
            {
                "node": one.node,
                "fate": one.fate,
                "why": one.why,
                "status": _status(prospect, one),
                "commit": one.commit or None,
                "log": one.failure.log if one.failure else "",
            }
            for one in prospect.fates
        ],
        "moved_files": [one._asdict() for one in prospect.moved],
        "base_gates": {name: gate["verdict"] for name, gate in prospect.base_gates.items()},
    }


def _rows(prospect: Prospect) -> Iterator[tuple[str, str]]:
    """Give label and text of what there is to say before the nodes."""
    base = prospect.base
    commits = f"{base.name} has {counted(base.newer, 'newer commit')}"
    lacks = f", and lacks {base.missing} that the job's base has" if base.missing else ""
    yield "base", f"{commits}{lacks}"
    if prospect.base_gates:
        dead = not_counting(prospect.base_gates)
        said = ", ".join(f"{name} is {verdict} there" for name, verdict in dead.items())
        green = [name for name in prospect.base_gates if name not in dead]
        yield "gates", "; ".join(filter(None, [f"{', '.join(green)} green" if green else "", said]))
    for moved in prospect.moved:
        now = f"is {one_line(moved.now)} there" if moved.now else "is deleted there"
        who = ", ".join(moved.nodes)
        yield "note", f"{one_line(moved.path)}, which {who} may change, {now}"


def _nodes(prospect: Prospect) -> Iterator[str]:
    """Give a line, or some, for each node."""
    width = min(max((len(one.node) for one in prospect.fates), default=0), WIDEST)
    for one in prospect.fates:
        said = f"{_fate(prospect, one)}{f': {one_line(one.why)}' if one.why else ''}"
        first, *more = wrapped(said, MEASURE - width - 4)
        yield f"  {one.node:<{width}}  {first}"
        yield from (f"  {'':<{width}}  {line}" for line in more)
        if one.failure and one.failure.log:
            yield f"  {'':<{width}}  output  .director/{one.failure.log}"


def _fate(prospect: Prospect, one: Carried) -> str:
    return WORDS.get(one.fate) or _status(prospect, one)


def _status(prospect: Prospect, one: Carried) -> str:
    """Return where a node stands then, as ``state.json`` spells it."""
    if one.fate is Fate.CARRIED:
        return NodeStatus.DONE
    if one.fate is Fate.AGAIN:
        return NodeStatus.PENDING
    return prospect.states[one.node]


def _row(label: str, text: str) -> Iterator[str]:
    first, *others = wrapped(text, MEASURE - LABEL)
    yield f"  {label:<{LABEL - 2}}{first}".rstrip()
    yield from (f"{'':<{LABEL}}{line}" for line in others)
