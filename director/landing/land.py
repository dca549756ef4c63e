"""``land``: the work of a job comes onto a branch of the user's, tested as it will be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from director.job.checkouts import clean_checkouts
from director.job.commits import signed_off, signer_of
from director.job.context import JobInputs, Opened, Workspace
from director.job.gate_report import GateReport
from director.job.job_worktrees import JobWorktrees
from director.job.stage import read_stage
from director.job.views import HeldBack, views_of
from director.landing.gating import Gating
from director.landing.merging import merge_trees
from director.landing.message import landing_message, lands
from director.landing.moving import bring, move, undo_command
from director.landing.prospect import How, Prospect, Verified
from director.landing.pull_request import body_of, title_of
from director.landing.pushing import Request, Requested, ask_forge, push, remote_for
from director.landing.target import Target, find_target, refuse_dirty
from director.model.config import Config
from director.model.cost import Cost
from director.model.diff_size import diff_size
from director.model.errors import RequestError
from director.model.format import counted
from director.model.landed import Landed
from director.model.plan import Plan
from director.records import files
from director.records.clock import now
from director.records.events import Kind, journal
from director.records.job_directory import JobDirectory
from director.records.landings import write_landed
from director.records.ledger import read_calls
from director.records.lock import job_lock
from director.repositories.history import Change, Entry, History
from director.repositories.objects import GITLINK_MODE
from director.repositories.repository import Repository
from director.worktrees.gates import Verdict

Verify = Callable[[], Verified]
"""Verifies the job; raises where something does not hold."""


@dataclass(frozen=True)
class LandOptions:
    """What a caller asks for: on which branch (None: the one that is checked out), in which shape.

    ``how`` None: that is decided when it is known what would land. ``partial``: nodes that are not
    done are left out.
    """

    onto: str | None = None
    how: How | None = None
    partial: bool = False


class LandReport(NamedTuple):
    """Where the work went, how to undo that, and what became of a pull request."""

    landed: Landed
    undo: tuple[str, ...] = ()
    requested: Requested | None = None


@contextmanager
def opened_landing(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    options: LandOptions,
    verify: Verify,
) -> Iterator[Landing]:
    """Give what lands a job, when it is verified, merged in a repository of its own, and gated.

    Nothing of the user's has changed by then. Raises StoppedError when another process has the
    job's lock, RequestError for what cannot land, and what ``verify`` does.
    """
    plan = directory.load_plan()
    with job_lock(directory.lock, "director land"):
        events = workspace.events.also(journal(directory.events))
        workspace.opened.append(Opened(plan.job_id, directory, events))
        target = find_target(workspace.repository, options.onto)
        verified = verify()
        prospect = _prospect(directory, plan, target, verified)
        _refuse_part(prospect, options)
        if landed := _landed_before(workspace.repository, prospect):
            write_landed(directory, landed)
            yield Landing(workspace, directory, config, replace(prospect, landed=landed), None)
            return
        workspace.repository.complete(target.tip)
        inputs = JobInputs.of(workspace, directory, config, plan.job_id)
        with clean_checkouts(inputs, plan, verified.tip, directory.landing) as worktrees:
            landing = Landing(workspace, inputs.directory, config, prospect, worktrees)
            yield landing.looked_ahead(options)


class Landing:
    """A job that is to land. ``prospect`` is what would; ``worktrees`` None: it has landed."""

    def __init__(
        self,
        workspace: Workspace,
        directory: JobDirectory,
        config: Config,
        prospect: Prospect,
        worktrees: JobWorktrees | None,
    ) -> None:
        self.prospect = prospect
        self._workspace = workspace
        self._directory = directory
        self._config = config
        self._worktrees = worktrees

    @property
    def _user(self) -> Repository:
        return self._workspace.repository

    @property
    def _made(self) -> JobWorktrees:
        assert self._worktrees, "it has not landed yet"
        return self._worktrees

    def looked_ahead(self, options: LandOptions) -> Landing:
        """Merge, and gate the merged tree; returns this, which knows then what would land."""
        self._merge()
        if self.prospect.landed or self.prospect.conflicts:
            return self
        if options.how is not How.PR:
            refuse_dirty(self._user, self.prospect.target, self._touched())
        self.prospect = replace(self.prospect, reports=self._judged())
        return self

    def diff(self) -> str:
        """Return what would change on the branch, as a patch."""
        return self._made.repository.diff(self.prospect.target.tip, self.prospect.tree)

    def land(self, how: How) -> LandReport:
        """Let the work land; raises StoppedError or RequestError, and nothing is changed then."""
        assert self.prospect.ready, "somebody looked at what would land"
        _refuse_shape(self.prospect, how)
        report = self._request() if how is How.PR else self._move(how)
        write_landed(self._directory, report.landed)
        events = self._workspace.opened[-1].events
        events.emit(Kind.LANDED, **report.landed._asdict())
        return report

    def _merge(self) -> None:
        """Learn what the work and the target's branch make together."""
        repository, prospect = self._made.repository, self.prospect
        plan, target = prospect.plan, prospect.target
        views = views_of(repository, plan, rule=HeldBack.TO_COME_AT_MERGE)
        work = views.of_done(prospect.verified.tip)
        merged = merge_trees(repository.git, plan, target.tip, work)
        newer = repository.git.text("rev-list", "--count", target.tip, f"^{work}")
        prospect = replace(prospect, work=work, tree=merged.tree, newer=int(newer))
        self.prospect = replace(prospect, conflicts=merged.conflicts)
        if merged.conflicts:
            return
        if merged.tree == repository.tree(target.tip):  # somebody brought it there in another way
            landed = _record(prospect, How.SQUASH, target.tip)
            write_landed(self._directory, landed)
            self.prospect = replace(prospect, landed=landed)
            return
        self._measure()

    def _measure(self) -> None:
        repository, prospect = self._made.repository, self.prospect
        changes = self._touched()
        tests = prospect.plan.tests_of(node.id for node in prospect.nodes)
        frozen = repository.entries(prospect.work, tests)
        there = repository.entries(prospect.tree, tests)
        self.prospect = replace(
            prospect,
            size=diff_size(
                (_content(repository, one.old), _content(repository, one.new)) for one in changes
            ),
            tests=len({one.path for one in changes} & set(tests)),
            edited=tuple(path for path in tests if frozen.get(path) != there.get(path)),
        )

    def _touched(self) -> Sequence[Change]:
        return self._made.repository.changes(self.prospect.target.tip, self.prospect.tree)

    def _judged(self) -> tuple[GateReport, ...]:
        prospect, repository = self.prospect, self._made.repository
        stage = read_stage(self._directory)
        broken = {Verdict.BROKEN} if stage and stage.allow_broken_gates else set()
        events = self._workspace.opened[-1].events.without(self._directory.redactor)
        gating = Gating(self._made, events, {Verdict.RED, *broken}, prospect.target.tip)
        merged = repository.commit(prospect.tree, prospect.target.tip, "The merged tree\n")
        return gating.judge(merged, prospect.nodes, self._config)

    def _move(self, how: How) -> LandReport:
        target = self.prospect.target
        refuse_dirty(self._user, target, self._touched())
        commit = self._commit(how)
        bring(self._user, self._made.repository.path, commit)
        move(self._user, target, commit)
        return LandReport(self._landed(how, commit), undo_command(target, commit))

    def _commit(self, how: How) -> str:
        """Write and return the commit, signed where the job's commits are."""
        prospect, repository, policy = self.prospect, self._made.repository, self._config.git
        merge = how is How.MERGE
        message = landing_message(
            policy,
            prospect.plan,
            prospect.nodes,
            prospect.verified.tip,
            merge=merge,
            by=signed_off(repository, policy),
        )
        also = (prospect.verified.tip,) if merge else ()
        if signer := signer_of(repository, policy):
            parent = prospect.target.tip
            return signer.commit(repository.git, prospect.tree, parent, message, *also)
        return repository.commit(prospect.tree, prospect.target.tip, message, *also)

    def _request(self) -> LandReport:
        """Push the job branch, and ask for a pull request."""
        prospect, user = self.prospect, self._user
        plan, target = prospect.plan, prospect.target
        remote = remote_for(user, target.branch)
        body = self._directory.pull_request
        spec = files.read_text(self._directory.spec) or ""
        files.write_text(body, self._directory.redactor.text(body_of(prospect, spec)))
        part = f"-{len(prospect.nodes)}-of-{len(plan.nodes)}" if prospect.left else ""
        title = self._directory.redactor.text(title_of(prospect))
        request = Request(f"{plan.job_branch}{part}", target.branch, title, body)
        bring(user, self._made.repository.path, prospect.work)
        push(user, remote, prospect.work, request.head)
        requested = ask_forge(user, remote, request)
        landed = self._landed(How.PR, prospect.work)
        return LandReport(landed._replace(url=requested.url), requested=requested)

    def _landed(self, how: How, commit: str) -> Landed:
        return _record(self.prospect, how.value, commit)


