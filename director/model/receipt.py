"""The receipt of a merge: which commit was merged, on what grounds, made by whom."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from director.model.codec.marks import Mark

GREEN = "green"


class GateRun(NamedTuple):
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


class Receipt(NamedTuple):
    """One merge, as a line of ``receipts.jsonl``.

    ``base`` is the commit that the ``candidate`` stands on, ``merged`` the commit on the branch,
    ``tree`` its tree and ``parent`` its parent. ``view`` is the tree that was gated: the same less
    the tests of nodes that were not done (None: the same). ``tests`` maps the node's frozen tests
    to their sha256. ``tier`` and ``model`` are None for a node that was green without a call;
    ``tier`` is "human", without a model, where a person did the work.
    ``rebuilt``: the merge had no receipt, so its tests were gated again, and ``gates`` are these
    runs; the rest is from the commit's trailers. ``confinement`` says in words what confined agents
    and gates ("": not known). ``amended``: the node was approved once more, after the plan was.
    ``rebased`` is the merge that this one carries to another base: who made it, and in how many
    attempts, is said of that one ("": it is none).
    ``repairs`` is the integration gate for which it is a repair ("": it is none).
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
    tools: Mapping[str, str] = {}
    rebuilt: bool = False
    confinement: str = ""
    view: Annotated[str | None, Mark.OMITTED] = None
    amended: Annotated[bool, Mark.OMITTED] = False
    rebased: Annotated[str, Mark.OMITTED] = ""
    repairs: Annotated[str, Mark.OMITTED] = ""

    @property
    def gated(self) -> str:
        """The tree that the gates were green on."""
        return self.view or self.tree
