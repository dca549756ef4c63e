"""director on a real pseudo-terminal, ended in every way. Covers ``live.view``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from director.reporting.terminal.canvas import HIDE_CURSOR, SHOW_CURSOR
from tests.support.fake_opencode import hang, ignore_sigterm, shell
from tests.support.jobs import SOURCE, JobCase, node
from tests.support.pty_case import PtyCase


class TerminalCase(PtyCase, JobCase):
    """``self.process`` is a director whose standard error, and output, are the terminal."""

    server = "off"  # it ends a call so quickly that nothing is shown meanwhile

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b"))

    def start(self, *argv: str, **env: str) -> None:
        """Start director on the terminal."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "director", *argv],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE), "TERM": "xterm-256color", **env},
            stdin=subprocess.DEVNULL,
            stdout=self.terminal,
            stderr=self.terminal,
            process_group=0,  # of this session: the kernel stops no other
        )
        self.addCleanup(self.end)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def ends_with(self, code: int) -> list[str]:
        """Wait for the end, demand the exit code and a cursor, and return what is shown then."""
        self.assertEqual(self.process.wait(), code)
        self.terminal.write("(end)")
        self.terminal.flush()
        shown = self.wait_until_shown("(end)")
        self.assertTrue(self.screen.cursor_is_visible, shown)
        return [line.removesuffix("(end)") for line in shown]

    def hang(self) -> None:
        """Let a run begin whose calls do not end."""
        for name in "ab":
            self.implement(name, ignore_sigterm(), shell("echo working"), hang())
        self.start("run", "--parallel", "2")
        self.wait_until_shown("bash echo working")


class TestEnds(TerminalCase):
    def test_success(self) -> None:
        for name in "ab":
            self.implement(name)
        self.start("run")
        shown = self.ends_with(0)
        self.assertLess({"✓ a", "✓ b"}, {line[:3] for line in shown})
        self.assertIn(" · job ", self.raw)
        self.assertFalse([line for line in shown if "director run ·" in line], shown)

    def test_ctrl_c_is_answered_at_once_and_leaves_nothing_of_the_picture(self) -> None:
        self.hang()
        os.kill(self.process.pid, signal.SIGINT)
        self.wait_until_shown("stopping; ctrl-C again")
        shown = self.ends_with(130)
        self.assertFalse([line for line in shown if "director run ·" in line], shown)

    def test_sigterm_does_the_same(self) -> None:
        self.hang()
        os.kill(self.process.pid, signal.SIGTERM)
        self.ends_with(143)

    def test_the_second_ctrl_c_stops_at_once_and_gives_the_cursor_back(self) -> None:
        self.hang()
        os.kill(self.process.pid, signal.SIGINT)
        self.wait_until_shown("stopping; ctrl-C again")
        os.kill(self.process.pid, signal.SIGINT)
        self.ends_with(130)

    def test_ctrl_z_gives_the_cursor_back_and_fg_the_picture(self) -> None:
        self.hang()
        os.kill(self.process.pid, signal.SIGTSTP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        self.terminal.write("$ fg\r\n")
        self.terminal.flush()
        shown = self.wait_until_shown("$ fg")
        self.assertTrue(self.screen.cursor_is_visible, shown)
        hidden = self.raw.count(HIDE_CURSOR)
        os.kill(self.process.pid, signal.SIGCONT)
        with self._change:
            self.assertTrue(self._change.wait_for(lambda: self.raw.count(HIDE_CURSOR) > hidden, 60))
        os.kill(self.process.pid, signal.SIGINT)
        self.ends_with(130)

    def test_an_error(self) -> None:
        self.configure('[worktree]\nsetup = "exit 3"\n')
        self.start("run")
        shown = self.ends_with(self.process.wait())
        self.assertNotEqual(self.process.returncode, 0)
        self.assertIn("exit code 3", "\n".join(shown))


class TestFlags(TerminalCase):
    def test_the_result_only(self) -> None:
        for name in "ab":
            self.implement(name)
        self.start("run", "-q")
        shown = self.ends_with(0)
        self.assertIn("Everything is done", shown[0])
        self.assertNotIn(SHOW_CURSOR, self.raw)

    def test_a_dumb_terminal_gets_lines(self) -> None:
        for name in "ab":
            self.implement(name)
        self.start("run", TERM="dumb")
        self.assertTrue([line for line in self.ends_with(0) if "a: executor begins" in line])
        self.assertNotIn("\x1b", self.raw)

    def test_no_color(self) -> None:
        for name in "ab":
            self.implement(name)
        self.start("run", NO_COLOR="1")
        self.ends_with(0)
        self.assertIn(SHOW_CURSOR, self.raw)
        self.assertNotRegex(self.raw, r"\x1b\[\d*m")
