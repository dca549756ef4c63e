"""Watch it fail: whether an executor ran its node's tests, and saw them fail, before it edited."""

from __future__ import annotations

from collections.abc import Sequence

from director.agents.transcript import ToolKind, ToolUse
from director.model.plan import Node
from director.model.state import WatchItFail, WatchVerdict


def watch_it_fail(tools: Sequence[ToolUse], node: Node, *, complete: bool = True) -> WatchItFail:
    """Say whether the node's test was run, and failed, before the first edit.

    Read from the structure: the command of each shell call and its exit code. What was not seen
    is unknown where ``tools`` need not be ``complete``.
    """
    found = _watched(tools, node)
    if complete or found.verdict is not WatchVerdict.NOT_OBSERVED:
        return found
    detail = f"not observable, since not every command is reported: {found.detail}"
    return found._replace(verdict=WatchVerdict.UNKNOWN, detail=detail)


def _watched(tools: Sequence[ToolUse], node: Node) -> WatchItFail:
    if not tools:
        return WatchItFail(detail="no tool was used")
    before: list[ToolUse] = []
    for use in tools:
        if use.kind is ToolKind.EDIT and use.carried_out:
            break
        before.append(use)
    runs = runs_of_tests(before, node)
    if not runs:
        return WatchItFail(
            WatchVerdict.NOT_OBSERVED, detail="the test was not run before the first edit"
        )
    failed = [use for use in runs if use.exit_code not in (None, 0)]
    detail = f"{runs[-1].command} → exit code {(failed or runs)[-1].exit_code}"
    verdict = WatchVerdict.OBSERVED if failed else WatchVerdict.NOT_OBSERVED
    return WatchItFail(verdict, True, bool(failed), detail)


def runs_of_tests(tools: Sequence[ToolUse], node: Node) -> list[ToolUse]:
    """Return those of ``tools`` that ran the node's tests, by their commands, in their order."""
    return [use for use in tools if use.kind is ToolKind.SHELL and _runs_tests(use, node)]


def _runs_tests(use: ToolUse, node: Node) -> bool:
    command = " ".join(use.command.split())
    modules = [path.removesuffix(".py").replace("/", ".") for path in node.tests]
    named = (" ".join(node.test_cmd.split()), *node.tests, *modules)
    return any(name in command for name in named)
