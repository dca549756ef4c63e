"""Codex as a backend: what is known of it before a job opens it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from director.agents.backend import (
    AgentCli,
    AgentContext,
    Asking,
    Backend,
    LaneCost,
    Promises,
)
from director.agents.codex.options import (
    NAME,
    NOWHERE,
    TITLE,
    CodexOptions,
    find_program,
    options_of,
    problems,
    user_settings,
)
from director.agents.reading import EventReader
from director.model.config import Config
from director.model.errors import RequestError
from director.model.reason import Reason

if TYPE_CHECKING:
    from director.agents.steps import StepReader
    from director.model.offers import Offer


def _check(config: Config, env: Mapping[str, str]) -> None:
    from director.agents.codex.caller import is_logged_in

    options = options_of(config)
    program, key = find_program(options, env), options.key_variable
    if key is None and not is_logged_in(program, env):
        raise RequestError(
            "Codex is not logged in",
            f'run `codex login`, or set [{NAME}] home = "own"',
            Reason.AUTH,
        )
    if key and not env.get(key):
        raise RequestError(
            f"the variable {key}, which holds the key for Codex, is not set",
            f'set it, name another one in [{NAME}] env_key, or use a login: [{NAME}] home = "user"',
            Reason.AUTH,
        )


def _open(context: AgentContext) -> AbstractContextManager[AgentCli]:
    from director.agents.codex.caller import Codex

    options = options_of(context.config)
    return nullcontext(Codex(context, options, find_program(options, context.env)))


def _reader() -> EventReader:
    from director.agents.codex.events import CodexReader  # not always needed

    return CodexReader()


def _steps() -> StepReader:
    from director.agents.codex.steps import CodexSteps  # only `logs` asks

    return CodexSteps()


def _offers(asking: Asking) -> tuple[Offer, ...]:
    from director.agents.codex.catalogue import offered

    return offered(asking)


CODEX = Backend(
    name=NAME,
    title=TITLE,
    options=CodexOptions,
    promises=Promises(
        edits_by_path=False, readers_have_no_shell=False, exit_codes=False, reported_cost=False
    ),
    lane_cost=LaneCost(memory_bytes=150 * 2**20, cpu_secs=0.5),
    reader=_reader,
    steps=_steps,
    program=lambda config, env: find_program(options_of(config), env),
    open=_open,
    check=_check,
    problems=problems,
    user_settings=user_settings,
    offers=_offers,
    login="codex login",
    tried="0.169.0",
    ask_env=NOWHERE,
    secret_variables=lambda config: (options_of(config).env_key,),
)
