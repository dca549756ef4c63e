"""The sandbox that config.example.toml shows in its comments, and whether it can run here."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "director" / "config.example.toml"


def bubblewrap_problem() -> str:
    """Return why bubblewrap cannot be used here, or ""."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap (bwrap) is not installed"
    line = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "true"]
    done = subprocess.run(line, capture_output=True, text=True)
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def documented_command() -> list[str]:
    """Return the documented command."""
    lines = EXAMPLE.read_text().splitlines()
    start = lines.index("# command = [")
    end = lines.index("# ]", start)
    text = "\n".join(line.removeprefix("# ") for line in lines[start : end + 1])
    command: list[str] = tomllib.loads(text)["command"]
    return command
