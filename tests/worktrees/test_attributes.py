"""How files are read is what their commit says: no attributes of an agent's decide it.

With it: ``filters``.
"""

from __future__ import annotations

import os
from typing import ClassVar

from director.worktrees.worktree import Worktree
from tests.worktrees.worktree_case import WorktreeCase

TEST = "tests/test_a.py"
NONSENSE = "*.py working-tree-encoding=no-such-encoding\n* working-tree-encoding=none\n"


class AttributesCase(WorktreeCase):
    files: ClassVar[dict[str, str]] = {
        **WorktreeCase.files,
        TEST: "# $Id$\nassert 1\n",
        "win/.gitattributes": "*.txt text eol=crlf\n",
        "win/x.txt": "x\n",
    }

    def attributes(self, folder: str, text: str) -> str:
        """Write an attributes file as an agent would; returns its path."""
        place = self.root / folder
        place.mkdir(exist_ok=True)
        (place / ".gitattributes").write_text(text)
        return f"{folder}/.gitattributes" if folder else ".gitattributes"

    def again(self) -> Worktree:
        """Return the worktree as the next run finds it."""
        notes = self.pool.notes / f"agents-{self.root.name}"
        self.worktree = Worktree(self.root, notes, self.job)
        return self.worktree


class TestStrayAttributes(AttributesCase):
    def test_nonsense_is_a_stray_like_any_other_and_stops_nothing(self) -> None:
        for folder in ("", "pkg", "new"):
            with self.subTest(folder):
                path = self.attributes(folder, NONSENSE)
                self.agent("echo 'A = 2' > a.py; echo N > pkg/n.py; mkdir -p new; echo N > new/n")
                snapshot = self.snapshot("a.py", "pkg/n.py", "new/n")
                self.assertEqual(snapshot.strays, (path,))
                self.assertEqual(snapshot.refused, "")
                self.assertEqual(
                    self.candidate(snapshot),
                    {"a.py": ("100644", "A = 2\n"), "pkg/n.py": ("100644", "N\n"),
                     "new/n": ("100644", "N\n")},
                )  # fmt: skip
                self.assertTrue((self.root / path).exists())
                self.worktree.reset(self.base)
                self.assert_holds_exactly(self.base)

    def test_they_hide_no_change_of_a_test(self) -> None:
        changes = {
            "* text=auto\n": "# $Id$\r\nassert 1\r\n",
            "*.py ident\n": "# $Id: x $\nassert 1\n",
        }
        for attributes, text in changes.items():
            for folder in ("", "tests"):
                with self.subTest(attributes, folder=folder):
                    self.attributes(folder, attributes)
                    (self.root / TEST).write_bytes(text.encode())
                    self.assertEqual(self.snapshot("a.py").changed, {TEST})
                    self.worktree.reset(self.base)
                    self.assert_holds_exactly(self.base)

    def test_nor_does_a_reset_without_a_snapshot_believe_them(self) -> None:
        self.attributes("tests", "*.py ident\n")
        (self.root / TEST).write_text("# $Id: x $\nassert 1\n")
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_nor_does_the_filling_of_a_worktree_as_it_was_left(self) -> None:
        for attributes in ("* text eol=crlf\n", "* working-tree-encoding=UTF-16\n"):
            with self.subTest(attributes):
                self.attributes("", attributes)
                self.again().reset(self.base)
                self.assert_holds_exactly(self.base)

    def test_a_pipe_in_their_place_does_not_hold_up_anything(self) -> None:
        os.mkfifo(self.root / "tests" / ".gitattributes")
        os.mkfifo(self.root / ".gitattributes")
        self.agent("echo 'A = 2' > a.py; echo '# $Id$ ssert 1' > tests/test_a.py")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"a.py", TEST})
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_nothing_behind_a_link_is_touched(self) -> None:
        outside = self.tmp / "outside"
        self.agent(f"mv tests {outside}; ln -s {outside} tests")
        (outside / ".gitattributes").write_text(NONSENSE)
        self.assertEqual(self.snapshot("a.py").changed, {TEST})
        self.assertTrue((outside / ".gitattributes").exists())
        self.again().reset(self.base)
        self.assert_holds_exactly(self.base)
        self.assertEqual({path.name for path in outside.iterdir()}, {".gitattributes", "test_a.py"})

    def test_what_was_set_aside_when_director_was_killed_comes_back(self) -> None:
        aside = self.root.with_name(f"{self.root.name}.attributes")
        (aside / "pkg").mkdir(parents=True)
        (aside / "pkg" / ".gitattributes").write_text("*.bin -text\n")
        snapshot = self.snapshot("pkg/.gitattributes")
        self.assertEqual(
            self.candidate(snapshot), {"pkg/.gitattributes": ("100644", "*.bin -text\n")}
        )
        self.assertFalse(aside.exists())


