"""Which command line a call becomes, and which calls are refused.

With it: ``mcp.tool``, ``mcp.parameters``, ``planning_tools``, ``working_tools``, ``reading_tools``.
"""

from __future__ import annotations

import unittest

from director.command_line.grammar.catalog import COMMANDS
from director.command_line.grammar.parser import parse
from director.mcp.protocol import ProtocolError
from director.mcp.tools import TOOLS, offered, tool_for

ALL = {one.name: one for one in TOOLS}
CALLS: dict[str, dict[str, object]] = {
    "plan": {"task": "x", "auto": True, "new": True, "parallel": "auto", "wait_secs": 5},
    "revise": {"text": "other", "allow_broken_gates": True},
    "approve": {"answers": ["1: a", "2: -b"], "parallel": 2},
    "run": {"nodes": ["a", "b"], "retry_failed": True, "max_attempts": 2, "parallel": 3},
    "amend": {"node": "a", "text": "-"},
    "take": {"node": "a", "update": True},
    "give": {"node": "a", "wait_secs": 5},
    "doctor": {"live": True},
    "jobs": {},
    "resume_job": {"job": "20261121", "new": True},
    "stop": {"drain": True},
    "status": {"job": "20261121-080044-5622"},
    "node": {"node": "a", "diff": True},
    "logs": {"node": "a", "part": "gate", "attempt": 2},
    "verify": {"rerun": True},
    "report": {"markdown": True},
    "init_repo": {"set": ["limits.max_attempts=2"]},
    "land": {"how": "squash", "onto": "main", "dry_run": True},
}


class TestCommandLines(unittest.TestCase):
    def test_each_tool_is_a_command_line_that_parses(self) -> None:
        self.assertEqual(CALLS.keys(), ALL.keys())
        for name, tool in offered(COMMANDS, allow_land=True).items():
            found = tool.invocation(CALLS[name])
            output = "--events" if found.events else "--json"
            args = parse([found.command, "--repo=/r", output, *found.words])
            self.assertEqual((args.command, str(args.repo)), (found.command, "/r"))

    def test_texts_go_to_standard_input(self) -> None:
        found = ALL["plan"].invocation({"task": "--json\nall"})
        self.assertEqual((found.words, found.stdin), (("--no-input", "-"), "--json\nall"))
        found = ALL["revise"].invocation({"text": "-"})
        self.assertEqual((found.words, found.stdin), (("--no-input", "--revise", "-"), "-"))

        found = ALL["amend"].invocation({"node": "a", "text": "--cancel"})
        self.assertEqual((found.words, found.stdin), (("--revise", "-", "a"), "--cancel"))

    def test_the_ways_to_amend(self) -> None:
        for given, words in (
            ({}, ("a",)),
            ({"approve": True}, ("--continue", "a")),
            ({"cancel": True, "approve": False}, ("--cancel", "a")),
        ):
            self.assertEqual(ALL["amend"].invocation({"node": "a", **given}).words, words)

    def test_a_value_is_never_a_flag(self) -> None:
        found = ALL["approve"].invocation({"answers": ["--repo=/other"]})
        self.assertIn("--answer=--repo=/other", found.words)
        for name in ("--repo=/other", "-x", "a\n--json", "a\n", "", "a\0"):
            for tool in ("node", "logs", "amend", "take", "give"):
                with self.assertRaises(ProtocolError, msg=name):
                    ALL[tool].invocation({"node": name})

    def test_what_is_null_was_not_said(self) -> None:
        self.assertEqual(ALL["stop"].invocation({"drain": None}).words, ())
        self.assertEqual(ALL["stop"].invocation({"drain": False}).words, ())


class TestRefused(unittest.TestCase):
    def refused(self, tool: str, given: object, why: str) -> None:
        with self.assertRaises(ProtocolError) as caught:
            ALL[tool].invocation(given)
        self.assertIn(why, caught.exception.problem)

    def test_arguments_of_the_wrong_kind(self) -> None:
        self.refused("plan", {}, "missing: task")
        self.refused("plan", {"task": 5}, "task must be a string")
        self.refused("plan", {"task": "  "}, "task is empty")
        self.refused("plan", {"task": "x" * 200_001}, "longer than")
        self.refused("plan", {"task": "x", "repo": "/"}, "unknown: repo")
        self.refused("plan", [1], "must be an object")
        self.refused("run", {"parallel": 0}, "parallel must be an integer or one of auto")
        self.refused("run", {"parallel": True}, "parallel must be")
        self.refused("run", {"max_attempts": 0}, "must be from 1")
        self.refused("run", {"nodes": "a"}, "nodes must be an array")
        self.refused("run", {"nodes": ["-a"]}, "does not match")
        self.refused("run", {"nodes": ["a"] * 1001}, "more than 1000")
        self.refused("run", {"retry_failed": "yes"}, "must be a boolean")
        self.refused("logs", {"node": "a", "part": "raw"}, "part must be one of")

    def test_arguments_that_do_not_go_together(self) -> None:
        self.refused("revise", {}, "either text or drop")
        self.refused("revise", {"text": "x", "drop": "a"}, "either text or drop")
        self.refused("amend", {"node": "a", "text": "x", "approve": True}, "one of text, approve")
        self.refused("take", {"node": "a", "drop": True, "update": True}, "either drop or update")
        self.refused("give", {}, "missing: node")
        self.refused("logs", {}, "name a node")
        self.refused("logs", {"part": "failed", "node": "a"}, "name a node")


class TestOffered(unittest.TestCase):
    def test_land_only_where_it_is_allowed_and_there_is_one(self) -> None:
        commands = {one.command for one in TOOLS}
        self.assertNotIn("land", offered(commands, allow_land=False))
        self.assertIn("land", offered(commands, allow_land=True))
        self.assertNotIn("land", offered(commands - {"land"}, allow_land=True))
        self.assertNotIn("report", offered(commands - {"report"}, allow_land=True))

    def test_hints_and_schemas_by_version(self) -> None:
        self.assertNotIn("annotations", ALL["run"].described("2024-11-05"))
        self.assertNotIn("outputSchema", ALL["run"].described("2025-03-26"))
        said = ALL["run"].described("2025-06-18")
        self.assertEqual(said["annotations"]["readOnlyHint"], False)
        self.assertEqual(said["inputSchema"]["additionalProperties"], False)
        self.assertEqual(ALL["plan"].described("2025-06-18")["inputSchema"]["required"], ["task"])
        hints = {one.name: one.described("2025-06-18")["annotations"] for one in TOOLS}
        readers = {name for name, hint in hints.items() if hint["readOnlyHint"]}
        self.assertEqual(readers, {"status", "node", "logs", "verify", "doctor", "jobs"})
        self.assertTrue(hints["land"]["destructiveHint"])

    def test_the_tool_for_a_command(self) -> None:
        cases = {
            "director plan --continue": "approve",
            "director plan --revise x": "revise",
            "director plan --show": "",
            "director plan -": "plan",
            "director run --retry-failed": "run",
            "director status --node a": "node",
            "director status": "status",
            "director amend a": "amend",
            "director take a": "take",
            "director give a --repo /r": "give",
            "director jobs --resume x": "resume_job",
            "director jobs": "jobs",
            "director land": "",  # whether it is on offer is not known there
            "git diff": "",
            "director": "",
        }
        for command, tool in cases.items():
            self.assertEqual(tool_for(command.split()), tool, command)
