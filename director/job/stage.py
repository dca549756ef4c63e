"""Where planning stands: the content of ``plan_stage.json``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from director.model.codec.encoding import encode
from director.model.integration_gates import BaseGates
from director.model.questions import Decision, Question
from director.model.testing.preflight import Preflight
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.stored import read_stored

START_OVER = 'restore it, or start over with `director plan "<task>"`'


class Stage(StrEnum):
    """The stages of planning, in their order: what ``plan_stage.json`` calls them."""

    SPEC = "spec"
    SPEC_APPROVAL = "gate_spec"
    DECOMPOSE = "decompose"
    PLAN_APPROVAL = "gate_plan"
    READY = "ready"

    @property
    def awaited(self) -> str:
        """What waits for approval at this stage: "spec", "plan", or "" (nothing)."""
        return _AWAITED.get(self, "")

    @property
    def words(self) -> str:
        """How far planning is, as a clause."""
        return _WORDS[self]


_AWAITED = {Stage.SPEC_APPROVAL: "spec", Stage.PLAN_APPROVAL: "plan"}
_WORDS = {
    Stage.SPEC: "the spec is being written",
    Stage.SPEC_APPROVAL: "the spec waits for approval",
    Stage.DECOMPOSE: "nodes and their tests are being written",
    Stage.PLAN_APPROVAL: "the plan waits for approval",
    Stage.READY: "the plan is ready",
}


class PlanStage(NamedTuple):
    """A job's planning.

    ``spec_critiqued`` and ``plan_critiqued`` say whether the one critique at each approval was
    paid for. ``spec_feedback`` is what a critique wants changed in the spec, ``plan_feedback`` the
    same by node id. ``authored_from`` is the commit after which tests on the branch count;
    ``admitted`` maps node ids to the fingerprint under which their tests were seen red.
    ``base_gates`` is what ``[gates]`` said on the base commit: name → command, verdict, reason
    (None: not run yet). ``preflight`` is how the existing tests run in a worktree (None: not
    tried yet); ``allow_broken_gates``: planning continues where they cannot, or ``[gates]`` cannot.
    ``wishes`` is what a person wants changed in what lay at the approval ("": nothing, any more).
    ``questions`` are what the planner waits to be told; ``decisions`` what it was told, in
    ``question_rounds`` rounds.
    """

    stage: Stage
    job_id: str
    task: str
    base_commit: str
    job_branch: str
    created_at: str
    spec_critiqued: bool = False
    spec_feedback: tuple[str, ...] = ()
    plan_critiqued: bool = False
    plan_feedback: Mapping[str, str] = {}
    authored_from: str = ""
    admitted: Mapping[str, str] = {}
    base_gates: BaseGates | None = None
    preflight: Preflight | None = None
    allow_broken_gates: bool = False
    wishes: str = ""
    questions: tuple[Question, ...] = ()
    decisions: tuple[Decision, ...] = ()
    question_rounds: int = 0


def read_stage(directory: JobDirectory) -> PlanStage | None:
    """Return where planning stands, or None where there is no job."""
    return read_stored(PlanStage, directory.stage, START_OVER)


def write_stage(directory: JobDirectory, stage: PlanStage) -> None:
    """Replace ``plan_stage.json``."""
    files.write_json(directory.stage, encode(stage))


def stands_at(stage: PlanStage) -> str:
    """Return how far planning is, as a clause."""
    return "the planner waits for answers" if stage.questions else stage.stage.words
