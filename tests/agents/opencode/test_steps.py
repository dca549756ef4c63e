"""What OpenCode 1.18.33 wrote in staged situations, as steps; ids and paths are made plain.

With it: ``agents.steps``, what all readers of steps share.
"""

from __future__ import annotations

import json
import math
import unittest
from pathlib import Path
from typing import Any

from director.agents.opencode.steps import OpenCodeSteps
from director.agents.steps import Step, StepKind, StepState, moment, subject_of

STREAMS = Path(__file__).with_name("streams")


def steps_in(name: str) -> list[Step]:
    """Return the steps of a recorded stream."""
    lines = (STREAMS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return steps_of(*map(json.loads, lines))


def steps_of(*events: dict[str, Any]) -> list[Step]:
    reader = OpenCodeSteps()
    found = [step for event in events for step in reader.take(event)]
    return [*found, *reader.under_way()]


class TestRecorded(unittest.TestCase):
    def test_commands_with_their_end(self) -> None:
        red, green, *timed_out = (s for s in steps_in("worked") if s.kind is StepKind.SHELL)
        self.assertEqual(red.subject, "python3 -m unittest tests.test_calc")
        self.assertEqual((red.exit_code, green.exit_code), (1, 0))
        self.assertEqual(red.took.secs, 0.302)
        self.assertAlmostEqual(red.took.at or 0, 1795313106.359)
        self.assertIn("AssertionError: -1 != 3", red.detail)
        self.assertEqual([one.exit_code for one in timed_out], [None, None])

    def test_edits_as_diffs(self) -> None:
        edit, new, refused = (s for s in steps_in("worked") if s.kind is StepKind.EDIT)
        self.assertEqual(
            edit.diff.split("\n")[:5],
            [
                "--- calc.py",
                "+++ calc.py",
                "@@ -1,6 +1,6 @@",
                " def add(a, b):",
                "-    return a - b",
            ],
        )
        self.assertEqual(new.diff, "--- /dev/null\n+++ notes.txt\n+one\n+two")
        self.assertEqual((refused.state, refused.diff), (StepState.FAILED, ""))
        self.assertIn("prevents you", refused.detail)

    def test_a_patch_of_several_files(self) -> None:
        patch = steps_in("patched")[0]
        self.assertEqual((patch.name, patch.subject), ("apply_patch", "calc.py, notes.txt"))
        self.assertIn("+++ calc.py\n@@ -1,6 +1,6 @@", patch.diff)
        self.assertIn("+++ notes.txt\n@@ -0,0 +1,2 @@\n+one\n+two", patch.diff)

    def test_other_tools_and_texts(self) -> None:
        steps = steps_in("worked")
        tools = [(s.name, s.subject, s.state) for s in steps if s.kind is StepKind.TOOL]
        self.assertIn(("read", "calc.py", StepState.DONE), tools)
        self.assertIn(("invalid", "nosuchtool", StepState.FAILED), tools)
        self.assertTrue(steps[-1].detail.startswith("All tests pass now."))

    def test_what_fails(self) -> None:
        *_, fault = steps_in("bad_request")
        self.assertEqual((fault.kind, fault.name), (StepKind.FAULT, "APIError"))
        self.assertEqual(fault.detail, "scripted fault")

    def test_a_session_on_a_server(self) -> None:
        kinds = [step.kind.value for step in steps_in("session")]
        self.assertEqual(kinds, ["shell", "edit", "shell", "text"])
        self.assertTrue(all(step.took.at for step in steps_in("session")))


class TestSteps(unittest.TestCase):
    def test_what_only_a_server_tells(self) -> None:
        retry, asked = steps_of(
            {"type": "retry", "attempt": 2, "message": "overloaded", "next": 1},
            {"type": "permission", "permission": "edit", "patterns": ["a", "b"]},
        )
        self.assertEqual((retry.name, retry.subject, retry.detail), ("retry", "2", "overloaded"))
        self.assertEqual(asked.subject, "edit (a, b)")

    def test_reasoning_and_answers_that_were_cut(self) -> None:
        thought, cut = steps_of(
            {"type": "reasoning", "part": {"text": "hm"}},
            {"type": "step_finish", "part": {"reason": "length"}},
        )
        self.assertEqual((thought.kind, thought.detail), (StepKind.REASONING, "hm"))
        self.assertEqual(cut.name, "length")

    def test_older_edits(self) -> None:
        given = {"filePath": "a", "edits": [{"oldString": "x", "newString": "y"}]}
        state = {"status": "completed", "input": given}
        (step,) = steps_of({"type": "tool_use", "part": {"tool": "multiedit", "state": state}})
        self.assertIn("-x\n+y", step.diff)

    def test_strange_shapes_do_no_harm(self) -> None:
        shapes: tuple[Any, ...] = (None, 5, "x", [], {}, {"state": 1}, {"state": {"input": [1]}})
        for kind in ("text", "tool_use", "step_finish", "error", "reasoning", "retry", None, 5):
            for shape in shapes:
                steps_of({"type": kind, "part": shape, "error": shape, "timestamp": shape})

    def test_what_a_tool_is_used_on(self) -> None:
        self.assertEqual(subject_of({"description": "d", "command": "ls"}), "ls")
        self.assertEqual(subject_of({"todos": [1]}), '{"todos": [1]}')
        self.assertEqual(subject_of({}), "")

    def test_moments_that_cannot_be_are_none(self) -> None:
        for odd in (None, "5", math.nan, math.inf, -1, 0, [1]):
            self.assertIsNone(moment(odd))
        self.assertEqual(moment(2500, 1000), 2.5)
