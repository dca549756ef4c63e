"""What of the user's checkout is closed to gates, and what they share."""

from __future__ import annotations

from pathlib import Path

from director.repositories.repository import open_repository
from director.repositories.users_checkout import users_checkout
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


class TestUsersCheckout(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        files = {"a.py": "", ".gitignore": "build/\n*.log\n.env\n", "tools/x": ""}
        self.repo = SampleRepo.create(self.tmp / "repo", self.env, files)
        self.root = self.repo.root
        self.env = {"PATH": "/usr/bin"}

    def shared(self, *read: Path) -> set[str]:
        user = open_repository(self.root, {**self.repo.env})
        found = users_checkout(user, self.env, (), read)
        self.assertEqual(found.roots, (self.root,))
        return {path.relative_to(self.root).as_posix() for path in found.shared}

    def test_git_s_folder_director_s_and_what_is_ignored_at_the_top(self) -> None:
        for name in ("build/x", "x.log", ".env", "new.py", "tools/x.log", ":(top) odd.log"):
            self.repo.write(name, "")
        always = {".git", ".git/objects", ".director"}
        self.assertEqual(self.shared(), always | {"build", "x.log", ".env", ":(top) odd.log"})

    def test_git_s_places_in_submodules(self) -> None:
        self.repo.write(".gitmodules", '[submodule "x"]\n\tpath = libs/x y\n\turl = ../x\n')
        self.assertIn("libs/x y/.git", self.shared())

    def test_programs_and_the_environments_they_belong_to(self) -> None:
        for name in ("env/pyvenv.cfg", "env/bin/x", "conda/conda-meta/x", "conda/bin/x",
                     "web/node_modules/.bin/x", "tools/bin/x", "bin/x"):  # fmt: skip
            self.repo.write(name, "")
        names = ("env/bin", "conda/bin", "web/node_modules/.bin", "tools/bin", "bin", "src/..")
        self.env["PATH"] = ":".join(["relative", *(f"{self.root}/{name}" for name in names)])
        self.env["VIRTUAL_ENV"] = f"{self.root}/other"
        found = self.shared() - {".git", ".git/objects", ".director"}
        self.assertEqual(found, {"env", "conda", "web/node_modules", "tools/bin", "bin", "other"})

    def test_what_the_configuration_names(self) -> None:
        found = self.shared(self.root / "a.py", Path("/elsewhere"))
        self.assertIn("a.py", found)

    def test_a_checkout_that_holds_what_is_needed_is_open(self) -> None:
        user = open_repository(self.root, {**self.repo.env})
        found = users_checkout(user, self.env, (self.root / "home",), ())
        self.assertEqual((found.roots, found.shared), ((), ()))

    def test_one_that_may_be_read_as_a_whole_is_open(self) -> None:
        user = open_repository(self.root, {**self.repo.env})
        self.assertEqual(users_checkout(user, self.env, (), [self.tmp]).roots, ())

    def test_a_linked_worktree(self) -> None:
        self.repo.git("worktree", "add", "-q", str(self.tmp / "second"))
        user = open_repository(self.tmp / "second", {**self.repo.env})
        found = users_checkout(user, self.env, (), ())
        self.assertEqual(found.roots, (self.tmp / "second", self.root))
        self.assertIn(self.root / ".git", found.shared)
        self.assertTrue(found.holds(self.root / "a.py"))
