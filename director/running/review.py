"""Review of a green diff: what a reviewer calls critical may stop it, never let it through."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.agents.calls import Assignment, Outcome
from director.job.context import JobContext
from director.model.plan import Node
from director.model.roles import Agent, Role
from director.records.events import Kind
from director.running.prompts import compliance_prompt, review_prompt
from director.worktrees.worktrees import Worktree


class Severity(StrEnum):
    """How grave a finding is: critical must not merge, minor only informs."""

    CRITICAL = "critical"
    MINOR = "minor"


@dataclass(frozen=True)
class Finding:
    """One thing a reviewer found. ``file`` is "" when it names none."""

    severity: Severity
    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}" if self.file else self.problem


@dataclass(frozen=True)
class Review:
    """What a reviewer said: one sentence, and what it found."""

    summary: str
    findings: tuple[Finding, ...] = ()

    @property
    def critical(self) -> tuple[Finding, ...]:
        """The findings that must not merge."""
        return tuple(one for one in self.findings if one.severity is Severity.CRITICAL)

    @property
    def objections(self) -> str:
        """The critical findings as a list in Markdown; "" when there are none."""
        return "\n".join(f"- {one}" for one in self.critical)


def review_candidate(
    job: JobContext, node: Node, worktree: Worktree, diff: str, attempt: int
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
    return _ask(job, node, assignment, "two")


def check_compliance(
    job: JobContext, node: Node, worktree: Worktree, diff: str, attempt: int
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
    return _ask(job, node, assignment, "one")


def review_names(node: Node, attempt: int) -> tuple[str, str]:
    """Return the names of the calls that may read the candidate of one attempt."""
    return f"{node.id}-review-{attempt}", f"{node.id}-compliance-{attempt}"


def read_review(answer: str) -> Review:
    """Return the review in an answer; one that cannot be read finds nothing.

    The findings decide. A verdict counts where they leave it open: "block" makes a finding of
    unknown severity critical, and is itself one where nothing else was found.
    """
    try:
        said = json_object(answer)
    except NoAnswerError as error:
        return Review(f"no review: {error}")
    summary = str(said.get("summary") or "no summary")
    blocks = str(said.get("verdict")).casefold() == "block"
    otherwise = Severity.CRITICAL if blocks else Severity.MINOR
    findings = tuple(_finding(one, otherwise) for one in _listed(said.get("findings")))
    if blocks and not findings:
        findings = (Finding(Severity.CRITICAL, "", summary),)
    return Review(summary, findings)


def _ask(job: JobContext, node: Node, assignment: Assignment, stage: str) -> Review:
    reply = job.agents.ask(assignment)
    if reply.outcome is Outcome.COMPLETED:
        review = read_review(reply.transcript.text)
    else:
        review = Review(f"no review: {reply.reason or reply.outcome}")
    job.events.emit(
        Kind.REVIEW,
        node.id,
        stage=stage,
        blocked=bool(review.critical),
        summary=review.summary,
        findings=[asdict(one) for one in review.findings],
    )
    return review


def _listed(findings: Any) -> list[Any]:
    if isinstance(findings, list):
        return findings
    return [findings] if isinstance(findings, str | dict) and findings else []


def _finding(said: Any, otherwise: Severity) -> Finding:
    """Return what was said as a finding, of severity ``otherwise`` if it names none."""
    if not isinstance(said, dict):
        return Finding(otherwise, "", str(said))
    named = str(said.get("severity")).strip().casefold()
    severity = Severity(named) if named in list(Severity) else otherwise
    return Finding(severity, str(said.get("file") or ""), str(said.get("problem") or said))
