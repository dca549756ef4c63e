"""How a call is made with Claude Code, and what comes of it.

With it: ``claude_code.backend``.
"""

from __future__ import annotations

import json
from pathlib import Path

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Outcome, Reply, Spending
from director.agents.claude_code.backend import CLAUDE_CODE
from director.agents.claude_code.options import ClaudeCodeOptions
from director.agents.recorder import CallRecorder
from director.agents.templates import bundled_text, load_template
from director.agents.transcript import FaultKind
from director.model.config import Config, Sampling
from director.model.roles import Agent, Role
from director.model.secrets import NOTHING_SECRET
from director.model.slots import scratch_folder
from director.model.usage import Tokens
from director.processes.cancellation import Cancellation
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.records.events import Events
from tests.agents.claude_code.fake_claude import FakeClaude, Started
from tests.agents.claude_code.recordings import STREAMS
from tests.support.hermetic import HermeticCase

SUCCESS = (STREAMS / "success.jsonl").read_text(encoding="utf-8")
MODEL = "claude-probe-1"
SECRET = "a-key-that-must-not-be-seen"


class CallCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeClaude(self.tmp / "bin")
        self.env |= {"PATH": f"{self.fake.install().parent}:{self.env['PATH']}"}
        self.work = self.tmp / "slot-3"
        self.work.mkdir()
        self.config = Config(dict.fromkeys(Role, f"claude-code/{MODEL}"))
        self.options = ClaudeCodeOptions()
        self.recorder = CallRecorder(self.tmp / "logs", 60)
        self.spending: Spending = lambda _transcript: None
        self.assignment = Assignment(
            Agent.EXECUTOR, Role.EXECUTOR, "# Implement\nü '$x'\n", self.work, "a-1", ("a b.py",)
        )

    def context(self) -> AgentContext:
        return AgentContext(
            processes=Processes(self.tmp.name, Cancellation()),
            env=self.env,
            root=self.tmp,
            config=self.config._replace(agents={"claude-code": self.options}),
            templates={agent: load_template(agent, self.tmp, ()) for agent in Agent},
            sandbox=Sandbox(),
            recorder=self.recorder,
            events=Events(),
            beside=self.tmp / "server",
            notes=self.tmp / "notes",
            memory=self.tmp / "models.json",
        )

    def call(self, stream: str = SUCCESS, then_secs: float = 0) -> Reply:
        self.fake.says(stream, then_secs)
        with CLAUDE_CODE.open(self.context()) as claude:
            return claude.call(self.assignment, self.spending, self.recorder.new_log("a-1"))

    def started(self) -> Started:
        return self.fake.started()


