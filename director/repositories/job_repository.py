"""The job repository: the job branch and every candidate live here, not in the user's.

A bare repository that borrows the user's objects (gitrepository-layout(5), alternates). What an
agent does with git lands here and cannot reach the user's refs, configuration or hooks.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from director.model.errors import StoppedError
from director.model.receipt import Receipt
from director.processes.removal import discard
from director.records.files import make_folder, os_errors_stop
from director.records.job_directory import TIPS
from director.repositories.durability import sync_files
from director.repositories.git import Git, split_z
from director.repositories.git_settings import config_text, setting_of
from director.repositories.history import ABSENT_MODE, BranchCommit, Change, Entry, History
from director.repositories.objects import object_id, write_object
from director.repositories.repository import Repository
from director.repositories.soundness import Soundness, loose
from director.repositories.submodules import SubmoduleCache, Submodules, UserCheckout
from director.repositories.tips import Tips

CARRIED_CONFIG = (
    r"^(filter\.|lfs\."
    r"|core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|protect))"
)
CARRIED_FILES = ("shallow", "info/attributes", "info/exclude", "info/sparse-checkout")
SETTINGS = (*CARRIED_FILES, "config", "config.worktree", "info/grafts")
BARE, NOT_BARE = b'bare = "true"', b'bare = "false"'
ALTERNATES = "objects/info/alternates"
BASICS = ("HEAD", ALTERNATES)  # without them it is no repository

__all__ = [  # what it gives out is defined next door
    "ABSENT_MODE",
    "BranchCommit",
    "Change",
    "Entry",
    "JobRepository",
    "create_job_repository",
    "open_job_repository",
]


class JobRepository(History):
    """One job's repository and its one branch.

    ``notices`` says what was damaged and has been restored, one sentence each.
    """

    def __init__(self, path: Path, branch: str, git: Git, user: Repository) -> None:
        super().__init__(git)
        self.path = path
        self.branch = branch
        self.user = user
        self.notices: list[str] = []
        self._turn = threading.Lock()
        self._publishing = threading.Lock()
        self._soundness = Soundness(self.objects, path / "objects", user.object_format)
        self._tips = Tips(path.with_name(TIPS))
        self._tip = self._last_noted() if self._tips.commits else self._said_by_ref()
        self._published = ""
        self._settings = {name: _content(path / name) for name in (*SETTINGS, *BASICS)}
        self._submodule_cache = SubmoduleCache()

    def _said_by_ref(self) -> str:
        tip = self.tip_of(self.branch)
        if tip is None:
            raise StoppedError(f"the job branch is gone from {self.path}", "plan the task again")
        self._tips.begin(tip)
        return tip

    def _last_noted(self) -> str:
        """Return the last commit the branch was moved to that is whole.

        Damaged objects are removed, so that those of the user's repository, where the branch is
        published, take their place.
        """
        noted = self._tips.commits
        found = self._soundness.recover(noted)
        if found.replaced:
            self.notices.append(
                f"objects of {self.path} are damaged, and read from your repository now: "
                f"{found.replaced}"
            )
        if found.tip != noted[-1]:
            self.notices.append(
                f"object {found.damaged} of {self.path} is damaged or gone: the job continues at "
                f"commit {found.tip}, and what merged later is worked on again"
            )
            self._tips.add(found.tip)
        return found.tip

    @property
    def ref(self) -> str:
        """The full name of the job branch."""
        return f"refs/heads/{self.branch}"

    def tip(self) -> str:
        """Return the job branch's commit, as director moved it last."""
        return self._tip

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """Merge commit → the receipt that was noted when the branch moved there."""
        return self._tips.receipts

    def holds(self, base: str, commit: str) -> bool:
        """Whether ``commit`` (an id) stands on ``base``, with everything in it there and whole."""
        return self._soundness.first_damage(base, commit) is None

    def moved_to(self, commit: str) -> bool:
        """Whether director ever moved the branch to ``commit``."""
        return commit in self._tips

    def accept(self, receipt: Receipt) -> None:
        """Note the receipt of a merge that is on the branch already."""
        with self._turn:
            self._tips.add(self._tip, receipt)

    def restore_journal(self) -> bool:
        """Undo what others wrote into the journal of tips; returns whether there was any."""
        with self._turn:
            return self._tips.restore()

    def settle(self) -> None:
        """Undo what agents did to this repository's settings, which decide how git sees files."""
        with self._turn:
            self._settle()

    def _settle(self) -> None:
        if self.user.settings:
            self.user.settings.settle()
        if not self.path.is_dir():
            raise StoppedError(
                f"the job repository {self.path} is gone",
                "run the command again: it is made again from the published branch",
            )
        for name, content in self._settings.items():
            place = self.path / name
            if _content(place) != content:
                with os_errors_stop(place):
                    discard(place)
                    if content is not None:
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(content)

    def borrowing(self) -> dict[str, bytes]:
        """Return the files (path → content) of a repository that borrows this one's objects.

        For the worktrees: what is done with git there has no part in this repository.
        """
        files = {name: content for name, content in self._settings.items() if content is not None}
        files["config"] = files["config"].replace(BARE, NOT_BARE)
        return files | {ALTERNATES: os.fsencode(self.path / "objects") + b"\n"}

    @property
    def submodules(self) -> Submodules:
        """The submodules of its commits."""
        place = UserCheckout(self.user.root, self.user.common_dir)
        return Submodules(self, place, self._submodule_cache, self.tree_with, self._borrow_more)

    def _borrow_more(self, stores: Iterable[Path]) -> None:
        """Read objects from ``stores`` of the user's, too."""
        with self._turn:
            known = (self._settings[ALTERNATES] or b"").splitlines()
            if new := [line for line in map(os.fsencode, stores) if line not in known]:
                lines = (*known, *dict.fromkeys(new))
                self._settings[ALTERNATES] = b"".join(line + b"\n" for line in lines)
                self._settle()
                self.objects.look_again()

    def point(self) -> None:
        """Make the ref name the tip."""
        with self._turn:
            self._point(self._tip)

    def _point(self, commit: str) -> None:
        """Move the branch, whatever agents did to this repository meanwhile.

        The ref is written as the file it is (gitrepository-layout(5)), without a process.
        """
        self._settle()
        ref = self.path / self.ref
        with os_errors_stop(ref):
            self._write_ref(ref, commit)

    def _write_ref(self, ref: Path, commit: str) -> None:
        for folder in reversed(ref.relative_to(self.path).parents):
            place = self.path / folder
            if place.is_symlink() or (place.exists() and not place.is_dir()):
                discard(place)  # a branch by its name, or a link to other refs
        if ref.is_dir():  # a branch below its name
            discard(ref)
        ref.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path / f"{os.urandom(8).hex()}.lock"
        temporary.write_text(f"{commit}\n")
        temporary.replace(ref)

    def advance(self, new: str, old: str, receipt: Receipt | None = None) -> bool:
        """Move the branch from ``old`` to ``new``; False when it is no longer at ``old``.

        One process works on a job, so what it notes is the truth: a ref that an agent moved is
        overwritten. On disk are first the objects, then the note, with a merge's ``receipt``, then
        the ref: what is noted is always whole.
        """
        if self._tip != old:
            return False
        store = self.path / "objects"
        sync_files(loose(store, oid) for oid in self._added_whole(old, new))
        with self._turn:
            if self._tip != old:
                return False
            self._tips.add(new, receipt)
            self._point(new)
            self._tip = new
            return True

    def _added_whole(self, old: str, new: str) -> list[str]:
        """Return the ids of the objects that ``new`` has besides ``old``; all are whole.

        Raises StoppedError for one that is not.
        """
        oids = []
        for oid, whole in self._soundness.looked_at(old, new):
            if not whole:
                raise StoppedError(
                    f"object {oid} in {self.path} is damaged", "run the command again"
                )
            oids.append(oid)
        return oids

    def publish(self) -> str | None:
        """Bring the branch into the user's repository; returns why it could not, or None.

        It may go on meanwhile: what comes later is for the next time.
        """
        with self._publishing:
            with self._turn:
                tip = self._tip
                if self._published == tip:
                    return None
                self._point(tip)
            problem = self.user.publish(self.path, self.branch)
            if problem is None:
                self._published = tip
            return problem

    def store(self, content: bytes) -> str:
        """Write ``content`` as a blob, as it is, and return its object id."""
        return self._write("blob", content)

    def tree_with(self, base: str, entries: Iterable[Entry], there: Collection[str] = ()) -> str:
        """Write and return the tree of ``base`` with ``entries`` put in (absent ones taken out).

        ``there`` are trees that the user's repository holds: they are read there, not copied.
        """

        def write(data: bytes) -> str:
            oid = object_id(self.user.object_format, "tree", data)
            return oid if oid in there else self._write("tree", data)

        return self._build_tree(base, entries, write)

    def commit(self, tree: str, parent: str, message: str) -> str:
        """Write and return a commit of ``tree`` on ``parent``."""
        who = self.user.identity()
        moment = f"{int(time.time())} {time.strftime('%z')}"
        lines = [f"tree {tree}", f"parent {parent}"]
        for role in ("AUTHOR", "COMMITTER"):
            name, address = who[f"GIT_{role}_NAME"], who[f"GIT_{role}_EMAIL"]
            lines.append(f"{role.lower()} {name} <{address}> {moment}")
        return self._write("commit", "\n".join([*lines, "", message]).encode())

    def _write(self, kind: str, data: bytes) -> str:
        return write_object(self.path / "objects", self.user.object_format, kind, data)

    def is_writable(self) -> bool:
        """Whether git can write objects: then what it refuses is refused for its content."""
        new = os.urandom(16).hex().encode()
        return self.git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=new).code == 0

    @contextmanager
    def scratch_index(self) -> Iterator[Git]:
        """Give a git whose index is an empty file of its own."""
        with tempfile.TemporaryDirectory(dir=self.path, prefix="index-") as folder:
            yield self.git.with_variables(GIT_INDEX_FILE=str(Path(folder) / "index"))


