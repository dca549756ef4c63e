"""What OpenCode says of the models that it has: names, prices, sizes (``models --verbose``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from director.agents.asking import asked
from director.agents.backend import Asking
from director.agents.opencode.environment import environment
from director.agents.opencode.models import LISTED
from director.agents.opencode.project import deep_merge, inherited_settings, model_settings
from director.agents.programs import find_program
from director.model.offers import Offer
from director.model.pricing import HIGHEST_PRICE, Price

PROGRAM = "opencode"
USABLE = ("active", "beta")


def offered(asking: Asking) -> tuple[Offer, ...]:
    """Return the models that can call tools, with their prices; none where it does not say.

    Those that only a plugin of the repository brings are left out: asking runs none of its code.
    """
    program = find_program(PROGRAM, asking.env)
    if program is None:
        return ()
    settings = deep_merge(model_settings(asking.root), inherited_settings(asking.env))
    env = environment(asking.env, settings, asking.scratch)
    env |= {"OPENCODE_DISABLE_PROJECT_CONFIG": "1", "XDG_STATE_HOME": str(asking.scratch)}
    return tuple(offers_in(asked(asking, [str(program), "models", "--verbose"], env)))


def offers_in(text: str) -> Iterator[Offer]:
    """Give the models in what it prints: a line with the name of each, then a JSON object."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        line, _, _ = text[place:].partition("\n")
        place += len(line) + 1
        if not LISTED.fullmatch(line.strip()):
            continue
        about: Any = {}
        if text.startswith("{", place):
            try:
                about, place = decoder.raw_decode(text, place)
            except ValueError:
                continue
        if _is_usable(about):
            yield _offer(line.strip(), about)


def _is_usable(about: Mapping[str, Any]) -> bool:
    """Whether a model calls tools, writes text, and is there to stay."""
    can = _table(about.get("capabilities"))
    writes = _table(can.get("output")).get("text", True)
    return bool(can.get("toolcall", True) and writes and about.get("status", "active") in USABLE)


def _offer(tier: str, about: Mapping[str, Any]) -> Offer:
    limit = _table(about.get("limit"))
    return Offer(
        tier,
        str(about.get("name") or ""),
        _price(_table(about.get("cost"))),
        int(_number(limit.get("context"))),
        str(about.get("release_date") or ""),
    )


def _price(cost: Mapping[str, Any]) -> Price | None:
    """Return the price; what is listed with 0 has none that OpenCode knows."""
    cache = _table(cost.get("cache"))
    given, written = _number(cost.get("input")), _number(cost.get("output"))
    if not all(0 < one <= HIGHEST_PRICE for one in (given, written)):
        return None
    read, write = (_number(cache.get(key)) or None for key in ("read", "write"))
    return Price(given, written, cache_read=read, cache_write=write)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value == value else 0.0
