"""Messages that no client should send, fed by hand to ``director mcp``: each is answered.

None of them ends the conversation.
"""

from __future__ import annotations

import json

from director.mcp.protocol import LONGEST_MESSAGE, VERSIONS
from tests.support.fake_opencode import hang, mark
from tests.support.hermetic import HermeticCase
from tests.support.jobs import JobCase, node
from tests.support.mcp_client import HandFed
from tests.support.repositories import SampleRepo


class ConversationCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        self.client = HandFed(repo.root, self.env)
        self.addCleanup(self.client.put_down)

    def refused(self, code: int, method: str, params: object = None) -> str:
        """Ask, demand an error, and return its words."""
        found = self.client.asks(method, params)["error"]
        self.assertEqual(found["code"], code, found)
        return str(found["message"])

    def lives(self) -> None:
        """Demand that the server still answers."""
        self.assertEqual(self.client.asks("ping")["result"], {})


class TestBeginning(ConversationCase):
    def test_nothing_but_ping_before_initialize(self) -> None:
        self.lives()
        self.assertIn("initialize", self.refused(-32600, "tools/list"))
        self.refused(-32601, "server/discover")
        self.client.send("notifications/initialized")
        self.client.begin()
        self.refused(-32600, "initialize", {"protocolVersion": VERSIONS[0]})
        self.lives()

    def test_the_manual_and_what_it_can_do(self) -> None:
        found = self.client.begin()
        self.assertIn("director://job/current", found["instructions"])
        self.assertEqual(found["capabilities"].keys(), {"tools", "resources", "logging"})

    def test_versions(self) -> None:
        self.refused(-32602, "initialize", {})
        self.refused(-32602, "initialize", {"protocolVersion": 5})
        self.assertEqual(self.client.begin("2099-09-09")["protocolVersion"], VERSIONS[-1])

    def test_the_first_version(self) -> None:
        self.assertEqual(self.client.begin(VERSIONS[0])["protocolVersion"], VERSIONS[0])
        tool = self.client.asks("tools/list")["result"]["tools"][0]
        self.assertEqual(tool.keys(), {"name", "description", "inputSchema"})
        found = self.client.asks("tools/call", {"name": "status"})["result"]
        self.assertEqual(found.keys(), {"content", "isError"})


class TestMalformed(ConversationCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.begin()

    def test_lines_that_are_no_messages(self) -> None:
        for line, code in (
            ("nonsense", -32700),
            (b"\xff\xfe\x00", -32700),
            ("[" * 100_000, -32700),
            ("5", -32600),
            ("[]", -32600),
            ('{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
        ):
            self.client.say(line)
            found = self.client.hear()
            self.assertEqual((found["id"], found["error"]["code"]), (None, code))
        self.lives()

    def test_a_line_without_end(self) -> None:
        self.client.say(b"x" * (LONGEST_MESSAGE + 1))
        self.assertEqual(self.client.hear()["error"]["code"], -32600)
        self.lives()

    def test_blank_lines_and_answers_are_passed_over(self) -> None:
        for line in ("", "  ", '{"jsonrpc":"2.0","id":9,"result":{}}', "\r"):
            self.client.say(line)
        self.client.send("notifications/cancelled", {"requestId": 99})
        self.client.send("notifications/cancelled", {"requestId": []})
        self.client.send("notifications/invented", [1])
        self.lives()
        self.assertEqual(len(self.client.heard), 2)

    def test_methods_and_parameters(self) -> None:
        self.refused(-32601, "prompts/list")
        self.refused(-32602, "tools/list", {"cursor": "x"})
        self.refused(-32602, "tools/list", [])
        self.refused(-32602, "tools/call", {})
        self.assertIn("status", self.refused(-32602, "tools/call", {"name": "land"}))
        self.refused(-32602, "tools/call", {"name": "status", "arguments": [1]})
        self.refused(
            -32602, "tools/call", {"name": "plan", "arguments": {"task": "x", "repo": "/"}}
        )
        self.refused(-32602, "resources/read", {"uri": 5})
        self.refused(-32002, "resources/read", {"uri": "director://job/plan"})
        self.refused(-32002, "resources/read", {"uri": "director://job/node/a"})
        self.refused(-32602, "logging/setLevel", {"level": "loud"})
        self.assertEqual(self.client.asks("logging/setLevel", {"level": "debug"})["result"], {})

    def test_an_input_that_ends_without_a_line_end(self) -> None:
        assert self.client.process.stdin
        self.client.process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
        self.assertEqual(self.client.ends(), 0)
        self.assertEqual(self.client.hear()["result"], {})


class TestBatches(ConversationCase):
    def test_the_answers_come_together(self) -> None:
        self.client.begin("2025-03-26")
        ping = {"jsonrpc": "2.0", "method": "ping"}
        status = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "status"}}
        first = {"jsonrpc": "2.0", "id": 3, "method": "initialize", "params": {}}
        self.client.say(json.dumps([{**ping, "id": 1}, status, first, ping, 5]))
        found = {one["id"]: one for one in self.client.hear()}
        self.assertEqual(found.keys(), {1, 2, 3, None})
        self.assertTrue(found[2]["result"]["isError"])  # there is no job
        self.assertEqual(found[3]["error"]["code"], -32600)
        self.client.say(json.dumps([ping]))
        self.lives()


class TestUnderWay(JobCase):
    def test_an_id_that_is_under_way_is_refused_and_free_again_afterwards(self) -> None:
        self.plan(node("a"))
        self.implement("a", mark(self.tmp / "on"), hang())
        client = HandFed(self.repo.root, self.env)
        self.addCleanup(client.put_down)
        client.begin()
        client.send("tools/call", {"name": "run"}, id=7)
        client.send("ping", id=7)
        self.assertEqual(client.answer(7)["error"]["code"], -32600)
        client.send("notifications/cancelled", {"requestId": 7})
        client.send("ping", id=7)
        self.assertEqual(client.answer(7)["result"], {})
        self.assertEqual(client.ends(), 0)
        self.assertEqual(self.left_behind(), [])
