"""What ``plan`` says at its end: what lies at an approval, what is asked, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from director.command_line.result import Result
from director.job.stage import Stage, stands_at
from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.format import counted
from director.model.integration_gates import as_before, not_counting
from director.model.plan import Node
from director.model.plan_reader import InvalidPlanError, read_plan
from director.model.questions import Question, option_lines
from director.model.reason import Reason
from director.planning.current_job import CONTINUE, next_command
from director.planning.pipeline import PlanReport
from director.records import files
from director.records.job_directory import JobDirectory
from director.reporting.approvals.changes import node_changes, text_diff
from director.reporting.approvals.history import expectations
from director.reporting.approvals.plan_view import Row, plan_rows, plan_table, spec_outline
from director.reporting.terminal.cells import wrapped

INDENT = "   "

Tests = Mapping[str, str]
"""Path of a test file → its text."""


def plan_result(
    report: PlanReport,
    width: int,
    *,
    shown: bool = False,
    known: bool = False,
    tests: Tests | None = None,
) -> Result:
    """Return how planning ended; ``shown``: what waits was shown before, its table is left out.

    ``known``: where to read and edit it was shown, too. ``tests`` None: those that are laid out for
    editing; else a plan is shown wherever it stands.
    """
    parts = [_where_it_stands(report) if known else message(report)]
    if not shown:
        parts = [*changes_text(report), *overview(report, width, tests), *parts]
    what, _, _ = message(report).partition("\n")
    command = next_command(report.stage)
    return Result(
        "\n\n".join(parts),
        {**as_json(report), "plan": [row.to_json() for row in _rows(report, tests)]},
        what=what.rstrip(":."),
        next_step=command,
        reason=Reason.DECISION_NEEDED if report.stage.questions else None,
        next_command=tuple(command.split()),
        job_id=report.stage.job_id,
    )


def _where_it_stands(report: PlanReport) -> str:
    """Return the first and the last line of ``message``, where the others are known."""
    first, *between, last = message(report).splitlines()
    return "\n".join([first, *(between if report.stage.questions else ()), last])


def message(report: PlanReport) -> str:
    """Return the lines that say where planning stands and how it is continued."""
    spent, directory = f"so far: {report.cost.in_words()}", report.directory
    if asked := report.stage.questions:
        named = counted(len(asked), "decision")
        return (
            f"The planner needs {named} from you: answer in {directory.questions} ({spent}).\n"
            f"A question without an answer gets the recommended one.\n"
            f'Next: {CONTINUE}, or pass it: `director plan --answer "1: a"`'
        )
    match report.stage.stage:
        case Stage.SPEC | Stage.DECOMPOSE:
            where = stands_at(report.stage)
            return f"{where[0].upper()}{where[1:]} ({spent}).\nNext: {CONTINUE}"
        case Stage.SPEC_APPROVAL:
            return (
                f"The spec waits for your approval ({spent}).\n"
                f"Read and edit it: {directory.spec}\nNext: {CONTINUE}"
            )
        case Stage.PLAN_APPROVAL:
            return (
                f"The plan waits for your approval ({spent}).\n"
                f"Read and edit the plan: {directory.plan}\n"
                f"Read the tests: {_diff(report)}\nEdit the tests: {directory.tests}\n"
                f"{_told(report)}{_not_counting(report)}Next: {CONTINUE}"
            )
    nodes = counted(len(report.nodes), "node")
    return f"The plan is ready: {nodes}, tests frozen and red ({spent}).\nNext: director run"


def overview(report: PlanReport, width: int, tests: Tests | None = None) -> list[str]:
    """Return what lies at the approval, or what is asked, as a person looks at it.

    ``tests`` as in ``plan_result``.
    """
    if report.stage.questions:
        return [questions_text(report.stage.questions, width)]
    if report.stage.stage is Stage.SPEC_APPROVAL:
        text = files.read_text(report.directory.spec) or ""
        lines = counted(len(text.splitlines()), "line")
        return [f"spec.md ({lines})\n{spec_outline(text, width)}".rstrip()]
    rows = _rows(report, tests)
    return [plan_table(rows, width)] if rows else []


def _rows(report: PlanReport, tests: Tests | None) -> list[Row]:
    """Return the rows of the plan where it is to be seen."""
    stage = report.stage.stage
    waits = stage is Stage.PLAN_APPROVAL or (tests is not None and stage is not Stage.SPEC_APPROVAL)
    if not waits or not report.nodes:
        return []
    known = expectations(report.directory)
    return plan_rows(report.nodes, laid_out(report) if tests is None else tests, known)


def questions_text(questions: tuple[Question, ...], width: int) -> str:
    """Return the planner's questions, their options by letters."""
    blocks = []
    for number, one in enumerate(questions, 1):
        lines = [*wrapped(f"{number}. {one.question}", width)]
        if one.why:
            lines += _indented(one.why, width)
        for letter, option in option_lines(one):
            lines += _indented(f"{letter}: {option}", width)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _indented(text: str, width: int) -> list[str]:
    return [f"{INDENT}{line}" for line in wrapped(text, width - len(INDENT))]


