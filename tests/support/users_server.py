"""An OpenCode server that the user runs beside director, the fake or the real one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path


def start_users_server(
    add_cleanup: Callable[..., object], env: Mapping[str, str], cwd: Path, config: str
) -> str:
    """Start ``opencode serve`` as a user would, with the password "open"; returns its URL.

    ``config`` is its inline configuration (JSON). It is ended by a clean-up.
    """
    told = {**env, "OPENCODE_SERVER_PASSWORD": "open", "OPENCODE_CONFIG_CONTENT": config}
    process = subprocess.Popen(
        ["opencode", "serve", "--port", "0"],
        env=told,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    add_cleanup(process.wait)
    add_cleanup(process.kill)
    assert process.stdout
    line = process.stdout.readline()
    process.stdout.close()
    return line.split()[-1]
