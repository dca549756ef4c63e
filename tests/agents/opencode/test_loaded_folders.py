"""What a server has loaded for a folder is kept only where the next session may rely on it.

With it: ``listener``.
"""

from __future__ import annotations

import json
import os
import unittest
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from director.agents.calls import Outcome, Reply
from director.agents.opencode.caller import OpenCode
from director.agents.opencode.listener import Listener, Loaded
from director.agents.opencode.loaded_folders import enter
from director.agents.opencode.project_code import digest_of_settings
from director.agents.opencode.server import Address, Server
from director.agents.opencode.server_error import ServerError
from director.processes.process_table import PROC
from tests.agents.opencode.test_caller import CallCase, free
from tests.support.fake_opencode import Step, finish, orphan, raw, say, shell, write
from tests.support.fake_server import AT_WORK
from tests.support.hermetic import TemporaryCase
from tests.support.process_table import alive

ERROR = json.dumps({"type": "error", "error": {"name": "APIError", "data": {"message": "no"}}})
SETTINGS = '{"instructions": ["RULES.md"]}'


@unittest.skipUnless(PROC.is_dir(), "what works in a folder is unknown without /proc")
class TestKept(CallCase):
    """Several calls in one folder, in sessions on one server."""

    served = True

    def setUp(self) -> None:
        super().setUp()
        stack = self.enterContext(ExitStack())
        self.shared: OpenCode = self.opencode()
        stack.enter_context(self.shared.serving())

    def ask(self, *steps: Step) -> Reply:
        self.fake.queue("executor", *steps)
        log = self.shared.recorder.new_log("a-1")
        return self.shared.call(self.assignment, free, log)

    def loads(self) -> int:
        self.assertEqual(len(self.fake.servers()), 1)
        return self.fake.loads().count(self.work)

    def test_calls_in_one_folder_load_it_once(self) -> None:
        replies = [self.ask(say(f"{number}"), finish()) for number in range(3)]
        self.assertEqual([one.transcript.text for one in replies], ["0", "1", "2"])
        self.assertEqual({one.outcome for one in replies}, {Outcome.COMPLETED})
        self.assertEqual(self.loads(), 1)

    def test_each_call_has_variables_of_its_own(self) -> None:
        self.ask(finish())
        self.ask(finish())
        markers = {call.env["DIRECTOR_PROCESS"] for call in self.fake.calls()}
        self.assertEqual(len(markers), 2)

    def test_settings_that_changed_meanwhile_are_read(self) -> None:
        (self.work / "opencode.json").write_text(SETTINGS)
        self.ask(finish())
        self.ask(finish())
        self.assertEqual(self.loads(), 1)
        (self.work / "opencode.json").write_text("{}")
        self.assertIs(self.ask(finish()).outcome, Outcome.COMPLETED)
        self.assertEqual(self.loads(), 2)

    def test_settings_that_an_agent_changes_are_not_those_of_the_next_call(self) -> None:
        self.ask(write("opencode.json", SETTINGS), finish())
        (self.work / "opencode.json").unlink()
        self.ask(finish())
        self.assertEqual(self.loads(), 2)

    def test_where_the_server_has_something_at_work_the_folder_is_forgotten(self) -> None:
        self.fake.serve(AT_WORK)
        self.ask(finish())
        self.ask(finish())
        self.assertEqual(self.loads(), 2)

    def test_what_an_agent_leaves_running_ends_all_the_same(self) -> None:
        pid = self.tmp / "pid"
        wait = f"until [ -e {pid} ]; do sleep 0.01; done"
        start = f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 300"
        self.ask(orphan(start), shell(wait), finish())
        self.assertFalse(alive(int(pid.read_text())))
        self.ask(finish())
        self.assertEqual(self.loads(), 1)

    def test_after_an_error_the_folder_is_forgotten(self) -> None:
        self.ask(raw(f"{ERROR}\n"), finish())
        self.ask(finish())
        self.assertEqual(self.loads(), 2)


