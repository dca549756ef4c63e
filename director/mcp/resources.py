"""The resources: what an agent reads of the job, by its address."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from director.mcp.brief import brief
from director.mcp.commands import Commands, Running
from director.mcp.parameters import LONGEST_NAME, NAME, checked, name_of
from director.mcp.protocol import Code, Object, ProtocolError
from director.mcp.tool import WITH_STRUCTURE, Invocation
from director.model.errors import DirectorError
from director.model.secrets import Redactor
from director.records import files
from director.records.job_directory import Home, JobDirectory

JOB = "director://job/"
NODE = f"{JOB}node/"
MARKDOWN, JSON, LINES = "text/markdown", "application/json", "application/jsonl"


class Resource(NamedTuple):
    """Something to read: its address, and what it is."""

    uri: str
    name: str
    title: str
    description: str
    mime_type: str

    def described(self, version: str, *, key: str = "uri") -> Object:
        """Return the resource as the lists tell of it."""
        said: Object = {key: self.uri, "name": self.name, "mimeType": self.mime_type}
        said["description"] = self.description
        return {**said, "title": self.title} if version >= WITH_STRUCTURE else said


CURRENT = Resource(
    f"{JOB}current",
    "current",
    "Where the job stands",
    "Task, where it stands, failures with headlines, questions and next command, in at most 2,000 "
    "tokens: to continue from after a lost context",
    MARKDOWN,
)
FILES: dict[str, tuple[Resource, Callable[[JobDirectory], Path]]] = {
    one.uri: (one, place)
    for one, place in (
        (
            Resource(f"{JOB}spec", "spec", "The spec", "What the job is to do", MARKDOWN),
            lambda job: job.spec,
        ),
        (
            Resource(f"{JOB}plan", "plan", "The plan", "The nodes: specs, files, tests", JSON),
            lambda job: job.plan,
        ),
        (
            Resource(
                f"{JOB}metrics",
                "metrics",
                "Metrics",
                "A line of JSON for each node and each run that ended: outcome, attempts, cost",
                LINES,
            ),
            lambda job: job.metrics,
        ),
    )
}
RESOURCES = (CURRENT, *(resource for resource, _ in FILES.values()))
TEMPLATES = (
    Resource(f"{NODE}{{id}}", "node", "A node", "All that is on record of one node", JSON),
)


class Reader:
    """Reads resources of the current job. ``home`` finds the records, DirectorError: none."""

    def __init__(self, commands: Commands, home: Callable[[], Home], redactor: Redactor) -> None:
        self._commands = commands
        self._home = home
        self._redactor = redactor

    def needs_command(self, uri: object) -> Invocation | None:
        """Return the command that says what the resource holds; None: it is a file, or unknown."""
        if uri == CURRENT.uri:
            return Invocation("status", ())
        if isinstance(uri, str) and uri.startswith(NODE):
            return Invocation("status", (f"--node={self._node(uri)}",))
        return None

    def _node(self, uri: str) -> str:
        name = unquote(uri.removeprefix(NODE))[: LONGEST_NAME + 1]
        try:
            checked([name_of("node", NAME)], {"node": name})
        except ProtocolError as error:
            raise _not_found(uri, error.problem) from None
        return name

    def from_command(self, uri: str, running: Running) -> Object:
        """Return what ``resources/read`` says of a resource, from what its command prints."""
        said = running.to_end()
        if uri == CURRENT.uri:
            return _contents(uri, MARKDOWN, brief(said, str(self._commands.repository)))
        if not said["ok"]:
            raise _not_found(uri, str(said["what"]))
        return _contents(uri, JSON, json.dumps(said, ensure_ascii=False))

    def from_file(self, uri: object) -> Object:
        """Return the same from a file; ProtocolError where it is unknown, or not written yet."""
        if not isinstance(uri, str):
            raise ProtocolError(Code.INVALID_PARAMS, '"uri" must be a string')
        if uri not in FILES:
            raise _not_found(uri, "there is no such resource")
        resource, place = FILES[uri]
        try:
            text = files.read_text(place(self._home().job))
        except DirectorError as error:
            raise _not_found(uri, error.what) from None
        if text is None:
            raise _not_found(uri, "it is not written yet")
        return _contents(uri, resource.mime_type, self._redactor.text(text))


def _contents(uri: str, mime_type: str, text: str) -> Object:
    return {"contents": [{"uri": uri, "mimeType": mime_type, "text": text}]}


def _not_found(uri: str, why: str) -> ProtocolError:
    return ProtocolError(Code.NO_RESOURCE, f"resource not found: {why}", {"uri": uri})
