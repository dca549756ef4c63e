"""Writes events as ``opencode run --format json`` prints them, one JSON object a line."""

from __future__ import annotations

import json
import time
from typing import IO, Any

SESSION = "ses_scripted"


class EventWriter:
    """Prints the events of one scripted session to ``stream``."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def event(self, kind: str, **fields: Any) -> None:
        """Print one event; the reader sees it at once."""
        line = {"type": kind, "timestamp": int(time.time() * 1000), "sessionID": SESSION, **fields}
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()

    def step_start(self) -> None:
        """The model begins a step."""
        self.event("step_start", part={"type": "step-start"})

    def step_finish(self, reason: str, tokens: dict[str, Any], cost: float = 0.0) -> None:
        """The model ends a step; ``tokens`` as OpenCode spells them, ``cost`` in US dollars."""
        self.event(
            "step_finish",
            part={"type": "step-finish", "reason": reason, "tokens": tokens, "cost": cost},
        )

    def text(self, text: str) -> None:
        """The model says something."""
        self.event("text", part={"type": "text", "text": text})

    def tool_use(
        self,
        tool: str,
        given: dict[str, Any],
        output: str,
        *,
        exit_code: int | None = None,
        status: str = "completed",
    ) -> None:
        """A tool was used; ``exit_code`` is that of a shell command."""
        state: dict[str, Any] = {"status": status, "input": given}
        if status == "completed":
            state |= {"output": output, "metadata": {"output": output, "exit": exit_code}}
        else:
            state["error"] = output
        self.event("tool_use", part={"type": "tool", "tool": tool, "state": state})

    def error(self, name: str, message: str, status_code: int | None = None) -> None:
        """The session failed."""
        data: dict[str, Any] = {"message": message}
        if status_code is not None:
            data |= {"statusCode": status_code, "isRetryable": False}
        self.event("error", error={"name": name, "data": data})
