"""Slurm as a launcher, with a fake one: codes, losses, queues, endings, what is left, room."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from director.model.errors import RequestError, StoppedError
from director.model.launcher_policy import LauncherPolicy, Resources
from director.processes.cancellation import Cancellation
from director.processes.command import Command, Ended, Ending
from director.processes.launchers.launcher import Errand, Part, Surroundings
from director.processes.launchers.slurm import Slurm
from director.processes.process_table import MARKER
from director.processes.supervisor import Processes
from tests.support.fake_slurm import FakeSlurm
from tests.support.hermetic import HermeticCase

LONG = 60.0


class SlurmCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.slurm = FakeSlurm(self.tmp / "slurm")
        self.env = self.slurm.install(self.env)
        self.worktree = self.tmp / "worktree"
        self.worktree.mkdir()
        self.out = self.tmp / "out"
        self.cancellation = Cancellation()
        self.processes = Processes("j1", self.cancellation)

    def launcher(self, policy: LauncherPolicy | None = None, **more: str) -> Slurm:
        found = Surroundings("j1", {**self.env, **more}, self.tmp / "repo", self.tmp / "d/job.git")
        return Slurm(policy or LauncherPolicy("slurm"), found, late_secs=0.2)

    def run_step(
        self, script: str, part: Part = Part.GATE, secs: float = LONG, stdin: str = ""
    ) -> Ended:
        given = self.tmp / "given"
        given.write_text(stdin)
        errand = Errand(part, ["/bin/sh", "-c", script], self.worktree)
        launch = self.launcher().launch(errand)
        argv, where = launch.argv, self.worktree
        command = Command(argv, where, self.env, self.out, secs, stdin=given, step=launch.step)
        return self.processes.run(command)

    def notes(self) -> list[Path]:
        return list((self.tmp / "d" / "steps").iterdir())


class TestSteps(SlurmCase):
    def test_the_code_is_the_commands_own_and_nothing_is_left(self) -> None:
        ended = self.run_step("cat; echo err >&2; pwd; exit 7", stdin="given\n")
        self.assertEqual((ended.ending, ended.code), (Ending.EXITED, 7))
        self.assertEqual(self.out.read_text(), f"given\nerr\n{self.worktree}\n")
        self.assertEqual(self.notes(), [])
        self.assertEqual(self.slurm.cancelled(), [])

    def test_what_was_lost_is_no_exit_and_is_cancelled(self) -> None:
        self.slurm.lose("sleep 300")
        ended = self.run_step("sleep 300")
        self.assertEqual((ended.ending, ended.code), (Ending.LOST, None))
        self.assertIn("how it ended is unknown", ended.reason)
        self.assertEqual(self.slurm.jobs(), [])
        self.assertEqual(self.notes(), [])

    def test_what_the_cluster_cancels_is_lost_whatever_its_code(self) -> None:
        ended = self.run_step("kill -TERM $PPID; kill -TERM $$; sleep 300")
        self.assertEqual(ended.ending, Ending.LOST)

    def test_waiting_in_the_queue_costs_no_time(self) -> None:
        self.slurm.hold()
        ended: list[Ended] = []
        thread = threading.Thread(target=lambda: ended.append(self.run_step("exit 0", secs=0.5)))
        thread.start()
        thread.join(2.0)
        self.assertTrue(thread.is_alive())
        self.slurm.release()
        thread.join(LONG)
        self.assertEqual((ended[0].ending, ended[0].code), (Ending.EXITED, 0))
        self.assertLess(ended[0].wall_secs, 2.0)

    def test_a_step_ends_at_its_time_and_with_director(self) -> None:
        ended = self.run_step("sleep 300", secs=0.5)
        self.assertEqual(ended.ending, Ending.TIMED_OUT)
        self.cancellation.cancel(signal.SIGTERM)
        self.assertEqual(self.run_step("sleep 300").ending, Ending.CANCELLED)
        self.assertEqual((self.slurm.jobs(), self.notes()), ([], []))

    def test_nothing_stays_of_a_code_that_was_not_written_to_its_end(self) -> None:
        half = f"touch $(ls -d {self.tmp}/d/steps/*.began | sed s/began/new/); sleep 300"
        self.assertEqual(self.run_step(half, secs=0.5).ending, Ending.TIMED_OUT)
        self.assertEqual(self.notes(), [])

    def test_a_step_has_no_marker(self) -> None:
        self.run_step("env")
        self.assertNotIn(MARKER, self.out.read_text())


class TestWords(SlurmCase):
    def test_each_part_asks_for_its_own(self) -> None:
        gate = Resources("fast", 2, 512, ("--account=me", "--job-name=mine"))
        launcher = self.launcher(LauncherPolicy("slurm", agent=Resources("slow"), gate=gate))
        words = {
            part: " ".join(launcher.launch(Errand(part, ["true"], self.worktree)).argv)
            for part in (Part.AGENT, Part.READER, Part.GATE)
        }
        self.assertIn("--cpus-per-task=2 --partition=fast --mem=512M", words[Part.GATE])
        self.assertIn("--cpus-per-task=1 --partition=slow", words[Part.AGENT])
        self.assertIn("--cpus-per-task=1 --partition=slow", words[Part.READER])
        mine, own = words[Part.GATE].index("mine"), words[Part.GATE].index("=director-j1-")
        self.assertLess(mine, own)  # the last one counts: jobs have names by which they are ended

    def test_what_is_about_the_users_checkout_runs_here(self) -> None:
        launch = self.launcher().launch(Errand(Part.CHECKOUT, ["true"], self.worktree))
        self.assertEqual((launch.argv, launch.step), (["true"], None))

    def test_the_job_that_director_runs_in_is_not_handed_on(self) -> None:
        launcher = self.launcher(SLURM_JOB_ID="7", SLURM_CONF="/c")
        argv = launcher.launch(Errand(Part.GATE, ["true"], self.worktree)).argv
        self.assertIn("--unset=SLURM_JOB_ID", argv)
        self.assertNotIn("--unset=SLURM_CONF", argv)

    def test_without_slurm(self) -> None:
        with self.assertRaises(RequestError) as caught:
            self.launcher(PATH="/nowhere")
        self.assertIn("needs srun, scancel, squeue, sinfo", caught.exception.what)


class TestCluster(SlurmCase):
    def test_a_sweep_ends_what_a_killed_run_of_the_job_left(self) -> None:
        for name in ("director-j1-aa", "director-j10-bb", "others"):
            self.slurm.add_job(name)
        self.assertEqual(self.launcher().sweep(), 1)
        self.assertEqual(self.slurm.jobs(), ["director-j10-bb", "others"])
        self.assertEqual(self.launcher().sweep(), 0)

    def test_places_are_counted_on_nodes_that_work(self) -> None:
        self.assertEqual(self.launcher().machine().cores, 4 + 4)
        large = LauncherPolicy("slurm", gate=Resources(cpus=2), agent=Resources(mem_mb=3000))
        self.assertEqual(self.launcher(large).machine().cores, 2)
        self.slurm.nodes("")
        self.assertEqual(self.launcher().machine().cores, 0)

    def test_a_cluster_that_does_not_answer(self) -> None:
        (self.slurm.folder / "nodes").unlink()
        with self.assertRaises(StoppedError) as caught:
            self.launcher().machine()
        self.assertIn("the cluster does not answer", caught.exception.what)
