"""The one door to OpenCode: one headless call, watched while it runs, judged by its events.

A call is a session on a server that all calls of a run share, or an ``opencode run`` of its own;
what it may do, what it leaves on record and how it is judged are the same.
The exit code of ``opencode run`` lies both ways (0 after a rejected permission, 1 after a
recovered overflow), so success is read from the events.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Reply, Spending
from director.agents.opencode.events import OpenCodeReader
from director.agents.opencode.inline_config import (
    NAME_PREFIX,
    inline_config,
    server_agent,
    session_rules,
    unknown_prefix,
)
from director.agents.opencode.models import Memory, ModelCheck
from director.agents.opencode.options import options_of
from director.agents.opencode.program import Program
from director.agents.opencode.project import deep_merge, inherited_settings, model_settings
from director.agents.opencode.project_code import defines_agents
from director.agents.opencode.server_error import ServerError
from director.agents.opencode.shared_server import SharedServer
from director.agents.opencode.user_settings import complete_folder
from director.agents.process_call import Invocation, run_call
from director.agents.recorder import read_whole
from director.agents.watching import Watch
from director.model.diagnosis import Row
from director.model.secrets import literal_secrets
from director.model.slots import slot_variables
from director.processes.capture import said_version
from director.processes.command import Ended
from director.processes.command import Watch as Until
from director.processes.launchers.launcher import Part
from director.processes.sandbox_paths import home_of

if TYPE_CHECKING:
    from director.agents.opencode.server import Server  # slow to import, and not always needed


@contextmanager
def open_opencode(context: AgentContext, program: str) -> Iterator[OpenCode]:
    """Give what makes calls with the OpenCode at ``program``; nothing of it is left afterwards."""
    complete_folder(context.env, home_of(context.env))
    opencode = OpenCode(context, program)
    with opencode.serving():
        try:
            yield opencode
        finally:
            opencode.close()


class OpenCode:
    """Makes calls for one repository with one configuration.

    No secret is in what a call leaves: its logs, its transcript, its reason.
    """

    def __init__(self, context: AgentContext, program: str) -> None:
        settings = deep_merge(model_settings(context.root), inherited_settings(context.env))
        self.recorder = context.recorder.hiding(literal_secrets(settings))
        self._context = context._replace(recorder=self.recorder)
        self._options = options_of(context.config)
        self._program = Program(context, program, settings)
        self._shared = SharedServer(self._context, self._program, self._options)
        memory = Memory(context.memory, program, settings)
        # A server that the user runs knows models of its own.
        wanted = () if self._options.server_url else context.wanted
        self._defines_models = any(one.defined for one in wanted)  # a server would list those, too
        self._models = ModelCheck(wanted, self._models_for, memory, context.events)

    def serving(self) -> AbstractContextManager[None]:
        """While open, calls share one server, as far as that is wanted."""
        return self._shared.serving()

    def begin(self) -> None:
        """Ask in the background which models there are."""
        self._models.begin()

    def prepare(self) -> None:
        """Start the server that calls are going to share, in the background."""
        self._shared.prepare()

    def check(self, worktree: Path) -> None:
        """Raise RequestError for a model that a call in ``worktree`` cannot name."""
        self._models.check(worktree)

    def models(self, worktree: Path) -> frozenset[str]:
        """Return the tiers that a call in ``worktree`` may name; none: it does not say."""
        if self._options.server_url:
            return frozenset()
        return self._program.listed_models(worktree, lambda: None)

    def remarks(self, worktree: Path) -> Iterator[Row]:
        """Say whether calls in ``worktree`` share a server, and why not."""
        return self._shared.remarks(worktree)

    def version(self) -> str:
        """Return which OpenCode makes the calls ("": it does not say).

        A server has said so already; to start OpenCode only to ask takes most of a second.
        """
        return self._shared.version or said_version(self._program.path, self._context.env)

    def close(self) -> None:
        """Stop asking what only calls would need to know, and starting what only they need."""
        self._shared.stop_starting()
        self._models.close()

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does."""

        def make(prompt: Path, watch: Watch) -> Ended:
            with self._shared.lease(assignment) as server:
                how = partial(self._converse, server) if server else self._run
                return how(assignment, prompt, watch)

        return self.recorder.record(assignment, spending, events, OpenCodeReader(), make)

    def _converse(
        self, server: Server, assignment: Assignment, prompt: Path, watch: Watch
    ) -> Ended:
        """Make the call in a session on a server."""
        from director.agents.opencode.session import Session, Turn

        context = self._context
        template = context.templates[assignment.agent]
        turn = Turn(
            agent=server_agent(assignment.agent, assignment.role, self._shared.prefix),
            model=context.config.tiers[assignment.role],
            title=assignment.name,
            prompt=read_whole(prompt),
            rules=session_rules(assignment, template, context.env),
            cwd=assignment.cwd,
            events=watch.events,
            timeout_secs=context.config.limits.node_timeout_secs,
            variables=context.sandbox.variables(Part.AGENT, assignment.cwd, context.env),
        )
        return Session(context.processes, server, turn, watch).run()

    def _run(self, assignment: Assignment, prompt: Path, watch: Watch) -> Ended:
        """Make the call with an OpenCode of its own."""
        prefix = unknown_prefix() if defines_agents(assignment.cwd) else NAME_PREFIX

        def invoke(scratch: Path) -> Invocation:
            env = self._environment(assignment, scratch, prefix)
            return Invocation(self._argv(assignment, prefix), env)

        return run_call(self._context, assignment, invoke, prompt, watch)

    def _argv(self, assignment: Assignment, prefix: str) -> list[str]:
        return [
            self._program.path, "run",
            "--dir", str(assignment.cwd),
            "--agent", f"{prefix}{assignment.agent}",
            "--model", self._context.config.tiers[assignment.role],
            "--title", assignment.name,
            "--format", "json",
            "--print-logs", "--log-level", "ERROR",
        ]  # fmt: skip

    def _environment(self, assignment: Assignment, scratch: Path, prefix: str) -> dict[str, str]:
        template = self._context.templates[assignment.agent]
        config = inline_config(assignment, template, self._context.config, prefix)
        own = {"PWD": str(assignment.cwd), **slot_variables(assignment.cwd)}
        return {**self._program.environment(config, scratch), **own}

    def _models_for(self, worktree: Path | None, watch: Until) -> frozenset[str]:
        """Return what a call may name (none: it does not say), from the server if that is enough.

        The calls need it anyway, and to start OpenCode once more only to ask takes 2 s.
        """
        if worktree is None and self._shared.will_start() and not self._defines_models:
            with suppress(ServerError):
                if found := self._shared.listed_models():
                    return found
        return frozenset() if watch() else self._program.listed_models(worktree, watch)
