"""The tools that carry out a plan, by agents or by the client itself, and land it."""

from __future__ import annotations

from collections.abc import Sequence

from director.mcp.parameters import (
    BROKEN_GATES,
    JOB,
    NAME,
    NODE,
    PARALLEL,
    choice,
    name_of,
    number,
    several,
    switch,
)
from director.mcp.tool import WAIT, Tool, Values, refuse

MOST_ATTEMPTS = 100


def _node(values: Values) -> Sequence[str]:
    return (values["node"],)


def _taking(values: Values) -> Sequence[str]:
    if values.get("drop") and values.get("update"):
        raise refuse("give either drop or update")
    return _node(values)


def _landing(values: Values) -> Sequence[str]:
    return (f"--{values['how']}", "--yes")


WORKING_TOOLS = (
    Tool(
        "run",
        "Carry out the plan",
        "Implement, gate, review and merge the nodes of the plan onto the job branch, never onto "
        "the user's. Takes minutes to hours and costs money; what is done stays done when it is "
        "stopped, and the next `run` continues.",
        "run",
        (
            PARALLEL,
            switch("retry_failed", "give failed and blocked nodes a fresh set of attempts"),
            several("nodes", "--node", {"type": "string", "pattern": NAME, "maxLength": 200},
                    "work on these nodes only"),
            number("max_attempts", "the executor's attempts at a node before it escalates",
                   MOST_ATTEMPTS),
            BROKEN_GATES,
            WAIT,
        ),
        asks=True,
    ),
    Tool(
        "stop",
        "End what is running",
        "End the plan or run that is under way, wherever it was started: at once, or after the "
        "calls under way. What is done stays, and the same command continues later.",
        "stop",
        (switch("drain", "let the current calls finish, and use their results"), JOB),
    ),
    Tool(
        "take",
        "Write a node yourself",
        "Make a worktree in which you write a node that is not merged, with its last candidate in "
        "it: `worktree`, the `files` you may change, and `test_cmd`, the gate. `run` leaves the "
        "node alone until you `give` it, or drop it. Drop discards what is in the worktree.",
        "take",
        (
            NODE,
            switch("drop", "remove the worktree and give the node back to `run`"),
            switch("update", "bring the worktree to the tip of the job branch, with your changes"),
        ),
        words=_taking,
        destroys=True,
    ),
    Tool(
        "give",
        "Give what you wrote",
        "Put what you wrote in the worktree of `take` through the same allowlist, frozen tests, "
        "gate and merge as an agent's work. What is refused stays there, with the reason.",
        "give",
        (NODE, WAIT),
        words=_node,
        tells=True,
    ),
    Tool(
        "resume_job",
        "Bring back a job",
        "Make an archived job the current one, and say how to continue it.",
        "jobs",
        (
            name_of("job", "the job, by its id or the beginning of it", flag="--resume",
                    required=True),
            switch("new", "set aside a current job that is not finished, instead of refusing"),
        ),
    ),
    Tool(
        "land",
        "Land the job",
        "Verify the job, merge it with the tip of the target branch, gate the result, and move the "
        "branch. This changes the user's own branch: ask the user first. Conflicts change nothing "
        "(`reason` is conflict): with `resolve` a model resolves them.",
        "land",
        (
            choice("how", ("merge", "squash", "pr"), "merge commit, one commit, or pull request",
                   required=True),
            name_of("onto", "the branch to land on (default: the one the job began on)",
                    flag="--onto"),
            switch("partial", "land the nodes that are done, though others are not"),
            switch("resolve", "have a model resolve conflicts (a call, and money); all tests and "
                   "gates decide whether what it makes lands"),
            switch("dry_run", "say what would happen, change nothing, ask no model"),
            JOB,
            WAIT,
        ),
        words=_landing,
        asks=True,
        destroys=True,
    ),
)  # fmt: skip
