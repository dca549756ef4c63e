"""Putting commits to the test in one worktree, and remembering which were green."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from director.job.attempts import listed
from director.job.evidence import with_evidence
from director.job.feedback import Feedback
from director.job.gate_report import told
from director.model.checks import TESTS, Check
from director.model.receipt import GateRun
from director.model.state import AttemptOutcome
from director.records.events import Kind
from director.running.node_work import NodeWork
from director.running.prompts import no_test_ran, red
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.provisions import SetupFailedError
from director.worktrees.worktree import Worktree

SHOWN_PATHS = 5
GATES = ("candidate", "again")  # occasions that names of logs do not tell apart
CONTROL = "control"  # the occasion of a run on a draft of director's own


class GateFailure(NamedTuple):
    """What stands against a commit: a run of a check that is not green.

    ``flaky``: the check was green on the same commit before. ``unprepared``: it did not even run,
    because the commit's own setup fails. ``candidate`` is the ref that keeps the commit.
    """

    check: Check
    gate: GateResult
    candidate: str = ""
    flaky: bool = False
    unprepared: bool = False

    @property
    def lesson(self) -> str:
        """What the next attempt is told, in a sentence or two."""
        if self.flaky:
            return self._red("are flaky: they passed, then failed on the same tree")
        if self.gate.no_test_ran:
            return no_test_ran(self.gate.reason)
        if self.unprepared:
            return red(f"`{self.gate.command}`, which prepares the worktree, fails", self.gate)
        return self._red("fail")

    @property
    def outcome(self) -> AttemptOutcome:
        """What an attempt at a commit with this against it came to."""
        if self.flaky:
            return AttemptOutcome.FLAKY
        return AttemptOutcome.NO_TEST_RAN if self.gate.no_test_ran else AttemptOutcome.RED

    @property
    def feedback(self) -> Feedback:
        """What the next attempt is told, with the output."""
        return self.teaching(self.outcome, self.lesson)

    @property
    def together(self) -> Feedback:
        """The same, where the commit is a candidate on what merged meanwhile."""
        lesson = self._red("passed alone but fail together with what merged meanwhile")
        return self.teaching(AttemptOutcome.COLLIDED, lesson)

    def teaching(self, outcome: AttemptOutcome, lesson: str) -> Feedback:
        """Return ``lesson`` as feedback on an attempt that came to ``outcome``."""
        return Feedback(lesson, self.gate.output, failure=self.gate.why(outcome, self.candidate))

    def _red(self, what: str) -> str:
        tests = self.check.name == TESTS and self.check.tests  # a repair's may be any command
        who = "The tests" if tests else f"Runs of `{self.check.command}`"
        return red(f"{who} {what}", self.gate)


class NodeGates:
    """The checks of a node, run on clean checkouts in the worktree of a lane's gates.

    What is checked out is the node's view of a commit. Every run starts from the exact tree. What
    a command itself changes in tracked files is ``rewritten``: it is not part of the work, and
    each run begins without it. ``attempt`` is the number of the one under way (0: none yet).
    """

    def __init__(self, work: NodeWork, worktree: Worktree) -> None:
        self._work = work
        self._tests = work.checks[0]
        self._kept = {*work.views.plan.contract, *work.node.files}
        self._worktree = worktree
        self._green: list[GateRun] = []
        self._unprepared: set[str] = set()
        self.rewritten: set[str] = set()
        self.attempt = 0

    def judge(self, commit: str, occasion: str, *, once: bool = False) -> GateFailure | None:
        """Run all checks on ``commit``; returns the first failure.

        ``once``: each a single time, where it was as often as it takes on the same work before.
        """
        gate = self.run(commit, occasion)
        if gate.verdict is not Verdict.GREEN:
            unprepared = commit in self._unprepared
            return GateFailure(self._tests, gate, self._keep(commit), unprepared=unprepared)
        return self.confirm(commit, once=once)

    def confirm(self, commit: str, *, once: bool = False) -> GateFailure | None:
        """Run what is left of the checks on a commit where the tests were green once."""
        runs = [(check, number) for check in self._work.checks for number in range(check.runs)]
        for check, number in runs[1:]:
            if once and number:
                continue
            self._worktree.reset(self._work.view(commit))
            gate = self._gate(check, commit, "again")
            if gate.verdict is not Verdict.GREEN:
                return GateFailure(check, gate, self._keep(commit), flaky=number > 0)
        if not once:
            self._worktree.keep_builds()
        return None

    def run(self, commit: str, occasion: str) -> GateResult:
        """Run the tests on a clean checkout of the node's view of ``commit``.

        A setup that fails on ``commit`` alone is red; one that fails on the tip as well spends no
        attempt, and SetupFailedError is raised.
        """
        failed = self._prepare(commit)
        if failed is None:
            return self._gate(self._tests, commit, occasion)
        self._unprepared.add(commit)
        result = failed.result._replace(verdict=Verdict.RED)
        self._tell(occasion, result, commit)
        return result

    def run_before(self, commit: str) -> GateResult:
        """Run the tests on ``commit``, where no work is done yet.

        What they change there, be it tests, is their own doing. RequestError where they do not
        test the worktree.
        """
        result = self.run(commit, "before")
        if not self._work.node.repairs:  # planning looked at its commands
            self._work.job.import_check.check(result, self._worktree.path)
        self._learn(self._worktree.changed() - set(self._work.node.files))
        return result

    def run_for_scope(self, commit: str) -> None:
        """Run the tests on a draft, to see whether they change what an agent seems to have."""
        self.run(commit, "scope")
        self._learn(self._worktree.changed() - self._kept)

    def run_tests_of(
        self, nodes: Sequence[str], command: str, commit: str, purpose: str
    ) -> tuple[GateResult, GateRun]:
        """Run a test command of other nodes where all that is done in ``commit`` is seen."""
        job, views = self._work.job, self._work.views
        view = views.of_done(commit)
        self._worktree.reset(view)
        name = f"{self._work.node.id}.{self.attempt}.contract"
        result = job.gates.run(command, self._worktree.path, name)
        result = with_evidence(job.repository, views.plan.tests_of(nodes), view, result)
        self._work.emit(Kind.GATE, purpose=purpose, nodes=list(nodes), **told(result))
        return result, _run_of(result, purpose, commit, job.repository.tree(view))

    def green_runs(self, commit: str) -> tuple[GateRun, ...]:
        """Return the green runs on ``commit`` so far."""
        return tuple(run for run in self._green if run.commit == commit)

    def _prepare(self, commit: str) -> SetupFailedError | None:
        """Reset the worktree; returns the failure of a setup that works on the tip."""
        view, tip = self._work.view(commit), self._work.view(self._work.job.repository.tip())
        try:
            self._worktree.reset(view)
        except SetupFailedError:
            if view == tip:
                raise
            self._worktree.reset(tip)
            try:
                self._worktree.reset(view)  # what it made on the tip may do here, too
            except SetupFailedError as failed:
                return failed
        return None

    def _gate(self, check: Check, commit: str, occasion: str) -> GateResult:
        """Run a check where ``commit`` is checked out; what is green is for the receipt."""
        purpose = check.purpose(occasion)
        result = self._run_command(check, purpose)
        if result.verdict is Verdict.GREEN:
            result = self._unless_changed(check, commit, result)
        job, view = self._work.job, self._work.view(commit)
        result = with_evidence(job.repository, check.tests, view, result)
        self._tell(purpose, result, commit)
        if result.verdict is Verdict.GREEN:
            self._green.append(_run_of(result, purpose, commit, self._work.tree(commit)))
        return result

    def _run_command(self, check: Check, purpose: str) -> GateResult:
        said = purpose
        if purpose in GATES:
            said = "gate" if self.attempt else "before"
        name = f"{self._work.node.id}.{self.attempt}.{said}"
        return self._work.job.gates.run(check.command, self._worktree.path, name)

    def _unless_changed(self, check: Check, commit: str, result: GateResult) -> GateResult:
        """Return the green ``result``; red where something else than ``commit`` was tested.

        What the command changes again when it runs again, in files that are neither tests nor the
        node's own, is its own doing. Anything else was put there while it ran.
        """
        changed = self._worktree.changed() - self.rewritten
        if not changed:
            return result
        if not changed & self._kept:
            self._worktree.reset(self._work.view(commit))
            again = self._run_command(check, "again")
            if self._worktree.changed() - self.rewritten == changed:
                self._learn(changed)
                return again
        paths = listed(sorted(changed), SHOWN_PATHS)
        reason = f"{result.reason}, but while it ran {paths} changed: the commit was not tested"
        return result._replace(verdict=Verdict.RED, reason=reason)

    def _learn(self, changed: Collection[str]) -> None:
        new = set(changed) - self.rewritten
        if not new:
            return
        self.rewritten |= new
        paths = listed(sorted(new), SHOWN_PATHS)
        message = f"the test command of {self._work.node.id} itself changes {paths}: left out"
        self._work.emit(Kind.NOTICE, message=message)

    def _tell(self, purpose: str, result: GateResult, commit: str) -> None:
        failure = None
        if result.verdict is not Verdict.GREEN:
            failure = result.why(candidate="" if purpose == CONTROL else self._keep(commit))
        self._work.emit(Kind.GATE, purpose=purpose, **told(result, failure))

    def _keep(self, commit: str) -> str:
        """Keep what the attempt under way came to, and return the name of its ref."""
        return self._work.keep(self.attempt, commit) if self.attempt else ""


def _run_of(result: GateResult, purpose: str, commit: str, tree: str) -> GateRun:
    """Return a run as receipts have it."""
    return GateRun(
        purpose=purpose,
        command=result.command,
        verdict=result.verdict.value,
        exit_code=result.code,
        wall_secs=round(result.wall_secs, 3),
        commit=commit,
        tree=tree,
        tests_run=result.tests_run,
    )
