"""What the configuration says of Claude Code: the section ``[claude-code]``, tiers, sampling."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from director.model.codec.mistakes import Mistake
from director.model.config import Config
from director.model.errors import RequestError

NAME = "claude-code"
PREFIX = f"{NAME}/"
HOMES = ("own", "user")
EFFORTS = ("low", "medium", "high", "xhigh", "max")  # it warns of others, and goes on without
UNKNOWN_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed")


class ClaudeCodeOptions(NamedTuple):
    """How Claude Code is run. ``program`` is its command or path.

    ``home`` is where it keeps its own files: ``own`` is a folder of director's for each call, for
    keys in variables; ``user`` the user's, for a login.
    """

    program: str = "claude"
    home: str = "own"


def model_of(tier: str) -> str:
    """Return what Claude Code calls the model of a tier."""
    return tier.removeprefix(PREFIX)


def find_program(options: ClaudeCodeOptions, env: Mapping[str, str]) -> str:
    """Return the path of Claude Code; RequestError where there is none."""
    wanted = str(Path(options.program).expanduser())
    program = shutil.which(wanted, path=env.get("PATH", os.defpath))
    if program is None:
        raise RequestError(
            f"Claude Code (`{options.program}`) is not on PATH",
            "install it: `npm install -g @anthropic-ai/claude-code`, or name it in "
            f"[{NAME}] program",
        )
    return str(Path(program).absolute())  # calls are made elsewhere


def problems(config: Config, options: ClaudeCodeOptions) -> Iterator[Mistake]:
    """Give what Claude Code cannot do of what a configuration wants."""
    if options.home not in HOMES:
        yield Mistake((NAME, "home"), f'must be "own" or "user", not {options.home!r}')
    for role, sampling in config.sampling.items():
        if not config.tiers.get(role, "").startswith(PREFIX):
            continue
        for key in UNKNOWN_SAMPLING:
            if getattr(sampling, key) is not None:
                yield Mistake(
                    ("sampling", role, key), "cannot be set for Claude Code: leave it out"
                )
        effort = sampling.reasoning_effort
        if effort is not None and effort not in EFFORTS:
            path = ("sampling", role, "reasoning_effort")
            yield Mistake(path, f"must be one of {', '.join(EFFORTS)} for Claude Code")
