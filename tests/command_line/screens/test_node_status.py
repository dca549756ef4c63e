"""``director status --node``: all that is known of a node, and what its candidate changed.

With it: ``node_flags``, ``node_page``, ``node_reader`` and ``candidates``.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import unittest
from dataclasses import replace

from director.agents.transcript import ToolKind, ToolUse
from director.model.cost import Cost
from director.model.plan import Node
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome, NodeState, NodeStatus
from director.reporting.logs.node_log import AttemptLog, CallLog, ReviewLog
from director.reporting.status.node_page import (
    NodePage,
    Output,
    Said,
    page_lines,
    what_happened,
)
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style
from tests.processes.test_pager import read_terminal
from tests.support.fake_opencode import answer, say, shell, write
from tests.support.jobs import SOURCE, JobCase, node

NODE = Node("a", "Make a " + "very " * 30, "", ("a.py",) * 9, ("b",), "sh t.sh", ("t.sh",))
RUN = ToolUse(ToolKind.SHELL, "bash", "sh t.sh", exit_code=1)
OTHER = ToolUse(ToolKind.SHELL, "bash", "ls", exit_code=0)
EDIT = ToolUse(ToolKind.EDIT, "edit", paths=("a.py",))


def said(*tools: ToolUse, complete: bool = True) -> Said:
    return Said("All tests pass now.", tools, complete, "Some CLI")


class TestWhatHappened(unittest.TestCase):
    def test_whether_it_ran_the_tests(self) -> None:
        for tools, fact in (
            ((OTHER,), "it never ran the test command"),
            ((RUN,), "it ran the test command once, exit code 1"),
            ((RUN, EDIT, RUN, OTHER), "it ran the test command 2 times, last exit code 1"),
            ((ToolUse(ToolKind.SHELL, "bash", "sh t.sh"),),
             "it ran the test command once, no exit code"),
        ):  # fmt: skip
            self.assertEqual(what_happened(said(*tools), NODE)[0], fact)

    def test_a_cli_that_does_not_tell_all_is_not_taken_for_one_that_does(self) -> None:
        fact = what_happened(said(complete=False), NODE)[0]
        self.assertIn("no run of the test command is on record (Some CLI does not", fact)

    def test_what_it_changed_and_what_was_refused(self) -> None:
        refused = ToolUse(ToolKind.EDIT, "edit", paths=("b",), carried_out=False)
        facts = what_happened(said(EDIT, EDIT, refused), NODE)
        self.assertIn("it edited 1 file", facts)
        self.assertIn("1 tool call failed or was refused", facts)
        self.assertIn("no edit of its is on record", what_happened(said(), NODE))


class TestPage(unittest.TestCase):
    def page(self) -> NodePage:
        call = CallLog("executor", "m" * 30, "a", 1, outcome="completed", cost=0.01, secs=3)
        attempts = [AttemptLog(n, "escalation", "m" * 30, "", [call], "red") for n in (1, 2)]
        tries = (Attempt(Role.EXECUTOR, AttemptOutcome.RED, 1, files=2, added=30, removed=4),)
        output = Output("sh t.sh", 1, "AssertionError: 2 != 3", ["x" * 300, "日" * 90], "l")
        review = ReviewLog("two", True, "bad " * 40, ({"severity": "critical", "problem": "p"},))
        state = NodeState(NodeStatus.FAILED, 2, error="no " * 50)
        around = [("b", NodeStatus.DONE)]
        return NodePage(
            NODE, state, around, around, attempts, tries, Cost(0.02, 1), Cost(0.3), said(RUN),
            output, review, [("agent", "logs/a")], [("director run", "work on it")],
        )  # fmt: skip

    def test_it_fits_all_windows(self) -> None:
        for width in (40, 80, 200):
            for line in page_lines(self.page(), Style(width)):
                self.assertLessEqual(width_of(line), width, line)

    def test_a_wide_window_has_every_column(self) -> None:
        text = "\n".join(page_lines(self.page(), Style(200)))
        self.assertRegex(text, r"#  tier +model +call +gate +diff +cost +time")
        self.assertRegex(text, r"1  escalation +m{30}  completed  red +2 \+30 -4  \$0.0100  3.0 s")
        self.assertIn("needs     b (done)", text)
        self.assertIn("2 attempts · $0.0200 + 1 unpriced call · its tests $0.3000", text)

    def test_a_narrow_window_keeps_what_matters(self) -> None:
        text = "\n".join(page_lines(self.page(), Style(40)))
        self.assertRegex(text, r"#  tier +gate")
        self.assertNotIn("mmm", text)

    def last_gate(self, output: Output) -> str:
        return "\n".join(page_lines(replace(self.page(), output=output), Style(80)))

    def test_a_gate_that_said_nothing_has_its_verdict(self) -> None:
        text = self.last_gate(Output("sh t.sh", None, "no end within 45 s", [""], "l"))
        self.assertIn("the last gate\n  sh t.sh → no end within 45 s\n\n", text)

    def test_where_there_was_no_candidate_no_gate_is_shown(self) -> None:
        text = self.last_gate(Output("", None, "None of the files was changed.", [""], ""))
        self.assertNotIn("the last gate", text)
        self.assertNotIn("the gate ", text)


class TestStatusOfANode(JobCase):
    def failed(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a", write("a.txt", "bad\n"), say("All tests pass now."))
        work = [shell("sh tests/a.sh"), write("a.txt", "worse\n"), say("It \x1b[2J works.")]
        self.fake.queue("executor", *work, node="a")
        self.ends(1, "run", "--max-attempts", "1")

    def test_a_failed_node(self) -> None:
        self.failed()
        shown = self.ends(0, "status", "--node", "a").out
        self.assertIn("✗ a  Make a", shown)
        self.assertRegex(shown, r"status +failed · 2 attempts · \$")
        self.assertIn("needed by b (blocked)", shown)
        self.assertRegex(shown, r"1  executor +fake/cheap +completed  red +1 \+1 -0")
        self.assertIn("all 2 attempts failed in the same way: no good a", shown)
        self.assertIn("sh tests/a.sh → exit code 1", shown)
        self.assertIn("it says   It works.", shown)
        self.assertIn("in fact   it ran the test command once, exit code 1", shown)
        self.assertRegex(shown, r"gate +\.director/logs/a\.2\.gate\.log")
        self.assertIn("director run --retry-failed --node a", shown)

    def test_what_it_says_beside_what_it_did(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"), say("All tests pass now."))
        self.implement("a", write("a.txt", "bad\n"), say("All tests pass now."))
        self.ends(1, "run", "--max-attempts", "1")
        shown = self.ends(0, "status", "--node", "a").out
        self.assertIn("it says   All tests pass now.", shown)
        self.assertIn("in fact   it never ran the test command", shown)
        self.assertIn("the gate  no good a", shown)

    def test_commands_can_be_copied(self) -> None:
        self.failed()
        shown = self.ends(0, "status", "--node", "a", "--repo", str(self.repo.root), cwd=self.tmp)
        self.assertIn(f"director run --repo {self.repo.root} --retry-failed --node a", shown.out)

    def test_json(self) -> None:
        self.failed()
        found = self.ends(0, "status", "--node", "a", "--json").json
        self.assertEqual(found["schema"], "director.status/1")
        self.assertEqual((found["node"]["id"], found["needed_by"]), ("a", {"b": "blocked"}))
        self.assertEqual([one["outcome"] for one in found["attempts"]], ["red", "red"])
        self.assertEqual(found["in_fact"][0], "it ran the test command once, exit code 1")
        self.assertEqual(found["gate"]["headline"], "no good a")
        commands = [one["command"][1] for one in found["next_commands"]]
        self.assertEqual(commands, ["amend", "run", "take"])  # it failed alike: amend stands first

    def test_a_diff_is_of_a_node(self) -> None:
        self.assertIn("--diff needs --node", self.ends(2, "status", "--diff").err)

    def test_the_diff_of_the_last_candidate(self) -> None:
        self.failed()
        shown = self.ends(0, "status", "--node", "a", "--diff").out
        self.assertIn("attempts/a/2", shown)
        self.assertIn("+worse", shown)
        self.assertNotIn("+bad", shown)
        found = self.ends(0, "status", "--node", "a", "--diff", "--json").json
        self.assertEqual(found["candidate"], "attempts/a/2")

    def test_the_diff_of_a_merge_and_of_nothing(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.assertIn("+good", self.ends(0, "status", "--node", "a", "--diff").out)
        self.assertIn("no candidate of b", self.ends(2, "status", "--node", "b", "--diff").err)

    def test_packed_refs_are_found(self) -> None:
        self.failed()
        self.repo.git("--git-dir", str(self.home / "job.git"), "pack-refs", "--all", "--prune")
        self.assertIn("+worse", self.ends(0, "status", "--node", "a", "--diff").out)

    def test_programs_that_the_jobs_settings_name_are_not_run(self) -> None:
        self.failed()
        ran = self.tmp / "ran"
        with (self.home / "job.git" / "config").open("a") as config:
            config.write(
                f'[diff]\n\texternal = "touch {ran}"\n[core]\n\tfsmonitor = "touch {ran}"\n'
            )
        self.ends(0, "status", "--node", "a", "--diff")
        self.assertFalse(ran.exists())

    def test_done_and_waiting_nodes(self) -> None:
        self.configure("[review]\nstage_two_file_threshold = 0\n")
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        review = {"verdict": "pass", "summary": "fine", "findings": []}
        self.fake.always("reviewer", answer(review))
        self.ends(0, "run", "--node", "a")
        shown = self.ends(0, "status", "--node", "a").out
        self.assertIn("✓ a", shown)
        self.assertIn("review lets it through: fine", shown)
        shown = self.ends(0, "status", "--node", "b").out
        self.assertIn("needs     a (done)", shown)
        self.assertIn("director run", shown)

    def test_an_unknown_node(self) -> None:
        self.failed()
        self.assertIn("node not found: zz", self.ends(2, "status", "--node", "zz").err)

    def test_colours_and_the_pager_on_a_terminal(self) -> None:
        self.failed()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "status", "--node", "a", "--diff"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE), "TERM": "xterm", "PAGER": "sed s/^/:/"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        shown = read_terminal(ours)
        self.assertEqual(process.wait(), 0, shown)
        self.assertIn(":\x1b[32m+worse\x1b[0m", shown)
