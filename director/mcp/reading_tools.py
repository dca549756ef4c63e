"""The tools that read: where a job stands, what happened, whether what merged was tested."""

from __future__ import annotations

from collections.abc import Sequence

from director.mcp.parameters import JOB, NODE, choice, name_of, number, switch
from director.mcp.tool import Tool, Values, refuse


def _logs(values: Values) -> Sequence[str]:
    part = values.get("part", "steps")
    words = [] if part == "steps" else [f"--{part}"]
    if ("node" in values) == (part == "failed"):
        raise refuse("name a node, `plan` or `integration`, unless part is failed")
    return (*words, *((values["node"],) if "node" in values else ()))


READING_TOOLS = (
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
            NODE._replace(flag="--node"),
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
        "jobs",
        "List the jobs",
        "Every job of the repository, archived and bench ones too: where it stands, nodes, cost, "
        "age, branch, disk use, and whether it has landed.",
        "jobs",
        reads=True,
    ),
)  # fmt: skip
