"""One job that is being planned: what was asked for, where it stands, and its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from director.agents.backend import WantedModel
from director.job.context import JobContext, Workspace
from director.job.stage import PlanStage, Stage, write_stage
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.testing.preflight import Preflight
from director.planning.current_job import CONTINUE
from director.planning.prompts import Background, how_tests_run
from director.records import files
from director.records.events import Kind


@dataclass(frozen=True)
class PlanOptions:
    """What a caller asks for.

    ``task`` None continues the current job; ``new`` sets aside one that is not finished.
    ``approve``: what waits for approval is approved; ``shown`` is the digest of what was seen of
    it ("": whatever is on disk). ``revise`` is what is to be different in it, in a person's words;
    ``drop`` the ids of nodes that are to go. ``answers`` are those to the planner's questions,
    "1: b"; ``by_file``: those that are marked in the file count, where there are any.
    ``auto``: nothing waits; ``critique``: a planner's critique takes the person's place.
    ``parallel`` None: chosen when it is known how many tests are to be written. ``wanted_later``
    are models that later jobs of the same request will call. ``allow_broken_gates``: continue where
    neither ``[gates]`` nor the existing tests can run.
    """

    task: str | None = None
    approve: bool = False
    shown: str = ""
    revise: str = ""
    drop: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    by_file: bool = False
    auto: bool = False
    critique: bool = True
    parallel: int | None = 1
    new: bool = False
    allow_broken_gates: bool = False
    wanted_later: tuple[WantedModel, ...] = ()


@dataclass(frozen=True)
class Done:
    """The result of a stage: the ``changes`` to make in ``PlanStage``.

    ``afterwards`` is called when they are on disk. ``rejected``: a critique found problems.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    afterwards: Callable[[], None] = lambda: None
    rejected: bool = False


class Planning:
    """What the stages of one job work with. ``stage`` is the record of where planning stands."""

    def __init__(
        self, job: JobContext, workspace: Workspace, stage: PlanStage, options: PlanOptions
    ) -> None:
        self.job = job
        self.workspace = workspace
        self.stage = stage
        self.options = options

    def enter(self) -> None:
        """Tell which stage begins."""
        self.job.events.emit(Kind.STAGE_ENTERED, stage=self.stage.stage)

    def settle(self, done: Done, then: Stage) -> None:
        """Put on disk what a stage came to, and go to the stage ``then``."""
        before = self.stage.stage
        self.save(**done.changes, stage=then)
        done.afterwards()
        if then is not before:
            self.enter()

    def save(self, **changes: Any) -> None:
        """Change the record of where planning stands, on disk too."""
        self.stage = self.stage._replace(**changes)
        write_stage(self.job.directory, self.stage)

    def forget(self, *calls: str) -> None:
        """Drop the notes of calls: what they brought is on disk."""
        self.job.agents.notes.drop(*calls)

    def recon(self) -> str:
        """Return what the explorer found."""
        return files.read_text(self.job.directory.recon) or ""

    def spec(self) -> str:
        """Return the spec as it is on disk; RequestError when it is empty."""
        text = files.read_text(self.job.directory.spec) or ""
        if not text.strip():
            raise RequestError(
                f"{self.job.directory.spec} is empty", "write the spec there, then continue"
            )
        return text

    def background(self) -> Background:
        """Return what planner and test author are told of the repository."""
        provisions, policy = self.job.pool.provisions, self.job.config.worktree
        given = provisions.names if provisions else ()
        found = self.stage.preflight or Preflight()
        return Background(self.recon(), how_tests_run(policy, given, found))

    def plan(self) -> Plan:
        """Return the plan as it is on disk; RequestError when there is none, or an invalid one."""
        directory = self.job.directory
        there = directory.plan.exists()
        try:
            return directory.load_plan()
        except RequestError as error:
            error.next_step = f"{'correct' if there else 'restore'} it, then `{CONTINUE}`"
            raise

    def plan_of(self, nodes: Iterable[Node]) -> Plan:
        """Return the plan of ``nodes``; nothing else of it is for editing."""
        stage = self.stage
        return Plan(
            job_id=stage.job_id,
            task=stage.task,
            repo=str(self.workspace.repository.root),
            base_commit=stage.base_commit,
            created_at=stage.created_at,
            job_branch=stage.job_branch,
            nodes=tuple(nodes),
        )

    def save_nodes(self, nodes: Iterable[Node]) -> None:
        """Replace ``plan.json``."""
        self.job.directory.save_plan(self.plan_of(nodes))
