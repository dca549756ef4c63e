"""The objects of one repository: read through one long-lived git, written as loose objects.

Commits and trees are small and asked for often; a process for each would cost more than all that
is done with them. The formats are git's documented ones (gitformat-loose(5) and "Git Objects").
"""

import hashlib
import os
import threading
import weakref
import zlib
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from director.model.errors import StoppedError
from director.model.newest import Newest
from director.model.patterns import lazy_pattern
from director.processes.capture import Captured, Dialogue
from director.records.files import os_errors_stop, write_whole
from director.repositories.git import Git, GitError

TREE_MODE = "040000"
GITLINK_MODE = "160000"
LINK_MODE = "120000"
ABSENT_MODE = "000000"  # where there is nothing
OBJECT_ID = lazy_pattern(rb"[0-9a-f]{40}|[0-9a-f]{64}")
ANSWER = lazy_pattern(rb"([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag) ([0-9]+)")
KEPT_SMALL, SMALL_BYTES = 100, 10_000  # objects, and bytes of each: at most 1 MB
# Git reads one name a line, up to a NUL; of the surrogates, some stand for a byte that is no text.
UNASKABLE = lazy_pattern("[\n\r\0\ud800-\udc7f\udd00-\udfff]")


class Found(NamedTuple):
    """An object. ``kind`` is ``blob``, ``tree``, ``commit`` or ``tag``."""

    oid: str
    kind: str
    data: bytes


class Item(NamedTuple):
    """What a name in a tree names: git's mode (six octal digits) and object id."""

    mode: str
    oid: str

    @property
    def is_tree(self) -> bool:
        """Whether it is a folder."""
        return self.mode == TREE_MODE


class Objects:
    """Reads the objects that ``git`` finds. Callable from any thread."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._dialogue: Dialogue | None = None
        self._turn = threading.Lock()
        self._small = Newest[str, Found](KEPT_SMALL)

    def find(self, name: str) -> Found | None:
        """Return the object that ``name`` (an id, or any revision) stands for, or None.

        Raises GitError when it cannot be read.
        """
        if not name.isalnum() and UNASKABLE.search(name):  # an id is quickly seen to be none
            return None
        with self._turn:
            for _ in range(2):
                try:
                    return self._ask(name)
                except OSError:  # ending its git gains an agent nothing
                    self._hang_up()
        raise _failure(f"{name} cannot be read: the object is damaged")

    def _hang_up(self) -> None:
        if self._dialogue:
            self._dialogue.end()
        self._dialogue = None

    def look_again(self) -> None:
        """Find from now on what is in stores that were added meanwhile."""
        with self._turn:
            self._hang_up()

    def get(self, name: str) -> Found:
        """Return the object that ``name`` stands for; GitError when there is none.

        Small ones that were asked for by their id last are kept: the tests of a node are read
        after each of its gates.
        """
        if known := self._small.get(name):
            return known
        found = self.find(name)
        if found is None:
            raise _failure(f"there is no object {name}")
        if found.oid == name and len(found.data) <= SMALL_BYTES:
            self._small.keep(name, found)
        return found

    def _ask(self, name: str) -> Found | None:
        if self._dialogue is None:
            self._dialogue = self._git.dialogue("cat-file", "--batch")
            weakref.finalize(self, self._dialogue.end)
        self._dialogue.say(name.encode(errors="surrogateescape") + b"\n")
        answer = ANSWER.fullmatch(self._dialogue.line())
        if answer is None:  # missing, ambiguous
            return None
        oid, kind, size = (part.decode() for part in answer.groups())
        return Found(oid, kind, self._dialogue.read(int(size) + 1)[:-1])


def _failure(problem: str) -> GitError:
    said = problem.encode(errors="surrogateescape")
    return GitError(("cat-file", "--batch"), Captured(128, b"", said))


def digest(object_format: str, whole: bytes) -> str:
    """Return the id of an object, given with its header."""
    return hashlib.new(object_format, whole, usedforsecurity=False).hexdigest()


def object_id(object_format: str, kind: str, data: bytes) -> str:
    """Return the id of an object."""
    return digest(object_format, _with_header(kind, data))


def _with_header(kind: str, data: bytes) -> bytes:
    return f"{kind} {len(data)}\0".encode() + data


def loose_object(store: Path, oid: str) -> Path:
    """Return where an object store keeps the object ``oid`` when it is not in a pack."""
    return Path(loose_path(store, oid))


def loose_path(store: Path, oid: str) -> str:
    """Return the same as text: a Path takes longer than opening the file."""
    return f"{store}/{oid[:2]}/{oid[2:]}"


def write_object(store: Path, object_format: str, kind: str, data: bytes) -> str:
    """Write an object into the object store at ``store``, and return its id.

    One that is there is written again unless it is whole: it may have been damaged.
    """
    whole = _with_header(kind, data)
    oid = digest(object_format, whole)
    folder = f"{store}/{oid[:2]}"
    path = f"{folder}/{oid[2:]}"
    if unpacked(path) != whole:
        with os_errors_stop(path):
            temporary = f"{folder}/tmp_obj_{os.urandom(8).hex()}"
            descriptor = _made_in(folder, temporary)
            try:
                write_whole(partial(os.write, descriptor), zlib.compress(whole, 1))
            finally:
                os.close(descriptor)
            os.replace(temporary, path)  # noqa: PTH105 (often called)
    return oid


def _made_in(folder: str, path: str) -> int:
    """Make a file in a folder of an object store, which may be missing; returns it, opened."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o444)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(folder)  # noqa: PTH102 (often called)
        return os.open(path, flags, 0o444)


def unpacked(path: Path | str) -> bytes:
    """Return a loose object with its header (gitformat-loose(5)); b"" where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # most are not there
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            return zlib.decompress(stream.read())
    except (zlib.error, FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return b""
    except OSError as error:
        raise StoppedError(f"cannot read {path}: {error.strerror}", "try again") from error
