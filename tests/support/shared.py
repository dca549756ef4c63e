"""What is expensive and the same for many tests: made once, and copied by whoever needs it."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

FOLDER = "DIRECTOR_TESTS_SHARED"
"""Names the folder that several test processes share; without it each has its own."""


def made_once(key: object, make: Callable[[Path], None]) -> Path:
    """Return the folder for ``key`` (JSON), which ``make`` fills where there is none.

    It may not be changed. Two processes may make it at once: the first one's is kept.
    """
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    folder = _folder() / name
    if not folder.exists():
        part = folder.with_name(f"{name}-{uuid.uuid4()}")
        part.mkdir()
        make(part)
        try:
            part.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(part)
    return folder


@cache
def _folder() -> Path:
    if FOLDER in os.environ:
        return Path(os.environ[FOLDER])
    folder = Path(tempfile.mkdtemp(prefix="director-shared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
