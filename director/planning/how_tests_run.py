"""What planner and test author are told of worktrees, and of how tests run in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from director.model.config import WorktreePolicy
from director.model.testing.preflight import Observation, Outcome, Preflight

CONTRADICTED = (
    "A test of the repository that the change contradicts is part of the work: it belongs into "
    '"files" of the node that makes the change, which corrects it.'
)


def how_tests_run(policy: WorktreePolicy, given: Iterable[str], found: Preflight) -> str:
    """Return the section; ``given`` are the paths that worktrees get from the user's checkout.

    Of commands only what was seen is said.
    """
    lines = [f"- {line}" for line in _facts(found)]
    return "\n".join([_holds(policy, given), "", *lines, f"- {CONTRADICTED}"])


def _holds(policy: WorktreePolicy, given: Iterable[str]) -> str:
    parts = ["the tracked files of one commit"]
    if policy.setup:
        parts.append(f"what `{policy.setup}` made there beforehand")
    if copies := ", ".join(f"`{path}`" for path in given if path not in policy.keep):
        parts.append(f"copies of {copies}")
    if builds := ", ".join(f"`{path}`" for path in policy.keep):
        parts.append(f"the build folders {builds}")
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return (
        f"Tests run in worktrees. A worktree holds {listed}; nothing else: no file that git "
        "ignores, no environment, packages or build results of somebody's checkout."
    )


def _facts(found: Preflight) -> Iterator[str]:
    if found.runners:
        yield f"Interpreter and test runner: {'; '.join(found.runners)}."
    for run in found.runs:
        seen = run.worktree
        if seen.ran_tests:
            yield f"Seen to run in a worktree, before any work: `{seen.command}` ({_result(seen)})."
        elif seen.outcome is Outcome.CANNOT_RUN:
            yield f"Cannot run in a worktree: `{seen.command}` ({seen.reason})."
        elif seen.outcome is not Outcome.ENDED:
            yield f"Shows no test in a worktree: `{seen.command}` ({_result(seen)})."
    if found.example_run:
        alone = f"`{found.example_run.command}` ({_result(found.example_run)})"
        yield f"A test file that is there: `{found.example}`. Seen to run it alone: {alone}."
    elif found.example:
        yield f"A test file that is there: `{found.example}`."


def _result(seen: Observation) -> str:
    tests = {None: "", 1: ", 1 test"}.get(seen.tests, f", {seen.tests} tests")
    return f"{seen.outcome}{tests}"
