"""``state.json`` and the changes since it was written: linear in the number of changes.

A small state is replaced whole with each change. A large one is not: its changes are appended to
``state-changes.jsonl`` until that has grown to the size of the state. The first line there names
the ``state.json`` that it follows; changes that follow another are older than the one there is.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from director.model.codec.encoding import encode
from director.model.secrets import Redactor
from director.model.state import NodeState, RunState
from director.records import files

SMALL = 64 * 1024  # characters, some hundred nodes: readers of state.json see each of their steps

REBUILT = "`director run` puts it aside and rebuilds it from the job branch"
CHANGE = frozenset({"node", "state"})  # the keys of a line after the first


class StateFile:
    """The state of one job at ``path``, its changes at ``changes``. For one writer."""

    def __init__(self, path: Path, changes: Path, redactor: Redactor) -> None:
        self._path = path
        self._changes = changes
        self._redactor = redactor
        self._texts: dict[str, tuple[NodeState, str]] = {}
        self._size: int | None = None  # of the whole file as it was written last; None: not yet
        self._appended = 0
        self._digest = ""

    def load(self) -> dict[str, Any] | None:
        """Return the content of ``state.json`` with the changes applied; None where there is none.

        Raises DamagedFileError. It may be written meanwhile: because the changes are read first,
        they never meet an older state than their own.
        """
        first, *changes = files.read_lines(self._changes) or [{}]
        text = files.read_text(self._path)
        if text is None:
            return None
        stored = files.parse_json(self._path, text, REBUILT)
        nodes = stored.get("nodes")
        if isinstance(nodes, dict) and changes and first.get("follows") == _digest(text):
            whole = (one for one in changes if one.keys() >= CHANGE)
            nodes.update((str(one["node"]), one["state"]) for one in whole)
        return stored

    def save(self, state: RunState, *, durable: bool = True) -> None:
        """Replace ``state.json`` by ``state``; ``durable`` as in ``files.write_bytes``."""
        nodes = ",\n".join(self._node_text(*one) for one in state.nodes.items())
        inner = f"{{\n{nodes}\n  }}" if nodes else "{}"
        job_id = json.dumps(state.job_id, ensure_ascii=False)
        text = f'{{\n  "job_id": {job_id},\n  "nodes": {inner}\n}}\n'
        obsolete = self._size is None or self._appended > 0
        files.write_text(self._path, text, durable=durable or obsolete)
        if obsolete:
            files.remove(self._changes)
        self._size, self._appended = len(text), 0
        self._digest = _digest(text) if len(text) >= SMALL else ""

    def change(self, state: RunState, changed: Collection[str], *, durable: bool = True) -> None:
        """Put on disk that the nodes ``changed`` stand as in ``state``; ``durable`` as in ``save``.

        Nothing else has changed since the last time.
        """
        if self._size is None or self._appended + SMALL > self._size:
            self.save(state, durable=durable)
            return
        lines = [] if self._appended else [{"follows": self._digest}]
        lines += [{"node": one, "state": self._value(state.nodes[one])} for one in changed]
        self._appended += files.append_lines(self._changes, lines, durable=durable)

    @property
    def is_whole(self) -> bool:
        """Whether ``state.json`` alone says everything that was put on disk here."""
        return self._appended == 0

    def _node_text(self, node_id: str, state: NodeState) -> str:
        """Return a node's part of ``state.json``; made once for each state of the node."""
        known = self._texts.get(node_id)
        if known is None or known[0] is not state:
            text = json.dumps(self._value(state), indent=2, ensure_ascii=False)
            text = text.replace("\n", "\n    ")
            known = (state, f"    {json.dumps(node_id, ensure_ascii=False)}: {text}")
            self._texts[node_id] = known
        return known[1]

    def _value(self, state: NodeState) -> Any:
        return self._redactor.value(encode(state))


def _digest(text: str) -> str:
    from hashlib import sha256  # not needed to read a state without changes

    return sha256(text.encode(errors=files.ESCAPE)).hexdigest()
