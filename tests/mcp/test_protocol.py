"""What is a message, and what is answered to what is none."""

from __future__ import annotations

import json
import unittest

from director.mcp.protocol import (
    LATEST,
    LONGEST_MESSAGE,
    Answer,
    Code,
    Malformed,
    Notification,
    Request,
    as_line,
    error,
    negotiated,
    progress_token,
    read_line,
)

VERSION = "2025-06-18"


def problem(line: bytes, version: str | None = VERSION) -> tuple[object, Code]:
    """Return id and code of what a line is answered with."""
    found = read_line(line, version)
    assert isinstance(found, Malformed), found
    return found.id, found.code


class TestMessages(unittest.TestCase):
    def test_requests_notifications_and_answers(self) -> None:
        line = b'{"jsonrpc":"2.0","id":"x","method":"ping"}'
        self.assertEqual(read_line(line, None), Request("x", "ping", {}))
        line = b'{"jsonrpc":"2.0","method":"n","params":{"a":1}}'
        self.assertEqual(read_line(line, None), Notification("n", {"a": 1}))
        line = b'{"jsonrpc":"2.0","id":1,"result":{}}'
        self.assertEqual(read_line(line, None), Answer())

    def test_what_is_not_json(self) -> None:
        lines = (b"nonsense", b"{", b'{"a":NaN}', b"\xff\xfe", b"[" * 100_000, b"1" * 10_000)
        for line in lines:
            self.assertEqual(problem(line), (None, Code.PARSE), line[:20])

    def test_what_is_json_and_no_message(self) -> None:
        for line in (b"1", b"null", b'"x"', b"{}"):
            self.assertEqual(problem(line), (None, Code.INVALID_REQUEST), line)

    def test_wrong_types_are_answered_by_the_id_where_there_is_one(self) -> None:
        cases = (
            ({"id": 1, "method": "ping"}, 1, Code.INVALID_REQUEST),
            ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, 1, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": 1, "method": 5}, 1, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": 1}, 1, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": None, "method": "ping"}, None, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": True, "method": "ping"}, None, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": [1], "method": "ping"}, None, Code.INVALID_REQUEST),
            ({"jsonrpc": "2.0", "id": 1, "method": "x", "params": [1]}, 1, Code.INVALID_PARAMS),
        )
        for message, request_id, code in cases:
            self.assertEqual(problem(json.dumps(message).encode()), (request_id, code), message)

    def test_a_line_that_was_too_long(self) -> None:
        found = read_line(None, VERSION)
        assert isinstance(found, Malformed)
        self.assertIn(str(LONGEST_MESSAGE), found.problem)


class TestBatches(unittest.TestCase):
    def test_one_version_has_them(self) -> None:
        line = b'[{"jsonrpc":"2.0","id":1,"method":"ping"},7]'
        found = read_line(line, "2025-03-26")
        assert isinstance(found, list)
        self.assertIsInstance(found[0], Request)
        self.assertIsInstance(found[1], Malformed)
        for version in (None, "2024-11-05", "2025-06-18"):
            self.assertEqual(problem(line, version), (None, Code.INVALID_REQUEST))

    def test_neither_empty_nor_without_end(self) -> None:
        for line in (b"[]", b"[" + b"1," * 64 + b"1]"):
            self.assertEqual(problem(line, "2025-03-26"), (None, Code.INVALID_REQUEST))


class TestValues(unittest.TestCase):
    def test_versions(self) -> None:
        self.assertEqual(negotiated("2024-11-05"), "2024-11-05")
        for wanted in ("2099-01-01", None, 3, ["2024-11-05"]):
            self.assertEqual(negotiated(wanted), LATEST)

    def test_a_message_is_one_line_of_ascii(self) -> None:
        line = as_line(error(None, Code.PARSE, "ä\n\u2028\ud800"))
        self.assertTrue(line.isascii() and line.isprintable())
        self.assertEqual(json.loads(line)["error"]["message"], "ä\n\u2028\ud800")

    def test_progress_tokens(self) -> None:
        self.assertEqual(progress_token({"_meta": {"progressToken": 0}}), 0)
        for params in ({}, {"_meta": 1}, {"_meta": {"progressToken": None}}):
            self.assertIsNone(progress_token(params))
