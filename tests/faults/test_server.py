"""The server that calls share may fail in every way; no work, no money and no process is lost."""

from __future__ import annotations

import json
import signal
import unittest

from director.processes.process_table import PROC
from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import (
    answer,
    fail,
    finish,
    kill_server,
    mark,
    orphan,
    say,
    silent_shell,
    wait_for,
    write,
)
from tests.support.fake_server import REFUSES
from tests.support.jobs import node, script_of_test
from tests.support.process_table import alive
from tests.support.users_server import start_users_server

MODELS = tuple(f"fake/{name}" for name in ("strong", "author", "cheap", "scout", "reader", "big"))
FLAKES = "[limits]\nprovider_retries = 1\n"


class ServerCase(FaultCase):
    server = "auto"

    def setUp(self) -> None:
        super().setUp()
        self.configure()

    def notices(self) -> list[str]:
        """Return what was told besides; that there are no [gates] is another matter."""
        told = [one["message"] for one in self.lines("events.jsonl") if one["kind"] == "notice"]
        return [message for message in told if not message.startswith("no integration gate")]

    def reasons(self) -> set[str]:
        """Return why calls did not share the server; each is told once per command."""
        start = "calls do not share an OpenCode server: "
        return {one.removeprefix(start) for one in self.notices() if one.startswith(start)}

    def in_sessions(self) -> list[bool]:
        """Return for each executor call whether it was a session on a server."""
        calls = [call for call in self.fake.calls() if call.heading == "Implement"]
        return [call.rules is not None for call in calls]

    def a_step_is_on_record(self) -> bool:
        """Whether the executor's call has told of a finished step."""
        logs = (self.home / "logs").glob("a.1.agent*.jsonl")
        return any("step_finish" in log.read_text() for log in logs)

    def no_server_is_left(self) -> None:
        self.assertEqual([pid for pid in self.fake.servers() if alive(pid)], [])


