"""Whether a test was seen to fail before the first edit is read from what tools did."""

from __future__ import annotations

import unittest

from director.agents.transcript import ToolKind, ToolUse
from director.agents.watch_it_fail import watch_it_fail
from director.model.plan import Node
from director.model.state import WatchVerdict


class TestWatchItFail(unittest.TestCase):
    node = Node(
        "a", "t", "s", ("a.py",), (), "python3 -m unittest  tests.test_a", ("tests/test_a.py",)
    )

    def use(self, tool: str, command: str = "", code: int | None = None) -> ToolUse:
        kind = ToolKind.SHELL if tool == "bash" else ToolKind.EDIT
        return ToolUse(kind, tool, command, exit_code=code)

    def verdict(self, *uses: ToolUse) -> tuple[WatchVerdict, bool, bool]:
        found = watch_it_fail(uses, self.node)
        return found.verdict, found.ran_before_edit, found.observed_failure

    def test_seen_to_fail_before_the_first_edit(self) -> None:
        seen = (WatchVerdict.OBSERVED, True, True)
        for command in (
            "python3 -m unittest tests.test_a",
            "cd . && python3  -m unittest tests.test_a 2>&1 | tail",
            "pytest tests/test_a.py -q",
            "python -m pytest tests.test_a",
        ):
            uses = (self.use("bash", command, 1), self.use("write"), self.use("bash", command, 0))
            self.assertEqual(self.verdict(*uses), seen, command)

    def test_run_but_not_failed(self) -> None:
        test = "python3 -m unittest tests.test_a"
        expected = (WatchVerdict.NOT_OBSERVED, True, False)
        self.assertEqual(self.verdict(self.use("bash", test, 0), self.use("edit")), expected)
        self.assertEqual(self.verdict(self.use("bash", test, None)), expected)

    def test_not_run_before_the_first_edit(self) -> None:
        test = self.use("bash", "pytest tests/test_a.py", 1)
        expected = (WatchVerdict.NOT_OBSERVED, False, False)
        for tool in ("edit", "write", "apply_patch"):
            self.assertEqual(self.verdict(self.use(tool), test), expected)
        self.assertEqual(self.verdict(self.use("bash", "ls", 1), self.use("write")), expected)

    def test_an_edit_that_was_denied_is_none(self) -> None:
        denied = ToolUse(ToolKind.EDIT, "edit", carried_out=False)
        test = self.use("bash", "pytest tests/test_a.py", 1)
        self.assertEqual(self.verdict(denied, test)[0], WatchVerdict.OBSERVED)

    def test_without_tools_nothing_is_known(self) -> None:
        self.assertEqual(self.verdict()[0], WatchVerdict.UNKNOWN)

    def test_where_not_every_command_is_told_of_only_what_was_seen_is_known(self) -> None:
        test, edit = self.use("bash", "pytest tests/test_a.py", 1), self.use("edit")
        for uses, verdict in (
            ((test, edit), WatchVerdict.OBSERVED),
            ((edit, test), WatchVerdict.UNKNOWN),
        ):
            found = watch_it_fail(uses, self.node, complete=False)
            self.assertEqual(found.verdict, verdict)
