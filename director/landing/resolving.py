"""Conflicts that models resolve: what they leave is judged and gated like any candidate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from director.agents.calls import Assignment, Outcome, Reply
from director.agents.client import AgentClient
from director.job.attempts import CurrentAttempt, Judgement, Scope, judge_snapshot, next_role
from director.job.feedback import without_gate
from director.job.gate_report import GateReport
from director.job.job_worktrees import JobWorktrees
from director.landing.gating import Gating
from director.landing.marked_tree import BYTES, Conflicted, MarkedTree
from director.landing.resolve_prompt import Sides, resolve_prompt
from director.model.codec.encoding import encode_any
from director.model.config import Config
from director.model.failure import Failure
from director.model.roles import Agent
from director.model.state import Attempt, AttemptOutcome
from director.model.testing.excerpt import excerpt
from director.records.events import Events, Kind
from director.records.job_directory import JobDirectory
from director.records.logs import log_called, recorded
from director.records.resolutions import LAND, Draft, Resolution, write_resolution
from director.worktrees.gates import Verdict
from director.worktrees.snapshot import Snapshot
from director.worktrees.worktree import Worktree


class End(NamedTuple):
    """Where the conflicts stand: what is on record, and how the last tree was gated.

    ``tree`` is the resolved one, when it is ``green``. ``stuck``: why no attempt can help ("": one
    may).
    """

    known: Resolution
    reports: tuple[GateReport, ...] = ()
    tree: str = ""
    stuck: str = ""

    @property
    def green(self) -> bool:
        """Whether it was resolved, and gated just now."""
        return bool(self.tree)


@dataclass(frozen=True)
class Tools:
    """What conflicts are resolved with.

    ``agents`` opens what asks roles when it is first called. ``check`` raises where the answer
    would be of no use any more.
    """

    made: JobWorktrees
    directory: JobDirectory
    config: Config
    events: Events
    gating: Gating
    agents: Callable[[], AgentClient]
    check: Callable[[], None]


class Resolver:
    """Resolves the conflicts of one landing."""

    def __init__(self, tools: Tools, conflicted: Conflicted) -> None:
        self._tools = tools
        self._of = conflicted
        self._job = tools.made.repository
        self._tree = MarkedTree(self._job, conflicted, tools.directory.redactor)

    def known(self, stored: Resolution | None) -> Resolution:
        """Return what of a record can be true of these conflicts; none of it is green yet."""
        fresh = self._of.unresolved
        if stored is None or not stored.is_about(fresh):
            return fresh
        used_up = next_role(stored.attempts, self._most, veto=False) is None
        made = bool(stored.files) or stored.green or stored.draft is not None
        if made and not (set(stored.files) == set(self._of.paths) and self._fits(stored)):
            return fresh
        if stored.green:
            last = stored.attempts[-1]
            draft = Draft(last.role, last.number, last.model, last.call)
            return stored._replace(attempts=stored.attempts[:-1], draft=draft)
        return fresh if used_up and not stored.draft else stored

    def resolve(self, known: Resolution, *, ask: bool) -> End:
        """Make attempts until one is green, or all are used up; what comes of each is on record.

        Not ``ask``: only what is on record is gated.
        """
        end = End(known)
        while not (end.green or end.stuck):
            known = end.known
            if known.draft is None:
                role = next_role(known.attempts, self._most, veto=False)
                if role is None or not ask:
                    break
                known = self._ask(CurrentAttempt(LAND, role, len(known.attempts) + 1), known)
            end = self._gated(known) if known.draft else End(known)
            write_resolution(self._tools.directory, end.known)
            self._tell(end)
        return end

    @property
    def _most(self) -> int:
        return self._tools.config.limits.max_attempts

    def _ask(self, attempt: CurrentAttempt, known: Resolution) -> Resolution:
        """Have a model work on the marked files, and put on record what it left."""
        self._tools.check()
        agents, pool = self._tools.agents(), self._tools.made.pool
        pool.set_up_on(lambda: self._of.tip)
        with pool.lane() as lane:
            assignment = self._assignment(attempt, known, lane.work.path)
            agents.recalled(assignment)  # what a killed command's call cost is on record then
            lane.work.reset(self._tree.resolved(known))
            reply = agents.ask(assignment)
            known = self._read(lane.work, reply, attempt, known)
        write_resolution(self._tools.directory, known)
        agents.notes.drop(assignment.name)
        return known

    def _assignment(self, attempt: CurrentAttempt, known: Resolution, cwd: Path) -> Assignment:
        return Assignment(
            agent=Agent.EXECUTOR,
            role=attempt.role,
            prompt=resolve_prompt(self._sides(), attempt.number, known),
            cwd=cwd,
            name=attempt.call,
            allowlist=self._of.paths,
            node=LAND,
            attempt=attempt.number,
            log=f"land.{attempt.number}",
        )

    def _sides(self) -> Sides:
        of, job = self._of, self._job
        marked = job.contents(self._tree.marked, of.paths)
        words = ("log", "--format=%h %s", f"{of.work}..{of.tip}", "--", *of.paths)
        commits = job.git.with_settings("core.quotePath=false").text("--literal-pathspecs", *words)
        concerned = [node for node in of.nodes if not set(node.files).isdisjoint(of.paths)]
        return Sides(
            of.branch,
            of.plan.task,
            {path: marked[path].decode(errors="replace") for path in of.paths},
            commits.splitlines(),
            concerned,
            self._commands(),
        )

    def _commands(self) -> list[str]:
        tests = (node.test_cmd for node in self._of.nodes)
        return list(dict.fromkeys((*tests, *self._tools.config.gates.values())))

    def _read(
        self, worktree: Worktree, reply: Reply, attempt: CurrentAttempt, known: Resolution
    ) -> Resolution:
        """Return the record with what an attempt left: a draft, or a failed attempt."""
        of, job = self._of, self._job
        snapshot = worktree.snapshot(self._tree.marked, of.paths)
        texts = job.contents(snapshot.tree, of.paths)
        files = {path: text.decode(errors=BYTES) for path, text in texts.items()}
        made_by = Draft(attempt.role, attempt.number, reply.model, recorded(reply.log))
        found = self._judge(snapshot)
        if found.outcome is None and (gone := [path for path in of.paths if path not in files]):
            lesson = f"You removed {', '.join(gone)}: both sides have it, so it has to stay."
            found = Judgement(AttemptOutcome.OUT_OF_SCOPE, lesson)
        kept = known._replace(files={**known.files, **files}, draft=made_by, lesson="", output="")
        if set(kept.files) != set(of.paths):
            kept = kept._replace(files=known.files)
        elif found.outcome is None:
            found = self._tree.judge(kept)
        if self._tree.leaking(kept):
            kept = kept._replace(files=known.files)
        if found.outcome is None:
            return kept
        too_long = reply.outcome is Outcome.CONTEXT_TOO_LONG
        outcome = AttemptOutcome.CONTEXT_TOO_LONG if too_long else found.outcome
        remark = f"The attempt ended early ({reply.reason}). " if reply.reason else ""
        lesson = f"{remark}{found.feedback}".strip()
        return self._failed(kept, without_gate(outcome, lesson), outcome, lesson)

    def _judge(self, snapshot: Snapshot) -> Judgement:
        """Judge a worktree; files outside the allowlist may be the doing of the commands."""
        base, of = self._of.marked, self._of
        found = judge_snapshot(snapshot, Scope(base, of.paths, of.plan.contract))
        if found.outcome is AttemptOutcome.OUT_OF_SCOPE and snapshot.changed - set(of.paths):
            rewritten = self._rewritten(self._job.commit(snapshot.tree, of.tip, "A draft\n"))
            scope = Scope(base, of.paths, of.plan.contract, rewritten)
            found = judge_snapshot(snapshot, scope)
        return found

    def _rewritten(self, commit: str) -> set[str]:
        """Return what the commands themselves change on a clean checkout."""
        made, changed = self._tools.made, set[str]()
        for command in self._commands():
            with made.pool.lease_gate(commit) as worktree:
                made.gates.run(command, worktree.path, "land.scope")
                changed |= worktree.changed()
        return changed - {*self._of.plan.contract, *self._of.paths}

    def _fits(self, known: Resolution) -> bool:
        """Whether the files on record are fit for the gates: anything may have written them."""
        return self._tree.judge(known).outcome is None or not (known.draft or known.green)

    def _gated(self, known: Resolution) -> End:
        """Gate the draft. What fails whatever it holds is not its fault, and spends no attempt."""
        commit = self._tree.resolved(known)
        reports = self._tools.gating.judge(commit, self._of.nodes, self._tools.config)
        red = [report for report in reports if not report.ok]
        if not red:
            done = self._entry(known, AttemptOutcome.GREEN)
            green = known._replace(attempts=(*known.attempts, done), draft=None)
            return End(green, reports, self._job.tree(commit))
        if stuck := self._stuck(red):
            return End(known, reports, stuck=stuck)
        failure = red[0].failure or Failure(AttemptOutcome.RED, red[0].command)
        no_test = failure.kind == AttemptOutcome.NO_TEST_RAN
        outcome = AttemptOutcome.NO_TEST_RAN if no_test else AttemptOutcome.RED
        said = f": {failure.headline}" if failure.headline else ""
        lesson = f"`{red[0].command}` is red on the merged tree ({red[0].reason}){said}"
        output = excerpt(
            log_called(self._tools.directory.path, red[0].log).read_text("utf-8", "replace")
        )
        failed = self._failed(known, failure._replace(kind=outcome), outcome, lesson, output)
        return End(failed, reports)

    def _stuck(self, red: Sequence[GateReport]) -> str:
        """Return why no resolution can be green ("": one may be)."""
        for report in red:
            if report.verdict is Verdict.BROKEN:
                return f"{report.name} cannot run: {report.reason}"
            if report.nodes and self._tools.gating.fails_on(self._of.work, report):
                return f"{report.name}: not green on the job's own branch either"
        return ""

    def _failed(
        self,
        known: Resolution,
        failure: Failure,
        outcome: AttemptOutcome,
        lesson: str,
        output: str = "",
    ) -> Resolution:
        attempts = (*known.attempts, self._entry(known, outcome, failure))
        return known._replace(attempts=attempts, draft=None, lesson=lesson, output=output)

    def _entry(
        self, known: Resolution, outcome: AttemptOutcome, failure: Failure | None = None
    ) -> Attempt:
        by = known.draft
        assert by, "a model made the attempt"
        size = self._tree.size(known)
        return Attempt(by.role, outcome, by.number, by.model, by.call, failure, *size)

    def _tell(self, end: End) -> None:
        if end.stuck or not end.known.attempts:
            return
        last = end.known.attempts[-1]
        self._tools.events.emit(
            Kind.RESOLUTION,
            attempt=last.number,
            role=last.role,
            model=last.model,
            outcome=last.outcome,
            lesson=end.known.lesson,
            paths=list(self._of.paths),
            failure=encode_any(last.failure),
        )
