"""What a bench keeps on disk: what was asked for, and a line for each run that ended."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.cost import Cost
from director.model.experiment import Asked, Sample, Turn, sample_from_json, sample_to_json
from director.model.secrets import Redactor
from director.records import files, json_lines
from director.records.job_directory import Home, JobDirectory
from director.records.ledger import cost_of_calls, read_calls
from director.worktrees.pool_folders import sweep_pool

NAMELESS = "unplanned"


class Experiment(NamedTuple):
    """The content of ``experiment.json``. ``ended``: each run that was asked for has been had."""

    asked: Asked
    started_at: str
    ended: bool = False


class BenchRecords:
    """The records of the last bench, under ``.director/bench``."""

    def __init__(self, home: Home) -> None:
        self.path = home.bench
        self.redactor: Redactor = home.redactor
        self.lock = self.path / "lock"
        self.summary = self.path / "summary.json"
        self.page = self.path / "report.html"
        self._experiment = self.path / "experiment.json"
        self._repeats = self.path / "repeats.jsonl"

    def experiment(self) -> Experiment | None:
        """Return what was asked for; None where nothing was, or by another version."""
        stored = files.read_json(self._experiment)
        try:
            return None if stored is None else decode(Experiment, stored)
        except MismatchError:
            return None

    def save(self, experiment: Experiment) -> None:
        """Replace what was asked for."""
        files.write_json(self._experiment, encode(experiment))

    def end(self) -> None:
        """Note that the last bench is not to be continued."""
        if experiment := self.experiment():
            self.save(experiment._replace(ended=True))

    def samples(self) -> list[Sample]:
        """Return what has come of the runs so far, the oldest first."""
        found = []
        for line in json_lines.read_lines(self._repeats):
            try:
                found.append(sample_from_json(line))
            except (KeyError, TypeError, ValueError):
                continue  # a line of another version
        return found

    def add(self, sample: Sample) -> None:
        """Put on record what a run came to; it is on disk when this returns."""
        line = self.redactor.value(sample_to_json(sample))
        json_lines.append_line(self._repeats, line, durable=True)

    def folder(self, task: str) -> Path:
        """Return where the jobs of a task are ("": the only one)."""
        return self.path / "tasks" / task if task else self.path

    def planned(self, task: str) -> JobDirectory:
        """Return the job in which a task is planned, once for all runs."""
        return JobDirectory(self.folder(task) / "plan", self.redactor)

    def run(self, turn: Turn) -> JobDirectory:
        """Return the job of a run."""
        return JobDirectory(self.folder(turn.task) / "runs" / turn.name, self.redactor)

    def metrics_copy(self, turn: Turn) -> Path:
        """Return where the metrics of a run are copied to."""
        return self.folder(turn.task) / f"{turn.name}.metrics.jsonl"

    def cost(self) -> Cost:
        """Return what all of it has cost so far, planning and unfinished runs included."""
        return sum((cost_of_calls(read_calls(job.costs)) for job in self._jobs()), Cost())

    def planning_cost(self, asked: Asked) -> Cost:
        """Return what planning has cost."""
        plans = (self.planned(task) for task in asked.tasks)
        return sum((cost_of_calls(read_calls(plan.costs)) for plan in plans), Cost())

    def _jobs(self) -> Iterator[JobDirectory]:
        for folder in (self.path, *sorted((self.path / "tasks").glob("*"))):
            for place in (folder / "plan", *sorted((folder / "runs").glob("*"))):
                yield JobDirectory(place, self.redactor)

    def archive(self, job_id: str | None) -> None:
        """Move all of it to ``jobs/<job_id>``; worktrees that a killed run left go."""
        directory = JobDirectory(self.path, self.redactor)
        if not directory.has_records():
            return
        for job in self._jobs():
            if job.pool.exists():
                sweep_pool(job.pool)
        directory.archive(job_id or NAMELESS)
