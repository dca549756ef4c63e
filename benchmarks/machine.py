"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess


def machine() -> dict[str, str]:
    """Return the words for this machine, in the order in which they are to be read."""
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "git": _version("git"),
        "opencode": _version("opencode"),
        "load": load(),
    }


def load() -> str:
    """Return how busy the machine was in the last minutes (1, 5 and 15)."""
    return " ".join(f"{one:.2f}" for one in os.getloadavg())


def _version(program: str) -> str:
    if shutil.which(program) is None:
        return "none"
    done = subprocess.run((program, "--version"), capture_output=True, text=True)
    return done.stdout.strip().removeprefix("git version ") or "unknown"
