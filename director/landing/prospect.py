"""What would land: the work, the tree that it makes with the branch, and what gates say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from director.job.gate_report import GateReport
from director.landing.merging import Conflict
from director.landing.target import Target
from director.model.cost import Cost
from director.model.diff_size import DiffSize
from director.model.landed import Landed
from director.model.plan import Node, Plan
from director.model.state import Attempt, NodeState

NO_CHANGE = DiffSize()


class How(StrEnum):
    """In which shape work lands."""

    MERGE = "merge"
    SQUASH = "squash"
    PR = "pr"


class Verified(NamedTuple):
    """What `verify` found of a job: its ``tip``, how many merges and receipts hold.

    ``nodes`` are those whose work the tip has.
    """

    tip: str
    merges: int
    receipts: int
    nodes: frozenset[str]


class Resolved(NamedTuple):
    """What became of conflicts in ``paths`` that models are to resolve.

    ``marked`` is the tree that has them. ``attempts`` are on record; the last one's is what would
    land, where ``done``. ``calls`` were made now: 0 where an earlier command paid for them.
    ``stuck`` says why no model can help. ``ask`` are the models that would be asked, in their
    order, and how often.
    """

    paths: tuple[str, ...]
    marked: str
    attempts: tuple[Attempt, ...] = ()
    done: bool = False
    calls: int = 0
    stuck: str = ""
    ask: tuple[tuple[str, int], ...] = ()

    @property
    def by(self) -> str:
        """The model whose work would land ("": no model's)."""
        return self.attempts[-1].model if self.done else ""


@dataclass(frozen=True)
class Prospect:
    """What would land on ``target``: the work of ``nodes``, but not of those that are ``left``.

    ``work`` is the commit that is merged, ``tree`` what it makes together with the target. The
    target has ``newer`` commits that the job does not know. ``tests`` counts frozen tests among the
    files; ``edited`` are those that are not the frozen ones, since the target changed them too.
    ``landed`` says that it is there already; then, as with ``conflicts``, nothing was gated.
    ``resolved`` says what became of conflicts, where a model is to resolve them, or has; what is
    resolved is no conflict any more. ``kept``: an earlier command paid for a resolution already.
    """

    plan: Plan
    target: Target
    verified: Verified
    nodes: Sequence[Node]
    left: tuple[str, ...]
    states: Mapping[str, NodeState]
    cost: Cost
    work: str = ""
    tree: str = ""
    newer: int = 0
    size: DiffSize = NO_CHANGE
    tests: int = 0
    edited: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    reports: tuple[GateReport, ...] = ()
    landed: Landed | None = None
    resolved: Resolved | None = None
    kept: bool = False

    @property
    def red(self) -> list[GateReport]:
        """The gates that keep it from landing."""
        return [report for report in self.reports if not report.ok]

    @property
    def ready(self) -> bool:
        """Whether it can land."""
        return not (self.landed or self.conflicts or self.red)
