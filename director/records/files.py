"""The one door through which files under ``.director/`` are written and read.

JSON files are replaced atomically and synced; lines are appended whole with one write.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from director.model.errors import RequestError, StoppedError

ESCAPE = "backslashreplace"  # of a lone surrogate this makes JSON's own escape


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError at ``path`` into an end the user can act on (StoppedError)."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StoppedError(
            f"cannot write {path}: {reason}", "make room or give access, then run the command again"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (UTF-8): after a crash it holds the old or the new content.

    What UTF-8 cannot hold (a byte of a strange file name) is escaped, as JSON would.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors=ESCAPE) as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace ``path`` by ``value`` as indented JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_text(path: Path) -> str | None:
    """Return the text of ``path``, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path}: {error}", "restore or remove that file") from None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in ``path``, or None where there is no such file.

    Raises RequestError when the file holds anything else.
    """
    text = read_text(path)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise RequestError(f"{path} is damaged: {error}", "restore or remove that file") from None
    if not isinstance(value, dict):
        raise RequestError(f"{path} must hold a JSON object", "restore or remove that file")
    return value


def append_line(path: Path, value: Mapping[str, Any], *, durable: bool) -> None:
    """Append ``value`` as one JSON line; ``durable`` waits until it is on disk.

    A torn last line, left by a crash, is closed first so that it damages nothing after it.
    """
    line = json.dumps(value, ensure_ascii=False).encode(errors=ESCAPE) + b"\n"
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as stream:
            if stream.tell() > 0:
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    line = b"\n" + line
            stream.write(line)
            if durable:
                os.fsync(stream.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file, in order; lines that are not whole are skipped."""
    return [value for value in map(_object, _lines(path)) if value]


def count_damaged_lines(path: Path) -> int:
    """Return how many lines of a JSONL file are not whole JSON objects."""
    return sum(1 for line in _lines(path) if line.strip() and _object(line) is None)


def _lines(path: Path) -> list[bytes]:
    """Return the lines as bytes: a torn one may end amid a letter, which is no harm to others."""
    try:
        return path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error}", "restore or remove that file") from None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable (fsync(2): the directory needs its own sync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
