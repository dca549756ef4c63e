"""What the kernel offers to the tests, and a kernel that offers less.

``python -m tests.support.kernel COMMAND …`` runs a command for which there is no Landlock.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import unittest

from director.processes import landlock

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2  # prctl(2), seccomp(2)
ALLOW, ENOSYS = 0x7FFF0000, 0x00050000 | 38
LOAD, JUMP_GE, JUMP_GT, RETURN = 0x20, 0x35, 0x25, 0x06  # of classic BPF, linux/filter.h


def require_landlock() -> None:
    """Skip the test where the kernel has no Landlock; with ``CI=true`` it fails instead."""
    if landlock.abi():
        return
    if os.environ.get("CI") == "true":
        raise AssertionError("this kernel has no Landlock to test with")
    raise unittest.SkipTest("this kernel has no Landlock")


def take_landlock_away() -> None:
    """Let the three system calls of Landlock fail here, and in all that is started from now on."""
    program = b"".join(
        struct.pack("=HBBI", *step)
        for step in (
            (LOAD, 0, 0, 0),  # the number of the system call
            (JUMP_GE, 0, 2, landlock.CREATE_RULESET),
            (JUMP_GT, 1, 0, landlock.RESTRICT_SELF),
            (RETURN, 0, 0, ENOSYS),
            (RETURN, 0, 0, ALLOW),
        )
    )
    steps = ctypes.create_string_buffer(program, len(program))
    filters = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    if library.prctl(SET_SECCOMP, FILTER_MODE, filters, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    take_landlock_away()
    os.execvp(sys.argv[1], sys.argv[1:])
