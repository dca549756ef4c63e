"""``director take``: a worktree for a person who writes a node."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.result import Result
from director.command_line.workspace import load_config, open_workspace
from director.model.errors import RequestError
from director.records.taken_nodes import TakenNode
from director.running.taking import TakeReport, drop_node, take_node

EXAMPLES = (
    ("director take parser", "make a worktree with the node's last candidate in it"),
    ("director take --update parser", "bring what merged meanwhile into that worktree"),
    ("director take --drop parser", "give up the node, and what is in the worktree"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``take``."""
    parser.add_argument("node", metavar="NODE", help="a node that is not merged yet")
    parser.add_argument(
        "--drop", action="store_true", help="remove the worktree and give the node back"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="update your worktree to the tip of the branch, and keep what you wrote",
    )
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Make the worktree, or remove it, and say what comes next."""
    if args.drop and args.update:
        raise RequestError("--drop and --update cannot be combined", "leave one of them out")
    if args.drop:
        return context.finish(args, _dropped(drop_node(find_home(args, context).job, args.node)))
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    report = take_node(workspace, workspace.home.job, config, args.node, update=args.update)
    return context.finish(args, _result(report, workspace.repository.root))


def _dropped(taken: TakenNode) -> Result:
    what = f"Node {taken.node} is given back; its worktree is removed"
    following = ("director", "status")
    return Result(
        f"{what}.\nNext: {shlex.join(following)}",
        {"node": taken.node, "state": "dropped", "worktree": None},
        what=what,
        next_step=shlex.join(following),
        next_command=following,
    )


def _result(report: TakeReport, root: Path) -> Result:
    node, taken = report.node, report.taken
    # Typed in the worktree, where one is told to go, it has to find the repository.
    following = ("director", "give", node.id, "--repo", str(root))
    what = f"Node {node.id} is yours{' already' if report.begun else ''}"
    data = {
        "node": node.id,
        "state": "taken",
        "worktree": str(report.worktree),
        "base": taken.base,
        "candidate": taken.candidate or None,
        "test_cmd": node.test_cmd,
        "files": list(node.files),
        "tests": list(node.held_to),
    }
    return Result(
        _text(report, what, following),
        data,
        what=what,
        next_step=shlex.join(following),
        next_command=following,
        job_id=report.job_id,
    )


def _text(report: TakeReport, what: str, following: tuple[str, ...]) -> str:
    node = report.node
    return "\n".join(
        [
            f"{what}. `director run` leaves it alone until you give it, or drop it.",
            "",
            f"worktree  {report.worktree}",
            f"holds     {_holds(report)}",
            f"files     {', '.join(node.files)}",
            f"gate      {node.test_cmd}",
            f"tests     {', '.join(node.held_to)} (frozen)",
            "",
            f"Start with: cd {shlex.quote(str(report.worktree))}",
            f"Next: {shlex.join(following)}",
        ]
    )


def _holds(report: TakeReport) -> str:
    if report.collided:
        return (
            "the tip of the branch; not the last candidate, since others changed "
            f"{', '.join(report.collided)} meanwhile"
        )
    if report.taken.candidate:
        return f"the tip of the branch, and the last candidate ({report.taken.candidate})"
    return "the tip of the branch"
