"""The state of a node between two steps of its work, and what of that is believed after a kill.

Each step takes a ``Progress`` and returns another. It is also the memo of the call under way: a
file that an agent may have written while director was dead. What it claims is checked against the
repository then; that something was green is never taken from it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from director.job.feedback import Feedback
from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.receipt import GateRun
from director.model.roles import Tier
from director.model.state import WatchItFail
from director.repositories.objects import LINK_MODE
from director.running.node_work import NodeWork

UNSEEN = WatchItFail()


class Candidate(NamedTuple):
    """A commit on ``base`` that was green on a clean checkout.

    ``role`` is who made it (None: no model was asked), and ``model`` was the tier's then
    (None: not on record). ``gates`` are its green gate runs (none: they are to be made again).
    """

    commit: str
    base: str
    role: Tier | None
    gates: tuple[GateRun, ...] = ()
    model: str | None = None


class UngatedCandidate(NamedTuple):
    """What an attempt left in the worktree, as a commit; not gated yet.

    ``before`` and ``after`` are remarks for the feedback, around what the gate says.
    """

    commit: str
    before: str = ""
    after: str = ""


class Progress(NamedTuple):
    """The state of a node between two steps.

    ``base`` is the tip that the work stands on, ``start`` what the worktree holds when the next
    attempt begins. ``first_output`` is what the tests print before the work, ``first_digest`` its
    digest (``output_digest.py``; "": not known). ``fallback`` was green, and the reviewer objected
    without a veto. ``drafted`` is what the attempt under way left, perhaps in a killed run.
    ``watched`` is no part of the memo: the transcript of the call says it again.
    """

    base: str
    start: str
    first_output: str = ""
    first_digest: str = ""
    feedback: Feedback | None = None
    fallback: Candidate | None = None
    drafted: UngatedCandidate | None = None
    watched: WatchItFail = UNSEEN

    def to_memo(self) -> dict[str, Any]:
        """Return what the next run needs to continue from here when this one is killed (JSON)."""
        memo = encode(self)
        del memo["watched"]
        return memo

    @classmethod
    def from_memo(cls, work: NodeWork, memo: Mapping[str, Any]) -> "Progress":
        """Return what of ``memo`` can be true; only the tip where it cannot be read."""
        repository = work.job.repository
        tip = repository.tip()
        try:
            known = decode(cls, memo)
        except MismatchError:
            return cls(tip, tip)
        if not repository.moved_to(known.base):
            return cls(tip, tip, feedback=known.feedback)
        fallback, drafted = known.fallback, known.drafted
        if fallback and not _is_work_on(work, fallback.base, fallback.commit):
            fallback = None
        if drafted and not _is_work_on(work, known.base, drafted.commit):
            drafted = None
        if work.job.config.review.veto:  # which may have been set since
            fallback = None
        start = known.start if repository.holds(known.base, known.start) else known.base
        fallback = fallback._replace(gates=()) if fallback else None
        return known._replace(start=start, fallback=fallback, drafted=drafted, watched=UNSEEN)


def _is_work_on(work: NodeWork, base: str, commit: str) -> bool:
    """Whether ``commit`` is whole and on a tip, and changes only the node's files."""
    repository = work.job.repository
    if not (repository.moved_to(base) and repository.holds(base, commit)):
        return False
    return all(
        change.path in work.node.files
        and (change.new.mode != LINK_MODE or change.old.mode == LINK_MODE)
        for change in repository.changes(base, commit)
    )
