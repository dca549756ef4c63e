"""What sections of several agent CLIs can get wrong in the same way."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from director.model.codec.mistakes import Mistake
from director.model.config import Config


def closed_home(config: Config, section: str, folder: str) -> Iterator[Mistake]:
    """Give the mistake of a CLI that works in the user's home, where the sandbox closes that.

    ``folder`` is what the CLI has to write below it.
    """
    sandbox = config.sandbox
    if sandbox.mode == "strict" and not sandbox.write:
        problem = f'is closed by [sandbox] mode = "strict": add write = ["{folder}"] there'
        yield Mistake((section, "home"), problem)


def unknown_sampling(
    config: Config, prefix: str, title: str, keys: Collection[str]
) -> Iterator[Mistake]:
    """Give the ``keys`` of [sampling] that are set for tiers of a CLI, which does not take them."""
    for role, sampling in config.sampling.items():
        if not config.tiers[role].startswith(prefix):
            continue
        for key in keys:
            if getattr(sampling, key) not in (None, {}):
                yield Mistake(("sampling", role, key), f"cannot be set for {title}: leave it out")
