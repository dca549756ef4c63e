"""What the user's working tree gives to worktrees: which paths, and a copy of them.

The copy is made before any agent works and sealed, so nothing that an agent does to the user's
files, or to the copy, gets into a later gate.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from director.model.config import WorktreePolicy
from director.model.errors import RequestError, StoppedError
from director.model.paths import lies_in, parents
from director.model.secrets import secrets_in
from director.processes.capture import capture
from director.repositories.git import split_z
from director.repositories.links import discard_inside
from director.repositories.repository import OWN_FOLDER, Repository
from director.worktrees.seals import SealedTree, Seals, copy, seals_of

GIVEN_PREFIX = "given-"
INCLUDE_FILE = ".worktreeinclude"
ADVICE = "correct [worktree] in the configuration"


class Sources(NamedTuple):
    """What is given: single files and folders to copy, as ``roots`` say, and folders to link.

    A root is the path that a worktree gets as a whole; of an ignored folder that
    ``.worktreeinclude`` names in part, only ``copied`` files are given. ``secrets`` maps file and
    name to the value of what looks like a key in ``.env`` files.
    """

    repository: Path
    copied: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    secrets: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Return it without the secrets."""
        return f"Sources({self.repository!r}, names={self.names!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """The paths that worktrees get."""
        return (*self.roots, *self.linked)

    def seals(self) -> Seals:
        """Return the seals of what is given, where the user has it."""
        return seals_of(self.repository, (*self.copied, *self.linked))


def find_sources(repository: Repository, policy: WorktreePolicy) -> Sources:
    """Return what the user's working tree gives; RequestError for what cannot be given.

    Without ``[worktree]`` and ``.worktreeinclude`` this looks at one path and starts nothing.
    """
    try:
        return _find(repository, policy)
    except OSError as error:
        raise RequestError(f"cannot read {error.filename}: {error.strerror}", ADVICE) from None


def _find(repository: Repository, policy: WorktreePolicy) -> Sources:
    root = repository.root
    for name in (*policy.copy, *policy.link):
        if not os.path.lexists(root / name):
            raise RequestError(f"[worktree] names {name}, which is not in {root}", ADVICE)
    included: list[str] = []
    roots: set[str] = set()
    if (root / INCLUDE_FILE).is_file():
        included, roots = _included(repository, policy)
    copied, linked = (*policy.copy, *included), policy.link
    for name in copied:
        _refuse_links(root, name, root)
    for name in linked:
        _refuse_links(root, name, root / name)  # it will lie apart from the rest
    secrets = _secrets(root, (*copied, *linked))
    return Sources(root, copied, (*policy.copy, *sorted(roots)), linked, secrets)


def _included(repository: Repository, policy: WorktreePolicy) -> tuple[list[str], set[str]]:
    """Return the ignored files that ``.worktreeinclude`` names, and the roots they lie in."""
    others = ("ls-files", "-z", "--others", "--ignored")
    ignored = split_z(repository.git.output(*others, "--exclude-standard"))
    named = set(split_z(repository.git.output(*others, f"--exclude-from={INCLUDE_FILE}")))
    apart = (*policy.copy, *policy.link, *policy.keep)
    found = [
        path
        for path in ignored
        if path in named and not path.startswith(OWN_FOLDER) and not lies_in(path, apart)
    ]
    if not found:
        return [], set()
    listed = split_z(repository.git.output(*others, "--exclude-standard", "--directory"))
    folders = {path.rstrip("/") for path in listed if path.endswith("/")}
    return found, {_root(path, folders) for path in found}


def _root(path: str, folders: set[str]) -> str:
    return next((folder for folder in parents(path) if folder in folders), path)


def _refuse_links(root: Path, name: str, whole: Path) -> None:
    """Raise RequestError for a link that leads into the checkout, or out of ``whole``.

    Links to absolute places elsewhere (an interpreter) stay as they are.
    """
    for path in _links(root, name):
        target = path.readlink()
        end = os.path.normpath(path.parent / target)
        on_the_way = path in (root / name).parents
        into = target.is_absolute() and lies_in(end, [str(root)])
        out = not target.is_absolute() and not lies_in(end, [str(whole)])
        if on_the_way or into or out:
            raise RequestError(
                f"{path} is a symbolic link (to {target}), which a worktree cannot have as it is",
                f"{ADVICE}: name what it leads to, copy instead of linking, or let `setup` make it",
            )


def _links(root: Path, name: str) -> Iterator[Path]:
    """Give the links on the way to a path, the path itself and those below it."""
    place = root
    for part in name.split("/"):
        place /= part
        if place.is_symlink():
            yield place
            return
    folders = [place] if place.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))


class UserFiles:
    """The copy for one job: ``tree`` as worktrees get it, ``linked`` what its links lead to.

    ``originals`` are the seals of what was copied; None: it changed meanwhile, so that
    later it cannot be told whether it is still that.
    """

    def __init__(
        self, tree: SealedTree, linked: SealedTree, originals: Seals | None = None
    ) -> None:
        self.tree = tree
        self.linked = linked
        self.originals = originals


def copy_user_files(sources: Sources, pool: Path, without: Iterable[str] = ()) -> UserFiles:
    """Copy what is given into a new folder in ``pool``; the part that is linked read-only.

    What lies at the paths ``without`` is left out.
    """
    folder = Path(tempfile.mkdtemp(dir=pool, prefix=GIVEN_PREFIX))
    tree, linked = folder / "tree", folder / "linked"
    originals = sources.seals()
    for place, names in ((tree, sources.copied), (linked, sources.linked)):
        place.mkdir(parents=True)
        for name in names:
            _take(sources.repository / name, place / name)
        for name in without:
            discard_inside(place, name)
    for name in sources.linked:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(linked / name)
        capture(["chmod", "-R", "a-w", "--", str(linked / name)], folder, os.environ)
    sealed = SealedTree.of(tree, sources.names), SealedTree.of(linked, sources.linked)
    return UserFiles(*sealed, originals if sources.seals() == originals else None)


def _take(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(source):
        raise StoppedError(f"{source} is gone", "restore it, then run the command again")
    copy(source, target)


def _secrets(root: Path, names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        path = root / name
        if path.name.startswith(".env") and path.is_file() and not path.is_symlink():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            keys = secrets_in(dict(_assignments(text)), os.path.exists)
            found |= {f"{name}.{key}": value for key, value in keys.items()}
    return found


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Give name and value of the lines ``NAME=value``."""
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals:
            yield name.strip(), value.strip().strip("\"'")
