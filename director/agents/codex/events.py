"""What the events of ``codex exec --json`` say, for the transcript.

An exit code and standard error add nothing. Commands that Codex itself refuses leave no event.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from director.agents.codex.options import TITLE
from director.agents.reading import CallEnd
from director.agents.transcript import Fault, FaultKind, Finish, ToolKind, ToolUse, Transcript
from director.model.patterns import lazy_pattern
from director.model.usage import LARGEST, Tokens

LONGEST_COMMAND = 100_000  # characters: the time that shlex takes grows with their square

RETRYING = lazy_pattern(r"Reconnecting\.\.\. \d+/\d+ ")
STATUS = lazy_pattern(r"(?:unexpected status|last status:) (\d{3})")
NO_SUCH_MODEL = lazy_pattern(
    r"\bmodel\b[^,;\n]{0,100} (?:does not exist|is not supported|not found)"
)
CONTEXT = "ran out of room in the model's context window"
LENGTH = "Incomplete response returned"
AT_CAPACITY = "at capacity"  # may pass, but Codex does not wait for it
REFUSED = frozenset({400, 401, 402, 403, 404, 413})


def fault_of(message: str, *, retried: bool) -> Fault:
    """Return the fault that a ``message`` tells of; ``retried``: Codex had retried itself."""
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
        return FaultKind.PERMANENT if status in REFUSED else FaultKind.TRANSIENT
    # Without a status or a retry the provider has refused: a bad request, no quota.
    passing = retried or AT_CAPACITY in message
    return FaultKind.TRANSIENT if passing else FaultKind.PERMANENT


def plain(message: str) -> str:
    """Return the sentence in a message, which may be the JSON of a provider's answer."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return message
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else None
    return said if isinstance(said, str) else message


class CodexReader:
    """Reads the events of one turn. They tell all that there is to know."""

    title = TITLE
    fragment = b""

    def __init__(self) -> None:
        self._answered = False
        self._retried = False

    def take(self, event: dict[str, Any], transcript: Transcript) -> None:
        """Put one event into the transcript; kinds that say nothing here are passed over."""
        match event.get("type"):
            case "turn.started":
                transcript.uncounted = 1  # tokens are told at the end, if it is a good one
            case "item.started":
                transcript.running = _begun(_table(event, "item")) or transcript.running
            case "item.completed":
                self._retried = False
                self._take_item(_table(event, "item"), transcript)
            case "error":
                self._retried |= bool(RETRYING.match(str(event.get("message"))))
            case "turn.failed":
                message = str(_table(event, "error").get("message"))
                transcript.add_fault(fault_of(message, retried=self._retried))
            case "turn.completed":
                transcript.uncounted = 0
                finish = Finish.DONE if self._answered else Finish.EMPTY
                transcript.add_finish(finish, tokens_of(_table(event, "usage")), usd=0.0)

    def failing(self, errors: bytes) -> str | None:
        """Return None: Codex itself gives up after a few retries."""

    def conclude(self, transcript: Transcript, errors: str) -> CallEnd | None:
        """Return None: what there is to know stands in the events."""

    def _take_item(self, item: dict[str, Any], transcript: Transcript) -> None:
        match item.get("type"):
            case "agent_message":
                self._answered = True
                transcript.texts.append(str(item.get("text")))
            case "command_execution":
                transcript.add_tool(_command(item))
            case "file_change":
                transcript.add_tool(_patch(item))


def _begun(item: Mapping[str, Any]) -> ToolUse | None:
    """Return the tool that an item begins, or None for anything else."""
    makers = {"command_execution": _command, "file_change": _patch}
    make = makers.get(str(item.get("type")))
    return make(item) if make else None


def command_of(line: str) -> str:
    """Return the command in ``line``, which Codex gives as the words of its shell: ``bash -c …``.

    Words that cannot be told apart are returned as they are, and so are very many.
    """
    if len(line) > LONGEST_COMMAND:
        return line
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    return words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else line


def tokens_of(usage: Mapping[str, Any]) -> Tokens | None:
    """Return the tokens of a turn, in kinds that do not overlap; None for impossible counts.

    Codex counts what came from the cache, and what went there, as input, and reasoning as output.
    """
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens")
    given, read, written = (usage.get(name, 0) for name in names)
    said, thought = (usage.get(name, 0) for name in ("output_tokens", "reasoning_output_tokens"))
    counts = (given, read, written, said, thought)
    if not usage or not all(type(count) is int and count < LARGEST for count in counts):
        return None
    found = Tokens(given - read - written, said - thought, read, written, thought)
    return found if min(found) >= 0 else None


def _command(item: Mapping[str, Any]) -> ToolUse:
    code = item.get("exit_code")
    return ToolUse(
        ToolKind.SHELL,
        "exec_command",
        command=command_of(str(item.get("command"))),
        carried_out=isinstance(code, int),
        exit_code=code if isinstance(code, int) else None,
    )


def _patch(item: Mapping[str, Any]) -> ToolUse:
    changes = item.get("changes")
    listed = changes if isinstance(changes, list) else ()
    paths = [one.get("path") for one in listed if isinstance(one, dict)]
    return ToolUse(
        ToolKind.EDIT,
        "apply_patch",
        paths=tuple(map(str, paths)),
        carried_out=item.get("status") == "completed",
    )


def _table(event: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = event.get(key)
    return found if isinstance(found, dict) else {}
