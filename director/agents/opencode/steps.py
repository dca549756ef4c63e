"""The steps in OpenCode's events, of ``opencode run`` and of a server's session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from director.agents.edits import patched, relabelled, replaced, several, written
from director.agents.opencode.events import KINDS, fault_of
from director.agents.steps import (
    Step,
    StepKind,
    StepState,
    Took,
    moment,
    subject_of,
    table,
    tables,
)
from director.agents.transcript import ToolKind

OF_TOOLS = {
    ToolKind.SHELL: StepKind.SHELL,
    ToolKind.EDIT: StepKind.EDIT,
    ToolKind.OTHER: StepKind.TOOL,
}
PER_SECOND = 1000.0  # times are in milliseconds
CUT = {
    "length": "the answer is longer than the model may write",
    "content-filter": "the provider's filter refused the answer",
}


class OpenCodeSteps:
    """Reads steps; a tool is told of when it has ended."""

    def take(self, event: dict[str, Any]) -> Iterator[Step]:
        """Give the steps of an event."""
        part, at = table(event.get("part")), moment(event.get("timestamp"), PER_SECOND)
        match event.get("type"):
            case "text" | "reasoning" as kind:
                took = _took(part, at)
                yield Step(StepKind(kind), detail=str(part.get("text", "")), took=took)
            case "tool_use":
                yield _tool(part, at)
            case "step_finish" if said := CUT.get(str(part.get("reason"))):
                yield _fault(str(part.get("reason")), said, at)
            case "error":
                found = fault_of(event.get("error"))
                yield _fault(found.name, found.message, at)
            case "retry":
                yield _fault("retry", str(event.get("message")), at, f"{event.get('attempt')}")
            case "permission":
                patterns = event.get("patterns")
                listed = ", ".join(map(str, patterns)) if isinstance(patterns, list) else ""
                said = "was asked for, and cannot be given"
                yield _fault("permission", said, at, f"{event.get('permission')} ({listed})")

    def under_way(self) -> Iterable[Step]:
        """Return nothing: no event says that a tool began."""
        return ()


def _fault(name: str, said: str, at: float | None, subject: str = "") -> Step:
    return Step(StepKind.FAULT, name, subject, said, took=Took(at), state=StepState.FAILED)


def _took(timed: Mapping[str, Any], at: float | None) -> Took:
    """Return when it was, from its own times, else from the event's."""
    time = table(timed.get("time"))
    began, ended = (moment(time.get(key), PER_SECOND) for key in ("start", "end"))
    secs = round(ended - began, 3) if began and ended and ended >= began else None
    return Took(began or at, secs)


def _tool(part: Mapping[str, Any], at: float | None) -> Step:
    state, name = table(part.get("state")), str(part.get("tool"))
    given, metadata = table(state.get("input")), table(state.get("metadata"))
    kind = OF_TOOLS[KINDS.get(name, ToolKind.OTHER)]
    failed = state.get("status") != "completed" or name == "invalid"
    code = metadata.get("exit")
    return Step(
        kind,
        name,
        _subject(name, given, metadata),
        str(state.get("error") or state.get("output") or ""),
        _diff(given, metadata) if kind is StepKind.EDIT and not failed else "",
        _took(state, at),
        StepState.FAILED if failed else StepState.DONE,
        code if isinstance(code, int) else None,
    )


def _subject(name: str, given: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    if "patchText" not in given:
        return str(given.get("tool")) if name == "invalid" else subject_of(given)
    return ", ".join(str(one.get("relativePath")) for one in tables(metadata.get("files")))


def _diff(given: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    path = str(given.get("filePath", ""))
    if files := tables(metadata.get("files")):
        return "\n".join(
            relabelled(str(one.get("relativePath")), str(one.get("patch", ""))) for one in files
        )
    if isinstance(diff := metadata.get("diff"), str) and path:
        return relabelled(path, diff)
    if isinstance(patch := given.get("patchText"), str):
        return patched(patch)
    if isinstance(content := given.get("content"), str):
        return written(path, content, new=metadata.get("exists") is False)
    if "edits" in given:
        return several(path, given["edits"])
    return replaced(path, str(given.get("oldString", "")), str(given.get("newString", "")))
