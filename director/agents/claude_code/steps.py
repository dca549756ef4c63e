"""The steps in Claude Code's events (stream-json)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from director.agents.claude_code.events import SYNTHETIC, text_of, tool_use
from director.agents.edits import from_hunks, replaced, several, written
from director.agents.steps import Step, StepKind, StepState, Took, subject_of, table, tables
from director.agents.transcript import ToolKind

OF_TOOLS = {
    ToolKind.SHELL: StepKind.SHELL,
    ToolKind.EDIT: StepKind.EDIT,
    ToolKind.OTHER: StepKind.TOOL,
}


class ClaudeCodeSteps:
    """Reads steps. Only results have a time: a tool's is when it ended."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, Any]] = {}  # tool calls without a result

    def take(self, event: dict[str, Any]) -> Iterator[Step]:
        """Give the steps of an event."""
        message = table(event.get("message"))
        match event.get("type"):
            case "assistant" if message.get("model") != SYNTHETIC:
                for part in tables(message.get("content")):
                    yield from self._said(part)
            case "user":
                for part in tables(message.get("content")):
                    yield from self._result(part, event)
            case "system" if event.get("subtype") == "api_retry":
                yield _retry(event)
            case "result":
                yield from _end(event)

    def under_way(self) -> Iterator[Step]:
        """Give the tools that have no result."""
        for call in self._calls.values():
            yield _began(call)

    def _said(self, part: Mapping[str, Any]) -> Iterator[Step]:
        match part.get("type"):
            case "text":
                yield Step(StepKind.TEXT, detail=str(part.get("text", "")))
            case "thinking":
                yield Step(StepKind.REASONING, detail=str(part.get("thinking", "")))
            case "tool_use":
                self._calls[str(part.get("id"))] = dict(part)

    def _result(self, part: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[Step]:
        call = self._calls.pop(str(part.get("tool_use_id")), None)
        if call is None or part.get("type") != "tool_result":
            return
        details = event.get("tool_use_result")
        use, given = tool_use(call, part, details), table(call.get("input"))
        kind = OF_TOOLS[use.kind]
        yield Step(
            kind,
            use.name,
            subject_of(given),
            text_of(part.get("content")),
            _diff(given, table(details)) if kind is StepKind.EDIT and use.carried_out else "",
            Took(_moment(event.get("timestamp"))),
            StepState.DONE if use.carried_out else StepState.FAILED,
            use.exit_code,
        )


def _began(call: Mapping[str, Any]) -> Step:
    begun = tool_use(call, {}, None)
    subject = subject_of(table(call.get("input")))
    return Step(OF_TOOLS[begun.kind], begun.name, subject, state=StepState.RUNNING)


def _retry(event: Mapping[str, Any]) -> Step:
    status = event.get("error_status")
    said = f"{event.get('error')}{f' (HTTP {status})' if status else ''}"
    subject = f"{event.get('attempt')}"
    return Step(StepKind.FAULT, "retry", subject, said, state=StepState.FAILED)


def _end(event: Mapping[str, Any]) -> Iterator[Step]:
    """Give what went wrong at the end; a good one says nothing more than the answer."""
    errors = event.get("errors")
    said = event.get("result") or "; ".join(map(str, errors if isinstance(errors, list) else ()))
    if event.get("is_error"):
        name, detail = str(event.get("subtype")), str(said or "no message")
        name = "error" if name == "success" else name
    elif event.get("stop_reason") is None:
        name, detail = "cut", "the answer was cut off"
    else:
        return
    yield Step(StepKind.FAULT, name, detail=detail, state=StepState.FAILED)


def _diff(given: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    path = str(given.get("file_path", ""))
    if diff := from_hunks(path, details.get("structuredPatch")):
        return diff
    if isinstance(content := given.get("content"), str):
        return written(path, content, new=details.get("type") == "create")
    if "edits" in given:
        return several(path, given["edits"])
    return replaced(path, str(given.get("old_string", "")), str(given.get("new_string", "")))


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
