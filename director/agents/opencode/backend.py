"""OpenCode as a backend: what is known of it before a job opens it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from director.agents.backend import (
    AgentCli,
    AgentContext,
    Asking,
    Backend,
    LaneCost,
    OwnFiles,
    Promises,
)
from director.agents.opencode.events import OpenCodeReader
from director.agents.opencode.options import NAME, OpenCodeOptions, problems
from director.agents.opencode.user_settings import user_settings
from director.agents.programs import find_program
from director.agents.templates import bundled_text
from director.model.config import Config
from director.model.errors import RequestError
from director.model.roles import Agent

if TYPE_CHECKING:
    from director.agents.steps import StepReader
    from director.model.offers import Offer

PROGRAM = "opencode"
AGENTS = ".opencode/agents"
SETTINGS = ".opencode/opencode.json"


def find_opencode(env: Mapping[str, str]) -> Path:
    """Return the path of OpenCode; RequestError when it is not on PATH."""
    program = find_program(PROGRAM, env)
    if program is None:
        raise RequestError(
            "OpenCode (`opencode`) is not on PATH", "install it: `npm install -g opencode-ai`"
        )
    return program


def _check(_config: Config, env: Mapping[str, str]) -> None:
    find_opencode(env)


def _open(context: AgentContext) -> AbstractContextManager[AgentCli]:
    from director.agents.opencode.caller import open_opencode  # slow to import

    return open_opencode(context, str(find_opencode(context.env)))


def _offers(asking: Asking) -> tuple[Offer, ...]:
    from director.agents.opencode.catalogue import offered

    return offered(asking)


def _starter_files() -> dict[str, str]:
    settings = json.dumps({"$schema": "https://opencode.ai/config.json"}, indent=2)
    return {
        **{f"{AGENTS}/{agent}.md": bundled_text(agent) for agent in Agent},
        SETTINGS: f"{settings}\n",
    }


def _steps() -> StepReader:
    from director.agents.opencode.steps import OpenCodeSteps  # only `logs` asks

    return OpenCodeSteps()


OPENCODE = Backend(
    name=NAME,
    title=OpenCodeReader.title,
    options=OpenCodeOptions,
    promises=Promises(
        edits_by_path=True, readers_have_no_shell=True, exit_codes=True, reported_cost=True
    ),
    lane_cost=LaneCost(memory_bytes=400 * 2**20, cpu_secs=5.0),
    reader=OpenCodeReader,
    steps=_steps,
    program=lambda _config, env: find_opencode(env),
    open=_open,
    check=_check,
    own_files=OwnFiles(
        frozenset(
            {
                "opencode.json",
                "opencode.jsonc",
                SETTINGS,
                ".opencode/opencode.jsonc",
                ".opencode/.gitignore",
                ".opencode/package.json",
                ".opencode/package-lock.json",
                ".opencode/bun.lock",
            }
        ),
        (".opencode/node_modules/", ".opencode/"),
    ),
    problems=problems,
    user_settings=user_settings,
    agent_folders=(AGENTS, ".opencode/agent"),
    state_folders=("opencode",),
    starter_files=_starter_files,
    offers=_offers,
    lists_all=True,
    login="opencode auth login",
    tried="1.18.33",
)
