"""What Claude Code 2.1.197 wrote in staged situations, as steps."""

from __future__ import annotations

import unittest
from typing import Any

from director.agents.claude_code.steps import ClaudeCodeSteps
from director.agents.steps import Step, StepKind, StepState
from tests.agents.claude_code.recordings import STREAMS, events_of


def steps_of(*events: dict[str, Any]) -> list[Step]:
    reader = ClaudeCodeSteps()
    found = [step for event in events for step in reader.take(event)]
    return [*found, *reader.under_way()]


class TestRecorded(unittest.TestCase):
    def test_commands_with_their_exit_codes(self) -> None:
        shells = [s for s in steps_of(*events_of("exit_codes")) if s.kind is StepKind.SHELL]
        said = [(step.subject, step.exit_code) for step in shells]
        self.assertEqual(said[:4], [
            ("test -e nope", 1), ('sh -c "exit 7"', 7), ("echo Exit code 5", 0), ("nope_cmd", 127),
        ])  # fmt: skip
        self.assertAlmostEqual(shells[0].took.at or 0, 1795301627.114)

    def test_an_edit_as_a_diff_and_the_answer(self) -> None:
        steps = steps_of(*events_of("success"))
        (edit,) = (step for step in steps if step.kind is StepKind.EDIT)
        self.assertEqual(edit.diff, '--- x.py\n+++ x.py\n@@ -1,1 +1,1 @@\n-a = 1\n+a = "two"')
        self.assertEqual((steps[-1].kind, steps[-1].detail), (StepKind.TEXT, "Done."))

    def test_what_was_refused_has_no_diff(self) -> None:
        steps = steps_of(*events_of("refused"))
        refused = [step for step in steps if step.state is StepState.FAILED]
        self.assertEqual([one.name for one in refused], ["Edit", "Write", "Bash", "Task"])
        self.assertEqual({one.diff for one in refused}, {""})

    def test_faults(self) -> None:
        *retries, end = steps_of(*events_of("overloaded"))
        self.assertEqual(
            [(one.name, one.subject) for one in retries], [("retry", "1"), ("retry", "2")]
        )
        self.assertIn("529 Overloaded", end.detail)
        self.assertEqual(steps_of(*events_of("cut"))[-1].name, "cut")
        self.assertEqual(steps_of(*events_of("command_timeout"))[0].state, StepState.FAILED)

    def test_a_killed_call_has_a_tool_under_way(self) -> None:
        cut = [one for one in events_of("success") if one["type"] != "user"]
        under_way = [s for s in steps_of(*cut) if s.state is StepState.RUNNING]
        self.assertEqual([one.name for one in under_way], ["Bash", "Read", "Edit", "Bash"])

    def test_every_recording_can_be_read(self) -> None:
        for path in STREAMS.glob("*.jsonl"):
            self.assertTrue(steps_of(*events_of(path.stem)), path)


class TestSteps(unittest.TestCase):
    def test_thoughts_and_new_files(self) -> None:
        content = [
            {"type": "thinking", "thinking": "hm"},
            {"type": "tool_use", "id": "t", "name": "Write",
             "input": {"file_path": "a", "content": "x\n"}},
        ]  # fmt: skip
        result = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
        thought, new = steps_of(
            {"type": "assistant", "message": {"content": content}},
            {"type": "user", "message": {"content": [result]},
             "tool_use_result": {"type": "create", "structuredPatch": []}},
        )  # fmt: skip
        self.assertEqual((thought.kind, thought.detail), (StepKind.REASONING, "hm"))
        self.assertEqual(new.diff, "--- /dev/null\n+++ a\n+x")

    def test_strange_shapes_do_no_harm(self) -> None:
        shapes: tuple[Any, ...] = (None, 5, "x", [], {}, {"content": 5}, {"content": [1, {}]})
        for kind in ("assistant", "user", "result", "system", None):
            for shape in shapes:
                steps_of({"type": kind, "message": shape, "subtype": "api_retry", "errors": shape})
