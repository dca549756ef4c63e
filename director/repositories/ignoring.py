"""Which new paths the ignore rules of a commit cover, not those that an agent may have written.

git itself decides, in a folder that holds nothing but the commit's ``.gitignore`` files and,
empty, the folders it is asked about. The repository's ``info/exclude`` and the user's own ignore
file count as they were when the command began.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from director.model.paths import parents
from director.repositories.git import Git, GitError, join_z, split_z

NAME = ".gitignore"
NONE_IGNORED = 1  # git-check-ignore(1), "EXIT STATUS"
LOOKED_AT = 10_000  # files of new folders; where there are more, the folder is not ignored


def rules_paths(paths: Iterable[str]) -> set[str]:
    """Return the paths of the files whose rules may cover ``paths``."""
    folders = {folder for path in paths for folder in parents(path.rstrip("/"))}
    return {NAME, *(f"{folder}/{NAME}" for folder in folders)}


def ignored(git: Git, root: Path, rules: Mapping[str, bytes], paths: Sequence[str]) -> set[str]:
    """Return those of ``paths`` (folders end in "/") that ``rules`` cover.

    ``rules`` maps the paths of ignore files to their content. A folder is covered, too, when all
    files in it (below ``root``, where they are) are. Paths that cannot be looked at are not: an
    agent may leave anything.
    """
    try:
        return _ignored(git, root, rules, paths)
    except (GitError, OSError):
        return set()


def _ignored(git: Git, root: Path, rules: Mapping[str, bytes], paths: Sequence[str]) -> set[str]:
    with tempfile.TemporaryDirectory(prefix="ignore-", dir=git.env["GIT_DIR"]) as folder:
        place = Path(folder)
        for path, content in rules.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        # It takes paths as they are, and refuses to be told so.
        asking = git.at_work_in(place).with_variables(
            GIT_WORK_TREE=folder, GIT_LITERAL_PATHSPECS="0"
        )
        covered = _asked(asking, paths)
        inside = {path: _files(root, path) for path in paths if path.endswith("/")}
        open_ones = {path: files for path, files in inside.items() if path not in covered and files}
        also = _asked(asking, [file for files in open_ones.values() for file in files])
        return covered | {path for path, files in open_ones.items() if also.issuperset(files)}


def _asked(git: Git, paths: Sequence[str]) -> set[str]:
    """Return those of ``paths`` that git ignores."""
    if not paths:
        return set()
    for path in paths:
        if path.endswith("/"):  # rules may be for folders only: git looks
            (git.cwd / path).mkdir(parents=True, exist_ok=True)
    plain = {f"./{path.rstrip('/')}": path for path in paths}  # a path, and never magic
    argv = ("check-ignore", "--no-index", "-z", "--stdin")
    done = git.run(*argv, stdin=join_z(list(plain)))
    if done.code not in (0, NONE_IGNORED):
        raise GitError(argv, done)
    return {plain[name] for name in split_z(done.out)}


def _files(root: Path, folder: str) -> list[str]:
    """Return the files in a new folder; none when they are too many to look at."""
    found: list[str] = []
    for path in _walked(os.fspath(root), folder.rstrip("/")):
        found.append(path)
        if len(found) > LOOKED_AT:
            return []
    return found


def _walked(root: str, folder: str) -> Iterator[str]:
    folders = [folder]
    while folders:
        here = folders.pop()
        with os.scandir(os.path.join(root, here)) as entries:  # noqa: PTH118 (thousands of files)
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{here}/{entry.name}")
                else:
                    yield f"{here}/{entry.name}"
