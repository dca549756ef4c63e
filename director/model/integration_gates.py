"""How the integration gates stand, in words: what counts, and what was so before the job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

GREEN = "green"
BaseGates = Mapping[str, Mapping[str, str]]
"""Name → what a gate said on the base commit (``verdict``: green, red or broken)."""


def integration_words(green: int, before: Mapping[str, str], failing: Iterable[str]) -> str:
    """Return the state of the integration gate; "" where there are no gates.

    ``green`` counts gates. ``before`` maps those that are no better than on the base to their
    verdict; ``failing`` are the names of the others.
    """
    if named := ", ".join(failing):
        return f"not green: {named}{f'; {as_before(before)}' if before else ''}"
    if before:
        return f"{GREEN} but for {as_before(before)}"
    return GREEN if green else ""


def as_before(verdicts: Mapping[str, str]) -> str:
    """Return names and verdicts of gates that are no better than on the base."""
    return ", ".join(f"{name} ({verdict} before)" for name, verdict in verdicts.items())


def not_counting(base: BaseGates) -> dict[str, str]:
    """Return name → verdict of the gates that are not green on the base: they judge no work."""
    return {name: gate["verdict"] for name, gate in base.items() if gate["verdict"] != GREEN}


def warning(base: BaseGates) -> str | None:
    """Return one line for when no gate judges the work as a whole, or None where one does."""
    dead = not_counting(base)
    if len(dead) < len(base):
        return None
    why = ", ".join(f"{name} is {verdict} on the base" for name, verdict in dead.items())
    return (
        f"no integration gate counts ({why or 'there is none in [gates]'}): "
        "only the tests of the nodes judge the work"
    )


def passed_in_words(words: str, *, together: bool) -> str:
    """Say how the integration gates went of a job that is done.

    ``words`` are those of ``[gates]`` ("": there are none), ``together``: the tests of all nodes
    ran on the finished branch.
    """
    parts = ["all tests are green together"] if together else []
    parts.append(f"the integration gate is {words}" if words else "no [gates] to run")
    return ", and ".join(parts)