def create_job_repository(
    path: Path, user: Repository, branch: str, base: str, borrowed: Sequence[Path] = ()
) -> JobRepository:
    """Make the job repository at ``path`` with ``branch`` at commit ``base``.

    The journal of tips, beside it, begins there. ``borrowed`` are object stores to read besides the
    user's. One that a crash left half made is made again.
    """
    _make(path, user, borrowed)
    Tips(path.with_name(TIPS)).begin(base)
    return _opened(path, user, branch)


def open_job_repository(path: Path, user: Repository, branch: str) -> JobRepository:
    """Return the job repository at ``path``, committing in the user's name.

    Its settings are written again from the user's, who may have moved the repository; agents of
    an earlier run may have changed them, too. A repository that is gone is made again: the branch
    published in the user's holds what merged.
    """
    borrowed = _borrowed(path)
    if not all((path / part).is_dir() for part in ("objects", "refs")):
        noted, known = Tips(path.with_name(TIPS)).commits, History(user.git).tip_of(branch)
        if not noted and known is None:
            raise StoppedError(f"the job branch is gone from {path}", "plan the task again")
        _make(path, user, borrowed)
        if not noted and known:
            return create_job_repository(path, user, branch, known)
    _borrow(path, user, borrowed)
    return _opened(path, user, branch)


