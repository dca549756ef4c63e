"""Which calls of a run share an OpenCode server, and how that server is started or found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from director.agents.backend import AgentContext
from director.agents.calls import Assignment
from director.agents.opencode.bound_shell import write_bound_shell
from director.agents.opencode.inline_config import (
    NAME_PREFIX,
    server_config,
    suits_server,
    unknown_prefix,
)
from director.agents.opencode.options import OpenCodeOptions
from director.agents.opencode.program import Program
from director.agents.opencode.project_code import code_in, spare_install
from director.agents.opencode.servers import Bounds, Servers
from director.model.diagnosis import Row, ok, problem, warning
from director.model.roles import PAIRS
from director.processes.command import Command
from director.processes.launchers.launcher import Part
from director.records.events import Events
from director.records.files import make_folder, redact_file
from director.records.logs import new_log

if TYPE_CHECKING:
    from director.agents.opencode.server import Server  # slow to import, and not always needed

PLUGIN = Path(__file__).with_name("tool_env.js")
START_SECS = 30.0  # a loaded machine takes ten
SERVER = "server"
SERVER_CONFIG = "opencode-server.json"


class SharedServer:
    """The server of a run's calls: one that director starts and keeps warm, or the user's own.

    ``prefix`` begins the names of the agents that it knows. It can be leased while ``serving``.
    """

    def __init__(self, context: AgentContext, program: Program, options: OpenCodeOptions) -> None:
        self._context = context
        self._program = program
        self._options = options
        self._servers = Servers(None, Events())
        self._obstacle = self._find_obstacle()
        self.prefix = NAME_PREFIX if options.server_url else unknown_prefix()

    @property
    def version(self) -> str:
        """Which OpenCode the server is ("": none has started yet)."""
        return self._servers.version

    @contextmanager
    def serving(self) -> Iterator[None]:
        """While open, calls share one server that is kept warm, as far as that is wanted.

        It starts with the first call, or before it (``prepare``), beside the worktrees; afterwards
        nothing is left of it.
        """
        start = None if self._is_off or self._obstacle else self._start
        bounds = Bounds(max_mib=self._options.server_max_mib)
        self._servers = Servers(start, self._context.events, bounds)
        try:
            yield
        finally:
            self._servers.close()
            recorder = self._context.recorder
            for log in recorder.logs.glob(f"{SERVER}*.log"):
                redact_file(log, recorder.redactor)

    def prepare(self) -> None:
        """Start the server that calls are going to share, in the background."""
        if self.will_start():
            self._servers.warm()

    def stop_starting(self) -> None:
        """Start none any more: no call is going to be made."""
        self._servers.stop_starting()

    def will_start(self) -> bool:
        """Whether calls will be sessions on a server of director's own, as it looks.

        What the worktrees bring is seen with each call; the user's checkout is much the same.
        """
        if self._is_off or self._options.server_url or self._obstacle:
            return False
        return code_in(self._context.root) is None

    def listed_models(self) -> frozenset[str]:
        """Return the models that the server lists; none: there is no server, or it does not say.

        Raises ServerError.
        """
        with self._servers.lease() as server:
            return server.models(self._context.beside) if server else frozenset()

    def lease(self, assignment: Assignment) -> AbstractContextManager[Server | None]:
        """Give the server for a call; None where the call must have an OpenCode of its own.

        Asked for each call: an agent may have added to the worktree. A server
        that the user names is used as it is.
        """
        code = code_in(assignment.cwd)
        if code is None:
            spare_install(assignment.cwd)
        as_told = self._is_off or self._options.server_url
        if as_told or not (why := self._why_apart(assignment, code)):
            return self._servers.lease()
        self._servers.pass_by(why)
        return nullcontext()

    def remarks(self, worktree: Path) -> Iterator[Row]:
        """Say whether calls in ``worktree`` share a server, and why not."""
        if url := self._options.server_url:
            yield self._of_users_server(url)
        elif self._is_off:
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

    @property
    def _is_off(self) -> bool:
        return self._options.server == "off"

    def _find_obstacle(self) -> str:
        """Return why no call can share a server here ("": nothing is in the way)."""
        sandbox = self._context.sandbox
        if sandbox.for_one_worktree:
            return f"{sandbox.name} is made for one worktree"
        if self._context.env.get("OPENCODE_PURE"):
            return "OPENCODE_PURE is set, which disables the plugin that marks an agent's commands"
        return ""

    def _why_apart(self, assignment: Assignment, code: str | None) -> str:
        """Return why a call cannot share the server that others share ("": it can).

        ``code`` is what its worktree makes OpenCode run.
        """
        if self._obstacle:
            return self._obstacle
        if code is not None:
            return f"the worktree has code that OpenCode would run ({code})"
        config = self._context.config
        if not suits_server(assignment, config):
            return f"[sampling] differs between tiers that have {config.tiers[assignment.role]}"
        return ""

    def _start(self, unwanted: threading.Event) -> Server:
        """Start a server that knows all agents, or find the one that is configured."""
        if url := self._options.server_url:
            return self._users_server(url)
        from director.agents.opencode.server import start_server

        folder = self._context.beside
        make_folder(folder)
        return start_server(self._context.processes, self._command(folder), unwanted)

    def _command(self, folder: Path) -> Command:
        from director.agents.opencode.server import SERVE

        context, sandbox = self._context, self._context.sandbox
        config = server_config(context.templates, context.config, PLUGIN, self.prefix)
        if sandbox.binds_threads:  # the server's own domain is that of all lanes
            shell = write_bound_shell(context.notes, folder.parent, context.env)
            config["shell"] = str(shell)
        env = self._program.environment(config, folder)
        # It watches HEAD only, and asks git whenever director resets a worktree.
        env |= {"OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER": "1"}
        env |= sandbox.variables(Part.SERVER, folder, context.env)
        launch = sandbox.launch(Part.SERVER, [self._program.path, *SERVE], folder)
        log = new_log(context.recorder.logs, SERVER)
        return Command(launch.argv, folder, env, log, START_SECS, bind=launch.bind)

    def _users_server(self, url: str) -> Server:
        from director.agents.opencode.users_server import check_agents, server_at

        context, server = self._context, server_at(url, self._context.env)
        config = server_config(context.templates, context.config, PLUGIN, self.prefix)
        copy = context.recorder.logs.parent / SERVER_CONFIG
        check_agents(server, config, context.beside, copy)
        return server

    def _of_users_server(self, url: str) -> Row:
        from director.agents.opencode.users_server import ADVICE, server_at

        server = server_at(url, self._context.env)
        if server.healthy():
            return ok(SERVER, f"OpenCode {server.version} answers at {url}")
        return problem(SERVER, f"no OpenCode answers at {url}", ADVICE)
