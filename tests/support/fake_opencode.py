"""A fake ``opencode`` executable that plays the behaviours a test has queued for it.

::

    opencode = FakeOpenCode(self.tmp / "opencode")
    env = opencode.install(self.env)
    opencode.queue("planner", answer({"nodes": [...]}))
    opencode.queue("executor", shell("python3 -m unittest"), write("a.py", "A = 2"), node="a")
    opencode.always("reviewer", answer({"verdict": "pass", "summary": "", "findings": []}))
    ...
    prompts = [call.prompt for call in opencode.calls()]
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fake_records import PREFIX, locked
from tests.support.fake_records import Step as Step
from tests.support.fake_records import finish as finish
from tests.support.playback import playback

VERSION = "1.18.33"


@dataclass(frozen=True)
class FakeCall:
    """One ``opencode run`` as it was called.

    ``agent`` is without the prefix of director's names; ``node`` and ``heading`` are read from the
    prompt; ``cwd`` is the folder it worked in; ``rules`` are the permissions of its session (None:
    it was no session of a server); ``env`` are the variables that matter here
    (``OPENCODE_*``, ``DIRECTOR_*``, ``GIT_*``, ``XDG_*``, HOME, PATH, PWD, TMPDIR, PYTHONPATH);
    ``config`` is OPENCODE_CONFIG_CONTENT parsed; ``behaviour`` counts the queued and default
    behaviours from 0 in the order they were given (None: none matched).
    """

    agent: str
    node: str | None
    heading: str | None
    prompt: str
    argv: list[str]
    cwd: Path
    env: dict[str, str]
    config: dict[str, Any]
    rules: list[dict[str, str]] | None
    behaviour: int | None

    @property
    def agents(self) -> dict[str, dict[str, Any]]:
        """The agents that director defines, by their names without prefix."""
        found = self.config["agent"].items()
        return {PREFIX.sub("", name): agent for name, agent in found if PREFIX.match(name)}

    @property
    def edit_rules(self) -> dict[str, str]:
        """Pattern → action of what it may edit: the last match wins."""
        if self.rules is None:
            found = self.agents[self.agent]["permission"]["edit"]
            return dict(found) if isinstance(found, dict) else {"*": str(found)}
        edit = [one for one in self.rules if one["permission"] == "edit"]
        return {one["pattern"]: one["action"] for one in edit}

    def option(self, name: str) -> str:
        """Return the value that follows ``name`` on the command line."""
        return self.argv[self.argv.index(name) + 1]


class FakeOpenCode:
    """The queue and the record of one fake, kept in files under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def install(self, env: Mapping[str, str]) -> dict[str, str]:
        """Make the executable and return ``env`` with its folder first on PATH.

        Not below the record's: nothing new can be made beside what agents are kept from.
        """
        program = self.program
        program.parent.mkdir(exist_ok=True)
        listing = shlex.quote(str(self.folder / "models"))
        program.write_text(
            f'#!/bin/sh\n[ "$1" = models ] && exec cat {listing} # none: no such command\n'
            f'[ "$*" = --version ] && echo {VERSION} && exit\n'
            f'exec {shlex.join(playback(self.folder))} "$@"\n'
        )
        program.chmod(0o755)
        return {**env, "PATH": f"{program.parent}{os.pathsep}{env.get('PATH', os.defpath)}"}

    @property
    def program(self) -> Path:
        """The executable."""
        return self.folder.with_name(f"{self.folder.name}-bin") / "opencode"

    def queue(
        self, agent: str, *steps: Step, node: str | None = None, heading: str | None = None
    ) -> int:
        """Play ``steps`` once, for the first matching call that no earlier entry answers.

        Matching: ``--agent director-<agent>`` (or ``director-<8 hex digits>-<agent>``), a prompt
        line ``Node: <node>`` and a first line ``# <heading>`` where they are given. Returns the
        behaviour's number.
        """
        return self._add(agent, steps, node, heading, always=False)

    def always(
        self, agent: str, *steps: Step, node: str | None = None, heading: str | None = None
    ) -> int:
        """Play ``steps`` for every matching call that no queued entry answers.

        Of several such defaults the last one given wins.
        """
        return self._add(agent, steps, node, heading, always=True)

    def calls(self) -> list[FakeCall]:
        """Return the calls so far, in the order they started."""
        with locked(self.folder):
            text = _text(self.folder / "calls.jsonl")
        lines = [json.loads(line) for line in text.splitlines()]
        return [FakeCall(**{**line, "cwd": Path(line["cwd"])}) for line in lines]

    def lists(self, *models: str) -> None:
        """Have ``opencode models`` list these from now on; before that it is unknown."""
        (self.folder / "models").write_text("".join(f"{model}\n" for model in models))

    def serve(self, behaviour: str) -> None:
        """Say how ``opencode serve`` behaves from now on (a constant of ``fake_server``)."""
        (self.folder / "serving").write_text(behaviour)

    def servers(self) -> list[int]:
        """Return the process ids of the servers that were started so far."""
        return [int(line) for line in _text(self.folder / "servers").splitlines()]

    def loads(self) -> list[Path]:
        """Return the folders that servers have loaded so far, one for each time."""
        return [Path(line) for line in _text(self.folder / "loads").splitlines()]

    def unplayed(self) -> list[int]:
        """Return the numbers of the queued behaviours that no call has used."""
        with locked(self.folder):
            played = {json.loads(line) for line in _text(self.folder / "played").splitlines()}
            entries = [json.loads(s) for s in _text(self.folder / "behaviours.jsonl").splitlines()]
        return [
            number
            for number, entry in enumerate(entries)
            if not entry["always"] and number not in played
        ]

    def _add(
        self,
        agent: str,
        steps: tuple[Step, ...],
        node: str | None,
        heading: str | None,
        *,
        always: bool,
    ) -> int:
        entry = {
            "agent": str(agent),
            "node": node,
            "heading": heading,
            "steps": list(steps),
            "always": always,
        }
        path = self.folder / "behaviours.jsonl"
        with locked(self.folder):
            number = len(_text(path).splitlines())
            with path.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")
        return number