def _record(prospect: Prospect, how: str, commit: str) -> Landed:
    branch, tip = prospect.target.branch, prospect.verified.tip
    return Landed(branch, commit, how, now(), tip, bool(prospect.left))


def _prospect(directory: JobDirectory, plan: Plan, target: Target, verified: Verified) -> Prospect:
    return Prospect(
        plan=plan,
        target=target,
        verified=verified,
        nodes=[node for node in plan.nodes if node.id in verified.nodes],
        left=tuple(node.id for node in plan.nodes if node.id not in verified.nodes),
        states=directory.load_state(plan).nodes,
        cost=Cost.of(call.cost for call in read_calls(directory.costs)),
    )


def _refuse_part(prospect: Prospect, options: LandOptions) -> None:
    """Raise RequestError for a job that is not finished, unless a part of it is asked for."""
    done, total = len(prospect.nodes), len(prospect.plan.nodes)
    if not done:
        raise RequestError(
            f"no node of job {prospect.plan.job_id} is done: there is nothing to land",
            "`director run` works on them",
        )
    if prospect.left and not options.partial:
        raise RequestError(
            f"{done} of {counted(total, 'node')} are done, not {', '.join(prospect.left)}",
            f"`director run` continues{_moved_on(prospect)}; or `director land --partial --squash` "
            "lands what is done",
        )
    if options.how is not None:
        _refuse_shape(prospect, options.how)


