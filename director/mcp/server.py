"""One conversation with a client: which message is answered how. Reads and writes no stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import director
from director.mcp.calls import Batch, Call, Calls, Reply, failure
from director.mcp.commands import Commands, Running
from director.mcp.protocol import (
    Answer,
    Code,
    Id,
    Malformed,
    Message,
    Notification,
    Object,
    ProtocolError,
    Request,
    as_line,
    error,
    negotiated,
    progress_token,
    read_line,
    result,
)
from director.mcp.resources import RESOURCES, TEMPLATES, Reader
from director.mcp.telling import LEVELS, USUAL_LEVEL, Teller
from director.mcp.tool import WITH_STRUCTURE, Invocation, Tool, wait_secs


class Server:
    """Answers the lines of a client with lines, which it hands to ``write`` (from any thread).

    ``tools`` are those on offer, ``manual`` is what an agent is told of their use.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        reader: Reader,
        commands: Commands,
        manual: str,
        write: Callable[[str], None],
    ) -> None:
        self.version: str | None = None
        self._tools = tools
        self._reader = reader
        self._commands = commands
        self._manual = manual
        self._write = write
        self._level = USUAL_LEVEL
        self._calls = Calls(commands)
        self._methods: dict[str, Callable[[Object], Object]] = {
            "initialize": self._initialize,
            "ping": lambda _: {},
            "tools/list": self._list_tools,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "logging/setLevel": self._set_level,
        }
        self._long: dict[str, Callable[[Request, Reply], None]] = {
            "tools/call": self._call_tool,
            "resources/read": self._read_resource,
        }

    def take(self, line: bytes | None) -> None:
        """Take a line of the client's (None: one that was too long); never raises for it."""
        if line is not None and not line.strip():
            return
        found = read_line(line, self.version)
        if isinstance(found, list):
            self._take_batch(found)
        else:
            self._take(found, self._send)

    def cancel_all(self, *, asking_only: bool = False) -> None:
        """Have every command end in good order, or only those that take long."""
        self._calls.cancel_all(asking_only=asking_only)

    def insist(self) -> None:
        """Have every command end at once, and wait a moment for it: for a signal handler."""
        self._calls.insist()

    def is_idle(self, wait_secs: float) -> bool:
        """Wait so long at most for what is under way; returns whether nothing is left of it."""
        return self._calls.is_idle(wait_secs)

    def _send(self, message: Object | None) -> None:
        if message is not None:
            self._write(as_line(message))

    def _take_batch(self, messages: list[Message]) -> None:
        wanted = [one for one in messages if isinstance(one, Request | Malformed)]
        reply = Batch(len(wanted), self._write).reply
        for one in messages:
            if isinstance(one, Request) and one.method == "initialize":
                problem = "initialize may not be part of a batch"
                reply(error(one.id, Code.INVALID_REQUEST, problem))
            else:
                self._take(one, reply)

    def _take(self, message: Message, reply: Reply) -> None:
        match message:
            case Malformed():
                reply(error(message.id, message.code, message.problem))
            case Notification():
                if message.method == "notifications/cancelled":
                    self._calls.cancel(message.params.get("requestId"))
            case Request():
                try:
                    self._answer(message, reply)
                except Exception as problem:  # one request must not end the conversation
                    reply(failure(message.id, problem))
            case Answer():
                return

    def _answer(self, request: Request, reply: Reply) -> None:
        if request.id in self._calls:
            raise ProtocolError(Code.INVALID_REQUEST, "a request with this id is under way")
        known = request.method in self._methods or request.method in self._long
        if not known:
            raise ProtocolError(Code.UNKNOWN_METHOD, f"there is no method {request.method[:100]}")
        if self.version is None and request.method not in ("initialize", "ping"):
            raise ProtocolError(Code.INVALID_REQUEST, "begin with initialize")
        if begin := self._long.get(request.method):
            begin(request, reply)
        else:
            reply(result(request.id, self._methods[request.method](request.params)))

    def _initialize(self, params: Object) -> Object:
        if self.version is not None:
            raise ProtocolError(Code.INVALID_REQUEST, "initialize was called before")
        if not isinstance(params.get("protocolVersion"), str):
            raise ProtocolError(Code.INVALID_PARAMS, '"protocolVersion" must be a string')
        self.version = negotiated(params["protocolVersion"])
        return {
            "protocolVersion": self.version,
            "capabilities": {"tools": {}, "resources": {}, "logging": {}},
            "serverInfo": {
                "name": "director",
                "title": "director",
                "version": director.__version__,
            },
            "instructions": self._manual,
        }

    def _list_tools(self, params: Object) -> Object:
        _refuse_cursor(params)
        return {"tools": [one.described(str(self.version)) for one in self._tools.values()]}

    def _list_resources(self, params: Object) -> Object:
        _refuse_cursor(params)
        return {"resources": [one.described(str(self.version)) for one in RESOURCES]}

    def _list_templates(self, params: Object) -> Object:
        _refuse_cursor(params)
        described = [one.described(str(self.version), key="uriTemplate") for one in TEMPLATES]
        return {"resourceTemplates": described}

    def _set_level(self, params: Object) -> Object:
        level = params.get("level")
        if level not in LEVELS:
            raise ProtocolError(Code.INVALID_PARAMS, f"a level is one of {', '.join(LEVELS)}")
        self._level = level
        return {}

    def _call_tool(self, request: Request, reply: Reply) -> None:
        tool = self._tools.get(str(request.params.get("name")))
        if tool is None:
            raise ProtocolError(Code.INVALID_PARAMS, f"there is no such tool: {self._known}")
        given = request.params.get("arguments")
        invocation = tool.invocation({} if given is None else given)
        call = self._calls.add(request.id, invocation, reply)
        teller = Teller(progress_token(request.params), self._send, lambda: self._level)

        def tell(said: Object | None) -> None:
            if not call.is_answered:
                teller.tell(said)

        timer = self._timer(call, request.id, wait_secs(given))
        self._calls.begin(
            call, request.id, lambda: self._as_result(call.running.to_end(tell)), timer
        )

    @property
    def _known(self) -> str:
        return f"there are {', '.join(self._tools)}"

    def _timer(self, call: Call, request_id: Id, secs: int | None) -> threading.Timer | None:
        """Answer with where the job stands when a call takes longer than its client waits."""
        if secs is None:
            return None

        def status() -> Object:
            said = Running(self._commands, Invocation("status", ())).to_end()
            return result(request_id, self._as_result(said))

        timer = threading.Timer(secs, lambda: self._calls.settle(call, status))
        timer.daemon = True
        return timer

    def _as_result(self, said: Object) -> Object:
        text = json.dumps(said, ensure_ascii=False)
        found: Object = {
            "content": [{"type": "text", "text": text}],
            "isError": said["ok"] is not True,
        }
        if str(self.version) >= WITH_STRUCTURE:
            found["structuredContent"] = said
        return found

    def _read_resource(self, request: Request, reply: Reply) -> None:
        uri: Any = request.params.get("uri")
        invocation = self._reader.needs_command(uri)
        if invocation is None:
            reply(result(request.id, self._reader.from_file(uri)))
            return
        call = self._calls.add(request.id, invocation, reply)
        self._calls.begin(call, request.id, lambda: self._reader.from_command(uri, call.running))


def _refuse_cursor(params: Object) -> None:
    """Raise ProtocolError for a page that is not the first: there is one only."""
    if params.get("cursor") is not None:
        raise ProtocolError(Code.INVALID_PARAMS, "there is no such cursor: the list has one page")
