from __future__ import annotations

import unittest
from pathlib import Path

from director.agents.progress import LEAST_SECS, LONGEST_ARGUMENT, CallProgress, Doing
from director.agents.transcript import Finish, ToolKind, ToolUse, Transcript
from director.model.usage import Tokens


def shell(command: str) -> ToolUse:
    return ToolUse(ToolKind.SHELL, "Bash", command=command)


class TestCallProgress(unittest.TestCase):
    def setUp(self) -> None:
        self.told: list[Doing] = []
        self.time = 100.0
        self.progress = CallProgress(self.told.append, Path("/w/1"), lambda: self.time)
        self.said = Transcript()

    def look(self, *, after: float = 0.0) -> list[tuple[str, str]]:
        """Let some seconds pass, show the transcript, and return all that was told so far."""
        self.time += after
        self.progress.look(self.said)
        return [(one.tool, one.argument) for one in self.told]

    def test_nothing_is_told_before_something_happens(self) -> None:
        self.assertEqual(self.look(after=60), [])

    def test_a_tool_is_told_in_the_same_words_for_every_agent(self) -> None:
        for tool, told in (
            (shell("make test"), ("bash", "make test")),
            (ToolUse(ToolKind.SHELL, "exec_command", command="ls"), ("bash", "ls")),
            (ToolUse(ToolKind.EDIT, "apply_patch", paths=("/w/1/a", "b")), ("edit", "a, b")),
            (ToolUse(ToolKind.OTHER, "Grep", subject="def f"), ("grep", "def f")),
        ):
            self.said.add_tool(tool)
            self.assertEqual(self.look(after=LEAST_SECS)[-1], told)

    def test_one_that_runs_is_told_before_it_ends_and_once(self) -> None:
        self.said.running = shell("sleep 60")
        for _ in range(3):
            self.assertEqual(self.look(after=LEAST_SECS), [("bash", "sleep 60")])

    def test_what_comes_too_soon_is_told_when_the_time_is_up(self) -> None:
        for command in ("a", "b", "c"):
            self.said.add_tool(shell(command))
            self.assertEqual(self.look(), [("bash", "a")])
        self.assertEqual(self.look(after=LEAST_SECS / 2), [("bash", "a")])
        self.assertEqual(self.look(after=LEAST_SECS / 2), [("bash", "a"), ("bash", "c")])

    def test_what_was_used_so_far_is_told_with_it(self) -> None:
        self.said.add_finish(Finish.TOOL_CALLS, Tokens(input=5, output=2), 0.25)
        self.look()
        self.assertEqual((self.told[0].tokens, self.told[0].usage.reported_usd), (7, 0.25))

    def test_a_terminal_is_not_steered_and_no_argument_is_endless(self) -> None:
        self.said.add_tool(shell("cat <<E\n\x1b[31mred\x07" + "x" * 9999))
        ((_, argument),) = self.look()
        self.assertTrue(argument.startswith(r"cat <<E red\x07xxx"))
        self.assertEqual((len(argument), argument[-1]), (LONGEST_ARGUMENT, "…"))
