"""Exit code 0 alone is not green: what ran no test does not merge.

Covers ``job.evidence`` and ``job.forbidden``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.faults.cases import FaultCase, good
from tests.support.fake_opencode import Step, say, write
from tests.support.jobs import node

TEST = """\
import unittest

from app import double


class TestDouble(unittest.TestCase):
    def test_two(self):
        self.assertEqual(double(2), 4)

    def test_three(self):
        self.assertEqual(double(3), 6)
"""
WRONG = "def double(number):\n    return number + 1\n"
RIGHT = "def double(number):\n    return 2 * number\n"
UNGUARDED = "import sys\n\n\ndef main():\n    return 0\n\n\nsys.exit(main())\n"
# As far as the tests go: collects, prints pytest's last line, and ends like it.
PYTEST = """\
import pathlib, runpy, sys

count = 0
if pathlib.Path("conftest.py").exists():
    runpy.run_path("conftest.py")
for name in sys.argv[1:]:
    for key, test in runpy.run_path(name).items():
        if key.startswith("test_"):
            test()
            count += 1
print(f"{count} passed in 0.01s" if count else "no tests ran in 0.00s")
sys.exit(0 if count else 5)
"""


class EvidenceCase(FaultCase):
    """Node ``a`` writes ``app.py``; its tests are in Python."""

    def setUp(self) -> None:
        super().setUp()
        self.commit_files({"tests/__init__.py": ""})

    def plan_app(self, test: str = TEST, **changes: Any) -> None:
        changes = {
            "files": ["app.py"],
            "tests": ["tests/test_app.py"],
            "test_cmd": "python3 -m unittest tests.test_app",
            **changes,
        }
        self.script_planning(node("a", **changes))
        steps = [write(path, test) for path in changes["tests"]]
        self.fake.always("test-author", *steps, say("written"), node="a")
        self.ends(0, "plan", "double it", "--no-critique")
        self.before = self.repo.fingerprint()

    def wrong_then_right(self, *wrong: Any, undo: Sequence[Step] = ()) -> None:
        """Let the first attempt do ``wrong``, and the second ``undo`` it and do the work."""
        self.implement("a", *wrong)
        self.implement("a", write("app.py", RIGHT), *undo)
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["no_test_ran", "green"])
        self.assertEqual(self.on_branch("app.py"), RIGHT.strip())
        self.ends(0, "verify")

    def lesson(self) -> str:
        """Return what the second attempt was told."""
        return self.fake.calls()[-1].prompt.partition("## The last attempt")[2]

    def counts(self) -> list[int | None]:
        """Return the counts on the receipt of node ``a``."""
        (receipt,) = self.lines("receipts.jsonl")
        return [gate["tests_run"] for gate in receipt["gates"]]


class TestNothingRan(EvidenceCase):
    def test_a_module_that_ends_the_process_when_it_is_imported_does_not_merge(self) -> None:
        self.plan_app()
        self.wrong_then_right(write("app.py", WRONG + UNGUARDED))
        self.assertIn("ended with exit code 0", self.lesson())
        self.assertIn("0 of at least 2 tests", self.lesson())
        self.assertEqual(self.counts(), [2, 2])

    def test_a_module_that_ends_it_in_the_middle_of_the_tests_does_not_merge(self) -> None:
        self.plan_app()
        self.wrong_then_right(
            write("app.py", "import os\n\n\ndef double(number):\n    os._exit(0)\n")
        )

    def test_a_test_that_is_skipped_by_what_it_tests_is_no_evidence(self) -> None:
        self.plan_app()
        skips = "import unittest\n\n\ndef double(number):\n    raise unittest.SkipTest('later')\n"
        self.wrong_then_right(write("app.py", skips))
        self.assertIn("0 of at least 2 tests ran (2 skipped)", self.lesson())

    def test_fewer_tests_than_the_frozen_files_hold_do_not_merge(self) -> None:
        both = ["tests/test_app.py", "tests/test_more.py"]
        self.plan_app(tests=both, test_cmd="python3 -m unittest tests.test_app tests.test_more")
        # a module of the same name that comes first on the path holds one test
        other = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_x(self): pass\n"
        redirect = (
            "import sys, types, unittest\n\nm = types.ModuleType('tests.test_more')\n"
            f"exec({other!r}, vars(m))\nsys.modules['tests.test_more'] = m\n"
            "import tests\n\ntests.test_more = m\n" + RIGHT
        )
        self.wrong_then_right(write("app.py", redirect))
        self.assertIn("3 of at least 4 tests", self.lesson())

    def test_green_before_any_work_needs_evidence_too(self) -> None:
        """What one node merged ends the process that runs the tests of the next one."""
        second = {
            "files": ["app.py"],
            "tests": ["tests/test_app.py"],
            "test_cmd": "python3 -m unittest tests.test_app",
            "depends_on": ["a"],
        }
        self.script_planning(node("a", files=["a.txt", "app.py"]), node("b", **second))
        self.fake.always("test-author", write("tests/test_app.py", TEST), node="b")
        self.ends(0, "plan", "double it", "--no-critique")
        self.before = self.repo.fingerprint()
        self.implement("a", *self.good_work("a"), write("app.py", UNGUARDED))
        self.implement("b", write("app.py", RIGHT))
        self.ends(0, "run")
        self.assertEqual(self.outcomes("b"), ["green"])
        self.assertIn("exit code 0, but 0 of at least 2 tests ran", self.fake.calls()[-1].prompt)


class TestSupportFiles(EvidenceCase):
    def test_runner_settings_in_an_ordinary_file_are_out_of_scope(self) -> None:
        before = '{"scripts": {"test": "sh tests/a.sh"}}\n'
        self.commit_files({"package.json": before})
        self.plan(node("a", files=["a.txt", "package.json"]))
        more = '{"scripts": {"test": "sh tests/a.sh"}, "dependencies": {"left-pad": "1"}}\n'
        self.implement("a", *good(write("package.json", '{"scripts": {"test": "exit 0"}}\n')))
        self.implement("a", *good(write("package.json", more)))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["out_of_scope", "green"])
        self.assertIn("how the tests are run: package.json: scripts.test", self.lesson())
        self.assertEqual(self.on_branch("package.json"), more.strip())

    def test_they_may_change_where_the_plan_says_so(self) -> None:
        new = '{"scripts": {"test": "sh tests/a.sh"}}\n'
        files = {"files": ["a.txt", "package.json"], "test_support": ["package.json"]}
        self.plan(node("a", **files))
        self.implement("a", *good(write("package.json", new)))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])

    def test_a_package_file_of_the_tests_in_an_allowlist_is_refused(self) -> None:
        allowed = node("a", files=["app.py", "tests/__init__.py"])
        self.script_planning(allowed)
        done = self.ends(1, "plan", "double it", "--no-critique")
        self.assertIn("tests/__init__.py", done.err)
        self.assertIn("test_support", done.err)

    def test_one_that_the_plan_allows_and_that_ends_the_process_does_not_merge(self) -> None:
        support = "tests/__init__.py"
        self.plan_app(files=["app.py", support], test_support=[support])
        stop = write(support, "import os\n\nos._exit(0)\n")
        self.wrong_then_right(write("app.py", WRONG), stop, undo=[write(support, "")])

    def test_a_configuration_that_stops_the_runner_does_not_merge(self) -> None:
        self.commit_files({"pytest.py": PYTEST})
        test = "from app import double\n\n\ndef test_two():\n    assert double(2) == 4\n"
        self.plan_app(
            test,
            files=["app.py", "conftest.py"],
            test_support=["conftest.py"],
            test_cmd="PYTHONPATH=. python3 -m pytest tests/test_app.py",
        )
        stop = write("conftest.py", "import os\n\nos._exit(0)\n")
        self.wrong_then_right(write("app.py", WRONG), stop, undo=[write("conftest.py", "")])
        self.assertEqual(self.counts(), [1, 1])
