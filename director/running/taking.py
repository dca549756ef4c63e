"""``take``: a worktree for a person who writes a node, with what its gate would find there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from director.job.context import Workspace
from director.job.reconciling import unblocked
from director.model.config import Config
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Node
from director.model.state import NodeStatus, RunState
from director.records.clock import now
from director.records.events import Events, Kind, journal
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.records.state_keeper import StateKeeper
from director.records.taken_nodes import TakenNode, note_taken, taken_node
from director.repositories.objects import GITLINK_MODE, LINK_MODE
from director.running.node_work import NodeWork
from director.running.opened_run import OpenedRun, opened_run
from director.running.readiness import ready_plan
from director.running.taken import discard_taken, returned
from director.running.updating import updated
from director.worktrees.pool_folders import pool_environment
from director.worktrees.taken_folders import new_taken_folder


@dataclass(frozen=True)
class TakeReport:
    """A node and the ``worktree`` in which a person writes it. ``begun``: it was there before.

    ``collided`` are files of the last candidate that others changed meanwhile, so that nothing of
    it was put into the worktree.
    """

    job_id: str
    node: Node
    taken: TakenNode
    begun: bool = False
    collided: tuple[str, ...] = ()

    @property
    def worktree(self) -> Path:
        """The folder to work in."""
        return self.taken.worktree


def take_node(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    node_id: str,
    *,
    update: bool = False,
) -> TakeReport:
    """Make a worktree for a person at the tip, in the node's view, with its last candidate in it.

    Where the person has one already it is only named, or brought to the tip with what is there
    (``update``). Raises RequestError (no approved plan; no
    such node; it is merged, or waits for others), SetupFailedError, StoppedError (another process
    has the lock) and InterruptedRunError; then there is none.
    """
    with job_lock(directory.lock, "director take"):
        plan, seal = ready_plan(directory)
        node = known_node(plan, node_id)
        node_id = node.id
        known = taken_node(directory, node_id)
        if known and known.ready and known.worktree.is_dir():
            ready = TakeReport(plan.job_id, node, known, begun=True)
            if not (update or known.updating):
                return ready
            folder = Path(known.folder)
            with opened_run(workspace, directory, config, (plan, seal), folder=folder) as opened:
                return replace(ready, taken=updated(opened, opened.work_on(node), known))
        if update:
            raise not_taken(directory, node_id)
        refuse_unready(directory.load_state(plan), node)
        if known:  # of a command that was killed, or a person removed the worktree
            discard_taken(directory, known)
        folder = new_taken_folder(pool_environment(config.launcher, workspace.env), node_id)
        taken = TakenNode(node_id, str(folder), now(), base="")
        with _discarded_on_error(directory, taken):
            note_taken(directory, taken)
            with opened_run(workspace, directory, config, (plan, seal), folder=folder) as opened:
                return _make(opened, node, taken)


@contextmanager
def _discarded_on_error(directory: JobDirectory, taken: TakenNode) -> Iterator[None]:
    """Leave nothing of ``taken`` where what is done with it fails."""
    try:
        yield
    except BaseException:
        discard_taken(directory, taken)
        raise


def _make(opened: OpenedRun, node: Node, taken: TakenNode) -> TakeReport:
    """Fill the worktree, and put on record that the node is taken."""
    refuse_unready(opened.keeper.state, node)  # it may have been merged by a killed command
    work, tip = opened.work_on(node), opened.job.repository.tip()
    last = _last_candidate(work, tip)
    with opened.job.pool.lane() as lane:
        lane.work.reset(work.view(tip))
        if last.paths:
            lane.work.put(last.commit, last.paths)
    was = opened.keeper.node(node.id)
    taken = taken._replace(
        base=tip, ready=True, status=was.status.value, error=was.error, candidate=last.name
    )
    note_taken(opened.job.directory, taken)
    state = opened.keeper.state.changed(node.id, status=NodeStatus.TAKEN)
    opened.keeper.replace(unblocked(state, opened.plan))
    work.emit(Kind.TAKEN, worktree=taken.folder, base=tip, candidate=last.name)
    return TakeReport(opened.plan.job_id, node, taken, collided=last.collided)


def refuse_unready(state: RunState, node: Node) -> None:
    """Raise RequestError for a node that is merged, or waits for others."""
    if state.nodes[node.id].status is NodeStatus.DONE:
        raise RequestError(f"node {node.id} is merged", "plan the change as a new task")
    if waits_for := sorted(set(node.depends_on) - state.ids(NodeStatus.DONE)):
        raise RequestError(
            f"node {node.id} waits for {', '.join(waits_for)}",
            "run these first with `director run`, or take them",
        )


@dataclass(frozen=True)
class _Last:
    """The last candidate of a node: the ref ``name`` keeps it ("": there is none)."""

    name: str = ""
    commit: str = ""
    paths: tuple[str, ...] = ()
    collided: tuple[str, ...] = ()


def _last_candidate(work: NodeWork, tip: str) -> _Last:
    """Return what of the last candidate can be put on the tip."""
    repository, node = work.job.repository, work.node
    kept = repository.attempts(node.id)
    if not kept:
        return _Last()
    name, commit = kept[-1]
    base = repository.step(commit).parents[0]
    changed = [
        one.path
        for one in repository.changes(base, commit)
        if one.path in node.files and one.new.mode not in (LINK_MODE, GITLINK_MODE)
    ]  # who edits a file there must not write through a link
    if both := [path for path in work.changed_by_both(base, commit, tip) if path in changed]:
        return _Last(collided=tuple(both))
    return _Last(name, commit, tuple(changed))


def drop_node(directory: JobDirectory, node_id: str) -> TakenNode:
    """Give up what a person has of a node: the worktree goes, the node is as it was before.

    RequestError when it is not taken; StoppedError when another process has the lock.
    """
    with job_lock(directory.lock, "director take"):
        plan = directory.load_plan()
        node_id = known_node(plan, node_id).id
        taken = taken_node(directory, node_id)
        if taken is None:
            raise not_taken(directory, node_id)
        note_taken(directory, taken._replace(ready=False))
        state = directory.load_state(plan)
        with closing(StateKeeper(directory, state)) as keeper:
            keeper.replace(returned(plan, state, taken))
        discard_taken(directory, taken)
        Events([journal(directory.events)]).emit(Kind.DROPPED, node_id, worktree=taken.folder)
        return taken


def not_taken(directory: JobDirectory, node_id: str) -> RequestError:
    """Return the error for a node that no person has taken."""
    if directory.load_state(directory.load_plan()).nodes[node_id].status is NodeStatus.DONE:
        return RequestError(f"node {node_id} is merged", "continue with `director run`")
    next_step = f"`director take {node_id}` makes a worktree for you"
    return RequestError(f"node {node_id} is not taken", next_step)
