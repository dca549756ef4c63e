"""Review of a green diff: what a reviewer calls critical may stop it, never let it through."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from director.agents.answers import NoAnswerError, json_object
from director.agents.calls import Assignment, Outcome
from director.job.attempts import CurrentAttempt, needs_stage_two
from director.model.config import ReviewPolicy
from director.model.failure import Failure
from director.model.plan import Node
from director.model.roles import Agent, Role
from director.model.state import AttemptOutcome
from director.model.testing.headline import one_line
from director.model.testing.useful_end import MOST_LINES
from director.records.events import Kind
from director.records.logs import recorded
from director.running.node_work import NodeWork
from director.running.prompts import compliance_prompt, review_prompt

OBJECTS = "The tests pass, but a reviewer objects:"


class Severity(StrEnum):
    """How grave a finding is: critical must not merge, minor only informs."""

    CRITICAL = "critical"
    MINOR = "minor"


class Finding(NamedTuple):
    """One thing a reviewer found. ``file`` is "" when it names none."""

    severity: Severity
    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}" if self.file else self.problem


class Review(NamedTuple):
    """What a reviewer said: one sentence, and what it found. ``log`` is its call's."""

    summary: str
    findings: tuple[Finding, ...] = ()
    log: str = ""

    @property
    def critical(self) -> tuple[Finding, ...]:
        """The findings that must not merge."""
        return tuple(one for one in self.findings if one.severity is Severity.CRITICAL)

    @property
    def objections(self) -> str:
        """The critical findings as a list in Markdown; "" when there are none."""
        return "\n".join(f"- {one}" for one in self.critical)

    def why(self, candidate: str) -> Failure:
        """Return why a diff that is kept as ``candidate`` does not merge."""
        first, excerpt = self.critical[0], self.objections.splitlines()[:MOST_LINES]
        return Failure(
            AttemptOutcome.BLOCKED,
            headline=one_line(str(first)),
            excerpt="\n".join(excerpt),
            log=self.log,
            candidate=candidate,
        )


class Reader(NamedTuple):
    """Who reads a green diff: in which stage, with which prompt; ``name`` is in its calls' names.

    ``objects``: what it calls critical stands against the diff.
    """

    name: str
    stage: str
    agent: Agent
    role: Role
    prompt: Callable[[Node, str], str]
    objects: bool


COMPLIANCE = Reader("compliance", "one", Agent.EXPLORER, Role.EXPLORER, compliance_prompt, False)
REVIEWER = Reader("review", "two", Agent.REVIEWER, Role.REVIEWER, review_prompt, True)


def readers_of(policy: ReviewPolicy, role: Role, files_changed: int) -> list[Reader]:
    """Return who is to read a diff that came from ``role``."""
    asked = {
        COMPLIANCE: policy.stage_one_llm,
        REVIEWER: needs_stage_two(policy, role, files_changed),
    }
    return [reader for reader, wanted in asked.items() if wanted]


def calls_of_readers(attempt: CurrentAttempt) -> list[str]:
    """Return the names of the calls that may read the candidate of an attempt."""
    return [attempt.read_by(reader.name) for reader in (COMPLIANCE, REVIEWER)]


def forget_readers(work: NodeWork, attempt: CurrentAttempt, cwd: Path) -> None:
    """Let no answer count that a killed run got to another candidate; its cost is on record."""
    agents = work.job.agents
    for reader in (COMPLIANCE, REVIEWER):
        agents.recalled(_assignment(work, reader, attempt, "", cwd))
    agents.notes.drop(*calls_of_readers(attempt))


def _assignment(
    work: NodeWork, reader: Reader, attempt: CurrentAttempt, diff: str, cwd: Path
) -> Assignment:
    return Assignment(
        agent=reader.agent,
        role=reader.role,
        prompt=reader.prompt(work.node, diff),
        cwd=cwd,
        name=attempt.read_by(reader.name),
        node=work.node.id,
        attempt=attempt.number,
        log=f"{attempt.log}.{reader.name}",
    )


def ask_reader(
    work: NodeWork, reader: Reader, attempt: CurrentAttempt, diff: str, cwd: Path
) -> Review:
    """Let ``reader`` read a diff in the folder ``cwd``, which holds what is around it."""
    reply = work.job.agents.ask(_assignment(work, reader, attempt, diff, cwd))
    if reply.outcome is Outcome.COMPLETED:
        review = read_review(reply.transcript.text)
    else:
        review = Review(f"no review: {reply.reason or reply.outcome}")
    work.emit(
        Kind.REVIEW,
        stage=reader.stage,
        blocked=bool(review.critical),
        summary=review.summary,
        findings=[one._asdict() for one in review.findings],
        log=recorded(reply.log),
    )
    return review._replace(log=recorded(reply.log))


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
