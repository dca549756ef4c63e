"""One call: how it is made, what ends it early, and how its end is judged.

With it: ``agents.backend``, ``callers``, ``opencode.backend``, ``inline_config``, ``session``,
``process_call``, ``reading``, ``recorder``, ``program``, ``shared_server``, ``users_server``.
"""

from __future__ import annotations

import json
import signal
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Outcome, Reply, Spending
from director.agents.opencode.backend import find_opencode
from director.agents.opencode.caller import OpenCode
from director.agents.opencode.events import STREAM_ERRORS_TOLERATED, OpenCodeReader
from director.agents.opencode.inline_config import inline_config, session_rules
from director.agents.recorder import CallRecorder
from director.agents.registry import AGENT_FOLDERS
from director.agents.templates import Template, load_template
from director.agents.transcript import Transcript
from director.agents.watching import EMPTY_FINISHES_TOLERATED
from director.model.config import Config, Limits, LocalProvider, Sampling
from director.model.errors import InterruptedRunError, RequestError
from director.model.roles import Agent, Role
from director.model.usage import Tokens
from director.processes.cancellation import Cancellation
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.records.events import Event, Events
from tests.support.fake_opencode import (
    FakeCall,
    FakeOpenCode,
    Step,
    exit_with,
    fail,
    finish,
    hang,
    orphan,
    raw,
    say,
    shell,
    stderr,
    wait_for,
    write,
)
from tests.support.fake_server import SILENT
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.process_table import alive

TIERS = dict.fromkeys(Role, "p/m")
STREAM_ERROR = 'level=ERROR message="stream error" error.error="Overloaded"'


def free(_transcript: Transcript) -> str | None:
    return None


class CallCase(HermeticCase):
    """Makes calls: each with an OpenCode of its own, or ``served`` as a session on a server."""

    served = False

    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeOpenCode(self.tmp / "opencode")
        self.path = self.fake.install(self.env)
        self.repository = self.tmp / "repo"
        self.work = self.tmp / "work"
        for folder in (self.repository, self.work):
            folder.mkdir()
        self.logs = self.tmp / "new" / "logs"
        self.cancellation = Cancellation()
        self.config = Config(TIERS)
        self.assignment = Assignment(
            Agent.EXECUTOR, Role.EXECUTOR, "# Implement\n\nNode: a\n", self.work, "a-1", ("a.py",)
        )

    def call(self, *steps: Step, spending: Spending = free, **env: str) -> Reply:
        if steps:
            self.fake.queue("executor", *steps)
        opencode = self.opencode(**env)
        log = opencode.recorder.new_log(self.assignment.name)
        with self.serving(opencode):
            return opencode.call(self.assignment, spending, log)

    def serving(self, opencode: OpenCode) -> AbstractContextManager[None]:
        return opencode.serving() if self.served else nullcontext()

    def opencode(self, **env: str) -> OpenCode:
        self.notices: list[Event] = []
        root, limits = self.repository, self.config.limits
        context = AgentContext(
            processes=Processes(self.tmp.name, self.cancellation),
            env={**self.path, **env},
            root=root,
            config=self.config,
            templates={agent: load_template(agent, root, AGENT_FOLDERS) for agent in Agent},
            sandbox=Sandbox(),
            recorder=CallRecorder(self.logs, limits.stall_timeout_secs),
            events=Events([self.notices.append]),
            beside=self.tmp / "server",
            notes=self.tmp / "notes",
            memory=self.tmp / "models.json",
        )
        return OpenCode(context, str(find_opencode(context.env)))

    def recalled(self, events: Path) -> Reply:
        return self.opencode().recorder.recall(events, OpenCodeReader())

    def made(self) -> FakeCall:
        return self.fake.calls()[-1]


