"""The real ``opencode serve``: whose its processes are, its death, and one that the user runs."""

from __future__ import annotations

import os
import signal
import unittest
from pathlib import Path

from director.demo.turns import shell
from director.processes.process_table import MARKER
from tests.e2e.scene import PROC, Scene, succeeded, wait_for
from tests.e2e.scripted_job import DONE, TASK, ScriptedJob, Word, writes
from tests.support.hermetic import ProcessCase
from tests.support.users_server import start_users_server

HELLO = Word("hello")
FILES = {"README.md": "words\n"}
WORK = writes({HELLO.file: "hello\n"})


@unittest.skipUnless(PROC.is_dir(), "processes are found by /proc")
class TestServer(ProcessCase):
    def setUp(self) -> None:
        self.scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), FILES)
        self.scene.configure()
        succeeded(self.scene.director("plan", TASK, "--no-critique"))

    def test_an_agents_commands_are_marked_as_its_calls_and_the_server_is_closed_to_them(
        self,
    ) -> None:
        servers = "tr '\\0' '\\n' </proc/$OPENCODE_PID/environ | sed -n 's/^DIRECTOR/SERVERS/p'"
        self.scene.job.instead = {"Implement": [shell(f"env; {servers}"), WORK, DONE]}
        succeeded(self.scene.director("run"))
        output = self.scene.tool_uses("hello.1")[0]["state"]["output"]
        told = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
        self.assertNotEqual(told[MARKER], told["SERVERS_PROCESS"])
        self.assertEqual(told[MARKER].split(":")[:2], told["SERVERS_PROCESS"].split(":")[:2])
        self.assertEqual(told["OPENCODE_SERVER_PASSWORD"], "")
        self.assertEqual(self.scene.leftovers(), [])

    def test_a_server_that_dies_is_replaced_and_the_call_made_again(self) -> None:
        self.scene.configure("[limits]\nflake_runs = 1\nprovider_retries = 1\n")
        self.scene.job.instead = {"Implement": [shell("sleep 300")]}
        process = self.scene.start("run")
        wait_for(lambda: "sleep 300" in self.scene.processes().values(), "the agent is at work")
        self.scene.job.instead.clear()
        for pid, line in self.scene.processes().items():
            if " serve " in line and "sh -c" not in line:
                os.kill(pid, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("the OpenCode server failed", err)
        self.assertEqual(self.scene.leftovers(), [])

    def test_a_users_server_works_once_it_knows_the_agents(self) -> None:
        url = self._users_server("{}")
        self.scene.configure(f'[opencode]\nserver = "{url}"\n')
        self.scene.env["OPENCODE_SERVER_PASSWORD"] = "open"
        said = self.scene.director("run")
        self.assertEqual(said.code, 2, said.err)
        config = self.scene.repo.root / ".director/opencode-server.json"
        self.assertIn(str(config), said.out)
        url = self._users_server(config.read_text())
        self.scene.configure(f'[opencode]\nserver = "{url}"\n')
        succeeded(self.scene.director("run"))
        self.assertEqual(self.scene.tool_uses("hello.1")[0]["state"]["status"], "completed")

    def _users_server(self, config: str) -> str:
        home = Path(self.scene.env["HOME"])
        return start_users_server(self.addCleanup, self.scene.env, home, config)


@unittest.skipUnless(PROC.is_dir(), "what works in a folder is unknown without /proc")
class TestOneWorktree(ProcessCase):
    """What OpenCode loads for a worktree is kept there, and no call has what is another's."""

    def test_each_call_has_its_own_marker_and_the_instructions_as_they_are_now(self) -> None:
        words = (Word("hello", ("AGENTS.md",)), Word("again", after=("hello",)))
        job = ScriptedJob(words)
        self.scene = Scene.open(self.addCleanup, job, FILES)
        self.scene.configure()
        succeeded(self.scene.director("plan", TASK, "--no-critique"))
        for word in words:
            rule = "; echo the-rule >AGENTS.md" if word.extra_files else ""
            look = shell(f"echo {MARKER}=${MARKER}{rule}")
            work = writes({word.file: f"{word.id}\n"})
            job.instead[f"Implement {word.id}"] = [look, work, DONE]
        succeeded(self.scene.director("run", "--parallel", "1"))
        told = {self._told(f"{word.id}.1") for word in words}
        self.assertEqual([one.startswith(f"{MARKER}=") for one in told], [True, True], told)
        first, *_, last = self.scene.requests("Implement")
        self.assertNotIn("the-rule", str(first.body["messages"][0]))
        self.assertIn("the-rule", str(last.body["messages"][0]))

    def _told(self, call: str) -> str:
        return str(self.scene.tool_uses(call)[0]["state"]["output"]).strip()
