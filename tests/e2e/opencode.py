"""The OpenCode that the end-to-end tests drive: the one on PATH, else one installed for them."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import unittest
from pathlib import Path

from tests.e2e.npm import UnavailableError, installed, said

VERSION = "1.18.33"
VERSION_SECS = 60


def require_opencode() -> Path:
    """Return the folder that holds the ``opencode`` executable, for the front of PATH.

    Where there is none the test is skipped, and says so; with ``CI=true`` it fails instead.
    """
    try:
        return _found_once()
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise AssertionError(f"no OpenCode to test with: {error}") from None
        raise unittest.SkipTest(f"no OpenCode to test with: {error}") from None


def _found_once() -> Path:
    found = _find()
    if isinstance(found, UnavailableError):
        raise found
    return found


@functools.cache
def _find() -> Path | UnavailableError:
    """Look once per process, and say aloud when the tests are going to be skipped."""
    try:
        program = shutil.which("opencode") or _own()
        if not said([str(program), "--version"], VERSION_SECS).strip():
            raise UnavailableError(f"`{program} --version` says nothing")
    except UnavailableError as error:
        print(f"end-to-end tests cannot run: {error}", file=sys.stderr)
        return error
    return Path(program).parent


def _own() -> Path:
    """Return the program of the tests' own installation, which is made where there is none."""
    return installed(f"opencode-{VERSION}", f"opencode-ai@{VERSION}") / ".bin" / "opencode"
