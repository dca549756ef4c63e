"""Claude Code as a backend: what is known of it before a job opens it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from director.agents.backend import (
    AgentCli,
    AgentContext,
    Asking,
    Backend,
    LaneCost,
    Promises,
)
from director.agents.claude_code.options import (
    NAME,
    TITLE,
    ClaudeCodeOptions,
    files_in_home,
    options_of,
    problems,
    user_settings,
)
from director.agents.programs import find_program
from director.agents.reading import EventReader
from director.model.config import Config
from director.model.errors import RequestError

if TYPE_CHECKING:
    from director.agents.steps import StepReader
    from director.model.offers import Offer

ALIASES = {"opus": "the largest", "sonnet": "the usual one", "haiku": "the small one"}


def _program(config: Config, env: Mapping[str, str]) -> Path:
    """Return the path of Claude Code; RequestError where there is none."""
    wanted = options_of(config).program
    program = find_program(wanted, env)
    if program is None:
        raise RequestError(
            f"Claude Code (`{wanted}`) is not on PATH",
            f"install it: `npm install -g @anthropic-ai/claude-code`, or set [{NAME}] program",
        )
    return program


def _check(config: Config, env: Mapping[str, str]) -> None:
    _program(config, env)


def _open(context: AgentContext) -> AbstractContextManager[AgentCli]:
    from director.agents.claude_code.caller import ClaudeCode  # not always needed

    return nullcontext(ClaudeCode(context, str(_program(context.config, context.env))))


def _reader() -> EventReader:
    from director.agents.claude_code.events import ClaudeCodeReader  # not always needed

    return ClaudeCodeReader()


def _steps() -> StepReader:
    from director.agents.claude_code.steps import ClaudeCodeSteps  # only `logs` asks

    return ClaudeCodeSteps()


def _offers(_asking: Asking) -> tuple[Offer, ...]:
    """Return the names that its program itself resolves; it lists no model, and no price."""
    from director.model.offers import Offer

    return tuple(Offer(f"{NAME}/{alias}", title) for alias, title in ALIASES.items())


CLAUDE_CODE = Backend(
    name=NAME,
    title=TITLE,
    options=ClaudeCodeOptions,
    promises=Promises(
        edits_by_path=True, readers_have_no_shell=True, exit_codes=True, reported_cost=False
    ),
    lane_cost=LaneCost(memory_bytes=300 * 2**20, cpu_secs=1.0),
    reader=_reader,
    steps=_steps,
    program=_program,
    open=_open,
    check=_check,
    problems=problems,
    user_settings=user_settings,
    files_in_home=files_in_home,
    offers=_offers,
    login="claude",
    tried="2.1.197",
)
