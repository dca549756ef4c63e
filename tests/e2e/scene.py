"""A scene: a user's repository, a real coding agent, a scripted model, director as a process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from director.demo.model_server import Request
from director.records.worktrees_record import kept_worktrees
from tests.e2e.driven import DRIVEN_OPENCODE, Driven, Server, with_program
from tests.e2e.programs import require
from tests.e2e.scripted_job import ScriptedJob, heading_of
from tests.support.hermetic import hermetic_environment
from tests.support.repositories import SampleRepo

PROJECT = Path(__file__).resolve().parents[2]
PROC = Path("/proc")
COMMAND_SECS = 120.0
ROLES = ("planner", "test_author", "executor", "explorer", "reviewer", "escalation")

HOME_FILES = (".gitconfig", ".local/state/director", ".cache/director")
LIMITS = """\
[limits]
node_timeout_secs = 60
provider_retries = 0
flake_runs = 1
"""

AddCleanup = Callable[..., None]


@dataclass(frozen=True)
class Said:
    """What a command said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Scene:
    """One repository with its models. ``env`` is what director, and all it starts, sees.

    ``driven`` is the coding agent that makes the calls. ``serving`` is ``[opencode] server`` where
    a test does not say otherwise.
    """

    repo: SampleRepo
    env: dict[str, str]
    job: ScriptedJob
    server: Server
    serving: str
    driven: Driven

    @classmethod
    def open(
        cls,
        add_cleanup: AddCleanup,
        job: ScriptedJob,
        files: Mapping[str, str],
        serving: str = "auto",
        driven: Driven = DRIVEN_OPENCODE,
    ) -> Scene:
        """Make a scene whose repository holds ``files``; ``add_cleanup`` takes it apart again.

        Skips the test where the program to be driven is not there.
        """
        program = require(driven.program)
        tmp = Path(tempfile.mkdtemp(prefix="director-e2e-")).resolve()
        # OpenCode's own processes may still write when they are ended: errors are theirs.
        add_cleanup(shutil.rmtree, tmp, ignore_errors=True)
        server = driven.serve(job)
        server.__enter__()
        add_cleanup(server.__exit__, None, None, None)
        env = with_program(program, hermetic_environment(tmp / "home"))
        env |= driven.env(server, tmp)
        repo = SampleRepo.create(tmp / "repo", env, files)
        scene = cls(repo, env, job, server, serving, driven)
        add_cleanup(scene.end_processes)
        return scene

    def configure(self, extra: str = "", name: str = "config.toml") -> None:
        """Write a configuration below ``.director``: all tiers local, and ``extra`` sections."""
        config = self._config(extra)
        if "[opencode]" not in extra:
            config += f'\n[opencode]\nserver = "{self.serving}"\n'
        self.repo.write(f".director/{name}", config)

    def _config(self, extra: str) -> str:
        tiers = "" if "[tiers]" in extra else tiers_of(self.driven.prefix)
        limits = "" if "[limits]" in extra else LIMITS
        return "\n".join((tiers, limits, self.driven.config(self.server), extra))

    def director(self, *argv: str, secs: float = COMMAND_SECS) -> Said:
        """Run director in the repository to its end."""
        process = self.start(*argv)
        try:
            out, err = process.communicate(timeout=secs)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"director {argv} took over {secs} s:\n{err}") from None
        return Said(process.returncode, out, err)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start director in the repository."""
        return subprocess.Popen(
            [sys.executable, "-m", "director", *argv],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def requests(self, heading: str) -> list[Request]:
        """Return the requests about ``heading`` that the model server got so far."""
        return [one for one in self.server.requests if heading_of(one.prompt) == heading]

    def record(self, name: str) -> Any:
        """Return a JSON file below ``.director``."""
        return json.loads((self.repo.root / ".director" / name).read_text())

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of a journal below ``.director``."""
        text = (self.repo.root / ".director" / name).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def in_sessions(self) -> bool:
        """Return whether a server was started for the calls so far."""
        return any((self.repo.root / ".director" / "logs").glob("server*.log"))

    def tool_uses(self, log: str) -> list[dict[str, Any]]:
        """Return the tool calls of the calls whose logs begin with ``log``, oldest first."""
        uses = []
        for path in sorted((self.repo.root / ".director" / "logs").glob(f"{log}.agent*.jsonl")):
            events = [json.loads(line) for line in path.read_text().splitlines()]
            uses += [one["part"] for one in events if one["type"] == "tool_use"]
        return uses

    def show(self, commit: str, path: str) -> str:
        """Return a file as it is in a commit."""
        return self.repo.git("show", f"{commit}:{path}")

    def paths(self, commit: str) -> list[str]:
        """Return the paths in a commit."""
        return self.repo.git("ls-tree", "-r", "--name-only", commit).splitlines()

    def leftovers(self) -> list[str]:
        """Return what is left behind: processes, worktrees, caches, temporary files, git locks."""
        cache = Path(self.env["XDG_STATE_HOME"]) / "director"
        kept = kept_worktrees(self.repo.root / ".director" / "worktrees.json")
        pools = [path for path in cache.glob("*") if kept is None or path != kept.folder]
        found = [str(path) for path in (*pools, *self._temporary_files())]
        found += [str(path) for path in self.repo.root.rglob("*.lock")]
        found += [path for path in self._worktrees() if path != str(self.repo.root)]
        return found + [f"process {pid}: {line}" for pid, line in self.processes().items()]

    def written_at_home(self) -> list[str]:
        """Return the files below HOME that neither the agent nor director is known to write."""
        home = Path(self.env["HOME"])
        known = [home / one for one in (*HOME_FILES, *self.driven.traces)]
        files = [path for path in home.rglob("*") if not path.is_dir()]
        return [str(one) for one in files if not any(one.is_relative_to(path) for path in known)]

    def _temporary_files(self) -> list[Path]:
        """Return what is in TMPDIR but for the one folder that all runs of the agent share."""
        shared = self.driven.temporary
        return [path for path in Path(self.env["TMPDIR"]).iterdir() if path.name != shared]

    def _worktrees(self) -> list[str]:
        listed = self.repo.git("worktree", "list", "--porcelain")
        for job in self.repo.root.rglob("job.git"):
            listed += "\n" + self.repo.git("--git-dir", str(job), "worktree", "list", "--porcelain")
        lines = [line for line in listed.splitlines() if line.startswith("worktree ")]
        return [line.removeprefix("worktree ") for line in lines if not line.endswith("job.git")]

    def processes(self) -> dict[int, str]:
        """Return the live processes of this scene (by its HOME): id → command line."""
        needle = f"HOME={self.env['HOME']}\0".encode()
        found = {}
        for entry in PROC.glob("[0-9]*"):
            with suppress(OSError):
                if needle in (entry / "environ").read_bytes():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry.name)] = line.decode(errors="replace").strip()
        return found

    def end_processes(self) -> None:
        """End what a failed test left running."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], what: str, secs: float = 60.0) -> None:
    """Poll until ``condition`` holds; AssertionError when it does not within ``secs``."""
    deadline = time.monotonic() + secs
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {secs} s: {what}")
        time.sleep(0.05)


def local_tiers(**others: str) -> str:
    """Return ``[tiers]`` with one local model for each role, ``others`` apart."""
    return tiers_of(DRIVEN_OPENCODE.prefix, **others)


def tiers_of(prefix: str, **others: str) -> str:
    """Return ``[tiers]`` with one model for each role after ``prefix``, ``others`` apart."""
    tiers = {role: others.get(role, f"{prefix}{role.replace('_', '-')}") for role in ROLES}
    return "[tiers]\n" + "".join(f'{role} = "{model}"\n' for role, model in tiers.items())


def prices(*models: str, input_usd: float = 1.0, output_usd: float = 4.0) -> str:
    """Return ``[pricing]`` for ``models``, in US dollars per million tokens."""
    lines = [f'"{name}" = {{ input = {input_usd}, output = {output_usd} }}\n' for name in models]
    return "[pricing]\n" + "".join(lines)


def gates(commands: Mapping[str, str]) -> str:
    """Return ``[gates]``."""
    return "[gates]\n" + "".join(f'{name} = "{command}"\n' for name, command in commands.items())


def succeeded(said: Said) -> Said:
    """Return ``said``; AssertionError with everything it said when it did not exit with 0."""
    if said.code != 0:
        raise AssertionError(f"exit code {said.code}\n{said.out}\n{said.err}")
    return said


def tools_offered(requests: Sequence[Request]) -> set[str]:
    """Return the names of the tools that these requests offer to the model."""
    return {tool["function"]["name"] for one in requests for tool in one.body.get("tools", [])}


def system_prompt(request: Request) -> str:
    """Return what the model is told before the conversation."""
    messages = request.body["messages"]
    return "\n".join(str(one["content"]) for one in messages if one["role"] == "system")
