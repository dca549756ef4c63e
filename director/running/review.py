"""Review of a green diff: an objection buys one more round; it never decides what merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.agents.calls import Assignment
from director.job.workbench import Workbench
from director.model.plan import Node
from director.model.roles import Agent, Role
from director.records.events import Kind
from director.running.prompts import compliance_prompt, review_prompt
from director.workspace.worktrees import Worktree


@dataclass(frozen=True)
class Review:
    """What a reviewer said. ``objections`` is empty unless it blocked."""

    blocked: bool
    summary: str
    objections: str = ""


def review_candidate(
    bench: Workbench, node: Node, worktree: Worktree, diff: str, attempt: int
) -> Review:
    """Let the reviewer read the diff (stage two)."""
    assignment = Assignment(
        agent=Agent.REVIEWER,
        role=Role.REVIEWER,
        prompt=review_prompt(node, diff),
        cwd=worktree.path,
        name=review_names(node, attempt)[0],
        node=node.id,
        attempt=attempt,
    )
    return _ask(bench, node, assignment, "two")


def check_compliance(
    bench: Workbench, node: Node, worktree: Worktree, diff: str, attempt: int
) -> Review:
    """Let the explorer compare the diff with the spec (stage one, advisory)."""
    assignment = Assignment(
        agent=Agent.EXPLORER,
        role=Role.EXPLORER,
        prompt=compliance_prompt(node, diff),
        cwd=worktree.path,
        name=review_names(node, attempt)[1],
        node=node.id,
        attempt=attempt,
    )
    return _ask(bench, node, assignment, "one")


def review_names(node: Node, attempt: int) -> tuple[str, str]:
    """Return the names of the calls that may read the candidate of one attempt."""
    return f"{node.id}-review-{attempt}", f"{node.id}-compliance-{attempt}"


def read_review(answer: str) -> Review:
    """Return the review in an answer; one that cannot be read blocks nothing."""
    try:
        said = json_object(answer)
    except NoAnswerError as error:
        return Review(False, f"unreadable review: {error}")
    summary = str(said.get("summary") or "no summary")
    if said.get("verdict") != "block":
        return Review(False, summary)
    findings = said.get("findings")
    lines = [_finding(one) for one in findings] if isinstance(findings, list) else []
    return Review(True, summary, "\n".join([summary, *lines]))


def _ask(bench: Workbench, node: Node, assignment: Assignment, stage: str) -> Review:
    review = read_review(bench.crew.ask(assignment).transcript.text)
    bench.events.emit(
        Kind.REVIEW, node.id, stage=stage, blocked=review.blocked, summary=review.summary
    )
    return review


def _finding(finding: Any) -> str:
    if not isinstance(finding, dict):
        return f"- {finding}"
    return f"- {finding.get('file', '')}: {finding.get('problem', '')}"
