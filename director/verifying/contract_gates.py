"""The check that merges which were held to the contract have its runs on their receipts.

A merge was held to it where the plan was approved with that (``sealed.json``), or its receipt has
such runs. They are on the tree of the merge or, where several were made in one step of the branch,
of the last of these; each test command of what was done by then is among them. A receipt that was
rebuilt has the runs of its node's tests alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from director.model.merge_policy import BEFORE, CONTRACT, commands_of_done, is_of_contract
from director.model.plan import Node
from director.model.receipt import GREEN, GateRun, Receipt
from director.verifying.evidence import CommitFacts, Evidence, receipted
from director.verifying.problem import Problem, differing, short

Merge = tuple[CommitFacts, Node, Receipt]


def contract_gates(evidence: Evidence) -> Iterator[Problem]:
    """Give what is missing or wrong, merge by merge; each is known to have one receipt."""
    sealed = evidence.seal is not None and evidence.seal.merge_gate == CONTRACT
    merges = list(receipted(evidence))
    for at, (facts, _, receipt) in enumerate(merges):
        held = sealed or any(map(is_of_contract, receipt.gates))
        if receipt.rebuilt or not held:
            continue
        yield from _Held(evidence, merges, at, facts, receipt).problems()


@dataclass(frozen=True)
class _Held:
    """The merge number ``at`` of ``merges``, which was held to the contract."""

    evidence: Evidence
    merges: Sequence[Merge]
    at: int
    facts: CommitFacts
    receipt: Receipt

    def problems(self) -> Iterator[Problem]:
        """Give what is wrong with its runs."""
        trees = {str(run.tree) for run in self._runs(CONTRACT)} or {self.receipt.gated}
        last = self._last(trees)
        if last is None:
            about = "the tree that the contract was held to, of it or a merge in the same step"
            yield differing(self.facts.commit, about, self.receipt.gated, ", ".join(sorted(trees)))
            return
        if between := self._stood_at(last):
            about = "the step of the branch that its contract gates are of"
            yield differing(self.facts.commit, about, "one step", f"a tip at {short(between)}")
        for command, nodes in self._commands(last):
            if problem := self._lacking(command, nodes, last):
                about = f"the contract gate `{command}` (tests of {', '.join(nodes)})"
                yield differing(self.facts.commit, about, GREEN, problem)

    def _runs(self, purpose: str) -> list[GateRun]:
        return [run for run in self.receipt.gates if run.purpose == purpose]

    def _last(self, trees: set[str]) -> int | None:
        """Return the number of the merge whose view was tested; None: there is none from here."""
        return next(
            (at for at in range(self.at, len(self.merges)) if {self.merges[at][0].view} == trees),
            None,
        )

    def _stood_at(self, last: int) -> str | None:
        """Return a merge of the same step at which the branch was before all were tested."""
        journal = self.evidence.journal
        commits = (facts.commit.oid for facts, _, _ in self.merges[self.at : last])
        return next((oid for oid in commits if journal and oid in journal.tips), None)

    def _commands(self, last: int) -> Iterator[tuple[str, tuple[str, ...]]]:
        done = {node.id for _, node, _ in self.merges[: last + 1]}
        yield from commands_of_done(self.evidence.plan, done).items()

    def _lacking(self, command: str, nodes: tuple[str, ...], last: int) -> str | None:
        """Say what a command lacks; None: it was green, or red without these merges, too."""
        runs = [run for run in self._runs(CONTRACT) if run.command == command]
        if not runs:  # the last one's gate was on this tree, and is not run twice
            return None if nodes == (self.merges[last][1].id,) else "none"
        run = runs[-1]
        if run.verdict == GREEN:
            return None if run.exit_code == 0 and run.tests_run != 0 else "no test that ran"
        before = {facts.view for facts, _, _ in self.merges[:last]}
        excused = any(
            one.command == command and one.verdict != GREEN and one.tree in before
            for one in self._runs(BEFORE)
        )
        return None if excused else run.verdict
