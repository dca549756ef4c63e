"""``plan``: the stages from a task to a plan that ``run`` can work off.

Every stage leaves its result on disk before the next begins, so a crash costs at most the call
that was under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from director.agents.wanted import WantedModel
from director.job.context import JobContext, Setting
from director.job.integration import gate_base, refuse_broken
from director.job.opening import open_job
from director.job.provided import refuse_provided
from director.job.seal import differences, read_seal, seal_plan
from director.job.stage import PlanStage, Stage, write_stage
from director.job.submodules import refuse_in_submodules, warn_of_missing
from director.model.config import Config
from director.model.errors import RequestError
from director.model.gate_words import warning
from director.model.plan import Node, Plan
from director.model.roles import Agent, Role
from director.model.testing.preflight import Preflight
from director.model.testing.support_files import support_problems
from director.planning.asking import Question, ask, ask_for_verdict
from director.planning.authoring import (
    drop_notes,
    fingerprint,
    recovered,
    remove_from_branch,
)
from director.planning.authors import Authoring, refusal
from director.planning.current_job import GO_ON, bring_back, for_task, to_continue
from director.planning.decomposing import decompose, forget
from director.planning.editing import (
    Draft,
    admit_edited,
    draft_of,
    export_tests,
    put_contract_on_branch,
    refuse_merged,
    remove_exported_tests,
)
from director.planning.how_tests_run import how_tests_run
from director.planning.preflight import Base, refuse_blocked, tell, try_tests
from director.planning.prompts import (
    Background,
    plan_critique_prompt,
    recon_prompt,
    spec_critique_prompt,
    spec_prompt,
)
from director.planning.shared_tests import kept_tests, restore_shared_tests
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls, total_cost
from director.records.lock import job_lock

BEFORE_TESTS = (Stage.SPEC, Stage.GATE_SPEC, Stage.DECOMPOSE)


@dataclass(frozen=True)
class PlanOptions:
    """What a caller asks for.

    ``task`` None continues the current job; ``new`` sets aside one that is not finished.
    ``approve``: what lies at the gate is approved.
    ``auto``: gates do not wait; ``critique``: a planner's critique takes the person's place.
    ``parallel`` None: chosen when it is known how many tests are to be written. ``wanted_later``
    are models that later jobs of the same request will call. ``allow_broken_gates``: go on where
    neither ``[gates]`` nor the existing tests can run.
    """

    task: str | None = None
    approve: bool = False
    auto: bool = False
    critique: bool = True
    parallel: int | None = 1
    new: bool = False
    allow_broken_gates: bool = False
    wanted_later: tuple[WantedModel, ...] = ()


@dataclass(frozen=True)
class PlanReport:
    """Where planning stands now. ``cost_usd`` None: the cost of a call is unknown."""

    stage: PlanStage
    directory: JobDirectory
    nodes: tuple[Node, ...]
    cost_usd: float | None

    @property
    def paused(self) -> bool:
        """Whether planning waits for somebody's approval."""
        return self.stage.stage in (Stage.GATE_SPEC, Stage.GATE_PLAN)


def plan_job(
    setting: Setting, directory: JobDirectory, config: Config, options: PlanOptions
) -> PlanReport:
    """Plan until the next gate that waits, or until the plan is ready.

    Raises RequestError (nothing to continue; another job is not finished; what a person edited is
    invalid, or not red; a test command that cannot start), WorkError (a role gives no answer, or
    none that can be used), StoppedError and InterruptedRunError; all resumable.
    """
    with job_lock(directory.lock, "director plan"):
        stage = _stage_of(setting, directory, config, options)
        job_id, branch = stage.job_id, stage.job_branch
        later = options.wanted_later
        with open_job(setting, directory, config, job_id, branch, later) as job:
            return _Pipeline(job, setting, stage, options).run()


def resume_job(
    setting: Setting, directory: JobDirectory, job_id: str, *, new: bool = False
) -> PlanReport:
    """Make an archived job the current one, and say where it stands; no model is asked.

    Raises RequestError when there is no such job, or the current one is not finished, unless
    ``new`` sets it aside.
    """
    with job_lock(directory.lock, "director plan"):
        stage = bring_back(setting, directory, job_id, new=new)
        nodes = directory.load_plan().nodes if directory.plan.exists() else ()
        return PlanReport(stage, directory, nodes, total_cost(read_calls(directory.costs)))


