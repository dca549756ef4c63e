"""Reading a configuration: all mistakes are found at once, each with its place and a guess.

What a section holds stands in its class; here is what sections mean to each other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from director.model.codec.decoding import TOML, decode, decode_fields
from director.model.codec.fields import fields_of
from director.model.codec.mistakes import MismatchError, Mistake, dotted, not_known
from director.model.config import Config
from director.model.config_values import LOCAL_PREFIX
from director.model.errors import RequestError


class AgentSection(Protocol):
    """The section of an agent CLI: its ``name``, the class that holds it, what else is wrong."""

    @property
    def name(self) -> str:
        """The section's name."""
        ...

    @property
    def options(self) -> Callable[..., Any]:
        """The class of records (see ``codec``) that the section is read into."""
        ...

    @property
    def problems(self) -> Callable[[Config], Iterable[Mistake]]:
        """What finds mistakes of this CLI's in a configuration that is right by itself."""
        ...


def read_config(text: str, name: str, agents: Sequence[AgentSection] = ()) -> Config:
    """Return the configuration in ``text`` (TOML); ``name`` is the file's name for messages.

    Each of the ``agents`` may have a section. Raises RequestError that names every unknown key,
    wrong type and missing role.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not valid TOML: {error}", "correct that line") from None
    except (ValueError, RecursionError) as error:  # a number, or nesting, beyond all bounds
        raise RequestError(f"{name} cannot be read: {error}", f"correct {name}") from None
    own = [one.key for one in fields_of(Config) if one.name != "agents"]
    known = [*own, *(one.name for one in agents)]
    mistakes = [not_known(key, known) for key in document if key not in known]
    shared = {key: table for key, table in document.items() if key in own}
    sections, wrong = decode_fields(Config, {"tiers": {}} | shared, TOML)
    mistakes += [*wrong, *_missing_provider(document)]
    options: dict[str, object] = {}
    for one in agents:
        try:
            options[one.name] = decode(one.options, document.get(one.name, {}), TOML)
        except MismatchError as error:
            mistakes += error.below(one.name)
    if not mistakes:
        config = Config(**sections, agents=options)
        mistakes += config.mistakes()
        mistakes += (mistake for one in agents for mistake in one.problems(config))
    if mistakes:
        raise RequestError(
            f"{name}: " + "; ".join(_with_line(one, text) for one in mistakes),
            f"correct {name}; `director init --set KEY=VALUE` sets single keys",
        )
    return config.with_one_command()


def _missing_provider(document: Mapping[str, Any]) -> Iterator[Mistake]:
    tiers, providers = document.get("tiers"), document.get("providers")
    local = "local" in providers if isinstance(providers, dict) else False
    for role, model in tiers.items() if isinstance(tiers, dict) else ():
        if str(model).startswith(LOCAL_PREFIX) and not local:
            yield Mistake(("tiers", role), "names a local model, but there is no [providers.local]")


def _with_line(mistake: Mistake, text: str) -> str:
    line = line_of(tuple(part for part in mistake.path if isinstance(part, str)), text)
    return f"{dotted(mistake.path)} {f'(line {line}) ' if line else ''}{mistake.problem}"


def line_of(path: tuple[str, ...], text: str) -> int | None:
    """Return the line of a key, as far as the text shows it (1 is the first); None: it does not."""
    inside = len(path) == 1
    section = re.compile(rf"\s*\[+\s*{_dotted(path[:-1])}\s*\]")
    whole = re.compile(rf"\s*\[+\s*{_dotted(path)}\s*[\].]")
    key = re.compile(rf"\s*{_quoted(path[-1])}\s*[=.]")
    for number, line in enumerate(text.splitlines(), 1):
        if whole.match(line) or (inside and key.match(line)):
            return number
        if line.lstrip().startswith("["):
            inside = bool(len(path) > 1 and section.match(line))
    return None


def _dotted(path: tuple[str, ...]) -> str:
    return r"\s*\.\s*".join(map(_quoted, path))


def _quoted(part: str) -> str:
    return rf"[\"']?{re.escape(part)}[\"']?"
