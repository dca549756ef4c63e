"""``state.json`` and the changes since it was written: linear in the number of changes.

A change is a line of ``state-changes.jsonl``. Its first line names the ``state.json`` that it
follows; changes that follow another are older than the one there is. ``state.json`` is written
again where the changes have grown to its size, where it is small and was not written lately, and
when its keeper says so. Nothing there is ever replaced by what is not yet on the disk, so that a
line that nothing waited for is all that a power cut can take.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from director.model.codec.encoding import encode
from director.model.secrets import Redactor
from director.model.state import NodeState, RunState
from director.records import files, json_lines

SMALL = 64 * 1024  # bytes, some hundred nodes: it is written again every LATELY_SECS
LATELY_SECS = 2.0

REBUILT = "`director run` puts it aside and rebuilds it from the job branch"
CHANGE = frozenset({"node", "state"})  # the keys of a line after the first


class StateFile:
    """The state of one job at ``path``, its changes at ``changes``. For one writer."""

    def __init__(self, path: Path, changes: Path, redactor: Redactor) -> None:
        self._path = path
        self._changes = changes
        self._redactor = redactor
        self._size: int | None = None  # of the whole file as it was written last; None: not yet
        self._appended = 0
        self._digest = ""
        self._saved = 0.0  # when, by the monotonic clock
        self._named = True  # whether a power cut leaves both files under their names

    def load(self) -> dict[str, Any] | None:
        """Return the content of ``state.json`` with the changes applied; None where there is none.

        Raises DamagedFileError. It may be written meanwhile: because the changes are read first,
        they never meet an older state than their own.
        """
        first, *changes = json_lines.read_lines(self._changes) or [{}]
        text = files.read_text(self._path)
        if text is None:
            return None
        stored = files.parse_json(self._path, text, REBUILT)
        nodes = stored.get("nodes")
        data = text.encode(errors=files.ESCAPE) if changes else b""
        if isinstance(nodes, dict) and changes and first.get("follows") == _digest(data):
            whole = (one for one in changes if one.keys() >= CHANGE)
            nodes.update((str(one["node"]), one["state"]) for one in whole)
        return stored

    def save(self, state: RunState, *, durable: bool = True) -> None:
        """Replace ``state.json`` by ``state``; ``durable`` as in ``files.write_bytes``."""
        data = self._data(state)
        obsolete = self._size is None or self._appended > 0
        # Changes that were waited for go only when what holds them instead cannot be lost.
        files.write_bytes(self._path, data, durable=durable or obsolete)
        if obsolete:
            files.remove(self._changes)
        self._size, self._appended = len(data), 0
        self._digest = _digest(data)
        self._saved = time.monotonic()

    def change(self, state: RunState, changed: Collection[str], *, durable: bool = True) -> None:
        """Put on disk that the nodes ``changed`` stand as in ``state``; ``durable`` as in ``save``.

        Nothing else has changed since the last time.
        """
        if self._size is None or self._is_due(self._size):
            self.save(state, durable=durable)
            return
        new = self._appended == 0
        lines = [{"follows": self._digest}] if new else []
        lines += [{"node": one, "state": self._value(state.nodes[one])} for one in changed]
        self._appended += json_lines.append_lines(self._changes, lines, durable=durable)
        if new:
            self._named = durable  # it is, with what is synced of a new file
        elif durable and not self._named:
            files.sync_folder(self._changes.parent)
            self._named = True

    @property
    def is_whole(self) -> bool:
        """Whether ``state.json`` alone says everything that was put on disk here."""
        return self._appended == 0

    @property
    def is_small(self) -> bool:
        """Whether ``state.json`` as it was written last can be written again every LATELY_SECS."""
        return self._size is not None and self._size < SMALL

    def _is_due(self, size: int) -> bool:
        """Whether the next change is a whole ``state.json``, which has ``size`` bytes now."""
        if self.is_small and time.monotonic() - self._saved >= LATELY_SECS:
            return True
        return self._appended + SMALL > max(size, 2 * SMALL)

    def _data(self, state: RunState) -> bytes:
        """Return the whole file."""
        nodes = ",\n".join(self._lines(state))
        first, last = ("{\n", "\n  }") if nodes else ("{", "}")
        job_id = json_lines.in_line(state.job_id)
        text = f'{{\n  "job_id": {job_id},\n  "nodes": {first}{nodes}{last}\n}}\n'
        return text.encode(errors=files.ESCAPE)

    def _lines(self, state: RunState) -> Iterator[str]:
        """Give a line for each node: indented, it takes twice the space and six times as long."""
        for node_id, stands in state.nodes.items():
            yield f"    {json_lines.in_line(node_id)}: {json_lines.in_line(self._value(stands))}"

    def _value(self, state: NodeState) -> Any:
        return self._redactor.value(encode(state))


def _digest(data: bytes) -> str:
    from hashlib import sha256  # not needed to read a state without changes

    return sha256(data).hexdigest()
