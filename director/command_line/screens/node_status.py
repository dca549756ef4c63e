"""``director status --node``: all that is on record of one node, and its last candidate."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from director.command_line.again import Given
from director.command_line.context import Context
from director.command_line.output import style_of_output
from director.command_line.result import Result
from director.model.codec.encoding import encode
from director.model.errors import ExitCode, RequestError
from director.model.naming import known_node
from director.model.plan import Node, Plan
from director.model.state import NodeState, NodeStatus
from director.records.job_directory import JobDirectory
from director.reporting.status.node_page import NodePage, page_lines, what_happened
from director.reporting.status.node_reader import read_page


def show_node(args: argparse.Namespace, context: Context, directory: JobDirectory) -> int:
    """Print the page of ``--node``, or the diff of its last candidate."""
    plan = directory.load_plan()
    node_id = known_node(plan, args.node).id
    if args.diff:
        return _show_diff(args, context, directory, plan, node_id)
    root, then = directory.root, next_of(args)
    page = read_page(directory, plan, node_id, root, context.redactor, then)
    if args.json:
        return context.finish(args, Result("", _as_json(page), job_id=plan.job_id))
    style = style_of_output(args, context)
    text = "\n".join(map(style.plain, page_lines(page, style)))
    return context.finish(args, Result(text, job_id=plan.job_id))


def next_of(
    args: argparse.Namespace,
) -> Callable[[Node, NodeState, bool, Sequence[str]], list[tuple[str, str]]]:
    """Return what says which commands come next; they can be copied as they are."""
    given = Given.of(args)

    def command(*words: str) -> str:
        return shlex.join(given.complete(("director", *words)))

    def then(
        node: Node, state: NodeState, alike: bool, failed: Sequence[str]
    ) -> list[tuple[str, str]]:
        name, job = node.id, getattr(args, "job", None)
        if job:  # another than the current one: it can only be looked at
            return [(command("logs", name, "--job", job), "what its agents did")]
        again = (command("run", "--retry-failed", "--node", name), "try again (fresh attempts)")
        amend = (command("amend", name), "the test or the spec is wrong")
        take = (command("take", name), "write it yourself, same gate")
        match state.status:
            case NodeStatus.FAILED:
                return [amend, again, take] if alike else [again, amend, take]
            case NodeStatus.BLOCKED:
                return [(command("status", "--node", one), f"why {one} failed") for one in failed]
            case NodeStatus.TAKEN:
                return [(command("give", name), "put what you wrote through its gate")]
            case NodeStatus.RUNNING:
                return [(command("logs", name, "--follow"), "watch it")]
            case NodeStatus.TAKEN:
                return [
                    (command("give", name), "merge what you wrote"),
                    (command("take", name), "where its worktree is"),
                    (command("take", "--drop", name), "give it up"),
                ]
            case NodeStatus.DONE:
                return [(command("status", "--node", name, "--diff"), "what it changed")]
        return [(command("run"), "work on it")]

    return then


def _as_json(page: NodePage) -> dict[str, Any]:
    said, output, cost = page.said, page.output, page.cost + page.tests_cost
    return {
        "node": encode(page.node),
        "state": encode(page.state),
        "waits_for": {name: status.value for name, status in page.needs},
        "needed_by": {name: status.value for name, status in page.needed_by},
        **cost.totals(),
        "attempts": [
            {
                "number": one.number,
                "tier": one.tier,
                "model": one.model,
                "outcome": one.outcome,
                "lesson": one.lesson,
                "failure": encode(one.failure) if one.failure else None,
            }
            for one in page.attempts
        ],
        "gate": output._asdict() | {"lines": list(output.lines)} if output else None,
        "says": said.words if said else None,
        "in_fact": what_happened(said, page.node) if said else [],
        "review": encode(page.review) if page.review else None,
        "logs": dict(page.paths),
        "next_commands": [{"command": shlex.split(one), "for": why} for one, why in page.next],
    }


def _show_diff(
    args: argparse.Namespace, context: Context, directory: JobDirectory, plan: Plan, node_id: str
) -> int:
    from director.processes.pager import paged
    from director.reporting.logs.step_view import diff_lines
    from director.reporting.terminal.style import Paint

    name, text = _diff(context, directory, plan, node_id)
    if args.json:
        data = {"node": node_id, "candidate": name, "diff": text}
        return context.finish(args, Result("", data, job_id=plan.job_id))
    style = style_of_output(args, context)
    with paged(context.out, context.env) as out:
        print(style.painted(f"{node_id}: {name}", Paint.DIM), file=out)
        for line in diff_lines(text, style, indent="", most=None):
            print(context.redactor.text(style.plain(line)), file=out)
    return ExitCode.DONE


def _diff(context: Context, directory: JobDirectory, plan: Plan, node_id: str) -> tuple[str, str]:
    """Return the name of what is shown of a node, its merge or last candidate, and its diff."""
    from director.repositories.candidates import Candidates

    kept = Candidates(directory.repository, directory.root, context.env)
    state = directory.load_state(plan).nodes[node_id]
    if merged := state.commit:
        return f"merge {merged[:10]}", kept.diff(merged)
    last = kept.last_of(node_id)
    if last is None:
        raise RequestError(
            f"no candidate of {node_id} is kept", f"see `director logs {node_id}` for its edits"
        )
    ref, commit = last
    return ref, kept.diff(commit)
