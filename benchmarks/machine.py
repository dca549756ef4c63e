"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from benchmarks.counting import traceable

SHARED_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 2**30  # the largest repositories, with their worktrees


def working_folder() -> Path | None:
    """Return a folder of a memory file system with room; None where there is none.

    On a disk what earlier rounds left behind slows the later ones.
    """
    usable = SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK | os.X_OK)
    roomy = usable and shutil.disk_usage(SHARED_MEMORY).free > ROOM_BYTES
    return SHARED_MEMORY if roomy else None


def machine(folder: Path) -> dict[str, str]:
    """Return the words for this machine, in the order in which they are to be read.

    ``folder`` is where the measuring is done.
    """
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "git": _version("git"),
        "opencode": _version("opencode"),
        "in": _file_system(folder),
        "counted by": "strace" if traceable() else "what git and Python note",
        "load": load(),
    }


def _file_system(folder: Path) -> str:
    """Return the type of the file system that ``folder`` is on ("unknown")."""
    done = subprocess.run(
        ("df", "--output=fstype", folder), capture_output=True, text=True, check=False
    )
    return "".join(done.stdout.split()[-1:]) or "unknown"


def load() -> str:
    """Return how busy the machine was in the last minutes (1, 5 and 15)."""
    return " ".join(f"{one:.2f}" for one in os.getloadavg())


def _version(program: str) -> str:
    if shutil.which(program) is None:
        return "none"
    done = subprocess.run((program, "--version"), capture_output=True, text=True)
    return done.stdout.strip().removeprefix("git version ") or "unknown"
