"""The machine: Python, git, cores, disk, confinement, launcher."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from director.diagnosing.subject import Found
from director.model.config import Config
from director.model.diagnosis import Row, ok, problem, warning
from director.model.errors import DirectorError
from director.model.format import counted, size
from director.processes.capture import absolute_path, said_version
from director.processes.launchers.launcher import Surroundings
from director.processes.launchers.registry import launcher_of
from director.processes.machine import SPARED_BYTES, Machine, free_disk, measure_machine
from director.processes.sandbox import choose_mechanism
from director.repositories.repository import LEAST_GIT
from director.worktrees.pool_folders import pool_environment, worktrees_folder

OLDEST_PYTHON = (3, 11)
LITTLE_BYTES = 2 * 10**9
LITTLE_MEMORY = 10**9


def python() -> Row:
    """Return which Python runs director."""
    version, where = platform.python_version(), sys.executable
    if sys.version_info < OLDEST_PYTHON:
        return problem("Python", f"{version} ({where})", "director needs Python 3.11 or later")
    return ok("Python", f"{version} ({where})")


def git(env: Mapping[str, str]) -> Row:
    """Return which git there is."""
    program = shutil.which("git", path=absolute_path(env))
    if program is None:
        return problem("git", "not found on PATH", "install git 2.31 or later")
    said = said_version(program, env)
    found = re.search(r"(\d+)\.(\d+)\S*", said)
    if found is None:
        return problem("git", f"{program} does not say its version", "install git 2.31 or later")
    if (int(found[1]), int(found[2])) < LEAST_GIT:
        return problem("git", f"{found[0]} ({program})", "install git 2.31 or later")
    return ok("git", f"{found[0]} ({program})")


def machine(env: Mapping[str, str], folder: Path, config: Config | None) -> Iterator[Row]:
    """Give what there is to work on: cores and memory, and disk where it will be written."""
    found = measure_machine()
    yield _cores(found)
    policy = config.launcher if config else None
    pool = worktrees_folder(pool_environment(policy, env) if policy else env)
    seen: set[int] = set()
    for what, place in (("worktrees", pool), ("the repository", folder)):
        there = next(one for one in (place, *place.parents) if one.is_dir())
        device = there.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield _disk(what, there, free_disk(there))


def _cores(found: Machine) -> Row:
    cores = counted(found.cores, "core")
    if found.free_bytes is None:
        return ok("machine", cores)
    said = f"{cores}, {size(found.free_bytes)} of memory free"
    if found.free_bytes < LITTLE_MEMORY:
        fix = "close other programs, or use one lane: an agent takes about 400 MB"
        return warning("machine", said, fix)
    return ok("machine", said)


def _disk(what: str, folder: Path, free: int | None) -> Row:
    if free is None:
        return warning("disk", f"cannot tell how much space is free in {folder}", "see `df`")
    said = f"{size(free)} free for {what} ({folder})"
    if free < SPARED_BYTES:
        return problem("disk", said, "free disk space; `director clean` frees prepared worktrees")
    if free < LITTLE_BYTES:
        return warning("disk", said, "free disk space; `director clean` frees prepared worktrees")
    return ok("disk", said)


def confinement(found: Found) -> Row:
    """Return what keeps agents and gates from the rest of the machine."""
    settings, policy = found.settings, found.settings.config.sandbox
    where = settings.place("sandbox", "mode")
    try:
        mechanism = choose_mechanism(policy, found.subject.env)
    except DirectorError as error:
        return problem("confinement", error.what, error.next_step, where)
    if mechanism:
        return ok("confinement", f"{policy.effective_mode} by {mechanism.name}")
    if policy.command:
        return ok("confinement", f"a command of yours: {' '.join(policy.command[:3])} …")
    if policy.mode == "off":
        fix = 'set mode = "auto" in [sandbox], unless something else confines director'
        return warning("confinement", "agents and gates may write anything", fix, where)
    fix = "install bubblewrap, or use Linux 5.19 or later"
    said = "agents and gates are not confined: neither Landlock nor bubblewrap works here"
    return warning("confinement", said, fix)


def launcher(found: Found) -> Row:
    """Return where agents, gates and setup run, and whether that can be reached."""
    policy, repository = found.settings.config.launcher, found.repository
    where = found.settings.place("launcher", "kind")
    surroundings = Surroundings("doctor", found.subject.env, repository.root, repository.root)
    try:
        made = launcher_of(policy, surroundings)
        if policy.kind == "local":
            return ok("launcher", "agents and gates run on this machine")
        places = made.machine()
    except DirectorError as error:
        return problem("launcher", error.what, error.next_step, where)
    if not places.cluster:
        return ok("launcher", made.name)
    said = f"{made.name}, {counted(places.cores, 'place')}"
    if not places.cores:
        return problem("launcher", said, "see `sinfo`: no node can take what is asked for", where)
    return ok("launcher", said)
