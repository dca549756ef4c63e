"""A plan that is ready, opened for work: the job, its views, and the state that is believed."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from director.job.context import JobContext, Workspace
from director.job.opening import open_job
from director.job.seal import Seal
from director.job.views import Views, views_of
from director.model.config import Config
from director.model.merge_policy import NODE, MergePolicy
from director.model.plan import Node, Plan
from director.model.roles import Role
from director.model.state import NodeStatus, RunState
from director.records import files
from director.records.call_notes import CallNote, CallNotes
from director.records.job_directory import JobDirectory
from director.records.state_keeper import StateKeeper
from director.running.believing import believed_state
from director.running.metrics import Accounts, RunMark
from director.running.node_work import NodeWork
from director.running.taken import settle_taken


class OpenedRun(NamedTuple):
    """What works on the nodes of a plan has this.

    ``keeper`` has the state, ``mark`` says where its work begins on record.
    """

    job: JobContext
    views: Views
    keeper: StateKeeper
    seal: Seal
    mark: RunMark

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.views.plan

    @property
    def accounts(self) -> Accounts:
        """The accounts of its nodes."""
        return Accounts(self.job, self.plan, self.keeper, self.mark)

    def work_on(self, node: Node) -> NodeWork:
        """Return what work on a node needs to know."""
        return NodeWork(self.job, self.views, node)


@contextmanager
def opened_run(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    ready: tuple[Plan, Seal],
    *,
    retry_failed: bool = False,
    folder: Path | None = None,
) -> Iterator[OpenedRun]:
    """Give what works on a plan that is ``ready``; the caller holds the job's lock.

    ``folder`` as for ``open_job``. Raises what that and ``believed_state`` do.
    """
    plan, seal = ready
    if seal.merge_gate != NODE:  # what was approved holds, whatever the configuration says now
        config = config._replace(merge=MergePolicy(seal.merge_gate))
    # Opening ends what a killed run left: before that, an agent could change what is read here.
    with open_job(workspace, directory, config, plan, folder=folder) as job:
        views = views_of(job.repository, _at_home(job, plan, workspace))
        job.pool.set_up_on(views.of_tip)
        believed = believed_state(job, views.plan, seal, retry_failed=retry_failed)
        state = settle_taken(job.directory, views.plan, believed, spared=folder)
        _forget_settled(job.agents.notes, state)
        with _synced(directory), closing(StateKeeper(directory, state)) as keeper:
            yield OpenedRun(job, views, keeper, seal, RunMark.here(job.agents.ledger, state))


def _forget_settled(notes: CallNotes, state: RunState) -> None:
    """Drop the notes of calls that are settled: no attempt still to be made is about them."""
    for note in notes.left():
        if note.role and not _is_due(note, state):  # an earlier version did not say
            notes.drop(note.name)


def _is_due(note: CallNote, state: RunState) -> bool:
    node = state.nodes.get(note.node or "")
    if node is None or node.status is NodeStatus.DONE or note.role == Role.TEST_AUTHOR:
        return False
    return (note.attempt or 0) > node.attempts


@contextmanager
def _synced(directory: JobDirectory) -> Iterator[None]:
    """See that what the journal of tips vouched for meanwhile is on disk at the end."""
    try:
        yield
    finally:
        files.sync(directory.receipts, directory.metrics)


def _at_home(job: JobContext, plan: Plan, workspace: Workspace) -> Plan:
    """Return the plan with the repository's place as it is now: it may have been moved."""
    here = plan._replace(repo=str(workspace.repository.root))
    if here != plan:
        job.directory.save_plan(here)
    return here
