"""Settings under which git sees a worktree as it is, whatever the user configured.

Some settings make git faster, or fit for a poor file system, by overlooking differences; what it
overlooks, an agent could use. The user's own checkout is still looked at as they configured it.
"""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

WHOLE = (
    "core.trustctime=true",  # ctime cannot be set, mtime can
    "core.checkStat=default",
    "core.untrackedCache=false",
    "core.sparseCheckout=false",
    "submodule.recurse=false",
)


@cache
def exact_settings(folder: Path) -> tuple[str, ...]:
    """Return the settings (``name=value``) for worktrees in ``folder``.

    What depends on the file system is tried out there, once: the user's repository may lie on
    another one. A folder that cannot be written counts as one of a usual Unix.
    """
    modes, links, one_case = True, True, False
    with suppress(OSError), tempfile.TemporaryDirectory(dir=folder, prefix="probe-") as place:
        probe = Path(place) / "probe"
        probe.touch(0o600)
        modes = set(_executable(probe)) == {True, False}
        one_case = (probe.parent / "PROBE").exists()
        links = _links(probe)
    found = {"filemode": modes, "symlinks": links, "ignorecase": one_case}
    return (*WHOLE, *(f"core.{name}={str(value).lower()}" for name, value in found.items()))


def _executable(probe: Path) -> Iterator[bool]:
    """Give whether ``probe`` is executable, after it was made so and after it was not."""
    for mode in (0o700, 0o600):
        with suppress(OSError):
            probe.chmod(mode)
        yield bool(probe.stat().st_mode & stat.S_IXUSR)


def _links(probe: Path) -> bool:
    link = probe.with_name("link")
    with suppress(OSError):
        link.symlink_to(probe.name)
    return link.is_symlink()
