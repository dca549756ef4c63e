"""The layout of a job's directory: every file name under ``.director/`` is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.plan import Plan
from director.model.plan_reader import InvalidPlanError, read_plan
from director.model.reason import Reason
from director.model.secrets import NOTHING_SECRET, Redactor
from director.model.state import ATTEMPTS, NodeStatus, RunState
from director.records import files, json_lines
from director.records.state_file import StateFile

FOLDER = ".director"
TIPS = "tips.jsonl"
CORRECT = "correct it, then run the command again"
GITIGNORE = """\
# Written by director: records stay out of git, the configuration may go in.
*
!.gitignore
!config.toml
!profiles/
!profiles/*.toml
"""
KEPT_BETWEEN_JOBS = frozenset(
    {".gitignore", "config.toml", "profiles", "synced.json", "models.json", "jobs", "bench"}
    | {"lock", "live.json", "TASK_EDITMSG"}
)


def runs_of(metrics: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of runs that ended, of those of ``metrics.jsonl``.

    What ran before a job was rebased says nothing of it any more.
    """
    runs: list[dict[str, Any]] = []
    for line in metrics:
        if line.get("kind") == "rebase":
            runs.clear()
        elif line.get("kind") == "run":
            runs.append(dict(line))
    return runs


class Named(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """Its id."""


class Planned(Protocol):
    """As much of a plan as its state is of."""

    @property
    def job_id(self) -> str:
        """The job that it is the plan of."""

    @property
    def nodes(self) -> Sequence[Named]:
        """Its nodes."""


class Place:
    """A file or folder of a folder of records, by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, records: Records, _: object) -> Path:
        """Return where it is."""
        return records.path / self._name


class Records:
    """A folder of records. ``redactor`` knows what must not get into them."""

    def __init__(self, path: Path, redactor: Redactor = NOTHING_SECRET) -> None:
        self.path = path
        self.redactor = redactor


class Home(Records):
    """``<repo>/.director``: the configuration, and the current job's directory."""

    config = Place("config.toml")  # the configuration of ``plan`` and ``run``
    gitignore = Place(".gitignore")  # keeps the records out of the user's ``git status``
    message = Place("TASK_EDITMSG")  # the task, while it is written in an editor
    models = Place("models.json")  # the models that an agent CLI listed when it was last asked
    bench = Place("bench")  # where ``bench`` keeps its jobs and its summary

    def profile(self, name: str) -> Path:
        """Return the configuration file of a bench profile."""
        return self.path / "profiles" / f"{name}.toml"

    @property
    def job(self) -> JobDirectory:
        """The current job."""
        return JobDirectory(self.path, self.redactor)

    def prepare(self) -> None:
        """Make the folder, with its ``.gitignore``, where there is none."""
        if not self.gitignore.exists():
            files.write_text(self.gitignore, GITIGNORE)


class JobDirectory(Records):
    """The records of one job."""

    lock = Place("lock")  # held (flock) by the one process that works on this job
    live = Place("live.json")  # what happens now, while a process works on this job
    stage = Place("plan_stage.json")  # where the planning pipeline stands
    recon = Place("recon.md")  # what the explorer found
    spec = Place("spec.md")  # the artifact of the first approval
    plan = Place("plan.json")  # the DAG, an artifact of the second approval
    questions = Place("questions.md")  # what the planner asks, with room for answers
    earlier = Place("earlier")  # spec.md and plan.json as they were before the last revision
    # The editable copies of the nodes' tests, an artifact of the second approval.
    tests = Place("tests")
    state = Place("state.json")  # where every node stands
    # What has changed since a large ``state.json`` was written.
    state_changes = Place("state-changes.jsonl")
    costs = Place("costs.jsonl")  # one line per model call
    metrics = Place("metrics.jsonl")  # one line per finished node and per run
    receipts = Place("receipts.jsonl")  # one line per merge
    # Where director moved the job branch, and the receipts; beside the job repository.
    tips = Place(TIPS)
    sealed = Place("sealed.json")  # the plan as it was approved, with its tests
    amending = Place("amending.json")  # the one node of it that is being changed now
    rebasing = Place("rebasing")  # what ``rebase`` builds the job on its new base in
    switching = Place("rebasing.json")  # while the job is switched to what was built there
    landed = Place("landed.json")  # where its work was landed, and how
    resolution = Place("resolution.json")  # what models made of the conflicts of a landing
    taken = Place("taken")  # a file for each node that a person has taken
    events = Place("events.jsonl")  # everything as it happens
    # Prompts, raw events and standard error of every call; output of every gate.
    logs = Place("logs")
    calls = Place("calls")  # calls whose result is not safe yet
    verifying = Place("verify")  # what ``verify --rerun`` works in; it is gone when it ends
    landing = Place("landing")  # what ``land`` works in; it is gone when it ends
    pull_request = Place("pull-request.md")  # the text of its pull request
    repository = Place("job.git")  # the job repository (bare)
    report = Place("report.html")  # the page that `report` makes
    told = Place("told.json")  # what the job's commands have told the user and need not repeat
    pool = Place("worktrees.json")  # where this job's worktrees are, for the sweep after a crash

    @property
    def root(self) -> Path:
        """The user's checkout, in whose ``.director`` the records are."""
        folders = (self.path, *self.path.parents)
        return next((one.parent for one in folders if one.name == FOLDER), self.path)

    @property
    def state_file(self) -> StateFile:
        """The state on disk, to read and to write."""
        return StateFile(self.state, self.state_changes, self.redactor)

    def last_run(self) -> dict[str, Any]:
        """Return what ``metrics.jsonl`` says of the last run, empty where there was none."""
        runs = runs_of(json_lines.read_lines(self.metrics))
        return runs[-1] if runs else {}

    def load_plan(self) -> Plan:
        """Return the plan; RequestError when there is none or it cannot be run."""
        stored = files.read_json(self.plan, CORRECT)
        if stored is None:
            raise RequestError(
                f"there is no plan in {self.path}", 'make one with `director plan "<task>"`'
            )
        try:
            return read_plan(stored)
        except InvalidPlanError as error:
            raise RequestError(
                f"{self.plan} is not a valid plan: {'; '.join(error.problems)}",
                CORRECT,
                Reason.PLAN_INVALID,
            ) from None

    def save_plan(self, plan: Plan) -> None:
        """Replace ``plan.json``."""
        files.write_json(self.plan, encode(plan))

    def load_state(self, plan: Planned, *, whole: bool = True) -> RunState:
        """Return the state with an entry for each node of ``plan``; fresh where there is none.

        Not ``whole``: without the attempts at nodes that are done, which are most of it.
        """
        stored = self.state_file.load() or {}
        if stored.get("job_id") not in (None, plan.job_id):
            raise RequestError(
                f"{self.state} belongs to job {stored['job_id']}, the plan to job {plan.job_id}",
                "restore the two files of one job",
            )
        known = stored.get("nodes", {})
        if not isinstance(known, dict):
            raise RequestError(
                f'"nodes" in {self.state} must be an object',
                "restore the file, or remove it: `director run` rebuilds it from the job branch",
            )
        states = {node.id: known.get(node.id, {}) for node in plan.nodes}
        if not whole:
            _leave_out_what_was_done(states.values())
        return RunState.from_json(plan.job_id, states)

    def earlier_events(self) -> list[Path]:
        """Return the journals of archived jobs, oldest first."""
        return sorted((self.path / "jobs").glob("*/events.jsonl"))

    def has_records(self) -> bool:
        """Whether there is anything of a job here."""
        return bool(self.records())

    def records(self) -> list[Path]:
        """Return the files and folders here that are the job's, and not the repository's."""
        if not self.path.is_dir():
            return []
        return [one for one in sorted(self.path.iterdir()) if one.name not in KEPT_BETWEEN_JOBS]

    def archived(self) -> dict[str, JobDirectory]:
        """Return the archived jobs by id."""
        found = sorted((self.path / "jobs").glob("*/"))
        return {path.name: JobDirectory(path, self.redactor) for path in found}

    def archive(self, job_id: str) -> Path:
        """Move the records of job ``job_id`` to ``jobs/<id>/`` and return that folder.

        The stage goes last: a job that a kill left in two places is still known here, and
        ``restore`` puts it together again.
        """
        target = self.path / "jobs" / job_id
        files.make_folder(target)
        for entry in sorted(self.records(), key=lambda one: one.name == self.stage.name):
            entry.rename(target / entry.name)
        return target

    def restore(self, job_id: str) -> None:
        """Move the records of an archived job back here; some may be here already."""
        source = self.path / "jobs" / job_id
        waiting = JobDirectory(source).records()
        for entry in sorted(waiting, key=lambda one: one.name != self.stage.name):
            with files.os_errors_stop(entry):
                entry.rename(self.path / entry.name)
        with suppress(OSError):  # it does not exist, or holds something that is not a record
            source.rmdir()


def _leave_out_what_was_done(states: Iterable[object]) -> None:
    """Take the attempts out of what is stored of nodes that are done."""
    for one in states:
        if isinstance(one, dict) and one.get("status") == NodeStatus.DONE:
            one.pop(ATTEMPTS, None)
