"""The tools: each is one command of director's, with fewer flags."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from director.mcp.parameters import (
    JOB,
    LONGEST_WORD,
    NAME,
    PARALLEL,
    Parameter,
    checked,
    choice,
    flags,
    input_schema,
    name_of,
    number,
    several,
    switch,
    text,
)
from director.mcp.protocol import Code, Object, ProtocolError

MOST_ATTEMPTS = 100
WITH_ANNOTATIONS = "2025-03-26"  # the first version with them
WITH_STRUCTURE = "2025-06-18"  # the first with titles, output schemas and structured results

Values = Mapping[str, Any]


class Invocation(NamedTuple):
    """A command line after ``director``, without ``--repo`` and ``--json``, and its input.

    ``events``: it tells what happens, with ``--events``.
    """

    command: str
    words: tuple[str, ...]
    stdin: str = ""
    events: bool = False


class Tool(NamedTuple):
    """What a client can call.

    ``words`` gives the words of the command line that are no flags of ``parameters``; ``said`` what
    goes to standard input. ``reads``: it changes nothing. ``asks``: it calls models, and so takes
    long and costs money; it tells what happens meanwhile.
    """

    name: str
    title: str
    description: str
    command: str
    parameters: tuple[Parameter, ...] = ()
    words: Callable[[Values], Sequence[str]] = lambda _: ()
    said: Callable[[Values], str] = lambda _: ""
    reads: bool = False
    asks: bool = False
    destroys: bool = False

    def invocation(self, given: object) -> Invocation:
        """Return the command line for a call's arguments; ProtocolError where they are wrong."""
        values = checked(self.parameters, given)
        words = [*flags(self.parameters, values), *self.words(values)]
        return Invocation(self.command, tuple(words), self.said(values), self.asks)

    def described(self, version: str) -> Object:
        """Return the tool as ``tools/list`` tells of it."""
        said: Object = {
            "name": self.name,
            "description": self.description,
            "inputSchema": input_schema(self.parameters),
        }
        if version >= WITH_ANNOTATIONS:
            said["annotations"] = self._annotations()
        if version >= WITH_STRUCTURE:
            said |= {"title": self.title, "outputSchema": OUTPUT_SCHEMA}
        return said

    def _annotations(self) -> Object:
        hints = {"title": self.title, "readOnlyHint": self.reads, "openWorldHint": self.asks}
        return hints if self.reads else {**hints, "destructiveHint": self.destroys}


OUTPUT_SCHEMA: Object = {
    "type": "object",
    "properties": {
        "schema": {"type": "string", "description": "director.<command>/<version>"},
        "command": {"type": "string"},
        "ok": {"type": "boolean", "description": "exit_code is 0"},
        "exit_code": {
            "type": "integer",
            "description": "0 done or paused for an approval, 1 the work failed, 2 the request "
            "cannot be carried out, 3 stopped for an outside reason and resumable, 70 a bug, "
            "130 and 143 interrupted",
        },
        "reason": {"type": ["string", "null"]},
        "what": {"type": "string", "description": "one line: what happened"},
        "next": {"type": "string", "description": "one line: what to do next"},
        "next_command": {"type": ["array", "null"], "items": {"type": "string"}},
        "job_id": {"type": ["string", "null"]},
    },
    "required": ["schema", "command", "ok", "exit_code", "reason", "what", "next"],
}
"""The keys that the results of all commands share; each has more of its own."""

ANSWERS = several(
    "answers",
    "--answer",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_WORD},
    'answers to the planner\'s questions, each as "N: TEXT": the number of the question, and the '
    "letter of an option or words",
)
BROKEN_GATES = switch(
    "allow_broken_gates", "continue where [gates] cannot run on the base commit, or in a worktree"
)


LONGEST_WAIT = 24 * 3600  # seconds
WAIT = Parameter(
    "wait_secs",
    "",
    {
        "type": "integer",
        "minimum": 1,
        "maximum": LONGEST_WAIT,
        "description": "return after so many seconds at most, with where the job stands then; the "
        "work continues, and `status` says how it goes",
    },
)


def wait_secs(given: object) -> int | None:
    """Return how long the client waits for a call with these arguments; None: until its end."""
    value = given.get(WAIT.name) if isinstance(given, dict) else None
    return value if isinstance(value, int) else None


