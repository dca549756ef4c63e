"""``director run``: work off the plan."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from director.commands.context import Context, add_common_flags, add_parallel_flag, positive
from director.commands.result import Result
from director.commands.workspace import load_config, open_workspace
from director.job.gate_report import GateReport, in_words
from director.model.codec.encoding import encode
from director.model.errors import ExitCode
from director.model.format import counted, duration, money
from director.model.reason import Reason
from director.model.state import NodeStatus
from director.running.run import RunOptions, RunReport, run_job

TRY_AGAIN = (
    "`director status` for all, `director run --retry-failed` to try again; "
    "after an edit of plan.json `director plan --continue` first"
)
BRING_WHAT_IS_MISSING = (
    "see what the worktrees lack, or which other copy is tested; bring what is missing with "
    "`setup`, `copy` or `link` of [worktree] in config.toml, or put it on the PATH that director "
    "is started with; then "
)
EXAMPLES = (
    ("director run --parallel auto", "work on as many nodes at once as this machine is good for"),
    ("director run --retry-failed --node toc", "give one failed node a fresh set of attempts"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``run``."""
    add_parallel_flag(parser, "nodes worked on at once")
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
        help="work on this node only (may be given several times)",
    )
    add_common_flags(parser)


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
    )
    report = run_job(workspace, workspace.home.job, config, options)
    return context.finish(args, result_of(report))


def result_of(report: RunReport) -> Result:
    """Return what a run came to, for people and programs."""
    code = _exit_code(report)
    what, next_step = _ending(report)
    reason = report.stop.reason if report.stop else None if report.ok else Reason.NODE_FAILED
    return Result(
        _as_text(report),
        _as_json(report, code),
        code,
        what,
        next_step,
        reason,
        job_id=report.plan.job_id,
    )


def _exit_code(report: RunReport) -> ExitCode:
    if report.stop is not None:
        return report.stop.exit_code
    return ExitCode.DONE if report.ok else ExitCode.WORK_FAILED


def _as_json(report: RunReport, code: ExitCode) -> dict[str, Any]:
    what, next_step = _ending(report)
    return {
        **report.metrics,
        "job_branch": report.plan.job_branch,
        "nodes": {node_id: encode(node) for node_id, node in report.state.nodes.items()},
        "integration": [gate.to_json() for gate in report.integration or ()],
        "unpublished": report.unpublished,
        "exit_code": int(code),
        "what": what,
        "next": next_step,
    }


def _as_text(report: RunReport) -> str:
    what, next_step = _ending(report)
    metrics = report.metrics
    spent = f"{money(metrics['cost_total'])} in all, {duration(metrics['wall_secs'])}"
    return f"{what} ({spent}).\nNext: {next_step}"


def _ending(report: RunReport) -> tuple[str, str]:
    """Return one sentence for what happened and one for what to do next."""
    state, branch = report.state, report.plan.job_branch
    done, total = len(state.ids(NodeStatus.DONE)), len(state.nodes)
    if report.stop is not None:
        reason = report.stop.what
        stopped = f"S{reason[1:]}" if reason.startswith("stopped") else f"Stopped: {reason}"
        return f"{stopped}; {done} of {total} nodes are done", report.stop.next_step
    failed = [
        f"{node_id} ({' '.join((node.error or '').split())[:200]})"
        for node_id, node in state.nodes.items()
        if node.status is NodeStatus.FAILED
    ]
    if failed:
        what = f"{done} of {total} nodes are done; failed: {'; '.join(failed)}"
        around = any(node.environment for node in state.nodes.values())
        return what, f"{BRING_WHAT_IS_MISSING if around else ''}{TRY_AGAIN}"
    red = [gate for gate in report.integration or () if not gate.ok]
    if red:
        home = report.repository.parent
        said = (f"{g.name}: {g.reason}; {g.note}; see {home / g.log}" for g in red)
        named = "; ".join(said)
        return f"All nodes are done, but the integration gate is red: {named}", (
            f"git switch -c fix {branch} and fix it there, or plan the fix as a new task"
        )
    if done < total:
        return f"{done} of {total} nodes are done", "director run"
    gates = _gates_in_words(report.integration)
    base = report.plan.base_commit[:12]
    what = f"Everything is done ({counted(total, 'node')}), {gates}"
    if report.unpublished:
        what += f"; but {branch} could not be updated in your repository: {report.unpublished}"
        return what, f"git fetch {report.repository} {branch} brings it as FETCH_HEAD"
    return what, f"git diff {base} {branch}, then git merge {branch}"


def _gates_in_words(gates: Sequence[GateReport] | None) -> str:
    """Say how the integration gate went that does not stand in the way."""
    together = "all tests are green together" if any(gate.nodes for gate in gates or ()) else ""
    ran = [gate for gate in gates or () if not gate.nodes]
    if not ran:
        return ", ".join(part for part in (together, "no [gates] to run") if part)
    return f"the integration gate is {in_words(ran)}"
