"""The settings of the job repository, which decide how git sees files, and whose objects it reads.

They are carried over from the user's repository. What agents do to them is undone.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from director.model.errors import StoppedError
from director.model.patterns import lazy_pattern
from director.processes.removal import discard
from director.records.files import make_folder, os_errors_stop
from director.repositories.git import split_z
from director.repositories.git_settings import config_text, setting_of
from director.repositories.repository import Repository
from director.repositories.restoring import own_content, restore_file

CARRIED_CONFIG = lazy_pattern(
    r"(filter\.|lfs\."
    r"|core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|protect))"
)
CARRIED_FILES = ("shallow", "info/attributes", "info/exclude", "info/sparse-checkout")
ALTERNATES = "objects/info/alternates"
BASICS = ("HEAD", ALTERNATES)  # without them it is no repository
SETTINGS = (*CARRIED_FILES, "config", "config.worktree", "info/grafts")
PACKED_REFS = "packed-refs"
# What git writes into it: a header, refs, and what a ref to a tag comes to (git-pack-refs(1)).
PACKED = lazy_pattern(r"(?:# .*|[0-9a-f]{40,64} refs/[^\x00-\x20\x7f~^:?*\[\\]+|\^[0-9a-f]{40,64})")
BARE, NOT_BARE = b'bare = "true"', b'bare = "false"'


class JobSettings:
    """The settings of the job repository at ``path``, as they are now. ``user`` it borrows from."""

    def __init__(self, path: Path, user: Repository) -> None:
        self._path = path
        self._user = user
        self._files = {name: own_content(path / name) for name in (*SETTINGS, *BASICS)}
        self._turn = threading.Lock()
        borrowed = {name: content for name, content in self._files.items() if content is not None}
        borrowed["config"] = borrowed.get("config", b"").replace(BARE, NOT_BARE)
        self._borrowing = {**borrowed, ALTERNATES: os.fsencode(path / "objects") + b"\n"}

    def restore(self) -> None:
        """Undo what others did to them; StoppedError where the repository is gone."""
        self._restore(self._files)
        make_refs_readable(self._path)

    def restore_what_worktrees_read(self) -> None:
        """Undo what others did to what git in worktrees reads outside their own repositories.

        StoppedError where the repository is gone.
        """
        self._restore((ALTERNATES,))

    def _restore(self, names: Iterable[str]) -> None:
        with self._turn:
            if self._user.settings:
                self._user.settings.restore()
            self.check()
            root = str(self._path)
            for name in names:
                with os_errors_stop(f"{root}/{name}"):
                    restore_file(f"{root}/{name}", self._files[name])

    def check(self) -> None:
        """Raise StoppedError where the repository is gone."""
        if not self._path.is_dir():
            raise StoppedError(
                f"the job repository {self._path} is gone",
                "run the command again: it is made again from the published branch",
            )

    def borrowing(self) -> Mapping[str, bytes]:
        """Return the files (path → content) of a repository that borrows this one's objects."""
        return self._borrowing

    @property
    def attributes(self) -> bytes:
        """What the attributes file of the repository itself holds."""
        return self._files["info/attributes"] or b""

    def borrow_from(self, stores: Iterable[Path]) -> bool:
        """Read objects from ``stores`` of the user's, too; returns whether any is new."""
        known = (self._files[ALTERNATES] or b"").splitlines()
        new = [line for line in map(os.fsencode, stores) if line not in known]
        if new:
            lines = (*known, *dict.fromkeys(new))
            self._files[ALTERNATES] = b"".join(line + b"\n" for line in lines)
            self.restore()
        return bool(new)


def carry_settings(path: Path, user: Repository) -> None:
    """Copy the settings that decide how files of the user's repository are checked out."""
    for name in SETTINGS:
        discard(path / name)
    for name in CARRIED_FILES:
        if (user.common_dir / name).is_file():
            make_folder((path / name).parent)
            shutil.copyfile(user.common_dir / name, path / name)
    settings = [
        ("core.repositoryFormatVersion", "0" if user.object_format == "sha1" else "1"),
        ("core.bare", "true"),
        ("core.hooksPath", os.devnull),  # for an agent's git: no hook of the user's
    ]
    if user.object_format != "sha1":
        settings.append(("extensions.objectFormat", user.object_format))
    settings += ((key, value) for key, value in _local(user) if CARRIED_CONFIG.match(key))
    (path / "config").write_text(config_text(settings), errors="surrogateescape")


def make_refs_readable(path: Path) -> bool:
    """Remove from the packed refs of the repository at ``path`` what git would not read.

    git reads none of them where one line is damaged. The job branch is not among them: it is a
    file of its own. Returns whether something was removed.
    """
    packed = path / PACKED_REFS
    content = own_content(packed)
    if content is None and not os.path.lexists(packed):
        return False
    lines = (content or b"").decode(errors="surrogateescape").split("\n")
    if content is not None and all(map(_is_packed_ref, lines[:-1])) and not lines[-1]:
        return False
    refs = [f"{line}\n" for line in lines if _is_packed_ref(line) and line[0] not in "#^"]
    with os_errors_stop(packed):
        restore_file(packed, os.fsencode("".join(refs)) if refs else None)
    return True


def _is_packed_ref(line: str) -> bool:
    return PACKED.fullmatch(line) is not None and ".." not in line


def _local(user: Repository) -> Iterable[tuple[str, str]]:
    """Return the settings in the file of the user's repository, which may be known already."""
    if user.settings:
        return user.settings.local
    done = user.git.run("config", "--local", "--null", "--list", "--no-includes")
    return map(setting_of, split_z(done.out))


def borrow(path: Path, user: Repository, borrowed: Sequence[Path]) -> None:
    """Make the repository at ``path`` read the user's objects, and those of ``borrowed``.

    The latter lie beside it and are named from here: they move together.
    """
    here = (path / "objects").resolve()
    stores = [str(user.objects), *(os.path.relpath(one.resolve(), here) for one in borrowed)]
    with os_errors_stop(here):
        restore_file(path / ALTERNATES, b"".join(os.fsencode(one) + b"\n" for one in stores))


def borrowed_stores(path: Path) -> list[Path]:
    """Return the object stores that the repository at ``path`` reads besides the user's.

    Those are named by absolute paths, and found again.
    """
    stores = (own_content(path / ALTERNATES) or b"").split(b"\n")
    others = (os.fsdecode(store) for store in stores if store and not store.startswith(b"/"))
    return [path / "objects" / store for store in others]
