"""The one door to OpenCode: one headless call, watched while it runs, judged by its events.

A call is a session on a server that all calls of a run share, or an ``opencode run`` of its own;
what it may do, what it leaves on record and how it is judged are the same.
The exit code of ``opencode run`` lies both ways (0 after a rejected permission, 1 after a
recovered overflow), so success is read from the events.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from director.agents.backend import AgentContext
from director.agents.calls import Assignment, Reply, Spending
from director.agents.opencode.bound_shell import write_bound_shell
from director.agents.opencode.environment import environment
from director.agents.opencode.events import OpenCodeReader
from director.agents.opencode.inline_config import (
    NAME_PREFIX,
    inline_config,
    server_agent,
    server_config,
    session_rules,
    suits_server,
    unknown_prefix,
)
from director.agents.opencode.models import Memory, ModelCheck, models_in
from director.agents.opencode.options import options_of
from director.agents.opencode.project import deep_merge, inherited_settings, model_settings
from director.agents.opencode.project_code import code_in, defines_agents, spare_install
from director.agents.opencode.server_error import ServerError
from director.agents.opencode.servers import Bounds, Servers
from director.agents.process_call import Invocation, run_call
from director.agents.recorder import read_whole
from director.agents.watching import Watch
from director.model.diagnosis import Row, ok, problem, warning
from director.model.errors import RequestError, StoppedError
from director.model.roles import PAIRS
from director.model.secrets import literal_secrets
from director.model.slots import scratch_folder, slot_variables
from director.processes.capture import said_version
from director.processes.command import Command, Ended, Ending
from director.processes.command import Watch as Until
from director.processes.launchers.launcher import Part
from director.processes.removal import discard
from director.records.events import Events
from director.records.files import make_folder, redact_file, write_json
from director.records.logs import new_log

if TYPE_CHECKING:
    from director.agents.opencode.server import Server  # slow to import, and not always needed

PLUGIN = Path(__file__).with_name("tool_env.js")
SERVER_START_SECS = 30.0  # a loaded machine takes ten
LISTING_SECS = 60.0  # in a worktree with a plugin OpenCode may have to install its package first
SERVER = "server"
SERVER_CONFIG = "opencode-server.json"


@contextmanager
def open_opencode(context: AgentContext, program: str) -> Iterator[OpenCode]:
    """Give what makes calls with the OpenCode at ``program``; nothing of it is left afterwards."""
    opencode = OpenCode(context, program)
    with opencode.serving():
        try:
            yield opencode
        finally:
            opencode.close()


class OpenCode:
    """Makes calls for one repository with one configuration.

    No secret is in what a call leaves: its logs, its transcript, its reason.
    """

    def __init__(self, context: AgentContext, program: str) -> None:
        self._context = context
        self._processes = context.processes
        self._env = context.env
        self._config = context.config
        self._options = options_of(context.config)
        self._templates = context.templates
        inherited = inherited_settings(context.env)
        self._settings = deep_merge(model_settings(context.root), inherited)
        self._program = program
        self._sandbox = context.sandbox
        self.recorder = context.recorder.hiding(literal_secrets(self._settings))
        self._servers = Servers(None, Events())
        self._apart = ""
        self._served_prefix = NAME_PREFIX if self._options.server_url else unknown_prefix()
        memory = Memory(context.memory, program, self._settings)
        # A server that the user runs knows models of its own.
        wanted = () if self._options.server_url else context.wanted
        self._defines_models = any(one.defined for one in wanted)  # a server would list those, too
        self._models = ModelCheck(wanted, self._models_for, memory, context.events)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """While open, calls share one server that is kept warm, as far as that is wanted.

        It starts with the first call, or before it (``prepare``), beside the worktrees; afterwards
        nothing is left of it. In a sandbox that is made for one worktree there is none.
        """
        wanted = self._options.server != "off"
        if wanted and self._sandbox.for_one_worktree:
            self._apart = f"{self._sandbox.name} is made for one worktree"
        elif wanted and self._env.get("OPENCODE_PURE"):
            self._apart = "OPENCODE_PURE is set, and what marks an agent's commands is a plugin"
        start = self._server if wanted and not self._apart else None
        bounds = Bounds(max_mib=self._options.server_max_mib)
        self._servers = Servers(start, self._context.events, bounds)
        try:
            yield
        finally:
            self._servers.close()
            for log in self.recorder.logs.glob("server*.log"):
                redact_file(log, self.recorder.redactor)

    def begin(self) -> None:
        """Ask in the background which models there are."""
        self._models.begin()

    def prepare(self) -> None:
        """Start the server that calls are going to share, in the background."""
        if self._will_share():
            self._servers.warm()

    def check(self, worktree: Path) -> None:
        """Raise RequestError for a model that a call in ``worktree`` cannot name."""
        self._models.check(worktree)

    def models(self, worktree: Path) -> frozenset[str]:
        """Return the tiers that a call in ``worktree`` may name; none: it does not say."""
        return (
            frozenset() if self._options.server_url else self.listed_models(worktree, lambda: None)
        )

    def remarks(self, worktree: Path) -> Iterator[Row]:
        """Say whether calls in ``worktree`` share a server, and why not."""
        if url := self._options.server_url:
            yield self._of_users_server(url)
        elif self._options.server == "off":
            yield ok(SERVER, 'each call starts an OpenCode of its own ([opencode] server = "off")')
        else:
            code = code_in(worktree)
            calls = (Assignment(agent, role, "", worktree, SERVER) for agent, role in PAIRS)
            whys = dict.fromkeys(self._why_apart(call, code) for call in calls)
            if why := "; ".join(filter(None, whys)):
                slower = "no action is needed: each call starts its own, a second or two slower"
                yield warning(SERVER, f"calls do not share an OpenCode server: {why}", slower)
            else:
                yield ok(SERVER, "all calls of a command share one OpenCode server")

    def _of_users_server(self, url: str) -> Row:
        from director.agents.opencode.server import PASSWORD, USER, USERNAME, Address, Server

        user = self._env.get(USERNAME) or USER
        server = Server(Address(url, self._env.get(PASSWORD, ""), user))
        if server.healthy():
            return ok(SERVER, f"OpenCode {server.version} answers at {url}")
        fix = f'start it (with {PASSWORD} as it is here), or set [opencode] server = "off"'
        return problem(SERVER, f"no OpenCode answers at {url}", fix)

    def close(self) -> None:
        """Stop asking what only calls would need to know, and starting what only they need."""
        self._servers.stop_starting()
        self._models.close()

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does."""

        def make(prompt: Path, watch: Watch) -> Ended:
            with self._lease(assignment) as server:
                how = partial(self._converse, server) if server else self._run
                return how(assignment, prompt, watch)

        return self.recorder.record(assignment, spending, events, OpenCodeReader(), make)

    def _will_share(self) -> bool:
        """Whether calls will be sessions on a server of director's own, as it looks.

        What the worktrees bring is seen with each call; the user's checkout is much the same.
        """
        if self._options.server == "off" or self._options.server_url or self._apart:
            return False
        return code_in(self._context.root) is None

    def _lease(self, assignment: Assignment) -> AbstractContextManager[Server | None]:
        """Give the server for a call; None where the call must have an OpenCode of its own.

        Asked for each call: an agent may have added to the worktree. A server
        that the user names is used as it is.
        """
        code = code_in(assignment.cwd)
        if code is None:
            spare_install(assignment.cwd)
        if self._options.server_url or not (why := self._why_apart(assignment, code)):
            return self._servers.lease()
        self._servers.pass_by(why)
        return nullcontext()

    def _why_apart(self, assignment: Assignment, code: str | None) -> str:
        """Return why a call cannot be a session on a shared server ("": it can)."""
        if self._options.server == "off" or self._apart:
            return self._apart
        if code is not None:
            return f"the worktree brings code of its own ({code})"
        if not suits_server(assignment, self._config):
            model = self._config.tiers[assignment.role]
            return f"[sampling] differs between tiers that have {model}"
        return ""

    def _converse(
        self, server: Server, assignment: Assignment, prompt: Path, watch: Watch
    ) -> Ended:
        """Make the call in a session on a server."""
        from director.agents.opencode.session import Session, Turn

        turn = Turn(
            agent=server_agent(assignment.agent, assignment.role, self._served_prefix),
            model=self._config.tiers[assignment.role],
            title=assignment.name,
            prompt=read_whole(prompt),
            rules=session_rules(assignment, self._templates[assignment.agent], self._env),
            cwd=assignment.cwd,
            events=watch.events,
            timeout_secs=self._config.limits.node_timeout_secs,
            variables=self._sandbox.variables(Part.AGENT, assignment.cwd, self._env),
        )
        return Session(self._processes, server, turn, watch).run()

    def _run(self, assignment: Assignment, prompt: Path, watch: Watch) -> Ended:
        """Make the call with an OpenCode of its own."""
        prefix = unknown_prefix() if defines_agents(assignment.cwd) else NAME_PREFIX

        def invoke(scratch: Path) -> Invocation:
            env = self._call_environment(assignment, scratch, prefix)
            return Invocation(self._argv(assignment, prefix), env)

        return run_call(self._context, assignment, invoke, prompt, watch)

    def _server(self, unwanted: threading.Event) -> Server:
        """Start a server that knows all agents, or find the one that is configured."""
        from director.agents.opencode.server import SERVE, start_server

        folder, logs = self._context.beside, self.recorder.logs
        config = server_config(self._templates, self._config, PLUGIN, self._served_prefix)
        if url := self._options.server_url:
            return self._users_server(url, config, folder)
        if self._sandbox.binds_threads:  # the server's own domain is that of all lanes
            notes = self._context.notes
            config["shell"] = str(write_bound_shell(notes, folder.parent, self._env))
        make_folder(folder)
        log = new_log(logs, "server")
        # It watches HEAD only, and asks git whenever director resets a worktree.
        env = self._environment(config, folder) | {"OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER": "1"}
        env |= self._sandbox.variables(Part.SERVER, folder, self._env)
        launch = self._sandbox.launch(Part.SERVER, [self._program, *SERVE], folder)
        command = Command(launch.argv, folder, env, log, SERVER_START_SECS, bind=launch.bind)
        return start_server(self._processes, command, unwanted)

    def _users_server(self, url: str, config: dict[str, Any], folder: Path) -> Server:
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
            path = self.recorder.logs.parent / SERVER_CONFIG
            write_json(path, config)  # a key of [providers.local] is in it, as beside it
            raise RequestError(
                f"the OpenCode server at {url} does not know these agents as they are now: "
                f"{', '.join(other)}",
                f'start it with OPENCODE_CONFIG_CONTENT="$(cat {path})"',
            )
        return server

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

    def _models_for(self, worktree: Path | None, watch: Until) -> frozenset[str]:
        """Return what a call may name (none: it does not say), from the server if that is enough.

        The calls need it anyway, and to start OpenCode once more only to ask takes 2 s.
        """
        if worktree is None and self._will_share() and not self._defines_models:
            with self._servers.lease() as server, suppress(ServerError):
                if server and (found := server.models(self._context.beside)):
                    return found
        return frozenset() if watch() else self.listed_models(worktree, watch)

    def listed_models(self, worktree: Path | None, watch: Until) -> frozenset[str]:
        """Return the models that OpenCode lists for a call in ``worktree``; none: it does not say.

        Without a worktree, what a project adds is left out. ``watch`` may cut it short.
        """
        place = self._context.beside.with_name("models")  # a folder for the time of asking
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
        listing = read_whole(out) if answered else ""
        discard(scratch)
        return models_in(listing)

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
        return environment(self._env, deep_merge(self._settings, config), scratch)
