"""The one door to Claude Code: a ``claude -p`` for each call, judged by its events.

Success is never read from the exit code or from what Claude Code calls one: it is 0, and
"success", for an answer that was cut.
"""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Reply, Spending
from director.agents.claude_code.events import Asked, ClaudeCodeReader
from director.agents.claude_code.options import model_of, options_of
from director.agents.claude_code.rules import offered, settings
from director.agents.instructions import project_instructions
from director.agents.permissions import permissions
from director.agents.process_call import Invocation, run_call
from director.model.config import Sampling
from director.model.diagnosis import Row
from director.model.slots import slot_variables
from director.processes.capture import said_version
from director.records.files import write_log
from director.repositories.git import without_git_variables

MODE = "dontAsk"  # what no rule allows is denied, and the turn continues
RETRIES = 2  # inside a call; patience is director's
FLAGS = (
    "-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages",
    "--permission-mode", MODE,
    "--setting-sources", "", "--strict-mcp-config",  # no hooks, settings, servers
    "--no-session-persistence",
)  # fmt: skip
VARIABLES = {
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",  # "@path" in a diff would send that file, any file
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",  # telemetry, and all but the provider
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",  # it would repeat a call without an event
    "CLAUDE_CODE_MAX_RETRIES": str(RETRIES),
    "DISABLE_AUTOUPDATER": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
OF_A_SESSION = (
    "AI_AGENT", "CLAUDECODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_SESSION_ID", "CLAUDE_EFFORT",
)  # fmt: skip
"""What Claude Code sets for its commands: director may be one of them."""


class ClaudeCode:
    """Makes calls for one job with one configuration (a ``backend.AgentCli``)."""

    def __init__(self, context: AgentContext, program: str) -> None:
        self.recorder = context.recorder
        self._context = context
        self._program = program

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does."""
        template = self._context.templates[assignment.agent]
        rules = permissions(assignment.agent, template.permission, assignment.allowlist)
        model = model_of(self._context.config.tiers[assignment.role])
        reader = ClaudeCodeReader(Asked(model, frozenset(offered(rules)), MODE))
        make = partial(
            run_call, self._context, assignment, partial(self._invoke, assignment, rules)
        )
        return self.recorder.record(assignment, spending, events, reader, make)

    def begin(self) -> None:
        """Do nothing: there is nothing to wait for."""

    def prepare(self) -> None:
        """Do nothing: each call starts a process of its own."""

    def check(self, worktree: Path) -> None:
        """Do nothing: which models there are is known only to the provider."""

    def version(self) -> str:
        """Return which version makes the calls ("": it does not say)."""
        return said_version(self._program, self._context.env)

    def models(self, worktree: Path) -> frozenset[str]:  # noqa: ARG002
        """Return none: which models there are is known only to the provider."""
        return frozenset()

    def remarks(self, worktree: Path) -> tuple[Row, ...]:  # noqa: ARG002
        """Return nothing: each call is a process of its own."""
        return ()

    def _invoke(self, assignment: Assignment, rules: dict[str, Any], scratch: Path) -> Invocation:
        config, cwd = self._context.config, assignment.cwd
        sampling = config.sampling.get(assignment.role, Sampling())
        system = scratch / "system.md"
        write_log(system, self._system_prompt(assignment))
        argv = [
            self._program, *FLAGS,
            "--model", model_of(config.tiers[assignment.role]),
            "--system-prompt-file", str(system),
            "--settings", json.dumps(settings(rules, cwd)),  # in no file that an agent could change
            "--tools", ",".join(offered(rules)),
        ]  # fmt: skip
        if sampling.reasoning_effort:
            argv += ["--effort", sampling.reasoning_effort]
        env = {**without_git_variables(self._context.env), **VARIABLES, **slot_variables(cwd)}
        env |= {"PWD": str(cwd), "CLAUDE_CODE_TMPDIR": str(scratch)}
        if sampling.options:
            env["CLAUDE_CODE_EXTRA_BODY"] = json.dumps(dict(sampling.options))
        if options_of(config).home == "own":
            env["CLAUDE_CONFIG_DIR"] = str(scratch / "home")
        env = {name: value for name, value in env.items() if name not in OF_A_SESSION}
        return Invocation(argv, env, signal.SIGINT)  # others leave its commands behind

    def _system_prompt(self, assignment: Assignment) -> str:
        """Return the role's prompt with what else Claude Code would tell a model by itself."""
        prompt = self._context.templates[assignment.agent].prompt
        place = f"Your working directory is {assignment.cwd}. Stay in it."
        told = (prompt, place, project_instructions(assignment.cwd))
        return "\n\n".join(filter(None, told)) + "\n"
