"""Reading a configuration: all mistakes are found at once, each with its place and a guess.

What a section holds stands in its class; here is what sections mean to each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from director.model.codec.decoding import TOML, decode, decode_fields
from director.model.codec.fields import fields_of
from director.model.codec.mistakes import MismatchError, Mistake, dotted, not_known
from director.model.config import Config, OpenCodeOptions
from director.model.config_values import LOCAL_PREFIX
from director.model.errors import RequestError
from director.model.toml_positions import line_of

AGENTS: Mapping[str, type] = {"opencode": OpenCodeOptions}


def read_config(text: str, name: str, agents: Mapping[str, type] = AGENTS) -> Config:
    """Return the configuration in ``text`` (TOML); ``name`` is the file's name for messages.

    ``agents`` are the sections of agent CLIs: name → class. Raises RequestError that names every
    unknown key, wrong type and missing role.
    """
    try:
        document = {"tiers": {}, **tomllib.loads(text)}
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not valid TOML: {error}", "correct that line") from None
    own = [one.key for one in fields_of(Config) if one.name != "agents"]
    known = [*own, *agents]
    given = {key: value for key, value in document.items() if key in own}
    sections, mistakes = decode_fields(Config, given, TOML)
    mistakes += (not_known(key, known) for key in document if key not in known)
    sections["agents"] = options = {}
    for key, kind in agents.items():
        try:
            options[key] = decode(kind, document.get(key, {}), TOML)
        except MismatchError as error:
            mistakes += error.below(key)
    mistakes += _between_sections(document, sections)
    if mistakes:
        raise RequestError(
            f"{name}: " + "; ".join(_with_line(one, text) for one in mistakes),
            f"correct {name} (`director sync-agents` writes a commented one where there is none)",
        )
    return Config(**sections)


def _between_sections(
    document: Mapping[str, Any], sections: Mapping[str, Any]
) -> Iterator[Mistake]:
    """Say which sections exclude each other, or need another one."""
    tiers, providers = (document.get(name) for name in ("tiers", "providers"))
    if isinstance(tiers, dict) and not (isinstance(providers, dict) and "local" in providers):
        for role, model in tiers.items():
            if str(model).startswith(LOCAL_PREFIX):
                problem = "names a local model, but there is no [providers.local]"
                yield Mistake(("tiers", role), problem)
    opencode, sandbox = sections["agents"].get("opencode"), sections.get("sandbox")
    if opencode and sandbox and opencode.server_url and sandbox.demanded:
        problem = "names a server, which [sandbox] cannot hold: leave one of them out"
        yield Mistake(("opencode", "server"), problem)


def _with_line(mistake: Mistake, text: str) -> str:
    line = line_of(tuple(part for part in mistake.path if isinstance(part, str)), text)
    return f"{dotted(mistake.path)} {f'(line {line}) ' if line else ''}{mistake.problem}"
