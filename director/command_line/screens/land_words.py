"""What ``director land`` shows: what would land, where it went, and how to undo that."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from director.job.gate_report import GateReport
from director.landing.land import LandReport
from director.landing.prospect import Prospect, Resolved
from director.landing.pushing import Requested
from director.model.codec.encoding import encode, encode_any
from director.model.format import counted
from director.model.landed import Landed
from director.model.printable import one_line, printable
from director.model.roles import Tier
from director.model.state import Attempt, AttemptOutcome
from director.records.job_directory import FOLDER
from director.reporting.terminal.cells import wrapped
from director.reporting.terminal.style import PLAIN, Style

LABEL = 12  # cells before what is said of something
MOST = 12  # conflicts, and files, that are named
BY = {Tier.ESCALATION: "escalated", Tier.HUMAN: "by hand"}  # whose work a node is, if it is told


def prospect_text(prospect: Prospect, style: Style = PLAIN) -> str:
    """Return what would land, as a person reads it."""
    plan, target = prospect.plan, prospect.target
    part = f", without {', '.join(prospect.left)}" if prospect.left else ""
    head = f"{plan.job_branch} → {target.branch}     {_standing(prospect)}{part}"
    rows = [line for row in _rows(prospect) for line in _row(*row, style.measure)]
    reds = [line for report in prospect.red for line in _red(report)]
    text = printable("\n".join([head, "", *rows, *reds]))
    return style.plain(text if style.unicode else text.replace("−", "-"))


def _standing(prospect: Prospect) -> str:
    if prospect.conflicts:
        return "it conflicts"
    if prospect.red:
        return "not green on the merged tree"
    done = "job done" if not prospect.left else f"{counted(len(prospect.nodes), 'node')} done"
    return f"{done}, all gates {'as before or green' if _excused(prospect) else 'green'}"


def _excused(prospect: Prospect) -> list[GateReport]:
    return [report for report in prospect.reports if report.as_before]


def _rows(prospect: Prospect) -> Iterator[tuple[str, str]]:
    """Give label and text of each row."""
    names = ", ".join(_node(prospect, node.id) for node in prospect.nodes)
    yield counted(len(prospect.nodes), "node"), names
    if not prospect.conflicts:
        size = prospect.size
        lines = f"+{size.added} −{size.removed}"
        yield counted(size.files, "file"), f"{lines}       {prospect.tests} of them tests"
    yield "base", _base(prospect)
    for conflict in prospect.conflicts[:MOST]:
        who = f"  (node {', '.join(conflict.nodes)})" if conflict.nodes else ""
        why = f": {conflict.unresolvable}" if conflict.unresolvable else ""
        yield "conflict", f"{one_line(conflict.path)}{who}{why}"
    if len(prospect.conflicts) > MOST:
        yield "", f"and {len(prospect.conflicts) - MOST} more"
    if prospect.edited:
        where = prospect.target.branch
        yield (
            "note",
            f"{', '.join(prospect.edited)}: changed on {where} too; the merged file was tested",
        )
    if prospect.resolved:
        yield from _resolution(prospect.resolved)
    yield "verified", _verified(prospect)
    yield "cost", prospect.cost.in_words()


def _node(prospect: Prospect, node_id: str) -> str:
    state = prospect.states.get(node_id)
    how = BY.get(state.tier_used) if state and state.tier_used else None
    return f"{node_id} ({how})" if how else node_id


def _base(prospect: Prospect) -> str:
    branch = prospect.target.branch
    if not prospect.newer:
        return f"{branch} is where the job began"
    commits = f"{branch} has {counted(prospect.newer, 'newer commit')}"
    if prospect.conflicts:
        conflict = "it conflicts" if prospect.newer == 1 else "they conflict"
        return f"{commits}; {conflict} in {counted(len(prospect.conflicts), 'file')}"
    if (resolved := prospect.resolved) and resolved.done:
        they = "it" if prospect.newer == 1 else "they"
        return f"{commits}; {they} conflicted in {counted(len(resolved.paths), 'file')}"
    they = "it merges" if prospect.newer == 1 else "they merge"
    return f"{commits}; {they} without conflict"


def _resolution(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Give what became of conflicts that models were to resolve."""
    if resolved.done:
        them = "it" if len(resolved.paths) == 1 else "them"
        yield "resolved", f"{resolved_words(resolved)}; look at {them} with [d]iff"
        for path in resolved.paths[:MOST]:
            yield "", one_line(path)
        if len(resolved.paths) > MOST:
            yield "", f"and {len(resolved.paths) - MOST} more"
        return
    for attempt in resolved.attempts:
        failure = attempt.failure
        said = one_line(failure.headline) if failure else ""
        yield (
            "attempt",
            f"{attempt.number} by {one_line(attempt.model)}: {_came_to(attempt)}: {said}",
        )
        if failure and failure.log:
            yield "", f"output  {FOLDER}/{one_line(failure.log)}"
    if resolved.stuck:
        yield "", f"no model can help: {one_line(resolved.stuck)}"
    if resolved.ask:
        yield "would ask", f"{_asked_words(resolved)}; all tests and [gates] decide"


