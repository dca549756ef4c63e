"""Where a plain checkout has its top, without asking git."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def top_of_checkout(path: Path) -> Path | None:
    """Return the top of the checkout that holds ``path``; None where git has to be asked.

    That is whatever is not as ``git init`` leaves it: a linked worktree or a submodule, a bare
    repository or the inside of a git folder, another owner or file system.
    """
    start = path.resolve()
    for folder in (start, *start.parents):
        if (folder / "HEAD").exists():
            return None
        if os.path.lexists(folder / ".git"):
            return folder if _is_plain(folder / ".git", start) else None
    return None


def has_usual_format(top: Path) -> bool:
    """Whether a plain checkout has no extensions: sha1 ids, and all objects in its ``.git``."""
    git = top / ".git"
    try:
        config = (git / "config").read_bytes().lower()
    except OSError:
        return False
    once = config.count(b"bare") == config.count(b"repositoryformatversion") == 1
    usual = once and b"repositoryformatversion = 0" in config and b"[extensions" not in config
    return usual and not git.is_symlink() and _holds_all(git)


def _holds_all(git: Path) -> bool:
    """Whether objects and refs lie in a git folder itself, and it is one for git, too."""
    try:
        inner = [os.lstat(git / name).st_mode for name in ("objects", "refs")]
        plain = all(map(stat.S_ISDIR, inner)) and not os.path.lexists(git / "commondir")
        return plain and (git / "HEAD").read_bytes().startswith(b"ref: refs/heads/")
    except OSError:
        return False


def head_commit(top: Path) -> str | None:
    """Return the commit that HEAD of a plain checkout names; None where git has to be asked."""
    git = top / ".git"
    try:
        said = (git / "HEAD").read_text("ascii").strip()
        name = said.removeprefix("ref: ")
        return (git / name).read_text("ascii").strip() if name != said else said
    except (OSError, ValueError):
        return None


def _is_plain(git: Path, start: Path) -> bool:
    """Whether the working tree of ``git`` is the folder around it, as far as ``start``."""
    try:
        found, top = git.stat(), git.parent.stat()
        config = (git / "config").read_bytes().lower()
        (git / "HEAD").stat()
        return (
            found.st_uid == top.st_uid == os.geteuid()
            and found.st_dev == start.stat().st_dev
            and b"bare = false" in config
            and b"worktree" not in config  # neither core.worktree nor extensions.worktreeConfig
        )
    except OSError:
        return False
