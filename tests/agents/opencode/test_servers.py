"""The warm OpenCode of a run: when it starts, when it is replaced, and when there is none.

With it: ``server``, ``server_error``.
"""

from __future__ import annotations

import os
import signal
import threading
import unittest
from pathlib import Path
from typing import Any

from director.agents.opencode.server import SERVE, Address, Server, start_server
from director.agents.opencode.server_error import ServerError
from director.agents.opencode.servers import DEATHS_BORNE, MIB, Bounds, Servers
from director.model.errors import InterruptedRunError, RequestError
from director.processes.cancellation import Cancellation
from director.processes.command import Command
from director.processes.process_table import PROC
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
        self.held: int | None = 300 * MIB

    def alive(self) -> bool:
        return self.living

    def held_bytes(self) -> int | None:
        return self.held

    def end(self) -> bool:
        self.living, self.ended = False, True
        return True


class ServersCase(TemporaryCase):
    bounds = Bounds()

    def setUp(self) -> None:
        super().setUp()
        self.started: list[Standing] = []
        self.notices: list[Event] = []
        self.events = Events([self.notices.append])
        self.servers = Servers(self.start, self.events, self.bounds)

    def start(self, _unwanted: threading.Event) -> Server:
        self.started.append(Standing(len(self.started)))
        return self.started[-1]

    def leased(self) -> Any:
        with self.servers.lease() as server:
            return server


class TestServers(ServersCase):
    def test_it_starts_with_the_first_call_and_serves_all(self) -> None:
        self.assertEqual(self.started, [])
        first, second = self.leased(), self.leased()
        self.assertIs(first, second)
        self.servers.close()
        self.assertTrue(first.ended)
        self.assertIsNone(self.leased())

    def test_after_many_sessions_another_takes_over(self) -> None:
        for _ in range(Bounds().sessions + 1):
            last = self.leased()
        self.assertEqual(last.number, 1)
        self.assertTrue(self.started[0].ended)
        self.assertFalse(last.ended)
        self.assertEqual(self.notices, [])

    def test_one_that_is_replaced_ends_with_its_last_session(self) -> None:
        with self.servers.lease() as old:
            for _ in range(Bounds().sessions):
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
        def start(_unwanted: threading.Event) -> Server:
            raise ServerError("no such thing")

        self.servers = Servers(start, self.events)
        self.assertIsNone(self.leased())
        self.assertIsNone(self.leased())
        self.assertEqual(len(self.notices), 1)
        self.assertIn("no such thing", self.notices[0].data["message"])


class TestSize(ServersCase):
    """One that holds too much takes no more calls."""

    bounds = Bounds(max_mib=500, look_secs=0.0, least_sessions=2)

    def messages(self) -> list[str]:
        return [notice.data["message"] for notice in self.notices]

    def test_calls_under_way_end_on_the_old_one_and_new_calls_begin_on_a_new_one(self) -> None:
        with self.servers.lease() as old, self.servers.lease():
            assert isinstance(old, Standing)
            old.held = 501 * MIB
            with self.servers.lease() as new:
                self.assertIsNot(new, old)
            self.assertFalse(old.ended)
        self.assertTrue(old.ended)
        self.assertFalse(self.started[1].ended)
        self.assertEqual(len(self.started), 2)
        told = "it holds 501 MiB after 2 calls, [opencode] server_max_mib is 500"
        self.assertEqual(self.messages(), [f"another OpenCode server takes over: {told}"])

    def test_one_without_calls_ends_at_once(self) -> None:
        self.leased()
        self.leased().held = 501 * MIB
        self.leased()
        self.assertTrue(self.started[0].ended)

    def test_one_within_the_bound_stays(self) -> None:
        for _ in range(5):
            self.leased().held = 500 * MIB
        self.assertEqual((len(self.started), self.messages()), (1, []))

    def test_where_its_size_is_unknown_it_stays(self) -> None:
        for _ in range(5):
            self.leased().held = None
        self.assertEqual(len(self.started), 1)

    def test_a_bound_that_none_can_keep_does_not_replace_it_with_each_call(self) -> None:
        for _ in range(6):
            self.leased().held = 501 * MIB
        self.assertEqual(len(self.started), 3)

    def test_it_is_looked_at_now_and_then(self) -> None:
        self.servers = Servers(self.start, self.events, self.bounds._replace(look_secs=3600.0))
        for held in (300, 300, 300, 501, 501):
            self.leased().held = held * MIB
        self.assertEqual(len(self.started), 1)

    def test_without_a_bound_it_may_be_large(self) -> None:
        self.servers = Servers(self.start, self.events, self.bounds._replace(max_mib=0))
        for _ in range(5):
            self.leased().held = 501 * MIB
        self.assertEqual(len(self.started), 1)


