"""What an agent did, step by step, as people read it: in no agent CLI's own words.

Beside the transcript, which holds what director decides by: a step has what was said and changed.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from director.model.usage import LARGEST

SUBJECTS = (
    "command", "filePath", "file_path", "notebook_path", "path", "pattern", "query", "url",
    "name", "tool", "description",
)  # fmt: skip
"""Where the arguments of a tool say what it is used on, the most telling first."""

LONGEST_SUBJECT = 2_000  # characters


class StepKind(StrEnum):
    """What a step is."""

    TEXT = "text"
    REASONING = "reasoning"
    SHELL = "shell"
    EDIT = "edit"
    TOOL = "tool"
    FAULT = "fault"


class StepState(StrEnum):
    """What became of a step: ``failed`` is also what was refused; ``running`` has no end yet."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"


class Took(NamedTuple):
    """When a step was, in seconds since 1970, and how many it took; None: not known."""

    at: float | None = None
    secs: float | None = None


UNTOLD = Took()


class Step(NamedTuple):
    """One thing that an agent said or did.

    ``name`` is the tool's, or the fault's; ``subject`` is what it was used on: a command, a path.
    ``detail`` is what the model wrote, the tool printed, or the fault says. ``diff`` is unified,
    as far as the CLI records what it changed. ``exit_code`` is a command's, where it is told.
    """

    kind: StepKind
    name: str = ""
    subject: str = ""
    detail: str = ""
    diff: str = ""
    took: Took = UNTOLD
    state: StepState = StepState.DONE
    exit_code: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the step as ``--json`` prints it; ``at`` in seconds since 1970."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "subject": self.subject,
            "state": self.state.value,
            "at": self.took.at,
            "secs": self.took.secs,
            "exit_code": self.exit_code,
            "detail": self.detail,
            "diff": self.diff,
        }


class StepReader(Protocol):
    """Reads the steps of one call. A new one for each call: it keeps what has no end yet."""

    def take(self, event: dict[str, Any]) -> Iterable[Step]:
        """Return the steps that an event (a JSON object) ends; most end none."""
        ...

    def under_way(self) -> Iterable[Step]:
        """Return what began and has no end so far."""
        ...


def subject_of(given: Mapping[str, Any]) -> str:
    """Return what a tool is used on, from its arguments."""
    for name in SUBJECTS:
        if isinstance(value := given.get(name), str) and value:
            return value[:LONGEST_SUBJECT]
    return json.dumps(given, ensure_ascii=False)[:LONGEST_SUBJECT] if given else ""


def moment(value: object, per_second: float = 1.0) -> float | None:
    """Return a time of an event in seconds since 1970; None for one that cannot be meant."""
    usable = isinstance(value, int | float) and 0 < value < LARGEST
    return value / per_second if usable else None  # type: ignore[operator]


def table(value: object) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list, of anything else none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
