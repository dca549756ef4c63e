"""The run state in one place: changed by any thread, on disk after each change.

What is on disk is for ``StateFile.load`` to read. A small ``state.json`` alone, as other programs
read it, is at most LATELY_SECS behind.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from director.model.errors import DirectorError
from director.model.state import NodeState, RunState
from director.records.job_directory import JobDirectory
from director.records.state_file import LATELY_SECS


class StateKeeper:
    """Holds the state of one job. Callable from any thread; no change goes through all nodes."""

    def __init__(self, directory: JobDirectory, state: RunState) -> None:
        self._file = directory.state_file
        self._job_id = state.job_id
        self._nodes = dict(state.nodes)
        self._noted: dict[str, None] = {}  # nodes that have changed since the last write, in order
        self._turn = threading.Lock()
        self._soon: threading.Timer | None = None  # writes a small state.json that is behind
        self._is_closed = False

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        with self._turn:
            return RunState(self._job_id, dict(self._nodes))

    def node(self, node_id: str) -> NodeState:
        """Return the state of one node."""
        return self._nodes[node_id]

    def update(self, node_id: str, *, durable: bool = True, **values: Any) -> None:
        """Change fields of one node; on disk when this returns.

        Not ``durable``: others can read it, but it may be lost with the power.
        """
        with self._turn:
            self._change(node_id, values)
            self._file.change(RunState(self._job_id, self._nodes), self._noted, durable=durable)
            self._noted.clear()
            self._catch_up_soon()

    def note(self, node_id: str, **values: Any) -> None:
        """Change fields of one node; on disk with the next ``update`` of any node."""
        with self._turn:
            self._change(node_id, values)

    def replace(self, state: RunState) -> None:
        """Change everything at once; on disk, and whole, when this returns."""
        with self._turn:
            self._nodes = dict(state.nodes)
            self._save()

    def close(self) -> None:
        """Leave a ``state.json`` that is whole and current."""
        with self._turn:
            self._is_closed = True
            if self._soon:
                self._soon.cancel()
            if self._noted or not self._file.is_whole:
                self._save()

    def _catch_up_soon(self) -> None:
        if self._soon is None and self._file.is_small and not self._file.is_whole:
            self._soon = threading.Timer(LATELY_SECS, self._catch_up)
            self._soon.daemon = True
            self._soon.start()

    def _catch_up(self) -> None:
        with self._turn:
            self._soon = None
            if not self._is_closed and not self._file.is_whole:
                with suppress(DirectorError):  # the next change, or the end, raises it
                    self._file.save(RunState(self._job_id, self._nodes), durable=False)

    def _save(self) -> None:
        self._file.save(RunState(self._job_id, self._nodes))
        self._noted.clear()

    def _change(self, node_id: str, values: dict[str, Any]) -> None:
        self._nodes[node_id] = self._nodes[node_id]._replace(**values)
        self._noted[node_id] = None
