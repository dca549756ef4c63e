"""A command is started with its streams, its folder and its environment."""

from __future__ import annotations

import signal

from director.processes.command import Command, Ending
from director.processes.process_table import MARKER
from tests.processes.case import LONG, ProcessCase


class TestStartCommand(ProcessCase):
    def test_exit_code_and_both_streams_in_one_file(self) -> None:
        ended = self.run_shell("echo out; echo err >&2; exit 3")
        self.assertEqual((ended.ending, ended.code, ended.reason), (Ending.EXITED, 3, ""))
        self.assertEqual(self.out.read_text(), "out\nerr\n")

    def test_streams_apart_and_standard_input_from_a_file(self) -> None:
        given, err = self.tmp / "in", self.tmp / "err"
        given.write_text("hello")
        script = ["/bin/sh", "-c", "cat; echo oops >&2"]
        command = Command(script, self.tmp, self.env, self.out, LONG, stderr=err, stdin=given)
        self.assertEqual(self.processes.run(command).code, 0)
        self.assertEqual((self.out.read_text(), err.read_text()), ("hello", "oops\n"))

    def test_without_input_standard_input_is_empty(self) -> None:
        self.assertEqual(self.run_shell("cat").code, 0)
        self.assertEqual(self.out.read_text(), "")

    def test_gets_the_given_environment_and_the_marker_only(self) -> None:
        command = Command(["/usr/bin/env"], self.tmp, {"A": "1"}, self.out, LONG)
        self.processes.run(command)
        lines = dict(line.split("=", 1) for line in self.out.read_text().splitlines())
        marker = lines.pop(MARKER)
        self.assertEqual(lines, {"A": "1"})
        self.assertTrue(marker.startswith(f"{self.processes.label}:"))

    def test_a_signal_shows_as_a_negative_code(self) -> None:
        self.assertEqual(self.run_shell("kill -KILL $$").code, -signal.SIGKILL)

    def test_what_cannot_start_is_a_result(self) -> None:
        no_program = Command([str(self.tmp / "none")], self.tmp, self.env, self.out, LONG)
        no_folder = Command(["/bin/true"], self.tmp / "none", self.env, self.out, LONG)
        for command in (no_program, no_folder):
            ended = self.processes.run(command)
            self.assertEqual((ended.ending, ended.code), (Ending.NOT_STARTED, None))
            self.assertIn("No such file", ended.reason)

    def test_output_is_appended(self) -> None:
        self.out.write_text("before\n")
        self.run_shell("echo after")
        self.assertEqual(self.out.read_text(), "before\nafter\n")
