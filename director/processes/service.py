"""A command that serves beside the others."""

from __future__ import annotations

import subprocess
from pathlib import Path

from director.processes.children import CHILDREN, start_bound
from director.processes.command import Command
from director.processes.footprint import held_bytes
from director.processes.process_table import MARKER, PROC, carries, list_processes, works_in
from director.processes.tree import Tree
from director.records.files import open_to_append

# Becomes the command; what stays behind in the background ends its group when standard input does.
WATCHED = """\
exec 3<&0 </dev/null
(read -r _ <&3; trap '' TERM; kill -- -$$; sleep 1; kill -9 -- -$$) >/dev/null 2>&1 &
exec "$@" 3<&-
"""


class Service:
    """A process that runs beside the others until it is ended, or director is.

    A shell waits beside it for the end of a pipe that director holds: not even a SIGKILL of
    director leaves the service running.
    """

    def __init__(self, command: Command, marker: str) -> None:
        argv = ["/bin/sh", "-c", WATCHED, "sh", *command.argv]
        with open_to_append(command.stdout) as out:
            self._process: subprocess.Popen[bytes] = start_bound(
                command.bind,
                argv,
                cwd=command.cwd,
                env={**command.env, MARKER: marker},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
            )
        self._marker = marker
        self._tree = Tree(marker, self._process)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def held_bytes(self) -> int | None:
        """Return the memory of it and of what it started under its marker; None: not known here.

        Shared pages count in parts where the kernel tells.
        """
        return held_bytes(self._process.pid, self._marker)

    def at_work_in(self, folder: Path) -> bool:
        """Whether what has its marker works in ``folder``; so, too, where that is unknown."""
        if not PROC.is_dir():
            return True
        pids = (one.pid for one in list_processes())
        return any(works_in(pid, folder) and carries(pid, self._marker) for pid in pids)

    def end(self) -> None:
        """End it and whatever it started that has no marker of its own."""
        self._tree.end()
        CHILDREN.forget(self._process)
        if self._process.stdin:
            self._process.stdin.close()