def _revision(values: Values) -> Sequence[str]:
    if ("text" in values) == ("drop" in values):
        raise ProtocolError(Code.INVALID_PARAMS, "invalid arguments: give either text or drop")
    return ("--no-input", *(("--revise", "-") if "text" in values else ()))


def _logs(values: Values) -> Sequence[str]:
    part = values.get("part", "steps")
    words = [] if part == "steps" else [f"--{part}"]
    if ("node" in values) == (part == "failed"):
        problem = "name a node, `plan` or `integration`, unless part is failed"
        raise ProtocolError(Code.INVALID_PARAMS, f"invalid arguments: {problem}")
    return (*words, *((values["node"],) if "node" in values else ()))


def _landing(values: Values) -> Sequence[str]:
    return (f"--{values['how']}", "--yes")


TOOLS = (
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
            switch("auto", "wait for no approval: the planner criticises its own work instead"),
            switch("no_critique", "wait for no approval, and no critique either"),
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
            switch("auto", "wait for no further approval: the planner criticises its work instead"),
            switch("no_critique", "wait for no further approval, and no critique either"),
            BROKEN_GATES,
            PARALLEL,
            WAIT,
        ),
        words=lambda _: ("--no-input", "--continue"),
        asks=True,
    ),
    Tool(
        "run",
        "Work off the plan",
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
        (switch("drain", "let the calls under way end, and use what they bring"), JOB),
    ),
    Tool(
        "status",
        "Where the job stands",
        "Every node's state, attempts, failure and cost, what is under way, what is asked, and the "
        "next command. For a short version read director://job/current.",
        "status",
        (JOB,),
        reads=True,
    ),
    Tool(
        "node",
        "All about one node",
        "Spec, files, tests, attempts with their failures, what its agent said and what it did, "
        "review, logs and next commands of one node; or the diff of its last candidate.",
        "status",
        (
            name_of("node", "a node, by its id or the beginning of it", flag="--node",
                    required=True),
            switch("diff", "what its last candidate, or its merge, changed"),
            JOB,
        ),
        reads=True,
    ),
    Tool(
        "logs",
        "What agents did and gates said",
        "The steps of a node's attempts (or of `plan`, or the `integration` gates), the output of "
        "its gate, its prompt, or of all failed nodes the last attempt.",
        "logs",
        (
            name_of("node", "a node, `plan` or `integration`"),
            choice("part", ("steps", "gate", "prompt", "failed"),
                   "what to show (default: steps); failed: of all failed nodes the last attempt"),
            number("attempt", "this attempt only", 1_000_000),
            JOB,
        ),
        words=_logs,
        reads=True,
    ),
    Tool(
        "verify",
        "Check what merged",
        "Check from the records and the branch that every merge is what its receipt says, and what "
        "was tested.",
        "verify",
        (switch("rerun", "also run every node's tests and [gates] again, on clean checkouts"), JOB),
        reads=True,
    ),
    Tool(
        "report",
        "Write the report",
        "Write one HTML file with all that is on record of the job beside its records, and say "
        "where it is; or return verdict, failures and cost as Markdown.",
        "report",
        (switch("markdown", "return Markdown instead, and write no file"), JOB),
    ),
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
"""All tools; which of them a server offers depends on ``offered``."""


def offered(commands: Collection[str], *, allow_land: bool) -> dict[str, Tool]:
    """Return the tools whose commands there are, by name; `land` only where it is allowed."""
    return {
        one.name: one
        for one in TOOLS
        if one.command in commands and (allow_land or one.name != "land")
    }


def tool_for(command: Sequence[str]) -> str:
    """Return the name of the tool that does what a command line (``director …``) does, or ""."""
    if len(command) < 2 or command[0] != "director":
        return ""
    name, words = command[1], command[2:]
    if name == "plan" and "--show" in words:
        return ""
    if name == "plan":
        if {"--revise", "--drop"} & set(words):
            return "revise"
        return "approve" if {"--continue", "--answer"} & set(words) else "plan"
    if name == "status" and "--node" in words:
        return "node"
    own = {one.name for one in TOOLS if one.name == one.command and not one.destroys}
    return name if name in own else ""
