"""Real git repositories for tests, and a bit-for-bit description of a user's checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.shared import made_once

OWN_REFS = "refs/heads/director/"


@dataclass(frozen=True)
class SampleRepo:
    """A git repository with a working tree.

    ::

        repo = SampleRepo.create(self.tmp / "repo", self.env, {"a.py": "A = 1\\n"})
        before = repo.fingerprint()
        ...
        self.assertEqual(repo.fingerprint(), before)
    """

    root: Path
    env: Mapping[str, str]

    @classmethod
    def create(
        cls,
        path: Path,
        env: Mapping[str, str],
        files: Mapping[str, str] | None = None,
        object_format: str = "sha1",
    ) -> SampleRepo:
        """Make a repository at ``path`` with one commit that holds ``files``.

        The same repository is made once, and copied then.
        """
        content = dict(files or {"a.py": "A = 1\n"})

        def make(folder: Path) -> None:
            repo = cls(folder, env)
            repo.git("init", "--quiet", f"--object-format={object_format}")
            for name, text in content.items():
                repo.write(name, text)
            repo.commit("first")

        config = Path(env["HOME"], ".gitconfig").read_text()
        git_variables = {name: env[name] for name in sorted(env) if name.startswith("GIT_")}
        template = made_once([content, object_format, config, git_variables], make)
        shutil.copytree(template, path, symlinks=True)
        repo = cls(path.resolve(), env)
        repo.git("update-index", "--refresh")  # the files are others than those it was made of
        return repo

    def git(self, *argv: str) -> str:
        """Run git in the repository; returns what it printed, AssertionError when it fails."""
        done = subprocess.run(["git", *argv], cwd=self.root, env=self.env, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"git {' '.join(argv)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, rel: str, text: str) -> Path:
        """Write a file of the working tree (folders are made) and return its path."""
        path = self.root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def commit(self, message: str = "change") -> str:
        """Commit everything in the working tree, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def fingerprint(self) -> dict[str, str]:
        """Return path → mode and content of everything that belongs to the user.

        Left out: ``.director/``; of git's own folder (the shared one, for a linked worktree) the
        objects and what concerns branches under ``director/``. ``packed-refs`` may be rewritten,
        so all other refs are listed instead.
        """
        described = {
            rel: _described(self.root / rel)
            for rel in _walk(self.root)
            if not rel.startswith((".director/", ".git/")) and rel not in (".director/", ".git/")
        }
        common = Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
        left_out = ("objects/", OWN_REFS, f"logs/{OWN_REFS}")
        for rel in _walk(common):
            if not rel.endswith("/") and not rel.startswith(left_out) and rel != "packed-refs":
                described[f".git/{rel}"] = _described(common / rel)
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname) %(symref)")
        for line in listed.splitlines():
            name, _, target = line.partition(" ")
            if not name.startswith(OWN_REFS):
                described[f"ref {name}"] = target.strip()
        return described


def _walk(root: Path) -> Iterator[str]:
    """Give the paths under ``root``, relative; folders end in "/" and links are not followed."""
    for place, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(place, name)
            is_folder = path.is_dir() and not path.is_symlink()
            yield path.relative_to(root).as_posix() + ("/" if is_folder else "")


def _described(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"{mode:o} -> {path.readlink()}"
    if not stat.S_ISREG(mode):
        return f"{mode:o}"
    return f"{mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
