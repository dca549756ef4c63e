"""A launcher that loses what it was to run: no attempt spent, done again, nothing paid twice."""

from __future__ import annotations

import json
from typing import Any

from tests.support.fake_opencode import say, shell, write
from tests.support.fake_slurm import FakeSlurm
from tests.support.jobs import JobCase, node

LAUNCHER = '[launcher]\nkind = "slurm"\n[limits]\nflake_runs = 1\n'


class TestLostSteps(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.slurm = FakeSlurm(self.place / "slurm")
        self.env = self.slurm.install(self.env)
        self.configure(LAUNCHER)
        self.plan(node("a"), node("b", depends_on=["a"]))
        for name in ("a", "b"):
            self.fake.always("executor", *self.good_work(name), node=name)

    def executors(self) -> int:
        return sum(call.agent == "executor" for call in self.fake.calls())

    def attempts(self) -> list[tuple[int, Any]]:
        states = [self.node_state(name) for name in ("a", "b")]
        return [(one["attempts"], [a["outcome"] for a in one["tries"]]) for one in states]

    def nothing_is_left(self) -> None:
        self.assertEqual(self.slurm.jobs(), [])
        self.assertEqual(self.left_behind(), [])

    def test_a_call_that_is_lost(self) -> None:
        self.slurm.lose("director-executor")
        self.ends(0, "run")
        self.assertEqual(self.attempts(), [(1, ["green"]), (1, ["green"])])
        ended = [one for one in self.lines("events.jsonl") if one["kind"] == "call_ended"]
        self.assertIn("lost", [one["outcome"] for one in ended])
        self.nothing_is_left()

    def test_a_gate_that_is_lost_costs_no_call(self) -> None:
        lose = f"printf %s 'sh tests/b.sh' > {self.slurm.folder}/lose"
        self.fake.always("executor", write("b.txt", "good\n"), shell(lose), say("done"), node="b")
        self.configure(f'[sandbox]\nwrite = ["{self.slurm.folder}"]\n{LAUNCHER}')
        self.ends(0, "run")
        self.assertEqual(self.attempts(), [(1, ["green"]), (1, ["green"])])
        self.assertEqual(self.executors(), 2)
        told = [one for one in self.lines("events.jsonl") if "fresh worktree" in json.dumps(one)]
        self.assertEqual(len(told), 1)
        self.nothing_is_left()

    def test_jobs_of_a_killed_run_are_ended(self) -> None:
        job = self.stored("plan.json")["job_id"]
        self.slurm.add_job(f"director-{job}-dead")
        self.slurm.add_job("director-another-dead")
        self.ends(0, "run")
        self.assertEqual(self.slurm.jobs(), ["director-another-dead"])

    def test_what_is_wrong_with_the_cluster_is_said_at_once(self) -> None:
        for name in ("srun", "sinfo"):
            (self.slurm.folder.with_name("slurm-bin") / name).unlink()
        done = self.ends(2, "run", env={**self.env, "PATH": self.path_without_slurm()})
        self.assertIn('[launcher] kind = "slurm" needs srun, ', done.err)

    def path_without_slurm(self) -> str:
        """Return a PATH on which there is no Slurm but what is left of the fake one."""
        place = self.place / "programs"
        place.mkdir()
        for name in ("git", "sh", "env", "cat", "grep", "rm"):
            (place / name).symlink_to(f"/usr/bin/{name}")
        fake = self.slurm.folder.with_name("slurm-bin")
        return f"{self.fake.program.parent}:{fake}:{place}"

    def test_a_folder_that_nodes_do_not_see(self) -> None:
        program = self.slurm.folder.with_name("slurm-bin") / "srun"
        program.write_text("#!/bin/sh\necho 'srun: error: it is in vain' >&2\nexit 0\n")
        done = self.ends(2, "run")
        self.assertIn("the launcher does not work: srun: error: it is in vain", done.err)
        self.assertIn("next: correct [launcher] in the configuration", done.err)
