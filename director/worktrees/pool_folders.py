"""The folders of pools: made, kept for the next command of the job, and removed.

A job's record says where its folder is, and whether a command that ended in good order kept it. A
lock in the folder says whether a command works in it now.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from director.model.errors import StoppedError
from director.model.launcher_policy import LauncherPolicy
from director.model.patterns import lazy_pattern
from director.processes.removal import NotRemovedError, as_root, discard, discard_or_stop
from director.processes.sandbox_paths import home_of, paths_in
from director.records import files
from director.records.events import Events, Kind
from director.records.worktrees_record import (
    OWN,
    PREFIX,
    KeptWorktrees,
    folder_in,
    kept_worktrees,
    may_hold_work,
    note_kept,
    note_unused,
    note_use,
    noted_folder,
    read_quietly,
    was_killed,
)
from director.worktrees.pool_note import NOTE, read_note

NAME = lazy_pattern(rf"{PREFIX}[0-9a-f]{{12}}")
PARTS = ("agents", "gates", "notes")
LOCK = "lock"
OWNER = "owner.json"
KEPT_FOR_SECS = 7 * 24 * 3600.0
BLOCK_BYTES = 512  # what st_blocks counts (stat(2))


@contextmanager
def pool_folder(
    record: Path,
    env: Mapping[str, str],
    events: Events | None = None,
    held: Callable[[], Collection[Path]] = tuple,
) -> Iterator[Path]:
    """Give the folder for the worktrees of a job, and remove it afterwards, unless it is kept.

    It is kept where there is a note of what is in it (``pool_note``). ``events`` are told what
    cannot be removed. ``record`` notes where it is: after a crash the next run continues in it,
    because worktrees may hold work that is paid for. So it does where that was not used: ``held``
    gives the worktrees that hold some at the end.
    """
    with ExitStack() as locks:
        folder = _taken_over(record, events, locks) or _new_folder(record, env, locks)
        try:
            yield folder
        finally:
            if record.exists() and any(one.is_relative_to(folder) for one in held()):
                note_unused(record, folder)
            else:
                _close(folder, record, events)


def sweep_pool(record: Path, events: Events | None = None) -> None:
    """Remove the worktrees noted at ``record``, if any; ``events`` are told what stays of them.

    Those that a command works in, for a copy of the record, stay.
    """
    with _locked(folder_in(files.read_json(record) or {})) as folder:
        if folder:
            _remove(folder, events)
    record.unlink(missing_ok=True)


def free_kept(record: Path, begins: Callable[[KeptWorktrees], None]) -> KeptWorktrees | None:
    """Remove the worktrees that are kept at ``record``, and return what they were.

    ``begins`` is told of them before. None: there are none, or a command works in them.
    """
    kept = kept_worktrees(record)
    with _locked(kept.folder if kept else None) as folder:
        if kept is None or folder is None:
            return None
        begins(kept)
        freed = used_bytes(folder)
        discard_or_stop(folder)
    record.unlink(missing_ok=True)
    return KeptWorktrees(kept.folder, freed, kept.since)


def sweep_old_pools(env: Mapping[str, str]) -> None:
    """Remove the folders, of any job, that were not used for KEPT_FOR_SECS.

    A folder that may hold work that is paid for stays while its job's record names it.
    """
    with suppress(OSError):
        for folder in list(worktrees_folder(env).iterdir()):
            if _is_ours(folder) and time.time() - _last_used(folder) > KEPT_FOR_SECS:
                _sweep_old(folder)


def _sweep_old(folder: Path) -> None:
    owner = read_quietly(folder / OWNER)
    if owner is None:  # made by a command that was killed at once, or by an earlier version
        with _locked(folder) as held, suppress(OSError):
            if held and [path.name for path in folder.iterdir()] == [LOCK]:
                discard(folder)
        return
    record = Path(str(owner.get("record")))
    if noted_folder(record) == folder and may_hold_work(record):
        return
    with _locked(folder) as held, suppress(OSError):
        if held:
            discard(folder)


def _last_used(folder: Path) -> float:
    """Return when a command last began or ended in a folder."""
    try:
        return (folder / LOCK).lstat().st_mtime
    except OSError:
        return folder.lstat().st_mtime


def used_bytes(folder: Path) -> int:
    """Return what a folder takes on disk; blocks that files share are counted for each of them."""
    total, left = 0, [str(folder)]
    while left:
        with suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
    return total


def _taken_over(record: Path, events: Events | None, locks: ExitStack) -> Path | None:
    """Return the folder that an earlier command left, locked, where it can be used."""
    folder = locks.enter_context(_locked(folder_in(files.read_json(record) or {})))
    if folder is None:  # or a command works in it, for a copy of this repository
        return None
    has_work = may_hold_work(record)
    if has_work:  # anything may have written a note that is there
        discard(folder / "notes" / NOTE)
    if has_work or read_note(folder / "notes"):
        _claim(folder, record)
        return folder
    _remove(folder, events)
    return None


def _new_folder(record: Path, env: Mapping[str, str], locks: ExitStack) -> Path:
    parent = worktrees_folder(env)
    with files.os_errors_stop(parent):
        files.make_folder(parent)
    folder = parent.resolve() / f"{PREFIX}{os.urandom(6).hex()}"
    note_use(record, folder)  # before it is there: a kill leaves none
    with files.os_errors_stop(folder):
        folder.mkdir(mode=0o700)
    try:
        if locks.enter_context(_locked(folder)) is None:
            raise StoppedError(f"cannot lock {folder}", "run the command again")
        _claim(folder, record)
    except BaseException:  # the disk is full: nothing may know of it later
        _remove(folder, None)
        raise
    return folder


def _claim(folder: Path, record: Path) -> None:
    """Note whose folder it is; from now on it is no longer kept, but in use."""
    owner = {"record": str(record.absolute())}
    if read_quietly(folder / OWNER) != owner:
        files.write_json(folder / OWNER, owner, durable=False)
    if not was_killed(record):
        note_use(record, folder)


def _close(folder: Path, record: Path, events: Events | None) -> None:
    """Keep the folder where there is a note of what is in it, else remove it."""
    note = read_note(folder / "notes") if record.exists() else None
    if note is not None and _tidy(folder, set(note["places"])):
        os.utime(folder / LOCK)
        note_kept(record, folder, used_bytes(folder))
        return
    _remove(folder, events)  # whatever the record says now, if it is still there
    record.unlink(missing_ok=True)


def _tidy(folder: Path, places: set[str]) -> bool:
    """Remove what is not at ``places``, "/" in their names; False where that cannot be done."""
    try:
        for part in folder.iterdir():
            if part.name in PARTS:
                for path in part.iterdir():
                    if path.relative_to(folder).as_posix() not in places:
                        discard(path)
            elif part.name not in (LOCK, OWNER):
                discard(part)
    except OSError:
        return False
    return True


@contextmanager
def _locked(folder: Path | None) -> Iterator[Path | None]:
    """Hold the lock of a folder of director's, and give the folder.

    None: another command has the lock, the folder goes meanwhile, or there is none.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with ExitStack() as stack:
        held = None
        if folder and _is_ours(folder):
            with suppress(OSError):
                descriptor = os.open(folder / LOCK, flags, 0o600)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), (folder / LOCK).lstat()):
                    os.utime(descriptor)
                    held = folder
        yield held


def _remove(folder: Path, events: Events | None) -> None:
    try:
        discard(folder)
    except NotRemovedError as error:
        what = f"cannot be removed: {error.filename}, left by something that ran here"
        (events or Events()).emit(Kind.NOTICE, message=f"{what}; {as_root(folder)}")


def _is_ours(folder: Path) -> bool:
    """Whether it is a folder that director made for this user, not something in its place."""
    if not NAME.fullmatch(folder.name):
        return False
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def pool_environment(policy: LauncherPolicy, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which the folders of pools are found under ``policy``."""
    if not policy.root:
        return dict(env)
    (root,) = paths_in([policy.root], home_of(env))
    return {**env, "XDG_STATE_HOME": str(root)}


def worktrees_folder(env: Mapping[str, str]) -> Path:
    """Return the user's folder for worktrees (XDG Base Directory Specification, state).

    Not that for caches: where processes are confined nothing new can be made in the folders on
    the way to what is kept, and tools make their caches there.
    """
    base = env.get("XDG_STATE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".local/state")
    return Path(base) / OWN
