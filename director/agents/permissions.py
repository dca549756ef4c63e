"""What each role may do, as the coding agent's permission rules (the last match wins).

Every tool is allowed or denied; none asks, because a question without an answer ends a turn.
The rules save attempts. They are no wall (a shell redirection passes them): what counts is the
gate on the exact tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from director.agents.frontmatter import Value
from director.model.roles import Agent

WRITING_AGENTS = (Agent.EXECUTOR, Agent.TEST_AUTHOR)
NEVER = ("task", "webfetch", "websearch", "external_directory", "question", "doom_loop")


def permissions(
    agent: Agent, wanted: Mapping[str, Value], allowlist: Iterable[str]
) -> dict[str, Any]:
    """Return the rules for one call.

    ``wanted`` are the agent file's rules: they decide the tools that director leaves open, of
    which those that no rule names are denied.
    ``allowlist`` are the paths that a writing agent may edit, relative to the worktree. What
    holds in every case: no role starts sub-agents, leaves the worktree or fetches the web; an
    agent that does not write can neither edit nor run commands.
    """
    # Deny first: a tool that a later version of the CLI adds must not be open to every role.
    rules: dict[str, Any] = {"*": "deny"}
    rules |= {tool: _answered(rule) for tool, rule in wanted.items()}  # "*" stays first
    fixed: dict[str, Any] = dict.fromkeys(NEVER, "deny")
    if agent in WRITING_AGENTS:
        fixed["edit"] = {"*": "deny", **dict.fromkeys(allowlist, "allow")}
    else:
        fixed |= {"edit": "deny", "bash": "deny"}
    # Put in again at the end: the last match wins, and no agent file may undo these.
    return {tool: rule for tool, rule in rules.items() if tool not in fixed} | fixed


def _answered(rule: Value) -> Value:
    """Return the rule with "ask" answered: there is no one to say yes."""
    if isinstance(rule, dict):
        return {pattern: _answered(action) for pattern, action in rule.items()}
    return "deny" if rule == "ask" else rule


def everywhere() -> dict[str, str]:
    """Return the rules that also bind what an agent might start (sub-agents inherit only these)."""
    return dict.fromkeys(NEVER, "deny")
