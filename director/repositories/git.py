"""The one door to git: explicit folder, environment and input; errors that show the command."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from director.model.errors import RequestError, StoppedError
from director.model.reason import Reason
from director.processes.capture import Captured, Dialogue, capture, said_version
from director.records.files import NO_SPACE

KEPT_VARIABLES = ("GIT_EXEC_PATH", "GIT_CONFIG", "GIT_ASKPASS", "GIT_SSH", "GIT_SSL", "GIT_HTTP")
# What the user configured for their own work must neither run nor write in director's commands: a
# hook or a monitor is a program of theirs, and maintenance starts processes that outlive a run.
QUIET_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.safecrlf=false",
    "core.ignoreStat=false",
    "core.splitIndex=false",  # the shared part would lie where agents write
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
    "advice.detachedHead=false",
)
NEEDED_TO_START = ("HOME", "PATH", "LD_", "DYLD_")  # beginnings of variables, for any program
FULL_DISK = (NO_SPACE, "Out of diskspace")  # as git's parts say it
GIT = ("git", *(part for setting in QUIET_CONFIG for part in ("-c", setting)))


class GitError(StoppedError):
    """A git command that director needs has failed."""

    def __init__(self, argv: tuple[str, ...], done: Captured) -> None:
        said = done.err.decode(errors="replace").strip().splitlines() or ["no message"]
        # git may say more, of what it was at
        full = [line for line in said if any(map(line.__contains__, FULL_DISK))]
        todo = "free disk space" if full else "correct what git names"
        super().__init__(
            f"`git {shlex.join(argv)}` failed with exit code {done.code}: {(full or said)[-1]}",
            f"{todo}, then run the command again",
            Reason.DISK_FULL if full else None,
        )
        self.message = "\n".join(said)


class Git:
    """git in one folder, with exactly the environment it is given.

    ``before`` is done before each process of it starts: it restores what git is about to read.
    """

    def __init__(
        self,
        cwd: Path,
        env: Mapping[str, str],
        settings: Sequence[str] = (),
        before: Callable[[], None] | None = None,
    ) -> None:
        self.cwd = cwd
        self.env = env
        self.settings = tuple(settings)  # ``name=value``, over what is configured anywhere
        self._before = before

    @classmethod
    def at(cls, cwd: Path, caller_env: Mapping[str, str], **variables: str) -> Git:
        """Return git in ``cwd`` for a caller's environment, whose ``GIT_*`` do not get through.

        Inherited variables such as GIT_DIR or GIT_INDEX_FILE (set inside hooks) would redirect
        commands to another repository. Optional locks are off: looking must not write. An
        object is what its id says: `git replace`, which an agent may use, does not count.
        """
        quiet = {
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        return cls(cwd, {**without_git_variables(caller_env), **quiet, **variables})

    def with_variables(self, **variables: str) -> Git:
        """Return the same git with more variables set."""
        return Git(self.cwd, {**self.env, **variables}, self.settings, self._before)

    def with_settings(self, *settings: str) -> Git:
        """Return the same git with ``settings`` (``name=value``), wherever else they are set."""
        return Git(self.cwd, self.env, (*self.settings, *settings), self._before)

    def at_work_in(self, folder: Path) -> Git:
        """Return the same git in another folder."""
        return Git(folder, self.env, self.settings, self._before)

    def restoring(self, before: Callable[[], None]) -> Git:
        """Return the same git, and ``before`` is done before each of its processes starts."""
        return Git(self.cwd, self.env, self.settings, before)

    def run(self, *argv: str, stdin: bytes = b"") -> Captured:
        """Run git and return exit code and streams; RequestError when there is no git."""
        with self._started():
            return capture(self._argv(*argv), self.cwd, self.env, stdin)

    def dialogue(self, *argv: str) -> Dialogue:
        """Start a git that answers as long as it is asked; RequestError when there is no git."""
        with self._started():
            return Dialogue(self._argv(*argv), self.cwd, self.env)

    def _argv(self, *argv: str) -> list[str]:
        return [*GIT, *(part for setting in self.settings for part in ("-c", setting)), *argv]

    @contextmanager
    def _started(self) -> Iterator[None]:
        if self._before:
            self._before()
        try:
            yield
        except FileNotFoundError:
            if not self.cwd.is_dir():
                raise RequestError(f"there is no folder {self.cwd}", "give another") from None
            raise RequestError("git is not on PATH", "install git") from None

    def output(self, *argv: str, stdin: bytes = b"") -> bytes:
        """Return git's standard output; GitError when it fails."""
        done = self.run(*argv, stdin=stdin)
        if done.code != 0:
            raise GitError(argv, done)
        return done.out

    def text(self, *argv: str, stdin: bytes = b"") -> str:
        """Return git's standard output as text without surrounding white space."""
        return self.output(*argv, stdin=stdin).decode(errors="surrogateescape").strip()

    def ok(self, *argv: str) -> bool:
        """Whether git exits with 0."""
        return self.run(*argv).code == 0


def said_by_git(env: Mapping[str, str]) -> str:
    """Return what git says its version is, or ""; asked once per process."""
    return said_version("git", {k: v for k, v in env.items() if k.startswith(NEEDED_TO_START)})


def git_version(env: Mapping[str, str]) -> tuple[int, ...]:
    """Return git's version as numbers, as far as it is made of them; () where it says none."""
    said = said_by_git(env).removeprefix("git version ").split(" ")[0]
    return tuple(map(int, takewhile(str.isdecimal, said.split("."))))


def without_git_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without the ``GIT_*`` that redirect git (configuration ones stay)."""
    return {
        name: value
        for name, value in env.items()
        if not name.startswith("GIT_") or name.startswith(KEPT_VARIABLES)
    }


def split_z(output: bytes) -> list[str]:
    """Return the parts of NUL-terminated output (paths: surrogateescape for odd bytes)."""
    return [part.decode(errors="surrogateescape") for part in output.split(b"\0") if part]


def join_z(parts: list[str]) -> bytes:
    """Return ``parts`` as NUL-terminated input."""
    return b"".join(part.encode(errors="surrogateescape") + b"\0" for part in parts)
