"""What of a killed run's memo is believed, and that memos of earlier versions can be read."""

from __future__ import annotations

import json
import unittest
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from director.job.feedback import Feedback
from director.model.receipt import GateRun
from director.model.roles import Tier
from director.model.state import WatchItFail
from director.running.node_work import NodeWork
from director.running.progress import Candidate, Progress, UngatedCandidate

RUN = GateRun("candidate", "sh tests/a.sh", "green", 0, 0.1, "work", "tree")
KNOWN = Progress(
    base="base",
    start="work",
    first_output="no good",
    first_digest="abc",
    feedback=Feedback("The tests fail.", "no good", kept=True),
    fallback=Candidate("work", "base", Tier.EXECUTOR),
    drafted=UngatedCandidate("work", "before", "after"),
)
# As earlier versions wrote it, before anything was drafted.
EARLIER: dict[str, Any] = {
    "base": "base",
    "start": "work",
    "first_output": "no good",
    "first_digest": "abc",
    "feedback": {"lesson": "The tests fail.", "output": "no good", "kept": True},
    "fallback": {"commit": "work", "base": "base", "role": "executor", "gates": []},
}


@dataclass(frozen=True)
class Branch:
    """A job repository whose branch went from ``base`` to ``tip``; ``work`` stands on ``base``."""

    changed: tuple[str, ...] = ("a.txt",)

    def tip(self) -> str:
        return "tip"

    def moved_to(self, commit: str) -> bool:
        return commit in ("base", "tip")

    def holds(self, base: str, commit: str) -> bool:
        return (base, commit) == ("base", "work")

    def changes(self, old: str, new: str) -> Iterable[Any]:
        mode = SimpleNamespace(mode="100644")
        return [SimpleNamespace(path=path, old=mode, new=mode) for path in self.changed]


class TestFromMemo(unittest.TestCase):
    def read(self, memo: object, *changed: str, veto: bool = False) -> Progress:
        """Return what is believed of ``memo`` where the work changes the files ``changed``."""
        review = SimpleNamespace(review=SimpleNamespace(veto=veto))
        job = SimpleNamespace(repository=Branch(changed or ("a.txt",)), config=review)
        work = SimpleNamespace(job=job, node=SimpleNamespace(files=("a.txt",)))
        return Progress.from_memo(cast(NodeWork, work), json.loads(json.dumps(memo)))

    def test_what_was_noted_is_known_again_but_for_what_was_green(self) -> None:
        assert KNOWN.fallback
        noted = KNOWN._replace(
            fallback=KNOWN.fallback._replace(gates=(RUN,)),
            watched=WatchItFail(detail="of a transcript"),
        )
        self.assertEqual(self.read(noted.to_memo()), KNOWN)

    def test_a_job_that_an_earlier_version_left_goes_on(self) -> None:
        self.assertEqual(self.read(EARLIER), KNOWN._replace(drafted=None))
        drafted = {"commit": "work", "before": "before", "after": "after"}
        self.assertEqual(self.read({**EARLIER, "drafted": drafted}), KNOWN)
        self.assertLessEqual(set(EARLIER), set(KNOWN.to_memo()))

    def test_only_the_tip_of_what_cannot_be_read(self) -> None:
        spoilt = ({"feedback": {"no": 1}}, {"fallback": {"role": "x"}}, {"drafted": 3})
        for memo in ({}, *({**EARLIER, **change} for change in spoilt)):
            self.assertEqual(self.read(memo), Progress("tip", "tip"), memo)

    def test_only_the_feedback_where_the_branch_never_was_at_its_base(self) -> None:
        known = self.read({**EARLIER, "base": "elsewhere"})
        self.assertEqual(known, Progress("tip", "tip", feedback=KNOWN.feedback))

    def test_a_start_that_does_not_stand_on_the_base_is_not_one(self) -> None:
        self.assertEqual(self.read({**EARLIER, "start": "forged"}).start, "base")

    def test_commits_that_change_something_else_are_no_work_on_the_node(self) -> None:
        known = self.read(KNOWN.to_memo(), "a.txt", "tests/a.sh")
        self.assertEqual((known.fallback, known.drafted), (None, None))

    def test_a_veto_that_is_set_since_leaves_nothing_to_fall_back_on(self) -> None:
        self.assertIsNone(self.read(KNOWN.to_memo(), veto=True).fallback)
