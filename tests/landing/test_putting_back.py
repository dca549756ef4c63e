"""What git left of a fast-forward half-way goes, and nothing that somebody else wrote."""

from __future__ import annotations

import os
from pathlib import Path

from director.landing.putting_back import Halves
from director.repositories.repository import open_repository
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo

OLD = {"edit": "1\n", "gone": "gone\n", "deep/gone": "x\n", "swap": "a file\n", "same": "same\n"}


class TestPuttingBack(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo = SampleRepo.create(self.tmp / "repo", self.env, OLD)
        self.old = self.repo.git("rev-parse", "HEAD")
        self.root = self.repo.root
        self.go_forward()
        self.repo.git("add", "--all")
        self.repo.git("commit", "--quiet", "--message", "new")
        self.new = self.repo.git("rev-parse", "HEAD")
        self.repo.git("reset", "--quiet", "--hard", self.old)
        self.before = self.held()
        user = open_repository(self.root, self.env)
        self.halves = Halves(user, self.old, self.new)

    def go_forward(self) -> None:
        """Do what git does to the files."""
        self.repo.write("edit", "1\n2\n")
        for name in ("gone", "deep/gone", "swap"):
            (self.root / name).unlink()
        (self.root / "deep").rmdir()
        self.repo.write("swap/inner", "in a folder\n")
        self.repo.write("made/by/merge", "new\n")
        (self.root / "link").symlink_to("edit")

    def held(self) -> dict[str, str]:
        """Return what is in the checkout: path → content, or where a link leads."""
        paths = (path for path in self.root.rglob("*") if ".git" not in path.parts)
        return {str(path.relative_to(self.root)): _content(path) for path in paths}

    def test_all_that_git_did_is_undone(self) -> None:
        self.go_forward()
        self.assertNotEqual(self.held(), self.before)
        self.assertEqual(self.halves.put_back(), [])
        self.assertEqual(self.held(), self.before)
        self.assertEqual(self.repo.git("status", "--porcelain"), "")

    def test_a_file_that_was_written_in_part(self) -> None:
        for part in ("", "1\n2"):
            with self.subTest(part):
                self.repo.write("edit", part)
                self.repo.write("made/by/merge", "n")
                self.assertEqual(self.halves.put_back(), [])
                self.assertEqual(self.held(), self.before)

    def test_where_nothing_happened_nothing_does(self) -> None:
        self.repo.write("other", "mine\n")
        states = {path: os.lstat(self.root / path) for path in self.held()}
        self.assertEqual(self.halves.put_back(), [])
        self.assertEqual({path: os.lstat(self.root / path) for path in self.held()}, states)

    def test_what_somebody_else_wrote_meanwhile_stays(self) -> None:
        self.go_forward()
        mine = {"edit": "mine\n", "gone": "mine again\n", "made/by/merge": "new\nmine\n"}
        for path, text in mine.items():
            self.repo.write(path, text)
        (self.root / "link").unlink()
        (self.root / "link").symlink_to("elsewhere")
        self.assertEqual(self.halves.put_back(), [])
        held = self.held()
        self.assertEqual({path: held[path] for path in mine}, mine)
        self.assertEqual((held["link"], held["swap"]), ("elsewhere", "a file\n"))

    def test_what_cannot_be_put_back_is_named(self) -> None:
        self.go_forward()
        self.repo.write(".git/info/attributes", "edit filter=broken\n")
        self.repo.git("config", "filter.broken.clean", "cat")
        self.repo.git("config", "filter.broken.smudge", "cat; test -e .git/whole")
        self.repo.git("config", "filter.broken.required", "true")
        (self.root / ".git/whole").touch()
        self.assertEqual(self.halves.put_back(), [])
        self.go_forward()
        (self.root / ".git/whole").unlink()
        self.assertEqual(self.halves.put_back(), ["edit"])


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return path.read_text() if path.is_file() else "/"
