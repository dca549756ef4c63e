"""What Codex says when a call fails, sorted: all it tells is a text, at times with a status."""

from __future__ import annotations

import json
import re

RETRYING = re.compile(r"Reconnecting\.\.\. (\d+)/\d+ \((.*)\)", re.DOTALL)
STATUS = re.compile(r"(?:unexpected status|last status:) (\d{3})")
NO_SUCH_MODEL = re.compile(r"\bmodel\b.* (?:does not exist|is not supported|not found)", re.DOTALL)
CONTEXT = "ran out of room in the model's context window"
LENGTH = "Incomplete response returned"
PASSING = ("at capacity",)  # which Codex does not try again itself
REFUSED = frozenset({400, 401, 402, 403, 404, 413})


def status_in(message: str) -> int | None:
    """Return the HTTP status that a message names, or that is meant by it."""
    if found := STATUS.search(message):
        return int(found[1])
    return 404 if NO_SUCH_MODEL.search(message) else None


def lasts(message: str, *, retried: bool) -> bool:
    """Whether another try cannot help.

    What names no status and was not ``retried`` by Codex itself is an answer of the provider: a
    bad request, an unknown model, a quota that is used up.
    """
    if status := status_in(message):
        return status in REFUSED
    return not retried and not any(words in message for words in PASSING)


def plain(message: str) -> str:
    """Return the sentence in a message, which may be the JSON of a provider's answer."""
    try:
        body = json.loads(message)
    except ValueError:
        return message
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else None
    return said if isinstance(said, str) else message
