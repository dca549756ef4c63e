"""The command line and the environment of one ``claude -p``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MODE = "dontAsk"  # what no rule allows is denied, and the turn goes on
RETRIES = 2  # inside a call; patience is director's
EFFORTS = ("low", "medium", "high", "xhigh", "max")  # it warns of others, and goes on without
OF_A_SESSION = (
    "AI_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_EFFORT",
)
"""What Claude Code sets for its commands: director may be one of them."""
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",  # telemetry, and all but the provider
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",  # it repeats a call without an event
    "CLAUDE_CODE_MAX_RETRIES": str(RETRIES),
}
