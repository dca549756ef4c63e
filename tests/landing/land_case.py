"""A finished job to land, and a check that a refusal leaves the repository as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.verifying.finished import FinishedJobCase

YES = ("--squash", "--yes")


class LandCase(FinishedJobCase):
    """``main`` has a finished job of the nodes a and b; its gate wants "good" in both files."""

    def head(self, branch: str = "main") -> str:
        """Return the commit that a branch names."""
        return self.repo.git("rev-parse", f"refs/heads/{branch}")

    def files(self, commit: str = "main") -> set[str]:
        """Return the paths of a commit."""
        return set(self.repo.git("ls-tree", "-r", "--name-only", commit).splitlines())

    def commit_on_main(self, path: str, text: str) -> str:
        """Put a commit on main, and return it."""
        self.repo.write(path, text)
        self.repo.git("add", "--", path)
        self.repo.git("commit", "--quiet", "--message", f"change {path}")
        return self.head()

    def land(self, *flags: str) -> dict[str, Any]:
        """Land the job, and return what --json says."""
        return self.ends(0, "land", *(flags or YES), "--json").json

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Demand that the repository is afterwards as it was before, objects apart."""
        before, branch = self.repo.fingerprint(), self.tip()
        yield
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.tip(), branch)
        self.assertFalse((self.home / "landing").exists())
        self.assertEqual(self.left_behind(), [])

    def refuses(self, code: int, reason: str, *flags: str) -> dict[str, Any]:
        """Demand that landing is refused, and changes nothing; returns what --json says."""
        with self.untouched():
            found = self.ends(code, "land", *(flags or YES), "--json").json
        self.assertEqual(found["reason"], reason)
        self.assertTrue(found["what"] and found["next"])
        self.assertFalse((self.home / "landed.json").exists())
        return found

    def hook(self, name: str, script: str) -> Path:
        """Write a hook of the user's."""
        path = self.repo.root / ".git" / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def program(self, name: str, script: str) -> None:
        """Put a program on the user's PATH."""
        folder = self.place / "programs"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        self.env = {**self.env, "PATH": f"{folder}{os.pathsep}{self.env['PATH']}"}