def resolved_words(resolved: Resolved) -> str:
    """Return by whom conflicts were resolved, and in how many attempts."""
    attempts = counted(len(resolved.attempts), "attempt")
    before = "" if resolved.calls else " of an earlier command"
    conflicts = counted(len(resolved.paths), "conflict")
    return f"{conflicts} resolved by {one_line(resolved.by)} in {attempts}{before}"


def _asked_words(resolved: Resolved) -> str:
    """Return which models would be asked, and how often."""
    return ", then ".join(
        f"{one_line(model)} (at most {counted(times, 'attempt')})"
        if times > 1
        else f"{one_line(model)} (once)"
        for model, times in resolved.ask
    )


def _came_to(attempt: Attempt) -> str:
    names = {AttemptOutcome.UNRESOLVED: "conflict markers left"}
    return names.get(attempt.outcome, attempt.outcome.replace("_", " "))


def _verified(prospect: Prospect) -> str:
    found = prospect.verified
    said = f"{counted(found.merges, 'merge')}, {counted(found.receipts, 'receipt')}"
    gates = [one.name for one in prospect.reports if one.ok and not one.nodes and not one.as_before]
    green = ["all tests"] if all(one.ok for one in prospect.reports if one.nodes) else []
    green += [f"{'gate' if len(gates) == 1 else 'gates'} {', '.join(gates)}"] if gates else []
    if not prospect.reports:
        green = []
    before = [f"{one.name} {one.verdict} as before" for one in _excused(prospect)]
    if green:
        said += f"; {' and '.join(green)} green on the merged tree"
    return "; ".join([said, *before])


def _row(label: str, text: str, width: int) -> Iterator[str]:
    first, *others = wrapped(text, width - LABEL)
    yield f"  {label:<{LABEL - 2}}{first}".rstrip()
    yield from (f"{'':<{LABEL}}{line}" for line in others)


def _red(report: GateReport) -> Iterator[str]:
    """Give what a person reads of a gate that is not green."""
    failure = report.failure
    code = f"   exit code {failure.exit_code}" if failure and failure.exit_code is not None else ""
    yield ""
    yield f"✗ {one_line(report.name)}"
    yield f"    {one_line(report.command)}{code}"
    for line in (failure.excerpt if failure else report.reason).splitlines():
        yield f"    │ {line}"
    if report.log:
        yield f"    output  {FOLDER}/{report.log}"


def nothing_text(what: str) -> str:
    """Return what is said where there is nothing to land."""
    return f"{what}."


def landed_text(prospect: Prospect, report: LandReport) -> str:
    """Return what happened, and how to undo it."""
    landed = report.landed
    if report.requested:
        return printable("\n".join(_request_lines(prospect, report.requested)))
    part = " in part" if landed.partial else ""
    how = "with a merge commit" if landed.how == "merge" else "as one commit"
    resolved = prospect.resolved
    by = f"; {resolved_words(resolved)}" if resolved and resolved.done else ""
    return "\n".join(
        [
            f"Landed{part} on {landed.onto} {how}: {landed.commit[:12]}{by}.",
            f"Undo: `{shlex.join(report.undo)}`",
        ]
    )


def _request_lines(prospect: Prospect, requested: Requested) -> Iterator[str]:
    branch = prospect.target.branch
    if requested.url or not requested.problem:
        where = f": {requested.url}" if requested.url else ""
        yield f"Pushed to {requested.remote}; a pull request for {branch} is open{where}."
        return
    yield f"Pushed to {requested.remote}; no pull request was made: {requested.problem}."
    yield f"Make it with: {_shown(requested.command)}"


def _shown(command: tuple[str, ...]) -> str:
    """Return a command for a shell; what is to be read from a file stays an expression."""
    return " ".join(f'"{one}"' if one.startswith("$(cat ") else shlex.quote(one) for one in command)


def as_json(prospect: Prospect, report: LandReport | None) -> dict[str, Any]:
    """Return the keys of ``--json``."""
    landed = report.landed if report else prospect.landed
    requested = report.requested if report else None
    return {
        "job_branch": prospect.plan.job_branch,
        "onto": prospect.target.branch,
        "old": prospect.target.tip,
        "tip": prospect.verified.tip,
        "nodes": [node.id for node in prospect.nodes],
        "left_out": list(prospect.left),
        "newer_commits": prospect.newer,
        "files": prospect.size.files,
        "added": prospect.size.added,
        "removed": prospect.size.removed,
        **_resolution_json(prospect, landed),
        "conflicts": [encode(one) for one in prospect.conflicts],
        "gates": [one.to_json() for one in prospect.reports],
        "landed": encode_any(landed),
        "undo": list(report.undo) if report and report.undo else None,
        "pull_request": (
            {
                "remote": requested.remote,
                "url": requested.url or None,
                "command": list(requested.command),
                "problem": requested.problem or None,
            }
            if requested
            else None
        ),
        **prospect.cost.totals(),
    }


def _resolution_json(prospect: Prospect, landed: Landed | None) -> dict[str, Any]:
    found = prospect.resolved
    done = found is not None and found.done
    paths = found.paths if found and done else landed.resolved if landed else ()
    by = found.by if found and done else landed.resolved_by if landed else ""
    return {
        "resolved": list(paths),
        "resolved_by": by or None,
        "resolution_kept": prospect.kept or bool(found and done and not found.calls),
        "attempts": [encode(one) for one in found.attempts] if found else [],
        "would_ask": [model for model, _ in found.ask] if found else [],
    }
