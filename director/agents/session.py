"""One call on an OpenCode server: a session, opened, followed to its end, and forgotten."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from director.agents.calls import Outcome, ServerError
from director.agents.judging import Watch
from director.agents.server import Server
from director.agents.server_events import Narrator
from director.model.errors import DirectorError
from director.records.files import explained, open_to_append, write_json
from director.workspace.processes import MARKER, Ended, Ending, Processes
from director.workspace.slots import slot_variables


@dataclass(frozen=True)
class Turn:
    """What a session is opened for. ``rules`` are all permissions, the last match wins.

    ``model`` is ``provider/model``, ``cwd`` the worktree; ``events`` takes the events.
    """

    agent: str
    model: str
    title: str
    prompt: str
    rules: tuple[dict[str, str], ...]
    cwd: Path
    events: Path
    timeout_secs: float


class Session:
    """One turn on one server; afterwards nothing of it runs any more."""

    def __init__(self, processes: Processes, server: Server, turn: Turn, watch: Watch) -> None:
        self._processes = processes
        self._server = server
        self._turn = turn
        self._watch = watch
        self._over = threading.Event()
        self._unwritten: DirectorError | None = None

    def run(self) -> Ended:
        """Have the turn taken and return how it ended. Never raises for what the server does."""
        started = time.monotonic()
        with self._tool_environment():
            try:
                ending, reason = self._follow()
            except ServerError as error:
                ending, reason = self._lost(f"{error}")
        return Ended(ending, None, time.monotonic() - started, reason)

    @contextmanager
    def _tool_environment(self) -> Iterator[None]:
        """Give the agent's commands a marker of this call; what carries it ends with the call."""
        marker = self._processes.new_marker()
        note = environment_note(self._turn.cwd)
        variables = {MARKER: marker, **slot_variables(self._turn.cwd)}
        write_json(note, variables, durable=False)
        try:
            yield
        finally:
            self._processes.end_marked(marker)
            with suppress(OSError):  # the agent may have removed it, and more
                note.unlink()

    def _follow(self) -> tuple[Ending, str]:
        turn, server = self._turn, self._server
        finished = False
        with ExitStack() as last, server.events(turn.cwd) as events:
            session = server.open_session(turn.cwd, turn.title, turn.rules)
            narrator = Narrator(session)
            reader = threading.Thread(target=self._read, args=(events, narrator), daemon=True)
            reader.start()
            last.callback(reader.join)  # once the stream is closed
            try:
                server.prompt(turn.cwd, session, turn.agent, turn.model, turn.prompt)
                ending, reason = self._processes.follow(
                    self._over.wait, turn.timeout_secs, self._watch
                )
                finished = narrator.over
            finally:
                self._close(session, abort=not finished)
        if self._unwritten:
            raise self._unwritten
        if ending is Ending.EXITED and not finished:
            return self._lost("it ended in the middle of the call")
        return ending, reason

    def _read(self, events: Iterable[dict[str, Any]], narrator: Narrator) -> None:
        """Put what happens on record, until the session or the server is over."""
        try:
            with explained(self._turn.events), open_to_append(self._turn.events) as stream:
                for event in events:
                    if narrator.concerns(event):
                        self._watch.sign_of_life()
                    if line := narrator.line(event):
                        stream.write(json.dumps(line).encode() + b"\n")
                    if narrator.over:
                        break
        except DirectorError as error:
            self._unwritten = error
        finally:
            self._over.set()

    def _close(self, session: str, *, abort: bool) -> None:
        """See to it that the session does nothing more, if need be by ending the server."""
        try:
            self._server.forget(self._turn.cwd, session, abort=abort)
        except ServerError:
            self._server.end()

    def _lost(self, reason: str) -> tuple[Ending, str]:
        """Say that the server failed: no fault of the model's, the call can be made again."""
        reason = f"the OpenCode server failed: {reason}"
        self._watch.stop(Outcome.PROVIDER_FAULT, reason)
        return Ending.STOPPED, reason


def environment_note(worktree: Path) -> Path:
    """Return the file from which an agent's commands get their variables (``tool_env.js``)."""
    return worktree.with_name(f"{worktree.name}.env.json")
