"""One job with the real OpenCode, through both gates by hand, looked at from all sides."""

from __future__ import annotations

import hashlib
import unittest
from collections.abc import Sequence
from typing import Any, ClassVar

from director.demo.model_server import Request
from director.demo.turns import Call, Use
from tests.e2e.models.script import Turn
from tests.e2e.scene import (
    PROC,
    Said,
    Scene,
    gates,
    local_tiers,
    prices,
    succeeded,
    tools_offered,
)
from tests.e2e.scripted_job import DONE, TASK, ScriptedJob, Word
from tests.support.hermetic import ProcessCase

HELLO = Word("hello", extra_files=("more/hello.txt",))
WORLD = Word("world")
FILES = {"README.md": "words\n", "kept.txt": "kept\n", "staged.txt": "as committed\n"}
EDITED_TEST = "grep -qx 'hello there' hello.txt\n"
MODELS = ("planner", "test-author", "executor", "explorer", "reviewer", "escalation")
EXTRA = "\n".join(
    (
        gates({"test": HELLO.test_cmd, "other": WORLD.test_cmd}),
        prices(*(f"local/{model}" for model in MODELS)),
        "[review]\nstage_two_file_threshold = 1\n",
        "[sampling.executor]\ntemperature = 0.25\ntop_p = 0.5\ntop_k = 7\n",
        "[sampling.executor.options]\nrepetition_penalty = 1.1\n",
        local_tiers(),
    )
)
WRITING_TOOLS = {"edit", "write", "bash"}
NEVER_OFFERED = {"task", "webfetch", "websearch", "question"}


