"""The one door through which files under ``.director/`` are written and read.

JSON files are replaced atomically and synced; ``json_lines`` has those of lines. What is made here
is for the owner only, whatever the umask, but for a file that the user names.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from director.model.errors import RequestError, StoppedError
from director.model.reason import Reason
from director.model.secrets import Redactor

LONGEST = 1_000_000  # bytes: more of a file is not worth reading
ESCAPE = "backslashreplace"  # of a lone surrogate this makes JSON's own escape
REPLACEABLE = "restore or remove that file"  # for a file that director can do without
NO_SPACE = os.strerror(errno.ENOSPC)
MAKE_ROOM = "free disk space or give access, then run the command again"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # the disk, or the user's share of it
APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
READABLE = "restore it, or make it readable (text in UTF-8)"


class DamagedFileError(RequestError):
    """A record that is not JSON any more."""

    def __init__(self, path: Path, problem: str, next_step: str = REPLACEABLE) -> None:
        super().__init__(f"{path} is damaged: {problem}", next_step)


class os_errors_stop:  # noqa: N801 (a statement; as a generator it takes three times as long)
    """Turn an OSError at ``path`` into an end the user can act on (StoppedError)."""

    def __init__(self, path: Path | str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin what may fail."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """Raise StoppedError in place of an OSError."""
        if not isinstance(error, OSError):
            return
        full = error.errno in FULL
        reason = "the disk is full" if full else error.strerror or str(error)
        raise StoppedError(
            f"cannot write {self._path}: {reason}",
            MAKE_ROOM,
            Reason.DISK_FULL if full else None,
        ) from error


@contextmanager
def full_disk_stops() -> Iterator[None]:
    """Turn an OSError of a full disk, whatever was to be written, into a StoppedError."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        with os_errors_stop(error.filename or "a file"):
            raise


def open_making_folder(path: Path, flags: int) -> int:
    """Open a file for the owner only, and make its folder where that is missing."""
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(path.parent)
        return os.open(path, flags, 0o600)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner only."""
    for folder in () if path.is_dir() else (*reversed(path.parents), path):
        folder.mkdir(mode=0o700, exist_ok=True)


def open_to_append(path: Path) -> BinaryIO:
    """Open a file at its end, for reading too; one that is made is for the owner only."""
    return os.fdopen(os.open(path, APPEND, 0o600), "ab+", buffering=0)


def open_to_read(path: Path) -> BinaryIO:
    """Open a regular file; OSError for anything else, since a pipe's reader waits for a writer."""
    stream = os.fdopen(os.open(path, READ), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return stream


def content_of(path: Path) -> bytes:
    """Return what a regular file holds. Raises OSError."""
    with open_to_read(path) as stream:
        return stream.read()


def redact_file(path: Path, redactor: Redactor) -> bytes:
    """Take secrets out of a file that another process wrote, where there is one.

    A device, which a forged note may name, keeps none. Returns what the file holds then.
    """
    with os_errors_stop(path):
        try:
            if stat.S_ISCHR(os.stat(path).st_mode):  # noqa: PTH116 (often called)
                return b""
            data = content_of(path)
        except FileNotFoundError:
            return b""
        if (clean := redactor.data(data)) != data:
            write_bytes(path, clean)
        return clean


def text_of(said: bytes) -> str:
    """Return what another process said as text, with line feeds only."""
    return _with_line_feeds(said.decode(errors="replace"))


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace ``path`` by ``text`` (UTF-8); ``durable`` as in ``write_bytes``.

    What UTF-8 cannot hold (a byte of a strange file name) is escaped, as JSON would.
    """
    write_bytes(path, text.encode(errors=ESCAPE), durable=durable)


def write_for_user(path: Path, text: str) -> None:
    """Write ``text`` to a file of the user's own, where they named it: who may read it, and the
    folders that are made for it, is by their umask.
    """
    with os_errors_stop(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors=ESCAPE, newline="")


def write_log(path: Path, text: str) -> None:
    """Write ``text`` to a new file that only people read: it may be lost with the power."""
    with os_errors_stop(path):
        descriptor = open_making_folder(path, APPEND)
        try:
            write_whole(partial(os.write, descriptor), text.encode(errors=ESCAPE))
        finally:
            os.close(descriptor)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` by ``data``: after a crash it holds the old or the new content.

    Not ``durable``: that holds for a crash of the process, not for one of the machine.
    """
    with os_errors_stop(path):
        # In the same folder: only within one file system is a rename atomic.
        temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
        descriptor = open_making_folder(temporary, NEW)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                # Before the rename, or a power cut may leave the new name with nothing in it.
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(path.parent)


def replace_quickly(path: Path, text: str) -> None:
    """Replace ``path`` by ``text``: readers find the old or the new one. No disk is waited for.

    The folder must be there. Raises OSError.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")  # noqa: PTH118 (often called)
    make_file(temporary, text.encode(errors=ESCAPE), 0o600)
    os.replace(temporary, path)  # noqa: PTH105 (often called)


def make_file(path: Path | str, content: bytes, mode: int = 0o666) -> None:
    """Make a file that is not there yet, as readable as ``mode`` and the umask say.

    Raises OSError: FileExistsError where anything is there, be it a link to nothing.
    """
    descriptor = os.open(path, NEW, mode)
    try:
        write_whole(partial(os.write, descriptor), content)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, where there is one."""
    with os_errors_stop(path):
        path.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Replace ``path`` by ``value`` as indented JSON; ``durable`` as in ``write_bytes``."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", durable=durable)


def read_text(path: Path) -> str | None:
    """Return the text of ``path``, or None where there is no such file.

    A byte order mark, which some editors put before it, is no part of it.
    """
    try:
        return _with_line_feeds(content_of(path).decode("utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path}: {error}", READABLE) from None


def read_json(path: Path, next_step: str = REPLACEABLE) -> dict[str, Any] | None:
    """Return the JSON object in ``path``, or None where there is no such file.

    Raises DamagedFileError, which advises ``next_step``, when the file holds anything else.
    """
    text = read_text(path)
    return None if text is None else parse_json(path, text, next_step)


def parse_json(path: Path, text: str, next_step: str = REPLACEABLE) -> dict[str, Any]:
    """Return the JSON object in ``text``, which is the content of ``path``.

    Raises DamagedFileError, which advises ``next_step``, when it is anything else.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DamagedFileError(path, f"{place}: {error.msg}", next_step) from None
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(path, str(error), next_step) from None
    if not isinstance(value, dict):
        raise DamagedFileError(path, "it must hold a JSON object", next_step)
    return value


def write_whole(write: Callable[[memoryview], int | None], data: bytes) -> None:
    """Give all of ``data`` to an unbuffered ``write``, which may take less; OSError otherwise.

    What did not fit leaves a torn line: the next one closes it, and readers skip it.
    """
    left = memoryview(data)
    while left:
        written = write(left)
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left = left[written:]


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable (fsync(2): the directory needs its own sync)."""
    _sync(folder)


def sync(*paths: Path) -> None:
    """Wait until what was appended to files is on disk, where they are there."""
    for path in paths:
        with os_errors_stop(path), suppress(FileNotFoundError):
            _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_beginning(path: Path) -> str:
    """Return the first LONGEST bytes of a file that others wrote; "" where it cannot be read."""
    try:
        with open_to_read(path) as stream:
            return stream.read(LONGEST).decode(errors="surrogateescape")
    except OSError:
        return ""
