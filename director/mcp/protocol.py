"""JSON-RPC 2.0 as the Model Context Protocol uses it: messages as values, no effects."""

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, NoReturn

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18")
LATEST = VERSIONS[-1]
WITH_BATCHES = frozenset({"2025-03-26"})
"""The versions in which several messages may come in one line."""

LONGEST_MESSAGE = 4 * 1024 * 1024  # bytes
MOST_IN_BATCH = 64

Id = int | str
Object = dict[str, Any]


class Code(IntEnum):
    """The codes of errors."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    UNKNOWN_METHOD = -32601
    INVALID_PARAMS = -32602
    INTERNAL = -32603
    BUSY = -32000
    NO_RESOURCE = -32002


class Request(NamedTuple):
    """A message that wants an answer."""

    id: Id
    method: str
    params: Object


class Notification(NamedTuple):
    """A message that wants none."""

    method: str
    params: Object


class Answer(NamedTuple):
    """The answer to a request: this server makes none, so it is dropped."""


class Malformed(NamedTuple):
    """What is no message; ``id`` None where none can be read."""

    id: Id | None
    code: Code
    problem: str


Message = Request | Notification | Answer | Malformed


class ProtocolError(Exception):
    """Why a request is answered with an error."""

    def __init__(self, code: Code, problem: str, data: object = None) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.data = data


def negotiated(wanted: object) -> str:
    """Return the version to speak with a client that wants ``wanted``."""
    return wanted if isinstance(wanted, str) and wanted in VERSIONS else LATEST


def read_line(line: bytes | None, version: str | None) -> Message | list[Message]:
    """Return what is in a line (None: one that was too long), a list for a batch.

    ``version`` is the one agreed on, None before that.
    """
    if line is None:
        problem = f"a message may have {LONGEST_MESSAGE} bytes at most"
        return Malformed(None, Code.INVALID_REQUEST, problem)
    try:
        value = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Malformed(None, Code.PARSE, f"this is not JSON: {str(error)[:200]}")
    return _batch(value, version) if isinstance(value, list) else read_message(value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _batch(values: Sequence[object], version: str | None) -> Message | list[Message]:
    if version not in WITH_BATCHES:
        when = f"in version {version}" if version else "before initialize"
        return Malformed(None, Code.INVALID_REQUEST, f"no batches {when}: send one message a line")
    if not 0 < len(values) <= MOST_IN_BATCH:
        problem = f"a batch has 1 to {MOST_IN_BATCH} messages"
        return Malformed(None, Code.INVALID_REQUEST, problem)
    return [read_message(value) for value in values]


def read_message(value: object) -> Message:
    """Return a message from its JSON value."""
    if not isinstance(value, dict):
        return Malformed(None, Code.INVALID_REQUEST, "a message is an object")
    given, method, params = value.get("id"), value.get("method"), value.get("params", {})
    known = given if _is_id(given) else None
    if value.get("jsonrpc") != "2.0":
        return Malformed(known, Code.INVALID_REQUEST, '"jsonrpc" must be "2.0"')
    if "method" not in value and ("result" in value or "error" in value):
        return Answer()
    if not isinstance(method, str):
        return Malformed(known, Code.INVALID_REQUEST, '"method" must be a string')
    if "id" not in value:
        return Notification(method, params if isinstance(params, dict) else {})
    if known is None:
        return Malformed(None, Code.INVALID_REQUEST, '"id" must be a string or a whole number')
    if not isinstance(params, dict):
        return Malformed(known, Code.INVALID_PARAMS, '"params" must be an object')
    return Request(known, method, params)


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def result(request_id: Id, value: Mapping[str, Any]) -> Object:
    """Return the answer to a request that was carried out."""
    return {"jsonrpc": "2.0", "id": request_id, "result": dict(value)}


def error(request_id: Id | None, code: Code, problem: str, data: object = None) -> Object:
    """Return the answer to what cannot be carried out; ``request_id`` None: whose it is unknown."""
    said: Object = {"code": int(code), "message": problem}
    if data is not None:
        said["data"] = data
    return {"jsonrpc": "2.0", "id": request_id, "error": said}


def notification(method: str, params: Mapping[str, Any]) -> Object:
    """Return a message that wants no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": dict(params)}


def as_line(message: Object | Sequence[Object]) -> str:
    """Return a message, or a batch of them, as one line of ASCII without its end."""
    return json.dumps(message, separators=(",", ":"))


def progress_token(params: Mapping[str, Any]) -> Id | None:
    """Return what a request wants its progress to be named by; None: it wants to hear of none."""
    meta = params.get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if _is_id(token) else None
