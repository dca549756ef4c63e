"""Claude Code as a backend: what is known of it before a job opens it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from director.agents.backend import AgentCli, AgentContext, Backend, LaneCost, Promises
from director.agents.claude_code.events import ClaudeCodeReader
from director.agents.claude_code.options import NAME, ClaudeCodeOptions, options_of, problems
from director.model.config import Config
from director.model.errors import RequestError
from director.processes.sandbox_paths import home_of


def find_program(config: Config, env: Mapping[str, str]) -> str:
    """Return the path of Claude Code; RequestError where there is none."""
    wanted = options_of(config).program
    place = f"{home_of(env)}{wanted[1:]}" if wanted.startswith("~/") else wanted
    program = shutil.which(place, path=env.get("PATH", os.defpath))
    if program is None:
        raise RequestError(
            f"Claude Code (`{wanted}`) is not on PATH",
            f"install it: `npm install -g @anthropic-ai/claude-code`, or set [{NAME}] program",
        )
    return str(Path(program).absolute())  # calls are made in other folders


def _check(config: Config, env: Mapping[str, str]) -> None:
    find_program(config, env)


def _open(context: AgentContext) -> AbstractContextManager[AgentCli]:
    from director.agents.claude_code.caller import ClaudeCode  # not always needed

    return nullcontext(ClaudeCode(context, find_program(context.config, context.env)))


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
    problems=problems,
)
