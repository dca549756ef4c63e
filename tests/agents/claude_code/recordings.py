"""What Claude Code 2.1.197 wrote in situations that were staged, with the ids made plain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from director.agents.claude_code.events import Asked, ClaudeCodeReader
from director.agents.transcript import Transcript

STREAMS = Path(__file__).with_name("streams")
TOOLS = frozenset({"Bash", "Edit", "Glob", "Grep", "Read", "Write"})
ASKED = Asked("claude-probe-1", TOOLS, "dontAsk")


def events_of(name: str) -> list[dict[str, Any]]:
    """Return the events of a recorded stream."""
    lines = (STREAMS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read(name: str, last: int | None = None) -> Transcript:
    """Return the transcript of a recorded stream, or of its events up to the one at ``last``."""
    reader, transcript = ClaudeCodeReader(ASKED), Transcript()
    for event in events_of(name)[:last]:
        reader.take(event, transcript)
    return transcript