class TestTrackedAttributes(AttributesCase):
    def test_those_of_the_commit_count(self) -> None:
        self.assertEqual((self.root / "win/x.txt").read_bytes(), b"x\r\n")
        (self.root / "win/x.txt").write_bytes(b"y\r\n")
        snapshot = self.snapshot("win/x.txt")
        self.assertEqual(self.candidate(snapshot), {"win/x.txt": ("100644", "y\n")})

    def test_changed_ones_are_out_of_scope_and_do_not_count(self) -> None:
        for script in ("echo '* -text' > win/.gitattributes", "rm win/.gitattributes",
                       "echo '* working-tree-encoding=none' > win/.gitattributes"):  # fmt: skip
            with self.subTest(script):
                self.agent(script)
                (self.root / "win/x.txt").write_bytes(b"y\r\n")
                snapshot = self.snapshot("win/x.txt")
                self.assertEqual(snapshot.changed, {"win/.gitattributes", "win/x.txt"})
                self.assertEqual(self.candidate(snapshot), {"win/x.txt": ("100644", "y\n")})
                self.worktree.reset(self.base)
                self.assert_holds_exactly(self.base)

    def test_line_ends_of_the_users_are_no_change(self) -> None:
        self.sample.git("config", "--global", "core.autocrlf", "true")
        self.sample.write("win/.gitattributes", "*.txt text\n")
        self.base = self.sample.commit()
        self.worktree.reset(self.base)
        self.assertIn(b"\r\n", (self.root / "win/.gitattributes").read_bytes())
        self.assertEqual(self.snapshot("a.py").changed, frozenset())


class TestAllowlistedAttributes(AttributesCase):
    def test_they_count_for_the_files_beside_them_and_for_no_test(self) -> None:
        self.attributes("", "* text=auto\n")
        self.agent(r"printf 'A\r\n' > a.py; printf '# $Id$\r\nassert 1\r\n' > tests/test_a.py")
        snapshot = self.snapshot("a.py", ".gitattributes")
        self.assertEqual(snapshot.changed, {"a.py", TEST})
        self.assertEqual(
            self.candidate(snapshot),
            {"a.py": ("100644", "A\n"), ".gitattributes": ("100644", "* text=auto\n")},
        )

    def test_nonsense_in_them_is_the_attempts_fault(self) -> None:
        self.attributes("", NONSENSE)
        self.agent("echo 'A = 2' > a.py")
        snapshot = self.snapshot("a.py", ".gitattributes")
        self.assertEqual(snapshot.refused, "failed to encode 'a.py' from none to UTF-8")
        self.assertEqual(self.candidate(snapshot), {})
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)
        self.assertEqual(self.snapshot("a.py").refused, "")

    def test_content_that_the_attributes_do_not_allow_is_the_attempts_fault(self) -> None:
        self.sample.write(".gitattributes", "*.utf16 working-tree-encoding=UTF-16\n")
        self.base = self.sample.commit()
        self.worktree.reset(self.base)
        (self.root / "x.utf16").write_bytes(b"no UTF-16")
        self.assertIn("x.utf16", self.snapshot("x.utf16").refused)