class TestASharedServer(ServerCase):
    def test_one_server_serves_all_lanes_and_is_gone_afterwards(self) -> None:
        self.plan(node("a"), node("b"), node("c"))
        planned = len(self.fake.servers())
        for name in "abc":
            self.implement(name)
        self.ends(0, "run", "--parallel", "3")
        self.assertEqual(len(self.fake.servers()) - planned, 1)
        self.assertEqual(self.in_sessions(), [True] * 3)
        self.assertEqual(self.notices(), [])
        self.no_server_is_left()

    def test_it_starts_beside_the_gate_before_the_first_call(self) -> None:
        self.fake.lists(*MODELS)
        self.configure("[limits]\nnode_timeout_secs = 60\n")
        earlier, servers = self.tmp / "earlier", self.fake.folder / "servers"
        more = f"[ $(wc -l < {servers}) -gt $(cat {earlier}) ]"
        waits = f"if [ -e {earlier} ]; then until {more}; do sleep 0.01; done; fi\n"
        self.plan(node("a"), tests={"a": waits + script_of_test("a")})
        earlier.write_text(f"{len(self.fake.servers())}")
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])

    def test_it_is_asked_for_the_models_before_the_first_call(self) -> None:
        self.fake.lists(*MODELS)
        self.script_planning(node("a"))
        self.ends(0, "plan", "make things", "--no-critique")
        self.assertEqual(len(self.fake.servers()), 1)
        self.assertIn("server", {one.name for one in self.fake.loads()})
        self.assertEqual(set(self.stored("models.json")["models"]), set(MODELS))

    def test_a_model_that_it_does_not_know_is_refused_before_the_first_call(self) -> None:
        self.fake.lists(*MODELS[:-1])
        done = self.ends(2, "plan", "make things", "--no-critique", "--json")
        self.assertIn("know fake/big (escalation", done.json["error"])
        self.assertEqual(self.fake.calls(), [])
        self.no_server_is_left()

    @unittest.skipUnless(PROC.is_dir(), "its size is unknown without /proc")
    def test_one_that_holds_too_much_is_replaced_with_one_line(self) -> None:
        self.configure("[opencode]\nserver_max_mib = 1\n")
        names = "abcdef"
        self.plan(*map(node, names))
        planned = len(self.fake.servers())
        for name in names:
            self.implement(name)
        self.ends(0, "run")
        self.assertEqual(len(self.fake.servers()) - planned, 2)
        self.assertEqual(self.in_sessions(), [True] * 6)
        told = r"another OpenCode server takes over: it holds \d+ MiB after 4 calls"
        self.assertRegex("\n".join(self.notices()), told)
        self.no_server_is_left()

    def test_a_session_may_edit_what_its_node_may_and_nothing_else(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        rules = self.fake.calls()[-1].rules or []
        edit = [(one["pattern"], one["action"]) for one in rules if one["permission"] == "edit"]
        self.assertEqual(edit, [("*", "deny"), ("a.txt", "allow")])
        self.assertEqual(rules[0], {"permission": "*", "pattern": "*", "action": "deny"})
        self.assertIn({"permission": "task", "pattern": "*", "action": "deny"}, rules)
        writer = self.fake.calls()[-1].agents["executor"]
        self.assertEqual(writer["permission"]["edit"], {"*": "deny"})

    def test_a_reader_may_edit_nothing(self) -> None:
        self.configure("[review]\nstage_two_file_threshold = 0\n")
        self.plan(node("a"))
        self.implement("a")
        verdict = {"verdict": "pass", "summary": "fine", "findings": []}
        self.fake.queue("reviewer", answer(verdict))
        self.ends(0, "run")
        rules = self.fake.calls()[-1].rules or []
        self.assertEqual(self.fake.calls()[-1].agent, "reviewer")
        denied = {one["permission"] for one in rules if one["action"] == "deny"}
        self.assertLessEqual({"edit", "bash", "task", "webfetch"}, denied)

    def test_the_escalation_tier_has_its_own_agent(self) -> None:
        self.configure("[limits]\nmax_attempts = 1\n[sampling.escalation]\ntemperature = 0.5\n")
        self.plan(node("a"))
        self.implement("a", *bad())
        self.implement("a")
        self.fake.always("reviewer", answer({"verdict": "pass", "summary": "", "findings": []}))
        self.ends(0, "run")
        self.assertEqual(self.node_state("a")["tier_used"], "escalation")
        agents = self.fake.calls()[-1].agents
        self.assertEqual(agents["escalation"]["temperature"], 0.5)
        self.assertNotIn("temperature", agents["executor"])

    def test_a_tier_that_shares_its_model_but_not_its_settings_gets_an_opencode_of_its_own(
        self,
    ) -> None:
        tiers = self.home / "config.toml"
        self.configure("[sampling.escalation]\ntemperature = 0.5\n")
        tiers.write_text(tiers.read_text().replace('= "fake/big"', '= "fake/cheap"'))
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.in_sessions(), [False])
        self.assertNotIn("temperature", str(self.fake.calls()[-1].config["provider"]))
        self.assertEqual(self.reasons(), {"[sampling] differs between tiers that have fake/cheap"})

    def test_what_one_call_leaves_running_ends_and_the_other_lane_goes_on(self) -> None:
        self.plan(node("a"), node("b"))
        up, seen = self.tmp / "up", self.tmp / "seen"
        start = f"echo $$ > {up}.new; mv {up}.new {up}; exec sleep 300"
        self.implement("a", orphan(start), wait_for(up), *good())
        self.implement("b", mark(self.tmp / "b"), wait_for(seen), write("b.txt", "good\n"))
        running = self.start("run", "--parallel", "2")
        self.until(lambda: up.exists() and not alive(int(up.read_text())))
        self.assertTrue(any(alive(pid) for pid in self.fake.servers()))
        seen.touch()
        self.assertEqual(running.ended().code, 0)
        self.assertEqual(self.in_sessions(), [True, True])

    def test_code_that_an_agent_adds_to_its_project_does_not_get_into_the_server(self) -> None:
        self.configure("[limits]\nprovider_retries = 1\n")
        self.plan(node("a"))
        added = "mkdir -p .opencode/plugin; echo 'evil()' > .opencode/plugin/e.js"
        self.implement("a", silent_shell(added), fail("APIError", "down", 500))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.in_sessions(), [True, False])
        self.assertEqual(
            self.reasons(),
            {"the worktree has code that OpenCode would run (.opencode/plugin/e.js)"},
        )
        self.only_the_work_is_merged()

    def test_a_project_that_brings_code_for_opencode_has_an_opencode_for_each_call(self) -> None:
        self.commit_files({"opencode.json": '{"mcp": {"x": {"type": "local", "command": []}}}'})
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.implement("b")
        done = self.ends(0, "run")
        self.assertEqual(self.fake.servers(), [])
        self.assertEqual(done.err.count("calls do not share an OpenCode server"), 1)
        self.assertIn(
            'the worktree has code that OpenCode would run ("mcp" in opencode.json)', done.err
        )

    def test_what_sync_agents_wrote_may_be_committed(self) -> None:
        self.ends(0, "sync-agents")
        self.repo.git("add", "--", ".opencode")
        self.repo.git("commit", "--quiet", "--message", "agents")
        self.before = self.repo.fingerprint()
        self.plan(node("a"))
        self.implement("a", silent_shell("ls -A .opencode > $TMPDIR/seen"), *good())
        self.ends(0, "run")
        self.assertEqual(self.in_sessions(), [True])
        self.assertEqual(self.notices(), [])
        # as OpenCode leaves its folder where it has installed what it wants there
        seen = (self.place / "home" / "tmp" / "seen").read_text().split()
        self.assertLessEqual({"agents", "node_modules", "package-lock.json"}, set(seen))
        self.assertEqual(self.subjects(), ["Tests of a", "Make a"])
        changed = self.repo.git("diff", "--name-only", "HEAD", self.branch).split()
        self.assertEqual(changed, ["a.txt", "tests/a.sh"])

    def test_no_agent_of_the_projects_can_have_the_name_of_one_of_directors(self) -> None:
        self.commit_files({".opencode/agents/director-executor.md": "---\nsteps: 1\n---\nMine."})
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.configure('[opencode]\nserver = "off"\n')
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.in_sessions(), [True, False])
        calls = [call for call in self.fake.calls() if call.heading == "Implement"]
        for call in calls:
            own = [name for name in call.config["agent"] if name.endswith("-executor")]
            self.assertRegex(own[0], "^director-[0-9a-f]{8}-executor$")

    def test_a_folder_in_place_of_the_notes_for_the_next_call_gains_an_agent_nothing(self) -> None:
        self.plan(node("a"))
        self.implement("a", silent_shell('rm -f "$PWD.env.json"; mkdir -p "$PWD.env.json/x"'))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["unchanged", "green"])

    def test_an_agent_does_not_see_what_opens_the_server(self) -> None:
        self.plan(node("a"))
        self.implement("a", silent_shell("env > told.txt; cp told.txt $TMPDIR/told"), *good())
        self.ends(0, "run")
        told = (self.place / "home" / "tmp" / "told").read_text()
        self.assertIn("OPENCODE_SERVER_PASSWORD=\n", told)

    def test_with_the_server_off_every_call_has_an_opencode_of_its_own(self) -> None:
        self.configure('[opencode]\nserver = "off"\n')
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.fake.servers(), [])
        self.assertEqual(self.in_sessions(), [False])
        self.assertEqual(self.notices(), [])  # as it was asked for

    def test_a_sandbox_which_is_made_for_one_worktree_has_no_server(self) -> None:
        self.configure('[sandbox]\ncommand = "env IN_A_BOX=1"\n')
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.fake.servers(), [])
        self.assertEqual(self.reasons(), {"the command of [sandbox] is made for one worktree"})

    def test_without_plugins_there_is_no_server(self) -> None:
        self.env = {**self.env, "OPENCODE_PURE": "1"}
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.fake.servers(), [])
        self.assertIn("OPENCODE_PURE is set", " ".join(self.reasons()))


