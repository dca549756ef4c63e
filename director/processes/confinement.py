"""Confinement: what a process may write, as a value, and how the kernel is told to enforce it.

Landlock binds a thread that then starts the process; bubblewrap stands in front of the command.
Either way what is confined need not be trusted.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from os.path import exists, islink
from pathlib import Path
from typing import NamedTuple, Protocol

from director.processes import landlock
from director.processes.capture import absolute_path, capture
from director.processes.command import Step
from director.processes.confiner import write_confiner
from director.processes.domain import Domain, access_in

TRIAL_SECS = 10.0
TICK_NS = 20_000_000  # what changes within a tick of the file system's clock has one time
ROOT = Path("/")


class Launch(NamedTuple):
    """How a command is started: its words, and what binds the thread that starts it.

    ``step``: it runs on another machine, and what there is to be known of that.
    """

    argv: list[str]
    bind: Callable[[], None] | None = None
    step: Step | None = None


class Mechanism(Protocol):
    """A way to confine a process. ``name`` is what receipts say.

    ``keeps_contents``: nothing that is kept can be written, not even cut short.
    """

    name: str
    keeps_contents: bool

    def launch(self, argv: Sequence[str], domain: Domain) -> Launch:
        """Return how ``argv`` is started in ``domain``."""
        ...

    def words(self, domain: Domain, folder: Path, /) -> list[str]:
        """Return words that confine what follows them, on whatever machine they are said.

        What they need is written into ``folder``.
        """
        ...


class Confinement(NamedTuple):
    """A mechanism, and the domain in which it is to keep a process."""

    mechanism: Mechanism
    domain: Domain

    def launch(self, argv: Sequence[str]) -> Launch:
        """Return how ``argv`` is started on this machine. Raises OSError."""
        return self.mechanism.launch(argv, self.domain)

    def words(self, folder: Path) -> list[str]:
        """Return words that confine what follows them on any machine that sees ``folder``."""
        return self.mechanism.words(self.domain, folder)


class Landlock:
    """Confines by rules of the kernel. Callable from any thread."""

    def __init__(self, version: int) -> None:
        self.name = f"Landlock (ABI {version})"
        self.keeps_contents = bool(landlock.write_rights(version) & landlock.TRUNCATE)
        self._known: dict[Domain, _Rules] = {}
        self._turn = threading.Lock()

    def launch(self, argv: Sequence[str], domain: Domain) -> Launch:
        """Return how ``argv`` is started in ``domain``; OSError when the kernel refuses it."""
        return Launch(list(argv), self._ruleset(domain).restrict_thread)

    def words(self, domain: Domain, folder: Path) -> list[str]:
        """Return words that start a program in ``folder``, which confines itself first."""
        return write_confiner(domain, folder)

    def _ruleset(self, domain: Domain) -> landlock.Ruleset:
        """Return the rules; made again when a folder on the way to what is kept has changed.

        Rules only allow, so what is new in such a folder would else stay closed.
        """
        with self._turn:
            known = self._known.get(domain)
            if known is None or not known.hold():
                known = _Rules(domain)  # the old ones go when no thread needs them
                self._known[domain] = known
            return known.ruleset


class _Rules:
    """The rules of one domain, as the folders on the way to what is kept were."""

    def __init__(self, domain: Domain) -> None:
        kept = () if domain.strict else domain.kept
        closed = (*kept, *domain.hidden, *domain.unread)
        self._folders = tuple(map(str, landlock.on_the_way_to(closed)))
        self._changed = tuple(map(_changed_at, self._folders))
        self._own = {path: _identity(path) for path in map(str, domain.own)}
        self._read = {path: _identity(path) for path in map(str, domain.read)}
        self._settled = time.time_ns() - max(self._changed, default=0) > TICK_NS
        self.ruleset = landlock.Ruleset(*access_in(domain))

    def hold(self) -> bool:
        """Whether nothing was made or removed in those folders since.

        A rule is about a folder, not about its name: an own one that was made again gets a rule.
        """
        same = all(_identity(path) == known for path, known in self._read.items())
        if not (same and self._settled and self._changed == tuple(map(_changed_at, self._folders))):
            return False
        for path, known in self._own.items():
            if (found := _identity(path)) != known:
                self.ruleset.allow_writing(path)
                self._own[path] = found
        return True


class Bubblewrap:
    """Confines by another view of the file system (bwrap(1)), where there is no Landlock."""

    def __init__(self, program: str) -> None:
        self.name = "bubblewrap"
        self.keeps_contents = True
        self._program = program

    def launch(self, argv: Sequence[str], domain: Domain) -> Launch:
        """Return how ``argv`` is started in ``domain``."""
        words = [self._program, "--ro-bind" if domain.strict else "--bind", "/", "/"]
        for bind, path in () if domain.strict else _binds(domain.kept):
            words += [bind, path, path]
        words += ["--dev-bind", "/dev", "/dev"]
        for unread in domain.unread:
            words += ["--tmpfs", str(unread)]
            for read in domain.read:
                if read.is_relative_to(unread):
                    words += ["--ro-bind-try", str(read), str(read)]
            words += ["--remount-ro", str(unread)]
        for hidden in domain.hidden:
            if hidden.exists():
                cover = ["--tmpfs"] if hidden.is_dir() else ["--ro-bind", os.devnull]
                words += [*cover, str(hidden)]
        for own in domain.own:
            words += ["--bind-try", str(own), str(own)]
        return Launch([*words, "--", *argv])

    def words(self, domain: Domain, _folder: Path) -> list[str]:
        """Return the words of bwrap(1), which needs no file."""
        return self.launch([], domain).argv


def _binds(kept: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Give the binds, in their order, that keep what is ``kept``, each with its path.

    A folder on the way is bound to itself, so that it cannot be moved. Where something in it can
    be no mount (it is not there yet, or a link), it is closed, and all else in it is opened.
    """
    on_the_way = landlock.on_the_way_to(kept)
    concerned = {*on_the_way, *kept}
    solid = {one for one in concerned if exists(one) and not islink(one)}  # noqa: PTH110, PTH114
    closed = {one.parent for one in concerned - solid}
    taken = set(map(str, concerned))
    for folder in sorted(on_the_way & solid):
        yield ("--ro-bind" if folder in closed else "--bind"), str(folder)
        if folder in closed:
            found = landlock.entries(str(folder))
            free = (one for one in found if not one.is_symlink() and one.path not in taken)
            yield from (("--bind-try", one.path) for one in free)
    yield from (("--ro-bind-try", str(path)) for path in kept if path in solid)


def find_mechanism(env: Mapping[str, str]) -> Mechanism | None:
    """Return what can confine on this machine: Landlock, else bubblewrap where it works."""
    if version := landlock.abi():
        return Landlock(version)
    program = shutil.which("bwrap", path=absolute_path(env))
    if program is None:
        return None
    trial = Bubblewrap(program).launch(["true"], Domain())
    try:
        done = capture(trial.argv, ROOT, env, timeout_secs=TRIAL_SECS)
    except OSError:
        return None
    return Bubblewrap(program) if done.code == 0 else None


def _identity(path: str) -> tuple[int, int]:
    """Return what tells a folder from another in its place, as long as rules name it."""
    try:
        found = os.lstat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _changed_at(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 (often called)
    except OSError:
        return 0
