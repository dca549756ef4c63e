"""``live.json``: what happens now, for another process to show. It counts for nothing later."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from director.model.errors import DirectorError
from director.records import files
from director.records.events import Event, Kind
from director.records.lock import Holder

LEAST_SECS = 2.0  # between two writings
PLANNING = "planning"  # the key of calls that are about no node


class LiveFile:
    """Keeps ``live.json`` as events tell; callable from any thread, and never fails."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self._path = path
        self._holder = holder
        self._lanes: int | None = None
        self._nodes: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._over = threading.Event()

    def __call__(self, event: Event) -> None:
        """Take in an event (a listener)."""
        with self._lock:
            changed = self._take(event)
        if changed:
            self._news.set()

    def content(self) -> dict[str, Any]:
        """Return what the file says."""
        with self._lock:
            nodes = {key: dict(one) for key, one in self._nodes.items()}
        return {**self._holder._asdict(), "lanes": self._lanes, "nodes": nodes}

    def write(self) -> None:
        """Replace the file; where that cannot be done, it stays as it is."""
        with suppress(OSError):
            files.replace_quickly(self._path, json.dumps(self.content(), ensure_ascii=False))

    def keep(self) -> None:
        """Write what is new, at most once in LEAST_SECS, until ``end``."""
        while True:
            self._news.wait()
            if self._over.is_set():
                return
            self._news.clear()
            self.write()
            self._over.wait(LEAST_SECS)

    def end(self) -> None:
        """Let ``keep`` return."""
        self._over.set()
        self._news.set()

    def _take(self, event: Event) -> bool:
        data = event.data
        match event.kind:
            case Kind.RUN_STARTED:
                self._lanes = data.get("parallel")
            case Kind.NODE_STARTED:
                self._nodes[str(event.node)] = _node(event)
            case Kind.ATTEMPT_STARTED:
                found = self._of(event)
                found |= {"attempt": data.get("attempt"), "tier": data.get("tier")}
                found["model"] = data.get("model")
            case Kind.CALL_STARTED:
                self._begin_call(event)
            case Kind.CALL_PROGRESS:
                found = self._of(event)
                found |= {key: data.get(key) for key in ("tool", "argument")}
                found["usd"] = data.get("cost")
            case Kind.CALL_ENDED if event.node is None:
                self._nodes.pop(PLANNING, None)
            case Kind.CALL_ENDED:
                self._of(event).update(tool="", argument="", usd=data.get("cost"))
            case Kind.NODE_ENDED | Kind.TESTS_ADMITTED:
                self._nodes.pop(str(event.node), None)
            case _:
                return False
        return True

    def _begin_call(self, event: Event) -> None:
        told = {key: event.data.get(key) for key in ("role", "model")}
        told |= {"since": event.ts, "usd": 0.0, "tool": "", "argument": ""}
        if event.data.get("attempt") is not None:
            told["attempt"] = event.data["attempt"]
        self._of(event).update(told)

    def _of(self, event: Event) -> dict[str, Any]:
        return self._nodes.setdefault(event.node or PLANNING, _node(event))


def _node(event: Event) -> dict[str, Any]:
    return {
        "role": None,
        "attempt": None,
        "tier": None,
        "model": None,
        "since": event.ts,
        "usd": 0.0,
        "tool": "",
        "argument": "",
    }


@contextmanager
def live_file(path: Path, holder: Holder) -> Iterator[LiveFile]:
    """Keep ``live.json`` at ``path`` while open; afterwards it is gone."""
    live = LiveFile(path, holder)
    live.write()
    keeper = threading.Thread(target=live.keep, name="live file", daemon=True)
    keeper.start()
    try:
        yield live
    finally:
        live.end()
        keeper.join()
        with suppress(DirectorError):
            files.remove(path)
