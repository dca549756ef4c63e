"""A first configuration: the commented example, with models, prices and commands put in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from director.model.config import WorktreePolicy
from director.model.ecosystems.gates import FoundGate
from director.model.offers import Offer
from director.model.roles import Role
from director.model.toml_edit import Path, set_key


class Choice(NamedTuple):
    """What goes into a first configuration.

    ``worktree`` None: worktrees need nothing; ``sets`` are single keys, which win.
    """

    tiers: Mapping[Role, str]
    offers: Sequence[Offer]
    gates: Sequence[FoundGate]
    worktree: WorktreePolicy | None
    sets: Sequence[tuple[Path, object]]

    @property
    def priced(self) -> list[Offer]:
        """The offers that are bound to a tier and have a known price."""
        bound = set(self.tiers.values())
        return [one for one in self.offers if one.tier in bound and one.price]


def first_config(example: str, choice: Choice) -> str:
    """Return the example with what was chosen; RequestError for keys that cannot be set."""
    text = example
    for path, value in _keys(choice):
        text = set_key(text, path, value)
    return text


def _keys(choice: Choice) -> Iterable[tuple[Path, object]]:
    for role, tier in choice.tiers.items():
        yield ("tiers", role.value), tier
    for gate in choice.gates:
        yield ("gates", gate.name), gate.command
    if policy := choice.worktree:
        values = {"setup": policy.setup, "setup_inputs": policy.setup_inputs, "keep": policy.keep}
        for key, value in values.items():
            if value:
                yield ("worktree", key), list(value) if isinstance(value, tuple) else value
    for offer in choice.priced:
        price = offer.price
        assert price is not None
        for key in ("input", "output", "cache_read", "cache_write"):
            if (dollars := getattr(price, key)) is not None:
                yield ("pricing", offer.tier, key), dollars
    yield from choice.sets
