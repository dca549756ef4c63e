"""The Messages API, as Claude Code asks it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from director.demo import token_counts
from director.demo.model_server import Request, read_beginning, unquoted
from director.demo.turns import Call, Cut, Fault, Say, Use
from tests.e2e.models.script import Hang, Length, Simple, StreamError
from tests.e2e.models.server import frame

TOOLS = {"read": "Read", "write": "Write", "edit": "Edit", "bash": "Bash"}
ARGUMENTS = {"filePath": "file_path", "oldString": "old_string", "newString": "new_string"}
REMINDER = "<system-reminder>"
_numbers = itertools.count(1)


class MessagesApi:
    """The dialect of ``POST /v1/messages``."""

    path = "/v1/messages"

    def read(self, body: dict[str, Any]) -> Request:
        """Return the request; a message that only answers tool calls is no prompt."""
        messages = body["messages"]
        asked = max((i for i, one in enumerate(messages) if _prompt_of(one)), default=-1)
        answers = sum(one["role"] == "assistant" for one in messages[asked + 1 :])
        prompt = _prompt_of(messages[asked]) if asked >= 0 else ""
        return Request(str(body.get("model", "")), unquoted(prompt), answers, body)

    def frames(self, request: Request, turn: Simple) -> Iterator[str]:
        """Return the frames of a streamed answer."""
        start = _message(request, turn) | {"content": [], "stop_reason": None}
        start["usage"] = start["usage"] | {"output_tokens": 1}
        yield frame({"type": "message_start", "message": start})
        if isinstance(turn, StreamError):
            error = {"type": "overloaded_error", "message": turn.message}
            yield frame({"type": "error", "error": error})
            return
        for index, block in enumerate(_blocks(turn)):
            yield from _block_frames(index, block, whole=not isinstance(turn, Hang))
        if isinstance(turn, Cut | Hang):
            return
        delta = {"stop_reason": _stop_reason(turn), "stop_sequence": None}
        yield frame({"type": "message_delta", "delta": delta, "usage": _usage(request, turn)})
        yield frame({"type": "message_stop"})

    def whole(self, request: Request, turn: Simple) -> dict[str, Any]:
        """Return the answer to a request that does not want a stream."""
        return _message(request, turn)

    def overlong(self) -> Fault:
        """Return what the provider says to a prompt that is too long."""
        message = "prompt is too long: 250000 tokens > 200000 maximum"
        error = {"type": "invalid_request_error", "message": message}
        return Fault(400, json.dumps({"type": "error", "error": error}))

    def tools(self, body: dict[str, Any]) -> set[str]:
        """Return the names of the tools that are offered to the model, as the script has them."""
        ours = {theirs: own for own, theirs in TOOLS.items()}
        return {ours.get(one["name"], one["name"]) for one in body.get("tools", [])}

    def system(self, body: dict[str, Any]) -> str:
        """Return what the model is told before the conversation."""
        return read_beginning(body.get("system"))


def _prompt_of(message: dict[str, Any]) -> str:
    """Return what the user says in a message ("": nothing, or tools' results)."""
    content = message["content"]
    if message["role"] != "user":
        return ""
    if isinstance(content, list):
        if any(part.get("type") == "tool_result" for part in content):
            return ""
        said = [one for one in content if not str(one.get("text", "")).startswith(REMINDER)]
        return read_beginning(said)
    return read_beginning(content)


def _message(request: Request, turn: Simple) -> dict[str, Any]:
    return {
        "id": f"msg_{next(_numbers)}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": _blocks(turn),
        "stop_reason": _stop_reason(turn),
        "stop_sequence": None,
        "usage": _usage(request, turn),
    }


def _blocks(turn: Simple) -> list[dict[str, Any]]:
    match turn:
        case Use(calls):
            return [_tool_use(call) for call in calls]
        case Say(text) | Length(text) | Cut(text) | Hang(text):
            return [{"type": "text", "text": text}] if text else []
        case _:
            return []


def _tool_use(call: Call) -> dict[str, Any]:
    given = {ARGUMENTS.get(name, name): value for name, value in call.arguments.items()}
    name = TOOLS.get(call.tool, call.tool)
    return {"type": "tool_use", "id": f"toolu_{next(_numbers)}", "name": name, "input": given}


def _block_frames(index: int, block: dict[str, Any], *, whole: bool) -> Iterable[str]:
    if block["type"] == "text":
        empty: dict[str, Any] = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        empty = block | {"input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield frame({"type": "content_block_start", "index": index, "content_block": empty})
    yield frame({"type": "content_block_delta", "index": index, "delta": delta})
    if whole:
        yield frame({"type": "content_block_stop", "index": index})


def _stop_reason(turn: Simple) -> str:
    match turn:
        case Use():
            return "tool_use"
        case Length():
            return "max_tokens"
    return "end_turn"


def _usage(request: Request, turn: Simple) -> dict[str, int]:
    """Return the tokens of an answer: what went before it in the conversation is cached."""
    messages = request.body.get("messages", [])
    context = token_counts.count(json.dumps([messages, request.body.get("tools")]))
    fresh = token_counts.count(json.dumps(messages[-2:]))
    cached = context - fresh if request.turn else 0
    answered = sum(token_counts.count(json.dumps(block)) for block in _blocks(turn))
    return {
        "input_tokens": context - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": answered,
    }
