"""What a page about a job shows, as a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.model.state import NodeStatus
from director.reporting.logs.node_log import NodeLog
from director.reporting.page.timeline import Session
from director.reporting.status.next_steps import Advice
from director.reporting.status.screen import verdict
from director.reporting.status.status import NodeNow, Standing, Status


class Verified(NamedTuple):
    """What ``verify`` says of a job, in words; ``holds`` None: it was not asked."""

    holds: bool | None
    words: str


class Change(NamedTuple):
    """What a node's merge or last candidate changed: its name, and a patch.

    ``left_out`` counts the lines of the patch that are not here.
    """

    name: str
    patch: str
    left_out: int = 0


class NodePart(NamedTuple):
    """All that is shown of one node.

    ``tests`` maps its frozen tests to what they hold; ``next`` is what can be done about it:
    command → what for.
    """

    node: Node
    now: NodeNow
    log: NodeLog
    receipt: Receipt | None = None
    change: Change | None = None
    tests: Mapping[str, str] = {}
    next: Sequence[tuple[str, str]] = ()

    @property
    def status(self) -> NodeStatus:
        """Where it stands."""
        return self.now.state.status


@dataclass(frozen=True)
class Page:
    """One job. ``plan`` None: there is none that can be read, because of ``no_plan``.

    ``ceiling_usd`` 0: none is configured. ``reproduce`` are commands, and what each is good for.
    ``made_at`` is a moment, ``version`` director's.
    """

    status: Status
    advice: Advice
    verified: Verified
    plan: Plan | None = None
    no_plan: str = ""
    nodes: tuple[NodePart, ...] = ()
    spec: str = ""
    sessions: tuple[Session, ...] = ()
    ceiling_usd: float = 0.0
    reproduce: Sequence[tuple[str, str]] = ()
    made_at: str = ""
    version: str = ""
    receipts: Mapping[str, Receipt] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """How the job stands."""
        return verdict(self.status)

    @property
    def failed(self) -> list[NodePart]:
        """The nodes that failed."""
        return [part for part in self.nodes if part.status is NodeStatus.FAILED]

    @property
    def colour(self) -> str:
        """Which of the page's colours the verdict has, by its class."""
        return COLOURS.get(self.status.standing, "warn")


COLOURS = {
    Standing.DONE: "good",
    Standing.FAILED: "bad",
    Standing.INTEGRATION_RED: "bad",
    Standing.WORKING: "busy",
    Standing.READY: "plain",
}
