"""How much of the disk folders take, many at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from director.processes.capture import capture

KILOBYTE = 1024


def disk_use(paths: Iterable[Path]) -> dict[Path, int]:
    """Return path → bytes on disk of files and folders; what cannot be looked at counts nothing.

    `du` (POSIX) looks at a folder in a tenth of the time that Python takes. What several of them
    share by hard links is counted once.
    """
    asked = [one for one in paths if os.path.lexists(one)]
    found = dict.fromkeys(asked, 0)
    if not asked:
        return found
    try:
        said = capture(["du", "-sk", "--", *map(os.fspath, asked)], Path("/"), os.environ).out
    except OSError:
        return found
    for line in os.fsdecode(said).splitlines():
        count, _, name = line.partition("\t")
        if Path(name) in found and count.isdecimal():
            found[Path(name)] = int(count) * KILOBYTE
    return found
