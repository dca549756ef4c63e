"""Headings and ends of what a log shows: attempts, calls, gates, reviews. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from director.model.format import duration, money
from director.model.printable import one_line
from director.model.roles import Role
from director.reporting.logs.node_log import (
    AttemptLog,
    CallLog,
    FaultLog,
    GateLog,
    NodeLog,
    ReviewLog,
)
from director.reporting.logs.step_view import INDENT, clock, prose, quoted, shortened
from director.reporting.terminal.cells import cut, width_of
from director.reporting.terminal.columns import wrapped
from director.reporting.terminal.style import Paint, Style

WORDS = {
    "no_test_ran": "no test ran",
    "unchanged": "changed nothing",
    "out_of_scope": "out of scope",
    "contract_violated": "changed frozen tests",
    "blocked_by_review": "blocked by review",
    "context_too_long": "prompt too long",
    "as_before": "fails whatever the work is",
    "regression": "broke tests of other nodes",
    "green": "merged",
}
PURPOSES = {
    "before": "before the work",
    "scope": "on the draft",
    "candidate": "on the candidate",
    "again": "again",
    "control": "with unreadable files",
    "merged": "on the merged tree",
    "contract": "with the tests of all that is done",
    "contract before": "of nodes that are done, without the candidate",
    "contract alone": "of nodes that are done, on the candidate alone",
    "contract blame": "of nodes that are done, in search of the candidate that broke them",
    "rebuilt": "on a merge without a receipt",
    "tests": "of the new tests, on the base",
}


def words_of(outcome: str) -> str:
    """Return the outcome of an attempt as people say it."""
    return WORDS.get(outcome, outcome.replace("_", " "))


def attempt_heading(attempt: AttemptLog, style: Style) -> str:
    """Return the line above an attempt."""
    told = (f"attempt {attempt.number}", attempt.tier, attempt.model, words_of(attempt.outcome))
    return ruled(" · ".join(one_line(one) for one in told if one), style)


def call_heading(call: CallLog, style: Style) -> str:
    """Return the line above a call that is not the work of an attempt."""
    who = call.role.replace("_", " ")
    of_tests = f"tests of {call.node}" if call.role == Role.TEST_AUTHOR else ""
    told = (who, of_tests, call.model)
    return ruled(" · ".join(one_line(one) for one in told if one), style)


def ruled(title: str, style: Style) -> str:
    """Return a heading that reaches over the window."""
    head = cut(f"── {title} ", style.width - 2, style.marks.ellipsis)
    return style.painted(head + "─" * (style.width - width_of(head)), Paint.BOLD)


def call_end(call: CallLog, style: Style) -> Iterator[str]:
    """Give the end of a call: outcome, tokens, cost and time."""
    if not call.outcome:
        yield style.painted("no end on record: it is under way, or was killed", Paint.DIM)
        return
    cost = money(call.cost) if call.cost is not None else "unpriced"
    told = [f"{call.tokens:,} tokens", cost]
    told += [duration(call.secs)] if call.secs is not None else []
    reason = f": {one_line(shortened(call.reason))}" if call.reason else ""
    text = f"end: {call.outcome}{reason} · {' · '.join(told)}"
    yield from _wrapped(text, style, Paint.DIM if call.outcome == "completed" else Paint.RED)


def gate_lines(gate: GateLog, where: str, style: Style) -> Iterator[str]:
    """Give what a gate came to; ``where`` is the path of its output ("": there is none)."""
    purpose = PURPOSES.get(gate.purpose, gate.purpose)
    colour = Paint.GREEN if gate.verdict == "green" else Paint.RED
    text = one_line(f"gate {purpose} → {gate.verdict} ({gate.reason})")
    yield from _wrapped(text, style, colour)
    if gate.command:
        yield from _wrapped(f"{INDENT}{one_line(gate.command)}", style, Paint.DIM)
    if gate.failure and gate.failure.headline:
        said = one_line(shortened(gate.failure.headline))
        yield from quoted(style, wrapped(said, style.width - 2 * len(INDENT)))
    if where and gate.verdict != "green":
        yield style.painted(f"{INDENT}output {where}", Paint.DIM)


def review_lines(review: ReviewLog, style: Style) -> Iterator[str]:
    """Give what a reader said."""
    verdict = "blocks" if review.blocked else "lets it through"
    text = f"review {verdict}: {one_line(review.summary)}"
    yield from _wrapped(text, style, Paint.RED if review.blocked else Paint.GREEN)
    for one in review.findings:
        place = f"{one['file']}: " if one.get("file") else ""
        said = f"- {one.get('severity')}: {place}{one.get('problem')}"
        yield from prose(style, one_line(said))


def fault_lines(fault: FaultLog, style: Style) -> Iterator[str]:
    """Give a fault of a provider, after which the call is made again."""
    yield from _wrapped(f"provider fault: {one_line(fault.reason)}; asked again", style, Paint.RED)


def attempt_end(attempt: AttemptLog, style: Style) -> Iterator[str]:
    """Give what an attempt came to, in the words of its lesson."""
    if not attempt.number:
        return
    said = attempt.failure.headline if attempt.failure else ""
    said = said or next(iter(attempt.lesson.strip().splitlines()), "")
    if attempt.gates and attempt.gates[-1].failure == attempt.failure and attempt.failure:
        said = ""  # the gate, just above, says it
    reason = f": {one_line(shortened(said))}" if said else ""
    outcome = words_of(attempt.outcome) or "no outcome on record"
    good = attempt.outcome in ("green", "")
    yield from _wrapped(
        f"attempt {attempt.number}: {outcome}{reason}", style, Paint.PLAIN if good else Paint.RED
    )


def node_end(log: NodeLog, style: Style) -> Iterator[str]:
    """Give how a node ended."""
    reason = f": {one_line(log.error)}" if log.error else ""
    colour = Paint.GREEN if log.status == "done" else Paint.RED
    yield from _wrapped(f"{log.node} {log.status}{reason}", style, colour)


def _wrapped(text: str, style: Style, colour: Paint) -> Iterator[str]:
    for number, line in enumerate(wrapped(text, style.width - len(INDENT))):
        shown = f"{INDENT}{line}" if number else line
        yield style.painted(shown, colour)


def local_time(ts: str) -> str:
    """Return the time of day, here, of a moment on record; "" for what is none."""
    try:
        return clock(datetime.fromisoformat(ts).timestamp())
    except ValueError:
        return ""
