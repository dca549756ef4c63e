"""The run state in one place: changed by any thread, on disk after each change."""

from __future__ import annotations

import threading
from typing import Any

from director.model.state import NodeState, RunState
from director.records.job_directory import JobDirectory


class StateKeeper:
    """Holds ``state.json`` of one job. Callable from any thread."""

    def __init__(self, directory: JobDirectory, state: RunState) -> None:
        self._directory = directory
        self._state = state
        self._turn = threading.Lock()

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        return self._state

    def node(self, node_id: str) -> NodeState:
        """Return where one node stands now."""
        return self._state.nodes[node_id]

    def update(self, node_id: str, *, durable: bool = True, **values: Any) -> None:
        """Change fields of one node; on disk when this returns.

        Not ``durable``: others can read it, but it may be lost with the power.
        """
        with self._turn:
            self._state = self._state.changed(node_id, **values)
            self._directory.save_state(self._state, durable=durable)

    def note(self, node_id: str, **values: Any) -> None:
        """Change fields of one node; on disk with the next ``update`` of any node."""
        with self._turn:
            self._state = self._state.changed(node_id, **values)

    def replace(self, state: RunState) -> None:
        """Change everything at once; on disk when this returns."""
        with self._turn:
            self._state = state
            self._directory.save_state(state)
