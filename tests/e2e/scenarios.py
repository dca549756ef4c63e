"""What holds whichever coding agent makes the calls: run once for each of them."""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from director.agents.registry import tier_of
from director.demo.turns import Cut, Fault, Say, shell, write
from tests.e2e.driven import Driven
from tests.e2e.models.script import Turn
from tests.e2e.scene import PROC, ROLES, Scene, prices, succeeded, wait_for
from tests.e2e.scripted_job import DONE, RECON, TASK, ScriptedJob, Word, writes
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")
FILES = {"README.md": "words\n", "kept.txt": "kept\n"}
LONG_COMMAND = "sleep 300"
SHORT_LIMITS = """\
[limits]
node_timeout_secs = 10
provider_retries = 0
flake_runs = 1
max_attempts = 1
"""
LONG_TASK = 1_000_000  # characters
STOP_SECS = 20.0
WRITING_TOOLS = {"edit", "write"}


class AgentScenarios(ProcessCase):
    """The base of a case for each agent, which says by ``driven`` which one that is."""

    driven: ClassVar[Driven]

    def open(self, extra: str = "", files: dict[str, str] = FILES) -> Scene:
        scene = Scene.open(
            self.addCleanup, ScriptedJob((HELLO,)), files, serving="off", driven=self.driven
        )
        scene.configure(extra)
        return scene

    def planned(self, extra: str = "") -> Scene:
        """Return a scene with a plan; what the provider said to that is forgotten."""
        scene = self.open(extra)
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        return scene

    def models(self) -> list[str]:
        return [f"{self.driven.prefix}{role.replace('_', '-')}" for role in ROLES]

    def forbidden(self) -> dict[str, str]:
        """Return a file that the agent is not let edit, if it promises to keep to that."""
        promises = tier_of(self.driven.prefix).backend.promises
        return {"kept.txt": "changed\n"} if promises.edits_by_path else {}

    def test_a_job_is_done_recorded_and_leaves_nothing_behind(self) -> None:
        scene = self.open(prices(*self.models()), FILES | {"AGENTS.md": "Write by hand.\n"})
        before = scene.repo.fingerprint()
        scene.job.instead = {
            "Implement": [
                shell(HELLO.test_cmd),
                writes({**self.forbidden(), HELLO.file: "hello\n"}),
                DONE,
            ]
        }
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        succeeded(scene.director("run"))
        status = succeeded(scene.director("status", "--json")).json
        node = status["nodes"]["hello"]
        self.assertEqual((node["status"], node["tier_used"]), ("done", "executor"))
        self.assertIs(succeeded(scene.director("verify", "--json")).json["ok"], True)
        tip = scene.repo.git("rev-parse", status["job_branch"])
        self.assertEqual(set(scene.paths(tip)), {*FILES, "AGENTS.md", HELLO.file, HELLO.test})
        self.assertEqual(scene.show(tip, "kept.txt"), "kept")
        calls = scene.lines("costs.jsonl")
        self.assertTrue(all(one["ok"] and one["cost"] > 0 for one in calls), calls)
        self.assertAlmostEqual(status["cost_total"], sum(one["cost"] for one in calls))
        for request in scene.requests("Implement"):
            self.assertEqual(request.model, "executor")
            self.assertIn("Write by hand.", json.dumps(request.body))
        self.assertEqual(scene.repo.fingerprint(), before)
        self.assertEqual(scene.leftovers(), [])
        self.assertEqual(scene.written_at_home(), [])

    def test_a_role_that_reads_cannot_write(self) -> None:
        scene = self.open()
        scene.job.instead = {"Recon": [write("planted.txt", "x\n"), Say(RECON)]}
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        first, second = scene.requests("Recon")
        self.assertEqual(self.driven.tools(first.body) & WRITING_TOOLS, set())
        told = json.dumps(second.body["messages" if "messages" in second.body else "input"])
        self.assertRegex(told, re.compile(self.driven.refusal))

    def test_a_refused_key_stops_at_once_and_says_so(self) -> None:
        scene = self.open()
        scene.job.instead = {"Recon": [Fault(401, '{"error": {"message": "no such key"}}')]}
        said = scene.director("plan", TASK, "--no-critique")
        self.assertEqual(said.code, 3, said.err)
        self.assertIn("401", said.err)
        self.assertIn("next:", said.err)
        (call,) = scene.lines("costs.jsonl")
        self.assertIs(call["ok"], False)
        self.assertEqual(scene.leftovers(), [])

    def test_a_provider_that_fails_spends_no_attempt(self) -> None:
        scene = self.planned()
        for turns in self.faults():
            with self.subTest(turns=turns):
                scene.job.instead = {"Implement": turns}
                said = scene.director("run", "--json")
                self.assertEqual(said.code, 3, said.err)
                self.assertTrue(said.json["next"])
                node = succeeded(scene.director("status", "--json")).json["nodes"]["hello"]
                self.assertEqual((node["status"], node["attempts"]), ("pending", 0))
        scene.job.instead = {}
        succeeded(scene.director("run"))

    def faults(self) -> Sequence[Sequence[Turn]]:
        """Return conversations of the executor that end in a fault which may pass."""
        return [[Fault(500)], [Cut("Half an ans")]]

    def test_a_long_prompt_arrives_whole(self) -> None:
        scene = self.open()
        line = "All of it is wanted, to the last word.\n"
        task = scene.repo.root.parent / "task.md"
        task.write_text(line * (LONG_TASK // len(line)) + "The last word.\n")
        scene.job.instead = {"Recon": [Fault(401, '{"error": {"message": "no such key"}}')]}
        said = scene.director("plan", "--file", str(task), "--no-critique")
        self.assertEqual(said.code, 3, said.err)
        prompt = scene.requests("Recon")[0].prompt
        self.assertEqual(prompt.count(line.strip()), LONG_TASK // len(line))
        self.assertIn("The last word.", prompt)

    @unittest.skipUnless(PROC.is_dir(), "processes are found by /proc")
    def test_a_call_that_takes_too_long_is_ended_with_all_it_started(self) -> None:
        scene = self.planned()
        scene.configure(SHORT_LIMITS + prices(*self.models()))
        scene.job.instead = {"Implement": [shell(LONG_COMMAND)]}
        said = scene.director("run")
        self.assertEqual(said.code, 1, said.err)
        node = succeeded(scene.director("status", "--json")).json["nodes"]["hello"]
        self.assertEqual(node["status"], "failed")
        self.assertEqual(scene.leftovers(), [])
        calls = [one for one in scene.lines("costs.jsonl") if one["node"] and not one["ok"]]
        self.assertEqual({one["role"] for one in calls}, {"executor", "escalation"})
        self.check_ended(calls)

    def check_ended(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Check what more is true of the calls of an agent that were ended."""

    @unittest.skipUnless(PROC.is_dir(), "processes are found by /proc")
    def test_an_interrupt_ends_a_call_with_all_it_started(self) -> None:
        scene = self.planned()
        scene.job.instead = {"Implement": [shell(LONG_COMMAND)]}
        process = scene.start("run")
        wait_for(lambda: LONG_COMMAND in scene.processes().values(), "the agent's command runs")
        process.terminate()
        _, err = process.communicate(timeout=STOP_SECS)
        self.assertEqual(process.returncode, 143, err)
        self.assertEqual(scene.leftovers(), [])
