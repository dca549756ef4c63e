"""The one door to OpenCode: one headless call, watched while it runs, judged by its events.

The exit code of ``opencode run`` lies both ways (0 after a rejected permission, 1 after a
recovered overflow), so success is read from the events.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from director.agents.permissions import everywhere, permissions
from director.agents.project import deep_merge, inherited_settings, model_settings
from director.agents.templates import Template, load_template
from director.agents.transcript import AgentFault, Transcript, TranscriptFollower
from director.model.config import Config, Sampling
from director.model.errors import RequestError
from director.model.roles import Agent, Role
from director.model.secrets import NOTHING_SECRET, Redactor, literal_secrets
from director.records.files import make_folder, redact_file, write_text
from director.workspace.git import without_git_variables
from director.workspace.processes import Command, Ended, Ending, Processes
from director.workspace.sandbox import Sandbox, scratch_folder

PROGRAM = "opencode"
NAME_PREFIX = "director-"  # names of director's own: a project's agent cannot merge into them
EMPTY_FINISHES_TOLERATED = 5
STREAM_ERRORS_TOLERATED = 3
STREAM_ERROR = re.compile(rb'message="stream error"[^\n]*')
REJECTED = re.compile(r"permission requested: ([^\n;]+); auto-rejecting")
FALLBACK = "Falling back to default agent"
UPSTREAM = re.compile(r'error\.error="([^"]*)')
CAUSE = re.compile(r'message=failed [^\n]*?error="([^"\n]+)"')
MODELS_OWN_ENDS = ("length", "content-filter")
CONTEXT_NAMES = ("ContextOverflowError",)
PROVIDER_FAULT_NAMES = (
    "APIError",
    "ProviderAuthError",
    "UnknownError",
    "ProviderModelNotFoundError",
)


class Outcome(StrEnum):
    """How a call ended. Only the first three are the model's own doing."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    TIMED_OUT = "timed out"
    CONTEXT_TOO_LONG = "context too long"
    PROVIDER_FAULT = "provider fault"
    AGENT_FAULT = "agent fault"
    OVER_BUDGET = "over budget"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Assignment:
    """One call: who is asked, on which tier, in which folder, and what it may edit.

    ``name`` names the log files; ``node`` and ``attempt`` say what the call is recorded under.
    ``memo`` is what the asker needs to go on when director is killed meanwhile (JSON values).
    """

    agent: Agent
    role: Role
    prompt: str
    cwd: Path
    name: str
    allowlist: tuple[str, ...] = ()
    node: str | None = None
    attempt: int | None = None
    memo: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came of a call. ``reason`` is one sentence when it did not complete."""

    outcome: Outcome
    transcript: Transcript
    reason: str
    wall_secs: float
    log: Path


Spending = Callable[[Transcript], str | None]
"""Told the transcript while it grows; a sentence it returns ends the call."""


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
        watch = _Watch(follower, errors, spending, self._config.limits.stall_timeout_secs)
        scratch = scratch_folder(assignment.cwd)
        scratch.mkdir(exist_ok=True)
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


def inline_config(assignment: Assignment, template: Template, config: Config) -> dict[str, Any]:
    """Return the configuration that defines this call's agent, whatever the project defines."""
    rules = permissions(assignment.agent, template.permission, assignment.allowlist)
    sampling = config.sampling.get(assignment.role, Sampling())
    agent: dict[str, Any] = {
        "mode": "primary",
        "description": f"director's {assignment.agent}",
        "prompt": template.prompt,
        "permission": rules,
        **_sampling_settings(sampling),
    }
    if isinstance(template.header.get("steps"), int):
        agent["steps"] = template.header["steps"]
    return {
        "agent": {f"{NAME_PREFIX}{assignment.agent}": agent},
        "permission": everywhere(),
        "provider": _provider_settings(config.tiers[assignment.role], sampling, config),
        "snapshot": False,
        "share": "disabled",
        "autoupdate": False,
        "experimental": {"continue_loop_on_deny": True},
    }


def _sampling_settings(sampling: Sampling) -> dict[str, Any]:
    """Return the agent's sampling keys; those the agent does not know go into the request body."""
    known = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "seed": sampling.seed,
        "reasoningEffort": sampling.reasoning_effort,
    }
    return {k: v for k, v in known.items() if v is not None} | dict(sampling.options)


