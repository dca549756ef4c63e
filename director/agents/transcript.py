"""The transcript of one call, read from the coding agent's raw events while they arrive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from director.model.plan import Node
from director.model.secrets import NOTHING_SECRET, Redactor
from director.model.state import WatchItFail, WatchVerdict
from director.model.usage import LARGEST, Tokens, Usage

EDIT_TOOLS = frozenset({"edit", "write", "apply_patch", "patch", "multiedit"})
SHELL_TOOL = "bash"
READ_BYTES = 1024 * 1024
LONGEST_LINE = 32 * 1024 * 1024  # bytes
RECOVERED = frozenset({"stop", "tool-calls"})  # the model went on after what was reported


@dataclass(frozen=True)
class ToolUse:
    """One tool call. ``exit_code`` is set for a shell command that ran to its end."""

    tool: str
    input: dict[str, Any]
    status: str
    exit_code: int | None


@dataclass(frozen=True)
class AgentFault:
    """An ``error`` event: its name, what it says, and the provider's HTTP status if any."""

    name: str
    message: str
    status_code: int | None


@dataclass(frozen=True)
class Retry:
    """A provider failed and is tried again: ``attempt`` counts the tries, ``at`` is when.

    ``at`` is in seconds since 1970. Only servers tell of it.
    """

    attempt: int
    message: str
    at: float


@dataclass
class Transcript:
    """What the events say so far. ``asked_for`` is a permission that nobody can give.

    ``tokens`` are those of the steps that were counted; ``uncounted`` is how many were not.
    """

    texts: list[str] = field(default_factory=list)
    tools: list[ToolUse] = field(default_factory=list)
    faults: list[AgentFault] = field(default_factory=list)
    tokens: Tokens = field(default_factory=Tokens)
    uncounted: int = 0
    reported_usd: float | None = 0.0
    steps: int = 0
    last_finish: str | None = None
    empty_finishes: int = 0
    ended_in_fault: bool = False
    retry: Retry | None = None
    asked_for: str = ""

    @property
    def text(self) -> str:
        """The last text the model wrote: its answer."""
        return self.texts[-1].strip() if self.texts else ""

    @property
    def usage(self) -> Usage:
        """What the call has used so far."""
        return Usage(None if self.uncounted else self.tokens, self.reported_usd)

    def add(self, event: dict[str, Any]) -> None:
        """Take in one event; kinds that say nothing here are passed over."""
        part = event.get("part")
        part = part if isinstance(part, dict) else {}
        match event.get("type"):
            case "text":
                self.texts.append(str(part.get("text", "")))
            case "tool_use":
                self.tools.append(_tool_use(part))
            case "step_finish":
                self._add_finish(part)
            case "error":
                self.faults.append(_fault(event.get("error")))
                self.ended_in_fault = True
            case "retry":
                self.retry = _retry(event)
            case "permission":
                patterns = event.get("patterns")
                listed = ", ".join(map(str, patterns)) if isinstance(patterns, list) else ""
                self.asked_for = f"{event.get('permission')} ({listed})"

    def _add_finish(self, part: dict[str, Any]) -> None:
        counted, usd = _tokens(part.get("tokens")), _amount(part.get("cost"))
        tokens = counted or Tokens()
        self.steps += 1
        self.tokens += tokens
        self.uncounted += counted is None
        before = self.reported_usd
        self.reported_usd = None if before is None or usd is None else before + usd
        self.last_finish = str(part.get("reason"))
        if self.last_finish in RECOVERED:
            self.ended_in_fault = False
        empty = self.last_finish == "unknown" and tokens.total == 0
        self.empty_finishes = self.empty_finishes + 1 if empty else 0


class TranscriptFollower:
    """Follows an events file that another process is writing, whole line by whole line.

    No secret gets into the transcript. ``size`` is how many bytes were read. A line longer than
    LONGEST_LINE is passed over, like any that is not an event.
    """

    def __init__(self, path: Path, redactor: Redactor = NOTHING_SECRET) -> None:
        self.transcript = Transcript()
        self._path = path
        self._redactor = redactor
        self.size = 0
        self._rest: list[bytes] = []  # of the line that has no end yet
        self._rest_size = 0

    def poll(self) -> bool:
        """Read what is new; returns whether there was anything."""
        before = self.size
        try:
            with self._path.open("rb") as stream:
                stream.seek(self.size)
                while new := stream.read(READ_BYTES):
                    self._take(new)
        except FileNotFoundError:
            return False
        return self.size > before

    def _take(self, new: bytes) -> None:
        self.size += len(new)
        first, *others = new.split(b"\n")
        self._add_to_line(first)
        for part in others:
            if self._rest_size <= LONGEST_LINE:
                self._read_line(b"".join(self._rest))
            self._rest, self._rest_size = [], 0
            self._add_to_line(part)

    def _add_to_line(self, part: bytes) -> None:
        self._rest_size += len(part)
        self._rest = [*self._rest, part] if self._rest_size <= LONGEST_LINE else []

    def _read_line(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return  # not an event: the agent may print other things
        if isinstance(event, dict):
            self.transcript.add(self._redactor.value(event))


def watch_it_fail(tools: Sequence[ToolUse], node: Node) -> WatchItFail:
    """Say whether the node's test was run, and failed, before the first edit.

    Read from the structure: the command of each shell call and its exit code.
    """
    if not tools:
        return WatchItFail(detail="no tool was used")
    before: list[ToolUse] = []
    for use in tools:
        if use.tool in EDIT_TOOLS and use.status == "completed":
            break
        before.append(use)
    runs = [use for use in before if use.tool == SHELL_TOOL and _runs_tests(use, node)]
    if not runs:
        return WatchItFail(
            WatchVerdict.NOT_OBSERVED, detail="the test was not run before the first edit"
        )
    failed = [use for use in runs if use.exit_code not in (None, 0)]
    detail = f"{runs[-1].input.get('command', '')} → exit code {(failed or runs)[-1].exit_code}"
    verdict = WatchVerdict.OBSERVED if failed else WatchVerdict.NOT_OBSERVED
    return WatchItFail(verdict, True, bool(failed), detail)


def _runs_tests(use: ToolUse, node: Node) -> bool:
    command = " ".join(str(use.input.get("command", "")).split())
    modules = [path.removesuffix(".py").replace("/", ".") for path in node.tests]
    named = (" ".join(node.test_cmd.split()), *node.tests, *modules)
    return any(name in command for name in named)


def _tool_use(part: dict[str, Any]) -> ToolUse:
    state = part.get("state")
    state = state if isinstance(state, dict) else {}
    metadata = state.get("metadata")
    given = state.get("input")
    code = metadata.get("exit") if isinstance(metadata, dict) else None
    return ToolUse(
        tool=str(part.get("tool")),
        input=given if isinstance(given, dict) else {},
        status=str(state.get("status")),
        exit_code=code if isinstance(code, int) else None,
    )


def _fault(error: object) -> AgentFault:
    if not isinstance(error, dict):
        return AgentFault("UnknownError", str(error), None)
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    code = data.get("statusCode")
    message = str(data.get("message") or error.get("message") or error.get("name") or "no message")
    return AgentFault(
        str(error.get("name", "UnknownError")), message, code if isinstance(code, int) else None
    )


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
