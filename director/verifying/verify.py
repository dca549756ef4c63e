"""``verify``: compare what merged with what was planned, tested and recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from director.job.context import Opened, Workspace
from director.model.checks import ChecksOf, checks_of
from director.model.config import Config
from director.records.events import journal
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.repositories.repository import Repository
from director.verifying.checks import run_checks, unchecked
from director.verifying.evidence import Evidence, gather, merges
from director.verifying.problem import Problem
from director.verifying.rerun import run_again


@dataclass(frozen=True)
class Verification:
    """What verifying came to.

    ``checked`` names the checks that hold, ``gates_run`` counts the gates that were run again
    (None: not asked for), ``problem`` is the first thing that does not hold. ``integration``
    says how the integration gate went in the last run, where it did not hold (else "").
    """

    evidence: Evidence
    checked: tuple[str, ...]
    problem: Problem | None
    gates_run: int | None = None
    integration: str = ""

    @property
    def merges(self) -> int:
        """How many merges the branch has."""
        return len(merges(self.evidence))

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """The nodes whose receipt was made later than their merge, after another gate."""
        return tuple(receipt.node for receipt in self.evidence.receipts if receipt.rebuilt)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The checks that had nothing to look at."""
        return unchecked(self.evidence)


def verify_job(
    repository: Repository, directory: JobDirectory, checks: ChecksOf = checks_of
) -> Verification:
    """Check a job from its branch and its records; writes nothing.

    ``checks`` says what its candidates had to pass. RequestError when there is no plan.
    """
    evidence = replace(gather(repository, directory), checks=checks)
    checked, problem = run_checks(evidence)
    return Verification(evidence, checked, problem, integration=_not_held(directory))


def _not_held(directory: JobDirectory) -> str:
    last = directory.last_run()
    if last.get("integration_ok") is not False:
        return ""
    return str(last.get("integration_words") or "not green")


def verify_again(workspace: Workspace, directory: JobDirectory, config: Config) -> Verification:
    """Check a job as ``verify_job`` does, then run its gates again.

    Raises StoppedError when another process has the job's lock, InterruptedRunError on a signal.
    """
    plan = directory.load_plan()
    with job_lock(directory.lock, "director verify"):
        events = workspace.events.also(journal(directory.events))
        workspace.opened.append(Opened(plan.job_id, directory, events))
        found = verify_job(workspace.repository, directory, workspace.checks)
        if found.problem is not None:
            return replace(found, gates_run=0)
        again = run_again(workspace, directory, config, found.evidence)
        checked = found.checked if again.problem else (*found.checked, "rerun")
        return replace(found, checked=checked, problem=again.problem, gates_run=again.gates_run)
