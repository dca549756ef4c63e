"""All jobs of a repository at a glance: a few small records of each are read, no journal whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from director.job.stage import Stage
from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.printable import one_line
from director.model.state import NodeState, NodeStatus
from director.model.usage import LARGEST
from director.processes.disk_use import disk_use
from director.records import json_lines
from director.records.job_directory import JobDirectory
from director.records.known_jobs import KnownJob, Where
from director.records.landings import Landing, recorded_landing
from director.records.taken_nodes import TakenNode, taken_nodes
from director.records.worktrees_record import noted_folder, read_quietly, was_killed
from director.reporting.status.last_end import read_last_end
from director.reporting.status.live_process import read_process
from director.reporting.status.status import NOTHING, NodeNow, PlannedNode, Standing, Status
from director.repositories.branches import Branch, known_commits, landed_tips, local_branches
from director.repositories.git import Git
from director.repositories.repository import BRANCH_PREFIX

TAIL_BYTES = 8192  # of a journal: the last events say how the last command ended
RUN_BYTES = 2**17  # of metrics.jsonl: the last run is among its last lines
TIP_BYTES = 2**16  # of tips.jsonl: a line holds a receipt


@dataclass(frozen=True)
class ListedJob:
    """A job as lists show it.

    ``standing`` is what ``status --json`` calls so; "damaged": its records cannot be read. Of
    ``nodes`` nodes ``done`` are done. ``created_at`` and ``last_event`` are moments ("": unknown).
    ``branch`` None: the user's repository has none of it. ``tip`` is where it stands, or stood when
    director moved it last ("": unknown). ``disk_bytes`` are those of the records,
    ``worktree_bytes`` those of prepared worktrees and of those that people have ``taken``.
    """

    job: KnownJob
    standing: str
    task: str = ""
    base_commit: str = ""
    branch_name: str = ""
    done: int = 0
    nodes: int = 0
    cost: Cost = NOTHING
    created_at: str = ""
    last_event: str = ""
    branch: Branch | None = None
    tip: str = ""
    landed: Landing | None = None
    disk_bytes: int = 0
    worktree_bytes: int = 0
    worktrees: Path | None = None
    killed: bool = False
    taken: tuple[TakenNode, ...] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return self.job.id

    @property
    def current(self) -> bool:
        """Whether commands work on it that name no job."""
        return self.job.where is Where.CURRENT

    @property
    def records(self) -> list[Path]:
        """The folders and files of its records; what other jobs have beside them is left out."""
        directory = self.job.directory
        return directory.records() if self.current else [directory.path]

    @property
    def beside(self) -> list[Path]:
        """The folders of its worktrees, those that people have taken among them."""
        taken = [Path(one.folder) for one in self.taken]
        return [*([self.worktrees] if self.worktrees else []), *taken]

    @property
    def finished(self) -> bool:
        """Whether every node is done and no process works on it."""
        return self.standing in ("done", "integration_red") and self.done == self.nodes


def list_jobs(known: Iterable[KnownJob], git: Git) -> list[ListedJob]:
    """Return the jobs as lists show them; ``git`` is asked a few times, however many they are."""
    branches = local_branches(git)
    found = _with_sizes([_with_branch(_read(one), branches) for one in known])
    recorded = [recorded_landing(one.job.directory, one.tip or None) for one in found]
    commits = {landing.commit for landing in recorded if landing}
    gone = {one.tip for one in found if one.tip and one.branch is None} | commits
    there = known_commits(git, gone) if gone else set()
    asked = [one.tip for one in found if one.tip and (one.branch or one.tip in there)]
    landed = landed_tips(git, [*asked, *(commits & there)], branches)
    pairs = zip(found, recorded, strict=True)
    return [replace(one, landed=_landing(one, landing, landed)) for one, landing in pairs]


def _with_sizes(jobs: list[ListedJob]) -> list[ListedJob]:
    sizes = disk_use(path for one in jobs for path in (*one.records, *one.beside))
    return [
        replace(
            one,
            disk_bytes=sum(sizes.get(path, 0) for path in one.records),
            worktree_bytes=sum(sizes.get(path, 0) for path in one.beside),
        )
        for one in jobs
    ]


def _landing(
    one: ListedJob, recorded: Landing | None, landed: Mapping[str, str | None]
) -> Landing | None:
    """Return where a job landed; a branch with nothing of the job's on it has not.

    Nor has what is on record when no branch has it any more (`git reset`).
    """
    if recorded and recorded.commit in landed:
        return recorded
    if one.tip not in landed or one.tip == one.base_commit:
        return None
    return Landing(landed[one.tip] or "", one.tip, "merged", "")


def _with_branch(one: ListedJob, branches: Mapping[str, Branch]) -> ListedJob:
    ours = one.branch_name.startswith(BRANCH_PREFIX)
    branch = branches.get(one.branch_name) if ours else None
    return replace(one, branch=branch, tip=branch.tip if branch else one.tip)


def _read(job: KnownJob) -> ListedJob:
    """Read what a list shows of one job; a record that is damaged is as good as none."""
    directory = job.directory
    stage, plan = read_quietly(directory.stage) or {}, read_quietly(directory.plan) or {}
    about = {**stage, **plan}
    try:
        status = _status(directory, stage, plan)
        standing, last = status.standing.name.lower(), status.last_event
        done, nodes = len(status.of(NodeStatus.DONE)), len(status.nodes)
    except (RequestError, ValueError):
        standing, last, done, nodes = "damaged", "", 0, 0
    return ListedJob(
        job,
        standing,
        task=one_line(_text(about, "task")),
        base_commit=_text(stage, "base_commit") or _text(plan, "base_commit"),
        branch_name=_text(about, "job_branch"),
        done=done,
        nodes=nodes,
        cost=_cost(directory),
        created_at=_text(stage, "created_at"),
        last_event=last,
        tip=_last_tip(directory),
        worktrees=noted_folder(directory.pool),
        killed=was_killed(directory.pool),
        taken=_taken(directory),
    )


def _status(directory: JobDirectory, stage: Mapping[str, Any], plan: Mapping[str, Any]) -> Status:
    """Return as much of a job's status as its standing follows from."""
    if not (stage or plan):
        raise ValueError("neither a stage nor a plan")
    process, last = read_process(directory), read_last_end(directory, TAIL_BYTES)
    nodes = tuple(_nodes(directory, plan)) if plan else ()
    running = any(one.state.status is NodeStatus.RUNNING for one in nodes)
    lines = json_lines.read_backwards(directory.metrics, RUN_BYTES)
    told = next((line for line in lines if line.get("kind") in ("run", "rebase")), None)
    run = told if told and told["kind"] == "run" else None  # the one was of another base
    ok = run.get("integration_ok") if run else None
    return Status(
        directory.path,
        Stage(stage.get("stage", Stage.READY)),
        job_id=_text({**stage, **plan}, "job_id"),
        task="",
        job_branch="",
        base_commit="",
        questions=tuple(stage.get("questions") or ()),
        nodes=nodes,
        runs=int(run is not None),
        process=process,
        end=None if process else last.end,
        last_event=last.at,
        killed=process is None and (running or was_killed(directory.pool)),
        integration_ok=ok if isinstance(ok, bool) else None,
        amending=_text(read_quietly(directory.amending) or {}, "node"),
    )


