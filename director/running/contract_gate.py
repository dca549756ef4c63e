"""The contract of what is done: no merge may turn the tests of a merged node red.

Several candidates that are to merge in a row are judged at once, on what the branch will be after
the last of them. Where that is red, the first that turned it so is searched for, and refused.
"""

from collections.abc import Sequence
from typing import NamedTuple

from director.job.attempts import listed
from director.job.feedback import Feedback
from director.job.merge_queue import ContractCount
from director.model.bisection import first_red
from director.model.merge_policy import ALONE, BEFORE, BLAME, CONTRACT, commands_of_done
from director.model.receipt import GateRun
from director.model.state import AttemptOutcome
from director.records.events import Kind
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork
from director.running.prompts import red
from director.worktrees.gates import GateResult, Verdict

SHOWN_NODES = 5


class Step(NamedTuple):
    """A candidate to be judged: ``commit`` is what the branch will be with it.

    ``own`` is what the ``node`` made, a commit on ``base``, which the branch was once.
    """

    node: str
    commit: str
    base: str
    own: str


class Refusal(NamedTuple):
    """Which of the steps (from 0) turned tests of other nodes red, and what its node is told."""

    step: int
    outcome: AttemptOutcome
    feedback: Feedback


class ContractGate:
    """Judges steps from the branch's ``tip`` in the worktree of a lane's ``gates``."""

    def __init__(
        self,
        work: NodeWork,
        gates: NodeGates,
        tip: str,
        steps: Sequence[Step],
        count: ContractCount,
    ) -> None:
        self.work = work
        self.gates = gates
        self.tip = tip
        self.steps = steps
        self.count = count

    def judge(self) -> tuple[GateRun, ...] | Refusal:
        """Run each test command of what will be done, once; returns the runs for the receipts.

        Left out is the command of the last step alone: its gate was green on that very tree.
        """
        self.count.steps += 1
        runs: list[GateRun] = []
        for command, nodes in self._commands(self.steps[-1].commit).items():
            if nodes == (self.steps[-1].node,):
                continue
            found = self._hold_to(command, nodes)
            if isinstance(found, Refusal):
                self.count.refused += 1
                return found
            runs += found
        return tuple(runs)

    def _hold_to(self, command: str, nodes: tuple[str, ...]) -> list[GateRun] | Refusal:
        """Run one command where all steps are done; where it is red, find out why."""
        last = len(self.steps)
        result, run = self._run(command, nodes, last, CONTRACT)
        if result.verdict is Verdict.GREEN:
            return [run]
        result, again = self._run(command, nodes, last, CONTRACT)
        if result.verdict is Verdict.GREEN:
            self._notice(nodes, "are flaky: red, then green on the same tree")
            return [again]
        since = self._since(nodes)
        before, run_before = self._run(command, nodes, since, BEFORE)
        if before.verdict is not Verdict.GREEN:
            self._notice(nodes, "are red without what is to merge: it is not held to them")
            return [run_before, again]

        def is_green(at: int) -> bool:
            return self._run(command, nodes, at, BLAME)[0].verdict is Verdict.GREEN

        return self._refused(first_red(since, last, is_green), nodes, result)

    def _refused(self, culprit: int, nodes: tuple[str, ...], result: GateResult) -> Refusal:
        """Refuse a step (from 1): its own fault where it is red on its own base, too."""
        step = self.steps[culprit - 1]
        outcome = AttemptOutcome.COLLIDED
        what = f"pass with it alone, but fail with what merged meanwhile (`{result.command}`)"
        if set(nodes) <= self.work.views.done(step.base):
            alone, _ = self._run_on(result.command, nodes, step.own, ALONE)
            if alone.verdict is not Verdict.GREEN:
                outcome, result = AttemptOutcome.REGRESSION, alone
                what = f"fail with this change, and passed before it (`{result.command}`)"
        lesson = red(f"The tests of {_named(nodes)}, which must stay green, {what}", result)
        feedback = Feedback(lesson, result.output, failure=result.why(outcome))
        return Refusal(culprit - 1, outcome, feedback)

    def _since(self, nodes: Sequence[str]) -> int:
        """Return after how many steps the tests of ``nodes`` are to be green at the earliest."""
        return max((at for at, step in enumerate(self.steps, 1) if step.node in nodes), default=0)

    def _commands(self, commit: str) -> dict[str, tuple[str, ...]]:
        views = self.work.views
        return commands_of_done(views.plan, views.done(commit))

    def _run(
        self, command: str, nodes: tuple[str, ...], steps: int, purpose: str
    ) -> tuple[GateResult, GateRun]:
        """Run a command on what the branch will be after the first ``steps``."""
        commit = self.steps[steps - 1].commit if steps else self.tip
        return self._run_on(command, nodes, commit, purpose)

    def _run_on(
        self, command: str, nodes: tuple[str, ...], commit: str, purpose: str
    ) -> tuple[GateResult, GateRun]:
        self.count.runs += 1
        return self.gates.run_tests_of(nodes, command, commit, purpose)

    def _notice(self, nodes: Sequence[str], what: str) -> None:
        self.work.emit(Kind.NOTICE, message=f"the tests of {_named(nodes)} {what}")


def _named(nodes: Sequence[str]) -> str:
    return listed(nodes, SHOWN_NODES)
