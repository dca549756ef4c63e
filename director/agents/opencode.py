"""The one door to OpenCode: one headless call, watched while it runs, judged by its events.

The exit code of ``opencode run`` lies both ways (0 after a rejected permission, 1 after a
recovered overflow), so success is read from the events.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from director.agents.calls import Assignment, Reply, Spending
from director.agents.inline_config import NAME_PREFIX, inline_config
from director.agents.judging import Watch, judge
from director.agents.project import deep_merge, inherited_settings, model_settings
from director.agents.templates import load_template
from director.agents.transcript import TranscriptFollower
from director.model.config import Config
from director.model.errors import RequestError
from director.model.roles import Agent
from director.model.secrets import NOTHING_SECRET, Redactor, literal_secrets
from director.records.files import make_folder, redact_file, write_text
from director.workspace.git import without_git_variables
from director.workspace.processes import Command, Ended, Ending, Processes
from director.workspace.sandbox import Sandbox, scratch_folder

PROGRAM = "opencode"


class OpenCode:
    """Makes calls for one repository with one configuration.

    No secret is in what a call leaves: its logs, its transcript, its reason.
    """

    def __init__(
        self,
        processes: Processes,
        caller_env: Mapping[str, str],
        repository_root: Path,
        config: Config,
        logs: Path,
        sandbox: Sandbox | None = None,
        redactor: Redactor = NOTHING_SECRET,
    ) -> None:
        self._processes = processes
        self._env = caller_env
        self._config = config
        self._logs = logs
        self._templates = {agent: load_template(agent, repository_root) for agent in Agent}
        self._settings = deep_merge(model_settings(repository_root), inherited_settings(caller_env))
        self._program = find_program(caller_env)
        self._sandbox = sandbox or Sandbox()
        self._redactor = redactor.also(literal_secrets(self._settings))

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does.

        ``events`` is the file for the raw events; the prompt and standard error go beside it.
        """
        prompt, errors = events.with_suffix(".prompt.md"), events.with_suffix(".err")
        write_text(prompt, self._redactor.text(assignment.prompt))
        follower = TranscriptFollower(events, self._redactor)
        watch = Watch(follower, errors, spending, self._config.limits.stall_timeout_secs)
        scratch = scratch_folder(assignment.cwd)
        if scratch.is_symlink() or not scratch.is_dir():  # an agent may have put a file there
            scratch.unlink(missing_ok=True)
            scratch.mkdir(parents=True)
        ended = self._processes.run(
            Command(
                argv=self._sandbox.around(self._argv(assignment), assignment.cwd),
                cwd=assignment.cwd,
                env=self._environment(assignment, scratch),
                stdin=prompt,
                stdout=events,
                stderr=errors,
                timeout_secs=self._config.limits.node_timeout_secs,
            ),
            watch,
        )
        shutil.rmtree(scratch, ignore_errors=True)
        follower.poll()
        self._redact(events)
        outcome, reason = judge(ended, follower.transcript, _text(errors), watch.outcome)
        reason = self._redactor.text(reason)
        return Reply(outcome, follower.transcript, reason, ended.wall_secs, events)

    def _redact(self, events: Path) -> None:
        for log in (events, events.with_suffix(".err")):
            redact_file(log, self._redactor)

    def new_log(self, name: str) -> Path:
        """Return a fresh path for the events of a call of that name."""
        make_folder(self._logs)
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        return self._logs / f"{moment}-{name}-{secrets.token_hex(3)}.jsonl"

    def recall(self, events: Path) -> Reply:
        """Return the reply that an earlier call, perhaps cut short, left in its events file."""
        self._redact(events)
        follower = TranscriptFollower(events, self._redactor)
        follower.poll()
        ended = Ended(Ending.EXITED, None, 0.0)
        outcome, reason = judge(ended, follower.transcript, _text(events.with_suffix(".err")), None)
        return Reply(outcome, follower.transcript, reason, 0.0, events)

    def _argv(self, assignment: Assignment) -> list[str]:
        return [
            self._program, "run",
            "--dir", str(assignment.cwd),
            "--agent", f"{NAME_PREFIX}{assignment.agent}",
            "--model", self._config.tiers[assignment.role],
            "--title", assignment.name,
            "--format", "json",
            "--print-logs", "--log-level", "ERROR",
        ]  # fmt: skip

    def _environment(self, assignment: Assignment, scratch: Path) -> dict[str, str]:
        env = without_git_variables(self._env)
        env.pop("OPENCODE_PERMISSION", None)
        ours = inline_config(assignment, self._templates[assignment.agent], self._config)
        return env | {
            "GIT_TERMINAL_PROMPT": "0",
            "OPENCODE_CONFIG_CONTENT": json.dumps(deep_merge(self._settings, ours)),
            "OPENCODE_DB": ":memory:",  # one each: parallel calls cannot lock each other
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "BUN_TMPDIR": str(scratch),  # each start unpacks megabytes there and leaves them
            "PWD": str(assignment.cwd),
        }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def find_program(env: Mapping[str, str]) -> str:
    """Return the path of OpenCode; RequestError when it is not on PATH."""
    program = shutil.which(PROGRAM, path=env.get("PATH", os.defpath))
    if program is None:
        raise RequestError(
            "OpenCode (`opencode`) is not on PATH", "install it: `npm install -g opencode-ai`"
        )
    return program
