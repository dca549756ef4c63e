"""The models that a job will call: known before the first call is paid for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from director.model.config import Config


class WantedModel(NamedTuple):
    """A model that is to be called. ``tier`` is its full name in ``[tiers]``.

    ``place`` is where the configuration names it. ``defined``: the calls' own configuration defines
    it, so that any name is taken.
    """

    tier: str
    place: str
    defined: bool = False


def wanted_models(config: Config, profile: str = "") -> Iterator[WantedModel]:
    """Give the models that must be known for ``config``; ``profile`` is its name in a bench.

    Those of ``[providers.local]`` are director's own to define.
    """
    of_profile = f" of profile {profile}" if profile else ""
    heated = {role for role, one in config.sampling.items() if one.temperature is not None}
    for role, tier in config.tiers.items():
        if not (config.local and tier.startswith("local/")):
            yield WantedModel(tier, f"{role}{of_profile}", role in heated)
