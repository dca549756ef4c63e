"""Claude Code as a backend: what is known of it before a job opens it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from director.agents.backend import (
    AgentCli,
    AgentContext,
    Backend,
    LaneCost,
    Promises,
)
from director.agents.claude_code.events import ClaudeCodeReader
from director.agents.claude_code.options import NAME, ClaudeCodeOptions, find_program, problems
from director.model.codec.mistakes import Mistake
from director.model.config import Config


def _check(config: Config, env: Mapping[str, str]) -> None:
    find_program(CLAUDE_CODE.options_in(config), env)


def _open(context: AgentContext) -> AbstractContextManager[AgentCli]:
    from director.agents.claude_code.caller import ClaudeCode

    options: ClaudeCodeOptions = CLAUDE_CODE.options_in(context.config)
    program = find_program(options, context.env)
    return nullcontext(ClaudeCode(context, options, program))


def _problems(config: Config) -> Iterable[Mistake]:
    return problems(config, CLAUDE_CODE.options_in(config))


CLAUDE_CODE = Backend(
    name=NAME,
    title=ClaudeCodeReader.title,
    options=ClaudeCodeOptions,
    promises=Promises(
        edits_by_path=True, readers_have_no_shell=True, exit_codes=True, reported_cost=False
    ),
    lane_cost=LaneCost(memory_bytes=300 * 2**20, cpu_secs=1.0),
    reader=ClaudeCodeReader,
    open=_open,
    check=_check,
    problems=_problems,
)
