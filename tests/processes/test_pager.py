"""Long output goes through a pager, on a terminal only."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
import unittest

from director.processes.pager import pager_command
from tests.support.hermetic import HermeticCase
from tests.support.warm import SOURCE

PAGING = """\
import os, sys
from director.processes.pager import paged
with paged(sys.stdout, dict(os.environ)) as out:
    for number in range(int(sys.argv[1])):
        print("line", number, file=out)
print("after")
"""


class TestChoice(unittest.TestCase):
    def test_the_first_variable_that_is_set_counts(self) -> None:
        self.assertEqual(pager_command({"PAGER": "true", "DIRECTOR_PAGER": "false"}), "false")
        self.assertEqual(pager_command({"PAGER": "true -x"}), "true -x")
        self.assertIsNone(pager_command({"PAGER": "true", "DIRECTOR_PAGER": ""}))

    def test_none_where_it_is_unwanted_or_not_found(self) -> None:
        self.assertIsNone(pager_command({"PAGER": "cat"}))
        self.assertIsNone(pager_command({"PAGER": "true", "TERM": "dumb"}))
        self.assertIsNone(pager_command({"PAGER": "no-such-pager -R"}))
        self.assertIsNone(pager_command({"PATH": ""}))

    def test_a_line_of_shell_is_the_shells(self) -> None:
        self.assertEqual(pager_command({"PAGER": "A=b less | cat"}), "A=b less | cat")


class TestPaged(HermeticCase):
    def on_terminal(self, lines: int, **env: str) -> str:
        """Return what a terminal shows of so many lines."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", PAGING, str(lines)],
            env={**self.env, "TERM": "xterm", "PYTHONPATH": str(SOURCE), **env},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        shown = read_terminal(ours)
        self.assertEqual(process.wait(), 0, shown)
        return shown.replace("\r\n", "\n")

    def test_the_pager_gets_the_output_and_its_settings(self) -> None:
        shown = self.on_terminal(2, PAGER='sed "s/^/$LESS /"')
        self.assertEqual(shown, "FRX line 0\nFRX line 1\nafter\n")

    def test_settings_of_the_user_stay(self) -> None:
        self.assertIn("R line 0", self.on_terminal(1, PAGER='sed "s/^/$LESS /"', LESS="R"))

    def test_a_pager_that_had_enough_is_no_error(self) -> None:
        self.assertEqual(self.on_terminal(200_000, PAGER="head -n 1"), "line 0\nafter\n")

    def test_none_where_it_is_unwanted(self) -> None:
        self.assertEqual(self.on_terminal(1, PAGER="cat"), "line 0\nafter\n")

    def test_none_in_a_pipe(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PAGING, "1"],
            env={**self.env, "PYTHONPATH": str(SOURCE), "PAGER": "sed s/^/paged/"},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(done.stdout, "line 0\nafter\n")


def read_terminal(ours: int) -> str:
    """Return all that is printed to a terminal until no process has it open, and close it."""
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError as error:
        if error.errno != errno.EIO:  # Linux says so at the end
            raise
    finally:
        os.close(ours)
    return shown.decode()