class TestHowItIsMade(CallCase):
    def test_prompt_folder_and_model(self) -> None:
        self.call()
        made = self.started()
        self.assertEqual((made.prompt, made.cwd), (self.assignment.prompt, str(self.work)))
        self.assertEqual((made.after("--model"), made.argv[0]), (MODEL, "-p"))

    def test_only_what_the_role_may_use_is_offered(self) -> None:
        self.call()
        made = self.started()
        self.assertEqual(made.after("--tools"), "Bash,Edit,Glob,Grep,Read,Write")
        allowed = json.loads(made.after("--settings"))["permissions"]["allow"]
        self.assertEqual(allowed, [f"Edit(/{self.work}/a b.py)", "Bash"])
        self.assertEqual(made.after("--permission-mode"), "dontAsk")
        self.assertEqual(made.after("--setting-sources"), "")
        self.assertLessEqual({"--strict-mcp-config", "--no-session-persistence"}, set(made.argv))

    def test_the_system_prompt_is_the_roles_and_names_the_folder(self) -> None:
        (self.work / "AGENTS.md").write_text("Use tabs.\n")
        self.call()
        system = self.started().system
        role = system.partition("\n\nYour working directory")[0]
        self.assertTrue(bundled_text(Agent.EXECUTOR).rstrip().endswith(role))
        self.assertIn(f"Your working directory is {self.work}.", system)
        self.assertIn("Use tabs.", system)

    def test_its_own_files_are_beside_the_worktree_and_go_away(self) -> None:
        self.call()
        made, scratch = self.started(), scratch_folder(self.work)
        self.assertEqual(Path(made.system_file).parent, scratch)
        self.assertEqual(made.env["CLAUDE_CODE_TMPDIR"], str(scratch))
        self.assertEqual(Path(made.env["CLAUDE_CONFIG_DIR"]).parent, scratch)
        self.assertFalse(scratch.exists())

    def test_the_users_home_is_taken_where_that_is_wanted(self) -> None:
        self.options = ClaudeCodeOptions(home="user")
        self.call()
        self.assertNotIn("CLAUDE_CONFIG_DIR", self.started().env)
        self.env["CLAUDE_CONFIG_DIR"] = str(self.tmp / "mine")
        self.call()
        self.assertEqual(self.started().env["CLAUDE_CONFIG_DIR"], str(self.tmp / "mine"))

    def test_a_program_of_another_name(self) -> None:
        self.fake.install("other-claude")
        (self.fake.folder / "claude").unlink()
        self.options = ClaudeCodeOptions(program=str(self.fake.folder / "other-claude"))
        self.assertIs(self.call().outcome, Outcome.COMPLETED)

    def test_it_is_quiet_patient_only_a_little_and_has_no_parent_session(self) -> None:
        self.env |= {"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli", "GIT_DIR": "/elsewhere"}
        self.call()
        env = self.started().env
        self.assertEqual({"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "GIT_DIR"} & set(env), set())
        for name, value in (
            ("CLAUDE_CODE_DISABLE_ATTACHMENTS", "1"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("CLAUDE_CODE_MAX_RETRIES", "2"),
            ("DIRECTOR_SLOT", "3"),
        ):
            self.assertEqual(env[name], value, name)

    def test_sampling(self) -> None:
        sampling = Sampling(reasoning_effort="low", options={"service_tier": "auto"})
        self.config = self.config._replace(sampling={Role.EXECUTOR: sampling})
        self.call()
        made = self.started()
        self.assertEqual(made.after("--effort"), "low")
        self.assertEqual(json.loads(made.env["CLAUDE_CODE_EXTRA_BODY"]), {"service_tier": "auto"})

    def test_its_version_is_what_it_says(self) -> None:
        with CLAUDE_CODE.open(self.context()) as claude:
            self.assertIn("2.1.197", claude.version())


class TestWhatComesOfIt(CallCase):
    def test_an_answer(self) -> None:
        reply = self.call()
        self.assertEqual((reply.outcome, reply.transcript.text), (Outcome.COMPLETED, "Done."))

    def test_what_was_recorded_is_judged_by_its_events(self) -> None:
        for name, outcome, kind in (
            ("refused", Outcome.COMPLETED, FaultKind.TRANSIENT),
            ("cut", Outcome.PROVIDER_FAULT, FaultKind.TRANSIENT),
            ("rate_limited", Outcome.PROVIDER_FAULT, FaultKind.TRANSIENT),
            ("unauthorized", Outcome.PROVIDER_FAULT, FaultKind.PERMANENT),
            ("not_logged_in", Outcome.AGENT_FAULT, FaultKind.PERMANENT),
            ("unknown_model", Outcome.PROVIDER_FAULT, FaultKind.UNKNOWN_MODEL),
            ("too_long", Outcome.CONTEXT_TOO_LONG, FaultKind.CONTEXT),
            ("max_tokens", Outcome.INCOMPLETE, FaultKind.LENGTH),
            ("model_refuses", Outcome.INCOMPLETE, FaultKind.TRANSIENT),
        ):
            with self.subTest(name):
                reply = self.call((STREAMS / f"{name}.jsonl").read_text(encoding="utf-8"))
                self.assertEqual((reply.outcome, reply.kind), (outcome, kind), reply.reason)
                self.assertEqual(bool(reply.reason), outcome is not Outcome.COMPLETED)

    def test_a_start_otherwise_than_asked_ends_the_call_in_an_error(self) -> None:
        self.config = self.config._replace(tiers=dict.fromkeys(Role, "claude-code/claude-other"))
        reply = self.call()
        self.assertEqual((reply.outcome, reply.kind), (Outcome.AGENT_FAULT, FaultKind.PERMANENT))
        self.assertIn(f"the model is {MODEL}, not claude-other", reply.reason)

    def test_no_answer_at_all(self) -> None:
        reply = self.call("")
        self.assertIs(reply.outcome, Outcome.AGENT_FAULT)
        self.assertIn("Claude Code ended without an answer", reply.reason)

    def test_one_that_is_ended_has_the_last_word(self) -> None:
        self.spending = lambda transcript: "enough" if transcript.tokens.output == 32 else None
        reply = self.call(SUCCESS.partition('{"type":"user"')[0], then_secs=60)
        self.assertEqual((reply.outcome, reply.reason), (Outcome.OVER_BUDGET, "enough"))
        self.assertEqual(reply.transcript.tokens, Tokens(2605, 32))
        self.assertEqual(reply.transcript.text, "Interrupted.")

    def test_no_secret_is_left_not_even_in_pieces(self) -> None:
        self.recorder = self.recorder._replace(redactor=NOTHING_SECRET.also({"KEY": SECRET}))
        head, tail = SECRET[:9], SECRET[9:]
        pieces = [_delta(head), _delta(tail)]
        reply = self.call("\n".join((*pieces, SUCCESS.replace("Done.", f"It is {SECRET}."))))
        log = reply.log.read_text()
        self.assertNotIn(SECRET, reply.transcript.text)
        for one in (SECRET, head, tail):
            self.assertNotIn(one, log)
        self.assertIn('"message_delta"', log)

    def test_no_secret_is_left_of_a_call_that_was_cut_short(self) -> None:
        events = self.recorder.new_log("a-1")
        events.write_text(f"{_delta(SECRET[:9])}\n{SUCCESS}")
        reply = self.recorder.recall(events, CLAUDE_CODE.reader())
        self.assertEqual((reply.outcome, reply.transcript.text), (Outcome.COMPLETED, "Done."))
        self.assertNotIn(SECRET[:9], events.read_text())


def _delta(text: str) -> str:
    delta = {"type": "text_delta", "text": text}
    event = {"type": "content_block_delta", "index": 0, "delta": delta}
    return json.dumps({"type": "stream_event", "event": event}, separators=(",", ":"))
