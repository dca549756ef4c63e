"""What OpenCode's events and its standard error say, for the transcript and of a call's end."""

from __future__ import annotations

import re
from typing import Any

from director.agents.calls import Outcome
from director.agents.reading import PERMISSION_ASKED, CallEnd
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
from director.model.usage import LARGEST, Tokens

KINDS = {
    **dict.fromkeys(("edit", "write", "apply_patch", "patch", "multiedit"), ToolKind.EDIT),
    "bash": ToolKind.SHELL,
}
FINISHES = {
    one.value: one for one in (Finish.DONE, Finish.TOOL_CALLS, Finish.LENGTH, Finish.REFUSED)
}
CONTEXT = "ContextOverflowError"
LENGTH = "MessageOutputLengthError"
UNKNOWN_MODEL = ("ProviderModelNotFoundError", "UnknownError: Model not found")
PERMANENT = ("ProviderInitError", "ProviderAuthError")
PERMANENT_STATUS_CODES = frozenset({400, 401, 402, 403, 404})
STREAM_ERRORS_TOLERATED = 3
STREAM_ERROR = re.compile(rb'message="stream error"[^\n]*')
REJECTED = re.compile(r"permission requested: ([^\n;]+); auto-rejecting")
FALLBACK = "Falling back to default agent"
UPSTREAM = re.compile(r'error\.error="([^"]*)')
CAUSE = re.compile(r'message=failed [^\n]*?error="([^"\n]+)"')


class OpenCodeReader:
    """Reads the events of ``opencode run --format json``, and those of a server in its words."""

    title = "OpenCode"
    fragment = b""

    def __init__(self) -> None:
        self._stream_errors: list[bytes] = []

    def take(self, event: dict[str, Any], transcript: Transcript) -> None:
        """Put one event into the transcript; kinds that say nothing here are passed over."""
        part = event.get("part")
        part = part if isinstance(part, dict) else {}
        match event.get("type"):
            case "text":
                transcript.texts.append(str(part.get("text", "")))
            case "tool_use":
                transcript.add_tool(_tool_use(part))
            case "tool_begun":
                transcript.running = _tool_use(part)
            case "step_finish":
                _add_finish(part, transcript)
            case "error":
                transcript.add_fault(fault_of(event.get("error")))
            case "retry":
                transcript.retry = _retry(event)
            case "permission":
                patterns = event.get("patterns")
                listed = ", ".join(map(str, patterns)) if isinstance(patterns, list) else ""
                transcript.asked_for = f"{event.get('permission')} ({listed})"

    def failing(self, errors: bytes) -> str | None:
        """Return what the provider says when its stream has broken often enough, else None."""
        self._stream_errors += STREAM_ERROR.findall(errors)
        if len(self._stream_errors) < STREAM_ERRORS_TOLERATED:
            return None
        said = UPSTREAM.search(self._stream_errors[-1].decode(errors="replace"))
        return said[1] if said else "stream errors"

    def conclude(self, transcript: Transcript, errors: str) -> CallEnd | None:
        """Return how a call ended where only standard error tells."""
        if FALLBACK in errors:
            reason = "OpenCode did not know the agent and fell back to another"
            return CallEnd(Outcome.AGENT_FAULT, reason)
        if transcript.ended_in_fault:
            last = transcript.faults[-1]
            cause = CAUSE.search(errors) if last.name == "UnknownError" else None
            if cause is None:
                return None
            name, _, message = cause[1].partition(": ")  # the event only points to the log
            return CallEnd(Outcome.PROVIDER_FAULT, cause[1][:300], _kind(name, message))
        if rejected := REJECTED.search(errors):
            # director's roles never ask: a user's agent file or plugin does.
            asked_for = transcript.asked_for or rejected[1]
            reason = f"{PERMISSION_ASKED}: {asked_for}"
            return CallEnd(Outcome.AGENT_FAULT, reason, FaultKind.PERMANENT)
        return None


def _add_finish(part: dict[str, Any], transcript: Transcript) -> None:
    counted, usd = _tokens(part.get("tokens")), _amount(part.get("cost"))
    reason = str(part.get("reason"))
    finish = FINISHES.get(reason, Finish.OTHER)
    if reason == "unknown" and not (counted or Tokens()).total:
        finish = Finish.EMPTY
    transcript.add_finish(finish, counted, usd)


def _tool_use(part: dict[str, Any]) -> ToolUse:
    state = part.get("state")
    state = state if isinstance(state, dict) else {}
    metadata, given = state.get("metadata"), state.get("input")
    given = given if isinstance(given, dict) else {}
    code = metadata.get("exit") if isinstance(metadata, dict) else None
    name = str(part.get("tool"))
    kind = KINDS.get(name, ToolKind.OTHER)
    path = given.get("filePath")
    return ToolUse(
        kind,
        name,
        command=str(given.get("command", "")) if kind is ToolKind.SHELL else "",
        paths=(str(path),) if kind is ToolKind.EDIT and path else (),
        carried_out=state.get("status") == "completed",
        exit_code=code if isinstance(code, int) else None,
        subject=subject_of(given) if kind is ToolKind.OTHER else "",
    )


def fault_of(error: object) -> Fault:
    """Return the fault that the ``error`` of an event tells of."""
    if not isinstance(error, dict):
        return Fault("UnknownError", str(error))
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    code = data.get("statusCode")
    code = code if isinstance(code, int) else None
    message = str(data.get("message") or error.get("message") or error.get("name") or "no message")
    name = str(error.get("name", "UnknownError"))
    return Fault(name, message, code, _kind(name, message, code))


def _kind(name: str, message: str, code: int | None = None) -> FaultKind:
    absent = code == 404 and "model" in message.lower()
    if absent or f"{name}: {message}".startswith(UNKNOWN_MODEL):
        return FaultKind.UNKNOWN_MODEL
    if name in (CONTEXT, LENGTH):
        return FaultKind.CONTEXT if name == CONTEXT else FaultKind.LENGTH
    lasting = name in PERMANENT or code in PERMANENT_STATUS_CODES
    return FaultKind.PERMANENT if lasting else FaultKind.TRANSIENT


def _retry(event: dict[str, Any]) -> Retry:
    message = " ".join(str(event.get("message")).split())[:300]
    return Retry(int(_number(event.get("attempt"))), message, _number(event.get("next")) / 1000)


def _tokens(counts: object) -> Tokens | None:
    """Return the tokens of a step, or None where a count is missing or impossible.

    A model without a cache or without reasoning may leave out these kinds.
    """
    cache = counts.get("cache", {}) if isinstance(counts, dict) else None
    if not isinstance(counts, dict) or not isinstance(cache, dict):
        return None
    plain = (counts.get("input"), counts.get("output"))
    kinds = (*plain, cache.get("read", 0), cache.get("write", 0), counts.get("reasoning", 0))
    return Tokens(*map(int, kinds)) if all(map(_is_count, kinds)) else None


def _is_count(value: Any) -> bool:
    return _is_amount(value) and value == int(value)


def _amount(value: object) -> float | None:
    """Return an amount of money (0 where there is none), or None for an impossible one."""
    if value is None:
        return 0.0
    return float(value) if _is_amount(value) else None  # type: ignore[arg-type]


def _is_amount(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and 0 <= value < LARGEST  # never true of a NaN


def _number(value: object) -> float:
    """Return a number of an event; one that cannot be meant (NaN, infinite) is none."""
    usable = isinstance(value, int | float) and abs(value) < LARGEST
    return float(value) if usable else 0.0  # type: ignore[arg-type]
