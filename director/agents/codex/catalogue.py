"""The models that Codex lists in its own catalogue. It takes others, too, and knows no prices."""

from __future__ import annotations

import json
from typing import Any

from director.agents.asking import asked
from director.agents.backend import Asking
from director.agents.codex.options import PREFIX, find_program, options_of
from director.model.offers import Offer


def offered(asking: Asking) -> tuple[Offer, ...]:
    """Return the models that Codex shows people, in its order; none where it does not say."""
    program = find_program(options_of(asking.config), asking.env)
    env = {**asking.env, "CODEX_HOME": str(asking.scratch)}  # it leaves files there
    return offers_in(asked(asking, [str(program), "debug", "models"], env))


def offers_in(text: str) -> tuple[Offer, ...]:
    """Return the models in what ``codex debug models`` prints."""
    try:
        listed: Any = json.loads(text)["models"]
        shown = [one for one in listed if one.get("visibility") == "list"]
        shown.sort(key=lambda one: one.get("priority", 0))
        return tuple(
            Offer(
                f"{PREFIX}{one['slug']}",
                str(one.get("description") or one.get("display_name") or ""),
                context=int(one.get("context_window") or 0),
            )
            for one in shown
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
