"""One call on an OpenCode server: a session, opened, followed to its end, and forgotten."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from director.agents.calls import Outcome
from director.agents.opencode.listener import Loaded
from director.agents.opencode.loaded_folders import enter, leave
from director.agents.opencode.server import Server
from director.agents.opencode.server_error import ServerError
from director.agents.opencode.server_events import Narrator
from director.agents.watching import Watch
from director.model.errors import DirectorError, StoppedError
from director.model.slots import slot_variables
from director.processes.command import Ended, Ending
from director.processes.process_table import MARKER
from director.processes.removal import discard
from director.processes.supervisor import Processes
from director.records.files import open_to_append, os_errors_stop, write_json, write_whole


class Turn(NamedTuple):
    """What a session is opened for. ``rules`` are all permissions, the last match wins.

    ``model`` is ``provider/model``, ``cwd`` the worktree; ``events`` takes the events. The agent's
    commands get ``variables`` besides those of the server.
    """

    agent: str
    model: str
    title: str
    prompt: str
    rules: tuple[dict[str, str], ...]
    cwd: Path
    events: Path
    timeout_secs: float
    variables: Mapping[str, str] = {}


class Session:
    """One turn on one server; afterwards nothing of it runs any more."""

    def __init__(self, processes: Processes, server: Server, turn: Turn, watch: Watch) -> None:
        self._processes = processes
        self._server = server
        self._turn = turn
        self._watch = watch
        self._started = time.monotonic()
        self._over = threading.Event()
        self._narrator: Narrator | None = None
        self._record: BinaryIO | None = None
        self._unwritten: DirectorError | None = None

    def run(self) -> Ended:
        """Have the turn taken and return how it ended. Never raises for what the server does."""
        with self._tool_environment():
            try:
                ending, reason = self._follow()
            except ServerError as error:
                ending, reason = self._lost(f"{error}")
        return Ended(ending, None, time.monotonic() - self._started, reason)

    @contextmanager
    def _tool_environment(self) -> Iterator[None]:
        """Give the agent's commands a marker of this call; what carries it ends with the call."""
        marker = self._processes.new_marker()
        note = environment_note(self._turn.cwd)
        discard(note)  # an agent may have put anything there
        variables = {**self._turn.variables, MARKER: marker, **slot_variables(self._turn.cwd)}
        write_json(note, variables, durable=False)
        try:
            yield
        finally:
            self._processes.end_marked(marker, self._turn.cwd)
            with suppress(OSError):  # the agent may have removed it, and more
                note.unlink()

    def _follow(self) -> tuple[Ending, str]:
        """Listen first, then begin: nothing that happens is missed."""
        with _open(self._turn.events) as self._record:
            loaded = enter(self._server, self._turn.cwd)
            listener = loaded.listener
            ending, reason = self._wait(listener.heard)  # a folder may take the server its time
            if ending is Ending.EXITED and listener.connected:
                ending, reason = self._take_turn(loaded)
            else:
                self._server.end()
                listener.close()
        if self._unwritten:
            raise self._unwritten
        if ending is Ending.EXITED and not (self._narrator and self._narrator.over):
            return self._lost(listener.problem)
        return ending, reason

    def _take_turn(self, loaded: Loaded) -> tuple[Ending, str]:
        turn, server = self._turn, self._server
        session, finished = "", False
        try:
            session = server.open_session(turn.cwd, turn.title, turn.rules)
            self._narrator = narrator = Narrator(session)
            loaded.listener.tell(self._hear)
            server.prompt(turn.cwd, session, turn.agent, turn.model, turn.prompt)
            ended = self._wait(self._over)
            finished = narrator.over
        finally:
            loaded.listener.tell(None)
            self._close(session, loaded, finished=finished)
        return ended

    def _wait(self, event: threading.Event) -> tuple[Ending, str]:
        return self._processes.follow(event.wait, self._turn.timeout_secs, self._watch)

    def _hear(self, event: dict[str, Any] | None) -> None:
        """Put what happens on record, until the session or the server is over."""
        narrator, record = self._narrator, self._record
        assert narrator and record
        if event and narrator.concerns(event) and not self._over.is_set():
            self._watch.sign_of_life()
            try:
                if line := narrator.line(event):
                    with os_errors_stop(self._turn.events):
                        write_whole(record.write, json.dumps(line).encode() + b"\n")
            except DirectorError as error:
                self._unwritten = error
        if event is None or narrator.over or self._unwritten:
            self._over.set()

    def _close(self, session: str, loaded: Loaded, *, finished: bool) -> None:
        """See to it that the session does nothing more, if need be by ending the server."""
        try:
            self._leave(session, loaded, finished=finished)
        except ServerError as error:
            if not self._server.end() and self._server.healthy():
                raise StoppedError(
                    f"a session may still be at work in {self._turn.cwd}: {error}",
                    f"end the OpenCode server at {self._server.address.url}, then run the command "
                    "again",
                ) from None

    def _leave(self, session: str, loaded: Loaded, *, finished: bool) -> None:
        server, folder, narrator = self._server, self._turn.cwd, self._narrator
        well = finished and not (narrator and narrator.failed)
        try:
            if session:
                server.close_session(folder, session, abort=not finished)
        except ServerError:
            well = False
            raise
        finally:
            leave(server, folder, loaded, well=well)

    def _lost(self, reason: str) -> tuple[Ending, str]:
        """Say that the server failed: no fault of the model's, the call can be made again."""
        reason = f"the OpenCode server failed: {reason}"
        self._watch.stop(Outcome.PROVIDER_FAULT, reason)
        return Ending.STOPPED, reason


@contextmanager
def _open(record: Path) -> Iterator[BinaryIO]:
    with os_errors_stop(record):
        stream = open_to_append(record)
    with stream:
        yield stream


def environment_note(worktree: Path) -> Path:
    """Return the file from which an agent's commands get their variables (``tool_env.js``)."""
    return worktree.with_name(f"{worktree.name}.env.json")
