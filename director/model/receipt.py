"""The receipt of a merge: which commit was merged, on what grounds, made by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import UnionType
from typing import Any

GREEN = "green"


@dataclass(frozen=True)
class GateRun:
    """One run of a gate that a merge rests on. ``exit_code`` None: the command was ended.

    ``commit`` is what was put to the test, ``tree`` what the node sees of it: its view.
    ``wall_secs``, ``commit`` and ``tree`` are None on receipts that an earlier version rebuilt.
    ``tests_run``: how many tests ran (None: not known, or not on record).
    """

    purpose: str
    command: str
    verdict: str
    exit_code: int | None
    wall_secs: float | None
    commit: str | None
    tree: str | None
    tests_run: int | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GateRun:
        """Return the run that ``asdict`` gave; ValueError when it is something else."""
        texts = ("purpose", "command", "verdict")
        optional = ("exit_code", "wall_secs", "commit", "tree")
        known = {name: _typed(stored, name, str) for name in texts}
        known |= {name: _typed(stored, name, object) for name in optional}
        tests_run = _typed({"tests_run": None, **stored}, "tests_run", int | None)
        return cls(**known, tests_run=tests_run)


@dataclass(frozen=True)
class Receipt:
    """One merge, as a line of ``receipts.jsonl``.

    ``base`` is the commit that the ``candidate`` stands on, ``merged`` the commit on the branch,
    ``tree`` its tree and ``parent`` its parent. ``view`` is the tree that was gated: the same less
    the tests of nodes that were not done (None: the same). ``tests`` maps the node's frozen tests
    to their sha256. ``tier`` and ``model`` are None for a node that was green without a call.
    ``rebuilt``: the merge had no receipt, so its tests were gated again, and ``gates`` are these
    runs; the rest is from the commit's trailers. ``confinement`` says in words what confined agents
    and gates ("": not known).
    """

    ts: str
    job_id: str
    node: str
    base: str
    candidate: str
    merged: str
    tree: str
    parent: str
    tests: Mapping[str, str]
    tests_hash: str
    gates: tuple[GateRun, ...]
    files: tuple[str, ...]
    tier: str | None
    model: str | None
    attempts: int
    tools: Mapping[str, str] = field(default_factory=dict)
    rebuilt: bool = False
    confinement: str = ""
    view: str | None = None

    @property
    def gated(self) -> str:
        """The tree that the gates were green on."""
        return self.view or self.tree

    def to_json(self) -> dict[str, Any]:
        """Return the line as an object."""
        line = asdict(self) | {
            "gates": [asdict(run) for run in self.gates],
            "files": list(self.files),
        }
        if self.view is None:
            del line["view"]
        return line

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Receipt:
        """Return the receipt of a line; ValueError when it is not one that director wrote."""
        known = {name: _typed(line, name, kind) for name, kind in _TYPES.items()}
        known["confinement"] = str(line.get("confinement", ""))
        known["view"] = _typed({"view": None, **line}, "view", str | None)
        known["gates"] = tuple(GateRun.from_json(_object(one)) for one in known["gates"])
        known["files"] = tuple(map(str, known["files"]))
        known["tests"] = {str(path): str(digest) for path, digest in known["tests"].items()}
        return cls(**known)


_TYPES: dict[str, type | UnionType] = {
    **dict.fromkeys(("ts", "job_id", "node", "base", "candidate", "merged", "tree"), str),
    **dict.fromkeys(("parent", "tests_hash"), str),
    **dict.fromkeys(("tier", "model"), str | None),
    **dict.fromkeys(("tests", "tools"), dict),
    **dict.fromkeys(("gates", "files"), list),
    "attempts": int,
    "rebuilt": bool,
}


def _typed(stored: Mapping[str, Any], name: str, kind: type | UnionType) -> Any:
    if name not in stored or not isinstance(stored[name], kind):
        raise ValueError(f"not a receipt: {name!r} is {stored.get(name, 'missing')!r}")
    return stored[name]


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"not a receipt: a gate run is {value!r}")
    return value
