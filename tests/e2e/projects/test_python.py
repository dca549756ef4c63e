"""A Python project whose package lies in ``src`` and is installed to be tested."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.e2e.projects.project import TASK, Project, ProjectCase, Work
from tests.support.repositories import SampleRepo

# A build backend of the project's own: no registry is asked for one.
BACKEND = '''\
"""Builds what pip asks for: a wheel with the package, or with a link to ``src``."""

import pathlib
import zipfile

ROOT = pathlib.Path(__file__).parent.resolve()
INFO = "words-1.0.dist-info"
KIND = "Wheel-Version: 1.0\\nGenerator: words\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"


def _wheel(folder, files):
    name = "words-1.0-py3-none-any.whl"
    files |= {
        f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: words\\nVersion: 1.0\\n",
        f"{INFO}/WHEEL": KIND,
    }
    record = "".join(f"{path},,\\n" for path in (*files, f"{INFO}/RECORD"))
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in {**files, f"{INFO}/RECORD": record}.items():
            wheel.writestr(path, text)
    return name


def build_wheel(folder, config_settings=None, metadata_directory=None):
    source = ROOT / "src"
    found = sorted(source.rglob("*.py"))
    return _wheel(folder, {p.relative_to(source).as_posix(): p.read_text() for p in found})


def build_editable(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {"__editable__.words-1.0.pth": f"{ROOT / 'src'}\\n"})
'''
PYPROJECT = """\
[project]
name = "words"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "backend.py": BACKEND,
    "src/words/__init__.py": "",
    "tests/test_package.py": "import unittest\n\nimport words\n\n\n"
    "class TestPackage(unittest.TestCase):\n    def test_it(self):\n"
    "        self.assertEqual(words.__name__, 'words')\n",
    ".gitignore": ".venv/\n__pycache__/\n",
}
ENVIRONMENT = "python3 -m venv .venv"
INSTALL = ".venv/bin/pip install --quiet --no-index --no-build-isolation --editable ."
RUN = ".venv/bin/python -m unittest discover -s tests -p"


def node(name: str) -> Work:
    """Return a node that adds a module to the package."""
    test = (
        f"import unittest\n\nfrom words.{name} import {name}\n\n\n"
        f"class Test{name.title()}(unittest.TestCase):\n"
        f"    def test_it(self):\n        self.assertEqual({name}(), {name!r})\n"
    )
    return Work(
        name,
        tests={f"tests/test_{name}.py": test},
        files={f"src/words/{name}.py": f"def {name}():\n    return {name!r}\n"},
        test_cmd=f"{RUN} test_{name}.py",
    )


def editable_install(repo: SampleRepo) -> None:
    """Install the package in an environment in the user's checkout, as they work with it."""
    environment = repo.root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    install = f"cd {repo.root} && {INSTALL}"
    subprocess.run(["/bin/sh", "-c", install], check=True, env=dict(repo.env))


class TestEditableInstall(ProjectCase):
    def test_an_environment_in_each_worktree(self) -> None:
        setup = json.dumps(f"{ENVIRONMENT} && {INSTALL}")
        config = f"[worktree]\nsetup = {setup}\n"
        nodes = [node("hello"), node("world")]
        self.finished(Project(FILES, nodes, config, prepared_by=editable_install))

    def test_a_copy_of_the_users_environment_is_refused_before_money_is_spent(self) -> None:
        config = '[worktree]\ncopy = [".venv"]\n'
        project = Project(FILES, [node("hello")], config, prepared_by=editable_install)
        scene = self.open(project)
        before = scene.repo.fingerprint()
        refused = scene.director("plan", TASK, "--auto", "--no-critique", "--json")
        self.assertEqual(refused.code, 2, refused.err)
        self.assert_named(refused.out + refused.err, scene.repo)
        self.assertEqual(scene.server.requests, [])
        self.assertEqual(scene.repo.fingerprint(), before)

    def assert_named(self, text: str, repo: SampleRepo) -> None:
        """Demand that a message says what leads to the user's checkout, and how to correct it."""
        self.assertIn(str(repo.root / "src"), text)
        self.assertIn("[worktree]", text)