class TestAServerThatFails(ServerCase):
    def test_one_that_cannot_start_costs_one_line(self) -> None:
        self.fake.serve(REFUSES)
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.implement("b")
        done = self.ends(0, "run", "--parallel", "2")
        self.assertEqual(done.err.count("no OpenCode server"), 1)
        self.assertIn("serving is not to be had", done.err)
        self.assertEqual(self.in_sessions(), [False, False])

    def test_one_that_dies_amid_a_call_is_replaced_and_the_call_made_again(self) -> None:
        self.configure(FLAKES)
        self.plan(node("a"))
        before = len(self.fake.servers())
        told = self.tmp / "told"
        self.implement(
            "a", finish("tool-calls", input=700), wait_for(told), kill_server(), wait_for("never")
        )
        self.implement("a")
        running = self.start("run")
        self.until(self.a_step_is_on_record)
        told.touch()
        self.assertEqual(running.ended().code, 0)
        self.assertEqual(len(self.fake.servers()) - before, 2)
        self.assertEqual(self.outcomes(), ["green"])
        self.only_the_work_is_merged()
        faults = [one for one in self.lines("events.jsonl") if one["kind"] == "provider_fault"]
        self.assertIn("the OpenCode server failed", faults[0]["reason"])
        paid = [one["input"] for one in self.lines("costs.jsonl") if one["role"] == "executor"]
        self.assertEqual(paid, [700, 1000])
        self.no_server_is_left()

    def test_what_a_dead_server_left_running_is_ended(self) -> None:
        self.configure(FLAKES)
        self.plan(node("a"))
        pid = self.tmp / "pid"
        start = f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 300"
        self.implement("a", orphan(start), wait_for(pid), kill_server(), wait_for("never"))
        self.implement("a")
        self.ends(0, "run")
        self.assertFalse(alive(int(pid.read_text())))

    def test_ctrl_c_ends_the_session_and_the_server(self) -> None:
        self.plan(node("a"))
        up = self.tmp / "up"
        self.implement("a", mark(up), wait_for("never"))
        running = self.start("run")
        self.until(up)
        running.send(signal.SIGINT)
        self.assertEqual(running.ended().code, 130)
        self.no_server_is_left()
        self.is_pending_and_resumable()

    def test_a_kill_of_director_leaves_no_server(self) -> None:
        self.plan(node("a"))
        self.implement("a", finish("tool-calls", input=700), wait_for("never"))
        running = self.start("run")
        self.until(self.a_step_is_on_record)
        running.send(signal.SIGKILL)
        running.ended()
        self.until(lambda: not any(alive(pid) for pid in self.fake.servers()))
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()
        paid = [one["input"] for one in self.lines("costs.jsonl") if one["role"] == "executor"]
        self.assertEqual(sorted(paid), [700, 1000])


