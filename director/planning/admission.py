"""Admitting tests: they exist, run in their node's view, are red, and work can turn them green."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from director.agents.markdown import fenced
from director.job.context import JobContext
from director.job.evidence import find_missing, run_of, with_evidence
from director.job.forbidden import leaks
from director.job.gate_report import told
from director.job.views import Views
from director.model.plan import Node
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND
from director.planning.never_green import never_green
from director.records.events import Kind
from director.repositories.objects import LINK_MODE
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.worktree import Worktree

ON_PATH = (
    "put it on PATH or, if it is only in your checkout, provide it in worktrees "
    "(`setup` or `link` of [worktree])"
)
OF_ITS_OWN = "a test must be a file of its own, in folders of their own"


class Candidate(NamedTuple):
    """A commit with tests; ``links`` were written as symbolic links, which it does not hold.

    ``name`` says in the names of logs which of the node's tests they are.
    """

    commit: str
    links: tuple[str, ...] = ()
    name: str = "tests"


@dataclass(frozen=True)
class Admission:
    """What became of one node's tests: what is wrong with them, or their hashes.

    ``final``: asking the author again cannot help. ``next_step``: what the user can do about it
    ("": nothing is known, or the author is to correct it).
    """

    problem: str = ""
    final: bool = False
    next_step: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Examiner:
    """Examines tests of nodes in ``worktree``, which nothing else uses meanwhile."""

    job: JobContext
    views: Views
    worktree: Worktree

    def refuse_imports(self, node: Node, commit: str) -> None:
        """Raise RequestError where no test of the node could be about the worktree."""
        check = self.job.import_check
        if check.applies_to(node.test_cmd):
            self.worktree.reset(self.views.of(commit, node))
            check.refuse(node.test_cmd, self.worktree.path)

    def admit(self, node: Node, candidate: Candidate) -> Admission:
        """Say whether the node's tests in a commit exist, run, are red, and can turn green.

        They run in the node's view of it, so that tests of nodes to come do not make them red. Nor
        may those of the nodes it depends on: without them they must not be green. That a file which
        a node of the plan makes does not exist yet is the right reason for red. RequestError where
        what ran is not the worktree's.
        """
        repository, commit = self.job.repository, candidate.commit
        found = repository.entries(commit, node.tests)
        links = [path for path, entry in found.items() if entry.mode == LINK_MODE]
        if linked := [*candidate.links, *links]:
            return Admission(f"{linked[0]} is a symbolic link: {OF_ITS_OWN}")
        if absent := sorted(set(node.tests) - set(found)):
            return Admission(f"these test files are missing: {', '.join(absent)}")
        redactor = self.job.directory.redactor
        if leaking := leaks(redactor, repository, repository.tip(), commit, node.tests):
            return Admission(f"a key from the environment is in {', '.join(leaking)}")
        view = self.views.of(commit, node)
        gate = self._run(node, view, f"{candidate.name}.gate")
        self.job.events.emit(Kind.GATE, node.id, purpose="tests", **told(gate))
        self.job.import_check.check(gate, self.worktree.path)
        if refusal := self._refusal(node, view, gate):
            return refusal
        alone = self.views.of_tests(commit, [node.id])
        if repository.tree(alone) != repository.tree(view) and self._is_green(
            node, alone, f"{candidate.name}.alone"
        ):
            return Admission(
                f"`{node.test_cmd}` passes although nothing is implemented yet: it is red only "
                "because of the tests of nodes that this one depends on"
            )
        return Admission(hashes=repository.hashes(view, node.tests))

    def _run(self, node: Node, commit: str, name: str) -> GateResult:
        self.worktree.reset(commit)
        gate = self.job.gates.run(node.test_cmd, self.worktree.path, f"{node.id}.{name}")
        return with_evidence(self.job.repository, node.tests, commit, gate)

    def _is_green(self, node: Node, commit: str, name: str) -> bool:
        return self._run(node, commit, name).verdict is Verdict.GREEN

    def _refusal(self, node: Node, view: str, gate: GateResult) -> Admission | None:
        """Return what is wrong with tests of which ``gate`` is a run on ``view``.

        None: they are red, and for all that is known because the work is to be done.
        """
        command = f"`{node.test_cmd}`"
        output = f"\n\n{fenced(gate.output)}" if gate.output.strip() else ""
        match gate.verdict:
            case Verdict.RED if gate.no_test_ran:
                return Admission(f"{command} must fail: {gate.reason}{output}")
            case Verdict.RED:
                if missing := find_missing(self.job.repository, view, gate, self.views.plan.nodes):
                    why = f"the worktree lacks something: {missing.words}"
                    problem = f"{command} is red because {why}{output}"
                    return Admission(problem, not missing.avoidable, missing.next_step)
                if reason := never_green(run_of(gate), node.tests):
                    return Admission(f"no implementation can make {command} pass: {reason}{output}")
                return None
            case Verdict.GREEN:
                why = self.job.import_check.explanation(node.test_cmd, self.worktree.path)
                return Admission(
                    f"{command} passes although nothing is implemented yet{why}{output}"
                )
        problem = f"gate broken: {command}: {gate.reason}{output}"
        if gate.code in (NOT_EXECUTABLE, NOT_FOUND):
            return Admission(problem, final=True, next_step=ON_PATH)
        return Admission(problem)
