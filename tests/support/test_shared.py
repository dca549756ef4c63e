"""What is made once is there for all, whoever was first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.hermetic import TemporaryCase
from tests.support.shared import made_once


def write(who: str) -> Callable[[Path], None]:
    """Return what notes in the folder who made it."""

    def make(folder: Path) -> None:
        (folder / "who").write_text(who)

    return make


class TestMadeOnce(TemporaryCase):
    def test_it_is_made_for_the_first_only(self) -> None:
        key = [str(self.tmp)]  # no one else's
        first = made_once(key, write("first"))
        self.assertEqual(made_once(key, lambda folder: self.fail("made again")), first)
        self.assertEqual((first / "who").read_text(), "first")
        self.assertNotEqual(made_once([*key, 1], lambda folder: None), first)

    def test_of_two_at_once_the_first_one_s_is_kept(self) -> None:
        key = [str(self.tmp)]

        def make(folder: Path) -> None:
            made_once(key, write("other"))
            (folder / "who").write_text("slow")

        made = made_once(key, make)
        self.assertEqual((made / "who").read_text(), "other")
        self.assertEqual([path.name for path in made.parent.glob(f"{made.name}*")], [made.name])
