"""Files of JSON lines: appended whole or it is an error, read past the lines that are damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from director.model.errors import RequestError
from director.records.files import (
    APPEND,
    ESCAPE,
    READABLE,
    content_of,
    open_making_folder,
    open_to_read,
    os_errors_stop,
    sync_folder,
    write_text,
    write_whole,
)

in_line = json.JSONEncoder(ensure_ascii=False).encode  # a value as JSON in one line


def append_line(path: Path, value: Mapping[str, Any], *, durable: bool) -> None:
    """Append ``value`` as one JSON line; ``durable`` waits until it is on disk.

    A torn last line, left by a crash, is closed first so that it damages nothing after it.
    """
    append_lines(path, [value], durable=durable)


def append_lines(path: Path, values: Iterable[Mapping[str, Any]], *, durable: bool) -> int:
    """Append ``values`` as JSON lines, like ``append_line``; returns how many bytes that took."""
    return append_texts(path, map(in_line, values), durable=durable)


def append_texts(path: Path, lines: Iterable[str], *, durable: bool) -> int:
    """Append ``lines`` that are JSON (``in_line``), like ``append_lines``."""
    data = "".join(f"{line}\n" for line in lines).encode(errors=ESCAPE)
    with os_errors_stop(path):
        descriptor = open_making_folder(path, APPEND)  # no stream: there are many of these
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data
            write_whole(partial(os.write, descriptor), data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if durable and not size:
            sync_folder(path.parent)
    return len(data)


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Replace ``path`` by one JSON line for each of ``values``; on disk when this returns."""
    write_texts(path, map(in_line, values))


def write_texts(path: Path, lines: Iterable[str]) -> None:
    """Replace ``path`` by ``lines`` that are JSON, like ``write_lines``."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file, in order; lines that are not whole are skipped."""
    return read_lines_counted(path)[0]


def read_lines_counted(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the objects of a JSONL file, as ``read_lines``, and how many lines are damaged."""
    return _parsed(_lines(path))


def each_line(path: Path) -> Iterator[dict[str, Any]]:
    """Give the objects of a JSONL file, as ``read_lines``, one after another: none is kept."""
    with _reading(path), open_to_read(path) as stream:
        yield from filter(None, map(object_in, stream))


def read_last_lines(path: Path, size: int) -> tuple[list[dict[str, Any]], int]:
    """Return the objects in the last ``size`` bytes of a JSONL file, and how many are damaged."""
    return _parsed(_last_lines(path, size))


def read_backwards(path: Path, size: int) -> Iterator[dict[str, Any]]:
    """Give the objects in the last ``size`` bytes of a JSONL file, the last one first.

    A caller that needs a few of them does not wait for the others. Lines that are not whole are
    skipped.
    """
    return (value for value in map(object_in, reversed(_last_lines(path, size))) if value)


def _last_lines(path: Path, size: int) -> list[bytes]:
    with _reading(path), open_to_read(path) as stream:
        start = max(0, stream.seek(0, os.SEEK_END) - size)
        stream.seek(start)
        lines = stream.read(size).split(b"\n")
        return lines[1:] if start else lines
    return []


def _parsed(lines: list[bytes]) -> tuple[list[dict[str, Any]], int]:
    lines = list(filter(bytes.strip, lines))
    whole = _all_whole(lines)
    if whole is not None:
        return list(filter(None, whole)), 0
    found = [object_in(line) for line in lines]
    return [value for value in found if value], sum(value is None for value in found)


def _all_whole(lines: Sequence[bytes]) -> list[dict[str, Any]] | None:
    """Return the objects of ``lines``, read at once; None where one of them is damaged.

    That takes a third of the time. A line that makes one object with the next is missed in the
    count.
    """
    try:
        values = json.loads(b"[" + b",\n".join(lines) + b"]")
    except (ValueError, RecursionError):
        return None
    whole = len(values) == len(lines) and set(map(type, values)) <= {dict}
    return values if whole else None


def _lines(path: Path) -> list[bytes]:
    """Return the lines as bytes: a torn one may end within a character."""
    with _reading(path):
        return content_of(path).split(b"\n")
    return []


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Read what is in ``path``: nothing where there is no such file; RequestError for others."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error}", READABLE) from None


def object_in(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that is a line; None for anything else."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
