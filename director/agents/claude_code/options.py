"""What the configuration says of Claude Code: the section ``[claude-code]``, tiers, sampling."""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from director.agents.section_problems import closed_home, unknown_sampling
from director.model.codec.marks import one_of
from director.model.codec.mistakes import Mistake
from director.model.config import Config

NAME = "claude-code"
TITLE = "Claude Code"
PREFIX = f"{NAME}/"
EFFORTS = ("low", "medium", "high", "xhigh", "max")  # it warns of others, and continues without
UNKNOWN_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed")


class ClaudeCodeOptions(NamedTuple):
    """How Claude Code is run. ``program`` is its command or path.

    ``home`` is where it keeps its own files: ``own`` is a folder of director's for each call, for
    keys in variables; ``user`` the user's, for a login.
    """

    program: str = "claude"
    home: Annotated[str, one_of(("own", "user"))] = "own"


def options_of(config: Config) -> ClaudeCodeOptions:
    """Return the section of a configuration, or what holds without one."""
    return config.options_of(NAME, ClaudeCodeOptions)


def model_of(tier: str) -> str:
    """Return what Claude Code calls the model of a tier."""
    return tier.removeprefix(PREFIX)


def user_settings(config: Config, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what only the user's own sessions write below HOME, where calls have a home apart."""
    folder = env.get("CLAUDE_CONFIG_DIR") or ".claude"
    return (folder, ".claude.json") if options_of(config).home == "own" else ()


def files_in_home(config: Config) -> tuple[str, ...]:
    """Return the files that calls write right in the user's home folder."""
    return (".claude.json", ".claude.json.backup") if options_of(config).home == "user" else ()


def problems(config: Config) -> Iterator[Mistake]:
    """Give what Claude Code cannot be told of sampling, and a home that it could not write."""
    if options_of(config).home == "user":
        yield from closed_home(config, NAME, "~/.claude")
    yield from unknown_sampling(config, PREFIX, "Claude Code", UNKNOWN_SAMPLING)
    for role, sampling in config.sampling.items():
        effort = sampling.reasoning_effort
        if config.tiers[role].startswith(PREFIX) and effort not in (None, *EFFORTS):
            path = ("sampling", role, "reasoning_effort")
            yield Mistake(path, f"must be one of {', '.join(EFFORTS)} for Claude Code")
