"""What ``init`` says of models and gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from director.diagnosing.commands_found import FoundCommands
from director.model.first_config import Choice
from director.model.format import counted
from director.model.offers import Binding, Offer
from director.model.printable import printable
from director.model.roles import Role
from director.reporting.terminal.cells import wrapped
from director.reporting.terminal.style import Paint, Span, Style

CONFIG = ".director/config.toml"
BLANK = Span("")
HANGING = " " * 4


def shown(lines: Iterable[Span], style: Style) -> str:
    """Return lines as text that fits, printable: models may have any name."""
    parts = (
        style.painted(part, one.paint)
        for one in lines
        for line in printable(one.text).split("\n")
        for part in wrapped(line, style.width, HANGING)
    )
    return "\n".join(parts)


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


def gate_lines(found: FoundCommands) -> list[Span]:
    """Return a line for each command that was found, or left out."""
    lines = [Span(f"  {one.name:<10} {one.command}   ({one.source})") for one in found.gates]
    for one in found.left_out:
        why = f"left out: {one.program} is neither on PATH nor installed by setup"
        lines.append(Span(f"  {one.name:<10} {why}   ({one.source})", Paint.YELLOW))
    return lines


def summary(
    tiers: Mapping[Role, str], choice: Choice, found: FoundCommands
) -> tuple[list[Span], str, dict[str, Any]]:
    """Return the lines, the sentence and the keys that say what was written."""
    roles: dict[str, list[str]] = {}
    for role, tier in tiers.items():
        roles.setdefault(tier, []).append(role.value)
    offers = {one.tier: one for one in choice.offers}
    lines = [Span(f"Written: {CONFIG}", Paint.GREEN), BLANK]
    lines.append(Span("Models (US dollars per million tokens, in / out):", Paint.BOLD))
    lines += [
        Span(f"  {price_words(offers.get(tier, Offer(tier)))}: {', '.join(named)}")
        for tier, named in roles.items()
    ]
    unpriced = [tier for tier in roles if not (offers.get(tier, Offer(tier)).price)]
    if unpriced:
        none = f"  no price is known for {', '.join(unpriced)}: see [pricing]"
        lines.append(Span(none, Paint.YELLOW))
    gates = gate_lines(found._replace(gates=tuple(choice.gates)))
    if not choice.gates:
        none = "none" if found.gates else "none found"
        gates.append(Span(f"  {none}: put your test command into [gates]", Paint.YELLOW))
    lines += [BLANK, Span("Gates:", Paint.BOLD), *gates]
    if choice.worktree and choice.worktree.setup:
        lines += [BLANK, Span(f"Worktrees are prepared by: {choice.worktree.setup}")]
    what = f"{CONFIG} written: {', '.join(roles)}; {counted(len(choice.gates), 'gate')}"
    return (
        [*lines, BLANK],
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
