"""Test cases by what they may touch: memory only, a temporary folder, processes that stay in it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

GITCONFIG = """\
[user]
\tname = Sam Sample
\temail = sam@example.org
[init]
\tdefaultBranch = main
"""


class ProcessCase(unittest.TestCase):
    """The base of all tests that start processes; the others are the fast ones and may not.

    ``python3 -m tests`` holds them to it.
    """


class TemporaryCase(unittest.TestCase):
    """Gives each test ``self.tmp`` (removed afterwards) and ``self.env`` (to hand on).

    Neither the environment nor the working directory of the test process changes.
    """

    tmp: Path
    env: dict[str, str]

    def setUp(self) -> None:
        super().setUp()
        self.tmp = Path(tempfile.mkdtemp(prefix="director-test-")).resolve()
        self.addCleanup(remove_tree, self.tmp)
        self.env = hermetic_environment(self.tmp / "home")


class HermeticCase(TemporaryCase, ProcessCase):
    """The same for tests that start processes, which are to be given ``self.env``.

    ::

        class TestSomething(HermeticCase):
            def test_it(self) -> None:
                repo = SampleRepo.create(self.tmp / "repo", self.env)
                subprocess.run(["git", "status"], cwd=repo.root, env=self.env, check=True)
    """


def hermetic_environment(home: Path) -> dict[str, str]:
    """Make a home folder at ``home`` and return a minimal environment that stays inside it.

    ``python3`` is the one that runs the tests: no version manager has to choose one every time.
    """
    own = Path(sys.executable).parent
    folders = {
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "TMPDIR": home / "tmp",
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
    (home / ".gitconfig").write_text(GITCONFIG)
    return {
        "PATH": f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        **{name: str(folder) for name, folder in folders.items()},
    }


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` and all in it, also where write permission was taken away."""
    for place, names, _files in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
