"""What would land when models have resolved its conflicts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from director.agents.client import AgentClient
from director.job.attempts import next_role
from director.job.context import JobInputs
from director.job.job_agents import open_agents
from director.job.job_worktrees import JobWorktrees
from director.job.opening import check_prerequisites
from director.landing.first_look import cost_of_job
from director.landing.gating import Gating
from director.landing.marked_tree import Conflicted
from director.landing.moving import moved
from director.landing.prospect import Prospect, Resolved
from director.landing.resolving import End, Resolver, Tools
from director.landing.target import is_as_before
from director.model.plan import Plan
from director.model.roles import Role
from director.records.clock import now
from director.records.events import Kind
from director.records.live_file import live_file
from director.records.lock import Holder, read_holder
from director.records.resolutions import read_resolution


@contextmanager
def _shown(inputs: JobInputs, plan: Plan) -> Iterator[None]:
    """Tell the views on a terminal when calls begin, and that they are over."""
    limits = inputs.config.limits
    inputs.events.emit(
        Kind.OPENED,
        job_id=plan.job_id,
        task=plan.task,
        directory=str(inputs.directory.path),
        planned=True,
        max_attempts=limits.max_attempts,
        ceiling_usd=limits.cost_ceiling_usd,
    )
    try:
        yield
    finally:
        inputs.events.emit(Kind.CLOSED)


class ResolvedLanding:
    """A landing whose conflicts models may resolve. ``kept``: one did, in an earlier command."""

    def __init__(
        self, inputs: JobInputs, made: JobWorktrees, prospect: Prospect, gating: Gating
    ) -> None:
        self._inputs = inputs
        self._made = made
        self._prospect = prospect
        self._gating = gating
        self._stored = read_resolution(inputs.directory)

    @property
    def kept(self) -> bool:
        """Whether a model resolved the same conflicts, as far as the record says."""
        about = self._stored is not None and self._stored.is_about(self._conflicted.unresolved)
        return about and self._stored is not None and self._stored.green

    def resolved(self, *, ask: bool) -> Prospect:
        """Return what would land then; the conflicts stay in it where none is green.

        Not ``ask``: what an earlier command paid for is used, and no model is asked.
        """
        with ExitStack() as stack:
            resolver = Resolver(self._tools(stack), self._conflicted)
            known = resolver.known(self._stored)
            end = resolver.resolve(known, ask=ask)
        calls = len(end.known.attempts) - len(known.attempts) - (known.draft is not None)
        found = Resolved(
            self._conflicted.paths,
            self._conflicted.marked,
            end.known.attempts,
            end.green,
            max(0, calls),
            end.stuck,
            () if end.green or ask else self._to_ask(end),
        )
        cost = cost_of_job(self._inputs.directory)
        prospect = replace(self._prospect, resolved=found, reports=end.reports, cost=cost)
        return replace(prospect, tree=end.tree, conflicts=()) if end.green else prospect

    @property
    def _conflicted(self) -> Conflicted:
        prospect = self._prospect
        return Conflicted(
            prospect.plan,
            prospect.target.branch,
            prospect.target.tip,
            prospect.work,
            prospect.tree,
            tuple(one.path for one in prospect.conflicts),
            prospect.nodes,
        )

    def _tools(self, stack: ExitStack) -> Tools:
        opened: list[AgentClient] = []

        def agents() -> AgentClient:
            if not opened:
                opened.append(stack.enter_context(self._agents()))
            return opened[0]

        def check() -> None:
            if not is_as_before(self._inputs.workspace.repository, self._prospect.target):
                raise moved(self._prospect.target)

        inputs = self._inputs
        return Tools(
            self._made, inputs.directory, inputs.config, inputs.events, self._gating, agents, check
        )

    @contextmanager
    def _agents(self) -> Iterator[AgentClient]:
        """Give what asks roles; others see meanwhile what they do."""
        inputs = self._inputs
        check_prerequisites(inputs.workspace, inputs.config)
        holder = read_holder(inputs.directory.lock) or Holder(os.getpid(), "director land", now())
        with live_file(inputs.directory.live, holder) as live:
            told = inputs._replace(events=inputs.events.also(live))
            with _shown(told, self._prospect.plan), open_agents(told, self._made) as agents:
                yield agents

    def _to_ask(self, end: End) -> tuple[tuple[str, int], ...]:
        """Return the models that would be asked, and how often at most."""
        tiers, most = self._inputs.config.tiers, self._inputs.config.limits.max_attempts
        role = next_role(end.known.attempts, most, veto=False)
        left = most - len(end.known.attempts)
        by_executor = ((tiers[Role.EXECUTOR], left),) if role is Role.EXECUTOR else ()
        return (*by_executor, (tiers[Role.ESCALATION], 1)) if role else ()
