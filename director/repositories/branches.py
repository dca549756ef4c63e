"""The local branches of the user's repository: where they are, and which hold what others do."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from director.repositories.git import Git
from director.repositories.repository import BRANCH_PREFIX, Repository

FORMAT = "%(objectname)%00%(HEAD)%00%(refname:lstrip=2)%00%(worktreepath)"


class Branch(NamedTuple):
    """A local branch. ``worktree`` is where it is checked out ("": nowhere).

    ``current``: that is the checkout that git was asked in.
    """

    name: str
    tip: str
    current: bool = False
    worktree: str = ""


def local_branches(git: Git) -> dict[str, Branch]:
    """Return the local branches by name."""
    listed = git.output("for-each-ref", f"--format={FORMAT}", "refs/heads")
    found = {}
    for line in listed.decode(errors="surrogateescape").splitlines():
        tip, head, name, worktree = line.split("\0")
        found[name] = Branch(name, tip, head == "*", worktree)
    return found


def landed_tips(
    git: Git, tips: Iterable[str], branches: Mapping[str, Branch]
) -> dict[str, str | None]:
    """Return those of ``tips`` that a branch holds which is not director's, and its name.

    The name is None where it is not the current branch. Two git processes, however many there are.
    """
    known = list(dict.fromkeys(tips))
    if not known or all(name.startswith(BRANCH_PREFIX) for name in branches):
        return {}
    others = ("--not", f"--exclude={BRANCH_PREFIX}*", "--branches")
    landed = _reached(git, known, others)
    current = next((one for one in branches.values() if one.current), None)
    if current is None or current.name.startswith(BRANCH_PREFIX) or not landed:
        return dict.fromkeys(landed)
    here = set(_reached(git, landed, ("--not", current.tip)))
    return {tip: current.name if tip in here else None for tip in landed}


def _reached(git: Git, tips: list[str], others: tuple[str, ...]) -> list[str]:
    """Return the commits among ``tips`` that ``others`` reach."""
    missed = set(git.text("rev-list", *tips, *others).split())
    return [tip for tip in tips if tip not in missed]


def known_commits(git: Git, commits: Iterable[str]) -> set[str]:
    """Return those of ``commits`` that the repository has."""
    asked = "".join(f"{one}\n" for one in commits)
    if not asked:
        return set()
    said = git.output("cat-file", "--batch-check", stdin=asked.encode()).decode()
    return {words[0] for line in said.splitlines() if (words := line.split())[1] == "commit"}


def remove_branch(git: Git, name: str, tip: str) -> str | None:
    """Remove a branch of director's that is at ``tip``; returns why it stays, or None."""
    if not name.startswith(BRANCH_PREFIX):
        raise ValueError(f"{name!r} is not a branch of director's")
    branch = local_branches(git).get(name)
    if branch is None:
        return None
    if branch.worktree:
        return f"it is checked out in {branch.worktree}"
    done = git.run("update-ref", "--no-deref", "-d", f"refs/heads/{name}", tip)
    if done.code == 0:
        return None
    if branch.tip != tip:
        return f"it was moved from {tip[:12]} to {branch.tip[:12]} meanwhile"
    said = done.err.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"git update-ref failed with exit code {done.code}"


def publish_rebased(
    user: Repository, source: Path, branch: str, former: Collection[str]
) -> str | None:
    """Publish a branch that the user's repository may have as it was before it was rebased.

    Only from one of the commits ``former`` it is moved to where it does not continue, and only by
    compare-and-swap. Returns why it could not be published, or None.
    """
    known = local_branches(user.git).get(branch)
    if known is None or known.tip not in former:
        return user.publish(source, branch)
    if known.worktree:
        return f"it is checked out in {known.worktree}"
    if problem := user.bring(source, branch):
        return problem
    new = Git.at(source, user.caller_env, GIT_DIR=str(source)).text("rev-parse", _ref(branch))
    done = user.git.run("update-ref", "-m", "director rebase", _ref(branch), new, known.tip)
    if done.code == 0:
        return None
    said = done.err.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"git update-ref failed with exit code {done.code}"


def _ref(branch: str) -> str:
    return f"refs/heads/{branch}"
