"""The view of a node on a commit: the commit without the tests of nodes that are still to come.

Who is done is read from the commit itself: the nodes whose work it holds. So what a run shows a
node, and what ``verify`` says it must have seen, come from plan and branch alone.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Set
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from director.job.trailers import CANDIDATE, KIND, MERGE, NODE, TESTS
from director.model.newest import Newest
from director.model.plan import Node, Plan
from director.model.view import Held, held_back, visible_nodes
from director.repositories.branch_commits import BranchCommit
from director.repositories.history import Entry, History
from director.repositories.job_repository import JobRepository
from director.repositories.objects import ABSENT_MODE

Contents = Mapping[tuple[str, str], Entry]
"""(path, sha256 of the content) → that content, as an entry of a tree."""
NO_CONTENTS: Contents = {}
KEPT_DONE = 20  # commits of which it is remembered who is done
NO_NODES: frozenset[str] = frozenset()


class HeldBack(Enum):
    """Which tests a view leaves out of a commit.

    TO_COME: those of nodes that are not done in it. TO_COME_AT_MERGE: besides, those that no node
    of the plan has any more, as when the commit was made. NOTHING: versions without views.
    """

    TO_COME = auto()
    TO_COME_AT_MERGE = auto()
    NOTHING = auto()


class View(NamedTuple):
    """A view: of ``commit``, with the tests of the nodes ``visible`` only, as a ``tree``."""

    commit: str
    visible: frozenset[str]
    tree: str


class ViewReader:
    """Finds the entries in which a view differs from its commit. Only reads."""

    def __init__(
        self,
        history: History,
        plan: Plan,
        known: Contents = NO_CONTENTS,
        rule: HeldBack = HeldBack.TO_COME,
    ) -> None:
        """``known`` are contents of shared tests that are not on the branch yet."""
        self.plan = plan
        self._rule = rule
        self._history = history
        self._on_base: dict[str, Entry] = {}
        self._contents = dict(known)
        self._looked_into: set[str] = set()
        self._done = Newest[str, frozenset[str]](KEPT_DONE)
        self._brought: dict[str, dict[str, Entry]] = {}
        self._digests: dict[str, str] = {}
        self._knew_all = True

    def done(self, commit: str) -> set[str]:
        """Return the ids of the nodes whose work ``commit`` holds: merged, or to be by then."""
        new: list[BranchCommit] = []
        for step in self._steps(commit):
            if self._done.get(step.oid) is not None:
                break
            new.append(step)
        for step in reversed(new):  # each commit holds what its parent does, and its own
            below = (step.parents and self._done.get(step.parents[0])) or NO_NODES
            self._done.keep(step.oid, below | _work_of(step))
        return set(self._done.get(commit) or NO_NODES)

    def differing(self, commit: str, visible: Set[str]) -> tuple[Entry, ...]:
        """Return the entries that differ from ``commit`` where only tests of ``visible`` are seen.

        A content that is not known stays as it is in ``commit``.
        """
        held = self._held_back(commit, visible)
        if not held:
            return ()
        now = self._history.entries(commit, [one.path for one in held])
        self._learn_base(one.path for one in held if one.owner is None)
        wanted = (self._held(commit, one) for one in held)
        return tuple(entry for entry in wanted if entry and _differs(entry, now.get(entry.path)))

    @property
    def can_derive(self) -> bool:
        """Whether ``between`` says what ``differing`` would: then nothing was left as it was."""
        return self._rule is HeldBack.TO_COME and self._knew_all

    def between(self, last: View, commit: str, visible: Set[str]) -> tuple[Entry, ...]:
        """Return the entries in which the view may differ from the ``last`` one.

        These are the paths in which the commits differ, and the tests of nodes that are seen in
        one of the views only: what else there is does not count, however many nodes there are.
        """
        turned = self.plan.tests_of(one for one in last.visible ^ visible if one in self.plan)
        moved = (change.path for change in self._history.changes(last.commit, commit))
        paths = dict.fromkeys((*turned, *moved))
        now = self._history.entries(commit, paths)
        tests = [path for path in paths if path in self.plan.owners]
        held = {one.path: one for one in held_back(self.plan, visible, tests)}
        self._learn_base(path for path, one in held.items() if one.owner is None)
        shown = {path: self._held(commit, one) for path, one in held.items()}
        absent = "0" * len(commit)
        return tuple(
            shown.get(path) or now.get(path) or Entry(path, ABSENT_MODE, absent) for path in paths
        )

    def _held_back(self, commit: str, visible: Set[str]) -> list[Held]:
        if self._rule is HeldBack.NOTHING:
            return []
        held = held_back(self.plan, visible)
        if self._rule is HeldBack.TO_COME_AT_MERGE:
            held += self._without_node(commit, visible)
        return held

    def _without_node(self, commit: str, visible: Set[str]) -> Iterator[Held]:
        """Give what ``commit`` holds of tests that no node of the plan has any more.

        These are files without a node, and what was added to a file of nodes that are all seen.
        """
        for path, entry in sorted(self._brought_up_to(commit).items()):
            owners = self.plan.owners.get(path)
            if owners is None:
                if entry != self._on_base[path]:
                    yield Held(path, None)
            elif owners[-1] in visible and entry.mode != ABSENT_MODE:
                wanted = self.plan.node(owners[-1]).test_hashes.get(path)
                if wanted != self._digest(entry.oid):
                    yield Held(path, owners[-1])

    def _brought_up_to(self, commit: str) -> dict[str, Entry]:
        """Return path → the last that commits of tests up to ``commit`` made of it."""
        found: dict[str, Entry] = {}
        for step in reversed(list(self._steps(commit))):
            if step.oid not in self._brought:
                self._brought[step.oid] = self._brought_by(step)
            found |= self._brought[step.oid]
        return found

    def _brought_by(self, step: BranchCommit) -> dict[str, Entry]:
        if step.trailers.get(KIND) != TESTS or not step.parents:
            return {}
        changes = self._history.changes(step.parents[0], step.oid)
        self._learn_base(one.path for one in changes if one.path not in self.plan.owners)
        return {one.path: one.new for one in changes}

    def content_at(self, commit: str, node: Node, path: str) -> Entry | None:
        """Return the frozen content of a test file at ``node``; None: ``commit`` knows of none."""
        digest = node.test_hashes.get(path)
        if digest is None:
            return None
        if (path, digest) not in self._contents:
            self._look_into(commit)
        return self._contents.get((path, digest))

    def _held(self, commit: str, held: Held) -> Entry | None:
        if held.owner is None:
            return self._on_base[held.path]
        found = self.content_at(commit, self.plan.node(held.owner), held.path)
        self._knew_all = self._knew_all and found is not None
        return found

    def _learn_base(self, paths: Iterable[str]) -> None:
        base = self.plan.base_commit
        new = [path for path in paths if path not in self._on_base]
        found = self._history.entries(base, new)
        absent = "0" * len(base)
        self._on_base |= {path: found.get(path, Entry(path, ABSENT_MODE, absent)) for path in new}

    def _look_into(self, commit: str) -> None:
        """Learn the contents that the commits of tests up to ``commit`` brought."""
        for step in self._steps(commit):
            if step.oid in self._looked_into:
                return  # and into all that came before it
            self._looked_into.add(step.oid)
            if step.trailers.get(KIND) == TESTS and step.parents:
                for change in self._history.changes(step.parents[0], step.oid):
                    if change.path in self.plan.owners and change.new.mode != ABSENT_MODE:
                        digest = self._digest(change.new.oid)
                        self._contents.setdefault((change.path, digest), change.new)

    def _digest(self, oid: str) -> str:
        if oid not in self._digests:
            content = self._history.objects.get(oid).data
            self._digests[oid] = hashlib.sha256(content).hexdigest()
        return self._digests[oid]

    def _steps(self, commit: str) -> Iterator[BranchCommit]:
        return self._history.steps(self.plan.base_commit, commit)


class Views:
    """The views of one job's nodes as commits, made when they are asked for. For any thread."""

    def __init__(self, job: JobRepository, reader: ViewReader) -> None:
        self.plan = reader.plan
        self._job = job
        self._reader = reader
        self._made: dict[tuple[str, str | None], str] = {}
        self._last: View | None = None
        self._lock = threading.Lock()

    def of(self, commit: str, node: Node) -> str:
        """Return the commit that ``node`` sees of ``commit``: itself, where nothing is held back.

        No ref names a view. Its parent is ``commit``.
        """
        return self._known(commit, node.id)

    def of_done(self, commit: str) -> str:
        """Return ``commit`` with the tests of the nodes whose work it holds and no others."""
        return self._known(commit, None)

    def of_tip(self) -> str:
        """Return the tip of the branch with the tests of what is done: what setup runs on."""
        return self.of_done(self._job.tip())

    def of_tests(self, commit: str, visible: Iterable[str]) -> str:
        """Return ``commit`` with the tests of the nodes ``visible`` and no others."""
        with self._lock:
            return self._make(commit, set(visible), "View")

    def done(self, commit: str) -> set[str]:
        """Return the ids of the nodes whose work ``commit`` holds."""
        with self._lock:
            return self._reader.done(commit)

    def content_at(self, commit: str, node: Node, path: str) -> Entry | None:
        """Return the frozen content of a test file at ``node``; None: ``commit`` knows of none."""
        with self._lock:
            return self._reader.content_at(commit, node, path)

    def _known(self, commit: str, node_id: str | None) -> str:
        """Return the view of a node, or of what is done, which is made once."""
        with self._lock:
            if (commit, node_id) not in self._made:
                visible = self._reader.done(commit)
                if node_id is not None:
                    visible = visible_nodes(self.plan, node_id, visible)
                subject = f"View of {node_id or 'what is done'}"
                self._made[commit, node_id] = self._make(commit, visible, subject)
            return self._made[commit, node_id]

    def _make(self, commit: str, visible: Set[str], subject: str) -> str:
        tree = self._tree(commit, visible)
        self._last = View(commit, frozenset(visible), tree)
        if tree == self._job.tree(commit):
            return commit
        return self._job.commit(tree, commit, f"{subject}: without the tests that are to come\n")

    def _tree(self, commit: str, visible: Set[str]) -> str:
        """Make the tree of a view, from the last one where that tells enough."""
        if self._last and self._reader.can_derive:
            start, entries = self._last.tree, self._reader.between(self._last, commit, visible)
        else:
            start, entries = commit, self._reader.differing(commit, visible)
        if not entries:
            return self._job.tree(start)
        return self._job.tree_with(start, entries, self._trees_of_base)

    @cached_property
    def _trees_of_base(self) -> frozenset[str]:
        """The trees that a view may have in common with the base, which is the user's."""
        base = self.plan.base_commit
        return frozenset((self._job.tree(base), *(one.oid for one in self._job.folders(base))))


def _work_of(step: BranchCommit) -> frozenset[str]:
    """Return the id of the node whose work a commit is, if it is one's."""
    said = step.trailers
    work = said.get(KIND) in (MERGE, CANDIDATE) and NODE in said
    return frozenset((said[NODE],)) if work else NO_NODES


def views_of(
    job: JobRepository, plan: Plan, known: Contents = NO_CONTENTS, rule: HeldBack = HeldBack.TO_COME
) -> Views:
    """Return the views of a plan's nodes; ``known`` and ``rule`` as for ``ViewReader``."""
    return Views(job, ViewReader(job, plan, known, rule))


def _differs(entry: Entry, now: Entry | None) -> bool:
    """Whether what is at the path of ``entry`` (None: nothing) is something else."""
    return entry.mode != ABSENT_MODE if now is None else entry != now