class TestUsersServer(ServerCase):
    def users_server(self, config: str = '{"agent": {}}') -> str:
        return start_users_server(self.addCleanup, self.env, self.tmp, config)

    def configured(self, url: str) -> None:
        self.configure(f'[opencode]\nserver = "{url}"\n')

    def test_one_that_does_not_answer_stops_the_run(self) -> None:
        self.plan(node("a"))
        self.configured("http://127.0.0.1:1")
        done = self.ends(3, "run", "--json")
        self.assertIn("http://127.0.0.1:1", done.json["what"])
        self.configure()
        self.is_pending_and_resumable()

    def test_one_that_does_not_know_the_agents_is_told_how_to(self) -> None:
        self.plan(node("a"))
        url = self.users_server()
        self.configured(url)
        self.env = {**self.env, "OPENCODE_SERVER_PASSWORD": "open"}
        done = self.ends(2, "run", "--json")
        self.assertIn("director-executor", done.json["what"])
        config = self.home / "opencode-server.json"
        self.assertIn(f"$(cat {config})", done.json["next"])
        self.configured(self.users_server(config.read_text()))
        self.implement("a", say("done"), *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()
        self.assertEqual(self.in_sessions(), [True])
        self.assertTrue(alive(self.fake.servers()[-1]))  # it is not ours to end

    def test_its_password_is_wanted(self) -> None:
        self.plan(node("a"))
        self.configured(self.users_server(json.dumps({"agent": {}})))
        done = self.ends(3, "run", "--json")
        self.assertIn("401", done.json["what"])
        self.assertIn("OPENCODE_SERVER_PASSWORD", done.json["next"])

    def test_a_sandbox_cannot_hold_it(self) -> None:
        self.configure('[opencode]\nserver = "http://x:1"\n[sandbox]\ncommand = "env"\n')
        done = self.ends(2, "run", "--json")
        self.assertIn("[sandbox]", done.json["error"])
