"""A scripted OpenAI-compatible model on loopback: chat completions, streamed, faults included.

Which turn is due is read from the request: it is the number of answers since the last prompt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from director.demo import token_counts
from director.demo.loopback import Answering, LoopbackServer
from director.demo.turns import Call, Cut, Fault, Say, Silence, Turn, Use
from director.model.values import dataclass

Script = Callable[[str, str], Sequence[Turn]]
"""The model's name and the prompt → its conversation (asked again for every request)."""

TITLE_REQUEST = "title generator"


@dataclass(frozen=True)
class Request:
    """A request as it arrived: ``turn`` is its place in the conversation (0 is the first)."""

    model: str
    prompt: str
    turn: int
    body: dict[str, Any]


class ModelServer(LoopbackServer):
    """Serves ``script`` while the context is open.

    ``requests`` are all that arrived, in their order, and stay readable afterwards.
    """

    def __init__(self, script: Script) -> None:
        super().__init__(_Handler)
        self.requests: list[Request] = []
        self._script = script

    def turn_for(self, request: Request) -> Turn:
        """Return what the model does now; a script that is over repeats its last turn."""
        self.requests.append(request)
        if _wants_title(request.body):
            return Say("A scripted conversation")
        conversation = self._script(request.model, request.prompt)
        if not conversation:
            return Say("The script has nothing to say.")
        return conversation[min(request.turn, len(conversation) - 1)]


def read_request(body: dict[str, Any]) -> Request:
    """Return the request in ``body``, the JSON of a chat completion."""
    messages = body.get("messages", [])
    asked = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    answers = sum(1 for message in messages[asked + 1 :] if message.get("role") == "assistant")
    prompt = read_beginning(messages[asked].get("content")) if asked >= 0 else ""
    return Request(str(body.get("model", "")), unquoted(prompt), answers, body)


def read_beginning(content: object) -> str:
    """Return the text of a message's content, which is a string or a list of parts."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        return "\n".join(str(part["text"]) for part in parts if "text" in part)
    return content if isinstance(content, str) else ""


def unquoted(prompt: str) -> str:
    """Return ``prompt`` without the white space and the quotes that a shell or an agent adds."""
    bare = prompt.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'":
        bare = bare[1:-1].strip()
    return bare


def _wants_title(body: dict[str, Any]) -> bool:
    """Whether this is the agent's own request for the name of a session."""
    messages = [read_beginning(m.get("content")) for m in body.get("messages", [])]
    return not body.get("tools") and any(TITLE_REQUEST in text for text in messages)


class _Handler(Answering):
    def posted(self, content: bytes) -> None:
        try:
            request = read_request(json.loads(content))
        except (ValueError, AttributeError) as error:
            return self.send_whole(400, json.dumps({"error": {"message": str(error)}}))
        return self._answer(request, self._owner.turn_for(request))

    def asked(self) -> None:
        self.send_whole(404, '{"error": {"message": "only chat completions are served"}}')

    @property
    def _owner(self) -> ModelServer:
        owner = self.server.owner
        assert isinstance(owner, ModelServer)
        return owner

    def _answer(self, request: Request, turn: Turn) -> None:
        match turn:
            case Fault(status, body, headers):
                self.send_whole(status, body, headers.items())
            case Silence(secs):
                self._owner.stopping.wait(secs)
            case _ if request.body.get("stream") is False:
                self.send_whole(200, json.dumps(completion(request, turn)))
            case _:
                events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(request, turn)]
                ended = [] if isinstance(turn, Cut) else ["data: [DONE]\n\n"]
                self.send_stream([*events, *ended])


def chunks(request: Request, turn: Turn) -> list[dict[str, Any]]:
    """Return the chunks that say ``turn`` when it is streamed; the last one carries the usage."""
    frame = _frame(request, "chat.completion.chunk")
    first = frame | _choice("delta", {"role": "assistant", **message(turn)}, None)
    if isinstance(turn, Cut):
        return [first]
    last = frame | _choice("delta", {}, finish_reason(turn))
    return [first, last | {"usage": usage(request, turn)}]


def completion(request: Request, turn: Turn) -> dict[str, Any]:
    """Return ``turn`` as an answer that is not streamed."""
    said = _choice("message", {"role": "assistant", **message(turn)}, finish_reason(turn))
    return _frame(request, "chat.completion") | said | {"usage": usage(request, turn)}


def _frame(request: Request, kind: str) -> dict[str, Any]:
    made = {"id": f"chatcmpl-{time.monotonic_ns()}", "created": int(time.time())}
    return {**made, "object": kind, "model": request.model}


def _choice(key: str, said: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, key: said, "finish_reason": finish}]}


def message(turn: Turn) -> dict[str, Any]:
    """Return what the model says in ``turn``: content, or tool calls."""
    if isinstance(turn, Use):
        calls = [_tool_call(index, call) for index, call in enumerate(turn.calls)]
        return {"content": None, "tool_calls": calls}
    return {"content": turn.text if isinstance(turn, Say | Cut) else ""}


def finish_reason(turn: Turn) -> str:
    """Return why the model stops."""
    return "tool_calls" if isinstance(turn, Use) else "stop"


def usage(request: Request, turn: Turn) -> dict[str, Any]:
    """Return the tokens of this answer: all that went before it in the conversation is cached."""
    messages = request.body.get("messages", [])
    context = token_counts.count(json.dumps([messages, request.body.get("tools")]))
    cached = context - token_counts.count(json.dumps(_since_last_answer(messages)))
    cached = cached if request.turn else 0
    answered = token_counts.answer_tokens(turn)
    reasoning = token_counts.reasoning_tokens(request.model, answered)
    return token_counts.as_requests_have_them(context, cached, answered, reasoning)


def _since_last_answer(messages: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return the last answer and what came after it: what the model has not read before."""
    answers = [index for index, m in enumerate(messages) if m.get("role") == "assistant"]
    return messages[answers[-1] :] if answers else messages


def _tool_call(index: int, call: Call) -> dict[str, Any]:
    return {
        "index": index,
        "id": f"call_{time.monotonic_ns()}_{index}",
        "type": "function",
        "function": {"name": call.tool, "arguments": json.dumps(dict(call.arguments))},
    }
