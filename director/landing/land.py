"""``land``: the work of a job comes onto a branch of the user's, tested as it will be there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from director.job.checkouts import clean_checkouts, sweep_checkouts
from director.job.context import JobInputs, Workspace
from director.job.context import Opened as OpenedJob
from director.job.gate_report import GateReport
from director.job.job_worktrees import JobWorktrees
from director.job.stage import read_stage
from director.job.views import HeldBack, views_of
from director.landing.commits import commit_to_land, commit_to_push
from director.landing.first_look import (
    first_prospect,
    landed_before,
    record_of,
    refuse_part,
    refuse_shape,
)
from director.landing.gating import Gating
from director.landing.merging import merge_trees, unresolvable
from director.landing.moving import bring, move, undo_command
from director.landing.prospect import How, Prospect, Verified
from director.landing.pull_request import body_of, title_of
from director.landing.pushing import Request, Requested, ask_forge, push, remote_for
from director.landing.resolved_landing import ResolvedLanding
from director.landing.target import find_target, refuse_dirty
from director.model.config import Config
from director.model.diff_size import diff_size
from director.model.errors import StoppedError
from director.model.landed import Landed
from director.records import files
from director.records.events import Kind, journal
from director.records.job_directory import JobDirectory
from director.records.landings import write_landed
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
    done are left out. ``resolve``: models are asked to resolve conflicts; ``dry``: but not now.
    """

    onto: str | None = None
    how: How | None = None
    partial: bool = False
    resolve: bool = False
    dry: bool = False


class LandReport(NamedTuple):
    """Where the work went, how to undo that, and what became of a pull request."""

    landed: Landed
    undo: tuple[str, ...] = ()
    requested: Requested | None = None


class Opened(NamedTuple):
    """What a landing works with: the job's inputs, told to its journal, and worktrees for it."""

    inputs: JobInputs
    worktrees: JobWorktrees


@contextmanager
def opened_landing(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    options: LandOptions,
    verify: Verify,
) -> "Iterator[Landing]":
    """Give what lands a job, when it is verified, merged in a repository of its own, and gated.

    Nothing of the user's has changed yet. Raises StoppedError when another process has the
    job's lock, RequestError for what cannot land, and what ``verify`` does.
    """
    plan = directory.load_plan()
    with job_lock(directory.lock, "director land"):
        events = workspace.events.also(journal(directory.events))
        workspace.opened.append(OpenedJob(plan.job_id, directory, events))
        target = find_target(workspace.repository, options.onto)
        verified = verify()
        prospect = first_prospect(directory, plan, target, verified)
        refuse_part(prospect, partial=options.partial, how=options.how)
        if landed := landed_before(workspace.repository, prospect):
            sweep_checkouts(directory, directory.landing, events)
            write_landed(directory, landed)
            yield Landing(workspace, directory, config, replace(prospect, landed=landed), None)
            return
        workspace.repository.complete(target.tip)
        inputs = JobInputs.of(workspace, directory, config, plan.job_id)
        inputs = inputs._replace(events=events.without(inputs.directory.redactor))
        with clean_checkouts(inputs, plan, verified.tip, directory.landing) as worktrees:
            opened = Opened(inputs, worktrees)
            landing = Landing(workspace, inputs.directory, config, prospect, opened)
            yield landing.looked_ahead(options)


