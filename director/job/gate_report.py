"""An integration gate: one run on a clean checkout, and what is reported of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from director.job.context import JobContext
from director.job.evidence import with_evidence
from director.job.retrying import retry_where_lost
from director.model.codec.encoding import encode
from director.model.failure import Failure
from director.model.integration_gates import integration_words
from director.worktrees.gates import GateResult, Verdict


class Culprit(NamedTuple):
    """The merge that turned a gate red."""

    node: str
    commit: str


class GateReport(NamedTuple):
    """One integration gate. ``log`` holds its output; its path is relative to the job's directory.

    ``nodes``: of which nodes these are the tests (none: it is one of ``[gates]``). ``red_before``:
    whether it was red on the base (None: not looked at, because it is green, or tests, which are
    red there by design and excused by nothing). ``note`` says in words what is known of a gate that
    is not green. ``broken_before``: it could not run on the base either, which planning knew and
    let through. ``failure`` says why it is not green.
    """

    name: str
    command: str
    verdict: Verdict
    reason: str
    log: str
    red_before: bool | None = None
    turned_red_by: Culprit | None = None
    note: str = ""
    broken_before: bool = False
    nodes: tuple[str, ...] = ()
    failure: Failure | None = None

    @classmethod
    def of(cls, name: str, result: GateResult, nodes: tuple[str, ...] = ()) -> "GateReport":
        """Return the report of a run."""
        verdict, reason, log = result.verdict, result.reason, result.recorded_log
        failure = None if verdict is Verdict.GREEN else result.why()
        return cls(name, result.command, verdict, reason, log, nodes=nodes, failure=failure)

    @property
    def ok(self) -> bool:
        """Whether the job has nothing to answer for: it is green, or no worse than on the base."""
        return self.verdict is Verdict.GREEN or self.as_before

    @property
    def as_before(self) -> bool:
        """Whether it is red or broken, as it was on the base already."""
        was = self.red_before is True if self.verdict is Verdict.RED else self.broken_before
        return self.verdict is not Verdict.GREEN and was

    def to_json(self) -> dict[str, Any]:
        """Return the gate as ``--json`` shows it."""
        said: dict[str, Any] = encode(self)
        del said["broken_before"]
        return said


def told(gate: GateResult, failure: Failure | None = None) -> dict[str, Any]:
    """Return what an event says of a run; ``failure`` is why it is not green (None: what it says).

    Of a run that is green there is none.
    """
    said = None if gate.verdict is Verdict.GREEN else encode(failure or gate.why())
    return {
        "verdict": gate.verdict,
        "reason": gate.reason,
        "wall_secs": round(gate.wall_secs, 3),
        "log": gate.recorded_log,
        "tests_run": gate.tests_run,
        "failure": said,
    }


def in_words(reports: Sequence[GateReport] | None) -> str:
    """Return how the integration gate went, in words; "" where none ran."""
    reports = reports or ()
    return integration_words(
        sum(gate.verdict is Verdict.GREEN for gate in reports),
        {gate.name: gate.verdict.value for gate in reports if gate.as_before},
        [gate.name for gate in reports if not gate.ok],
    )


def run_gate(
    job: JobContext, commit: str, command: str, name: str, tests: Sequence[str] = ()
) -> GateResult:
    """Run a command on a clean checkout of ``commit``; ``name`` makes the name of its log.

    ``tests`` are those that it must be seen to run.
    """

    def work() -> GateResult:
        with job.pool.lease_gate(commit) as worktree:
            result = job.gates.run(command, worktree.path, name)
            result = with_evidence(job.repository, tests, commit, result)
            if result.verdict is Verdict.GREEN:
                worktree.keep_builds()
            return result

    return retry_where_lost(job, work)
