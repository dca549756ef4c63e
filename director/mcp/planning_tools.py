"""The tools for what comes before a run: the repository, the plan, its approval."""

from __future__ import annotations

from collections.abc import Sequence

from director.mcp.parameters import (
    BROKEN_GATES,
    LONGEST_WORD,
    NODE,
    PARALLEL,
    name_of,
    several,
    switch,
    text,
)
from director.mcp.tool import WAIT, Tool, Values, refuse

ANSWERS = several(
    "answers",
    "--answer",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_WORD},
    'answers to the planner\'s questions, each as "N: TEXT": the number of the question, and the '
    "letter of an option or words",
)


def _revision(values: Values) -> Sequence[str]:
    if ("text" in values) == ("drop" in values):
        raise refuse("give either text or drop")
    return ("--no-input", *(("--revise", "-") if "text" in values else ()))


def _amendment(values: Values) -> Sequence[str]:
    if sum(bool(values.get(name)) for name in ("text", "approve", "cancel")) > 1:
        raise refuse("give one of text, approve and cancel")
    return (*(("--revise", "-") if "text" in values else ()), values["node"])


PLANNING_TOOLS = (
    Tool(
        "init_repo",
        "Make the repository ready",
        "Make a git repository of the folder, with a first commit of what is there, unless it is "
        "one; then write director's configuration, as recommended for the models at hand.",
        "init",
        (
            several("set", "--set", {"type": "string", "minLength": 3, "maxLength": LONGEST_WORD},
                    "keys of the configuration to set, each as KEY=VALUE, such as "
                    "tiers.planner=PROVIDER/MODEL"),
        ),
        words=lambda _: ("--git", "--yes"),
    ),
    Tool(
        "doctor",
        "Check whether a job could run",
        "Check Python, git, agent CLIs, models, prices, confinement, [gates] and the existing "
        "tests here, and say of each problem how to fix it. Call it before the first `plan`.",
        "doctor",
        (switch("live", "also make one short call to each model, which costs a little"),),
        reads=True,
    ),
    Tool(
        "plan",
        "Plan a task",
        "Turn a task into a spec, a DAG of nodes and frozen, red tests. Pauses for an approval of "
        "the spec, then of the plan (exit_code 0, `paused`): look at director://job/spec and "
        "director://job/plan, then call `approve` or `revise`. Calls models: minutes, and money.",
        "plan",
        (
            text("task", "what will be true afterwards, for whom, and what must stay as it is",
                 required=True),
            switch("auto", "do not wait for approvals: the planner criticises its work instead"),
            switch("no_critique", "like auto, but without the critiques"),
            switch("new", "set aside a job that is not finished, instead of refusing"),
            BROKEN_GATES,
            PARALLEL,
            WAIT,
        ),
        words=lambda _: ("--no-input", "-"),
        said=lambda values: str(values["task"]),
        asks=True,
    ),
    Tool(
        "revise",
        "Have the plan changed",
        "Have the spec or the plan that waits for approval changed, in your words, or drop a node "
        "that no other depends on. It waits for approval again afterwards.",
        "plan",
        (
            text("text", "what is to be different"),
            name_of("drop", "the node to take out of the plan, instead of a text", flag="--drop"),
            BROKEN_GATES,
            PARALLEL,
            WAIT,
        ),
        words=_revision,
        said=lambda values: str(values.get("text", "")),
        asks=True,
    ),
    Tool(
        "approve",
        "Approve what is waiting",
        "Approve the spec or the plan that is waiting, as it is on disk now, or answer the "
        "planner's questions, and continue planning to the next approval or to the end.",
        "plan",
        (
            ANSWERS,
            switch("auto", "do not wait for approvals: the planner criticises its work instead"),
            switch("no_critique", "like auto, but without the critiques"),
            BROKEN_GATES,
            PARALLEL,
            WAIT,
        ),
        words=lambda _: ("--no-input", "--continue"),
        asks=True,
    ),
    Tool(
        "amend",
        "Change a node of the approved plan",
        "Change spec, files, command or tests of one node that is not merged: for a test or a spec "
        "that is wrong. With text the models rewrite it. With neither text, approve nor cancel the "
        "node's tests are laid out in .director/tests: edit them, and the node in "
        ".director/plan.json. Either way it waits for `approve`; its tests must be red again then.",
        "amend",
        (
            NODE,
            text("text", "have it rewritten: what is to change, in your words"),
            switch("approve", "approve the node as it is on disk now", flag="--continue"),
            switch("cancel", "leave the node as it was approved"),
            WAIT,
        ),
        words=_amendment,
        said=lambda values: str(values.get("text", "")),
        asks=True,
    ),
)  # fmt: skip