def _stage_of(
    setting: Setting, directory: JobDirectory, config: Config, options: PlanOptions
) -> PlanStage:
    if options.task is None:
        return to_continue(directory)
    return for_task(setting, directory, config, options.task, new=options.new)


class _Pipeline:
    """The stages of one job."""

    def __init__(
        self, job: JobContext, setting: Setting, stage: PlanStage, options: PlanOptions
    ) -> None:
        self.job = job
        self.setting = setting
        self.stage = stage
        self.options = options
        # An approval is for what somebody could see: a gate that planning already stands at.
        self.approved = options.approve and stage.stage in (Stage.GATE_SPEC, Stage.GATE_PLAN)

    def run(self) -> PlanReport:
        """Go from stage to stage until one waits for approval, or the plan is ready."""
        steps = {
            Stage.SPEC: self._write_spec,
            Stage.GATE_SPEC: self._gate_spec,
            Stage.DECOMPOSE: self._decompose,
            Stage.GATE_PLAN: self._gate_plan,
        }
        self._tell()
        if self.stage.stage is Stage.SPEC:  # once per job
            warn_of_missing(self.job.repository, self.stage.base_commit, self.job.events)
        if self.stage.stage is Stage.READY:  # and was edited since
            self._freeze(edited_only=True)
        self._gate_base()
        if self.stage.stage in BEFORE_TESTS:
            self._preflight()
        while step := steps.get(self.stage.stage):
            before = self.stage.stage
            step()
            if self.stage.stage is before:
                break
            self._tell()
        ledger = self.job.agents.ledger
        nodes = self._plan().nodes if self.job.directory.plan.exists() else ()
        return PlanReport(self.stage, self.job.directory, nodes, total_cost(ledger.records))

    def _tell(self) -> None:
        self.job.events.emit(Kind.STAGE_ENTERED, stage=self.stage.stage)

    def _save(self, **changes: Any) -> None:
        self.stage = self.stage._replace(**changes)
        write_stage(self.job.directory, self.stage)

    def _gate_base(self) -> None:
        """Run ``[gates]`` on the base, before anything is paid for.

        RequestError where they cannot run there, or where tests would not test a worktree.
        """
        if self.stage.stage in (Stage.SPEC, Stage.GATE_SPEC, Stage.DECOMPOSE):
            gates = self.job.config.gates.values()
            self.job.import_check.refuse_gates(gates, self.setting.repository.root)
        known = self.stage.base_gates
        found = gate_base(self.job, self.stage.base_commit, known or {})
        allowed = self.options.allow_broken_gates or self.stage.allow_broken_gates
        if (found, allowed) != (known, self.stage.allow_broken_gates):
            self._save(base_gates=found, allow_broken_gates=allowed)
        if not allowed:
            refuse_broken(found, self._base().advice)
        if self.options.auto and (line := warning(found)):
            self.job.events.emit(Kind.NOTICE, message=line)

    def _preflight(self) -> None:
        """Attempt the existing tests in a worktree, before anything is paid for.

        Done once; what could not run is tried again until that is allowed.
        """
        allowed = self.stage.allow_broken_gates
        found = self.stage.preflight
        if found is None or (found.blocked and not allowed):
            base = self._base()
            found = try_tests(base, self.stage.base_gates or {})
            self._save(preflight=found)
            if not allowed:
                refuse_blocked(base, found)
            tell(self.job.events, found)
        elif self.options.allow_broken_gates:
            tell(self.job.events, found)

    def _base(self) -> Base:
        return Base(self.job, self.setting, self.stage.base_commit)

    def _write_spec(self) -> None:
        directory = self.job.directory
        if not directory.recon.exists():
            prompt = recon_prompt(self.stage.task)
            recon = self._ask(Agent.EXPLORER, Role.EXPLORER, "recon", prompt)
            files.write_text(directory.recon, f"{recon}\n")
            self._safe("recon")
        draft = files.read_text(directory.spec) or ""
        if self.stage.spec_feedback or not draft:
            problems = self.stage.spec_feedback
            prompt = spec_prompt(self.stage.task, self._recon(), problems, draft)
            spec = self._ask(Agent.BRAINSTORM, Role.PLANNER, "spec", prompt)
            files.write_text(directory.spec, f"{spec}\n")
        self._save(stage=Stage.GATE_SPEC, spec_feedback=())
        self._safe("spec")

    def _gate_spec(self) -> None:
        if self._must_critique(self.stage.spec_critiqued):
            problems = self._criticise(
                "spec-critique", spec_critique_prompt(self.stage.task, self._spec())
            )
            sentences = tuple(str(one.get("problem")) for one in problems)
            after = Stage.SPEC if sentences else Stage.DECOMPOSE
            self._save(stage=after, spec_feedback=sentences, spec_critiqued=True)
            self._safe("spec-critique")
        elif self._passes():
            self._save(stage=Stage.DECOMPOSE)
        else:
            self.job.events.emit(Kind.APPROVAL_NEEDED, stage=self.stage.stage)

    def _decompose(self) -> None:
        if not self.job.directory.plan.exists():
            self._save_nodes(
                decompose(self.job, self.stage.base_commit, self._spec(), self._background())
            )
            forget(self.job)
        plan = self._plan()
        nodes = recovered(self.job, plan.nodes, self.stage.authored_from)
        for node in nodes:
            if node.admitted:
                drop_notes(self.job, node)
        self._save_nodes(nodes)
        self._author([node for node in nodes if not node.admitted])
        nodes = self._plan().nodes
        export_tests(self.job, nodes)
        self.job.publisher.now()
        self._save(stage=Stage.GATE_PLAN, admitted={n.id: fingerprint(n) for n in nodes})

    def _author(self, nodes: list[Node]) -> None:
        """Have tests written; all are tried before any is refused.

        The branch is the record of admitted tests: the plan is written once, at the end.
        """
        feedback = self.stage.plan_feedback
        authoring = Authoring(self.job, self._plan(), nodes, self._background(), feedback)
        try:
            authoring.run(self.options.parallel)
        finally:
            self._save_nodes(authoring.with_hashes(self._plan()).nodes)
        if authoring.refused:
            raise refusal(authoring.refused, self.job.directory)

    def _gate_plan(self) -> None:
        if self._must_critique(self.stage.plan_critiqued):
            self._critique_plan()
        elif self._passes():
            self._freeze()
        else:
            self.job.events.emit(Kind.APPROVAL_NEEDED, stage=self.stage.stage)

    def _freeze(self, *, edited_only: bool = False) -> None:
        """Take plan and tests as they are on disk now, edits included; freeze and seal them.

        ``edited_only``: the plan was ready already, and only the tests that were edited are there.
        """
        job = self.job
        draft = self._admitted_draft(edited_only=edited_only)
        nodes = draft.plan.nodes
        put_contract_on_branch(job, draft)
        job.directory.save_plan(draft.plan)
        seal_plan(job.directory, draft.plan, job.repository.tip())
        job.publisher.now()
        self._save(stage=Stage.READY, admitted={node.id: fingerprint(node) for node in nodes})
        remove_exported_tests(job)

    def _admitted_draft(self, *, edited_only: bool) -> Draft:
        """Return plan and tests as they are on disk; RequestError where they cannot be frozen."""
        job = self.job
        draft = draft_of(job, self._plan_of(self._plan().nodes), edited_only=edited_only)
        refuse_provided(job.pool.provisions, draft.plan.nodes)
        refuse_in_submodules(job.repository, draft.plan.nodes)
        if problems := support_problems(draft.plan.nodes):
            raise RequestError("; ".join(problems), f"correct {job.directory.plan}, then `{GO_ON}`")
        refuse_merged(draft.plan, job.repository.receipts.values())
        admit_edited(job, draft, self.stage.admitted)
        if (seal := read_seal(job.directory)) and (new := list(differences(seal, draft.plan))):
            job.events.emit(Kind.NOTICE, message=f"admitted as it is now: {'; '.join(new)}")
        return draft

    def _critique_plan(self) -> None:
        plan = self._plan()
        tests = self.job.repository.contents(
            self.job.repository.tip(), [path for node in plan.nodes for path in node.tests]
        )
        problems = self._criticise(
            "plan-critique", plan_critique_prompt(self._spec(), plan.nodes, tests)
        )
        if problems:
            self._revise(plan, problems)
        else:
            self._save(plan_critiqued=True)
            self._safe("plan-critique")
            self._gate_plan()

    def _revise(self, plan: Plan, problems: list[dict[str, Any]]) -> None:
        """Plan again where the critique is of the plan; have tests it names written again."""
        about = [(str(one.get("node")), str(one.get("problem"))) for one in problems]
        ids = {node.id for node in plan.nodes}
        named = {node_id: problem for node_id, problem in about if node_id in ids}
        general = [problem for node_id, problem in about if node_id not in ids]
        nodes = plan.nodes
        if general:
            draft = files.read_text(self.job.directory.plan) or ""
            background = self._background()
            nodes = decompose(
                self.job, self.stage.base_commit, self._spec(), background, general, draft
            )
        kept = kept_tests(plan, self._plan_of(nodes), named.keys())
        nodes = tuple(node._replace(test_hashes=kept.get(node.id, {})) for node in nodes)
        self._take_off_branch(plan.nodes, nodes)
        restore_shared_tests(self.job, plan, self._plan_of(nodes))
        self._save_nodes(nodes)
        self._save(
            stage=Stage.DECOMPOSE,
            plan_critiqued=True,
            plan_feedback=named,
            authored_from=self.job.repository.tip(),
        )
        forget(self.job)
        self._safe("plan-critique")

    def _take_off_branch(self, before: tuple[Node, ...], after: tuple[Node, ...]) -> None:
        wanted = {path for node in after for path in node.tests}
        for node in before:
            gone = [path for path in node.tests if path not in wanted]
            if gone:
                remove_from_branch(self.job, node.id, gone, self.stage.base_commit)

    def _must_critique(self, done: bool) -> bool:
        return self.options.auto and self.options.critique and not done

    def _passes(self) -> bool:
        """Whether this gate lets the plan through now; an approval is for one gate only."""
        approved, self.approved = self.approved, False
        return approved or self.options.auto

    def _criticise(self, name: str, prompt: str) -> list[dict[str, Any]]:
        question = Question(Agent.PLANNER, Role.PLANNER, name, prompt)
        problems = ask_for_verdict(self.job, question, self.stage.base_commit)
        self.job.events.emit(
            Kind.CRITIQUE, about=name, problems=[str(one.get("problem")) for one in problems]
        )
        return problems

    def _ask(self, agent: Agent, role: Role, name: str, prompt: str) -> str:
        question = Question(agent, role, name, prompt)
        return ask(self.job, question, self.stage.base_commit).transcript.text

    def _safe(self, name: str) -> None:
        """Note that what a call brought is on disk now."""
        self.job.agents.notes.drop(name)

    def _background(self) -> Background:
        provisions, policy = self.job.pool.provisions, self.job.config.worktree
        given = provisions.names if provisions else ()
        found = self.stage.preflight or Preflight()
        return Background(self._recon(), how_tests_run(policy, given, found))

    def _recon(self) -> str:
        return files.read_text(self.job.directory.recon) or ""

    def _spec(self) -> str:
        text = files.read_text(self.job.directory.spec) or ""
        if not text.strip():
            raise RequestError(
                f"{self.job.directory.spec} is empty", "write the spec there, then continue"
            )
        return text

    def _plan(self) -> Plan:
        directory = self.job.directory
        there = directory.plan.exists()
        try:
            return directory.load_plan()
        except RequestError as error:
            error.next_step = f"{'correct' if there else 'restore'} it, then `{GO_ON}`"
            raise

    def _save_nodes(self, nodes: tuple[Node, ...]) -> None:
        self.job.directory.save_plan(self._plan_of(nodes))

    def _plan_of(self, nodes: tuple[Node, ...]) -> Plan:
        """Return the plan of ``nodes``; nothing else of it is for editing."""
        stage = self.stage
        return Plan(
            job_id=stage.job_id,
            task=stage.task,
            repo=str(self.setting.repository.root),
            base_commit=stage.base_commit,
            created_at=stage.created_at,
            job_branch=stage.job_branch,
            nodes=nodes,
        )
