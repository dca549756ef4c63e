"""What a call may do, in Claude Code's words."""

from __future__ import annotations

import unittest
from pathlib import Path

from director.agents.claude_code.rules import offered, settings
from director.agents.permissions import permissions
from director.agents.templates import load_template
from director.model.roles import Agent

WORKTREE = Path("/pool/slot-1")
NOWHERE = Path("/nowhere")


class TestBundledAgents(unittest.TestCase):
    def test_those_who_read_are_offered_no_way_to_change_anything(self) -> None:
        for agent in (Agent.EXPLORER, Agent.BRAINSTORM, Agent.PLANNER, Agent.REVIEWER):
            with self.subTest(agent):
                rules = permissions(agent, load_template(agent, NOWHERE, ()).permission, ())
                self.assertEqual(offered(rules), ["Glob", "Grep", "Read"])
                self.assertEqual(settings(rules, WORKTREE)["permissions"]["allow"], [])

    def test_those_who_write_may_edit_their_files_and_run_commands(self) -> None:
        for agent in (Agent.EXECUTOR, Agent.TEST_AUTHOR):
            with self.subTest(agent):
                template = load_template(agent, NOWHERE, ())
                rules = permissions(agent, template.permission, ["a.py", "tests/b.py"])
                self.assertEqual(offered(rules), ["Bash", "Edit", "Glob", "Grep", "Read", "Write"])
                found = settings(rules, WORKTREE)["permissions"]
                edits = ["Edit(//pool/slot-1/a.py)", "Edit(//pool/slot-1/tests/b.py)"]
                self.assertEqual(found["allow"], [*edits, "Bash"])
                self.assertIn("Bash(git push*)", found["deny"])


class TestRules(unittest.TestCase):
    def test_a_path_means_only_itself(self) -> None:
        rules = {"edit": {"*": "deny", "a b/[x](y)*.py": "allow"}}
        (allowed,) = settings(rules, WORKTREE)["permissions"]["allow"]
        self.assertEqual(allowed, r"Edit(//pool/slot-1/a b/\[x\]\(y\)\*.py)")

    def test_who_may_edit_nothing_is_not_offered_it(self) -> None:
        self.assertEqual(offered({"edit": {"*": "deny"}}), [])

    def test_commands_that_are_named_may_be_all_there_are(self) -> None:
        rules = {"*": "deny", "bash": {"npm test*": "allow", "npm test --watch*": "deny"}}
        self.assertEqual(offered(rules), ["Bash"])
        found = settings(rules, WORKTREE)["permissions"]
        self.assertEqual(found, {"allow": ["Bash(npm test*)"], "deny": ["Bash(npm test --watch*)"]})

    def test_what_may_not_be_read_is_denied(self) -> None:
        rules = {"read": {"*": "allow", "*.env": "deny"}}
        self.assertEqual(offered(rules), ["Read"])
        self.assertEqual(settings(rules, WORKTREE)["permissions"]["deny"], ["Read(*.env)"])

    def test_a_tool_that_only_named_files_open_is_denied(self) -> None:
        self.assertEqual(offered({"read": {"*": "deny", "src/*": "allow"}}), [])

    def test_what_holds_for_all_holds_where_nothing_else_is_said(self) -> None:
        self.assertEqual(offered({"*": "allow", "bash": "deny", "edit": {"*": "deny"}}),
                         ["Glob", "Grep", "Read"])  # fmt: skip
        self.assertEqual(offered({}), [])
