"""A program that takes rights away from itself (Landlock) and becomes the command it is told.

For what director cannot start from a thread that it has bound: filters, which git starts, and what
starts on another machine, whose folders are its own.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from director.processes import landlock
from director.processes.domain import Domain, access_in
from director.records.files import make_folder

CANNOT_START = 126  # as a shell says it
SCRIPT = """\
import sys
sys.path.insert(0, {source!r})
from pathlib import {path}
from director.processes.confiner import become
from director.processes.domain import Domain
become({domain!r})
"""


def write_confiner(domain: Domain, folder: Path) -> list[str]:
    """Write the program for ``domain`` into ``folder``, and return the words that start it.

    The words of the command follow them, its first one a path.
    """
    source = str(Path(__file__).parents[2])
    text = SCRIPT.format(source=source, path=type(folder).__name__, domain=domain)
    path = folder / f"confine-{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"
    make_folder(folder)
    if not path.exists():
        new = path.with_suffix(f".{os.urandom(4).hex()}")  # another lane may write the same
        new.write_text(text)
        new.rename(path)
    return [sys.executable, "-IS", str(path)]


def become(domain: Domain) -> NoReturn:
    """Bind this process to ``domain``, then become what its arguments say."""
    try:
        landlock.Ruleset(*access_in(domain)).restrict_thread()
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"{sys.argv[1]} cannot be started confined: {error}", file=sys.stderr)
        raise SystemExit(CANNOT_START) from None
