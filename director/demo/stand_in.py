"""The stand-in for the ``opencode`` executable: plays the scripted models in a real folder.

It writes files and runs commands for real, and prints the events that OpenCode prints. It knows
``opencode run … --dir D --model M < prompt`` and ``opencode --version``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import director
from director.demo import token_counts
from director.demo.event_writer import EventWriter
from director.demo.script import turns
from director.demo.turns import Call, Fault, Say, Turn, Use
from director.model.values import dataclass
from director.processes.capture import capture

PROGRAM = "opencode"
VERSION = "1.18.33"  # the OpenCode whose events it prints
PAUSE_SECS = 0.15  # a model takes a moment, and the live output can be read


def main(argv: Sequence[str]) -> int:
    """Do what ``opencode`` with these arguments does, as far as director uses it.

    Reads the prompt from standard input, prints events to standard output; returns the exit code.
    """
    parser = _parser()
    args, _ = parser.parse_known_args(argv)
    if args.version:
        print(VERSION)
        return 0
    if args.command != "run" or not args.model:
        print("the stand-in knows `run --model M` and `--version` only", file=sys.stderr)
        return 1
    prompt = sys.stdin.read()
    session = Session(Path(args.dir).resolve(), args.model, EventWriter(sys.stdout))
    return session.play(prompt, turns(args.model, prompt))


def write_shim(folder: Path) -> Path:
    """Write an executable called ``opencode`` into ``folder`` that runs the stand-in.

    It runs this very Python and this very package, and says so on its own command line: nothing
    is put into the environment, where the commands that the stand-in runs would inherit it.
    """
    package_parent = str(Path(director.__file__).resolve().parent.parent)
    code = (
        f"import sys; sys.path.insert(0, {package_parent!r}); "
        "from director.demo.stand_in import main; sys.exit(main(sys.argv[1:]))"
    )
    line = shlex.join([sys.executable, "-I", "-X", "utf8", "-c", code])
    shim = folder / PROGRAM
    shim.write_bytes(os.fsencode(f'#!/bin/sh\nexec {line} "$@"\n'))
    shim.chmod(0o755)
    return shim


@dataclass
class Session:
    """One conversation in ``folder``. ``_context`` are the tokens that the model has read."""

    folder: Path
    model: str
    events: EventWriter
    _context: int = 0
    _cached: int = 0

    def play(self, prompt: str, conversation: Sequence[Turn]) -> int:
        """Perform every turn and print its events; returns the exit code."""
        self._context = token_counts.INSTRUCTIONS + token_counts.count(prompt)
        for turn in conversation:
            time.sleep(PAUSE_SECS)
            if isinstance(turn, Fault):
                self.events.error("APIError", turn.body, turn.status)
                return 1
            self._step(turn)
        return 0

    def _step(self, turn: Turn) -> None:
        self.events.step_start()
        said = 0
        if isinstance(turn, Say):
            self.events.text(turn.text)
        elif isinstance(turn, Use):
            said = sum(self._use(call) for call in turn.calls)
        reasons = {Say: "stop", Use: "tool-calls"}
        self.events.step_finish(reasons.get(type(turn), "unknown"), self._tokens(turn))
        self._context += said

    def _tokens(self, turn: Turn) -> dict[str, Any]:
        """Return what this step costs; the next one finds all of it in the cache."""
        answered = token_counts.answer_tokens(turn)
        thought = token_counts.reasoning_tokens(self.model, answered)
        counts = token_counts.as_events_have_them(self._context, self._cached, answered, thought)
        self._cached = self._context
        self._context += answered
        return counts

    def _use(self, call: Call) -> int:
        """Use a tool and return how many tokens its output has."""
        given = dict(call.arguments)
        try:
            output, code = self._perform(call.tool, given)
            self.events.tool_use(call.tool, given, output, exit_code=code)
        except (OSError, ValueError, KeyError) as error:
            output = str(error)
            self.events.tool_use(call.tool, given, output, status="error")
        return token_counts.count(output)

    def _perform(self, tool: str, given: dict[str, Any]) -> tuple[str, int | None]:
        if tool == "bash":
            return self._shell(given["command"])
        path = self.folder / given.get("filePath", "")
        match tool:
            case "read":
                return path.read_text(encoding="utf-8"), None
            case "write":
                return _write(path, given["content"]), None
            case "edit":
                return _edit(path, given["oldString"], given["newString"]), None
        raise ValueError(f"there is no tool {tool!r}")

    def _shell(self, command: str) -> tuple[str, int]:
        done = capture(["/bin/sh", "-c", command], self.folder, os.environ)
        return (done.out + done.err).decode(errors="replace"), done.code


def _write(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return "Wrote file successfully."


def _edit(path: Path, old: str, new: str) -> str:
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"oldString stands {text.count(old)} times in {path.name}")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return "Edit applied successfully."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="director's scripted stand-in", allow_abbrev=False
    )
    parser.add_argument("command", nargs="?")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--dir", default=".")
    parser.add_argument("--model", default="")
    return parser
