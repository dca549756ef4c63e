"""``bench``: plan each task once, then run the same frozen branch under each profile, again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from director.agents.backend import wanted_models
from director.benching.one_run import OneRun, do_run
from director.benching.records import NAMELESS, BenchRecords, Experiment
from director.benching.report import BenchReport, Stop, report_of
from director.job.context import Workspace
from director.job.opening import check_prerequisites
from director.job.stage import Stage, read_stage
from director.model.config import Config
from director.model.errors import RequestError, StoppedError
from director.model.experiment import (
    Asked,
    Block,
    Sample,
    Turn,
    blocks,
    latest,
    to_reserve,
)
from director.model.format import money
from director.model.reason import Reason
from director.planning.context import PlanOptions
from director.planning.pipeline import plan_job
from director.records import files
from director.records.clock import now
from director.records.job_directory import JobDirectory
from director.records.ledger import cost_of_calls, read_calls
from director.records.lock import job_lock
from director.running.run import RunOptions

TINY = 1e-9  # US dollars: a ceiling of 0 would be none
PATIENCE = 2  # runs of a profile, one after the other, that may be stopped for an outside reason
CONTINUE = "run the same command again to continue: what was paid for is kept"


@dataclass(frozen=True)
class BenchOptions:
    """What to compare. ``profiles`` maps names to configurations, in the order to run them;

    ``planner`` is the configuration of ``plan_profile``, which need not be one of them.
    ``parallel`` None: chosen for each job by itself. ``tasks`` maps names to texts; "" is the name
    of the only one. ``max_cost`` in US dollars, of all of it (None: no limit).
    """

    tasks: Mapping[str, str]
    profiles: Mapping[str, Config]
    plan_profile: str
    planner: Config
    parallel: int | None = 1
    max_attempts: int | None = None
    repeats: int = 1
    max_cost: float | None = None

    def asked(self, workspace: Workspace) -> Asked:
        """Return what goes on record, for an experiment that begins now."""
        home, base = workspace.home, workspace.repository.head()
        digests = {name: digest(home.profile(name)) for name in self.profiles}
        named = (self.plan_profile, self.repeats, base, self.parallel, self.max_attempts)
        return Asked(dict(self.tasks), digests, *named, self.max_cost)


def digest(profile: Path) -> str:
    """Return what tells a configuration from another one."""
    text = files.read_text(profile) or ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def bench_job(workspace: Workspace, options: BenchOptions) -> BenchReport:
    """Plan with the plan profile, run under each profile, and return the comparison.

    A profile that fails has its error in its row. A bench that was killed continues where it
    stopped; what ended is not run again. Raises what planning raises, InterruptedRunError,
    DrainedError.
    """
    records = BenchRecords(workspace.home)
    workspace = workspace._replace(keeps_worktrees=False)  # each of its jobs has one run
    with job_lock(records.lock, "director bench"):
        for config in options.profiles.values():  # before anything is paid for
            check_prerequisites(workspace, config)
        asked = _begun(workspace, records, options)
        return _Bench(workspace, records, options, asked).run()


def extend_bench(workspace: Workspace, options: BenchOptions) -> BenchReport:
    """Do more repeats of the last bench, on the plan it has: ``options`` say how many in all.

    Raises RequestError where there is none, or a profile has changed since; else as ``bench_job``.
    """
    records = BenchRecords(workspace.home)
    workspace = workspace._replace(keeps_worktrees=False)
    with job_lock(records.lock, "director bench"):
        earlier = records.experiment()
        if earlier is None:
            raise no_bench()
        asked = options.asked(workspace)._replace(base=earlier.asked.base)
        if changed := _changed(earlier.asked, asked):
            raise RequestError(
                f"changed since the last bench: {changed}",
                "restore it; or `director bench --again` begins again, with a new plan",
            )
        for config in options.profiles.values():
            check_prerequisites(workspace, config)
        records.save(Experiment(asked, earlier.started_at))
        return _Bench(workspace, records, options, asked).run()


def _changed(earlier: Asked, asked: Asked) -> str:
    """Name the profiles whose configuration is not what it was."""
    before = earlier.profiles
    return ", ".join(name for name, one in asked.profiles.items() if before.get(name) != one)


def no_bench() -> RequestError:
    """Return the error where no bench is on record."""
    return RequestError(
        "there is no bench on record",
        'begin with `director bench "<task>" --profiles all-frontier,cheap`',
    )


def _begun(workspace: Workspace, records: BenchRecords, options: BenchOptions) -> Asked:
    """Return what is asked for, on record: the bench that has not ended, else a new one."""
    asked = options.asked(workspace)
    earlier = records.experiment()
    if earlier and not earlier.ended and asked.continues(earlier.asked):
        records.save(earlier._replace(asked=asked))
        return asked
    name = _name_of(records, earlier)
    if earlier and not earlier.ended and records.samples():
        workspace.events.notice(
            "the last bench was another one (task, commit, profiles or flags) and had not ended: "
            f"it is kept in {records.path / 'jobs' / (name or NAMELESS)}; a new one begins"
        )
    records.archive(name)
    records.save(Experiment(asked, now()))
    return asked


def _name_of(records: BenchRecords, earlier: Experiment | None) -> str | None:
    """Return what the bench before is to be called: as the job of its first plan."""
    names = list(earlier.asked.tasks) if earlier else [""]
    with suppress(RequestError):  # records that cannot be read are put aside with the rest
        for name in names:
            if stage := read_stage(records.planned(name)):
                return stage.job_id
    return None


class _Bench:
    """One bench at work."""

    def __init__(
        self, workspace: Workspace, records: BenchRecords, options: BenchOptions, asked: Asked
    ) -> None:
        self.workspace = workspace
        self.records = records
        self.options = options
        self.asked = asked
        self.samples = records.samples()
        self.lost: dict[str, list[Sample]] = {}  # of each profile, one after the other
        self.stop: Stop | None = None

    def run(self) -> BenchReport:
        """Plan what is not planned, do the runs that have not ended, and keep what came of it."""
        for name in self.asked.tasks:
            self._plan(name)
        self.stop = next(filter(None, map(self._work, blocks(self.asked))), None)
        report = report_of(self.records, self.asked, self.stop)
        files.write_json(self.records.summary, report.to_json())
        if self.stop is None and (report.findings.complete or self.asked.is_single):
            self.records.end()
        return report

    def _plan(self, name: str) -> None:
        planned = self.records.planned(name)
        stage = read_stage(planned)
        if stage and stage.stage is Stage.READY:
            return
        profiles = self.options.profiles.items()
        models = [one for profile, config in profiles for one in wanted_models(config, profile)]
        wanted = PlanOptions(
            task=self.asked.tasks[name],
            auto=True,
            parallel=self.options.parallel,
            wanted_later=tuple(models),
        )
        config = self._capped(self.options.planner, planned)
        try:
            plan_job(self.workspace, planned, config, wanted)
        except StoppedError as stop:
            if stop.reason is Reason.CEILING and config is not self.options.planner:
                raise StoppedError(stop.what, self._raise_it(), Reason.CEILING) from None
            raise

    def _work(self, block: Block) -> Stop | None:
        """Do the runs of a block that have not ended; returns what ends the bench, if anything."""
        ended = latest(self.samples)
        pending = [turn for turn in block.turns if turn not in ended or not ended[turn].counts]
        if not pending:
            return None
        if stop := self._without_room(block, pending):
            return stop
        for turn in pending:
            if stop := self._do(turn):
                return stop
        return self._out_of_patience()

    def _without_room(self, block: Block, pending: Sequence[Turn]) -> Stop | None:
        """Say so where the limit has no room for a repeat: half of a pair is money for nothing."""
        limit = self.asked.max_cost
        if limit is None:
            return None
        spent, reserve = self.records.cost().usd, to_reserve(block, pending, self.samples)
        if spent < limit and spent + reserve <= limit:
            return None
        what = f"{money(spent)} of {money(limit)} spent"
        if reserve:
            what += f", and another repeat is expected to cost up to {money(reserve)}"
        return Stop(Reason.CEILING, what, self._raise_it())

    def _do(self, turn: Turn) -> Stop | None:
        config = self.options.profiles[turn.profile]
        capped = self._capped(config, self.records.run(turn))
        options = RunOptions(self.options.parallel, self.options.max_attempts)
        sample = do_run(self.workspace, self.records, OneRun(turn, capped, options))
        if capped is not config and sample.row.reason is Reason.CEILING:
            limit = money(self.asked.max_cost)
            what = f"the limit of {limit} was reached in repeat {turn.repeat} of {turn.profile}"
            return Stop(Reason.CEILING, what, self._raise_it())
        self.records.add(sample)
        self.samples.append(sample)
        before = [] if sample.counts else self.lost.get(turn.profile, [])
        self.lost[turn.profile] = [] if sample.counts else [*before, sample]
        return None

    def _out_of_patience(self) -> Stop | None:
        """Give up where a profile is stopped for an outside reason again and again."""
        for name, lost in self.lost.items():
            if len(lost) >= PATIENCE and not self.asked.is_single:
                last = lost[-1].row
                what = f"{name} was stopped {len(lost)} times in a row: {last.error}"
                return Stop(last.reason or Reason.STOPPED, what, CONTINUE)
        return None

    def _capped(self, config: Config, directory: JobDirectory) -> Config:
        """Return the configuration of a job that cannot spend more than is left for all."""
        if self.asked.max_cost is None:
            return config
        before = cost_of_calls(read_calls(directory.costs)).usd  # the ceiling counts that, too
        left = before + self.asked.max_cost - self.records.cost().usd
        own = config.limits.cost_ceiling_usd
        if 0 < own <= left:
            return config
        return config._replace(limits=config.limits._replace(cost_ceiling_usd=max(left, TINY)))

    def _raise_it(self) -> str:
        return f"raise --max-cost, then {CONTINUE}"
