"""What the configuration says of Codex: the section ``[codex]``, tiers, sampling."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

from director.agents import programs
from director.agents.section_problems import closed_home, unknown_sampling
from director.model.codec.marks import Validate, one_of
from director.model.codec.mistakes import Mistake
from director.model.config import Config, Sampling
from director.model.errors import RequestError

NAME = "codex"
TITLE = "Codex"
PREFIX = f"{NAME}/"
NOWHERE = {"CODEX_HOME": "/dev/null/codex"}  # no folder can be there: it would leave files in it
EFFORT = "reasoning_effort"  # all of a sampling that Codex takes


def _address_problems(url: str) -> Iterator[str]:
    if url and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        yield f"must be a URL, not {url!r}"


class CodexOptions(NamedTuple):
    """How Codex is run. ``program`` is its command or path.

    ``home`` is where it keeps its own files: ``own`` is a folder of director's for each call, with
    the key in the variable ``env_key`` ("": the provider wants none); ``user`` is the user's, for
    a login. ``base_url`` is a provider of the Responses API, "" OpenAI itself.
    """

    program: str = "codex"
    home: Annotated[str, one_of(("own", "user"))] = "own"
    base_url: Annotated[str, Validate(_address_problems)] = ""
    env_key: str = "OPENAI_API_KEY"

    @property
    def key_variable(self) -> str | None:
        """The variable that holds the key ("": none is wanted); None: there is a login."""
        return None if self.home == "user" else self.env_key


def model_of(tier: str) -> str:
    """Return what Codex calls the model of a tier."""
    return tier.removeprefix(PREFIX)


def find_program(options: CodexOptions, env: Mapping[str, str]) -> Path:
    """Return the path of Codex; RequestError where there is none."""
    wanted = options.program
    program = programs.find_program(wanted, env)
    if program is None:
        raise RequestError(
            f"Codex (`{wanted}`) is not on PATH",
            f"install it: `npm install -g @openai/codex`, or name it in [{NAME}] program",
        )
    return native_program(program)


def options_of(config: Config) -> CodexOptions:
    """Return the section of a configuration, or what holds without one."""
    return config.options_of(NAME, CodexOptions)


def user_settings(config: Config, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what only the user's own sessions write below HOME, where calls have a home apart."""
    return (env.get("CODEX_HOME") or ".codex",) if options_of(config).home == "own" else ()


def problems(config: Config) -> Iterator[Mistake]:
    """Give what Codex cannot be told of sampling, and a home that it could not write."""
    if options_of(config).home == "user":
        yield from closed_home(config, NAME, "~/.codex")
    unknown = [name for name in Sampling._fields if name != EFFORT]
    yield from unknown_sampling(config, PREFIX, "Codex", unknown)


def native_program(program: Path) -> Path:
    """Return the binary that the script ``program`` would start, else ``program`` as it is.

    A signal to the script may leave the binary, and what that runs, alive.
    """
    script = program.resolve()
    if script.suffix != ".js":
        return program
    return next(_beside(script.parents[1]), program)


def _beside(package: Path) -> Iterator[Path]:
    """Give the binaries that belong to a package: its own, one below it, one next to it."""
    for folder, pattern in (
        (package, "vendor/*/bin/codex"),
        (package / "node_modules/@openai", "codex-*/vendor/*/bin/codex"),
        (package.parent, "codex-*/vendor/*/bin/codex"),
    ):
        yield from (path for path in folder.glob(pattern) if path.is_file())
