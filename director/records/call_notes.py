"""Notes of calls whose result is not on record yet, so that a killed run's calls can be used.

A call is noted before it starts and dropped when what it brought is on record elsewhere (a file,
the branch, the state). What is still noted when a run begins was left by one that was killed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.errors import RequestError
from director.records import files, json_lines

DRAFTED = "drafted"  # in a memo: the commit of what a call wrote


class CallNote(NamedTuple):
    """One call: its events file, the folder it worked in, and what its asker has to remember.

    ``log`` is "" for one that did not begin yet. ``outcome`` and ``reason`` are set when it ended
    under director's eyes. ``model`` is the one of ``[tiers]`` that was asked ("": not on record).
    ``writes``: what it brought lies in that folder, and nowhere else. ``role``, ``node`` and
    ``attempt`` say what it is recorded under ("": noted by an earlier version).
    """

    name: str
    log: str
    cwd: str
    memo: Mapping[str, Any] = {}
    outcome: str | None = None
    reason: str = ""
    model: str = ""
    writes: bool = False
    role: str = ""
    node: str | None = None
    attempt: int | None = None

    @property
    def is_unused(self) -> bool:
        """Whether it has brought something that is on record here only."""
        return self.writes or bool(self.memo.get(DRAFTED))

    def nowhere(self) -> "CallNote":
        """Return the note without the folder: nothing there is of this call, as far as is known."""
        return self._replace(cwd="", writes=False)


class CallNotes:
    """The notes in one folder, a file each. Callable from any thread; names do not collide.

    The files are read once, before any agent of this run starts: an agent may write there. From
    then on memory is the truth, and the files are for the next run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notes = {note.name: note for note in noted_calls(folder)}

    def begin(self, note: CallNote) -> None:
        """Note a call that is about to start; replaces an earlier one of its name.

        Not synced: it serves after a kill of director. When the machine stops the call is cut
        short, and its events are not on disk either.
        """
        self._notes[note.name] = note
        path = self._path(note.name)
        with files.os_errors_stop(path):
            files.make_folder(self._folder)
            files.replace_quickly(path, json_lines.in_line(encode(note)))

    def end(self, name: str, outcome: str, reason: str, *, counts: bool = True) -> None:
        """Note how a call ended; what it wrote is of no use unless it ``counts``."""
        if note := self.get(name):
            ended = note._replace(outcome=outcome, reason=reason)
            self.begin(ended if counts else ended.nowhere())

    def forget_place(self, name: str) -> None:
        """Note that what a call wrote is of no use."""
        if note := self.get(name):
            self.begin(note.nowhere())

    def remember(self, name: str, **more: Any) -> None:
        """Add to what the asker of a call has to remember what was made of what it wrote.

        The folder where that was is not needed any more.
        """
        if note := self.get(name):
            self.begin(note.nowhere()._replace(memo={**note.memo, **more}))

    def left(self) -> list[CallNote]:
        """Return all notes."""
        return list(self._notes.values())

    def get(self, name: str) -> CallNote | None:
        """Return the note of a call, or None."""
        return self._notes.get(name)

    def drop(self, *names: str) -> None:
        """Forget calls: what they brought is safe."""
        for name in names:
            self._notes.pop(name, None)
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def noted_calls(folder: Path) -> list[CallNote]:
    """Return the calls that are noted in ``folder`` now, in the order of their logs."""
    notes = [note for note in map(_read, folder.glob("*.json")) if note]
    return sorted(notes, key=lambda note: note.log)


def written_places(folder: Path) -> frozenset[Path]:
    """Return the folders that hold what the calls noted in ``folder`` wrote."""
    return frozenset(Path(one.cwd) for one in noted_calls(folder) if one.writes)


def forget_places(folder: Path) -> None:
    """Forget where the calls noted in ``folder`` worked: what is there now is not known."""
    for path in folder.glob("*.json"):
        if (note := _read(path)) and note.cwd:
            files.write_json(path, encode(note.nowhere()), durable=False)


def _read(path: Path) -> CallNote | None:
    """Return the note in a file; None when it cannot be read or has another name."""
    try:
        note = decode(CallNote, files.read_json(path))
    except (MismatchError, RequestError):
        return None
    return note if note.name == path.stem else None
