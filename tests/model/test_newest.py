"""Only so many values are kept, and the oldest goes first."""

from __future__ import annotations

import threading
import unittest

from director.model.newest import Newest


class TestNewest(unittest.TestCase):
    def test_the_oldest_goes_first(self) -> None:
        newest = Newest[str, int](2)
        for number, key in enumerate("abc"):
            newest.keep(key, number)
        self.assertEqual([newest.get(key) for key in "abc"], [None, 1, 2])

    def test_a_key_that_is_known_takes_no_room(self) -> None:
        newest = Newest[str, int](2)
        for key, number in (("a", 1), ("b", 2), ("a", 3)):
            newest.keep(key, number)
        self.assertEqual([newest.get(key) for key in "ab"], [3, 2])

    def test_many_threads_keep_no_more_than_there_is_room_for(self) -> None:
        newest = Newest[int, int](10)

        def keep(start: int) -> None:
            for number in range(start, start + 500):
                newest.keep(number, number)

        threads = [threading.Thread(target=keep, args=(1000 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(newest.get(n) is not None for n in range(4000)), 10)