def write(path: str, content: str) -> Step:
    """Write a file with the agent's ``write`` tool."""
    return {"do": "write", "path": path, "content": content}


def shell(command: str) -> Step:
    """Run a command with the agent's ``bash`` tool."""
    return {"do": "shell", "command": command}


def silent_shell(command: str) -> Step:
    """Run a command that no event tells of."""
    return {"do": "silent_shell", "command": command}


def orphan(command: str) -> Step:
    """Start a command in a session of its own and leave it running."""
    return {"do": "orphan", "command": command}


def say(text: str) -> Step:
    """Write a text."""
    return {"do": "say", "text": text}


def answer(value: object) -> Step:
    """Write a text that is ``value`` as JSON."""
    return say(json.dumps(value))


def fail(name: str, message: str, status_code: int | None = None) -> Step:
    """Report that the session failed; the program will exit with 1."""
    return {"do": "fail", "name": name, "message": message, "status_code": status_code}


def stderr(text: str) -> Step:
    """Print a line to standard error."""
    return {"do": "stderr", "text": text}


def raw(line: str) -> Step:
    """Print a line to standard output as it is."""
    return {"do": "raw", "line": line}


def exit_with(code: int) -> Step:
    """Exit at once, without another event."""
    return {"do": "exit_with", "code": code}


def kill_server() -> Step:
    """Kill the server whose session this is."""
    return {"do": "kill_server"}


def hang(*, stubborn: bool = False) -> Step:
    """Do nothing until killed; ``stubborn`` ignores SIGTERM."""
    return {"do": "hang", "stubborn": stubborn}


def ignore_sigterm() -> Step:
    """Be deaf to SIGTERM from now on."""
    return {"do": "ignore_sigterm"}


def mark(path: Path | str) -> Step:
    """Make an empty file, for whoever waits for it."""
    return {"do": "mark", "path": str(path)}


def wait_for(path: Path | str) -> Step:
    """Wait until a file is there."""
    return {"do": "wait_for", "path": str(path)}


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