def _opened(path: Path, user: Repository, branch: str) -> JobRepository:
    _carry_settings(user, path)
    git = Git.at(path, user.caller_env, GIT_DIR=str(path), **user.identity())
    job = JobRepository(path, branch, git, user)
    job.point()
    return job


def _make(path: Path, user: Repository, borrowed: Sequence[Path]) -> None:
    """Make an empty bare repository that reads the user's objects."""
    shutil.rmtree(path, ignore_errors=True)
    make_folder(path)
    making = Git.at(path, user.caller_env, GIT_DEFAULT_REF_FORMAT="files")
    making.output(
        "init", "--quiet", "--bare", "--template=", f"--object-format={user.object_format}", "."
    )
    _borrow(path, user, borrowed)


def _borrow(path: Path, user: Repository, borrowed: Sequence[Path]) -> None:
    """Make the repository read the user's objects, and those of ``borrowed``.

    The latter lie beside it and are named from here: they move together.
    """
    objects = path / "objects"
    stores = [os.fsencode(user.objects)]
    here = objects.resolve()
    stores += [os.fsencode(os.path.relpath(store.resolve(), here)) for store in borrowed]
    with os_errors_stop(objects):
        discard(objects / "info" / "alternates")
        (objects / "info").mkdir(exist_ok=True)
        (objects / "info" / "alternates").write_bytes(b"\n".join(stores) + b"\n")


def _borrowed(path: Path) -> list[Path]:
    """Return the object stores that the repository at ``path`` reads besides the user's.

    Those are named by absolute paths, and found again.
    """
    stores = (_content(path / ALTERNATES) or b"").split(b"\n")
    others = (os.fsdecode(store) for store in stores if store and not store.startswith(b"/"))
    return [path / "objects" / store for store in others]


def remove_stale_locks(path: Path, user: Repository, branch: str) -> None:
    """Remove the lock files of refs that a killed git left; for the holder of the job's lock.

    In the user's repository that is the lock of the job branch alone.
    """
    for lock in (*path.glob("*.lock"), *(path / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)
    with suppress(NotADirectoryError):  # a branch has the folder's name
        (user.common_dir / "refs" / "heads" / f"{branch}.lock").unlink(missing_ok=True)


def _carry_settings(user: Repository, path: Path) -> None:
    """Copy the settings that decide how files of the user's repository are checked out."""
    for name in SETTINGS:
        discard(path / name)
    for name in CARRIED_FILES:
        if (user.common_dir / name).is_file():
            (path / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(user.common_dir / name, path / name)
    settings = [
        ("core.repositoryFormatVersion", "0" if user.object_format == "sha1" else "1"),
        ("core.bare", "true"),
        ("core.hooksPath", os.devnull),  # for an agent's git: no hook of the user's
    ]
    if user.object_format != "sha1":
        settings.append(("extensions.objectFormat", user.object_format))
    done = user.git.run("config", "--local", "--null", "--get-regexp", CARRIED_CONFIG)
    settings += map(setting_of, split_z(done.out))
    (path / "config").write_text(config_text(settings), errors="surrogateescape")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
