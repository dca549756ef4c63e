"""The sandbox: what agents, gates and setup may touch, and how the machine enforces it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from director.model.config import SandboxPolicy
from director.model.errors import InterruptedRunError, RequestError, StoppedError
from director.model.patterns import lazy_pattern
from director.model.slots import repository_of, scratch_folder
from director.model.testing.checkout_paths import named_path
from director.processes.command import Command, Ended, Ending
from director.processes.confinement import Confinement, Landlock, Launch, Mechanism, find_mechanism
from director.processes.domain import Domain
from director.processes.installed import is_linked
from director.processes.launchers.launcher import Errand, Launcher, Part
from director.processes.launchers.local import Local
from director.processes.removal import discard
from director.processes.sandbox_paths import NO_CHECKOUT, SandboxPaths
from director.processes.supervisor import Processes
from director.records.logs import new_log

TRIAL_SECS = 60.0
AUTO = SandboxPolicy()
LOCAL = Local()
NOTHING = "none"
REFUSED = lazy_pattern("permission denied|EACCES|read-only file system|EROFS", re.IGNORECASE)
PATHS = lazy_pattern(r"(?<![\w./])/[\w./@+=~-]+")


class Sandbox:
    """The sandbox of one job. ``mechanism`` None: a ``command`` of the user's, or nothing.

    ``launcher`` starts what is confined.
    """

    def __init__(
        self,
        policy: SandboxPolicy = AUTO,
        mechanism: Mechanism | None = None,
        paths: SandboxPaths | None = None,
        launcher: Launcher = LOCAL,
    ) -> None:
        self.policy = policy
        self.mechanism = mechanism
        self.paths = paths
        self.launcher = launcher
        self._domains: dict[tuple[Part, Path], Domain] = {}

    @property
    def name(self) -> str:
        """What confines, in words: for receipts and for the first line of a run."""
        mechanism = self.mechanism
        confined = f"{self.policy.effective_mode} by {mechanism.name}" if mechanism else ""
        return ", ".join(filter(None, (confined, self.launcher.name))) or NOTHING

    @property
    def missing(self) -> str:
        """The notice for where nothing confines and that was not asked for; else ""."""
        if self.policy.mode != "auto" or self.policy.command or self.mechanism:
            return ""
        return "agents and gates are not confined: neither Landlock nor bubblewrap works here"

    @property
    def gap(self) -> str:
        """The notice for where agents can write director's own code all the same; else ""."""
        if not (self.mechanism and self.policy.mode != "strict" and is_linked()):
            return ""
        return (
            "agents can write director's own code: its files are hard links, as uv makes them to "
            "its cache; install it again with `--link-mode copy`"
        )

    @property
    def binds_threads(self) -> bool:
        """Whether a process can confine itself further (Landlock)."""
        return isinstance(self.mechanism, Landlock)

    @property
    def keeps_contents(self) -> bool:
        """Whether nothing that is kept can be written, in any way."""
        return self.mechanism is not None and self.mechanism.keeps_contents

    @property
    def for_one_worktree(self) -> bool:
        """Whether it is made for one worktree at a time, so that calls cannot share a server."""
        strict = self.mechanism is not None and self.policy.mode == "strict"
        return self.launcher.per_worktree or strict

    def launch(self, part: Part, argv: Sequence[str], worktree: Path) -> Launch:
        """Return how ``argv`` is started for ``part`` in ``worktree`` (a server: its folder).

        Raises StoppedError when the kernel refuses to confine it.
        """
        confinement = None
        if self.mechanism:
            confinement = Confinement(self.mechanism, self.domain(part, worktree))
        try:
            return self.launcher.launch(Errand(part, argv, worktree, confinement))
        except OSError as error:
            raise StoppedError(
                f"cannot confine a process ({self.name}): {error}",
                'run the command again, or set [sandbox] mode = "off"',
            ) from None

    def domain(self, part: Part, worktree: Path) -> Domain:
        """Return what ``part`` may write and read when it works in ``worktree``."""
        known = self._domains.get((part, worktree))
        if known is None:
            known = self._domains[part, worktree] = self._domain(part, worktree)
        return known

    def _domain(self, part: Part, worktree: Path) -> Domain:
        assert self.paths is not None
        paths, strict = self.paths, self.policy.mode == "strict"
        own = paths.writable.agents if part is Part.SERVER else worktree
        mine = (own, repository_of(own), scratch_folder(own), *paths.writable.named)
        if part in (Part.CHECKOUT, Part.READER):
            mine = (scratch_folder(own), *paths.writable.named)
        if strict and part in (Part.AGENT, Part.SERVER):
            mine += paths.writable.agent_folders
        kept = paths.kept_from_setup if part is Part.SETUP else paths.kept
        checkout = paths.checkout if part is Part.GATE else NO_CHECKOUT
        return Domain(kept, mine, paths.hide, strict, checkout.roots, checkout.shared)

    def denied(self, part: Part, worktree: Path, output: str) -> Path | None:
        """Return what ``part`` was not let write, as it says in ``output`` itself.

        None: nothing of the kind, or nothing that ``write`` of the configuration could open.
        """
        if self.mechanism is None or self.paths is None:
            return None
        domain, closed = self.domain(part, worktree), self.paths.closed
        lines = (line for line in output.splitlines() if REFUSED.search(line))
        named = (Path(name) for line in lines for name in PATHS.findall(line))
        return next(
            (
                path
                for path in named
                if domain.denies(path) and not any(path.is_relative_to(one) for one in closed)
            ),
            None,
        )

    def unread(self, part: Part, worktree: Path, output: str) -> Path | None:
        """Return what of the user's checkout ``part`` was not let read, as ``output`` says."""
        if self.mechanism is None or self.paths is None or part is not Part.GATE:
            return None
        refused = [line for line in output.splitlines() if REFUSED.search(line)]
        return named_path(refused, worktree, self.paths.checkout)

    def variables(self, part: Part, worktree: Path, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with which ``part`` finds a place for temporary files.

        Where nothing new can be made in the usual one, that is a folder beside its worktree.
        """
        if self.mechanism is None:
            return {}
        usual = env.get("TMPDIR") or tempfile.gettempdir()
        if not _is_closed(self.domain(part, worktree), usual):
            return {}
        scratch = scratch_folder(worktree)
        if scratch.is_symlink() or not scratch.is_dir():  # an agent may have put a file there
            discard(scratch)
            scratch.mkdir(parents=True)
        return {"TMPDIR": str(scratch)}

    def try_out(self, processes: Processes, env: Mapping[str, str], pool: Path, logs: Path) -> None:
        """Check that the launcher works, in a folder of ``pool``.

        RequestError says why not.
        """
        if not self.launcher.trial:
            return
        what = "launcher" if self.mechanism or not self.policy.command else "sandbox"
        advice = f"correct [{what}] in the configuration"
        with tempfile.TemporaryDirectory(dir=pool, prefix="trial-") as folder:
            worktree = Path(folder).resolve()
            words = ["/bin/sh", "-c", self.launcher.trial, "sh", str(worktree)]
            launch = self.launch(Part.GATE, words, worktree)
            program = launch.argv[0]
            if shutil.which(program, path=env.get("PATH")) is None:
                raise RequestError(f"the {what} program {program!r} was not found on PATH", advice)
            log = new_log(logs, what)
            command = Command(launch.argv, worktree, env, log, TRIAL_SECS, step=launch.step)
            ended = processes.run(command)
            if ended.ending is Ending.CANCELLED:
                raise InterruptedRunError(processes.cancellation.signal_number or 2)
            if (ended.ending, ended.code) != (Ending.EXITED, 0):
                raise RequestError(f"the {what} does not work: {_problem(ended, log)}", advice)
        log.unlink()


@lru_cache
def _is_closed(domain: Domain, folder: str) -> bool:
    """Whether nothing new can be made in ``folder``, as it was at the first time of asking."""
    return domain.closes(Path(folder).resolve())


def choose_mechanism(policy: SandboxPolicy, env: Mapping[str, str]) -> Mechanism | None:
    """Return what confines under ``policy``; None: nothing, or the command of the user's.

    RequestError when confinement is demanded and cannot be had here.
    """
    if policy.command or policy.mode == "off":
        return None
    found = find_mechanism(env)
    if found is None and policy.mode != "auto":
        raise RequestError(
            f'[sandbox] mode = "{policy.mode}" needs Landlock (Linux 5.19 or later) or a working '
            "bubblewrap (bwrap), and there is neither",
            'install bubblewrap, or set mode = "auto" or "off"',
        )
    return found


def _problem(ended: Ended, log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = [line.strip() for line in said if line.strip()][-1:]
    reason = ended.reason or f"exit code {ended.code}"
    return f"{last[0]} ({reason})" if last else reason