class TestHowItIsMade(CallCase):
    def test_prompt_folder_agent_and_model(self) -> None:
        self.assignment = self.assignment._replace(prompt="# Implement\n\nNode: a\nü '$x'\n")
        self.call(finish())
        made = self.made()
        self.assertEqual((made.prompt, made.cwd), (self.assignment.prompt, self.work))
        self.assertEqual((made.agent, made.node), ("executor", "a"))
        self.assertEqual(made.option("--agent"), "director-executor")
        self.assertEqual((made.option("--model"), made.option("--format")), ("p/m", "json"))
        self.assertNotIn(self.assignment.prompt, made.argv)
        self.assertEqual(made.env["PWD"], str(self.work))

    def test_environment(self) -> None:
        self.call(
            finish(), GIT_DIR="/x", GIT_INDEX_FILE="/y", OPENCODE_PERMISSION='{"*":"allow"}',
            OPENCODE_OTHER="kept",
        )  # fmt: skip
        env = self.made().env
        for name in ("GIT_DIR", "GIT_INDEX_FILE", "OPENCODE_PERMISSION"):
            self.assertNotIn(name, env)
        self.assertEqual(env["OPENCODE_OTHER"], "kept")
        self.assertEqual(env["OPENCODE_DB"], ":memory:")
        self.assertEqual(env["HOME"], self.env["HOME"])

    def test_configuration_holds_the_agent_and_the_projects_models(self) -> None:
        settings = {"provider": {"p": {"name": "P"}}, "instructions": ["no"]}
        (self.repository / "opencode.json").write_text(json.dumps(settings))
        inherited = json.dumps({"provider": {"p": {"npm": "n"}}, "username": "u"})
        self.call(finish(), OPENCODE_CONFIG_CONTENT=inherited)
        config = self.made().config
        self.assertEqual(config["provider"]["p"], {"name": "P", "npm": "n"})
        self.assertEqual(config["username"], "u")
        self.assertNotIn("instructions", config)
        agent = config["agent"]["director-executor"]
        self.assertEqual(agent["permission"]["edit"], {"*": "deny", "a.py": "allow"})
        self.assertEqual(config["permission"]["task"], "deny")
        self.assertEqual((config["share"], config["snapshot"]), ("disabled", False))

    def test_the_repositorys_own_agent_file_is_used(self) -> None:
        path = self.repository / ".opencode/agents/executor.md"
        path.parent.mkdir(parents=True)
        path.write_text("---\nsteps: 9\n---\nBe brief.\n")
        self.call(finish())
        agent = self.made().config["agent"]["director-executor"]
        self.assertEqual((agent["prompt"], agent["steps"]), ("Be brief.", 9))
        self.assertEqual(agent["permission"]["edit"], {"*": "deny", "a.py": "allow"})

    def test_prompt_events_and_errors_are_kept_for_the_owner(self) -> None:
        reply = self.call(say("hello"), stderr("oops"))
        self.assertEqual(self.logs.stat().st_mode & 0o777, 0o700)
        self.assertEqual(
            {path.name for path in self.logs.iterdir()},
            {"a-1.prompt.md", "a-1.agent.jsonl", "a-1.agent.err"},
        )
        self.assertEqual((self.logs / "a-1.prompt.md").read_text(), self.assignment.prompt)
        self.assertIn('"hello"', reply.log.read_text())
        self.assertEqual((self.logs / "a-1.agent.err").read_text(), "oops\n")

    def test_calls_of_one_name_do_not_share_logs(self) -> None:
        self.assertNotEqual(self.call(finish()).log, self.call(finish()).log)


class TestOutcomes(CallCase):
    def test_completed(self) -> None:
        reply = self.call(
            shell("true"), finish("tool-calls"), write("a.py", "x"), say("done"), finish()
        )
        self.assertEqual((reply.outcome, reply.reason), (Outcome.COMPLETED, ""))
        self.assertEqual(reply.transcript.text, "done")
        self.assertEqual([use.name for use in reply.transcript.tools], ["bash", "write"])
        self.assertEqual(reply.transcript.tokens, Tokens(input=2000, output=200))
        self.assertEqual((self.work / "a.py").read_text(), "x")

    def test_the_exit_code_plays_no_part(self) -> None:
        self.assertEqual(self.call(finish(), exit_with(1)).outcome, Outcome.COMPLETED)
        rejected = stderr("permission requested: bash (git push); auto-rejecting")
        reply = self.call(rejected, finish("tool-calls"), exit_with(0))
        self.assertEqual(reply.outcome, Outcome.AGENT_FAULT)
        self.assertIn("bash (git push)", reply.reason)

    def test_an_overflow_that_was_recovered(self) -> None:
        reply = self.call(fail("ContextOverflowError", "too long", 413), say("done"), finish())
        self.assertEqual((reply.outcome, reply.reason), (Outcome.COMPLETED, ""))

    def test_faults(self) -> None:
        reply = self.call(fail("APIError", "slow\n  down", 429))
        self.assertEqual(reply.outcome, Outcome.PROVIDER_FAULT)
        self.assertEqual(reply.reason, "APIError (HTTP 429): slow down")
        reply = self.call(finish("tool-calls"), fail("ContextOverflowError", "too long"))
        self.assertEqual(reply.outcome, Outcome.CONTEXT_TOO_LONG)
        reply = self.call(finish("length"), fail("MessageOutputLengthError", "too much"))
        self.assertEqual(reply.outcome, Outcome.INCOMPLETE)


