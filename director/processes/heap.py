"""How the C library gives out memory to the threads of this process."""

from __future__ import annotations

from contextlib import suppress

ARENA_MAX = -8  # M_ARENA_MAX (mallopt(3))


def share_one_heap() -> None:
    """Let all threads share one heap, where the C library is glibc; before there are any others.

    It gives each of them one of its own, so that none waits for another. The interpreter lets one
    run at a time anyway, and each heap keeps the most that its threads have ever used.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)
