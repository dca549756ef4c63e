"""Candidates are built on one another, gate side by side, and merge in their order."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

from director.job.merge_queue import MergeQueue, QueueEntry
from director.model.errors import InterruptedRunError
from director.processes.cancellation import Cancellation
from director.repositories.history import Entry
from tests.worktrees.jobs import JobCase


class TestMergeQueue(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.queue = MergeQueue(self.job, self.cancellation)
        self.open = ExitStack()
        self.addCleanup(self.open.close)

    def adding(self, name: str, base: str) -> str:
        """Return a commit on ``base`` that has a file ``name``."""
        entry = Entry(name, "100644", self.job.store(b""))
        return self.job.commit(self.job.tree_with(base, [entry]), base, f"{name}\n")

    def join(self, name: str) -> QueueEntry:
        return self.open.enter_context(self.queue.place(lambda base: self.adding(name, base)))

    def merge(self, place: QueueEntry) -> None:
        """Advance the branch to the tree of ``place``, by another commit."""
        tip = self.job.tip()
        tree = self.job.tree(place.commit or "")
        self.assertTrue(self.job.advance(self.job.commit(tree, tip, "merge\n"), tip))

    def test_the_first_is_built_on_the_tip_and_the_next_on_the_first(self) -> None:
        first, second = self.join("a"), self.join("b")
        self.assertEqual(first.base, self.base)
        self.assertEqual(second.base, first.commit)
        self.assertIn("a", self.job.entries(second.commit or "", ["a", "b"]))

    def test_they_merge_in_their_order_whoever_is_ready_first(self) -> None:
        order: list[str] = []
        first = self.queue.place(lambda base: self.adding("a", base))
        place = first.__enter__()

        def second() -> None:
            with self.queue.place(lambda base: self.adding("b", base)) as mine:
                joined.set()
                self.assertTrue(self.queue.await_turn(mine))
                order.append("b")

        joined = threading.Event()
        lane = threading.Thread(target=second)
        lane.start()
        joined.wait()
        self.assertTrue(self.queue.await_turn(place))
        self.merge(place)
        order.append("a")
        first.__exit__(None, None, None)
        lane.join()
        self.assertEqual(order, ["a", "b"])

    def test_behind_one_that_did_not_merge_a_place_is_worth_nothing(self) -> None:
        with self.queue.place(lambda base: self.adding("a", base)):
            second = self.join("b")
        self.assertFalse(self.queue.await_turn(second))

    def test_one_that_cannot_be_built_stands_in_line_and_nobody_builds_on_it(self) -> None:
        first = self.join("a")
        barred = self.open.enter_context(self.queue.place(lambda _base: None))
        third = self.join("c")
        self.assertEqual((barred.base, barred.commit), (first.commit, None))
        self.assertEqual(third.base, first.commit)

    def test_an_empty_commit_meanwhile_changes_nothing(self) -> None:
        place = self.join("a")
        self.job.advance(self.job.commit(self.job.tree(self.base), self.base, "e\n"), self.base)
        self.assertTrue(self.queue.await_turn(place))

    def test_who_waits_hears_of_a_ctrl_c(self) -> None:
        self.join("a")
        second = self.join("b")
        self.cancellation.cancel(signal.SIGINT)
        with self.assertRaises(InterruptedRunError):
            self.queue.await_turn(second)
