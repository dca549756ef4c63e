"""What was found last, kept by what was asked: as much as there is room for."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Newest(Generic[Key, Value]):
    """The ``most`` values that were kept last. Callable from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, Value] = {}
        self._turn = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return what is kept for ``key``, or None."""
        return self._kept.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value; the one that was kept first goes where there are too many."""
        with self._turn:
            self._kept[key] = value
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
