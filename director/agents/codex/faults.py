"""What Codex says when a call fails, sorted: all it tells is a text, at times with a status."""

from __future__ import annotations

import json
import re

from director.agents.transcript import Fault, FaultKind

RETRYING = re.compile(r"Reconnecting\.\.\. \d+/\d+ ")
STATUS = re.compile(r"(?:unexpected status|last status:) (\d{3})")
NO_SUCH_MODEL = re.compile(r"\bmodel\b[^,;\n]{0,100} (?:does not exist|is not supported|not found)")
CONTEXT = "ran out of room in the model's context window"
LENGTH = "Incomplete response returned"
AT_CAPACITY = "at capacity"  # may pass, but Codex does not wait for it
REFUSED = frozenset({400, 401, 402, 403, 404, 413})


def fault_of(message: str, *, retried: bool) -> Fault:
    """Return the fault that a ``message`` tells of; ``retried``: Codex had tried again itself."""
    found = STATUS.search(message)
    status = int(found[1]) if found else None
    return Fault("Codex", plain(message), status, _kind(message, status, retried))


def _kind(message: str, status: int | None, retried: bool) -> FaultKind:
    if CONTEXT in message:
        return FaultKind.CONTEXT
    if LENGTH in message:
        return FaultKind.LENGTH
    if NO_SUCH_MODEL.search(message):
        return FaultKind.UNKNOWN_MODEL
    if status is not None:
        return FaultKind.LASTING if status in REFUSED else FaultKind.PASSING
    # Without a status and another try it is what the provider answers: a bad request, no quota.
    passing = retried or AT_CAPACITY in message
    return FaultKind.PASSING if passing else FaultKind.LASTING


def plain(message: str) -> str:
    """Return the sentence in a message, which may be the JSON of a provider's answer."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return message
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else None
    return said if isinstance(said, str) else message
