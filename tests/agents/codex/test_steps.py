"""What Codex 0.169.0 wrote in staged situations, as steps."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from director.agents.codex.steps import CodexSteps
from director.agents.steps import Step, StepKind, StepState

STREAMS = Path(__file__).with_name("streams")


def steps_in(name: str) -> list[Step]:
    """Return the steps of a recorded stream."""
    return steps_of(*map(json.loads, (STREAMS / f"{name}.jsonl").read_text().splitlines()))


def steps_of(*events: dict[str, Any]) -> list[Step]:
    reader = CodexSteps()
    found = [step for event in events for step in reader.take(event)]
    return [*found, *reader.under_way()]


class TestRecorded(unittest.TestCase):
    def test_commands_edits_and_the_answer(self) -> None:
        red, edit, cat, green, answer = steps_in("done")
        self.assertEqual((red.subject, red.exit_code), ("sh test.sh", 2))
        self.assertEqual(red.detail, "grep: a.txt: No such file or directory\n")
        self.assertEqual((edit.kind, edit.subject), (StepKind.EDIT, "/repo/a.txt"))
        self.assertEqual((edit.detail, edit.diff), ("added: /repo/a.txt", ""))
        self.assertEqual((cat.detail, green.exit_code, answer.detail), ("x\ny\n", 0, "Done."))

    def test_what_has_no_end(self) -> None:
        (step,) = steps_in("terminated")
        self.assertEqual(step.state, StepState.RUNNING)
        self.assertEqual(step.subject, "echo begun; sleep 300")

    def test_faults_are_told_once(self) -> None:
        first, second, end = steps_in("cut")
        self.assertEqual([first.subject, second.subject], ["1/2", "2/2"])
        self.assertTrue(end.detail.startswith("stream disconnected"))
        warning = steps_in("reasoned")[0]
        self.assertEqual((warning.kind, warning.name), (StepKind.FAULT, "warning"))

    def test_a_patch_that_was_refused(self) -> None:
        edits = [s for s in steps_in("refused_in_landlock") if s.kind is StepKind.EDIT]
        self.assertEqual([one.state for one in edits], [StepState.FAILED])

    def test_every_recording_can_be_read(self) -> None:
        for path in STREAMS.glob("*.jsonl"):
            steps = steps_in(path.stem)
            self.assertEqual(bool(steps), path.stem != "empty", path)


class TestSteps(unittest.TestCase):
    def test_other_items(self) -> None:
        searched, thought = steps_of(
            {"type": "item.completed", "item": {"id": "1", "type": "web_search", "query": "q"}},
            {"type": "item.completed", "item": {"id": "2", "type": "reasoning", "text": "hm"}},
        )
        self.assertEqual((searched.kind, searched.subject), (StepKind.TOOL, "q"))
        self.assertEqual((thought.kind, thought.detail), (StepKind.REASONING, "hm"))

    def test_a_change_whose_diff_is_told(self) -> None:
        change = {"path": "a", "kind": "update", "diff": "@@ -1 +1 @@\n-x\n+y\n"}
        item = {"type": "file_change", "changes": [change], "status": "completed"}
        (edit,) = steps_of({"type": "item.completed", "item": item})
        self.assertEqual(edit.diff, "--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y")

    def test_strange_shapes_do_no_harm(self) -> None:
        shapes: tuple[Any, ...] = (None, 5, [], {}, {"type": "file_change", "changes": 5})
        for item in shapes:
            steps_of(
                {"type": "item.started", "item": item}, {"type": "item.completed", "item": item}
            )
        steps_of({"type": "error"}, {"type": "turn.failed"}, {"type": "turn.failed", "error": 5})
