"""What ``init`` says of models and gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from director.diagnosing.commands_found import FoundCommands
from director.model.first_config import Choice
from director.model.format import counted
from director.model.offers import Binding, Offer
from director.model.roles import Role

CONFIG = ".director/config.toml"


def price_words(offer: Offer) -> str:
    """Return a model with its price, in US dollars per million tokens."""
    price = offer.price
    return f"{offer.tier} (${price.input:g} / ${price.output:g})" if price else offer.tier


def binding_words(one: Binding) -> str:
    """Return the lines that say who does what in a binding."""
    if one.strong == one.cheap:
        return f"     {price_words(one.strong)} does everything"
    strong, cheap = price_words(one.strong), price_words(one.cheap)
    return f"     {strong} plans, tests, reviews\n     {cheap} implements"


def gate_lines(found: FoundCommands) -> list[str]:
    """Return a line for each command that was found, or left out."""
    lines = [f"  {one.name:<10} {one.command}   ({one.source})" for one in found.gates]
    why = "is neither on PATH nor installed by setup"
    lines += [
        f"  {one.name:<10} left out: {one.program} {why}   ({one.source})" for one in found.left_out
    ]
    return lines


def summary(
    tiers: Mapping[Role, str], choice: Choice, found: FoundCommands
) -> tuple[str, str, dict[str, Any]]:
    """Return the text, the sentence and the keys that say what was written."""
    roles: dict[str, list[str]] = {}
    for role, tier in tiers.items():
        roles.setdefault(tier, []).append(role.value)
    offers = {one.tier: one for one in choice.offers}
    lines = [f"Written: {CONFIG}", "", "Models (US dollars per million tokens, in / out):"]
    lines += [
        f"  {price_words(offers.get(tier, Offer(tier)))}: {', '.join(named)}"
        for tier, named in roles.items()
    ]
    unpriced = [tier for tier in roles if not (offers.get(tier, Offer(tier)).price)]
    if unpriced:
        lines.append(f"  no price is known for {', '.join(unpriced)}: see [pricing]")
    gates = gate_lines(found._replace(gates=tuple(choice.gates)))
    if not choice.gates:
        none = "none" if found.gates else "none found"
        gates.append(f"  {none}: put your test command into [gates]")
    lines += ["", "Gates:", *gates]
    if choice.worktree and choice.worktree.setup:
        lines += ["", f"Worktrees are prepared by: {choice.worktree.setup}"]
    what = f"{CONFIG} written: {', '.join(roles)}; {counted(len(choice.gates), 'gate')}"
    return (
        "\n".join([*lines, ""]),
        what,
        {
            "tiers": {role.value: tier for role, tier in tiers.items()},
            "gates": [one._asdict() for one in choice.gates],
            "left_out": [one._asdict() for one in found.left_out],
            "setup": choice.worktree.setup if choice.worktree else "",
            "priced": [one.tier for one in choice.priced],
            "changed": [],
        },
    )
