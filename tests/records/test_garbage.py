"""No search for garbage where there is none; afterwards all is as before."""

from __future__ import annotations

import gc
import unittest
import weakref

from director.records.garbage import leave_to_the_end, unsearched


class Kept:
    pass


class TestGarbage(unittest.TestCase):
    def test_nothing_is_searched_meanwhile(self) -> None:
        self.addCleanup(gc.enable)
        for before in (gc.enable, gc.disable):
            before()
            state = gc.isenabled()
            with unsearched():
                self.assertFalse(gc.isenabled())
            self.assertIs(gc.isenabled(), state)

    def test_an_error_ends_it(self) -> None:
        with self.assertRaises(ValueError), unsearched():
            raise ValueError
        self.assertTrue(gc.isenabled())

    def test_what_was_made_meanwhile_is_found_later(self) -> None:
        with unsearched():
            knot: list[object] = [kept := Kept()]
            knot.append(knot)
        self.assertEqual(gc.get_freeze_count(), 0)
        seen = weakref.ref(kept)
        del knot, kept
        gc.collect()
        self.assertIsNone(seen())

    def test_what_is_left_to_the_end_stays_until_it_is_searched_for(self) -> None:
        with unsearched():
            seen = weakref.ref(kept := Kept())
            leave_to_the_end(kept)
            del kept
            self.assertIsNotNone(seen())
        gc.collect()
        self.assertIsNone(seen())


if __name__ == "__main__":
    unittest.main()
