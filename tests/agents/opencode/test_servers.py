"""The warm OpenCode of a run: when it starts, when it is replaced, and when there is none.

With it: ``server``, ``server_error``.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from director.agents.opencode.server import SERVE, Address, Server, start_server
from director.agents.opencode.server_error import ServerError
from director.agents.opencode.servers import DEATHS_BORNE, SESSIONS_EACH, Servers
from director.model.errors import InterruptedRunError
from director.processes.cancellation import Cancellation
from director.processes.command import Command
from director.processes.supervisor import Processes
from director.records.events import Event, Events
from tests.support.fake_opencode import FakeOpenCode
from tests.support.fake_server import DEAF, REFUSES
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.process_table import alive


class Standing(Server):
    """A server without a process, which lives until it is told otherwise."""

    def __init__(self, number: int) -> None:
        super().__init__(Address("http://127.0.0.1:1", ""))
        self.number = number
        self.living = True
        self.ended = False

    def alive(self) -> bool:
        return self.living

    def end(self) -> bool:
        self.living, self.ended = False, True
        return True


class TestServers(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.started: list[Standing] = []
        self.notices: list[Event] = []
        self.events = Events([self.notices.append])
        self.servers = Servers(self.start, self.events)

    def start(self) -> Server:
        self.started.append(Standing(len(self.started)))
        return self.started[-1]

    def leased(self) -> Any:
        with self.servers.lease() as server:
            return server

    def test_it_starts_with_the_first_call_and_serves_all(self) -> None:
        self.assertEqual(self.started, [])
        first, second = self.leased(), self.leased()
        self.assertIs(first, second)
        self.servers.close()
        self.assertTrue(first.ended)
        self.assertIsNone(self.leased())

    def test_after_many_sessions_another_takes_over(self) -> None:
        for _ in range(SESSIONS_EACH + 1):
            last = self.leased()
        self.assertEqual(last.number, 1)
        self.assertTrue(self.started[0].ended)
        self.assertFalse(last.ended)
        self.assertEqual(self.notices, [])

    def test_one_that_is_replaced_ends_with_its_last_session(self) -> None:
        with self.servers.lease() as old:
            for _ in range(SESSIONS_EACH):
                self.leased()
            assert isinstance(old, Standing)
            self.assertFalse(old.ended)
        self.assertTrue(old.ended)

    def test_a_dead_one_is_replaced_at_once(self) -> None:
        with self.servers.lease():
            self.started[0].living = False
            self.assertEqual(self.leased().number, 1)
            self.assertTrue(self.started[0].ended)  # and what it left is swept

    def test_one_that_dies_again_and_again_is_given_up_with_one_line(self) -> None:
        for _ in range(DEATHS_BORNE):
            self.leased().living = False
        self.assertIsNone(self.leased())
        self.assertIsNone(self.leased())
        self.assertEqual(len(self.notices), 1)
        self.assertIn("died too often", self.notices[0].data["message"])

    def test_one_that_cannot_start_is_given_up_with_one_line(self) -> None:
        def start() -> Server:
            raise ServerError("no such thing")

        self.servers = Servers(start, self.events)
        self.assertIsNone(self.leased())
        self.assertIsNone(self.leased())
        self.assertEqual(len(self.notices), 1)
        self.assertIn("no such thing", self.notices[0].data["message"])


class TestStart(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeOpenCode(self.tmp / "opencode")
        self.shell_env = self.fake.install(self.env) | {"OPENCODE_CONFIG_CONTENT": '{"agent": {}}'}
        self.cancellation = Cancellation()

    def start(self, secs: float = 20.0) -> Server:
        program = str(self.fake.program)
        command = Command(
            (program, *SERVE), self.tmp, self.shell_env, self.tmp / "server.log", secs
        )
        server = start_server(Processes("test", self.cancellation), command)
        self.addCleanup(server.end)
        return server

    def test_it_answers_those_who_know_the_password_only(self) -> None:
        server = self.start()
        self.assertTrue(server.healthy())
        url = server.address.url
        self.assertTrue(url.startswith("http://127.0.0.1:"))
        self.assertFalse(Server(Address(url, "")).healthy())
        with self.assertRaisesRegex(ServerError, "401"):
            Server(Address(url, "guessed")).agents(self.tmp)

    def test_the_name_and_password_of_a_server_of_the_users_own_do_not_stand_in_its_way(
        self,
    ) -> None:
        self.shell_env |= {
            "OPENCODE_SERVER_USERNAME": "sam",
            "OPENCODE_SERVER_PASSWORD": "sams",
        }
        self.assertTrue(self.start().healthy())

    def test_a_folder_whose_name_is_no_text(self) -> None:
        folder = self.tmp / os.fsdecode(b"caf\xe9")
        server = self.start()
        session = server.open_session(folder, "t", [])
        server.forget(folder, session, abort=True)
        server.events(folder).close()

    def test_it_ends_when_told(self) -> None:
        server = self.start()
        server.end()
        self.assertFalse(server.alive())
        self.assertFalse(server.healthy())
        self.assertFalse(any(alive(pid) for pid in self.fake.servers()))

    def test_one_that_ends_at_once_says_why(self) -> None:
        self.fake.serve(REFUSES)
        with self.assertRaisesRegex(ServerError, "serving is not to be had"):
            self.start()

    def test_one_that_is_not_healthy_in_time_is_ended(self) -> None:
        self.fake.serve(DEAF)
        with self.assertRaisesRegex(ServerError, "not healthy within 0.5 s"):
            self.start(0.5)
        self.assertFalse(any(alive(pid) for pid in self.fake.servers()))

    def test_ctrl_c_while_it_starts(self) -> None:
        self.fake.serve(DEAF)
        self.cancellation.cancel(signal.SIGINT)
        with self.assertRaises(InterruptedRunError):
            self.start()
        self.assertFalse(any(alive(pid) for pid in self.fake.servers()))

    def test_one_that_hangs_is_an_error_not_a_wait_for_ever(self) -> None:
        server = self.start()
        pid = self.fake.servers()[-1]
        os.kill(pid, signal.SIGSTOP)
        try:
            self.assertTrue(server.alive())
            self.assertFalse(Server(server.address, answer_secs=0.2).healthy())
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_a_program_that_is_not_there(self) -> None:
        command = Command((str(Path("none")),), self.tmp, self.env, self.tmp / "log", 20.0)
        with self.assertRaises(ServerError):
            start_server(Processes("test", self.cancellation), command)
