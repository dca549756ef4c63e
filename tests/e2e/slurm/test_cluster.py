"""The cluster of these tests: what Slurm does of which the launcher makes use."""

from __future__ import annotations

import os
import signal
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.slurm.cluster import Cluster, require_cluster, running_cluster


class TestCluster(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        require_cluster()
        cls.cluster = cls.enterClassContext(running_cluster(3))

    def tearDown(self) -> None:
        for name in self.cluster.jobs():
            self.cluster.tell("scancel", "--name", name)
        self.cluster.wait_until(lambda: not self.cluster.jobs(), "jobs are left")
        self.cluster.wait_until(lambda: not self.cluster.leftovers(), "processes are left")

    def test_steps_run_on_every_node_and_nothing_is_left_of_them(self) -> None:
        line = ["srun", "--quiet", "--exclusive", "sh", "-c", "sleep 0.3; echo $SLURMD_NODENAME"]
        with ThreadPoolExecutor() as pool:
            said = pool.map(lambda _: self.cluster.tell(*line).strip(), range(3))
        self.assertEqual(sorted(said), ["n1", "n2", "n3"])
        self.cluster.wait_until(lambda: not self.cluster.leftovers(), "processes are left")

    def test_a_killed_srun_leaves_its_job_and_scancel_ends_it(self) -> None:
        process = sleeping_step(self.cluster, "--job-name", "leaked")
        kill_group(process)
        self.assertEqual(self.cluster.jobs(), ["leaked"])
        self.assertTrue(self.cluster.leftovers())
        self.cluster.tell("scancel", "--name", "leaked")
        self.cluster.wait_until(lambda: not self.cluster.leftovers(), "processes are left")

    def test_the_exit_code_of_srun_is_0_where_the_node_went_down(self) -> None:
        process = sleeping_step(self.cluster, "--nodelist", "n3")
        self.cluster.kill_node("n3")
        self.cluster.tell("scontrol", "update", "NodeName=n3", "State=DOWN", "Reason=power")
        code = process.wait(60)
        self.cluster.start_node("n3")
        self.assertEqual(code, 0)


class TestStopping(unittest.TestCase):
    def test_nothing_is_left_of_a_cluster_that_was_stopped(self) -> None:
        require_cluster()
        with running_cluster(1) as cluster:
            process = sleeping_step(cluster)
            kill_group(process)
        needle = str(cluster.folder).encode()
        left = [place for place in Path("/proc").glob("[0-9]*/cmdline") if needle in _read(place)]
        self.assertEqual(left, [])
        self.assertFalse(cluster.folder.exists())


def sleeping_step(cluster: Cluster, *options: str) -> subprocess.Popen[bytes]:
    """Start a step that does not end by itself, and wait until it runs."""
    line = ["srun", "--quiet", "--unbuffered", *options, "sh", "-c", "echo up; sleep 300"]

    process = subprocess.Popen(
        line,
        env=cluster.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout and process.stdout.readline() == b"up\n"
    process.stdout.close()
    return process


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill srun with its shepherd, a second process that would cancel the job."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
