"""The branch that work lands on: where it is, and what prevents moving it."""

from collections.abc import Iterable, Iterator, Sequence
from os.path import lexists
from pathlib import Path
from typing import NamedTuple

from director.model.errors import RequestError
from director.model.format import counted
from director.model.paths import parents
from director.repositories.git import split_z
from director.repositories.history import Change
from director.repositories.objects import ABSENT_MODE
from director.repositories.repository import BRANCH_PREFIX, Repository

HEADS = "refs/heads/"
SHOWN = 5
AT_ONCE = 500  # paths in the words of one command
UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "sequencer": "cherry-pick or revert",
}
"""What of a git folder says that something is under way (gitrepository-layout(5))."""


class Target(NamedTuple):
    """A branch of the user's that stands at ``tip``; ``here``: it is checked out in ``root``."""

    branch: str
    tip: str
    here: bool

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"{HEADS}{self.branch}"


def find_target(user: Repository, onto: str | None) -> Target:
    """Return the branch ``onto`` (None: the one that is checked out); RequestError: there is none.

    Also raised where it cannot be moved by anybody now, whatever is to land on it.
    """
    current = _current(user)
    name = onto or current
    if name is None:
        raise RequestError(
            "HEAD is detached: no branch is checked out here to land on",
            "name one with --onto, or check one out (`git switch BRANCH`)",
        )
    name = name.removeprefix(HEADS)
    if name.startswith(BRANCH_PREFIX):
        raise RequestError(
            f"{name} is a branch of director's: work lands on branches of yours",
            "name one with --onto, or check one out (`git switch BRANCH`)",
        )
    target = Target(name, _tip(user, name), name == current)
    refuse_busy(user, target)
    return target


def tip_now(user: Repository, target: Target) -> str | None:
    """Return the commit that the target's branch names now; None: it is gone."""
    done = user.git.run("rev-parse", "--verify", "--quiet", f"{target.ref}^{{commit}}")
    return done.out.decode().strip() if done.code == 0 else None


def is_as_before(user: Repository, target: Target) -> bool:
    """Whether the branch is where it was, and is checked out here, or not, as it was."""
    here = _current(user) == target.branch
    return here == target.here and tip_now(user, target) == target.tip


def refuse_dirty(user: Repository, target: Target, touched: Sequence[Change]) -> None:
    """Raise RequestError where the checkout has work of the user's in what is ``touched``."""
    if not target.here:
        return
    paths = {change.path for change in touched}
    in_the_way = sorted({*(_changed(user) & paths), *_untracked(user, touched)})
    if in_the_way:
        more = len(in_the_way) - SHOWN
        named = ", ".join(in_the_way[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        files = counted(len(in_the_way), "file")
        raise RequestError(
            f"{files} of your checkout that would change {_have(in_the_way)} work of yours that "
            f"is not committed: {named}",
            "commit or stash it (`git stash --include-untracked`), or move it away, then run the "
            "command again; nothing was changed",
        )


def _have(paths: Sequence[str]) -> str:
    return "has" if len(paths) == 1 else "have"


def _current(user: Repository) -> str | None:
    """Return the branch that is checked out here; None: HEAD is detached."""
    done = user.git.run("symbolic-ref", "--quiet", "HEAD")
    return done.out.decode().strip().removeprefix(HEADS) if done.code == 0 else None


def _tip(user: Repository, branch: str) -> str:
    done = user.git.run("rev-parse", "--verify", "--quiet", f"{HEADS}{branch}^{{commit}}")
    if done.code == 0:
        return done.out.decode().strip()
    raise RequestError(
        f"there is no branch {branch} in {user.root}",
        f"name an existing one (`git branch --list`), or create it: `git branch {branch}`",
    )


def refuse_busy(user: Repository, target: Target) -> None:
    """Raise RequestError where git itself would not let go of the branch."""
    if target.here:
        folder = Path(user.git.text("rev-parse", "--absolute-git-dir"))
        for name, what in UNDER_WAY.items():
            if (folder / name).exists():
                raise RequestError(
                    f"a {what} is under way in {user.root}",
                    "end it (`git status` says how), then run the command again",
                )
        return
    for place in _checked_out_in(user, target):
        raise RequestError(
            f"{target.branch} is checked out in another worktree: {place}",
            f"free it (`git -C {place} switch --detach`), or land on another branch with --onto",
        )
    for folder in (user.common_dir, *sorted((user.common_dir / "worktrees").glob("*"))):
        if (used := _used_in(folder, target)) is not None:
            raise RequestError(
                f"{target.branch} is used by a {used} that is under way ({folder})",
                "end it (`git status` there says how), then run the command again",
            )


def _checked_out_in(user: Repository, target: Target) -> Iterator[str]:
    place = ""
    for line in user.git.text("worktree", "list", "--porcelain").splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            place = rest
        elif word == "branch" and rest == target.ref:
            yield place


def _used_in(folder: Path, target: Target) -> str | None:
    """Return what in a git folder is on the branch without having it checked out."""
    said = {
        "rebase-merge/head-name": ("rebase", target.ref),
        "rebase-apply/head-name": ("rebase", target.ref),
        "BISECT_START": ("bisect", target.branch),
    }
    for name, (what, wanted) in said.items():
        try:
            found = (folder / name).read_text(errors="replace").strip()
        except OSError:
            continue
        if found == wanted:
            return what
    return None


def _changed(user: Repository) -> set[str]:
    """Return the tracked paths that differ from HEAD, in the index or in the working tree."""
    listed = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no")
    return {line[3:] for line in split_z(user.git.output(*listed))}


def _untracked(user: Repository, touched: Iterable[Change]) -> Iterator[str]:
    """Give what git does not know, ignored or not, where something new is to be."""
    wanted: dict[str, None] = {}
    for change in touched:
        if change.old.mode == ABSENT_MODE:
            above = (one for one in parents(change.path) if not _is_folder(user.root / one))
            wanted |= dict.fromkeys((*above, change.path))
    there = [path for path in wanted if lexists(user.root / path)]
    for some in _in_parts(there):
        yield from split_z(user.git.output("ls-files", "--others", "-z", "--", *some))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _in_parts(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), AT_ONCE):
        yield paths[start : start + AT_ONCE]
