"""Reading a configuration: all mistakes are found at once, each with its place and a guess.

What a section holds stands in its class; here is what sections mean to each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from director.model.codec.decoding import TOML, decode_fields
from director.model.codec.mistakes import Mistake, dotted
from director.model.config import Config
from director.model.config_values import LOCAL_PREFIX
from director.model.errors import RequestError
from director.model.toml_positions import line_of


def read_config(text: str, name: str) -> Config:
    """Return the configuration in ``text`` (TOML); ``name`` is the file's name for messages.

    Raises RequestError that names every unknown key, wrong type and missing role.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not valid TOML: {error}", "correct that line") from None
    sections, mistakes = decode_fields(
        Config, document | {"tiers": document.get("tiers", {})}, TOML
    )
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
    tiers, providers = document.get("tiers"), document.get("providers")
    local = "local" in providers if isinstance(providers, dict) else False
    for role, model in tiers.items() if isinstance(tiers, dict) else ():
        if str(model).startswith(LOCAL_PREFIX) and not local:
            yield Mistake(("tiers", role), "names a local model, but there is no [providers.local]")
    opencode, sandbox = sections.get("opencode"), sections.get("sandbox")
    if opencode and sandbox and opencode.server_url and sandbox.demanded:
        yield Mistake(
            ("opencode", "server"),
            "names a server, which [sandbox] cannot hold: leave one of them out",
        )


def _with_line(mistake: Mistake, text: str) -> str:
    line = line_of(tuple(part for part in mistake.path if isinstance(part, str)), text)
    return f"{dotted(mistake.path)} {f'(line {line}) ' if line else ''}{mistake.problem}"
