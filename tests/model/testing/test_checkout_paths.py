"""Which outputs show that a test used the user's checkout; as the runners printed them."""

from __future__ import annotations

import unittest
from pathlib import Path

from director.model.testing.checkout_paths import Checkout, named_path, used_path

ROOT = Path("/home/u/my app")
WORKTREE = Path("/home/u/.local/state/director/job-1/gates/slot-1")
CHECKOUT = Checkout((ROOT,), (ROOT / ".git", ROOT / ".venv"))
SHOWING = (
    # pytest 9, an import that finds the module and not the name
    "E   ImportError: cannot import name 'two' from 'sample' ({path})",
    # unittest, and any traceback
    '  File "{path}", line 3, in two\n    raise ValueError',
    # pytest
    "{path}:7: in two",
    "AttributeError: <module 'sample' from '{path}'> does not have the attribute 'two'",
    # confined
    "E   PermissionError: [Errno 13] Permission denied: '{path}'",
    "Error: EACCES: permission denied, open '{path}'",
    "/bin/sh: 1: .: cannot open {path}: Permission denied",
    "python3: can't open file '{path}': [Errno 13] Permission denied",
    # node
    "    at Object.<anonymous> ({path}:3:9)",
    "    at file://{path}:3:9",
    "{path}:3\n    throw new Error('x');",
    "node:internal\n# {path}:3:9",
    # go, gcc, ruby, rustc
    "\t{path}:12 +0x1d",
    "{path}:4:10: error: expected ';'",
    "In file included from {path}:1:",
    "\tfrom {path}:3:in `two'",
    "  --> {path}:1:2",
)
QUOTING = (
    "AssertionError: '{path}:3' != 'x'",
    "expected {path} to be a file",
    "cp: cannot stat '{path}': No such file or directory",
    "see {path} for more",
    "FAILED tests/test_x.py::test_x - assert '{path}' == ''",
    "collected from {path}",
)


class TestForeignPath(unittest.TestCase):
    def found(self, line: str, path: Path, checkout: Checkout = CHECKOUT) -> Path | None:
        said = f"first\n{line.replace('{path}', str(path))}\nlast\n"
        return used_path(said, WORKTREE, checkout)

    def test_places_where_code_ran(self) -> None:
        path = ROOT / "src/sample/__init__.py"
        for line in SHOWING:
            self.assertEqual(self.found(line, path), path, line)

    def test_paths_from_where_pytest_runs(self) -> None:
        root = Path("/home/u/app")
        line = "../../../../../../app/src/x.py:1: in x"
        self.assertEqual(self.found(line, root, Checkout((root,))), root / "src/x.py")
        self.assertIsNone(self.found("../other/x.py:1: in x", root, Checkout((root,))))

    def test_where_pytest_works(self) -> None:
        self.assertEqual(self.found("rootdir: {path}", ROOT), ROOT)
        self.assertIsNone(self.found("rootdir: {path}", WORKTREE))

    def test_paths_that_are_only_quoted(self) -> None:
        for line in QUOTING:
            self.assertIsNone(self.found(line, ROOT / "src/x.py"), line)

    def test_places_that_are_legitimate(self) -> None:
        for name in (
            ".venv/lib/python3.11/site-packages/_pytest/python.py",
            "web/node_modules/jest/index.js",
            "env/lib/python3/site-packages/x.py",
            ".git/hooks/x.py",
        ):
            self.assertIsNone(self.found("{path}:3: in x", ROOT / name), name)
        for path in (WORKTREE / "src/x.py", Path("/usr/lib/x.py"), Path("/home/u/my app 2/x.py")):
            self.assertIsNone(self.found("{path}:3: in x", path), path)
        self.assertIsNone(self.found("{path}:3: in x", ROOT / "x.py", Checkout()))

    def test_paths_that_a_line_names(self) -> None:
        path = ROOT / "certs/ca.pem"
        line = f"Warning: Ignoring extra certs from `{path}`, load failed: Permission denied"
        self.assertEqual(named_path([line], WORKTREE, CHECKOUT), path)
        self.assertIsNone(named_path([f"{ROOT}/.git/x /home/u/x"], WORKTREE, CHECKOUT))
        self.assertIsNone(named_path([line], WORKTREE, Checkout()))

    def test_a_worktree_in_the_checkout(self) -> None:
        checkout = Checkout((Path("/home/u"),))
        self.assertIsNone(self.found("{path}:3: in x", WORKTREE / "x.py", checkout))
