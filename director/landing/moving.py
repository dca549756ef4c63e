"""Moving a branch of the user's to the commit that lands work on it; all of it, or nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

from director.landing.putting_back import Halves
from director.landing.target import SHOWN, Target, is_as_before, refuse_busy, tip_now
from director.model.errors import StoppedError
from director.model.reason import Reason
from director.processes.capture import Captured
from director.repositories.repository import GIVING, TAKING, Repository
from director.repositories.users_git import last_words, run_as_user

ACTION = "director land"  # as the reflog has it
# The other side of a fetch gives any commit, not only what a ref names.
GIVING_ANY = GIVING.replace(" upload-pack", " -c uploadpack.allowAnySHA1InWant=true upload-pack")
NOTHING_MOVED = "nothing was changed"


def bring(user: Repository, source: Path, commit: str) -> None:
    """Bring a commit with all that it needs into the user's object store; no ref names it yet.

    StoppedError where git cannot.
    """
    options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", GIVING_ANY)
    git = user.git.with_settings(*TAKING)
    done = git.run("fetch", *options, str(source), commit)
    if done.code != 0:
        raise StoppedError(
            f"the commit cannot be brought into your repository: {last_words(done)}",
            f"correct what git names, then run the command again; {NOTHING_MOVED}",
        )


def move(user: Repository, target: Target, commit: str) -> None:
    """Move the branch to ``commit``, which is on its tip and in the user's object store.

    One that is checked out here is fast-forwarded by git as the user runs it, with their hooks;
    another one is moved by compare-and-swap. RequestError where something of the user's is under
    way on it, StoppedError where it moved meanwhile, or git or a hook refuses: everything is as it
    was then.
    """
    if not is_as_before(user, target):
        raise moved(target)
    refuse_busy(user, target)  # the gates took their time
    done = _forward(user, target, commit) if target.here else _swap(user, target, commit)
    now = tip_now(user, target)
    if now == commit:  # whatever a hook that runs afterwards said
        return
    if now != target.tip:
        raise moved(target)
    raise StoppedError(
        f"{target.branch} was not moved: {last_words(done)}",
        f"correct what git, or your hook, names, then run the command again; {NOTHING_MOVED}",
    )


def undo_command(target: Target, commit: str) -> tuple[str, ...]:
    """Return the git command that takes the move back, as long as nothing came after it."""
    if target.here:
        return ("git", "reset", "--keep", target.tip)
    return ("git", "update-ref", target.ref, target.tip, commit)


def _swap(user: Repository, target: Target, commit: str) -> Captured:
    words = ("update-ref", "-m", f"{ACTION}: fast-forward", target.ref, commit, target.tip)
    return run_as_user(user, ACTION, *words)


def _forward(user: Repository, target: Target, commit: str) -> Captured:
    """Fast-forward what is checked out; where that fails half-way, undo the half.

    StoppedError where that cannot be undone.
    """
    before, aside = _staged(user, target), _aside(user)
    halves = Halves(user, target.tip, commit)
    options = ("--ff-only", "--no-autostash", "--no-stat", "--quiet")
    done = run_as_user(user, ACTION, "merge", *options, commit)
    if tip_now(user, target) == target.tip:
        if _staged(user, target) != before:  # files first, then the ref, which a hook can refuse
            back = ("read-tree", "-m", "-u", commit, target.tip)
            user.git.run(*back)
            if _staged(user, target) != before:
                by_hand = f"`{shlex.join(('git', *back))}`"
                raise _half_way(target, done, "your checkout", by_hand)
        if left := halves.put_back():
            more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
            by_hand = "`git restore FILE` for each of them; remove those that are new"
            raise _half_way(target, done, f"{', '.join(left[:SHOWN])}{more}", by_hand)
        _restore_aside(user, aside)
    return done


def _half_way(target: Target, done: Captured, left: str, by_hand: str) -> StoppedError:
    return StoppedError(
        f"{target.branch} was not moved: {last_words(done)}; {left} could not be put back",
        f"correct what git, or your hook, names, then {by_hand}",
    )


def _staged(user: Repository, target: Target) -> bytes:
    return user.git.run("diff-index", "--cached", "-z", target.tip).out


def _aside(user: Repository) -> str:
    """Return what ORIG_HEAD names, which git sets before it merges; "" where it does not exist."""
    done = user.git.run("rev-parse", "--verify", "--quiet", "ORIG_HEAD")
    return done.out.decode().strip() if done.code == 0 else ""


def _restore_aside(user: Repository, aside: str) -> None:
    if _aside(user) != aside:
        user.git.run("update-ref", *(("ORIG_HEAD", aside) if aside else ("-d", "ORIG_HEAD")))


def moved(target: Target) -> StoppedError:
    """Return the error for a branch that is not where it was."""
    return StoppedError(
        f"{target.branch} moved, or was checked out or left, while its merge was tested",
        f"run the command again: it begins with where {target.branch} is now; {NOTHING_MOVED}",
        Reason.MOVED,
    )
