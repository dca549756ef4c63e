"""What one call may do, in Claude Code's words: the tools that are offered, and its settings.

A rule that denies always wins here, whatever its place. What these words cannot say (a tool whose
rules deny everything but some patterns) is denied wholly, but for commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director.model.patterns import lazy_pattern

TOOLS = {
    "bash": ("Bash",),
    "edit": ("Edit", "Write"),
    "glob": ("Glob",),
    "grep": ("Grep",),
    "read": ("Read",),
}
"""The tools that director knows → Claude Code's; others are never offered."""

BY_PATTERN = ("bash", "edit")  # what is allowed is named; reading in the worktree needs no rule
SPECIAL = lazy_pattern(r"[\[\]()*!#{}]")


def offered(rules: Mapping[str, Any]) -> list[str]:
    """Return the names of the tools that the model is offered, sorted."""
    return sorted(
        name
        for tool, names in TOOLS.items()
        if _base(rules, tool) == "allow" or (tool in BY_PATTERN and "allow" in _named(rules, tool))
        for name in names
    )


def settings(rules: Mapping[str, Any], worktree: Path) -> dict[str, Any]:
    """Return the settings that hold the rules of a call in ``worktree`` (absolute)."""
    editable = _named(rules, "edit").get("allow", ())
    allow = [f"Edit(/{_exactly(f'{worktree}/{path}')})" for path in editable]
    if _base(rules, "bash") == "allow":
        allow.append("Bash")
    allow += [f"Bash({pattern})" for pattern in _named(rules, "bash").get("allow", ())]
    deny = [
        f"{name}({pattern})"
        for tool, name in (("bash", "Bash"), ("read", "Read"))
        for pattern in _named(rules, tool).get("deny", ())
    ]
    return {"permissions": {"allow": allow, "deny": deny}}


def _base(rules: Mapping[str, Any], tool: str) -> str:
    """Return what holds for a tool where no pattern matches."""
    rule = rules.get(tool, rules.get("*", "deny"))
    if isinstance(rule, dict):
        rule = rule.get("*", rules.get("*", "deny"))
    return str(rule)


def _named(rules: Mapping[str, Any], tool: str) -> dict[str, list[str]]:
    """Return action → the patterns of a tool that have it, ``*`` left out."""
    rule = rules.get(tool)
    found: dict[str, list[str]] = {}
    for pattern, action in rule.items() if isinstance(rule, dict) else ():
        if pattern != "*":
            found.setdefault(str(action), []).append(pattern)
    return found


def _exactly(path: str) -> str:
    """Return the pattern that matches only ``path``."""
    return SPECIAL.sub(r"\\\g<0>", path)
