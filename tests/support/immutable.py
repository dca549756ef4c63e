"""Files that not even their owner can remove, as those of another user are (needs root)."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

LOCK = "chattr +i"


def need_immutable_files(case: unittest.TestCase, folder: Path) -> None:
    """Skip ``case`` where ``folder`` cannot hold such files; afterwards there are none in it."""
    probe = folder / "probe"
    probe.touch()
    try:
        subprocess.run([*LOCK.split(), str(probe)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        case.skipTest("no file can be made immutable here (chattr +i needs root, and ext4 or such)")
    finally:
        release(folder)
        probe.unlink()
    case.addCleanup(release, folder)


def release(folder: Path) -> None:
    """Let everything in ``folder`` be removed again."""
    subprocess.run(["chattr", "-f", "-R", "-i", str(folder)], check=False, capture_output=True)
