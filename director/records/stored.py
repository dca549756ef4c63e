"""Records that have a file of their own, as values of their classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.model.errors import RequestError
from director.records import files
from director.records.worktrees_record import read_quietly

Stored = TypeVar("Stored")


def read_stored(kind: Callable[..., Stored], path: Path, next_step: str) -> Stored | None:
    """Return the record of the class ``kind`` in the file ``path``; None: there is no such file.

    Raises RequestError, which advises ``next_step``, where it cannot be read or is no such record.
    """
    stored = files.read_json(path, next_step)
    if stored is None:
        return None
    try:
        return decode(kind, stored)
    except MismatchError as error:
        what = f"{path} was not written by this version: {error}"
        raise RequestError(what, next_step) from None


def read_stored_quietly(kind: Callable[..., Stored], path: Path) -> Stored | None:
    """Return the record in a file; None: there is no such file, or it holds no such record."""
    stored = read_quietly(path)
    try:
        return None if stored is None else decode(kind, stored)
    except MismatchError:
        return None
