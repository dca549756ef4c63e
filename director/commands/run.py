"""``director run``: carry out the plan."""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from director.command_line.context import (
    Context,
    add_common_flags,
    add_events_flag,
    add_parallel_flag,
    positive,
    wants_json,
)
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.screens.job_screen import screen_of
from director.command_line.workspace import load_config, open_workspace
from director.job.gate_report import GateReport, in_words
from director.model.codec.encoding import encode
from director.model.errors import ExitCode
from director.model.format import counted
from director.model.integration_gates import passed_in_words
from director.model.printable import one_line
from director.model.state import NodeState, NodeStatus, RunState
from director.records.job_directory import JobDirectory
from director.running.run import RunOptions, RunReport, run_job

TRY_AGAIN = (
    "`director status` shows all; `director run --retry-failed` tries again "
    "(if you edit plan.json, run `director plan --continue` first)"
)
PROVIDE_WHAT_IS_MISSING = (
    "see what the worktrees lack, or which other copy is tested; provide what is missing with "
    "`setup`, `copy` or `link` of [worktree] in config.toml, or put it on the PATH that director "
    "is started with; then "
)
EXAMPLES = (
    ("director run --parallel auto", "work on as many nodes at once as this machine allows"),
    ("director run --retry-failed --node toc", "give one failed node a fresh set of attempts"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``run``."""
    add_parallel_flag(parser, "how many nodes are worked on at once")
    add_attempts_flag(parser)
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="give failed and blocked nodes a fresh set of attempts",
    )
    parser.add_argument(
        "--node",
        metavar="NODE",
        action="append",
        default=[],
        help="work on this node only (may be repeated)",
    )
    parser.add_argument(
        "--allow-broken-gates",
        action="store_true",
        help="continue where [gates] cannot run on the base commit",
    )
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def add_attempts_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--max-attempts``."""
    parser.add_argument(
        "--max-attempts",
        metavar="K",
        type=positive,
        help="the executor's attempts at a node before it escalates (default: as configured)",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Run, print what it came to, and return how it ended."""
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    options = RunOptions(
        parallel=args.parallel,
        max_attempts=args.max_attempts,
        retry_failed=args.retry_failed,
        nodes=tuple(args.node),
        allow_broken_gates=args.allow_broken_gates,
    )
    report = run_job(workspace, workspace.home.job, config, options)
    text = "" if wants_json(args) else _as_text(args, context, workspace.home.job, report)
    return context.finish(args, result_of(report, text))


def result_of(report: RunReport, text: str) -> Result:
    """Return what a run came to: ``text`` for people, the rest for programs."""
    what, next_step, next_command = _ending(report)
    return Result(
        text,
        _as_json(report),
        _exit_code(report),
        what,
        next_step,
        report.reason,
        next_command,
        report.plan.job_id,
        copyable=True,
    )


def _exit_code(report: RunReport) -> ExitCode:
    if report.stop is not None:
        return report.stop.exit_code
    return ExitCode.DONE if report.ok else ExitCode.WORK_FAILED


def _as_json(report: RunReport) -> dict[str, Any]:
    return {
        **report.metrics,
        "job_branch": report.plan.job_branch,
        "nodes": {node_id: encode(node) for node_id, node in report.state.nodes.items()},
        "integration": [gate.to_json() for gate in report.integration or ()],
        "unpublished": report.unpublished,
    }


def _as_text(
    args: argparse.Namespace, context: Context, directory: JobDirectory, report: RunReport
) -> str:
    """Return the screen of the job, which `status` shows from now on."""
    return screen_of(args, context, directory, stop=report.stop, unpublished=report.unpublished)


class Ending(NamedTuple):
    """One sentence for what happened, one for what to do next, and the command for that.

    ``command`` None: the next step names it, or there is none.
    """

    what: str
    next_step: str
    command: tuple[str, ...] | None = None


def _ending(report: RunReport) -> Ending:
    state, branch = report.state, report.plan.job_branch
    done, total = len(state.ids(NodeStatus.DONE)), len(state.nodes)
    if report.stop is not None:
        reason = one_line(report.stop.what)
        stopped = f"S{reason[1:]}" if reason.startswith("stopped") else f"Stopped: {reason}"
        return Ending(stopped, one_line(report.stop.next_step))
    if repairs := _failed_repairs(state):
        what = f"All nodes are done, but {'; '.join(repairs)}"
        return Ending(what, TRY_AGAIN, ("director", "run", "--retry-failed"))
    if failed := _failed(state):
        what = f"{done} of {total} nodes are done; failed: {'; '.join(failed)}"
        around = any(node.environment for node in state.nodes.values())
        next_step = f"{PROVIDE_WHAT_IS_MISSING if around else ''}{TRY_AGAIN}"
        return Ending(what, next_step, ("director", "run", "--retry-failed"))
    if red := [gate for gate in report.integration or () if not gate.ok]:
        home = report.repository.parent
        said = (f"{g.name}: {one_line(g.reason)}; {g.note}; see {home / g.log}" for g in red)
        named = "; ".join(said)
        what = f"All nodes are done, but the integration gate is red: {named}"
        fix = f"git switch -c fix {branch} and fix it there, or plan the fix as a new task"
        if not any(gate.turned_red_by for gate in red):
            return Ending(what, f"`director run` runs the gates again; or {fix}")
        return Ending(what, fix, ("git", "switch", "-c", "fix", branch))
    if taken := sorted(state.ids(NodeStatus.TAKEN)):
        what = f"{done} of {total} nodes are done; taken by a person: {', '.join(taken)}"
        return Ending(what, f"director give {taken[0]}", ("director", "give", taken[0]))
    if done < total:
        return Ending(f"{done} of {total} nodes are done", "director run")
    return _done(report)


def _failed(state: RunState) -> list[str]:
    return [
        f"{node_id} ({one_line(node.error or '')[:200]})"
        for node_id, node in state.nodes.items()
        if node.status is NodeStatus.FAILED
    ]


def _failed_repairs(state: RunState) -> list[str]:
    """Say what came of repairs; nothing where other nodes failed, or the environment is why."""
    failed = {one: state.nodes[one] for one in sorted(state.ids(NodeStatus.FAILED))}
    if any(node.environment or not node.repairs for node in failed.values()):
        return []
    return [
        f"the integration gate {one_line(node.repairs)} is red, and {node_id} failed to repair it "
        f"({_tries(node)}): {one_line(node.error or '')[:200]}"
        for node_id, node in failed.items()
    ]


def _tries(node: NodeState) -> str:
    tiers = Counter(one.role.value for one in node.past_attempts)
    return ", ".join(f"{tier} {counted(count, 'attempt')}" for tier, count in tiers.items())


def _done(report: RunReport) -> Ending:
    """Return the ending of a run that has finished the job."""
    branch, base = report.plan.job_branch, report.plan.base_commit[:12]
    nodes = counted(len(report.state.nodes), "node")
    what = f"Everything is done ({nodes}): {_gates_in_words(report.integration)}"
    if report.unpublished:
        what += f"; but {branch} could not be updated in your repository: {report.unpublished}"
        fetch = ("git", "fetch", str(report.repository), branch)
        return Ending(what, f"{shlex.join(fetch)} brings it as FETCH_HEAD", fetch)
    diff = ("git", "diff", base, branch)
    return Ending(what, f"{shlex.join(diff)}, then director land", diff)


def _gates_in_words(gates: Sequence[GateReport] | None) -> str:
    """Say how the integration gate went that does not stand in the way."""
    ran = [gate for gate in gates or () if not gate.nodes]
    together = any(gate.nodes for gate in gates or ())
    return passed_in_words(in_words(ran) if ran else "", together=together)
