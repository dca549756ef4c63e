"""A trial: one job, planned once by each contestant and then run again and again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.agent import install_agent
from benchmarks.contestants import Contestant
from benchmarks.counting import Counts, counter
from benchmarks.floor import Floor, floor
from benchmarks.measuring import CommandError, Finished, run
from benchmarks.work import RUNS_OF_TESTS, Work, make_repository
from tests.support.hermetic import hermetic_environment

TASK = "Make the modules"
PLAN_SECS = 900.0
RUN_SECS = 900.0
COUNT_SECS = 1800.0  # a trace takes its time
CONFIG = ".director/config.toml"
JOB_BRANCHES = "refs/heads/director/"


@dataclass(frozen=True)
class Trial:
    """What is timed: one ``run --parallel lanes`` of a planned job."""

    name: str
    work: Work
    lanes: int = 1


@dataclass(frozen=True)
class Planned:
    """A contestant's repository and home folder after planning.

    ``place`` is where they must stand (records hold absolute paths), ``kept`` their copy.
    """

    contestant: Contestant
    trial: Trial
    place: Path
    kept: Path
    env: Mapping[str, str]

    @property
    def repo(self) -> Path:
        return self.place / "repo"

    def restore(self) -> None:
        """Put back what planning left; nothing of it waits to be written to disk any more."""
        _remove(self.place)
        _copy(self.kept, self.place)
        (self.repo / CONFIG).write_text(self.contestant.configuration())
        self._git("status", "--porcelain")  # the index knows inodes and times, and these are new
        os.sync()

    def run(self, env: Mapping[str, str] | None = None) -> Finished:
        """Run the plan; CommandError when it fails or when not every node is merged after it."""
        argv = (self.contestant.program, "run", "--parallel", str(self.trial.lanes))
        finished = run(argv, self.repo, env or self.env, RUN_SECS)
        self._check()
        return finished

    def count(self) -> Counts:
        """Run the plan, and return what that asked of the machine; it is no time to be believed."""
        counting = counter(self.place / "counting", self.env)
        argv = (self.contestant.program, "run", "--parallel", str(self.trial.lanes))
        env = counting.environment(self.env)
        run(counting.command(argv), self.repo, env, COUNT_SECS)
        self._check()
        return counting.counts()

    def with_contestant(self, contestant: Contestant) -> Planned:
        """Return the same plan for a contestant that differs in its configuration only."""
        return replace(self, contestant=contestant)

    def _check(self) -> None:
        wanted = {f"made_{node}.py" for node in self.trial.work.nodes}
        for branch in self._git("for-each-ref", "--format=%(refname)", JOB_BRANCHES):
            if wanted <= set(self._git("ls-tree", "--name-only", branch)):
                return
        raise CommandError("it ended well, but not every node is on a job branch")

    def _git(self, *argv: str) -> list[str]:
        return run(("git", *argv), self.repo, self.env).out.splitlines()


class Bench:
    """Where one trial happens: its repository, its agent, a place for each contestant."""

    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial = trial
        self._folder = folder
        self.program = install_agent(folder / "agent", trial.work)
        self.env = self._with_agent(hermetic_environment(folder / "home"))
        self._template = folder / "template"
        make_repository(self._template, self.env, trial.work.files)

    def plan(self, contestant: Contestant) -> Planned:
        """Let a contestant plan the job, untimed; CommandError when it cannot."""
        place = self._folder / contestant.name.replace(" ", "-")
        env = self._with_agent(hermetic_environment(place / "home"))
        _copy(self._template, place / "repo")
        planned = Planned(contestant, self.trial, place, place.with_name(f"{place.name}.kept"), env)
        config = planned.repo / CONFIG
        config.parent.mkdir()
        config.write_text(contestant.configuration())
        argv = (contestant.program, "plan", TASK, "--auto", "--no-critique")
        run(argv, planned.repo, env, PLAN_SECS)
        place.rename(planned.kept)
        return planned

    def floor(self, runs: int = RUNS_OF_TESTS) -> Floor:
        """Run the floor's loop, in as many threads as the trial has lanes, each test ``runs``."""
        folder = self._folder / "floor"
        _remove(folder)
        folder.mkdir()
        trial = self.trial
        return floor(trial.work, trial.lanes, self.program, folder, self.env, runs)

    def close(self) -> None:
        """Remove everything."""
        _remove(self._folder)

    def _with_agent(self, env: Mapping[str, str]) -> dict[str, str]:
        return {**env, "PATH": f"{self.program.parent}{os.pathsep}{env['PATH']}"}


def _copy(source: Path, target: Path) -> None:
    subprocess.run(("cp", "-a", str(source), str(target)), check=True)


def _remove(folder: Path) -> None:
    subprocess.run(("rm", "-rf", str(folder)), check=True)
