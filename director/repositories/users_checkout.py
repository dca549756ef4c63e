"""What of the user's checkouts gates may use, and what they have no business in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from os.path import exists, realpath
from pathlib import Path

from director.model.testing.checkout_paths import Checkout
from director.repositories.git import Git, join_z, split_z
from director.repositories.repository import OWN_FOLDER, Repository

OF_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # in the folder of such an environment
PACKAGES = "node_modules"


def users_checkout(
    user: Repository, env: Mapping[str, str], needed: Iterable[Path], read: Iterable[Path]
) -> Checkout:
    """Return the checkout of ``user``, and the main one where that is a linked worktree.

    ``env`` is what gates see, ``read`` what the configuration lets them read. A checkout that
    holds what is ``needed`` (the home folder, worktrees) is not closed to gates, nor is one that
    may be read as a whole.
    """
    allowed = list(read)
    linked = (user.root / ".git").is_file() and (user.common_dir / "worktrees").is_dir()
    main = [user.common_dir.parent] if linked and user.common_dir.name == ".git" else []
    tops = dict.fromkeys((user.root, *main))
    inner = [top for top in tops if not any(one.is_relative_to(top) for one in needed)]
    roots = [top for top in inner if not any(top.is_relative_to(one) for one in allowed)]
    found = [user.common_dir, user.objects, *_of_programs(env), *allowed]
    for root in roots:
        found += [root / ".git", root / OWN_FOLDER, *_of_submodules(root)]
        found += _ignored(user.git, root)
    shared = (path for path in found if not any(root.is_relative_to(path) for root in roots))
    inside = (path for path in shared if any(path.is_relative_to(root) for root in roots))
    return Checkout(tuple(roots), tuple(dict.fromkeys(inside)))


def _ignored(git: Git, root: Path) -> list[Path]:
    """Return what git ignores at the top of a checkout: no worktree has it, no job works on it."""
    names = [f"./{name}" for name in os.listdir(root) if name != ".git"]  # noqa: PTH208
    git = git.at_work_in(root).with_variables(GIT_LITERAL_PATHSPECS="0")  # it has none
    done = git.run("check-ignore", "-z", "--stdin", stdin=join_z(names))
    return [root / name for name in split_z(done.out)]


def _of_submodules(root: Path) -> list[Path]:
    """Return git's places in the submodules of a checkout: worktrees borrow their objects."""
    try:
        said = (root / ".gitmodules").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    names = re.findall(r"^\s*path\s*=\s*(.+?)\s*$", said, re.MULTILINE)
    return [root / name / ".git" for name in names]


def _of_programs(env: Mapping[str, str]) -> Iterator[Path]:
    """Give the folders of programs, each with the environment that it belongs to."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if (value := env.get(name, "")).startswith("/"):
            yield Path(realpath(value))  # whatever it is
    for value in env.get("PATH", "").split(os.pathsep):
        if value.startswith("/"):
            folder = Path(realpath(value))
            yield environment_of(folder) or folder


def environment_of(programs: Path) -> Path | None:
    """Return the environment whose programs lie in a folder, or None where it is none's."""
    parent = programs.parent
    is_one = parent.name == PACKAGES or any(map(exists, map(parent.joinpath, OF_ENVIRONMENTS)))
    return parent if is_one else None
