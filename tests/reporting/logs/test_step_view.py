"""Steps read well, and do no harm, in windows of all widths."""

from __future__ import annotations

import unittest

from director.agents.steps import Step, StepKind, StepState, Took
from director.reporting.logs.step_view import clock, diff_lines, shortened, step_lines
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style

NOON = 1795313106.4
DIFF = "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n same\n-old\n+new"
SHELL = Step(
    StepKind.SHELL, "bash", "python3 -m unittest tests.test_a", "boom\nFAILED (errors=1)\n",
    took=Took(NOON, 0.4), exit_code=1,
)  # fmt: skip
STEPS = (
    SHELL,
    Step(StepKind.SHELL, "bash", "cat <<E\n" + "line\n" * 30 + "E", took=Took(NOON), exit_code=0),
    Step(StepKind.SHELL, "bash", "x" * 500, state=StepState.RUNNING),
    Step(StepKind.EDIT, "edit", "src/日本語/" + "deep/" * 60, diff=DIFF.replace("new", "日" * 300)),
    Step(StepKind.EDIT, "patch", "a", "added: a"),
    Step(StepKind.EDIT, "edit", "a", "you may not " * 40, state=StepState.FAILED),
    Step(StepKind.TOOL, "read", "a.py", "text", took=Took(NOON, 0.1)),
    Step(StepKind.TEXT, detail="All is well.\n\n- " + "really " * 60, took=Took(NOON)),
    Step(StepKind.REASONING, detail="hm " * 100),
    Step(StepKind.FAULT, "retry", "2", "the provider said " * 20, state=StepState.FAILED),
)


def shown(step: Step, width: int = 80, *, colour: bool = False) -> list[str]:
    return [*step_lines(step, Style(width, colour))]


class TestSteps(unittest.TestCase):
    def test_a_command_with_its_end_and_what_it_said_last(self) -> None:
        self.assertEqual(
            shown(SHELL),
            [
                f"{clock(NOON)} bash python3 -m unittest tests.test_a → exit 1 (0.4 s)",
                "  │ boom",
                "  │ FAILED (errors=1)",
            ],
        )

    def test_of_what_went_well_the_output_is_left_out(self) -> None:
        green = Step(StepKind.SHELL, "bash", "true", "much\n" * 50, exit_code=0)
        self.assertEqual(shown(green), ["bash true → exit 0"])

    def test_long_output_shows_its_end(self) -> None:
        long = Step(StepKind.SHELL, "bash", "x", "".join(f"{n}\n" for n in range(50)), exit_code=2)
        lines = shown(long)
        self.assertEqual(lines[-2:], ["  │ 49", "  │ [12 of 50 lines]"])

    def test_an_edit_is_a_diff(self) -> None:
        edit = Step(StepKind.EDIT, "edit", "a.py", "Edit applied successfully.", DIFF)
        self.assertEqual(shown(edit)[1:], [f"  {line}" for line in DIFF.split("\n")])

    def test_an_edit_whose_content_is_not_told_says_what_is_known(self) -> None:
        self.assertEqual(shown(STEPS[4]), ["patch a", "  │ added: a"])

    def test_a_command_that_does_not_fit_is_shown_whole_below(self) -> None:
        command = "python3 -m unittest " + " ".join(f"tests.test_{n}" for n in range(9))
        head, *body = shown(Step(StepKind.SHELL, "bash", command, exit_code=0), 60)
        self.assertTrue(head.endswith("… → exit 0"), head)
        self.assertEqual("".join(line[2:] for line in body), command)

    def test_reasoning_is_dimmed_or_left_out(self) -> None:
        thought = Step(StepKind.REASONING, detail="hm")
        self.assertEqual(shown(thought), [])
        self.assertEqual(
            shown(thought, colour=True), ["\x1b[2mthinks:\x1b[0m", "\x1b[2m  hm\x1b[0m"]
        )

    def test_what_has_no_end_says_so(self) -> None:
        self.assertIn("→ no end on record", shown(STEPS[2])[0])

    def test_lines_fit_all_windows(self) -> None:
        for width in (40, 80, 200):
            for step in STEPS:
                for line in shown(step, width):
                    self.assertLessEqual(width_of(line), width, line)

    def test_nothing_steers_the_terminal(self) -> None:
        evil = "\x1b[2J\x1b]0;title\x07\x9b31m\rover\x08\u202eevil\u2066\x00"
        for kind in StepKind:
            step = Step(kind, evil, evil, evil * 3, f"--- a\n+{evil}", exit_code=1)
            text = "\n".join(shown(step))
            self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

    def test_paths_in_the_worktree_start_at_its_root(self) -> None:
        place = "/home/x/.local/state/director/job-1a2b/agents/slot-1"
        self.assertEqual(shortened(f'File "{place}/a.py", in {place}'), 'File "a.py", in ')

    def test_a_huge_diff_is_cut_unless_it_is_asked_for(self) -> None:
        huge = "\n".join("+x" for _ in range(1000))
        self.assertEqual(len([*diff_lines(huge, Style())]), 401)
        self.assertEqual(len([*diff_lines(huge, Style(), most=None)]), 1000)

    def test_colours_of_a_diff(self) -> None:
        lines = [*diff_lines(DIFF, Style(80, colour=True), indent="")]
        self.assertEqual(lines[-1], "\x1b[32m+new\x1b[0m")
        self.assertEqual(lines[-2], "\x1b[31m-old\x1b[0m")

    def test_ascii_where_the_stream_holds_no_more(self) -> None:
        style = Style(unicode=False)
        lines = [style.plain(line) for line in step_lines(SHELL, style)]
        self.assertTrue("".join(lines).isascii())
