"""What a process may write and read, as a value."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from director.processes import landlock

DEVICES = (Path("/dev"), Path("/proc"))


class Domain(NamedTuple):
    """What a process may write: all but ``kept``, or nothing (``strict``); and ``own`` always.

    ``hidden`` cannot be read either. Nor can the files in ``unread``, but for those in ``read``.
    A folder stands for all that is in it. Paths are absolute and hold no links.
    """

    kept: tuple[Path, ...] = ()
    own: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    strict: bool = False
    unread: tuple[Path, ...] = ()
    read: tuple[Path, ...] = ()

    def __hash__(self) -> int:
        """Return a hash of what tells the domains of a job apart: the others hold many paths."""
        return hash((self.own, self.strict))

    def closes(self, folder: Path) -> bool:
        """Whether nothing new can be made directly in a folder: it is kept, or holds what is."""
        above = {folder, *folder.parents}
        if self.strict:
            return above.isdisjoint(self.own)
        inside = f"{folder}/" if folder.name else str(folder)  # compared as text: there are many
        return not above.isdisjoint(self.kept) or any(
            f"{kept}/".startswith(inside) for kept in self.kept
        )

    def denies(self, path: Path) -> bool:
        """Whether a process cannot make ``path``, or what is kept lies there."""
        if any(path.is_relative_to(own) for own in (*self.own, *DEVICES)):
            return False
        return self.closes(path.parent)


def outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return ``paths`` without those that lie in another one, in their order."""
    found = tuple(dict.fromkeys(paths))
    known = set(found)
    return tuple(path for path in found if known.isdisjoint(path.parents))


def access_in(domain: Domain) -> tuple[list[str], list[str] | None, list[str] | None]:
    """Return what may be written, read and listed in ``domain`` (None: all), for Landlock."""
    free = map(str, DEVICES) if domain.strict else landlock.all_but(domain.kept)
    readable = listable = None
    if closed := (*domain.hidden, *domain.unread):
        readable = [*landlock.all_but(closed), *_opened(domain)]
    if domain.hidden:
        listable = landlock.all_but(domain.hidden)
    return [*free, *map(str, domain.own)], readable, listable


def _opened(domain: Domain) -> Iterator[str]:
    """Give what of ``unread`` may be read all the same; what is hidden stays so."""
    for path in domain.read:
        if any(hidden.is_relative_to(path) for hidden in domain.hidden):
            inside = f"{path}/" if path.name else str(path)
            yield from (one for one in landlock.all_but(domain.hidden) if one.startswith(inside))
        elif not any(path.is_relative_to(hidden) for hidden in domain.hidden):
            yield str(path)
