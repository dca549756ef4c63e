"""What a command came to: for people as text, for programs as one JSON object."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from director.model.errors import ExitCode
from director.model.reason import Reason

VERSION = 1  # of the keys that all objects share


class Result(NamedTuple):
    """How a command ended, and what it found.

    ``text`` is for people; ``data`` are the keys of the command's own in ``--json``. ``what``
    happened and the ``next_step`` are one line each; ``next_command`` is the latter as arguments,
    where it is a command. ``reason`` None: nothing was in the way. ``copyable``: the commands in
    ``text`` name the repository and the lanes already.
    """

    text: str
    data: Mapping[str, Any] = {}
    exit_code: ExitCode = ExitCode.DONE
    what: str = ""
    next_step: str = ""
    reason: Reason | None = None
    next_command: tuple[str, ...] | None = None
    job_id: str | None = None
    copyable: bool = False

    def to_json(self, command: str) -> dict[str, Any]:
        """Return the object of ``--json``; the common keys come first."""
        return {
            "schema": f"director.{command}/{VERSION}",
            "command": command,
            "ok": self.exit_code is ExitCode.DONE,
            "exit_code": int(self.exit_code),
            "reason": self.reason,
            "what": self.what,
            "next": self.next_step,
            "next_command": list(self.next_command) if self.next_command else None,
            "job_id": self.job_id,
            **self.data,
        }

    def as_json(self, command: str) -> str:
        """Return that object in one line."""
        return json.dumps(self.to_json(command), ensure_ascii=False, default=str)