class TestJobThroughTheGates(ProcessCase):
    """The job is done once, in ``setUpClass``; each test looks at one side of it."""

    serving: ClassVar[str] = "auto"
    scene: ClassVar[Scene]
    before: ClassVar[dict[str, str]]
    gate_spec: ClassVar[Any]
    gate_plan: ClassVar[Any]
    ready: ClassVar[Any]
    ran: ClassVar[Said]
    status: ClassVar[Any]
    verified: ClassVar[Any]
    tip: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        scene = Scene.open(cls.addClassCleanup, ScriptedJob((HELLO, WORLD)), FILES, cls.serving)
        cls.scene = scene
        scene.configure(EXTRA)
        scene.job.instead = _disobedient(str(scene.repo.root / "planted.txt"))
        _leave_work_lying_about(scene)
        cls.before = scene.repo.fingerprint()
        cls.gate_spec = succeeded(scene.director("plan", TASK, "--json")).json
        with (scene.repo.root / ".director/spec.md").open("a") as stream:
            stream.write("\nEvery word is written by hand.\n")
        cls.gate_plan = succeeded(scene.director("plan", "--continue", "--json")).json
        scene.repo.write(f".director/tests/{HELLO.test}", EDITED_TEST)
        cls.ready = succeeded(scene.director("plan", "--continue", "--json")).json
        cls.ran = succeeded(scene.director("run", "--parallel", "2"))
        cls.status = succeeded(scene.director("status", "--json")).json
        cls.verified = succeeded(scene.director("verify", "--rerun", "--json")).json
        cls.tip = scene.repo.git("rev-parse", cls.status["job_branch"])

    def test_it_waits_at_both_gates_and_ends_with_everything_done(self) -> None:
        stages = [(one["stage"], one["paused"]) for one in (self.gate_spec, self.gate_plan)]
        self.assertEqual(stages, [("gate_spec", True), ("gate_plan", True)])
        self.assertEqual((self.ready["stage"], self.ready["paused"]), ("ready", False))
        states = {node_id: one["status"] for node_id, one in self.status["nodes"].items()}
        self.assertEqual(states, {"hello": "done", "world": "done"})
        self.assertIs(self.status["integration_ok"], True)
        self.assertIn(self.status["job_branch"], self.ran.out)
        self.assertEqual(self.status["stage_two_trigger_rate"], 0.5)

    def test_calls_are_made_as_configured(self) -> None:
        self.assertEqual(self.scene.in_sessions(), self.serving == "auto")

    def test_no_request_is_made_but_the_agents_own_turns(self) -> None:
        for request in self.scene.server.requests:
            self.assertTrue(request.body.get("tools"), request.prompt[:80])

    def test_the_branch_holds_the_work_and_nothing_else(self) -> None:
        expected = {*FILES, HELLO.file, *HELLO.extra_files, HELLO.test, WORLD.file, WORLD.test}
        self.assertEqual(set(self.scene.paths(self.tip)), expected)
        self.assertEqual(self.scene.show(self.tip, "staged.txt"), "as committed")
        self.assertEqual(self.scene.show(self.tip, "kept.txt"), "kept")

    def test_every_merge_can_be_verified_afterwards(self) -> None:
        self.assertEqual((self.verified["ok"], self.verified["merges"]), (True, 2))
        self.assertEqual(self.verified["tip"], self.tip)
        self.assertEqual(self.verified["gates_run"], 5)

    def test_the_spec_as_edited_is_what_the_planner_gets(self) -> None:
        (request,) = self.scene.requests("Plan")
        self.assertIn("Every word is written by hand.", request.prompt)

    def test_the_test_as_edited_is_frozen(self) -> None:
        frozen = self.scene.record("plan.json")["nodes"][0]["test_hashes"]
        self.assertEqual(frozen, {HELLO.test: hashlib.sha256(EDITED_TEST.encode()).hexdigest()})
        self.assertEqual(self.scene.show(self.tip, HELLO.test), EDITED_TEST.strip())
        self.assertFalse((self.scene.repo.root / ".director/tests").exists())

    def test_every_call_is_on_record_with_all_its_tokens(self) -> None:
        calls = self.scene.lines("costs.jsonl")
        roles = sorted(call["role"] for call in calls)
        twice = ["executor", "executor", "explorer", "planner", "planner", "reviewer"]
        self.assertEqual(roles, [*twice, "test_author", "test_author"])
        self.assertTrue(all(call["ok"] and call["cost"] > 0 for call in calls))
        for call in calls:
            if call["role"] in ("executor", "test_author"):
                self.assertGreater(call["cache_read"], 0, call)
            if call["role"] in ("planner", "test_author"):
                self.assertGreater(call["reasoning"], 0, call)
        total = sum(call["cost"] for call in calls)
        self.assertAlmostEqual(self.status["cost_total"], total)

    def test_the_checkout_is_as_it_was(self) -> None:
        self.assertEqual(self.scene.repo.fingerprint(), self.before)
        refs = self.scene.repo.git("for-each-ref", "--format=%(refname)").splitlines()
        new = f"refs/heads/{self.status['job_branch']}"
        self.assertEqual(set(refs), {"refs/heads/main", "refs/heads/other", "refs/stash", new})
        self.assertTrue(new.startswith("refs/heads/director/"))

    @unittest.skipUnless(PROC.is_dir(), "processes are found by /proc")
    def test_nothing_is_left_behind(self) -> None:
        self.assertEqual(self.scene.leftovers(), [])

    def test_sampling_and_limits_reach_the_provider(self) -> None:
        for request in self.scene.requests("Implement"):
            body = request.body
            self.assertEqual((body["model"], body["stream"]), ("executor", True))
            self.assertEqual((body["temperature"], body["top_p"], body["top_k"]), (0.25, 0.5, 7))
            self.assertEqual((body["repetition_penalty"], body["max_tokens"]), (1.1, 16_384))
        for request in self.scene.requests("Tests"):
            self.assertEqual({"top_p", "top_k"} & set(request.body), set())

    def test_roles_that_read_are_offered_no_way_to_change_anything(self) -> None:
        for heading in ("Recon", "Spec", "Plan", "Review"):
            offered = self._offered(heading)
            self.assertIn("read", offered, heading)
            self.assertEqual(offered & WRITING_TOOLS, set(), heading)

    def test_roles_that_write_are_offered_files_and_a_shell(self) -> None:
        for heading in ("Tests", "Implement"):
            self.assertLessEqual({"read", *WRITING_TOOLS}, self._offered(heading), heading)

    def test_no_agent_is_offered_sub_agents_or_the_web(self) -> None:
        self.assertEqual(tools_offered(self.scene.server.requests) & NEVER_OFFERED, set())

    def test_edits_outside_the_allowlist_are_refused(self) -> None:
        for log in ("hello.1", "hello.tests-1"):
            uses = self.scene.tool_uses(log)
            states = {_file_of(use): use["state"]["status"] for use in uses}
            inside = HELLO.test if "tests" in log else HELLO.file
            expected = {"kept.txt": "error", "planted.txt": "error", inside: "completed"}
            self.assertLessEqual(expected.items(), states.items(), log)
        self.assertNotIn("planted.txt", self.scene.paths(self.tip))
        self.assertFalse((self.scene.repo.root / "planted.txt").exists())

    def _offered(self, heading: str) -> set[str]:
        requests: list[Request] = self.scene.requests(heading)
        self.assertTrue(requests, heading)
        return tools_offered(requests)


class TestJobWithAnOpenCodeForEachCall(TestJobThroughTheGates):
    serving = "off"


def _disobedient(outside: str) -> dict[str, Sequence[Turn]]:
    """Return turns that also try to write where they may not: the model goes on regardless."""

    def turn(*files: tuple[str, str]) -> Use:
        forbidden = (("kept.txt", "changed\n"), (outside, "planted\n"))
        calls = [{"filePath": path, "content": text} for path, text in (*forbidden, *files)]
        return Use(tuple(Call("write", call) for call in calls))

    work = ((HELLO.file, "hello\nhello there\n"), (HELLO.extra_files[0], "hello\n"))
    return {
        "Tests hello": [turn((HELLO.test, HELLO.test_text)), DONE],
        "Implement hello": [turn(*work), DONE],
    }


def _leave_work_lying_about(scene: Scene) -> None:
    """Make the checkout one with work in progress."""
    repo = scene.repo
    repo.write("README.md", "stashed\n")
    repo.git("stash")
    repo.git("branch", "other")
    repo.write("staged.txt", "staged\n")
    repo.git("add", "staged.txt")
    repo.write("kept.txt", "not staged\n")
    repo.write("notes/untracked.txt", "mine\n")
    repo.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n").chmod(0o755)
    repo.write(".git/hooks/reference-transaction", "#!/bin/sh\nexit 1\n")


def _file_of(use: dict[str, Any]) -> str:
    path = str(use["state"]["input"]["filePath"])
    return path.rpartition("/")[2] if path.startswith("/") else path
