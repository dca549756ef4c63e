"""What Codex is told on its command line, so that nothing of the user's or a project's counts.

One way for every call: with ``--ignore-user-config`` a home that holds a login adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

PROVIDER = "director"  # the built-in one has retries and WebSockets of its own
RETRIES = 2  # inside a call; patience is director's
OFF = (
    "apps",
    "goals",
    "hooks",
    "image_generation",
    "plugins",
    "shell_snapshot",
    "unbounded_connection_retries",
)
ALWAYS: dict[str, Any] = {
    "agents": {"enabled": False},
    "allow_login_shell": False,  # /etc/profile would set another PATH
    "analytics": {"enabled": False},
    "approval_policy": "never",
    "check_for_update_on_startup": False,
    "features": dict.fromkeys(OFF, False),
    "project_doc_fallback_filenames": ["CLAUDE.md"],  # AGENTS.md it reads by itself
    "skills": {"include_instructions": False, "bundled": {"enabled": False}},
    "web_search": "disabled",
}
"""No telemetry, no updates, no web, nothing that is installed elsewhere."""

READ_ONLY: dict[str, Any] = {"sandbox_mode": "read-only"}
"""Codex's own sandbox: commands write nothing and reach no network."""

OFFLINE: dict[str, Any] = {
    "default_permissions": "offline",
    "permissions": {
        "offline": {"filesystem": {":root": "write"}, "network": {"enabled": False}},
    },
}
"""Commands reach no network; what they write is for others to forbid.

Codex needs no bubblewrap for that, which does not work in a Landlock domain.
"""

WORKTREE: dict[str, Any] = {
    "sandbox_mode": "workspace-write",
    "sandbox_workspace_write": {"network_access": True},
}
"""Codex's own sandbox: commands write the worktree and temporary files."""

FREE: dict[str, Any] = {"sandbox_mode": "danger-full-access"}
"""Nothing of Codex's confines commands."""


def provider(base_url: str, env_key: str | None, idle_secs: float) -> dict[str, Any]:
    """Return the settings of a provider of the Responses API.

    ``base_url`` "" is OpenAI's own. ``env_key`` is the variable that holds the key ("": none is
    sent), None the login of Codex. A stream that is silent for ``idle_secs`` counts as cut.
    """
    table: dict[str, Any] = {
        "name": PROVIDER,
        "wire_api": "responses",
        "request_max_retries": 0,  # the two kinds of retries would multiply
        "stream_max_retries": RETRIES,
        "stream_idle_timeout_ms": round(idle_secs * 1000),
    }
    if base_url:
        table["base_url"] = base_url
    if env_key is None:
        table["requires_openai_auth"] = True
    elif env_key:
        table["env_key"] = env_key
    return {"model_provider": PROVIDER, "model_providers": {PROVIDER: table}}


def overrides(settings: Mapping[str, Any]) -> Iterator[str]:
    """Give the words of a command line that say ``settings``."""
    for key, value in settings.items():
        yield from ("-c", f"{key}={_toml(value)}")


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
