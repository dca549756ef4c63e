"""The Responses API as Codex speaks it: streamed items, custom tools, usage at the end.

What OpenCode calls ``read``, ``write``, ``edit`` and ``bash`` is said with Codex's own tools; files
are changed by patches: as a tool of its own where it is offered, else by the shell.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from director.demo import token_counts
from director.demo.model_server import Request, read_beginning
from director.demo.turns import Call, Cut, Fault, Say, Use
from tests.e2e.models.script import Hang, Length, Simple, StreamError
from tests.e2e.models.server import frame

PATCH_TOOL = "apply_patch"
SHELL_TOOL = "exec_command"
CALLS = ("function_call", "custom_tool_call")
CODES = {"Overloaded": "server_is_overloaded"}
OVERLONG = {
    "code": "context_length_exceeded",
    "message": "Your input exceeds the context window of this model.",
}


class ResponsesApi:
    """How requests of Codex are read, and how it is answered."""

    path = "/v1/responses"

    def read(self, body: dict[str, Any]) -> Request:
        """Return the request in ``body``; the identifiers of calls tell how far it has come."""
        items = [item for item in body.get("input", []) if isinstance(item, dict)]
        asked = max((i for i, item in enumerate(items) if item.get("role") == "user"), default=-1)
        if asked < 0:
            raise ValueError("there is no message of a user in the input")
        turns = [_turn_of(item) for item in items[asked + 1 :] if item.get("type") in CALLS]
        prompt = read_beginning(items[asked].get("content")).strip()
        return Request(str(body.get("model", "")), prompt, max(turns, default=-1) + 1, body)

    def frames(self, request: Request, turn: Simple) -> Iterator[str]:
        """Give the frames of a streamed answer, which end after the text of one that breaks off."""
        head = {"id": f"resp_{request.turn}", "model": request.model, "status": "in_progress"}
        yield frame({"type": "response.created", "response": head})
        if isinstance(turn, Cut | Hang):
            yield from _begun(turn.text)
            return
        if isinstance(turn, StreamError):
            error = {"code": CODES.get(turn.message, turn.message), "message": turn.message}
            failed = head | {"status": "failed", "error": error}
            yield frame({"type": "response.failed", "response": failed})
            return
        items = list(_items(request, turn))
        for index, item in enumerate(items):
            yield frame({"type": "response.output_item.done", "output_index": index, "item": item})
        whole = self.whole(request, turn)
        yield frame({"type": f"response.{whole['status']}", "response": whole})

    def whole(self, request: Request, turn: Simple) -> dict[str, Any]:
        """Return the answer to a request that does not want a stream."""
        short = isinstance(turn, Length)
        return {
            "id": f"resp_{request.turn}",
            "object": "response",
            "model": request.model,
            "status": "incomplete" if short else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if short else None,
            "output": list(_items(request, turn)),
            "usage": _usage(request, turn),
        }

    def overlong(self) -> Fault:
        """Return what the provider says to a prompt that is too long."""
        return Fault(400, json.dumps({"error": OVERLONG | {"type": "invalid_request_error"}}))

    def tools(self, body: dict[str, Any]) -> set[str]:
        """Return the names of the tools that are offered to the model."""
        return {str(tool.get("name")) for tool in body.get("tools", [])}

    def system(self, body: dict[str, Any]) -> str:
        """Return what the model is told before the conversation."""
        items = [item for item in body.get("input", []) if item.get("role") == "developer"]
        return "\n".join(
            [body.get("instructions", ""), *(read_beginning(i.get("content")) for i in items)]
        )


def _begun(text: str) -> Iterator[str]:
    """Give a message that has begun, without its end."""
    if text:
        item = {"type": "message", "id": "msg", "role": "assistant", "content": []}
        yield frame({"type": "response.output_item.added", "output_index": 0, "item": item})
        delta = {"item_id": "msg", "output_index": 0, "content_index": 0, "delta": text}
        yield frame({"type": "response.output_text.delta", **delta})


def _items(request: Request, turn: Simple) -> Iterable[dict[str, Any]]:
    """Give the items of an answer; an empty text is no item."""
    if isinstance(turn, Use):
        for index, call in enumerate(turn.calls):
            yield _call(request, call) | {"call_id": f"call_{request.turn}_{index}"}
    elif isinstance(turn, Say | Length) and turn.text:
        content = [{"type": "output_text", "text": turn.text, "annotations": []}]
        yield {"type": "message", "id": "msg", "role": "assistant", "content": content}


def _call(request: Request, call: Call) -> dict[str, Any]:
    """Return a tool call in Codex's words; names that are not OpenCode's are passed on."""
    given = call.arguments
    match call.tool:
        case "bash":
            return _function(SHELL_TOOL, {"cmd": given["command"]})
        case "read":
            return _function(SHELL_TOOL, {"cmd": f"cat {shlex.quote(given['filePath'])}"})
        case "write":
            lines = [f"+{line}" for line in given["content"].splitlines()]
            return _patch(request, [f"*** Add File: {given['filePath']}", *lines])
        case "edit":
            old = [f"-{line}" for line in given["oldString"].splitlines()]
            new = [f"+{line}" for line in given["newString"].splitlines()]
            return _patch(request, [f"*** Update File: {given['filePath']}", "@@", *old, *new])
    return _function(call.tool, dict(given))


def _patch(request: Request, hunks: Sequence[str]) -> dict[str, Any]:
    text = "\n".join(("*** Begin Patch", *hunks, "*** End Patch", ""))
    if PATCH_TOOL in ResponsesApi().tools(request.body):
        return {"type": "custom_tool_call", "name": PATCH_TOOL, "input": text}
    return _function(SHELL_TOOL, {"cmd": f"{PATCH_TOOL} <<'EOF'\n{text}EOF\n"})


def _function(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function_call", "name": name, "arguments": json.dumps(arguments)}


def _turn_of(call: dict[str, Any]) -> int:
    return int(str(call.get("call_id", "")).split("_")[1])


def _usage(request: Request, turn: Simple) -> dict[str, Any]:
    """Return the tokens of this answer: what went before it in the conversation is cached."""
    items = request.body.get("input", [])
    context = token_counts.count(json.dumps([items, request.body.get("tools")]))
    calls = [index for index, item in enumerate(items) if item.get("type") in CALLS]
    new = items[calls[-1] :] if calls else items
    cached = context - token_counts.count(json.dumps(new)) if request.turn else 0
    said = Say(turn.text) if isinstance(turn, Length) else turn
    answered = token_counts.answer_tokens(said) if isinstance(said, Say | Use) else 0
    reasoning = token_counts.reasoning_tokens(request.model, answered)
    return {
        "input_tokens": context,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": answered + reasoning,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": context + answered + reasoning,
    }
