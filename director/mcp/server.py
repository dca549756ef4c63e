"""One conversation with a client: which message is answered how. Reads and writes no stream."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import director
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
from director.mcp.tools import WITH_STRUCTURE, Invocation, Tool, wait_secs

MOST_CALLS = 16  # under way at once
LAST_SECS = 1.0  # for commands that are to end at once

Reply = Callable[[Object | None], None]
"""Takes the answer to a request; None: there is to be none, since it was cancelled."""


class Call:
    """A request whose command is under way: it is answered once, by whoever is first."""

    def __init__(self, running: Running, reply: Reply) -> None:
        self.running = running
        self._reply = reply
        self._turn = threading.Lock()
        self._answered = False

    def claim(self) -> bool:
        """Whether the caller is to answer: nobody has, or was to, before."""
        with self._turn:
            before, self._answered = self._answered, True
        return not before

    @property
    def is_answered(self) -> bool:
        """Whether somebody has answered, or is about to."""
        return self._answered

    def answer(self, message: Object | None) -> None:
        """Answer; for whoever has claimed it."""
        self._reply(message)


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
        self._turn = threading.Lock()
        self._calls: dict[Id, Call] = {}
        self._threads: dict[threading.Thread, Running] = {}
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
        """Have every command end in good order, or only those that call models."""
        for running in tuple(self._threads.values()):
            if running.invocation.events or not asking_only:
                running.cancel()

    def insist(self) -> None:
        """Have every command end at once, and wait a moment for it: for a signal handler."""
        running = [one for one in tuple(self._threads.values()) if not one.is_over()]
        for one in running:
            one.insist()
        deadline = time.monotonic() + LAST_SECS
        while time.monotonic() < deadline and not all(one.is_over() for one in running):
            time.sleep(0.02)

    def is_idle(self, wait_secs: float) -> bool:
        """Wait so long at most for what is under way; returns whether nothing is left of it."""
        for thread in tuple(self._threads):
            thread.join(wait_secs)
            return not self._threads
        return True

    def _send(self, message: Object | None) -> None:
        if message is not None:
            self._write(as_line(message))

    def _take_batch(self, messages: list[Message]) -> None:
        wanted = [one for one in messages if isinstance(one, Request | Malformed)]
        reply = _Batch(len(wanted), self._write).reply
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
                self._notice(message)
            case Request():
                try:
                    self._answer(message, reply)
                except ProtocolError as problem:
                    reply(error(message.id, problem.code, problem.problem, problem.data))
                except Exception as problem:  # one request must not end the conversation
                    reply(error(message.id, Code.INTERNAL, _bug(problem)))
            case Answer():
                return

    def _notice(self, message: Notification) -> None:
        if message.method != "notifications/cancelled":
            return
        wanted = message.params.get("requestId")
        call = self._calls.get(wanted) if isinstance(wanted, int | str) else None
        if call is None:
            return
        call.running.cancel()
        if call.claim():
            self._forget(call)
            call.answer(None)

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
        call = self._call(request, invocation, reply)
        teller = Teller(progress_token(request.params), self._send, lambda: self._level)

        def tell(said: Object | None) -> None:
            if not call.is_answered:
                teller.tell(said)

        timer = self._timer(call, request.id, wait_secs(given))
        self._begin(call, request.id, lambda: self._as_result(call.running.to_end(tell)), timer)

    @property
    def _known(self) -> str:
        return f"there are {', '.join(self._tools)}"

    def _timer(self, call: Call, request_id: Id, secs: int | None) -> threading.Timer | None:
        """Answer with where the job stands when a call takes longer than its client waits."""
        if secs is None:
            return None

        def answer() -> None:
            if call.claim():
                self._forget(call)
                status = Running(self._commands, Invocation("status", ()))
                call.answer(result(request_id, self._as_result(status.to_end())))

        timer = threading.Timer(secs, answer)
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
        call = self._call(request, invocation, reply)
        self._begin(call, request.id, lambda: self._reader.from_command(uri, call.running))

    def _call(self, request: Request, invocation: Invocation, reply: Reply) -> Call:
        if len(self._threads) >= MOST_CALLS:
            raise ProtocolError(Code.BUSY, f"{MOST_CALLS} calls are under way: wait for one")
        call = Call(Running(self._commands, invocation), reply)
        with self._turn:
            self._calls[request.id] = call
        return call

    def _begin(
        self,
        call: Call,
        request_id: Id,
        work: Callable[[], Object],
        timer: threading.Timer | None = None,
    ) -> None:
        def run() -> None:
            try:
                answer = _answer_of(request_id, work)
                if call.claim():
                    self._forget(call)
                    call.answer(answer)
            finally:
                if timer:
                    timer.cancel()
                del self._threads[threading.current_thread()]

        thread = threading.Thread(target=run, name=f"call {request_id}"[:40], daemon=True)
        self._threads[thread] = call.running
        thread.start()
        if timer:
            timer.start()

    def _forget(self, call: Call) -> None:
        with self._turn:
            for request_id in [key for key, one in self._calls.items() if one is call]:
                del self._calls[request_id]


class _Batch:
    """Collects the answers to the messages of a batch, and writes them as one."""

    def __init__(self, wanted: int, write: Callable[[str], None]) -> None:
        self._missing = wanted
        self._write = write
        self._turn = threading.Lock()
        self._answers: list[Object] = []

    def reply(self, message: Object | None) -> None:
        with self._turn:
            self._missing -= 1
            if message is not None:
                self._answers.append(message)
            over = not self._missing and bool(self._answers)
        if over:
            self._write(as_line(self._answers))


def _answer_of(request_id: Id, work: Callable[[], Object]) -> Object:
    """Return the answer that ``work`` leads to; a mistake of director's own is one, too."""
    try:
        return result(request_id, work())
    except ProtocolError as problem:
        return error(request_id, problem.code, problem.problem, problem.data)
    except Exception as problem:  # the conversation goes on whatever happens in one call
        return error(request_id, Code.INTERNAL, _bug(problem))


def _bug(problem: Exception) -> str:
    return f"a bug in director: {type(problem).__name__}: {problem}"


def _refuse_cursor(params: Object) -> None:
    """Raise ProtocolError for a page that is not the first: there is one only."""
    if params.get("cursor") is not None:
        raise ProtocolError(Code.INVALID_PARAMS, "there is no such cursor: the list has one page")
