"""One job from `director init` to the branch it lands on, with the real OpenCode, as a user has it.

The plan is revised and a node is dropped; one node is amended and one is taken over; a merge turns
the integration gate red and a repair node turns it green; the job lands on a base that moved on.
"""

from __future__ import annotations

import json
from pathlib import Path

from director.demo.turns import Say, read, write
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, TASK, ScriptedJob, Word, writes
from tests.support.hermetic import ProcessCase

AMENDED = Word("amended")  # its test wants another word at first
TAKEN = Word("taken")  # a person writes it
LOUD = Word("loud", extra_files=("motto.txt",))  # it spoils what [gates] look at
DROPPED = Word("dropped")
GATE = "grep -qx calm motto.txt"
FILES = {"README.md": "words\n", "motto.txt": "calm\n"}
WISH = "say where the word stands"
MODELS = {"big": {"input": 5, "output": 25}, "small": {"input": 1, "output": 4}}


class TestWholeStory(ProcessCase):
    def setUp(self) -> None:
        job = ScriptedJob((LOUD, AMENDED, TAKEN, DROPPED))
        self.scene = Scene.open(self.addCleanup, job, FILES)
        job.instead = {
            "Tests amended": [write(AMENDED.test, "grep -qx other amended.txt\n"), DONE],
            "Implement loud": [
                read("motto.txt"),
                writes({LOUD.file: "loud\n", "motto.txt": "loud\n"}),
                DONE,
            ],
            "Repair": [read("motto.txt"), write("motto.txt", "calm\n"), DONE],
        }
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": self.scene.server.base_url, "apiKey": "none"},
            "models": {name: {"cost": cost} for name, cost in MODELS.items()},
        }
        self.scene.repo.write("opencode.json", json.dumps({"provider": {"mine": provider}}))
        self.scene.repo.commit("models")

    def test_from_init_to_the_branch_it_lands_on(self) -> None:
        branch = self.scene.repo.git("symbolic-ref", "--short", "HEAD")
        self._configured()
        self._planned()
        self._run_amended_and_taken_over()
        self._repaired()
        self._landed_on_a_base_that_moved_on(branch)
        self._reported_listed_and_removed(branch)
        self.assertEqual(self.scene.leftovers(), [])

    def _configured(self) -> None:
        succeeded(self.scene.director("init", "--yes"))
        settings = (f'gates.test="{GATE}"', "limits.max_attempts=1", "limits.flake_runs=1")
        said = self.scene.director("init", *(word for one in settings for word in ("--set", one)))
        self.assertIn("gates.test", succeeded(said).out)
        rows = succeeded(self.scene.director("doctor", "--json")).json["rows"]
        self.assertNotIn("problem", {row["level"] for row in rows}, rows)

    def _planned(self) -> None:
        succeeded(self.scene.director("plan", TASK))
        succeeded(self.scene.director("plan", "--continue", "--parallel", "2"))
        clearer = {**LOUD.to_json(), "spec": "The first line of loud.txt is 'loud'."}
        nodes = [clearer, *(word.to_json() for word in (AMENDED, TAKEN, DROPPED))]
        self.scene.job.instead["Plan"] = [Say(json.dumps({"nodes": nodes}))]
        revised = succeeded(self.scene.director("plan", "--revise", WISH))
        self.assertIn("changed nodes: loud (spec)", revised.out)
        self.assertIn(WISH, self.scene.requests("Plan")[-1].prompt)
        dropped = succeeded(self.scene.director("plan", "--drop", "dropped"))
        self.assertIn("removed nodes: dropped", dropped.out)
        ready = succeeded(self.scene.director("plan", "--continue"))
        self.assertIn("The plan is ready: 3 nodes", ready.out)

    def _run_amended_and_taken_over(self) -> None:
        taken = succeeded(self.scene.director("take", "taken", "--json")).json
        said = self.scene.director("run", "--parallel", "2")
        self.assertEqual(said.code, 1, said.err)
        self.assertIn("director amend amended", said.out)
        self.assertEqual(self._standing(), {"loud": "done", "amended": "failed", "taken": "taken"})

        succeeded(self.scene.director("amend", "amended"))
        self.scene.repo.write(f".director/tests/{AMENDED.test}", AMENDED.test_text)
        amended = succeeded(self.scene.director("amend", "amended", "--continue"))
        self.assertIn("its tests are red, and it has fresh attempts", amended.out)

        Path(taken["worktree"], TAKEN.file).write_text("taken\n")
        given = succeeded(self.scene.director("give", "taken"))
        self.assertIn("Node taken is merged", given.out)

    def _repaired(self) -> None:
        said = succeeded(self.scene.director("run", "--parallel", "2"))
        self.assertIn("Everything is done (4 nodes)", said.out)
        nodes = succeeded(self.scene.director("status", "--json")).json["nodes"]
        self.assertEqual({one["status"] for one in nodes.values()}, {"done"})
        tiers = {name: one["tier_used"] for name, one in nodes.items()}
        self.assertEqual(tiers["taken"], "human")
        self.assertEqual({tiers[one] for one in ("loud", "amended", "repair-1")}, {"executor"})
        told = [one["kind"] for one in self.scene.lines("events.jsonl")]
        self.assertEqual(told.count("repair"), 1)
        verified = succeeded(self.scene.director("verify", "--rerun", "--json"))
        self.assertIs(verified.json["ok"], True)

    def _landed_on_a_base_that_moved_on(self, branch: str) -> None:
        repo = self.scene.repo
        repo.write("README.md", "words, and more of them\n")
        repo.git("commit", "--quiet", "--message", "more words", "README.md")
        moved = repo.git("rev-parse", "HEAD")
        said = succeeded(self.scene.director("land", "--squash", "--yes"))
        self.assertIn("has 1 newer commit; it merges without conflict", said.out + said.err)
        self.assertIn("loud, amended, taken (by hand), repair-1", said.out + said.err)
        self.assertIn(f"git reset --keep {moved}", said.out)
        self.assertEqual(repo.git("rev-parse", f"{branch}^"), moved)
        words = {word.file: self.scene.show(branch, word.file) for word in (AMENDED, TAKEN, LOUD)}
        self.assertEqual(set(words.values()), {"amended", "taken", "loud"})
        self.assertEqual(self.scene.show(branch, "motto.txt"), "calm")
        self.assertNotIn(DROPPED.test, self.scene.paths(branch))
        self.assertEqual(repo.git("status", "--porcelain"), "?? .director/")

    def _reported_listed_and_removed(self, branch: str) -> None:
        page = self.scene.repo.root.parent / "report.html"
        succeeded(self.scene.director("report", "-o", str(page)))
        shown = page.read_text(encoding="utf-8")
        for text in ("Everything is done (4 nodes)", "repair-1", f"landed on {branch}"):
            self.assertIn(text, shown)
        (job,) = succeeded(self.scene.director("jobs", "--json")).json["jobs"]
        self.assertEqual((job["standing"], job["done"]), ("done", 4), job)
        succeeded(self.scene.director("clean", "--landed"))
        self.assertEqual(succeeded(self.scene.director("jobs", "--json")).json["jobs"], [])
        self.assertEqual(self.scene.repo.git("for-each-ref", "refs/heads/director"), "")

    def _standing(self) -> dict[str, str]:
        nodes = succeeded(self.scene.director("status", "--json")).json["nodes"]
        return {name: one["status"] for name, one in nodes.items()}
