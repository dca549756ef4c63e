"""The transcript of one call: what an agent said and did, in no agent CLI's own words."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from director.model.usage import Tokens, Usage

NO_TOKENS = Tokens()


class ToolKind(StrEnum):
    """What a tool does, as far as director asks."""

    EDIT = "edit"
    SHELL = "shell"
    OTHER = "other"


class ToolUse(NamedTuple):
    """One tool call. ``command`` and ``exit_code`` are those of a shell, ``paths`` of an edit.

    ``carried_out``: it was neither refused nor failed; a command may end with any exit code, which
    is None: not known. ``name`` is the CLI's own; ``subject`` is what any other tool was
    about: the file that was read, the pattern that was searched.
    """

    kind: ToolKind
    name: str
    command: str = ""
    paths: tuple[str, ...] = ()
    carried_out: bool = True
    exit_code: int | None = None
    subject: str = ""

    @property
    def word(self) -> str:
        """The tool's name, the same for every CLI."""
        words = {ToolKind.SHELL: "bash", ToolKind.EDIT: "edit"}
        return words.get(self.kind) or self.name.lower()

    @property
    def argument(self) -> str:
        """What it was used on: a command, paths, a pattern."""
        return self.command or ", ".join(self.paths) or self.subject


_SUBJECTS = ("filePath", "file_path", "pattern", "query", "url", "path", "description")


def subject_of(given: Mapping[str, Any]) -> str:
    """Return what a tool that was ``given`` these arguments is about, or ""."""
    found = (given.get(name) for name in _SUBJECTS)
    return next((one for one in found if isinstance(one, str) and one), "")


class FaultKind(StrEnum):
    """What can be done about a fault: repeating the call helps against TRANSIENT ones only."""

    TRANSIENT = "passing"
    PERMANENT = "lasting"
    UNKNOWN_MODEL = "unknown model"
    CONTEXT = "context too long"
    LENGTH = "answer too long"


class Fault(NamedTuple):
    """Something that failed: its name, what it says, the provider's HTTP status if any."""

    name: str
    message: str
    status_code: int | None = None
    kind: FaultKind = FaultKind.TRANSIENT


class Retry(NamedTuple):
    """A provider failed and the CLI will retry: ``attempt`` counts the attempts, ``at`` is when.

    ``at`` is in seconds since 1970.
    """

    attempt: int
    message: str
    at: float


class Finish(StrEnum):
    """How a step of the model ended."""

    DONE = "stop"
    TOOL_CALLS = "tool-calls"
    LENGTH = "length"
    REFUSED = "content-filter"
    EMPTY = "empty"
    OTHER = "other"


RECOVERED = frozenset({Finish.DONE, Finish.TOOL_CALLS})  # the model continued after what failed


class Transcript:
    """What the events say so far. ``asked_for`` is a permission that cannot be given.

    ``tokens`` are those of the steps that were counted; ``uncounted`` is how many were not.
    ``reported_usd`` is what the CLI says that they cost (None: it cannot be known).
    ``running`` is the tool that has begun and not ended, where the CLI tells.
    """

    def __init__(
        self,
        tokens: Tokens = NO_TOKENS,
        faults: Iterable[Fault] = (),
        last_finish: Finish | None = None,
        asked_for: str = "",
    ) -> None:
        self.texts: list[str] = []
        self.tools: list[ToolUse] = []
        self.faults = list(faults)
        self.tokens = tokens
        self.uncounted = 0
        self.reported_usd: float | None = 0.0
        self.steps = 0
        self.last_finish = last_finish
        self.empty_finishes = 0
        self.ended_in_fault = False
        self.retry: Retry | None = None
        self.asked_for = asked_for
        self.running: ToolUse | None = None

    def __eq__(self, other: object) -> bool:
        """Whether another one says the same."""
        return isinstance(other, Transcript) and vars(self) == vars(other)

    @property
    def latest(self) -> ToolUse | None:
        """The tool that was begun last, if any was."""
        return self.running or (self.tools[-1] if self.tools else None)

    @property
    def text(self) -> str:
        """The last text the model wrote: its answer."""
        return self.texts[-1].strip() if self.texts else ""

    @property
    def usage(self) -> Usage:
        """What the call has used so far."""
        return Usage(None if self.uncounted else self.tokens, self.reported_usd)

    def add_tool(self, tool: ToolUse) -> None:
        """Take in a tool that has ended."""
        self.tools.append(tool)
        self.running = None

    def add_finish(self, finish: Finish, tokens: Tokens | None, usd: float | None) -> None:
        """Take in the end of a step; None where tokens or US dollars cannot be known."""
        self.steps += 1
        self.tokens += tokens or Tokens()
        self.uncounted += tokens is None
        before = self.reported_usd
        self.reported_usd = None if before is None or usd is None else before + usd
        self.last_finish = finish
        if finish in RECOVERED:
            self.ended_in_fault = False
        self.empty_finishes = self.empty_finishes + 1 if finish is Finish.EMPTY else 0

    def add_fault(self, fault: Fault) -> None:
        """Take in a fault, which stands unless the model continues."""
        self.faults.append(fault)
        self.ended_in_fault = True
