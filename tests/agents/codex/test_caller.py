"""How a call is made with Codex, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Outcome, Reply
from director.agents.codex.backend import CODEX
from director.agents.codex.caller import LONGEST_PROMPT
from director.agents.codex.options import CodexOptions
from director.agents.recorder import CallRecorder
from director.agents.templates import bundled_text, load_template
from director.agents.transcript import FaultKind, Transcript
from director.model.config import Config, Sampling, SandboxPolicy
from director.model.errors import RequestError
from director.model.roles import Agent, Role
from director.model.slots import scratch_folder
from director.processes.cancellation import Cancellation
from director.processes.confinement import Launch
from director.processes.domain import Domain
from director.processes.launchers.launcher import Part
from director.processes.sandbox import Sandbox
from director.processes.sandbox_paths import Kept, SandboxPaths, Writable
from director.processes.supervisor import Processes
from director.records.events import Events
from director.records.logs import prompt_of
from tests.agents.codex.fake_codex import FakeCodex, Started
from tests.agents.codex.test_streams import STREAMS
from tests.support.hermetic import HermeticCase

KEY = "MY_SECRET"
WRITER, READER = Agent.EXECUTOR, Agent.EXPLORER
OFFLINE_PROFILE = {"filesystem": {":root": "write"}, "network": {"enabled": False}}
OFF = Sandbox(SandboxPolicy("off"))


def free(_transcript: Transcript) -> str | None:
    return None


class CallCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeCodex(self.tmp / "bin")
        program = self.fake.install(STREAMS / "done.jsonl")
        self.env |= {"PATH": f"{program.parent}:{self.env['PATH']}", KEY: "sk-hidden-value"}
        self.work = self.tmp / "slot-3"
        self.work.mkdir()
        self.config = Config(dict.fromkeys(Role, "codex/gpt-9"))
        self.options = CodexOptions(env_key=KEY)
        self.sandbox = Sandbox()

    def context(self) -> AgentContext:
        return AgentContext(
            processes=Processes(self.tmp.name, Cancellation()),
            env=self.env,
            root=self.tmp,
            config=self.config._replace(agents={"codex": self.options}),
            templates={agent: load_template(agent, self.tmp, ()) for agent in Agent},
            sandbox=self.sandbox,
            recorder=CallRecorder(self.tmp / "logs", 60),
            events=Events(),
            beside=self.tmp / "server",
            notes=self.tmp / "notes",
            memory=self.tmp / "models.json",
        )

    def call(self, agent: Agent = WRITER, prompt: str = "# Do\nü '$x'\n") -> Reply:
        assignment = Assignment(agent, Role.EXECUTOR, prompt, self.work, "a-1")
        with CODEX.open(self.context()) as codex:
            return codex.call(assignment, free, codex.recorder.new_log("a-1"))

    def made(self, agent: Agent = WRITER) -> Started:
        self.call(agent)
        return self.fake.started()[-1]


class TestHowItIsMade(CallCase):
    def test_prompt_folder_and_model(self) -> None:
        made = self.made()
        self.assertEqual((made.prompt, made.cwd), ("# Do\nü '$x'\n", str(self.work)))
        self.assertEqual((made.argv[0], made.argv[-1]), ("exec", "-"))
        self.assertEqual(made.argv[made.argv.index("--model") + 1], "gpt-9")
        self.assertEqual(made.env["DIRECTOR_SLOT"], "3")

    def test_nothing_of_the_users_counts(self) -> None:
        made = self.made()
        ignored = {"--ignore-user-config", "--ignore-rules", "--ephemeral", "--strict-config"}
        self.assertLessEqual(ignored, set(made.argv))
        self.assertIs(made.settings["analytics"]["enabled"], False)
        self.assertIs(made.settings["features"]["plugins"], False)

    def test_the_system_prompt_is_the_roles(self) -> None:
        system = self.made(WRITER).system
        self.assertTrue(bundled_text(WRITER).rstrip().endswith(system.rstrip()))

    def test_a_role_that_reads_is_told_that_it_does_so_by_commands(self) -> None:
        system = self.made(READER).system
        self.assertIn("files are read with shell commands", system)
        role = system.partition("\n\nHere files")[0]
        self.assertTrue(bundled_text(READER).rstrip().endswith(role))

    def test_its_own_files_are_beside_the_worktree_and_go_away(self) -> None:
        made, scratch = self.made(), scratch_folder(self.work)
        self.assertTrue(made.home_exists)
        self.assertEqual(made.env["CODEX_HOME"], str(scratch / "codex"))
        self.assertFalse(made.env["CODEX_HOME"].startswith(made.env["TMPDIR"]))
        self.assertFalse(scratch.exists())

    def test_a_link_that_an_agent_left_is_not_written_through(self) -> None:
        mine, scratch = self.tmp / "mine", scratch_folder(self.work)
        mine.write_text("mine\n")
        scratch.mkdir()
        (scratch / "system.md").symlink_to(mine)
        scratch.chmod(0o500)
        self.assertIs(self.call().outcome, Outcome.COMPLETED)
        self.assertEqual(mine.read_text(), "mine\n")

    def test_the_users_home_is_taken_for_a_login(self) -> None:
        self.options = CodexOptions(home="user")
        self.env["CODEX_HOME"] = str(self.tmp / "mine")
        made = self.made()
        self.assertEqual(made.env["CODEX_HOME"], str(self.tmp / "mine"))
        self.assertTrue(made.env["CODEX_SQLITE_HOME"].startswith(str(scratch_folder(self.work))))
        table = made.settings["model_providers"][made.settings["model_provider"]]
        self.assertIs(table["requires_openai_auth"], True)
        self.assertNotIn("env_key", table)

    def test_commands_do_not_see_the_key_and_records_do_not_hold_it(self) -> None:
        made = self.made()
        self.assertIn(KEY, made.settings["shell_environment_policy"]["exclude"])
        self.assertNotIn("sk-hidden-value", " ".join(made.argv))
        reply = self.call(prompt="the key is sk-hidden-value")
        prompt = prompt_of(reply.log)
        self.assertNotIn("sk-hidden-value", prompt.read_text())

    def test_it_has_no_parent_session(self) -> None:
        self.env |= {"CODEX_THREAD_ID": "1", "CODEX_SANDBOX": "seatbelt", "GIT_DIR": "/elsewhere"}
        self.env |= {"CODEX_CA_CERTIFICATE": "/ca.pem"}
        env = self.made().env
        self.assertEqual({"CODEX_THREAD_ID", "CODEX_SANDBOX", "GIT_DIR"} & set(env), set())
        self.assertEqual(env["CODEX_CA_CERTIFICATE"], "/ca.pem")

    def test_a_key_of_codexs_own_is_passed_on(self) -> None:
        self.env["CODEX_API_KEY"] = "sk-another-value"
        self.assertNotIn("CODEX_API_KEY", self.made().env)
        self.options = CodexOptions(env_key="CODEX_API_KEY")
        self.assertEqual(self.made().env["CODEX_API_KEY"], "sk-another-value")

    def test_codex_itself_tries_again_before_director_gives_up(self) -> None:
        settings = self.made().settings
        table = settings["model_providers"][settings["model_provider"]]
        self.assertEqual(table["stream_idle_timeout_ms"], 300_000)

    def test_effort(self) -> None:
        self.assertNotIn("model_reasoning_effort", self.made().settings)
        sampling = {Role.EXECUTOR: Sampling(reasoning_effort="low")}
        self.config = self.config._replace(sampling=sampling)
        self.assertEqual(self.made().settings["model_reasoning_effort"], "low")


class Confining:
    """A mechanism that lets everything be, and notes what it was to confine."""

    name = "nothing"
    keeps_contents = True

    def __init__(self) -> None:
        self.domains: list[Domain] = []

    def launch(self, argv: Sequence[str], domain: Domain) -> Launch:
        self.domains.append(domain)
        return Launch(list(argv))

    def words(self, domain: Domain, folder: Path) -> list[str]:
        self.domains.append(domain)
        return []


class TestConfinement(CallCase):
    def test_where_director_confines_codex_only_keeps_readers_off_the_network(self) -> None:
        mechanism = Confining()
        paths = SandboxPaths(Kept((), self.tmp), Writable(self.tmp))
        self.sandbox = Sandbox(mechanism=mechanism, paths=paths)
        reader, writer = self.made(READER).settings, self.made(WRITER).settings
        self.assertEqual(reader["permissions"][reader["default_permissions"]], OFFLINE_PROFILE)
        self.assertNotIn("sandbox_mode", reader)
        self.assertEqual(writer["sandbox_mode"], "danger-full-access")
        own = [self.work in domain.own for domain in mechanism.domains]
        self.assertEqual(own, [False, True])

    def test_its_home_is_not_among_temporary_files_wherever_these_must_be(self) -> None:
        paths = SandboxPaths(Kept((self.tmp,), self.tmp), Writable(self.tmp))
        self.sandbox = Sandbox(mechanism=Confining(), paths=paths)
        scratch = scratch_folder(self.work)
        usual = self.sandbox.variables(Part.AGENT, self.work, self.env)
        self.assertEqual(usual, {"TMPDIR": str(scratch)})
        env = self.made().env
        self.assertEqual(env["CODEX_HOME"], str(scratch / "codex"))
        self.assertEqual(env["TMPDIR"], str(scratch / "tmp"))

    def test_where_nothing_confines_codex_does_as_far_as_that_is_wanted(self) -> None:
        for sandbox, modes in (
            (Sandbox(), ["read-only", "workspace-write"]),
            (OFF, ["read-only", "danger-full-access"]),
        ):
            self.sandbox = sandbox
            found = [self.made(agent).settings["sandbox_mode"] for agent in (READER, WRITER)]
            self.assertEqual(found, modes)


class TestProbe(CallCase):
    def test_a_sandbox_that_does_not_work_is_an_error_before_the_first_call(self) -> None:
        self.fake.break_sandbox()
        with CODEX.open(self.context()) as codex, self.assertRaises(RequestError) as caught:
            codex.check(self.work)
        self.assertIn("bwrap: it does not work", str(caught.exception))
        self.assertFalse(scratch_folder(self.work).exists())

    def test_a_link_that_an_agent_left_is_not_written_through(self) -> None:
        mine, scratch = self.tmp / "mine", scratch_folder(self.work)
        mine.write_text("mine\n")
        scratch.mkdir()
        (scratch / "sandbox").symlink_to(mine)
        self.fake.break_sandbox()
        with CODEX.open(self.context()) as codex, self.assertRaises(RequestError):
            codex.check(self.work)
        self.assertEqual(mine.read_text(), "mine\n")

    def test_it_is_tried_once_as_a_role_that_reads(self) -> None:
        self.sandbox = OFF
        with CODEX.open(self.context()) as codex:
            codex.check(self.work)
            codex.check(self.work)
        (tried,) = self.fake.started()
        self.assertEqual((tried.argv[0], tried.argv[-1]), ("sandbox", "true"))
        self.assertEqual(tried.settings, {"sandbox_mode": "read-only"})


class TestWhatComesOfIt(CallCase):
    def test_an_answer(self) -> None:
        reply = self.call()
        self.assertEqual((reply.outcome, reply.transcript.text), (Outcome.COMPLETED, "Done."))

    def test_a_prompt_that_codex_would_refuse_is_not_sent(self) -> None:
        reply = self.call(prompt="x" * (LONGEST_PROMPT + 1))
        self.assertEqual((reply.outcome, reply.kind), (Outcome.CONTEXT_TOO_LONG, FaultKind.CONTEXT))
        self.assertIn("1,048,577 characters", reply.reason)
        self.assertEqual(self.fake.started(), [])
        self.assertIs(self.call(prompt="x" * LONGEST_PROMPT).outcome, Outcome.COMPLETED)

    def test_its_version_is_asked_without_a_home(self) -> None:
        self.env["CODEX_HOME"] = str(self.tmp)  # where it would leave files
        with CODEX.open(self.context()) as codex:
            self.assertEqual(codex.version(), "codex-cli 0.0")
        started = self.fake.started()[-1]
        self.assertFalse(started.home_exists)
        with self.assertRaises(NotADirectoryError):  # so that not even root can make it
            Path(started.env["CODEX_HOME"]).mkdir()


class TestPrerequisites(CallCase):
    def check(self) -> None:
        CODEX.check(self.context().config, self.env)

    def test_a_key_that_is_there_or_not_wanted(self) -> None:
        self.check()
        self.options = CodexOptions(env_key="")
        self.check()

    def test_a_key_that_is_missing(self) -> None:
        del self.env[KEY]
        with self.assertRaisesRegex(RequestError, KEY):
            self.check()

    def test_a_login(self) -> None:
        self.options = CodexOptions(home="user")
        self.check()
        self.assertEqual(self.fake.started()[-1].argv, ["login", "status"])
        self.fake.break_sandbox()
        with self.assertRaisesRegex(RequestError, "not logged in"):
            self.check()

    def test_a_program_that_is_not_there(self) -> None:
        self.env["PATH"] = os.devnull
        with self.assertRaisesRegex(RequestError, "not on PATH"):
            self.check()
