"""``director amend``: change one node of an approved plan, and approve it again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from typing import Any

from director.command_line.context import Context, add_common_flags, add_events_flag
from director.command_line.dialogs.task_text import given_wishes
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.workspace import load_config, open_workspace
from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.printable import printable
from director.planning.amending import AmendOptions, AmendReport, Step, amend_node
from director.reporting.approvals.changes import text_diff

EXAMPLES = (
    ("director amend parser", "lay out the node and its tests for editing"),
    ("director amend parser --continue", "approve it as it is on disk now"),
    ('director amend parser --revise "an empty line is no error"', "have the models rewrite it"),
)
SHOWN_LINES = 80  # of what changed
FIELDS = ("title", "files", "test_cmd", "tests", "depends_on", "test_support")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``amend``."""
    parser.add_argument("node", metavar="NODE", help="a node that is not merged yet")
    parser.add_argument(
        "--revise",
        metavar="TEXT",
        help="have the models rewrite it: what is to change, in your words; - reads standard input",
    )
    parser.add_argument(
        "--continue",
        dest="approve",
        action="store_true",
        help="approve it as it is on disk now: its tests must be red again",
    )
    parser.add_argument("--cancel", action="store_true", help="leave it as it was approved")
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Open, rewrite, approve or cancel the amendment, and say what comes next."""
    words = None if args.revise is None else given_wishes(args, context)
    options = AmendOptions(words, args.approve, args.cancel)
    if options.cancel and (options.approve or options.words is not None):
        raise RequestError("--cancel cannot be combined with other flags", "leave one of them out")
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    report = amend_node(workspace, workspace.home.job, config, args.node, options)
    return context.finish(args, _result(report))


def _result(report: AmendReport) -> Result:
    what, following = _what(report), _next(report)
    data = {
        "node": report.after.id,
        "state": report.step,
        "before": encode(report.before),
        "after": encode(report.after),
        "look_at": _look_at(report),
    }
    return Result(
        text=_text(report, what, following),
        data=data,
        what=what,
        next_step=shlex.join(following),
        next_command=following,
        job_id=report.job_id,
    )


def _what(report: AmendReport) -> str:
    node_id = report.after.id
    if report.step is Step.APPROVED:
        return f"Node {node_id} is amended: its tests are red, and it has fresh attempts"
    if report.step is Step.CANCELLED:
        return f"Node {node_id} is as it was approved"
    changed = " is changed and" if list(_changes(report)) else ""
    return f"Node {node_id}{changed} waits for your approval"


def _next(report: AmendReport) -> tuple[str, ...]:
    if report.step is Step.OPEN:
        return ("director", "amend", report.after.id, "--continue")
    return ("director", "run")


def _look_at(report: AmendReport) -> list[str]:
    """Return the files that can be edited."""
    if report.step is not Step.OPEN:
        return []
    places = (report.directory.tests / path for path in report.after.tests)
    return [str(report.directory.plan), *(str(path) for path in places if path.exists())]


def _text(report: AmendReport, what: str, following: tuple[str, ...]) -> str:
    lines = [f"{what}."]
    if changes := [printable(line) for line in _changes(report)]:
        more = [f"… {len(changes) - SHOWN_LINES} more lines"] if len(changes) > SHOWN_LINES else []
        lines += ["", *changes[:SHOWN_LINES], *more, ""]
    if report.step is Step.OPEN:
        plan, *tests = _look_at(report)
        lines.append(f'Edit it: "{report.after.id}" in {plan} (spec, files, test_cmd, tests)')
        lines += [f"         {path}" for path in tests]
        lines.append(f"Cancel: director amend {report.after.id} --cancel")
    return "\n".join([*lines, f"Next: {shlex.join(following)}"])


def _changes(report: AmendReport) -> Iterator[str]:
    """Give what changed of a node, line by line."""
    before, after = report.before, report.after
    for name in FIELDS:
        was, is_now = getattr(before, name), getattr(after, name)
        if was != is_now:
            yield f"{name}: {_shown(was)} → {_shown(is_now)}"
    yield from text_diff(before.spec, after.spec, "spec").splitlines()
    for path in dict.fromkeys((*before.tests, *after.tests)):
        was, is_now = (texts.get(path, "") for texts in (report.tests_before, report.tests_after))
        yield from text_diff(was, is_now, path).splitlines()


def _shown(value: Any) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
