"""Candidates are built on one another, gate side by side, and merge in their order."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

from director.job.merge_queue import MergeQueue, Place, Spot
from director.model.errors import InterruptedRunError
from director.processes.cancellation import Cancellation
from director.repositories.history import Entry
from tests.worktrees.jobs import JobCase

LONG_SECS = 3600.0


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

    def join(self, name: str, *, proven: bool = False) -> Place:
        place = self.open.enter_context(self.queue.place())
        place.take(lambda base: self.adding(name, base))
        place.proven = proven
        return place

    def merge(self, *places: Place) -> bool:
        """Merge places in one step; returns whether the branch moved."""
        for place in places:
            place.ready = place.spot().commit
        self.queue.merge(places, lambda: self.advance(*places))
        return places[-1].end is not None

    def advance(self, *places: Place) -> list[str]:
        """Move the branch over commits with the trees of ``places``, by other commits."""
        tip = parent = self.job.tip()
        merged = []
        for place in places:
            tree = self.job.tree(place.commit or "")
            parent = self.job.commit(tree, parent, "merge\n")
            merged.append(parent)
        return merged if self.job.advance(parent, tip) else []

    def held(self, place: Place) -> str:
        """Return which of the files a to d the branch will have when it is at ``place``."""
        commit = place.spot().commit or ""
        return "".join(sorted(self.job.entries(commit, ["a", "b", "c", "d"])))

    def test_the_first_is_built_on_the_tip_and_the_next_on_the_first(self) -> None:
        first, second = self.join("a"), self.join("b")
        self.assertEqual((first.base, second.base), (self.base, first.commit))
        self.assertEqual((self.held(first), self.held(second)), ("a", "ab"))
        self.assertTrue(first.spot().first)
        self.assertFalse(second.spot().first)

    def test_they_merge_in_their_order_whoever_is_ready_first(self) -> None:
        order: list[str] = []
        place, second = self.join("a", proven=True), self.join("b", proven=True)
        waits = threading.Event()

        def behind() -> None:
            while not (spot := second.spot()).first:
                waits.set()
                second.wait(spot, LONG_SECS)
            self.assertTrue(self.merge(second))
            order.append("b")

        lane = threading.Thread(target=behind)
        lane.start()
        waits.wait()
        order.append("a")
        self.assertTrue(self.merge(place))
        lane.join()
        self.assertEqual(order, ["a", "b"])

    def test_behind_one_that_merged_nothing_is_built_again(self) -> None:
        first, second, third = (self.join(name) for name in "abc")
        built = [place.spot().commit for place in (second, third)]
        self.assertTrue(self.merge(first))
        self.assertEqual([place.spot().commit for place in (second, third)], built)
        self.assertTrue(self.merge(second))
        self.assertEqual(third.spot(), Spot(built[1], self.job.tip(), True))

    def test_behind_one_that_leaves_all_are_built_without_it_at_once(self) -> None:
        first, second, third = (self.join(name) for name in "abc")
        self.assertEqual(self.held(third), "abc")
        first.leave()
        self.assertEqual((self.held(second), self.held(third)), ("b", "bc"))

    def test_one_that_cannot_be_built_stands_in_line_and_none_builds_on_it(self) -> None:
        first = self.join("a")
        barred = self.open.enter_context(self.queue.place())
        self.assertIsNone(barred.take(lambda _base: None).commit)
        third = self.join("c")
        self.assertEqual((barred.base, third.base), (first.commit, first.commit))
        self.assertFalse(third.spot().first)

    def test_a_branch_that_moved_by_itself_is_what_all_are_built_on(self) -> None:
        first, second = self.join("a"), self.join("b")
        self.job.advance(self.adding("d", self.base), self.base)
        self.assertEqual((self.held(first), self.held(second)), ("ad", "abd"))

    def test_nothing_merges_that_stands_otherwise_than_it_was_seen(self) -> None:
        first, second = self.join("a"), self.join("b")
        second.ready = second.spot().commit
        first.leave()
        self.queue.merge([second], lambda: self.advance(second))
        self.assertEqual((second.end, self.job.tip()), (None, self.base))

    def test_those_that_are_ready_merge_in_one_step_up_to_the_first_that_is_not(self) -> None:
        places = [self.join(name) for name in "abcd"]
        for place in (*places[:2], places[3]):
            place.ready = place.spot().commit
        self.assertEqual(self.queue.ready(), tuple(places[:2]))
        self.assertTrue(self.merge(*places[:2]))
        self.assertEqual([places[0].end, places[1].end], self.commits())
        self.assertTrue(places[2].spot().first)
        self.assertEqual(self.held(places[3]), "abcd")

    def commits(self) -> list[str]:
        """Return the commits of the branch after its base, oldest first."""
        return [one.oid for one in self.job.log(self.base, self.job.tip())]

    def test_one_that_another_lane_ends_hears_of_it_and_is_left_out_behind_it(self) -> None:
        first, second = self.join("a", proven=True), self.join("b", proven=True)
        seen = first.spot()
        self.queue.end(first, "refused")
        first.wait(seen, LONG_SECS)
        self.assertEqual((first.end, self.held(second)), ("refused", "b"))

    def test_one_that_is_proven_passes_by_those_that_are_not_and_no_others(self) -> None:
        slow, proven, mine = self.join("a"), self.join("b", proven=True), self.join("c")
        mine.proven = True
        proven.wait(proven.spot(), 0)
        mine.wait(mine.spot(), 0)
        self.assertEqual([self.held(one) for one in (proven, mine, slow)], ["b", "bc", "abc"])
        self.assertTrue(proven.spot().first)

    def test_a_place_is_taken_once(self) -> None:
        first, second = self.join("a"), self.join("b")
        first.take(lambda base: self.adding("d", base))
        self.assertEqual((self.held(first), self.held(second)), ("a", "ab"))

    def test_who_waits_hears_of_a_ctrl_c(self) -> None:
        self.join("a")
        second = self.join("b")
        self.cancellation.cancel(signal.SIGINT)
        with self.assertRaises(InterruptedRunError):
            second.wait(second.spot(), LONG_SECS)
