"""What the executor and the reviewer are told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from director.agents.markdown import bullets, fenced
from director.model.failure import Failure
from director.model.plan import Node
from director.model.state import AttemptOutcome
from director.model.testing.excerpt import shortened
from director.model.testing.headline import one_line
from director.model.testing.useful_end import MOST_LINES
from director.worktrees.gates import GateResult

DIFF_CHARACTERS = 60_000
SENTENCE = re.compile(r".*?[.!?…](?= |$)")


@dataclass(frozen=True)
class Feedback:
    """What the last attempt taught: one paragraph, and the output that goes with it (or "").

    ``kept``: what it left in the allowlisted files is still there for the next one. ``failure`` is
    the same for the records.
    """

    lesson: str
    output: str = ""
    kept: bool = False
    failure: Failure | None = None


def without_gate(outcome: AttemptOutcome, lesson: str, candidate: str = "") -> Failure:
    """Return why an attempt failed that no gate decided on: the lesson's first sentence."""
    said = " ".join(lesson.split())
    found = SENTENCE.match(said)
    headline = one_line(found[0] if found else said)
    excerpt = "" if said == headline else "\n".join(lesson.splitlines()[:MOST_LINES])
    return Failure(outcome, headline=headline, excerpt=excerpt, candidate=candidate)


def implement_prompt(
    node: Node, attempt: int, first_output: str, feedback: Feedback | None, blamed: str = ""
) -> str:
    """Return the executor's prompt: the node, its limits, how its tests fail, what went wrong.

    ``blamed``: for a repair, the diff of the merge that turned its gate red.
    """
    command = "Command of the gate" if node.repairs else "Test command"
    parts = [
        "# Repair" if node.repairs else "# Implement",
        f"Node: {node.id}\nTitle: {node.title}\nAttempt: {attempt}",
        f"## Spec\n\n{node.spec}",
        *_blamed(blamed),
        f"## Files you may change\n\n{bullets(node.files)}",
        f"## Tests (frozen)\n\n{bullets(node.held_to)}",
        f"## {command}\n\n{fenced(node.test_cmd)}",
        f"It fails now:\n\n{fenced(first_output)}",
    ]
    if feedback is not None:
        left = (
            "What it left in the files you may change is still there: correct it, or start over."
            if feedback.kept
            else "Nothing of it is left: the files are as they were before it."
        )
        parts.append(f"## The last attempt was not accepted\n\n{feedback.lesson}\n\n{left}")
        if feedback.output:
            parts.append(f"Output of the test command on it:\n\n{fenced(feedback.output)}")
    return "\n\n".join(parts) + "\n"


def _blamed(diff: str) -> list[str]:
    shown = fenced(shortened(diff, DIFF_CHARACTERS), "diff")
    return [f"## The merge that turned it red\n\n{shown}"] if diff else []


def red(what: str, gate: GateResult) -> str:
    """Return the lesson of a run that was not green: ``what``, its exit code and its headline."""
    said = f": {gate.headline}" if gate.headline else ""
    return f"{what} ({gate.reason}){said}{'' if said.endswith(('.', '!', '?', '…')) else '.'}"


def no_test_ran(reason: str) -> str:
    """Return the lesson of an attempt whose test command ended with 0 without its tests."""
    return (
        f"The test command ended with {reason}. That is not accepted: all of the tests must run. "
        "Something you changed ends the process (sys.exit, os._exit, process.exit when a module is "
        "imported or called), or skips or replaces tests: take it out."
    )


def review_prompt(node: Node, diff: str) -> str:
    """Return the reviewer's prompt for a diff that is green."""
    return _about_diff("Review", node, diff)


def compliance_prompt(node: Node, diff: str) -> str:
    """Return the prompt of the advisory check of a diff against the spec."""
    question = (
        "Does the diff do what the spec says, all of it and nothing else? Answer with one JSON "
        'object and nothing before or after it: {"verdict": "pass", "summary": "one sentence"} '
        'or {"verdict": "block", "summary": "what is missing or added"}.'
    )
    return f"{_about_diff('Compliance', node, diff)}\n## Question\n\n{question}\n"


def _about_diff(heading: str, node: Node, diff: str) -> str:
    parts = [
        f"# {heading}",
        f"Node: {node.id}\nTitle: {node.title}",
        f"## Spec\n\n{node.spec}",
        f"## Tests (frozen, green)\n\n{bullets(node.held_to)}",
        f"## Diff\n\n{fenced(shortened(diff, DIFF_CHARACTERS), 'diff')}",
    ]
    return "\n\n".join(parts) + "\n"