def _moved_on(prospect: Prospect) -> str:
    """Return what to do first where the branch has left the job's base behind; "" elsewhere."""
    target = prospect.target
    if target.tip == prospect.plan.base_commit:
        return ""
    onto = "" if target.here else f" --onto {target.branch}"
    return f" (after `director rebase{onto}`, since {target.branch} moved on)"


def _refuse_shape(prospect: Prospect, how: How) -> None:
    if prospect.left and how is How.MERGE:
        raise RequestError(
            "a part of a job cannot land as a merge: git would take the tests that are left out "
            "now for removed ones when the rest lands",
            "land it as one commit: `director land --partial --squash`",
        )


def _landed_before(user: Repository, prospect: Prospect) -> Landed | None:
    """Return how the job as it stands came onto the branch already, whoever brought it there."""
    history, tip, target = History(user.git), prospect.verified.tip, prospect.target
    if history.descends(target.tip, tip):
        return _record(prospect, How.MERGE.value, target.tip)
    for commit in history.log(prospect.plan.base_commit, target.tip):
        if lands(commit, prospect.plan, tip):
            return _record(prospect, How.SQUASH.value, commit.oid)
    return None


def _content(history: History, entry: Entry) -> bytes:
    if entry.mode == GITLINK_MODE or not entry.oid.strip("0"):
        return b""
    return history.objects.get(entry.oid).data
