"""The coding agents as scenes drive them: which program, which server, which configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, cast

from director.demo.model_server import ModelServer, Request, Script
from tests.e2e.programs import OPENCODE, Program
from tests.e2e.scripted_job import ScriptedJob


class Server(Protocol):
    """A scripted model on loopback."""

    @property
    def requests(self) -> Sequence[Request]: ...

    @property
    def base_url(self) -> str: ...

    def __enter__(self) -> Server: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True)
class Driven:
    """A coding agent.

    ``prefix`` begins its tiers; ``serve`` makes the server that plays a job; ``config`` are its
    sections of director's configuration, and ``env`` its variables, for a server and the folder
    that holds the scene. ``tools`` are the tools offered in the body of a request, in the words of
    scripts; ``refusal`` is what a model is told (a regular expression) that writes where its role
    only reads. ``traces`` are the folders below HOME that the program writes by itself, and
    ``temporary`` the one in TMPDIR that all its runs share.
    """

    program: Program
    prefix: str
    serve: Callable[[ScriptedJob], Server]
    config: Callable[[Server], str]
    env: Callable[[Server, Path], Mapping[str, str]]
    tools: Callable[[dict[str, Any]], set[str]]
    refusal: str
    traces: tuple[str, ...] = ()
    temporary: str = ""


def _opencode_env(_server: Server, folder: Path) -> dict[str, str]:
    """Return the variables with which OpenCode asks only the model server."""
    catalogue = folder / "models.json"
    catalogue.write_text("{}")
    return {
        "OPENCODE_MODELS_PATH": str(catalogue),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "npm_config_offline": "true",
    }


def _chat_completions(job: ScriptedJob) -> Server:
    return ModelServer(cast(Script, job))  # the demo's server knows the demo's turns only


DRIVEN_OPENCODE = Driven(
    OPENCODE,
    prefix="local/",
    serve=_chat_completions,
    config=lambda server: f'[providers.local]\nbase_url = "{server.base_url}"\n',
    env=_opencode_env,
    tools=lambda body: {tool["function"]["name"] for tool in body.get("tools", [])},
    refusal="unavailable tool",
    traces=(
        ".cache/opencode",
        ".config/opencode",
        ".local/share/opencode",
        ".local/state/opencode",
    ),
    temporary="opencode",
)


def with_program(program: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` with the folder ``program`` at the front of PATH."""
    return {**env, "PATH": os.pathsep.join((str(program), env["PATH"]))}