class TestAnOpenCodeOfItsOwn(CallCase):
    def test_no_answer_is_the_agents_fault_and_quotes_its_last_words(self) -> None:
        reply = self.call(
            raw("warning"), stderr("one"), stderr("Error: cannot start"), exit_with(1)
        )
        self.assertEqual(reply.outcome, Outcome.AGENT_FAULT)
        self.assertIn("Error: cannot start", reply.reason)
        self.assertIn("exit code 5", self.call(exit_with(5)).reason)

    def test_another_agent_than_was_asked_for_is_a_fault(self) -> None:
        reply = self.call(stderr('agent "x" not found. Falling back to default agent'), finish())
        self.assertEqual(reply.outcome, Outcome.AGENT_FAULT)

    def test_a_program_that_vanished_is_a_result(self) -> None:
        opencode = self.opencode()
        self.fake.program.unlink()
        reply = opencode.call(self.assignment, free, opencode.recorder.new_log("a"))
        self.assertEqual(reply.outcome, Outcome.AGENT_FAULT)
        self.assertIn("could not be started", reply.reason)


class OnAServer(CallCase):
    """The same tests, with a server that all calls share."""

    served = True

    def tearDown(self) -> None:
        self.assertEqual([], self.notices)  # none fell back to an OpenCode of its own
        for pid in self.fake.servers():
            self.assertFalse(alive(pid))
        self.assertIsNotNone(self.made().rules)
        super().tearDown()


class TestOutcomesOnAServer(OnAServer, TestOutcomes):
    pass


class TestRecall(CallCase):
    def test_a_call_that_was_completed_comes_back(self) -> None:
        reply = self.call(write("a.py", "x"), say("done"), finish(cost=0.5))
        again = self.recalled(reply.log)
        self.assertEqual(again, reply._replace(wall_secs=0.0))

    def test_a_call_that_was_cut_short_is_no_answer_but_what_it_used_is_known(self) -> None:
        reply = self.call(finish("tool-calls"), say("done"), finish())
        lines = reply.log.read_text().splitlines(keepends=True)
        reply.log.write_text("".join(lines[:-1]) + lines[-1][:20])
        again = self.recalled(reply.log)
        self.assertEqual(again.outcome, Outcome.AGENT_FAULT)
        self.assertEqual(again.transcript.tokens, Tokens(input=1000, output=100))

    def test_a_call_that_never_began_is_no_answer(self) -> None:
        again = self.recalled(self.logs / "none.jsonl")
        self.assertEqual(again.outcome, Outcome.AGENT_FAULT)
        self.assertEqual(again.transcript.tokens, Tokens())


class TestEndedEarly(CallCase):
    def test_time_out(self) -> None:
        self.config = Config(TIERS, limits=Limits(node_timeout_secs=1))
        reply = self.call(finish("tool-calls"), hang())
        self.assertEqual((reply.outcome, reply.reason), (Outcome.TIMED_OUT, "no end within 1 s"))

    def test_silence(self) -> None:
        self.config = Config(TIERS, limits=Limits(stall_timeout_secs=1))
        reply = self.call(finish("tool-calls"), hang())
        self.assertEqual(reply.outcome, Outcome.PROVIDER_FAULT)
        self.assertEqual(reply.reason, "no output for 1 s")

    def test_money(self) -> None:
        def spending(transcript: Transcript) -> str | None:
            return "too much" if transcript.tokens.input >= 3000 else None

        steps = [finish("tool-calls") for _ in range(3)]
        reply = self.call(*steps, hang(), spending=spending)
        self.assertEqual((reply.outcome, reply.reason), (Outcome.OVER_BUDGET, "too much"))
        self.assertEqual(reply.transcript.tokens.input, 3000)

    def test_an_answer_that_is_finished_is_not_lost_to_the_ceiling(self) -> None:
        reply = self.call(say("done"), finish(), spending=lambda _transcript: "too much")
        self.assertEqual(reply.outcome, Outcome.COMPLETED)

    def test_cancellation(self) -> None:
        def spending(_transcript: Transcript) -> str | None:
            self.cancellation.cancel(signal.SIGINT)
            return None

        reply = self.call(finish("tool-calls"), hang(), spending=spending)
        self.assertEqual(reply.outcome, Outcome.CANCELLED)

    def test_endless_empty_answers(self) -> None:
        empty = finish("unknown", input=0, output=0)
        reply = self.call(*[empty] * EMPTY_FINISHES_TOLERATED, hang())
        self.assertEqual(reply.outcome, Outcome.PROVIDER_FAULT)
        self.assertIn("empty", reply.reason)

    def test_repeated_stream_errors(self) -> None:
        reply = self.call(*[stderr(STREAM_ERROR)] * STREAM_ERRORS_TOLERATED, hang())
        self.assertEqual(reply.outcome, Outcome.PROVIDER_FAULT)
        self.assertIn("Overloaded", reply.reason)

    def test_fewer_stream_errors_are_borne(self) -> None:
        reply = self.call(*[stderr(STREAM_ERROR)] * (STREAM_ERRORS_TOLERATED - 1), finish())
        self.assertEqual(reply.outcome, Outcome.COMPLETED)

    def test_what_the_agent_left_running_is_ended(self) -> None:
        pid = self.work / "pid"
        start = orphan("echo $$ > new; mv new pid; exec sleep 300")
        self.assertEqual(self.call(start, wait_for("pid"), finish()).outcome, Outcome.COMPLETED)
        state = Path(f"/proc/{pid.read_text().strip()}/stat")
        self.assertTrue(not state.exists() or ") Z " in state.read_text())


