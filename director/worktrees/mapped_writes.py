"""Whether a file system tells of writes through a mapping (mmap(2)): on tmpfs no time changes.

A command could hide there what it wrote from a reader that looks at times alone.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

OLD = 1  # seconds: every file is younger than an index of then, so its content counts


@cache
def tells_of_mapped_writes(folder: Path) -> bool:
    """Whether the times of a file in ``folder`` change with it, however it is written.

    It is tried out there, once. A folder that cannot be written counts as one of a usual disk.
    """
    with suppress(OSError, ValueError), tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"a")
        probe.flush()
        os.utime(probe.fileno(), (OLD, OLD))
        with mmap.mmap(probe.fileno(), 1) as mapping:
            mapping[0] += 1  # a page that was read first may be written without notice
        return os.fstat(probe.fileno()).st_mtime != OLD
    return True
