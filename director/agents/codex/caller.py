"""The one door to Codex: a ``codex exec`` for each call, judged by its events.

Codex's own sandbox (bubblewrap) does not work where director confines by Landlock, so there is only
ever one that holds files: director's where it has one, else Codex's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from director.agents.backend import AgentContext, Asking
from director.agents.calls import Assignment, Outcome, Reply, Spending
from director.agents.codex.events import CodexReader
from director.agents.codex.options import NOWHERE, CodexOptions, model_of
from director.agents.codex.settings import (
    ALWAYS,
    FREE,
    OFFLINE,
    READ_ONLY,
    WORKTREE,
    overrides,
    provider,
)
from director.agents.permissions import WRITING_AGENTS
from director.agents.process_call import Invocation, run_call
from director.agents.recorder import read_whole
from director.agents.transcript import FaultKind, Transcript
from director.model.config import Sampling
from director.model.diagnosis import Row
from director.model.errors import RequestError
from director.model.slots import scratch_folder, slot_variables
from director.processes.capture import capture, said_version
from director.processes.command import Command, Ending
from director.processes.launchers.launcher import Part
from director.processes.removal import clear, discard
from director.records.files import make_folder, write_log
from director.repositories.git import without_git_variables

LONGEST_PROMPT = 1_048_576  # characters
PROBE_SECS = 20.0
FLAGS = (
    "--json", "--ephemeral", "--strict-config", "--skip-git-repo-check",
    "--ignore-user-config", "--ignore-rules",
)  # fmt: skip
KEPT = ("CODEX_CA_CERTIFICATE", "CODEX_HOME")
KEYS = ("CODEX_ACCESS_TOKEN", "CODEX_API_KEY", "OPENAI_API_KEY")
READING = """\
Here files are read with shell commands (`cat`, `rg`, `ls`): those you may run, whatever is said
above. Commands can write nothing in this folder and have no network; run none for anything else."""


class Codex:
    """Makes calls for one job with one configuration (a ``backend.AgentCli``)."""

    def __init__(self, context: AgentContext, options: CodexOptions, program: Path) -> None:
        self._context = context
        self._options = options
        self._program = str(program)
        self._tried = False
        key = options.env_key
        self.recorder = context.recorder.hiding({key: context.env.get(key, "")})

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does."""
        if (size := len(assignment.prompt)) > LONGEST_PROMPT:
            reason = f"the prompt has {size:,} characters, and Codex takes {LONGEST_PROMPT:,}"
            kind = FaultKind.CONTEXT
            return Reply(Outcome.CONTEXT_TOO_LONG, Transcript(), reason, 0.0, events, kind)
        invoke = partial(self._invoke, assignment)
        make = partial(run_call, self._context, assignment, invoke)
        return self.recorder.record(assignment, spending, events, CodexReader(), make)

    def begin(self) -> None:
        """Do nothing: there is nothing to wait for."""

    def prepare(self) -> None:
        """Do nothing: each call starts a process of its own."""

    def check(self, worktree: Path) -> None:
        """Raise RequestError where commands of a role that reads could not be held, or run.

        Codex would continue without them, and say nothing of it.
        """
        if self._tried:
            return
        scratch = scratch_folder(worktree)
        clear(scratch)  # an agent may have put anything there
        argv = [self._program, "sandbox", *overrides(self._confined(writes=False)), "true"]
        launch = self._context.sandbox.launch(Part.READER, argv, worktree)
        log, env = scratch / "sandbox", self._variables(scratch)
        ended = self._context.processes.run(
            Command(launch.argv, worktree, env, log, PROBE_SECS, bind=launch.bind, step=launch.step)
        )
        said = read_whole(log).strip().splitlines()[-1:] or [ended.reason]
        clear(scratch)
        self._tried = (ended.ending, ended.code) == (Ending.EXITED, 0)
        if not self._tried and ended.ending is not Ending.CANCELLED:
            raise RequestError(
                f"the sandbox of Codex does not work here: {said[0][:300]}",
                'let director confine agents ([sandbox] mode = "auto"), or name other [tiers]',
            )

    def models(self, worktree: Path) -> frozenset[str]:
        """Return those of its own catalogue; it takes others that its provider knows, too."""
        from director.agents.codex.catalogue import offered

        context, scratch = self._context, scratch_folder(worktree)
        make_folder(scratch)
        asking = Asking(context.processes, context.env, context.root, context.config, scratch)
        found = frozenset(one.tier for one in offered(asking))
        discard(scratch)
        return found

    def remarks(self, worktree: Path) -> tuple[Row, ...]:  # noqa: ARG002
        """Return nothing: each call is a process of its own."""
        return ()

    def version(self) -> str:
        """Return which version makes the calls ("": it does not say)."""
        return said_version(self._program, {**self._context.env, **NOWHERE})

    def _invoke(self, assignment: Assignment, scratch: Path) -> Invocation:
        config, writes = self._context.config, assignment.agent in WRITING_AGENTS
        options, system = self._options, scratch / "system.md"
        idle_secs = config.limits.stall_timeout_secs / 2  # so that it tries again itself
        prompt = self._context.templates[assignment.agent].prompt
        write_log(system, prompt if writes else f"{prompt}\n\n{READING}\n")
        settings = {
            **ALWAYS,
            **self._confined(writes=writes),
            **provider(options.base_url, options.key_variable, idle_secs),
            "model_instructions_file": str(system),
            "shell_environment_policy": {"exclude": [*filter(None, (*KEYS, options.env_key))]},
        }
        if effort := config.sampling.get(assignment.role, Sampling()).reasoning_effort:
            settings["model_reasoning_effort"] = effort
        model = model_of(config.tiers[assignment.role])
        argv = [self._program, "exec", *FLAGS, "--model", model, *overrides(settings), "-"]
        env = self._variables(scratch) | {"PWD": str(assignment.cwd)}
        part = Part.AGENT if writes else Part.READER
        return Invocation(argv, env | slot_variables(assignment.cwd), part=part)

    def _confined(self, *, writes: bool) -> dict[str, Any]:
        """Return what Codex itself is to forbid, beside what director's sandbox does."""
        sandbox = self._context.sandbox
        if writes:
            return WORKTREE if sandbox.missing else FREE
        return OFFLINE if sandbox.mechanism else READ_ONLY

    def _variables(self, scratch: Path) -> dict[str, str]:
        """Return the variables of a call, and make the folders that they name.

        Its home must not lie in the folder for temporary files: Codex would refuse to put there
        what its sandbox consists of.
        """
        kept = (*KEPT, self._options.env_key)
        env = {
            name: value
            for name, value in self._context.env.items()
            if name in kept or not name.startswith("CODEX_")  # director may be a command of Codex
        }
        home, temporary = scratch / "codex", scratch / "tmp"
        for folder in (home, temporary):
            make_folder(folder)
        where = "CODEX_HOME" if self._options.home == "own" else "CODEX_SQLITE_HOME"
        own = {where: str(home), "TMPDIR": str(temporary), "GIT_TERMINAL_PROMPT": "0"}
        return without_git_variables(env) | own


def is_logged_in(program: Path, env: Mapping[str, str]) -> bool:
    """Whether Codex has a login in the user's home."""
    words: Sequence[str] = [str(program), "login", "status"]
    try:
        return capture(words, Path("/"), env, timeout_secs=PROBE_SECS).code == 0
    except OSError:
        return False