def _nodes(directory: JobDirectory, plan: Mapping[str, Any]) -> Iterable[NodeNow]:
    """Give the nodes of a plan with their status; ValueError where the plan or state is none."""
    stored = (directory.state_file.load() or {}).get("nodes", {})
    nodes = plan.get("nodes")
    if not isinstance(nodes, list) or not isinstance(stored, dict):
        raise ValueError("not a plan, or not a state")
    for one in nodes:
        node_id = str(one.get("id")) if isinstance(one, dict) else ""
        state = stored.get(node_id)
        said = state.get("status") if isinstance(state, dict) else None
        status = NodeStatus(said) if said else NodeStatus.PENDING
        yield NodeNow(PlannedNode(node_id, "", ""), NodeState(status))


def _cost(directory: JobDirectory) -> Cost:
    """Return what a job cost, as its status says it, in a tenth of the time."""
    try:
        lines = json_lines.read_lines(directory.costs)
    except RequestError:
        return Cost(0.0, 1)
    return Cost.of(_usd(line) for line in lines if isinstance(line.get("role"), str))


def _usd(line: Mapping[str, Any]) -> float | None:
    usd = line.get("cost")
    known = isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd < LARGEST
    return float(usd) if known and usd is not None else None


def _taken(directory: JobDirectory) -> tuple[TakenNode, ...]:
    try:
        return tuple(taken_nodes(directory))
    except RequestError:
        return ()


def _last_tip(directory: JobDirectory) -> str:
    """Return where director moved the job branch last ("": unknown)."""
    try:
        return _text(next(json_lines.read_backwards(directory.tips, TIP_BYTES), {}), "tip")
    except RequestError:
        return ""


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    return found if isinstance(found, str) else ""


WORDS = {
    Standing.WORKING: "at work",
    Standing.DECIDING: "asks you",
    Standing.APPROVING: "for approval",
    Standing.PLANNING: "planning",
    Standing.KILLED: "killed",
    Standing.STOPPED: "stopped",
    Standing.FAILED: "failed",
    Standing.INTEGRATION_RED: "red gate",
    Standing.READY: "ready",
    Standing.DONE: "done",
    Standing.AMENDING: "amending",
}


def standing_in_words(standing: str) -> str:
    """Return how a job stands, in a word or two."""
    return next((w for s, w in WORDS.items() if s.name.lower() == standing), standing)