class Stubborn(Server):
    """A server that does not forget."""

    def __init__(self) -> None:
        super().__init__(Address("http://127.0.0.1:1", ""))
        self.ended = False

    def dispose(self, folder: Path) -> None:
        raise ServerError("no")

    def end(self) -> bool:
        self.ended = True
        return True


class TestForgetting(TemporaryCase):
    def test_a_server_that_does_not_forget_other_settings_is_ended(self) -> None:
        server = Stubborn()
        server.loaded[self.tmp] = Loaded(Listener(Scripted([])), "of other settings")
        with self.assertRaises(ServerError):
            enter(server, self.tmp)
        self.assertTrue(server.ended)


class TestDigest(TemporaryCase):
    """What is read once, and so decides."""

    def digest(self, path: str, text: str) -> str | None:
        place = self.tmp / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return digest_of_settings(self.tmp)

    def test_what_counts(self) -> None:
        paths = (
            "opencode.json",
            "opencode.jsonc",
            ".opencode/agents/a.md",
            ".opencode/opencode.json",
            ".claude/skills/s/SKILL.md",
            ".agents/skills/s/SKILL.md",
        )
        found = [digest_of_settings(self.tmp), *(self.digest(path, "{}") for path in paths)]
        found += [self.digest(path, "{ }") for path in paths]
        self.assertNotIn(None, found)
        self.assertEqual(len(set(found)), len(found))

    def test_what_does_not(self) -> None:
        nothing = digest_of_settings(self.tmp)
        for path in (
            "AGENTS.md",  # read for each prompt
            "source/opencode.json",
            ".opencode/package.json",  # OpenCode writes these itself
            ".opencode/package-lock.json",
            ".opencode/node_modules/package/index.js",
            ".claude/skills/s/data.csv",
        ):
            self.assertEqual(self.digest(path, "{}"), nothing, path)

    def test_what_reads_more_is_never_kept(self) -> None:
        for text in ('{"theme": "{file:theme.txt}"}', '{"skills": {"paths": ["more"]}}'):
            self.assertIsNone(self.digest("opencode.json", text))

    def test_what_is_no_plain_file_is_never_kept_and_not_gone_into(self) -> None:
        self.assertIsNotNone(digest_of_settings(self.tmp))
        for name in ("opencode.json", ".opencode", ".claude", ".agents"):
            (self.tmp / name).symlink_to("/")  # to go through all of it would take for ever
            self.assertIsNone(digest_of_settings(self.tmp), name)
            (self.tmp / name).unlink()
        os.mkfifo(self.tmp / "opencode.json")
        self.assertIsNone(digest_of_settings(self.tmp))

    def test_a_skill_that_lies_elsewhere_is_never_kept(self) -> None:
        self.digest("skills/s/SKILL.md", "text")
        for name in (".claude/skills", ".agents/skills"):
            (self.tmp / name).mkdir(parents=True)
            (self.tmp / name / "s").symlink_to("../../skills/s")
            self.assertIsNone(digest_of_settings(self.tmp), name)
            (self.tmp / name / "s").unlink()

    def test_what_is_longer_than_settings_are_is_never_kept(self) -> None:
        with (self.tmp / "opencode.json").open("w") as stream:
            stream.truncate(2**40)  # a file with a hole
        self.assertIsNone(digest_of_settings(self.tmp))


class TestListener(TemporaryCase):
    """The thread that hears a folder's events."""

    def test_a_server_that_does_not_answer_is_a_problem_in_words(self) -> None:
        listener = Listener(Server(Address("http://127.0.0.1:1", "")).events(Path("/")))
        self.assertTrue(listener.heard.wait(20.0))
        self.assertFalse(listener.connected or listener.alive)
        self.assertIn("GET /event", listener.problem)
        listener.close()

    def test_who_hears_late_is_told_that_no_more_comes(self) -> None:
        listener = Listener(Scripted([{"type": "one"}]))
        self.addCleanup(listener.close)
        listener.await_end(20.0)
        told: list[Any] = []
        listener.tell(told.append)
        self.assertEqual(told, [None])


class Scripted:
    """Events that are there already."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    def __iter__(self) -> Any:
        return iter(self._events)

    def close(self) -> None:
        pass
