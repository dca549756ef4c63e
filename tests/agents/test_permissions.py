"""What holds for an agent whatever its file asks for: the last matching rule decides."""

from __future__ import annotations

import unittest
from fnmatch import fnmatchcase
from typing import Any

from director.agents.frontmatter import Value
from director.agents.permissions import NEVER, WRITING_AGENTS, everywhere, permissions
from director.model.roles import Agent

GREEDY: tuple[dict[str, Value], ...] = (
    {},
    {"*": "allow"},
    {"edit": "allow", "bash": "allow", "task": "allow", "webfetch": "allow"},
    {"edit": "deny", "bash": "deny", **dict.fromkeys(NEVER, "deny"), "?*": "allow"},
    {"edit": {"*": "allow"}, "bash": {"*": "allow"}, "e*": "allow", "b*": "allow", "w*": "allow"},
    {"external_directory": {"*": "allow"}, "*_directory": "allow", "t*": {"*": "allow"}},
)


def decide(rules: dict[str, Any], tool: str, value: str = "x") -> str:
    """Return what the agent would do: the last rule whose tool and pattern match."""
    decision = "ask"
    for name, rule in rules.items():
        patterns = rule if isinstance(rule, dict) else {"*": rule}
        for pattern, action in patterns.items():
            if fnmatchcase(tool, name) and fnmatchcase(value, pattern):
                decision = action
    return decision


class TestPermissions(unittest.TestCase):
    def test_no_agent_starts_agents_leaves_the_worktree_or_asks(self) -> None:
        for agent in Agent:
            for wanted in GREEDY:
                rules = permissions(agent, wanted, ["a.py"])
                for tool in NEVER:
                    self.assertEqual(decide(rules, tool), "deny", (agent, wanted, tool))

    def test_who_does_not_write_can_neither_edit_nor_run(self) -> None:
        for agent in set(Agent) - set(WRITING_AGENTS):
            for wanted in GREEDY:
                rules = permissions(agent, wanted, ["a.py"])
                self.assertEqual(decide(rules, "edit", "a.py"), "deny", (agent, wanted))
                self.assertEqual(decide(rules, "bash", "ls"), "deny", (agent, wanted))

    def test_who_writes_may_edit_the_allowlist_and_nothing_else(self) -> None:
        for agent in WRITING_AGENTS:
            for wanted in GREEDY:
                rules = permissions(agent, wanted, ["a.py", "src/b.py"])
                for path, action in (
                    ("a.py", "allow"),
                    ("src/b.py", "allow"),
                    ("b.py", "deny"),
                    ("src/a.py", "deny"),
                    ("tests/test_a.py", "deny"),
                ):
                    self.assertEqual(decide(rules, "edit", path), action, (agent, wanted, path))

    def test_what_is_left_open_is_as_the_file_says(self) -> None:
        wanted: dict[str, Value] = {"read": "allow", "bash": {"*": "allow", "git push*": "deny"}}
        rules = permissions(Agent.EXECUTOR, wanted, [])
        self.assertEqual(decide(rules, "read"), "allow")
        self.assertEqual(decide(rules, "bash", "ls"), "allow")
        self.assertEqual(decide(rules, "bash", "git push origin"), "deny")
        self.assertEqual(decide(rules, "grep"), "deny")

    def test_nothing_asks(self) -> None:
        for agent in Agent:
            rules = permissions(agent, {}, [])
            self.assertEqual(decide(rules, "anything new"), "deny")

    def test_the_rules_that_bind_whatever_is_started(self) -> None:
        self.assertEqual(everywhere(), dict.fromkeys(NEVER, "deny"))


class TestNothingAsks(unittest.TestCase):
    def test_a_rule_that_would_ask_denies(self) -> None:
        wanted: dict[str, Value] = {"lsp": "ask", "bash": {"*": "allow", "rm *": "ask"}}
        rules = permissions(Agent.EXECUTOR, wanted, ["a.py"])
        self.assertEqual(rules["lsp"], "deny")
        self.assertEqual(rules["bash"], {"*": "allow", "rm *": "deny"})
