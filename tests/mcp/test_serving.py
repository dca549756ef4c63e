"""``director mcp`` as a process, fed by hand: a job from plan to verify, cancellation, ends.

Of ``mcp.serving``. With it: ``mcp.server``, ``mcp.calls``, ``mcp.commands``, ``mcp.resources``,
``commands.mcp``.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from director.mcp.brief import MOST_TOKENS, tokens_at_most
from tests.faults.cases import FaultCase
from tests.support.fake_opencode import hang, mark, shell, write
from tests.support.jobs import marked_processes, node
from tests.support.mcp_client import PATIENCE_SECS, HandFed


class ServingCase(FaultCase):
    def client(self, *flags: str) -> HandFed:
        found = HandFed(self.repo.root, self.env, *flags)
        self.addCleanup(found.put_down)
        return found

    def begun(self, version: str = "2025-06-18") -> HandFed:
        found = self.client()
        found.begin(version)
        return found


class TestJob(ServingCase):
    """A whole job by tools and resources."""

    def test_from_plan_to_verify(self) -> None:
        self.script_planning(node("a"), node("b"))
        client = self.begun()
        said = client.call("plan", task="- make things\nin two nodes")
        self.assertEqual((said["ok"], said["stage"]), (True, "gate_spec"))
        self.assertEqual(client.read("spec"), "the spec\n")
        self.assertEqual(client.call("approve")["stage"], "gate_plan")
        self.assertEqual(len(json.loads(client.read("plan"))["nodes"]), 2)
        self.assertEqual(client.call("revise", drop="b")["nodes"], ["a"])
        self.assertIn("tool `approve`", client.read("current"))
        self.assertEqual(client.call("approve")["stage"], "ready")
        self.implement("a")
        done = client.call("run", parallel="auto")
        self.assertEqual((done["command"], done["exit_code"]), ("run", 0))
        self.assertEqual(client.call("verify")["exit_code"], 0)
        self.assertEqual(client.call("node", node="a")["state"]["status"], "done")
        self.assertEqual(client.call("logs", node="a", part="prompt")["exit_code"], 0)
        self.assertEqual(json.loads(client.read("node/a"))["node"]["id"], "a")
        self.assertIn('"kind":"node"', client.read("metrics").replace(" ", ""))
        self.assertIn("nodes: 1 done", client.read("current"))
        self.assertEqual(self.stored("plan_stage.json")["task"], "- make things\nin two nodes")
        self.assertEqual(client.ends(), 0)
        self.assertEqual(client.errors(), "")

    def test_a_result_is_what_the_command_line_prints(self) -> None:
        self.plan(node("a"))
        client = self.begun()
        printed = self.ends(0, "status", f"--repo={self.repo.root}", "--json").json
        found = client.asks("tools/call", {"name": "status"})["result"]
        self.assertEqual(found["structuredContent"], printed)
        self.assertEqual(json.loads(found["content"][0]["text"]), printed)
        self.assertFalse(found["isError"])

    def test_a_failed_node_is_an_error_and_stands_in_the_brief(self) -> None:
        self.plan(node("a"))
        self.fake.always("executor", write("a.txt", "bad\n"), node="a")
        client = self.begun()
        found = client.asks("tools/call", {"name": "run", "arguments": {"max_attempts": 1}})
        self.assertTrue(found["result"]["isError"])
        self.assertEqual(found["result"]["structuredContent"]["exit_code"], 1)
        said = client.read("current")
        self.assertIn("no good a", said)
        self.assertIn("(tool `amend`)", said)
        self.assertLessEqual(tokens_at_most(said), MOST_TOKENS)

    def test_a_client_changes_a_node_and_writes_another_itself(self) -> None:
        self.plan(node("a"), node("b"))
        client = self.begun()
        self.assertEqual(client.call("amend", node="a")["state"], "open")
        (self.home / "tests" / "tests" / "a.sh").write_text("grep -q better a.txt\n")
        self.assertEqual(client.call("amend", node="a", approve=True)["state"], "approved")
        taken = client.call("take", node="b")
        self.assertEqual((taken["state"], taken["files"]), ("taken", ["b.txt"]))
        self.implement("a", write("a.txt", "better\n"))
        self.assertEqual(client.call("run")["done"], 1)
        refused = client.call("give", node="b")
        self.assertEqual((refused["exit_code"], refused["outcome"]), (1, "unchanged"))
        (Path(taken["worktree"]) / "b.txt").write_text("good\n")
        self.assertEqual(client.call("give", node="b")["state"], "merged")
        self.assertEqual(client.call("run")["exit_code"], 0)
        self.assertEqual(client.call("jobs")["jobs"][0]["standing"], "done")
        self.assertIn("rows", client.call("doctor"))
        self.assertEqual(client.call("resume_job", job="nosuch")["exit_code"], 2)
        self.assertEqual(client.ends(), 0)
        self.assertEqual(self.left_behind(), [])

    def test_giving_and_amending_tell_how_far_they_are(self) -> None:
        self.plan(node("a"))
        client = self.begun()
        taken = client.call("take", node="a")
        (Path(taken["worktree"]) / "a.txt").write_text("good\n")
        meta = {"_meta": {"progressToken": "p"}}
        client.asks("tools/call", {"name": "give", "arguments": {"node": "a"}, **meta})
        told = [one["params"]["message"] for one in client.heard if one.get("method")]
        self.assertTrue([one for one in told if one.startswith("a: merged")], told)

    def test_progress_is_told_with_the_token_only(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        client = self.begun()
        meta = {"_meta": {"progressToken": "p"}}
        client.asks("tools/call", {"name": "run", "arguments": {}, **meta})
        told = [one["params"] for one in client.heard if one.get("method")]
        self.assertEqual({one["progressToken"] for one in told}, {"p"})
        counts = [one["progress"] for one in told]
        self.assertEqual(counts, sorted(set(counts)))
        self.assertTrue([one for one in told if one["message"].startswith("a: merged")], told)
        before = len(client.heard)
        client.call("run")
        self.assertEqual(len(client.heard), before + 1)

    def test_the_model_and_the_shell_find_nothing_outside_of_the_repository(self) -> None:
        self.plan(node("a"))
        client = self.begun()
        for uri in ("node/../../etc", "node/--repo=%2Ftmp", "file", "spec/../plan", ""):
            found = client.asks("resources/read", {"uri": f"director://job/{uri}"})
            self.assertEqual(found["error"]["code"], -32002, uri)
        found = client.asks("resources/read", {"uri": "file:///etc/passwd"})
        self.assertEqual(found["error"]["code"], -32002)
        found = client.asks("tools/call", {"name": "logs", "arguments": {"node": "--repo=/"}})
        self.assertEqual(found["error"]["code"], -32602)


class TestEnds(ServingCase):
    """However a call or the conversation ends, nothing is left, and the job continues."""

    def under_way(self, **arguments: object) -> HandFed:
        """Return a client whose call of `run`, with the id 7, waits for an agent that hangs."""
        self.plan(node("a"))
        self.implement("a", shell("true"), mark(self.tmp / "on"), hang(stubborn=True))
        client = self.begun()
        client.send("tools/call", {"name": "run", "arguments": arguments}, id=7)
        self.until(self.tmp / "on")
        return client

    def test_a_cancelled_call_ends_in_order_and_is_not_answered(self) -> None:
        client = self.under_way()
        client.send("notifications/cancelled", {"requestId": 7, "reason": "enough"})
        self.until(lambda: not client.call("status")["under_way"])
        self.assertNotIn(7, [one.get("id") for one in client.heard])
        self.assertEqual(client.call("status")["last_end"]["exit_code"], 130)
        self.is_pending_and_resumable()

    def test_stop_ends_it_and_both_are_answered(self) -> None:
        client = self.under_way()
        self.assertIsNotNone(client.call("stop")["stopped"])
        said = [one for one in client.heard if one.get("id") == 7] or [client.answer(7)]
        self.assertEqual(said[0]["result"]["structuredContent"]["exit_code"], 130)
        self.is_pending_and_resumable()

    def test_a_call_that_is_not_waited_for_continues(self) -> None:
        client = self.under_way(wait_secs=1)
        found = client.answer(7)["result"]["structuredContent"]
        self.assertEqual((found["command"], found["under_way"]), ("status", True))
        self.assertTrue(client.call("status")["under_way"])
        client.call("stop")
        self.is_pending_and_resumable()

    def test_the_end_of_the_input_ends_what_is_under_way(self) -> None:
        client = self.under_way()
        self.assertEqual(client.ends(), 0)
        self.assertEqual(self.left_behind(), [])
        self.is_pending_and_resumable()

    def test_so_does_a_signal(self) -> None:
        client = self.under_way()
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.process.wait(PATIENCE_SECS), 143)
        self.assertEqual(self.left_behind(), [])
        self.is_pending_and_resumable()

    def test_so_do_two_at_once(self) -> None:
        client = self.under_way()
        client.process.send_signal(signal.SIGINT)
        client.process.send_signal(signal.SIGTERM)
        self.assertIn(client.process.wait(PATIENCE_SECS), (130, 143))
        self.until(lambda: not marked_processes(self.tmp))
        self.implement("a")
        self.ends(0, "run")

    def test_and_even_a_kill(self) -> None:
        client = self.under_way()
        client.process.kill()
        client.process.wait()
        self.until(lambda: not self.ends(0, "status", "--json").json["under_way"])
        self.is_pending_and_resumable()


class TestRepository(ServingCase):
    """Folders that are no repository yet."""

    def test_init_repo_makes_one_with_a_commit_and_a_configuration(self) -> None:
        self.fake.lists("fake/strong", "fake/cheap")
        folder = self.place / "new"
        folder.mkdir()
        (folder / "a.txt").write_text("words\n")
        client = HandFed(folder, self.env)
        self.addCleanup(client.put_down)
        client.begin()
        self.assertEqual(client.call("status")["exit_code"], 2)
        made = client.call("init_repo", set=["tiers.planner=fake/strong"])
        self.assertEqual((made["ok"], made["initialised"]), (True, True), made)
        self.assertTrue((folder / ".director" / "config.toml").exists())
        again = client.call("init_repo", set=["limits.max_attempts=2"])
        self.assertEqual((again["ok"], again["commit"]), (True, None), again)
