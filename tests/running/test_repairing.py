"""Repair nodes: what is green alone and red together is worked on in the same run.

With it: ``run`` where it integrates again, ``readiness`` where a seal is ahead of its plan.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support.fake_opencode import Step, say, write
from tests.support.jobs import Done, JobCase, node

TOGETHER = 'test "$(cat *.extra 2>/dev/null | grep -c spoiled)" -lt 2 || { echo spoiled twice; exit 1; }'


class RepairCase(JobCase):
    """Two nodes that are green alone; a gate of ``[gates]`` is red on both together."""

    def prepare(self, limits: str = "", gate: str = TOGETHER) -> None:
        self.configure(f"[limits]\n{limits}\n[gates]\ntogether = '''{gate}'''\n")
        nodes = [node(name, files=[f"{name}.txt", f"{name}.extra"]) for name in "ab"]
        self.plan(*nodes)
        for name in "ab":
            extra = write(f"{name}.extra", "spoiled\n")
            self.implement(name, write(f"{name}.txt", "good\n"), extra, say("done"))

    def repair(self, *steps: Step) -> None:
        self.fake.queue("executor", *(steps or self.good_repair), node="repair-1")

    @property
    def good_repair(self) -> tuple[Step, ...]:
        return write("b.extra", "clean\n"), say("repaired")

    def planned(self, name: str = "repair-1") -> dict[str, Any]:
        return next(one for one in self.stored("plan.json")["nodes"] if one["id"] == name)

    def prompts(self) -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.node == "repair-1"]

    def integrations(self, done: Done) -> list[str]:
        events = self.lines("events.jsonl")
        return [e["verdict"] for e in events if e["kind"] == "integration_gate"]


class TestRepaired(RepairCase):
    def test_the_run_repairs_what_two_merges_broke_together(self) -> None:
        self.prepare()
        self.repair()
        done = self.ends(0, "run", "--json")
        self.assertIs(done.json["integration_ok"], True)
        self.assertEqual(self.on_branch("b.extra"), "clean\n")
        self.assertEqual(self.node_state("repair-1")["status"], "done")
        self.ends(0, "verify")
        self.ends(0, "verify", "--rerun")