class TestEndedEarlyOnAServer(OnAServer, TestEndedEarly):
    pass


class TestASilentServer(CallCase):
    """It takes requests, and never tells what happens."""

    served = True

    def setUp(self) -> None:
        super().setUp()
        self.fake.serve(SILENT)

    def test_time_out(self) -> None:
        self.config = Config(TIERS, limits=Limits(node_timeout_secs=1))
        self.assertEqual(self.call().outcome, Outcome.TIMED_OUT)
        self.assertFalse(any(alive(pid) for pid in self.fake.servers()))

    def test_silence(self) -> None:
        self.config = Config(TIERS, limits=Limits(stall_timeout_secs=1))
        self.assertEqual(self.call().outcome, Outcome.PROVIDER_FAULT)

    def test_cancellation(self) -> None:
        opencode = self.opencode()
        with self.serving(opencode):
            self.cancellation.cancel(signal.SIGINT)
            with self.assertRaises(InterruptedRunError):  # while it starts
                opencode.call(self.assignment, free, opencode.recorder.new_log("a"))


class TestInlineConfig(TemporaryCase):
    def config(self, config: Config, role: Role = Role.EXECUTOR) -> dict[str, Any]:
        assignment = Assignment(Agent.EXECUTOR, role, "", self.tmp, "a", ("a.py",))
        return inline_config(assignment, Template("prompt", {}), config)

    def test_no_sampling_says_nothing(self) -> None:
        found = self.config(Config(TIERS))
        self.assertEqual(found["provider"], {})
        for key in ("temperature", "top_p", "reasoningEffort"):
            self.assertNotIn(key, found["agent"]["director-executor"])

    def test_sampling_of_the_role(self) -> None:
        sampling = {
            Role.EXECUTOR: Sampling(temperature=0.0, reasoning_effort="low", options={"x": 1})
        }
        agent = self.config(Config(TIERS, sampling=sampling))["agent"]["director-executor"]
        self.assertEqual(
            (agent["temperature"], agent["reasoningEffort"], agent["x"]), (0.0, "low", 1)
        )
        other = self.config(Config(TIERS, sampling=sampling), Role.ESCALATION)
        self.assertNotIn("temperature", other["agent"]["director-executor"])

    def test_a_local_endpoint(self) -> None:
        tiers = {**TIERS, Role.EXECUTOR: "local/org/qwen"}
        config = Config(tiers, local=LocalProvider("http://x/v1", context=1000, output=100))
        local = self.config(config)["provider"]["local"]
        self.assertEqual(local["options"]["baseURL"], "http://x/v1")
        self.assertEqual(local["models"]["org/qwen"]["limit"], {"context": 1000, "output": 100})
        self.assertEqual(self.config(config, Role.ESCALATION)["provider"], {})


class TestSessionRules(TemporaryCase):
    def test_what_was_cut_out_of_long_output_may_be_read_and_nothing_else_outside(self) -> None:
        assignment = Assignment(Agent.EXECUTOR, Role.EXECUTOR, "", self.tmp, "a", ("a.py",))
        rules = session_rules(assignment, Template("prompt", {}), {"XDG_DATA_HOME": "/data"})
        outside = [r for r in rules if r["permission"] == "external_directory"]
        told = [(one["pattern"], one["action"]) for one in outside]
        self.assertEqual(told, [("*", "deny"), ("/data/opencode/tool-output/*", "allow")])


class TestFindProgram(TemporaryCase):
    def test_on_the_given_path_only(self) -> None:
        with self.assertRaisesRegex(RequestError, "not on PATH"):
            find_opencode({"PATH": str(self.tmp)})
        program = self.tmp / "opencode"
        program.touch()
        with self.assertRaises(RequestError):
            find_opencode({"PATH": str(self.tmp)})
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.assertEqual(find_opencode({"PATH": str(self.tmp)}), program)
