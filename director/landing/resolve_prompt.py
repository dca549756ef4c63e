"""What a model is told that is to resolve the conflicts of a landing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from director.agents.markdown import bullets, fenced
from director.landing.markers import conflicts_in
from director.landing.merging import OURS, THEIRS
from director.model.plan import Node
from director.model.testing.excerpt import shortened
from director.records.resolutions import LAND, Resolution

CONFLICT_CHARACTERS = 40_000  # of all files together
SPEC_CHARACTERS = 4_000  # of one node
COMMITS = 20


@dataclass(frozen=True)
class Sides:
    """Both sides of a conflict, for a prompt.

    ``marked`` is path → text with the conflicts marked. ``commits`` are the subjects of those of
    ``branch`` that changed these files; ``nodes`` are the job's that did.
    """

    branch: str
    task: str
    marked: Mapping[str, str]
    commits: Sequence[str]
    nodes: Sequence[Node]
    commands: Sequence[str]


def resolve_prompt(sides: Sides, attempt: int, known: Resolution) -> str:
    """Return the prompt: both sides, where they conflict, what decides, and what went wrong."""
    parts = [
        "# Resolve",
        f"Node: {LAND}\nTitle: Merge the job's work into {sides.branch}\nAttempt: {attempt}",
        f"## Spec\n\n{_spec(sides.branch)}",
        f"## Files you may change\n\n{bullets(sides.marked)}",
        f"## What the job did\n\n{fenced(shortened(sides.task, SPEC_CHARACTERS))}",
        *map(_node, sides.nodes),
        f"## What {sides.branch} did meanwhile\n\n{_commits(sides.commits)}",
        f"## The conflicts\n\n{_conflicts(sides.marked)}",
        f"## What decides\n\n{_commands(sides.commands)}",
    ]
    if known.lesson:
        left = "What it left in the files is still there: correct it, or start over."
        parts.append(f"## The last attempt was not accepted\n\n{known.lesson}\n\n{left}")
    if known.output:
        parts.append(f"Output of the command on it:\n\n{fenced(known.output)}")
    return "\n\n".join(parts) + "\n"


def _spec(branch: str) -> str:
    return (
        f"The work of a job was merged with {branch}, and both changed the same lines of the files "
        f"below. Between `<<<<<<< {OURS}` and `|||||||` is what {branch} has there, up to "
        f"`=======` what both began with, and up to `>>>>>>> {THEIRS}` what the job has. Resolve "
        "each conflict so that what both sides wanted is in the result: keep the intent of each, "
        "neither drop one side nor repeat code. Remove all marker lines. Leave everything else in "
        "these files as it is, and keep each file. Do not merge, commit or check out anything with "
        "git: edit the files."
    )


def _node(node: Node) -> str:
    return f"### {node.title}\n\n{shortened(node.spec, SPEC_CHARACTERS)}"


def _commits(commits: Sequence[str]) -> str:
    if not commits:
        return "It is not known from its commits."
    more = f"\n- and {len(commits) - COMMITS} more commits" if len(commits) > COMMITS else ""
    return bullets(commits[:COMMITS]) + more


def _conflicts(marked: Mapping[str, str]) -> str:
    room = CONFLICT_CHARACTERS // max(1, len(marked))
    return "\n\n".join(
        f"{path}:\n\n{fenced(shortened(conflicts_in(text), room))}" for path, text in marked.items()
    )


def _commands(commands: Sequence[str]) -> str:
    said = "All of these must end with 0 on a clean checkout; the tests are frozen."
    return f"{said}\n\n{bullets(f'`{one}`' for one in commands)}"
