"""A process ends with everything that it started.

With it: ``process_table``.
"""

from __future__ import annotations

import signal
import subprocess
import threading

from director.processes.command import Command, Ending
from director.processes.process_table import MARKER
from tests.processes.case import DAEMON, LONG, ProcessCase, until, wait
from tests.support.process_table import alive


class TestTree(ProcessCase):
    def test_time_out_ends_an_orphan_in_a_session_of_its_own(self) -> None:
        script = f"setsid {DAEMON.format('pid')} & sleep 300"
        ended = self.run_shell(script, until(self.tmp / "pid"), timeout_secs=1)
        self.assertEqual(ended.ending, Ending.TIMED_OUT)
        self.assert_ended(self.daemon_pid("pid"))

    def test_exit_ends_an_orphan_in_a_session_of_its_own(self) -> None:
        ended = self.run_shell(f"setsid {DAEMON.format('pid')} & {wait('pid')}; exit 5")
        self.assertEqual((ended.ending, ended.code), (Ending.EXITED, 5))
        self.assert_ended(self.daemon_pid("pid"))

    def test_exit_ends_a_process_of_the_group_that_dropped_its_environment(self) -> None:
        script = f"env -i PATH=$PATH {DAEMON.format('pid')} & {wait('pid')}; exit 0"
        self.run_shell(script)
        self.assert_ended(self.daemon_pid("pid"))

    def test_a_grandchild_with_the_output_open_does_not_hold_up(self) -> None:
        ended = self.run_shell(f"{DAEMON.format('pid')} & {wait('pid')}; echo said")
        self.assertEqual((ended.ending, ended.code), (Ending.EXITED, 0))
        self.assertEqual(self.out.read_text(), "said\n")
        self.assert_ended(self.daemon_pid("pid"))

    def test_what_ignores_sigterm_is_killed(self) -> None:
        def watch() -> str | None:
            return "stop" if (self.tmp / "ready").exists() else None

        script = "trap '' TERM; touch ready; while :; do sleep 1; done"
        ended = self.run_shell(script, watch)
        self.assertEqual((ended.ending, ended.code), (Ending.STOPPED, -signal.SIGKILL))

    def test_a_command_may_name_the_signal_that_it_tidies_up_at(self) -> None:
        script = "trap 'echo tidy; exit 4' INT; touch ready; while :; do sleep 0.05; done"
        command = self.command(script)._replace(first_signal=signal.SIGINT)
        ready = self.tmp / "ready"
        ended = self.processes.run(command, lambda: "enough" if ready.exists() else None)
        self.assertEqual((ended.code, self.out.read_text()), (4, "tidy\n"))

    def test_a_process_may_tidy_up_on_sigterm(self) -> None:
        def watch() -> str | None:
            return "stop" if (self.tmp / "ready").exists() else None

        script = "trap 'echo tidy; exit 4' TERM; touch ready; while :; do sleep 0.05; done"
        self.assertEqual(self.run_shell(script, watch).code, 4)
        self.assertIn("tidy\n", self.out.read_text())

    def test_one_call_does_not_end_what_another_has_started(self) -> None:
        def other() -> None:
            self.run_shell(f"{DAEMON.format('pid')} & {wait('go')}; kill %1; echo whole")

        thread = threading.Thread(target=other)
        thread.start()
        until(self.tmp / "pid")()
        quick = Command(["/bin/true"], self.tmp, self.env, self.tmp / "quick", LONG)
        self.assertEqual(self.processes.run(quick).code, 0)
        self.assertTrue(alive(self.daemon_pid("pid")))
        (self.tmp / "go").touch()
        thread.join()


class TestMarkers(ProcessCase):
    def test_what_carries_a_marker_is_ended_whoever_started_it(self) -> None:
        marker = self.processes.new_marker()
        stranger = subprocess.Popen(["sleep", "300"], env={**self.env, MARKER: marker})
        other = subprocess.Popen(["sleep", "300"], env={**self.env, MARKER: f"{marker}0"[1:]})
        self.processes.end_marked(marker, self.tmp / "elsewhere")
        self.assertEqual(stranger.wait(), -signal.SIGTERM)
        self.assertIsNone(other.poll())
        other.kill()
        other.wait()

    def test_what_this_run_has_at_work_in_the_worktree_is_ended_as_well(self) -> None:
        folder = self.tmp / "worktree"
        folder.mkdir()
        env = {**self.env, MARKER: self.processes.new_marker()}
        inside = subprocess.Popen(["sleep", "300"], env=env, cwd=folder)
        outside = subprocess.Popen(["sleep", "300"], env=env, cwd=self.tmp)
        foreign = subprocess.Popen(["sleep", "300"], env=self.env, cwd=folder)
        self.processes.end_marked(self.processes.new_marker(), folder)
        self.assertEqual(inside.wait(), -signal.SIGTERM)
        for other in (outside, foreign):
            self.assertIsNone(other.poll())
            other.kill()
            other.wait()
