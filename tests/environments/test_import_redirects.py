"""What redirects imports out of a worktree, read from files as installers leave them.

And which interpreter is asked (``python_interpreters``, ``read_beginning``).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from director.environments.import_redirects import (
    Project,
    node_redirects,
    path_redirects,
    python_redirects,
)
from director.environments.python_interpreters import interpreter_of, site_folders
from director.model.testing.checkout_paths import Checkout
from tests.support.hermetic import HermeticCase


class RedirectCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.tmp / "repo"
        for name in ("src/sample/__init__.py", "src/other.py", "src/tests/__init__.py", "data/x"):
            self.write(self.root / name)
        self.checkout = Checkout((self.root,), (self.root / "data",))

    def write(self, path: Path, text: str = "") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class TestPython(RedirectCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.tmp / "env/lib/python3.11/site-packages"
        self.write(self.tmp / "env/pyvenv.cfg", "home = /usr/bin\n")
        self.python = self.write(self.tmp / "env/bin/python")

    def redirects(self) -> list[tuple[str, str]]:
        project = Project(self.checkout, frozenset({"sample-project"}))
        found = python_redirects(self.python, self.env, project)
        return [(Path(redirect.source).name, str(redirect.path)) for redirect in found]

    def test_nothing(self) -> None:
        self.write(self.site / "x.pth", f"# {self.root}/src\nimport os\n\n/nowhere\nrelative\n")
        self.write(self.site / "y.pth", f"{self.root}/data\n")
        self.write(self.site / "z.pth", "import broken; x")
        self.write(self.site / "odd.dist-info/direct_url.json", "[")
        self.assertEqual(self.redirects(), [])
        self.write(self.site / "sample_project-1.dist-info/direct_url.json", '{"url": 3, "dir')
        self.assertEqual(self.redirects(), [("sample_project-1.dist-info", str(self.site))])

    def test_the_modules_that_are_there(self) -> None:
        (redirect,) = path_redirects("PYTHONPATH", ["", "src", f"{self.root}/src"], self.checkout)
        self.assertEqual(redirect.modules, {"sample", "other"})

    def test_names_of_distributions_are_compared_as_installers_do(self) -> None:
        info = self.site / "Sample.Project-2.0.dist-info"
        self.write(info / "RECORD", "sample/__init__.py,,\n../bin/x,,\nx-1.data/y.py,,\none.py,,\n")
        (redirect,) = python_redirects(
            self.python, self.env, Project(self.checkout, frozenset({"sample-project"}))
        )
        self.assertEqual(
            (redirect.distribution, redirect.modules), ("Sample.Project 2.0", {"sample", "one"})
        )

    def test_the_interpreter_of_a_program(self) -> None:
        programs = self.tmp / "env/bin"
        self.env["PATH"] = str(programs)
        self.python.chmod(0o755)
        for name, first in (
            ("pytest", f"#!{self.python}\n"),
            ("by-env", "#!/usr/bin/env python\n"),
            ("long", f'#!/bin/sh\n\'\'\'exec\' "{self.python}" "$0" "$@"\n'),
            ("shell", "#!/bin/sh\nexit\n"),
            ("binary", "\x7fELF"),
        ):
            self.write(programs / name, first).chmod(0o755)
        found = {
            name: interpreter_of(name, self.tmp, self.env)
            for name in ("python", "pytest", "by-env", "long", "shell", "binary", "nowhere")
        }
        known = dict.fromkeys(("python", "pytest", "by-env", "long"), self.python)
        self.assertEqual(found, {**known, "shell": None, "binary": None, "nowhere": None})
        self.assertEqual(interpreter_of("env/bin/pytest", self.tmp, {}), self.python)

    def test_an_interpreter_without_an_environment_is_asked_and_runs_nothing(self) -> None:
        words = [sys.executable, "-S", "-c", "import sys; print(sys.base_prefix)"]
        base = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        user = Path(self.env["HOME"]) / ".local/lib"
        sites = site_folders(Path(base) / "bin/python3", self.env)
        self.assertTrue(any("-packages" in path.name for path in sites), sites)
        self.assertTrue(any(path.is_relative_to(user) for path in sites), sites)

    def test_an_environment_that_shows_the_packages_of_its_base(self) -> None:
        base = self.write(self.tmp / "base/bin/python3", '#!/bin/sh\necho \'["/one", "/two"]\'\n')
        base.chmod(0o755)
        self.site.mkdir(parents=True)
        more = f"home = {base.parent}\ninclude-system-site-packages = true\n"
        self.write(self.tmp / "env/pyvenv.cfg", more)
        found = site_folders(self.python, self.env)
        self.assertEqual(found, [self.site, Path("/one"), Path("/two")])


class TestNode(RedirectCase):
    def test_links_into_the_checkout(self) -> None:
        folder = self.tmp / "worktree/node_modules"
        for name in ("plain/index.js", "@scope/plain/index.js", ".bin/x"):
            self.write(folder / name)
        (folder / "one").symlink_to(self.root / "src")
        (folder / "@scope/two").symlink_to(self.root / "src")
        (folder / "data").symlink_to(self.root / "data")
        (folder / "here").symlink_to("plain")
        found = {Path(redirect.source).name for redirect in node_redirects(folder, self.checkout)}
        self.assertEqual(found, {"one", "two"})
        self.assertEqual(list(node_redirects(self.tmp / "nowhere", self.checkout)), [])
