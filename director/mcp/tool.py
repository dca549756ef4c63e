"""A tool: one command of director's, with fewer flags, as a client sees and calls it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from director.mcp.parameters import Parameter, checked, flags, input_schema
from director.mcp.protocol import Code, Object, ProtocolError

WITH_ANNOTATIONS = "2025-03-26"  # the first version with them
WITH_STRUCTURE = "2025-06-18"  # the first with titles, output schemas and structured results
LONGEST_WAIT = 24 * 3600  # seconds

Values = Mapping[str, Any]


class Invocation(NamedTuple):
    """A command line after ``director``, without ``--repo`` and ``--json``, and its input.

    ``events``: it tells what happens, with ``--events``.
    """

    command: str
    words: tuple[str, ...]
    stdin: str = ""
    events: bool = False


class Tool(NamedTuple):
    """What a client can call.

    ``words`` gives the words of the command line that are no flags of ``parameters``; ``said`` what
    goes to standard input. ``reads``: it changes nothing. ``asks``: it calls models, and so takes
    long and costs money. ``tells``: it reports what happens meanwhile, as those that ask do.
    ``destroys``: it may discard something, or changes what is the user's own.
    """

    name: str
    title: str
    description: str
    command: str
    parameters: tuple[Parameter, ...] = ()
    words: Callable[[Values], Sequence[str]] = lambda _: ()
    said: Callable[[Values], str] = lambda _: ""
    reads: bool = False
    asks: bool = False
    tells: bool = False
    destroys: bool = False

    def invocation(self, given: object) -> Invocation:
        """Return the command line for a call's arguments; ProtocolError where they are wrong."""
        values = checked(self.parameters, given)
        words = [*flags(self.parameters, values), *self.words(values)]
        return Invocation(self.command, tuple(words), self.said(values), self.asks or self.tells)

    def described(self, version: str) -> Object:
        """Return the tool as ``tools/list`` tells of it."""
        said: Object = {
            "name": self.name,
            "description": self.description,
            "inputSchema": input_schema(self.parameters),
        }
        if version >= WITH_ANNOTATIONS:
            said["annotations"] = self._annotations()
        if version >= WITH_STRUCTURE:
            said |= {"title": self.title, "outputSchema": OUTPUT_SCHEMA}
        return said

    def _annotations(self) -> Object:
        hints = {"title": self.title, "readOnlyHint": self.reads, "openWorldHint": self.asks}
        return hints if self.reads else {**hints, "destructiveHint": self.destroys}


OUTPUT_SCHEMA: Object = {
    "type": "object",
    "properties": {
        "schema": {"type": "string", "description": "director.<command>/<version>"},
        "command": {"type": "string"},
        "ok": {"type": "boolean", "description": "exit_code is 0"},
        "exit_code": {
            "type": "integer",
            "description": "0 done or paused for an approval, 1 the work failed, 2 the request "
            "cannot be carried out, 3 stopped for an outside reason and resumable, 70 a bug, "
            "130 and 143 interrupted",
        },
        "reason": {"type": ["string", "null"]},
        "what": {"type": "string", "description": "one line: what happened"},
        "next": {"type": "string", "description": "one line: what to do next"},
        "next_command": {"type": ["array", "null"], "items": {"type": "string"}},
        "job_id": {"type": ["string", "null"]},
    },
    "required": ["schema", "command", "ok", "exit_code", "reason", "what", "next"],
}
"""The keys that the results of all commands share; each has more of its own."""

WAIT = Parameter(
    "wait_secs",
    "",
    {
        "type": "integer",
        "minimum": 1,
        "maximum": LONGEST_WAIT,
        "description": "return after this many seconds at most, with where the job stands then; "
        "the work continues, and `status` says how it goes",
    },
)


def wait_secs(given: object) -> int | None:
    """Return how long the client waits for a call with these arguments; None: until its end."""
    value = given.get(WAIT.name) if isinstance(given, dict) else None
    return value if isinstance(value, int) else None


def refuse(problem: str) -> ProtocolError:
    """Return the error for arguments that do not go together."""
    return ProtocolError(Code.INVALID_PARAMS, f"invalid arguments: {problem}")