class Landing:
    """A job that is to land. ``prospect`` is what would; ``opened`` None: it has landed."""

    def __init__(
        self,
        workspace: Workspace,
        directory: JobDirectory,
        config: Config,
        prospect: Prospect,
        opened: Opened | None,
    ) -> None:
        self.prospect = prospect
        self._workspace = workspace
        self._directory = directory
        self._config = config
        self._opened = opened

    @property
    def _user(self) -> Repository:
        return self._workspace.repository

    @property
    def _made(self) -> JobWorktrees:
        assert self._opened, "it has not landed yet"
        return self._opened.worktrees

    def looked_ahead(self, options: LandOptions) -> "Landing":
        """Merge, and gate the merged tree; returns this, which knows then what would land."""
        self._merge()
        if self.prospect.conflicts:
            self._resolve(options)
            return self
        if not self.prospect.landed:
            self._refuse_dirty(options.how)
            self.prospect = replace(self.prospect, reports=self._judged())
        return self

    def diff(self) -> str:
        """Return what would change on the branch, as a patch; how conflicts were resolved first."""
        repository, prospect = self._made.repository, self.prospect
        whole = repository.diff(prospect.target.tip, prospect.tree)
        if not (resolved := prospect.resolved) or not resolved.done:
            return whole
        how = repository.diff(resolved.marked, prospect.tree)
        return "\n".join(
            [
                f"How {resolved.by} resolved the conflicts:",
                f"\n{how}",
                f"All that would change on {prospect.target.branch}:",
                f"\n{whole}",
            ]
        )

    def land(self, how: How) -> LandReport:
        """Let the work land; raises StoppedError or RequestError, and nothing is changed then.

        A StoppedError that says that the work landed is about its record alone.
        """
        assert self.prospect.ready, "the caller looked at what would land"
        refuse_shape(self.prospect, how)
        report = self._request() if how is How.PR else self._move(how)
        self._note(report.landed)
        events = self._workspace.opened[-1].events
        events.emit(Kind.LANDED, **report.landed._asdict())
        return report

    def _note(self, landed: Landed) -> None:
        try:
            write_landed(self._directory, landed)
        except StoppedError as error:
            error.what = f"{landed.in_words()}, but {error.what}"
            raise

    def _merge(self) -> None:
        """Learn what the work and the target's branch make together."""
        repository, prospect = self._made.repository, self.prospect
        plan, target = prospect.plan, prospect.target
        views = views_of(repository, plan, rule=HeldBack.TO_COME_AT_MERGE)
        work = views.of_done(prospect.verified.tip)
        merged = merge_trees(repository, plan, target.tip, work)
        newer = repository.git.text("rev-list", "--count", target.tip, f"^{work}")
        prospect = replace(prospect, work=work, tree=merged.tree, newer=int(newer))
        self.prospect = replace(prospect, conflicts=merged.conflicts)
        if merged.conflicts:
            return
        if merged.tree == repository.tree(target.tip):  # it was brought there in another way
            landed = record_of(prospect, How.SQUASH, target.tip)
            write_landed(self._directory, landed)
            self.prospect = replace(prospect, landed=landed)
            return
        self._measure()

    def _resolve(self, options: LandOptions) -> None:
        """Have models resolve the conflicts where that is asked for, and they may."""
        prospect, opened = self.prospect, self._opened
        if unresolvable(prospect.conflicts) or opened is None:
            return
        resolution = ResolvedLanding(opened.inputs, opened.worktrees, prospect, self._gating())
        if not options.resolve:
            self.prospect = replace(prospect, kept=resolution.kept)
            return
        self._refuse_dirty(options.how)
        self.prospect = resolution.resolved(ask=not options.dry)
        if not self.prospect.conflicts:
            self._measure()
            self._refuse_dirty(options.how)

    def _refuse_dirty(self, how: How | None) -> None:
        if how is not How.PR:
            refuse_dirty(self._user, self.prospect.target, self._touched())

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
        prospect = self.prospect
        message = "The merged tree\n"
        merged = self._made.repository.commit(prospect.tree, prospect.target.tip, message)
        return self._gating().judge(merged, prospect.nodes, self._config)

    def _gating(self) -> Gating:
        assert self._opened, "it has not landed yet"
        stage = read_stage(self._directory)
        broken = {Verdict.BROKEN} if stage and stage.allow_broken_gates else set()
        events, before = self._opened.inputs.events, self.prospect.target.tip
        return Gating(self._made, events, {Verdict.RED, *broken}, before)

    def _move(self, how: How) -> LandReport:
        target = self.prospect.target
        refuse_dirty(self._user, target, self._touched())
        repository = self._made.repository
        commit = commit_to_land(repository, self._config.git, self.prospect, how)
        bring(self._user, repository.path, commit)
        move(self._user, target, commit)
        return LandReport(self._landed(how, commit), undo_command(target, commit))

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
        repository = self._made.repository
        commit = commit_to_push(repository, self._config.git, prospect)
        bring(user, repository.path, commit)
        push(user, remote, commit, request.head)
        requested = ask_forge(user, remote, request)
        landed = self._landed(How.PR, commit)
        return LandReport(landed._replace(url=requested.url), requested=requested)

    def _landed(self, how: How, commit: str) -> Landed:
        return record_of(self.prospect, how.value, commit)


def _content(history: History, entry: Entry) -> bytes:
    if entry.mode == GITLINK_MODE or not entry.oid.strip("0"):
        return b""
    return history.objects.get(entry.oid).data
