"""What a run asks of the machine, counted: programs, syncs, looks at files. No clock is read.

With ``strace`` all of it is counted, of the whole tree of processes. Without, a ``git`` that
notes its arguments and a ``sitecustomize`` that notes syncs say a part.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STRACE = "strace"
SYNCS = frozenset({"fsync", "fdatasync", "syncfs", "sync"})
OPENS = frozenset({"open", "openat", "openat2"})
STATS = frozenset({"stat", "lstat", "statx", "newfstatat"})
FOLDERS = frozenset({"getdents", "getdents64"})
TRACED = ",".join(f"?{call}" for call in ("execve", *sorted(SYNCS | OPENS | STATS | FOLDERS)))
OF_DESCRIPTOR = "AT_EMPTY_PATH"  # how a C library spells fstat: no look at a path
CALL = re.compile(r"^\d+\s+(\w+)\((.*)$")
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')
WITH_VALUE = frozenset({"-c", "-C", "--git-dir", "--work-tree", "--namespace", "--exec-path"})
GIT = """\
#!/bin/sh
echo "git $*" >>{log}
exec {git} "$@"
"""
NOTING = """\
import os

def noting(sync):
    def noted(descriptor):
        with open({log!r}, "a") as log:
            log.write("fsync\\n")
        return sync(descriptor)
    return noted

os.fsync = noting(os.fsync)
os.fdatasync = noting(os.fdatasync)
"""


@dataclass
class Counts:
    """How often what happened. ``whole``: of all processes, and of all that is named here."""

    whole: bool
    git: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    def measures(self) -> dict[str, float]:
        """Return what → how often; what was not counted is left out."""
        found: dict[str, float] = {"git processes": self.git.total(), "fsyncs": self.other["sync"]}
        if self.whole:
            found["programs"] = self.other["program"]
            found["opened files"] = self.other["open"]
            found["looks at paths"] = self.other["stat"]
            found["reads of folders"] = self.other["folder"]
        found |= {f"git {name}": count for name, count in sorted(self.git.items())}
        return found


class Strace:
    """Counts by ``strace``."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "trace"

    def command(self, argv: Sequence[str | Path]) -> tuple[str | Path, ...]:
        """Return the command that is to run instead of ``argv``."""
        return (STRACE, "-f", "-z", "-s", "64", "-e", f"trace={TRACED}", "-o", self._log, *argv)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for it."""
        return dict(env)

    def counts(self) -> Counts:
        """Return what was counted, once the command has ended."""
        with self._log.open(errors="replace") as lines:
            return traced(lines)


class Noted:
    """Counts by what a wrapper of git and Python itself say, where there is no ``strace``."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._log = folder / "noted"
        self._log.touch()
        self._folder = folder
        git = shutil.which("git", path=env["PATH"]) or "git"
        wrapper = folder / "git"
        wrapper.write_text(GIT.format(log=shlex.quote(str(self._log)), git=shlex.quote(git)))
        wrapper.chmod(0o755)
        (folder / "sitecustomize.py").write_text(NOTING.format(log=str(self._log)))

    def command(self, argv: Sequence[str | Path]) -> tuple[str | Path, ...]:
        """Return the command that is to run instead of ``argv``: the same."""
        return tuple(argv)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for it."""
        return {**env, "PATH": f"{self._folder}:{env['PATH']}", "PYTHONPATH": str(self._folder)}

    def counts(self) -> Counts:
        """Return what was counted, once the command has ended."""
        return noted(self._log.read_text(errors="replace").splitlines())


def counter(folder: Path, env: Mapping[str, str]) -> Strace | Noted:
    """Return what counts here; ``folder`` is made for it."""
    folder.mkdir()
    return Strace(folder) if traceable() else Noted(folder, env)


def traceable() -> bool:
    """Return whether there is a ``strace`` here that may trace."""
    if shutil.which(STRACE) is None:
        return False
    argv = (STRACE, "-f", "-z", "-e", f"trace={TRACED}", "true")
    return subprocess.run(argv, stderr=subprocess.DEVNULL).returncode == 0


def traced(lines: Iterable[str]) -> Counts:
    """Return what lines of ``strace -f -z`` tell."""
    counts = Counts(whole=True)
    for line in lines:
        if found := CALL.match(line):
            call, said = found.groups()
            if call == "execve":
                _started(counts, WORD.findall(said)[1:])
            elif kind := _kind(call, said):
                counts.other[kind] += 1
    return counts


def noted(lines: Iterable[str]) -> Counts:
    """Return what a wrapped git and Python have noted."""
    counts = Counts(whole=False)
    for line in lines:
        if line == "fsync":
            counts.other["sync"] += 1
        else:
            counts.git[subcommand(line.split()[1:])] += 1
    return counts


def subcommand(arguments: Iterable[str]) -> str:
    """Return what git is asked for, less its options ("" where it is nothing)."""
    left = iter(arguments)
    for word in left:
        if word in WITH_VALUE:
            next(left, None)
        elif not word.startswith("-"):
            return word
    return ""


def _started(counts: Counts, argv: Sequence[str]) -> None:
    counts.other["program"] += 1
    if argv and Path(argv[0]).name == "git":
        counts.git[subcommand(argv[1:])] += 1


def _kind(call: str, said: str) -> str | None:
    if call in SYNCS:
        return "sync"
    if call in OPENS:
        return "open"
    if call in FOLDERS:
        return "folder"
    return "stat" if call in STATS and OF_DESCRIPTOR not in said else None
