"""The steps in Codex's events, which have no times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from director.agents.codex.events import RETRYING, command_of, plain
from director.agents.edits import relabelled
from director.agents.steps import Step, StepKind, StepState, subject_of, table, tables

SAID = {"agent_message": StepKind.TEXT, "reasoning": StepKind.REASONING}
NAMES = {"command_execution": "shell", "file_change": "patch", "error": "warning"}
ENDED = {"completed": StepState.DONE, "in_progress": StepState.RUNNING}
MARKS = {"add": "added", "delete": "deleted", "update": "changed"}


class CodexSteps:
    """Reads steps. Of an edit Codex tells the paths, not what it changed in them."""

    def __init__(self) -> None:
        self._begun: dict[str, dict[str, Any]] = {}  # items without an end

    def take(self, event: dict[str, Any]) -> Iterator[Step]:
        """Give the steps of an event."""
        item = table(event.get("item"))
        match event.get("type"):
            case "item.started":
                self._begun[str(item.get("id"))] = item
            case "item.completed" if item:
                self._begun.pop(str(item.get("id")), None)
                yield _step(item)
            case "error" if retry := RETRYING.match(str(event.get("message"))):
                said = str(event.get("message"))[retry.end() :].strip("()")
                number = retry[0].split()[1]
                yield Step(StepKind.FAULT, "retry", number, said, state=StepState.FAILED)
            case "turn.failed":
                said = plain(str(table(event.get("error")).get("message")))
                yield Step(StepKind.FAULT, "error", detail=said, state=StepState.FAILED)

    def under_way(self) -> Iterator[Step]:
        """Give the items that have no end."""
        yield from map(_step, self._begun.values())


def _step(item: Mapping[str, Any]) -> Step:
    kind = str(item.get("type"))
    if kind in SAID:
        return Step(SAID[kind], detail=str(item.get("text")))
    name = NAMES.get(kind, kind)
    if kind == "command_execution":
        return _command(item, name)
    if kind == "file_change":
        return _change(item, name)
    if kind == "error":
        said = plain(str(item.get("message")))
        return Step(StepKind.FAULT, name, detail=said, state=StepState.FAILED)
    given = {key: value for key, value in item.items() if key not in ("id", "type", "status")}
    state = ENDED.get(str(item.get("status", "completed")), StepState.FAILED)
    return Step(StepKind.TOOL, name, subject_of(given), state=state)


def _command(item: Mapping[str, Any], name: str) -> Step:
    code = item.get("exit_code")
    code = code if isinstance(code, int) else None
    running = item.get("status") == "in_progress"
    ended = StepState.FAILED if code is None else StepState.DONE
    return Step(
        StepKind.SHELL,
        name,
        command_of(str(item.get("command"))),
        str(item.get("aggregated_output") or ""),
        state=StepState.RUNNING if running else ended,
        exit_code=code,
    )


def _change(item: Mapping[str, Any], name: str) -> Step:
    changes = tables(item.get("changes"))
    told = [one for one in changes if isinstance(one.get("diff"), str)]
    return Step(
        StepKind.EDIT,
        name,
        ", ".join(str(one.get("path")) for one in changes),
        "\n".join(f"{MARKS.get(str(one.get('kind')), '?')}: {one.get('path')}" for one in changes),
        "\n".join(relabelled(str(one.get("path")), one["diff"]) for one in told),
        state=ENDED.get(str(item.get("status")), StepState.FAILED),
    )