class TestWarming(ServersCase):
    """A server that starts before the call that needs it."""

    def test_the_call_finds_it(self) -> None:
        self.servers.warm()
        self.servers.warm()
        self.assertEqual(self.leased().number, 0)
        self.servers.close()
        self.assertEqual(len(self.started), 1)
        self.assertTrue(self.started[0].ended)

    def test_one_that_cannot_start_is_told_of_once(self) -> None:
        def start(_unwanted: threading.Event) -> Server:
            raise ServerError("no such thing")

        self.servers = Servers(start, self.events)
        self.servers.warm()
        self.assertIsNone(self.leased())
        self.assertEqual(len(self.notices), 1)

    def test_what_stops_the_run_stops_the_call_and_not_the_warming(self) -> None:
        def start(_unwanted: threading.Event) -> Server:
            raise RequestError("the server knows other agents", "start it again")

        self.servers = Servers(start, self.events)
        self.servers.warm()
        with self.assertRaises(RequestError):
            self.leased()

    def test_closing_does_not_wait_for_a_start_and_tells_nothing(self) -> None:
        begun = threading.Event()

        def start(unwanted: threading.Event) -> Server:
            begun.set()
            self.assertTrue(unwanted.wait(20.0))
            raise ServerError("no call is going to be made")

        self.servers = Servers(start, self.events)
        self.servers.warm()
        self.assertTrue(begun.wait(20.0))
        self.servers.close()
        self.assertEqual(self.notices, [])
        self.assertIsNone(self.leased())

    def test_a_call_that_ends_does_not_wait_for_a_start(self) -> None:
        begun, go = threading.Event(), threading.Event()

        def start(unwanted: threading.Event) -> Server:
            if self.started:
                begun.set()
                self.assertTrue(go.wait(20.0))
            return self.start(unwanted)

        self.servers = Servers(start, self.events)
        with self.servers.lease() as old:
            assert isinstance(old, Standing)
            old.living = False
            other = threading.Thread(target=self.leased)
            other.start()
            self.assertTrue(begun.wait(20.0))
        go.set()
        other.join()
        self.assertEqual(len(self.started), 2)


class TestStart(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeOpenCode(self.tmp / "opencode")
        self.shell_env = self.fake.install(self.env) | {"OPENCODE_CONFIG_CONTENT": '{"agent": {}}'}
        self.cancellation = Cancellation()
        self.unwanted = threading.Event()

    def start(self, secs: float = 20.0) -> Server:
        program = str(self.fake.program)
        command = Command(
            (program, *SERVE), self.tmp, self.shell_env, self.tmp / "server.log", secs
        )
        server = start_server(Processes("test", self.cancellation), command, self.unwanted)
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
        server.close_session(folder, session, abort=True)
        server.dispose(folder)
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

    def test_one_that_is_not_wanted_any_more_is_ended(self) -> None:
        self.fake.serve(DEAF)
        self.unwanted.set()
        with self.assertRaisesRegex(ServerError, "no call is going to be made"):
            self.start()
        self.assertFalse(any(alive(pid) for pid in self.fake.servers()))

    @unittest.skipUnless(PROC.is_dir(), "the size is unknown without /proc")
    def test_what_it_holds(self) -> None:
        server = self.start()
        held = server.held_bytes()
        assert held
        self.assertTrue(2 * MIB < held < 500 * MIB, held)
        self.assertIsNone(Server(server.address).held_bytes())  # the user's own

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
            start_server(Processes("test", self.cancellation), command, self.unwanted)
