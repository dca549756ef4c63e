"""Which Python runs a command, and the folders in which packages are installed for it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from director.environments.text_of import text_of
from director.processes.capture import capture

SITES = """\
import json, site
print(json.dumps([*site.getsitepackages(), site.getusersitepackages()]))
"""
ANSWER_SECS = 10.0
ROOT = Path("/")


def interpreter_of(program: str, folder: Path, env: Mapping[str, str]) -> Path | None:
    """Return the Python that runs ``program``, as a command in ``folder`` names it, or None."""
    place = folder / program if "/" in program else shutil.which(program, path=env.get("PATH"))
    if place is None or not Path(place).is_file():
        return None
    if re.fullmatch(r"(?:python|pypy)[\d.]*", Path(place).name):
        return Path(place)
    first = text_of(Path(place))[:500].splitlines()[:2]
    if not first or not first[0].startswith("#!"):
        return None
    words = [word.strip("'\"") for line in first for word in line.removeprefix("#!").split()]
    named = [word for word in words if re.fullmatch(r".*(?:python|pypy)[\d.]*", word)]
    if not named:
        return None
    found = named[0] if "/" in named[0] else shutil.which(named[0], path=env.get("PATH"))
    return Path(found) if found else None


def site_folders(interpreter: Path, env: Mapping[str, str]) -> list[Path]:
    """Return the folders in which packages are installed for an interpreter.

    Those of a virtual environment are read from its files; any other interpreter is asked, in a
    way that runs nothing that is installed.
    """
    prefix = interpreter.parent.parent
    config = text_of(prefix / "pyvenv.cfg")
    if not config:
        return [Path(one) for one in _asked(interpreter, tuple(sorted(env.items())))]
    found = sorted(prefix.glob("lib*/python*/site-packages"))
    settings = dict(re.findall(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$", config, re.MULTILINE))
    if settings.get("include-system-site-packages", "").lower() == "true":
        base = Path(settings.get("home", "")) / "python3"
        found += site_folders(base, env) if base.is_file() else []
    return list(dict.fromkeys(path.resolve() for path in found))


@cache
def _asked(interpreter: Path, env: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    with suppress(OSError, ValueError):
        words = [str(interpreter), "-I", "-S", "-c", SITES]
        done = capture(words, ROOT, dict(env), timeout_secs=ANSWER_SECS)
        return tuple(map(str, json.loads(done.out)))
    return ()
