"""The demo itself: makes the sample repository, then types the commands a person would type."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import director
from director.agents.opencode.backend import find_opencode
from director.demo.model_server import ModelServer
from director.demo.sample import make_sample
from director.demo.script import turns
from director.demo.stand_in import write_shim
from director.demo.texts import TASK
from director.model.errors import ExitCode, RequestError
from director.records.job_directory import FOLDER, Home

NOWHERE = "http://127.0.0.1:9/v1"  # the discard port: the stand-in asks no server
LOOPBACK = "127.0.0.1"
SITE_FOLDERS = ("site-packages", "dist-packages")

Say = Callable[[str], None]
Attached = Callable[[Sequence[str], Path, Mapping[str, str]], int]
"""Runs a command line in a folder, with an environment, on this terminal; gives its exit code."""


def run_demo(
    directory: Path | None, real: bool, env: Mapping[str, str], say: Say, attached: Attached
) -> int:
    """Run a whole job on a sample repository and return the first exit code that is not 0.

    ``directory`` becomes the repository (None: a new temporary folder); it is kept. ``real`` uses
    the OpenCode on PATH with a scripted model on loopback, else a stand-in plays OpenCode as
    well. ``attached`` runs the commands. Raises RequestError for a folder that is not empty, and
    for ``real`` without OpenCode.
    """
    if real:
        find_opencode(env)
    repository = _empty_folder(directory)
    with ExitStack() as stack:
        prepare = _with_real_opencode if real else _with_stand_in
        base_url, child_env = stack.enter_context(prepare(env))
        make_sample(repository, base_url, env, "auto" if real else "off")
        say(_introduction(repository, real))
        terminal = _Terminal(_finding_director(child_env), say, attached)
        code = _type_commands(repository, terminal)
    say(_where_to_look(repository))
    return code


def _empty_folder(directory: Path | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="director-demo-")).resolve()
    folder = directory.resolve()
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} is a file", "name a folder that is empty or missing")
    if folder.exists() and any(folder.iterdir()):
        raise RequestError(
            f"{folder} is not empty",
            "name a folder that is empty or missing, or none for a temporary one",
        )
    return folder


@contextmanager
def _with_stand_in(env: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give base URL and environment with a scripted ``opencode`` first on PATH."""
    with tempfile.TemporaryDirectory(prefix="director-stand-in-") as folder:
        write_shim(Path(folder))
        path = ":".join(filter(None, (folder, env.get("PATH", ""))))
        yield NOWHERE, {**env, "PATH": path}


@contextmanager
def _with_real_opencode(env: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give base URL and environment for a scripted model on loopback, past any proxy."""
    direct = {
        name: ",".join(filter(None, (env.get(name, ""), LOOPBACK)))
        for name in ("NO_PROXY", "no_proxy")
    }
    with ModelServer(turns) as server:
        yield server.base_url, {**env, **direct}


def _finding_director(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` so that ``python -m director`` finds this package, also when not installed."""
    parent = Path(director.__file__).resolve().parent.parent
    if parent.name in SITE_FOLDERS:
        return dict(env)
    return {**env, "PYTHONPATH": ":".join(filter(None, (str(parent), env.get("PYTHONPATH", ""))))}


@dataclass(frozen=True)
class _Terminal:
    """Where the demo types: an environment, a voice, and what runs a command."""

    env: Mapping[str, str]
    say: Say
    attached: Attached

    def type(self, *argv: str) -> int:
        """Show a command line, run it on this terminal, return its exit code."""
        self.say(f"\n$ director {shlex.join(argv)}")
        sys.stdout.flush()  # what was said so far stands before what the command says
        command = [sys.executable, "-m", "director", *argv]
        return self.attached(command, Path.cwd(), self.env)


def _type_commands(repository: Path, terminal: _Terminal) -> int:
    """Run plan, run and status; without a plan the rest has nothing to show."""
    repo = ("--repo", str(repository))
    code = terminal.type("plan", TASK, "--auto", "--parallel", "2", *repo)
    if code != ExitCode.DONE:
        return code
    code = terminal.type("run", "--parallel", "2", *repo)
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        return code
    shown = terminal.type("status", *repo)
    return code or shown


def _introduction(repository: Path, real: bool) -> str:
    player = (
        "Your OpenCode is real here; the models it talks to are scripted, on this machine."
        if real
        else "The models are scripted, and so is OpenCode: a stand-in plays both."
    )
    return (
        f"A sample repository (textkit, a few text utilities) is in {repository}.\n"
        f"{player}\n"
        "No provider is asked and nothing is paid; tokens and prices are made up.\n"
        "git, the worktrees, the tests and the gates are real."
    )


def _where_to_look(repository: Path) -> str:
    """Say what is left behind, and how to look at it."""
    records = repository / FOLDER
    lines = [f"\nThe repository stays at {repository}. Look at:"]
    if branch := _job_branch(repository):
        git = shlex.join(["git", "-C", str(repository)])
        lines += [f"  {git} log --stat {branch}", f"  {git} diff main {branch}"]
    lines += [
        f"  {records}: spec.md, plan.json, costs.jsonl, metrics.jsonl",
        f"  {records / 'logs'}: every prompt, every answer and every gate",
        "The scripted models have ended. For a task of your own, name your models in",
        f"{Home(records).config}, then run `director plan` there.",
    ]
    return "\n".join(lines)


def _job_branch(repository: Path) -> str | None:
    try:
        return Home(repository / FOLDER).job.load_plan().job_branch
    except RequestError:
        return None  # the plan was not made
