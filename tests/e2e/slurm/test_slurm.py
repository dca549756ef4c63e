"""director on a real Slurm cluster: agents and gates are jobs, and its faults spend no attempt."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from tests.e2e.slurm.cluster import Cluster, require_cluster, running_cluster
from tests.support.fake_opencode import say, shell
from tests.support.jobs import JobCase, node

LAUNCHER = """
[launcher]
kind = "slurm"

[limits]
flake_runs = 1
node_timeout_secs = {secs}
"""
WAITS = "touch {there}; sleep 300"


class TestSlurm(JobCase):
    server = "auto"
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        require_cluster()
        cls.cluster = cls.enterClassContext(running_cluster(4))

    def setUp(self) -> None:
        super().setUp()
        self.env["SLURM_CONF"] = self.cluster.env["SLURM_CONF"]
        self.there = self.tmp / "there"
        self.use_cluster()
        self.addCleanup(self._free)

    def use_cluster(self, secs: int = 60) -> None:
        self.configure(LAUNCHER.format(secs=secs))

    def _free(self) -> None:
        """Have all nodes take work again, whatever a test did to them."""
        for name in self.cluster.jobs():
            self.cluster.tell("scancel", "--signal=KILL", "--name", name)
            self.cluster.tell("scancel", "--name", name)
        for name, state in self.cluster.states().items():
            if "down" in state and name not in self.cluster.running:
                self.cluster.start_node(name)
        self.cluster.wait_until(self.cluster.is_idle, "nodes are busy")

    def finished(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of director, which must be good, and that nothing is left of it."""
        self.assertEqual(process.wait(120), 0, "\n".join(map(str, self.said())))
        self.nothing_is_left()

    def nothing_is_left(self) -> None:
        # Slurm lists a job a moment longer than its last step runs.
        self.cluster.wait_until(lambda: not self.cluster.jobs(), "jobs are left")
        self.assertEqual(self.cluster.leftovers(), [])
        self.assertEqual(self.left_behind(), [])
        self.assertEqual([one.name for one in (self.home / "steps").glob("director-*")], [])

    def said(self) -> list[dict[str, Any]]:
        return self.lines("events.jsonl")[-25:]

    def notices(self) -> list[str]:
        lines = self.lines("events.jsonl")
        return [line["message"] for line in lines if line["kind"] == "notice"]

    def outcomes(self, name: str) -> list[str]:
        return [one["outcome"] for one in self.node_state(name)["tries"]]

    def executors(self) -> int:
        return sum(call.agent == "executor" for call in self.fake.calls())

    def place_of_step(self) -> tuple[str, str]:
        """Return name and node of the one job that runs."""
        found = self.cluster.tell("squeue", "--noheader", "--states=running", "--format=%j %N")
        name, place = found.split()
        return name, place

    def until(self, holds: Callable[[], bool], problem: str) -> None:
        self.cluster.wait_until(holds, problem)

    def lose_power(self) -> None:
        """Take down the node on which the one job runs, and have the controller notice."""
        _, place = self.place_of_step()
        self.cluster.kill_node(place)
        self.cluster.tell("scontrol", "update", f"NodeName={place}", "State=DOWN", "Reason=power")

    def test_twelve_nodes_over_four(self) -> None:
        names = [f"w{number}" for number in range(12)]
        script = 'echo "on $SLURMD_NODENAME"; sleep 0.5; grep -q good {0}.txt\n'
        tests = {name: script.format(name) for name in names}
        self.plan(*(node(name) for name in names), tests=tests)
        for name in names:
            self.implement(name)
        self.ends(0, "run", "--parallel", "auto")
        self.nothing_is_left()
        for name in names:
            self.assertEqual(self.on_branch(f"{name}.txt"), "good")
        logs = "".join(log.read_text() for log in (self.home / "logs").glob("*.log"))
        # Slurm fills one machine before the next: how many it takes depends on how gates overlap.
        used = [number for number in range(1, 5) if f"on n{number}" in logs]
        self.assertGreater(len(used), 1)
        (why,) = [one for one in self.notices() if "lanes:" in one]
        self.assertIn("16 places on the cluster", why)
        receipts = self.lines("receipts.jsonl")
        self.assertIn("steps of Slurm", str(receipts[-1]))

    def test_a_node_that_goes_down_in_a_call(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell(WAITS.format(there=self.there)), say("never"))
        self.implement("a")
        director = self.started("run")
        self.until(self.there.exists, "the call does not begin")
        self.lose_power()
        self.finished(director)
        self.assertEqual((self.outcomes("a"), self.executors()), (["green"], 2))

    def gate_that_waits_once(self) -> None:
        """Make a plan of a node whose gate, when the work is done, waits on its first run."""
        waits = WAITS.format(there=self.there)
        script = f"grep -q good a.txt || exit 1\n[ -e {self.there} ] || {{ {waits}; }}\n"
        self.plan(node("a"), tests={"a": script})
        self.implement("a")

    def test_a_node_that_goes_down_in_a_gate(self) -> None:
        self.gate_that_waits_once()
        director = self.started("run")
        self.until(self.there.exists, "the gate does not begin")
        self.lose_power()
        self.finished(director)
        self.assertEqual((self.outcomes("a"), self.executors()), (["green"], 1))
        self.assertTrue(any("fresh worktree" in one for one in self.notices()))

    def test_a_job_that_a_person_cancels(self) -> None:
        self.gate_that_waits_once()
        director = self.started("run")
        self.until(self.there.exists, "the gate does not begin")
        self.cluster.tell("scancel", "--name", self.place_of_step()[0])
        self.finished(director)
        self.assertEqual((self.outcomes("a"), self.executors()), (["green"], 1))

    def test_a_full_queue_costs_no_time(self) -> None:
        self.use_cluster(secs=5)
        self.plan(node("a"))
        self.implement("a")
        others = [self.busy(name) for name in self.cluster.nodes]
        director = self.started("run")
        pending = ("squeue", "--noheader", "--states=pending", "--format=%M %j")
        self.until(lambda: "director-" in self.cluster.tell(*pending), "nothing waits")
        waited = ["sleep", "6"]  # longer than a gate may take
        subprocess.run(waited, check=True)
        self.assertIsNone(director.poll())
        for other in others:
            other.terminate()
            other.wait()
        self.finished(director)
        self.assertEqual(self.outcomes("a"), ["green"])

    def busy(self, name: str) -> subprocess.Popen[bytes]:
        line = ["srun", "--quiet", "--exclusive", "--nodelist", name, "sleep", "300"]
        return subprocess.Popen(line, env=self.cluster.env, stderr=subprocess.DEVNULL)

    def test_a_call_that_takes_too_long_is_ended_there(self) -> None:
        self.use_cluster(secs=2)
        self.plan(node("a"))
        self.implement("a", shell(WAITS.format(there=self.there)), say("never"))
        self.implement("a")
        self.finished(self.started("run"))
        self.assertEqual(self.executors(), 2)

    def test_director_is_killed_and_goes_on(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell(WAITS.format(there=self.there)), say("never"))
        self.implement("a")
        self.kill_at(self.there, "run")
        left = [name for name in self.cluster.jobs() if name.startswith("director-")]
        self.assertEqual(len(left), 1)
        self.finished(self.started("run"))
        self.assertTrue(any("left behind were ended" in one for one in self.notices()))
        self.assertEqual(self.outcomes("a"), ["green"])

    def test_a_signal_ends_the_steps(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell(WAITS.format(there=self.there)), say("never"))
        director = self.started("run")
        self.until(self.there.exists, "the call does not begin")
        os.kill(director.pid, signal.SIGTERM)
        self.assertEqual(director.wait(60), 143)
        self.nothing_is_left()

    def test_keys_do_not_reach_gates_on_nodes(self) -> None:
        seen = self.tmp / "seen"
        self.plan(node("a"), tests={"a": f"env > {seen}; grep -q good a.txt\n"})
        self.implement("a")

        self.ends(0, "run", env={**self.env, "ACME_KEY": "k", "ACME_URL": "u"})
        names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
        self.assertTrue({"ACME_URL", "SLURM_JOB_ID"} <= names)
        self.assertTrue({"ACME_KEY", "DIRECTOR_PROCESS"}.isdisjoint(names))

    def test_gates_are_confined_there_as_here(self) -> None:
        script = f"echo x > {self.home}/forged || echo kept; grep -q good a.txt\n"
        self.plan(node("a"), tests={"a": script})
        self.implement("a")
        self.ends(0, "run")
        self.assertFalse((self.home / "forged").exists())
        logs = "".join(log.read_text() for log in (self.home / "logs").glob("a.*.log"))
        self.assertIn("kept", logs)
