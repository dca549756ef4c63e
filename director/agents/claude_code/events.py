"""What Claude Code's events (stream-json) say, for the transcript and of a call's end.

With partial messages every request shows its tokens while it runs: ``message_start`` tells what
the model reads, each ``message_delta`` what it has written so far. The sums in the ``result`` at
the end leave out requests that were cut, but have those that show no events: of each kind, the
larger count is the true one.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from director.agents.calls import Outcome
from director.agents.claude_code.options import TITLE
from director.agents.reading import CallEnd
from director.agents.transcript import (
    Fault,
    FaultKind,
    Finish,
    Retry,
    ToolKind,
    ToolUse,
    Transcript,
    subject_of,
)
from director.model.patterns import lazy_pattern
from director.model.usage import LARGEST, Tokens

SYNTHETIC = "<synthetic>"  # the model of what Claude Code says itself
EXIT_CODE = lazy_pattern(r"Exit code (\d{1,9})(?:\n|$)(?!Command timed out)")
ALIAS = lazy_pattern(r"[a-z]+(\[1m\])?")  # opus, sonnet[1m]
KINDS = {"Bash": ToolKind.SHELL, "Edit": ToolKind.EDIT, "Write": ToolKind.EDIT}
FINISHES = {
    "end_turn": Finish.DONE,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "refusal": Finish.REFUSED,
}
# As a request has them, and as the result sums them; what a model thinks is in what it writes.
IN_REQUEST = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
IN_RESULT = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
NOT_LOGGED_IN = "authentication_failed"
FAULTS = {
    NOT_LOGGED_IN: FaultKind.PERMANENT,
    "max_output_tokens": FaultKind.LENGTH,
    "model_not_found": FaultKind.UNKNOWN_MODEL,
}
NO_KEY = 'it needs ANTHROPIC_API_KEY, or a login and [claude-code] home = "user"'
PERMANENT_STATUS_CODES = frozenset({400, 401, 402, 403, 404, 413})
TOO_LONG = "prompt_too_long"


class Asked(NamedTuple):
    """What a call was started with, for comparison with what Claude Code says that it runs.

    ``model`` is what the tier names: an alias, which Claude Code resolves, or what is sent.
    """

    model: str
    tools: frozenset[str]
    mode: str

    def differs(self, event: Mapping[str, Any]) -> str:
        """Return what is not as asked in an ``init`` event ("": nothing)."""
        model, tools, mode = event.get("model"), event.get("tools"), event.get("permissionMode")
        if model != self.model and not ALIAS.fullmatch(self.model):
            return f"the model is {model}, not {self.model}"
        if not isinstance(tools, list) or set(map(str, tools)) != self.tools:
            return f"the tools are {tools}, not {sorted(self.tools)}"
        return "" if mode == self.mode else f"the permission mode is {mode}, not {self.mode}"


class ClaudeCodeReader:
    """Reads the events of ``claude -p``; without ``asked`` the start is believed."""

    title = TITLE
    fragment = b'"type":"content_block_delta"'

    def __init__(self, asked: Asked | None = None) -> None:
        self._asked = asked
        self._calls: dict[str, dict[str, Any]] = {}  # tool calls without a result
        self._usage: dict[str, Any] = {}  # of the request that runs
        self._before = Tokens()  # of earlier requests
        self._fault = ""  # the name of what Claude Code said that went wrong
        self._otherwise = ""  # what is not as asked

    def take(self, event: dict[str, Any], transcript: Transcript) -> None:
        """Put one event into the transcript; kinds that say nothing here are passed over."""
        match event.get("type"), event.get("subtype"):
            case "system", "init" if self._asked:
                self._otherwise = self._asked.differs(event)
            case "system", "api_retry":
                transcript.retry = _retry(event)
            case "stream_event", _:
                self._take_partial(_table(event.get("event")), transcript)
            case "assistant", _:
                self._take_message(event, transcript)
            case "user", _:
                for part in _parts(event):
                    call = self._calls.pop(str(part.get("tool_use_id")), None)
                    if part.get("type") == "tool_result" and call:
                        result = event.get("tool_use_result")
                        transcript.add_tool(tool_use(call, part, result))
            case "result", _:
                self._take_result(event, transcript)

    def failing(self, _errors: bytes) -> str | None:
        """Return None: standard error tells nothing of providers."""
        return None

    def conclude(self, transcript: Transcript, _errors: str) -> CallEnd | None:
        """Return how a call ended that did not run as asked, or that had neither key nor login."""
        if self._otherwise:
            reason = f"Claude Code did not start as configured: {self._otherwise}"
            return CallEnd(Outcome.AGENT_FAULT, reason, FaultKind.PERMANENT)
        last = transcript.faults[-1:]
        if last and (last[0].name, last[0].status_code) == (NOT_LOGGED_IN, None):
            return CallEnd(
                Outcome.AGENT_FAULT, f"{last[0].message} ({NO_KEY})", FaultKind.PERMANENT
            )
        return None

    def _take_partial(self, event: Mapping[str, Any], transcript: Transcript) -> None:
        match event.get("type"):
            case "message_start":
                self._before = transcript.tokens
                self._usage = dict(_table(_table(event.get("message")).get("usage")))
            case "message_delta":
                self._usage |= _table(event.get("usage"))
            case _:
                return
        counted = _tokens(self._usage, IN_REQUEST)
        transcript.tokens = self._before + (counted or Tokens())
        if reason := _table(event.get("delta")).get("stop_reason"):
            finish = FINISHES.get(str(reason), Finish.OTHER)
            transcript.add_finish(finish, counted and Tokens(), None)  # its tokens are in already

    def _take_message(self, event: Mapping[str, Any], transcript: Transcript) -> None:
        if _table(event.get("message")).get("model") == SYNTHETIC:
            self._fault = str(event.get("error") or "")
            return
        for part in _parts(event):
            if part.get("type") == "text":
                transcript.texts.append(str(part.get("text", "")))
            elif part.get("type") == "tool_use":
                self._calls[str(part.get("id"))] = part
                transcript.running = tool_use(part, {}, None)

    def _take_result(self, event: Mapping[str, Any], transcript: Transcript) -> None:
        models = _table(event.get("modelUsage")).values()
        sums = [_tokens(_table(one), IN_RESULT) or Tokens() for one in models]
        total = sum(sums, Tokens())
        transcript.tokens = Tokens(*map(max, transcript.tokens, total))
        if event.get("stop_reason") == "refusal":
            return  # the model's own end, though Claude Code calls it an invalid request
        if event.get("is_error"):
            transcript.add_fault(_fault(self._fault, event))
        elif event.get("stop_reason") is None:
            # Nothing else tells: what there is of the answer is given as if it were all.
            transcript.add_fault(Fault("cut", "the answer was cut off"))


def tool_use(call: Mapping[str, Any], result: Mapping[str, Any], details: object) -> ToolUse:
    """Return what a tool call with its result was; ``details`` are those of the event."""
    name, given = str(call.get("name")), _table(call.get("input"))
    kind = KINDS.get(name, ToolKind.OTHER)
    failed = bool(result.get("is_error"))
    code = None if failed else 0
    if kind is ToolKind.SHELL:
        said = EXIT_CODE.match(text_of(result.get("content"))) if failed else None
        if said:
            code = int(said[1])
        elif _table(details).get("returnCodeInterpretation"):
            code = 1  # of grep, diff, test, … it is no error, and is only told in words
    path = given.get("file_path")
    return ToolUse(
        kind,
        name,
        command=str(given.get("command", "")) if kind is ToolKind.SHELL else "",
        paths=(str(path),) if kind is ToolKind.EDIT and path else (),
        carried_out=not failed or code is not None,
        exit_code=code if kind is ToolKind.SHELL else None,
        subject=subject_of(given) if kind is ToolKind.OTHER else "",
    )


def _fault(name: str, result: Mapping[str, Any]) -> Fault:
    errors = result.get("errors")
    said = result.get("result") or "; ".join(map(str, errors if isinstance(errors, list) else ()))
    code = result.get("api_error_status")
    code = code if isinstance(code, int) else None
    lasting = FaultKind.PERMANENT if code in PERMANENT_STATUS_CODES else FaultKind.TRANSIENT
    kind = FAULTS.get(name, lasting)
    if result.get("terminal_reason") == TOO_LONG:
        kind = FaultKind.CONTEXT
    return Fault(name or str(result.get("subtype")), str(said or "no message"), code, kind)


def _retry(event: Mapping[str, Any]) -> Retry:
    status, attempt = event.get("error_status"), event.get("attempt")
    message = f"{event.get('error')}{f' (HTTP {status})' if status else ''}"
    return Retry(attempt if isinstance(attempt, int) else 0, message, 0.0)  # it waits by itself


def _tokens(counts: Mapping[str, Any], names: Iterable[str]) -> Tokens | None:
    """Return the tokens of a request, or None where a count is impossible or all are missing."""
    kinds = [counts.get(name) for name in names]
    known = [count or 0 for count in kinds]  # a gateway may leave out the cache
    possible = all(isinstance(one, int) and 0 <= one < LARGEST for one in known)
    return Tokens(*known) if possible and kinds != [None] * len(kinds) else None


def _parts(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = _table(event.get("message")).get("content")
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def text_of(content: object) -> str:
    """Return the text of a tool's result, which is a string or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(_table(part).get("text", "")) for part in content)
    return str(content)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
