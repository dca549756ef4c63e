"""The one door to OpenCode: one headless call, watched while it runs, judged by its events.

A call is a session on a server that all calls of a run share, or an ``opencode run`` of its own;
what it may do, what it leaves on record and how it is judged are the same.
The exit code of ``opencode run`` lies both ways (0 after a rejected permission, 1 after a
recovered overflow), so success is read from the events.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from director.agents.calls import Assignment, Reply, ServerError, Spending
from director.agents.opencode.bound_shell import write_bound_shell
from director.agents.opencode.inline_config import (
    NAME_PREFIX,
    inline_config,
    server_agent,
    server_config,
    session_rules,
    suits_server,
    unknown_prefix,
)
from director.agents.opencode.judging import Watch, judge
from director.agents.opencode.models import Memory, models_in
from director.agents.opencode.project import deep_merge, inherited_settings, model_settings
from director.agents.opencode.project_code import code_in, defines_agents, spare_install
from director.agents.opencode.servers import Servers
from director.agents.templates import load_template
from director.agents.transcript import TranscriptFollower
from director.model.config import Config
from director.model.errors import RequestError, StoppedError
from director.model.roles import Agent
from director.model.secrets import NOTHING_SECRET, Redactor, literal_secrets
from director.model.slots import scratch_folder, slot_variables
from director.processes.capture import said_version
from director.processes.command import Command, Ended, Ending
from director.processes.command import Watch as Until
from director.processes.launchers.launcher import Part
from director.processes.removal import discard
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.records.events import Events
from director.records.files import make_folder, redact_file, write_json, write_log
from director.repositories.git import without_git_variables

if TYPE_CHECKING:
    from director.agents.opencode.server import Server  # slow to import, and not always needed

PROGRAM = "opencode"
PLUGIN = Path(__file__).with_name("tool_env.js")
SERVER_START_SECS = 10.0
LISTING_SECS = 60.0  # in a worktree with a plugin OpenCode may have to install its package first
SERVER_CONFIG = "opencode-server.json"


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
        self._servers = Servers(None, Events())
        self._apart = ""
        self._served_prefix = NAME_PREFIX if config.opencode.server_url else unknown_prefix()

    @contextmanager
    def serving(self, folder: Path, notes: Path, events: Events) -> Iterator[None]:
        """While open, calls share one server that is kept warm, as far as that is wanted.

        It starts with the first call, in ``folder``, beside the worktrees; afterwards nothing is
        left of it. In ``notes`` no agent can write. In a sandbox that is made for one worktree
        there is none.
        """
        wanted = self._config.opencode.server != "off"
        if wanted and self._sandbox.for_one_worktree:
            self._apart = f"{self._sandbox.name} is made for one worktree"
        elif wanted and self._env.get("OPENCODE_PURE"):
            self._apart = "OPENCODE_PURE is set, and what marks an agent's commands is a plugin"
        start = partial(self._server, folder, notes) if wanted and not self._apart else None
        self._servers = Servers(start, events)
        try:
            yield
        finally:
            self._servers.close()
            for log in self._logs.glob("server-*.log"):
                redact_file(log, self._redactor)

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does.

        ``events`` is the file for the raw events; the prompt and standard error go beside it.
        """
        prompt, errors = events.with_suffix(".prompt.md"), events.with_suffix(".err")
        write_log(prompt, self._redactor.text(assignment.prompt))
        follower = TranscriptFollower(events, self._redactor)
        watch = Watch(follower, errors, spending, self._config.limits.stall_timeout_secs)
        with self._lease(assignment) as server:
            how = partial(self._converse, server) if server else self._run
            ended = how(assignment, prompt, events, watch)
        follower.poll()
        self._redact(events)
        outcome, reason = judge(ended, follower.transcript, _text(errors), watch.outcome)
        reason = self._redactor.text(reason)
        return Reply(outcome, follower.transcript, reason, ended.wall_secs, events)

    def _lease(self, assignment: Assignment) -> AbstractContextManager[Server | None]:
        """Give the server for a call; None where the call must have an OpenCode of its own.

        Asked for each call: an agent may have added to the worktree. Whoever names a server
        of their own is taken at their word.
        """
        code = code_in(assignment.cwd)
        if code is None:
            spare_install(assignment.cwd)
        if self._config.opencode.server_url or not (why := self._why_apart(assignment, code)):
            return self._servers.lease()
        self._servers.pass_by(why)
        return nullcontext()

    def _why_apart(self, assignment: Assignment, code: str | None) -> str:
        """Return why a call cannot be a session on a shared server ("": it can)."""
        if self._config.opencode.server == "off" or self._apart:
            return self._apart
        if code is not None:
            return f"the worktree brings code of its own ({code})"
        if not suits_server(assignment, self._config):
            model = self._config.tiers[assignment.role]
            return f"[sampling] differs between tiers that have {model}"
        return ""

    def _converse(
        self, server: Server, assignment: Assignment, prompt: Path, events: Path, watch: Watch
    ) -> Ended:
        """Make the call in a session on a server."""
        from director.agents.opencode.session import Session, Turn

        turn = Turn(
            agent=server_agent(assignment.agent, assignment.role, self._served_prefix),
            model=self._config.tiers[assignment.role],
            title=assignment.name,
            prompt=_text(prompt),
            rules=session_rules(assignment, self._templates[assignment.agent], self._env),
            cwd=assignment.cwd,
            events=events,
            timeout_secs=self._config.limits.node_timeout_secs,
        )
        return Session(self._processes, server, turn, watch).run()

    def _run(self, assignment: Assignment, prompt: Path, events: Path, watch: Watch) -> Ended:
        """Make the call with an OpenCode of its own."""
        scratch = scratch_folder(assignment.cwd)
        if scratch.is_symlink() or not scratch.is_dir():  # an agent may have put a file there
            scratch.unlink(missing_ok=True)
            scratch.mkdir(parents=True)
        prefix = unknown_prefix() if defines_agents(assignment.cwd) else NAME_PREFIX
        launch = self._sandbox.launch(Part.AGENT, self._argv(assignment, prefix), assignment.cwd)
        temporary = self._sandbox.variables(Part.AGENT, assignment.cwd, self._env)
        ended = self._processes.run(
            Command(
                argv=launch.argv,
                cwd=assignment.cwd,
                env=self._call_environment(assignment, scratch, prefix) | temporary,
                stdin=prompt,
                stdout=events,
                stderr=events.with_suffix(".err"),
                timeout_secs=self._config.limits.node_timeout_secs,
                bind=launch.bind,
                step=launch.step,
            ),
            watch,
        )
        shutil.rmtree(scratch, ignore_errors=True)
        return ended

    def _server(self, folder: Path, notes: Path) -> Server:
        """Start a server that knows all agents, or find the one that is configured."""
        from director.agents.opencode.server import SERVE, start_server

        config = server_config(self._templates, self._config, PLUGIN, self._served_prefix)
        if url := self._config.opencode.server_url:
            return self._somebodys_server(url, config, folder)
        if self._sandbox.binds_threads:  # the server's own domain is that of all lanes
            config["shell"] = str(write_bound_shell(notes, folder.parent, self._env))
        for place in (self._logs, folder):
            make_folder(place)
        log = self._logs / f"server-{secrets.token_hex(4)}.log"
        env = self._environment(config, folder)
        env |= self._sandbox.variables(Part.SERVER, folder, self._env)
        launch = self._sandbox.launch(Part.SERVER, [self._program, *SERVE], folder)
        command = Command(launch.argv, folder, env, log, SERVER_START_SECS, bind=launch.bind)
        return start_server(self._processes, command)

    def _somebodys_server(self, url: str, config: dict[str, Any], folder: Path) -> Server:
        from director.agents.opencode.server import PASSWORD, USER, USERNAME, Address, Server

        user = self._env.get(USERNAME) or USER
        server = Server(Address(url, self._env.get(PASSWORD, ""), user))
        try:
            known = server.agents(folder)
        except ServerError as error:
            raise StoppedError(
                f"the OpenCode server at {url} does not answer as it should: {error}",
                f'start it (with {PASSWORD} as it is here), or set [opencode] server = "off"',
            ) from None
        wanted = {name: agent["prompt"] for name, agent in config["agent"].items()}
        if other := sorted(name for name in wanted if known.get(name) != wanted[name]):
            path = self._logs.parent / SERVER_CONFIG
            write_json(path, config)  # a key of [providers.local] is in it, as beside it
            raise RequestError(
                f"the OpenCode server at {url} does not know these agents as they are now: "
                f"{', '.join(other)}",
                f'start it with OPENCODE_CONFIG_CONTENT="$(cat {path})"',
            )
        return server

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

    def _argv(self, assignment: Assignment, prefix: str) -> list[str]:
        return [
            self._program, "run",
            "--dir", str(assignment.cwd),
            "--agent", f"{prefix}{assignment.agent}",
            "--model", self._config.tiers[assignment.role],
            "--title", assignment.name,
            "--format", "json",
            "--print-logs", "--log-level", "ERROR",
        ]  # fmt: skip

    def listed_models(self, place: Path, worktree: Path | None, watch: Until) -> frozenset[str]:
        """Return the models that OpenCode lists for a call in ``worktree``; none: it does not say.

        Without a worktree, what a project adds is left out; ``place`` is a folder for the time of
        asking then. ``watch`` may cut it short.
        """
        scratch = scratch_folder(worktree) if worktree else place
        discard(scratch)  # an agent may have put anything there
        make_folder(scratch)
        out, where = scratch / "models", worktree or place
        env = self._environment({}, scratch)
        # An install that it begins in the background and abandons when it ends leaves a lock there,
        # for which the next call would wait a minute.
        env |= {"XDG_STATE_HOME": str(scratch)}
        if worktree:
            env |= {"PWD": str(worktree), **slot_variables(worktree)}
        else:
            env |= {"OPENCODE_DISABLE_PROJECT_CONFIG": "1"}
        launch = self._sandbox.launch(Part.AGENT, [self._program, "models"], where)
        errors = scratch / "errors"
        command = Command(
            argv=launch.argv,
            cwd=where,
            env=env,
            stdout=out,
            timeout_secs=LISTING_SECS,
            stderr=errors,
            bind=launch.bind,
            step=launch.step,
        )
        ended = self._processes.run(command, watch)
        answered = (ended.ending, ended.code) == (Ending.EXITED, 0)
        listing = _text(out) if answered else ""
        discard(scratch)
        return models_in(listing)

    def memory(self, path: Path) -> Memory:
        """Return what is remembered, in the file ``path``, of the models that OpenCode lists."""
        return Memory(path, self._program, self._settings)

    def version(self) -> str:
        """Return which OpenCode makes the calls ("": it does not say).

        A server has said so already; to start OpenCode only to ask takes most of a second.
        """
        return self._servers.version or said_version(self._program, self._env)

    def _call_environment(
        self, assignment: Assignment, scratch: Path, prefix: str
    ) -> dict[str, str]:
        template = self._templates[assignment.agent]
        config = inline_config(assignment, template, self._config, prefix)
        own = {"PWD": str(assignment.cwd), **slot_variables(assignment.cwd)}
        return {**self._environment(config, scratch), **own}

    def _environment(self, config: dict[str, Any], scratch: Path) -> dict[str, str]:
        env = without_git_variables(self._env)
        env.pop("OPENCODE_PERMISSION", None)
        return env | {
            "GIT_TERMINAL_PROMPT": "0",
            "OPENCODE_CONFIG_CONTENT": json.dumps(deep_merge(self._settings, config)),
            "OPENCODE_DB": ":memory:",  # one each: parallel calls cannot lock each other
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "BUN_TMPDIR": str(scratch),  # each start unpacks megabytes there and leaves them
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