def laid_out(report: PlanReport) -> Tests:
    """Return the tests that are laid out for editing."""
    places = {path: report.directory.tests / path for one in report.nodes for path in one.tests}
    return {path: files.read_beginning(at) for path, at in places.items() if at.is_file()}


def changes_text(report: PlanReport) -> list[str]:
    """Return what the last revision changed, where there was one just now."""
    if not report.revised or report.stage.questions:
        return []
    if report.stage.stage is Stage.SPEC_APPROVAL:
        return [_spec_diff(report) or "The spec is as it was."]
    return [node_changes(_earlier_nodes(report.directory), report.nodes).in_words()]


def _spec_diff(report: PlanReport) -> str:
    directory = report.directory
    before = files.read_text(directory.earlier / directory.spec.name) or ""
    return text_diff(before, files.read_text(directory.spec) or "", directory.spec.name)


def _earlier_nodes(directory: JobDirectory) -> tuple[Node, ...]:
    """Return the nodes before the last revision; none where they cannot be read any more."""
    try:
        stored = files.read_json(directory.earlier / directory.plan.name)
        return read_plan(stored).nodes
    except (RequestError, InvalidPlanError):
        return ()


def as_json(report: PlanReport) -> dict[str, Any]:
    """Return what ``--json`` says of a planning."""
    stage = report.stage
    return {
        "task": stage.task,
        "stage": stage.stage,
        "paused": report.paused,
        "job_branch": stage.job_branch,
        "base_commit": stage.base_commit,
        "nodes": [node.id for node in report.nodes],
        "test_support": [{"node": node_id, "path": path} for node_id, path in _support(report)],
        "base_gates": stage.base_gates or {},
        "base_gates_words": _gates(report),
        "preflight": encode(stage.preflight) if stage.preflight else None,
        "cost_usd": report.cost.total,
        **report.cost.totals(),
        "look_at": _look_at(report),
        "questions": [encode(one) for one in stage.questions],
        "decisions": [encode(one) for one in stage.decisions],
        "changes": _changes(report),
    }


def _changes(report: PlanReport) -> dict[str, Any] | None:
    if not report.revised or report.stage.questions:
        return None
    if report.stage.stage is Stage.SPEC_APPROVAL:
        return {"spec_diff": _spec_diff(report)}
    return node_changes(_earlier_nodes(report.directory), report.nodes).to_json()


def _look_at(report: PlanReport) -> list[str]:
    directory = report.directory
    if report.stage.questions:
        return [str(directory.questions)]
    match report.stage.stage:
        case Stage.SPEC_APPROVAL:
            return [str(directory.spec)]
        case Stage.PLAN_APPROVAL:
            return [str(directory.plan), _diff(report), str(directory.tests)]
    return []


def _diff(report: PlanReport) -> str:
    return f"git diff {report.stage.base_commit[:12]} {report.stage.job_branch}"


def _gates(report: PlanReport) -> str:
    """Return which gates are red or broken on the base, in words; "": none is."""
    return as_before(not_counting(report.stage.base_gates or {}))


def _not_counting(report: PlanReport) -> str:
    """Return the line that says which gates judge no work, or ""."""
    named = _gates(report)
    return (
        f"These gates fail on the base already, so they do not count: {named}.\n" if named else ""
    )


def _support(report: PlanReport) -> list[tuple[str, str]]:
    return [(node.id, path) for node in report.nodes for path in node.test_support]


def _told(report: PlanReport) -> str:
    """Return the line that says which nodes may change how tests run, or ""."""
    named = ", ".join(f"{path} ({node_id})" for node_id, path in _support(report))
    return f"Nodes may change files that decide how tests run: {named}.\n" if named else ""