def _provider_settings(model: str, sampling: Sampling, config: Config) -> dict[str, Any]:
    provider, _, name = model.partition("/")
    details: dict[str, Any] = {}
    if sampling.temperature is not None:
        details["temperature"] = True  # else the agent keeps the temperature to itself
    settings: dict[str, Any] = {}
    if provider == "local" and config.local:
        settings = {
            "npm": "@ai-sdk/openai-compatible",
            "name": "local",
            "options": {"baseURL": config.local.base_url, "apiKey": config.local.api_key},
        }
        details["limit"] = {"context": config.local.context, "output": config.local.output}
        details.setdefault("temperature", True)
    if details:
        settings["models"] = {name: details}
    return {provider: settings} if settings else {}


class _Watch:
    """Looks at a running call: money, endless empty turns, repeated stream errors, silence."""

    def __init__(
        self, follower: TranscriptFollower, errors: Path, spending: Spending, stall_secs: float
    ) -> None:
        self.outcome: Outcome | None = None
        self._follower = follower
        self._errors = errors
        self._spending = spending
        self._stall_secs = stall_secs
        self._size = 0
        self._last_sign = time.monotonic()

    def __call__(self) -> str | None:
        """Return why the call must end now, or None."""
        progressed = self._follower.poll()
        size = self._errors.stat().st_size if self._errors.exists() else 0
        transcript = self._follower.transcript
        if progressed:
            # What is finished is paid for: ending it now would save nothing and lose the work.
            if transcript.last_finish != "stop" and (reason := self._spending(transcript)):
                return self._end(Outcome.OVER_BUDGET, reason)
            if transcript.empty_finishes >= EMPTY_FINISHES_TOLERATED:
                return self._end(Outcome.PROVIDER_FAULT, "the provider keeps sending empty answers")
        if size != self._size:
            errors = STREAM_ERROR.findall(self._errors.read_bytes())
            if len(errors) >= STREAM_ERRORS_TOLERATED:
                said = UPSTREAM.search(errors[-1].decode(errors="replace"))
                detail = said[1] if said else "stream errors"
                return self._end(Outcome.PROVIDER_FAULT, f"the provider keeps failing: {detail}")
        now = time.monotonic()
        if progressed or size != self._size:
            self._size, self._last_sign = size, now
        elif now - self._last_sign > self._stall_secs:
            return self._end(Outcome.PROVIDER_FAULT, f"no sign of life for {self._stall_secs:g} s")
        return None

    def _end(self, outcome: Outcome, reason: str) -> str:
        self.outcome = outcome
        return reason


def judge(
    ended: Ended, transcript: Transcript, said: str, stopped_for: Outcome | None
) -> tuple[Outcome, str]:
    """Say how a call ended, from how the process ended, its events and its standard error."""
    if stopped_for is not None:
        return stopped_for, ended.reason
    match ended.ending:
        case Ending.CANCELLED:
            return Outcome.CANCELLED, ended.reason
        case Ending.NOT_STARTED:
            return Outcome.AGENT_FAULT, f"OpenCode could not be started: {ended.reason}"
        case Ending.TIMED_OUT:
            return Outcome.TIMED_OUT, ended.reason
    if FALLBACK in said:
        return Outcome.AGENT_FAULT, "OpenCode did not know the agent and fell back to another"
    if transcript.ended_in_fault:
        return _judge_fault(transcript.faults[-1], said)
    if rejected := REJECTED.search(said):
        return Outcome.INCOMPLETE, f"a permission was rejected: {rejected[1]}"
    if transcript.last_finish == "stop":
        return Outcome.COMPLETED, ""
    if transcript.last_finish == "unknown" and transcript.empty_finishes:
        return Outcome.PROVIDER_FAULT, "the provider sent an empty answer"
    if transcript.last_finish is None:
        last = said.strip().splitlines()[-1:] or [f"exit code {ended.code}, no message"]
        return Outcome.AGENT_FAULT, f"OpenCode ended without an answer: {last[0][:300]}"
    if transcript.last_finish in MODELS_OWN_ENDS:
        return Outcome.INCOMPLETE, f"the answer broke off ({transcript.last_finish})"
    return Outcome.AGENT_FAULT, f"OpenCode ended in the middle of a turn, exit code {ended.code}"


def _judge_fault(fault: AgentFault, said: str) -> tuple[Outcome, str]:
    code = f" (HTTP {fault.status_code})" if fault.status_code else ""
    sentence = f"{fault.name}{code}: {' '.join(fault.message.split())[:300]}"
    if fault.name == "UnknownError" and (cause := CAUSE.search(said)):
        sentence = cause[1][:300]  # the event only points to the log
    if fault.name in CONTEXT_NAMES:
        return Outcome.CONTEXT_TOO_LONG, sentence
    if fault.name == "MessageOutputLengthError":
        return Outcome.INCOMPLETE, sentence
    return Outcome.PROVIDER_FAULT, sentence
