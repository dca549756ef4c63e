"""``python3 -m tests`` on a small suite: it runs what is asked for, and nothing goes unsaid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from textwrap import dedent

from tests.support.hermetic import HermeticCase
from tests.support.process_table import alive
from tests.support.runner.record import Record, read_record, write_record
from tests.support.runner.suite import Choice, Unit, chosen, dotted
from tests.support.warm import SOURCE

PROGRAM = """\
import sys
from pathlib import Path
from tests.support.runner.command import Suite, main
sys.exit(main(sys.argv[2:], Suite(Path.cwd(), sys.argv[1].split(","))))
"""
HEAD = """\
import os, signal, subprocess, sys, time, unittest
from pathlib import Path
from tests.support.hermetic import ProcessCase
"""
GOOD = """
class Good(unittest.TestCase):
    def test_one(self): pass
    def test_two(self): pass
"""
BAD = """
class Bad(unittest.TestCase):
    def test_sum(self):
        print("a word from the test")
        for number in (2, 3):
            with self.subTest(number=number):
                self.assertEqual(1 + 1, number)
    def test_word(self): pass
"""


class RunnerCase(HermeticCase):
    """``self.suite`` is the folder of a small suite."""

    def setUp(self) -> None:
        super().setUp()
        self.suite = self.tmp / "suite"
        self.suite.mkdir()
        self.env["PYTHONPATH"] = str(SOURCE)

    def module(self, name: str, *classes: str) -> None:
        """Write a test module."""
        (self.suite / f"{name}.py").write_text(HEAD + "".join(map(dedent, classes)))

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a run of all modules, with the arguments ``argv``."""
        modules = ",".join(sorted(path.stem for path in self.suite.glob("*.py")))
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, modules, *argv],
            cwd=self.suite,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_tests(self, code: int, *argv: str) -> str:
        """Run to the end, demand an exit code, and return what was printed."""
        process = self.start(*argv)
        said, _ = process.communicate()
        self.assertEqual(process.returncode, code, said)
        return said


class TestOutcomes(RunnerCase):
    def test_all_pass(self) -> None:
        self.module("test_a", GOOD)
        self.assertIn("2 tests in ", self.run_tests(0))

    def test_a_failure_is_printed_with_its_traceback_and_what_it_printed(self) -> None:
        self.module("test_a", GOOD)
        self.module("test_b", BAD)
        said = self.run_tests(1)
        self.assertIn("FAILED test_b.Bad.test_sum", said)
        self.assertIn("AssertionError: 2 != 3", said)
        self.assertIn("(number=3)", said)
        self.assertNotIn("(number=2)", said)
        self.assertIn("a word from the test", said)
        self.assertIn("4 tests in ", said)
        self.assertIn("1 failed, 0 skipped", said)

    def test_a_failure_is_printed_while_others_run(self) -> None:
        told = self.tmp / "told"
        self.module("test_a", BAD)
        patient = f"""
        class Patient(unittest.TestCase):
            def test_wait(self):
                deadline = time.monotonic() + 30
                while not Path({str(told)!r}).exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
        """
        self.module("test_b", patient)
        process = self.start("-j", "2")
        assert process.stdout
        for line in process.stdout:
            if line.startswith("FAILED test_a.Bad.test_sum"):
                told.touch()
        self.assertEqual(process.wait(), 1)
        self.assertEqual(self.failed(), {"test_a.Bad.test_sum"})

    def test_what_goes_wrong_outside_of_a_test_is_a_failure(self) -> None:
        before = """
        class Never(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise ValueError("not today")
            def test_it(self): pass
        """
        self.module("test_a", before)
        self.module("test_b", "import nothing_of_that_name\n")
        said = self.run_tests(1)
        self.assertIn("ValueError: not today", said)
        self.assertIn("No module named 'nothing_of_that_name'", said)
        self.assertEqual(self.failed(), {"test_a.Never.test_it", "test_b"})

    def test_skips_are_printed_with_their_reasons(self) -> None:
        skips = """
        class Skips(unittest.TestCase):
            def test_it(self): self.skipTest("no moon tonight")
        """
        self.module("test_a", skips)
        said = self.run_tests(0)
        self.assertIn("skipped: no moon tonight\n    test_a.Skips.test_it\n", said)

    def test_a_process_that_breaks_fails_its_test_and_what_it_had_left(self) -> None:
        breaks = """
        class Breaks(unittest.TestCase):
            def test_1(self): pass
            def test_2(self):
                print("the last word", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            def test_3(self): pass
        """
        self.module("test_a", breaks)
        self.module("test_b", GOOD)
        said = self.run_tests(1, "-j", "1")
        self.assertIn("the process that ran it ended with signal 9", said)
        self.assertIn("the last word", said)
        self.assertEqual(self.failed(), {"test_a.Breaks.test_2", "test_a.Breaks.test_3"})
        self.assertIn("5 tests in ", said)

    def test_a_fast_test_that_starts_a_process_fails_whatever_it_catches(self) -> None:
        starts = """
        class Sly(unittest.TestCase):
            def test_it(self):
                try:
                    subprocess.run(["true"])
                except BaseException:
                    pass
        class Honest(ProcessCase):
            def test_it(self): subprocess.run(["true"], check=True)
        """
        self.module("test_a", starts)
        said = self.run_tests(1, "-j", "1")
        self.assertIn("a fast test may start no process", said)
        self.assertEqual(self.failed(), {"test_a.Sly.test_it"})
        self.assertIn("1 tests in ", self.run_tests(1, "--fast"))

    def failed(self) -> set[str]:
        """Return what the record says that failed."""
        (path,) = self.tmp.rglob("last-run/*.json")
        return set(read_record(path).failed)


class TestStops(RunnerCase):
    def test_nothing_outlives_an_interrupted_run(self) -> None:
        pids = self.tmp / "pids"
        endless = f"""
        class Endless(ProcessCase):
            def test_it(self):
                found = [os.getpid()]
                for env in (None, {{}}):
                    for session in (False, True):
                        found.append(subprocess.Popen(
                            ["/bin/sleep", "1000"], env=env, start_new_session=session).pid)
                lines = subprocess.run(
                    ["sh", "-c", "sleep 1000 >&2 & echo $!"], stdout=-1, text=True).stdout
                Path({str(pids)!r} + ".part").write_text(f"{{' '.join(map(str, found))}} {{lines}}")
                os.rename({str(pids)!r} + ".part", {str(pids)!r})
                time.sleep(1000)
        """
        self.module("test_a", endless)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start()
            while not pids.exists():
                self.assertIsNone(process.poll())
            found = [int(pid) for pid in pids.read_text().split()]
            self.assertEqual(len(found), 6)
            process.send_signal(number)
            said, _ = process.communicate()
            self.assertEqual(process.returncode, code, said)
            self.assertEqual([pid for pid in found if alive(pid)], [])
            self.assertEqual(list(Path(self.env["TMPDIR"]).iterdir()), [])
            pids.unlink()


class TestChoosing(RunnerCase):
    def test_by_pattern_and_by_name(self) -> None:
        self.module("test_a", GOOD)
        self.module("test_b", BAD)
        self.assertIn("1 tests in ", self.run_tests(0, "-k", "test_one"))
        self.assertIn("2 tests in ", self.run_tests(0, "-k", "test_one", "-k", "*word"))
        self.assertIn("2 tests in ", self.run_tests(0, "test_a.py"))
        self.assertIn("1 tests in ", self.run_tests(0, "test_b.Bad.test_word"))
        self.assertEqual(self.run_tests(2, "test_"), "no test is like that\n")

    def test_those_that_failed_last_time(self) -> None:
        self.module("test_a", GOOD)
        self.module("test_b", BAD)
        self.run_tests(1)
        self.run_tests(0, "test_a")  # says nothing of the others
        self.assertIn("1 tests in ", self.run_tests(1, "--failed"))
        # Of another length: in the same second Python takes a file of one length for unchanged.
        self.module("test_b", BAD.replace("(2, 3)", "(2, 2, 2)"))
        self.assertIn("1 tests in ", self.run_tests(0, "--failed"))
        self.assertEqual(self.run_tests(0, "--failed"), "no test failed last time\n")


class TestRecord(HermeticCase):
    def test_what_takes_longest_is_begun_first(self) -> None:
        short, long, new = (Unit(n, (f"{n}.t",), fast=False) for n in ("short", "long", "new"))
        record = Record({"short.t": 0.5, "long.t": 9.0})
        self.assertEqual(record.longest_first([short, new, long]), [long, new, short])

    def test_a_record_that_is_none_is_empty(self) -> None:
        path = self.tmp / "cache" / "record.json"
        self.assertEqual(read_record(path), Record())
        record = Record({"a": 1.5}, frozenset({"a"}))
        write_record(path, record)
        self.assertEqual(read_record(path), record)
        path.write_text("[]")
        self.assertEqual(read_record(path), Record())


class TestChoice(unittest.TestCase):
    def test_names_are_whole_words_and_may_be_paths(self) -> None:
        names = ("tests.job.test_a.A.t", "tests.jobs.test_b.B.t", "tests.e2e.test_c.C.t")
        units = [Unit(name.removesuffix(".t"), (name,), fast="B" in name) for name in names]

        def left(choice: Choice) -> list[str]:
            return [test for unit in chosen(units, choice) for test in unit.tests]

        self.assertEqual(left(Choice()), list(names))
        self.assertEqual(left(Choice(names=("tests/job/",))), [names[0]])
        self.assertEqual(left(Choice(names=("tests/e2e/test_c.py",))), [names[2]])
        self.assertEqual(left(Choice(without=("tests.e2e",))), list(names[:2]))
        self.assertEqual(left(Choice(fast=True)), [names[1]])
        self.assertEqual(left(Choice(only=frozenset({names[1]}))), [names[1]])
        self.assertEqual(dotted("tests/job"), "tests.job")


class TestEnvironment(RunnerCase):
    def test_each_process_has_a_home_of_its_own_and_no_input(self) -> None:
        looks = """
        class Looks(ProcessCase):
            def test_it(self):
                home = os.environ["HOME"]
                self.assertEqual(os.environ["TMPDIR"], home)
                self.assertEqual(sys.stdin.read(), "")
                self.assertEqual(Path(home).parent.stat().st_mode & 0o777, 0o755)  # for nobody
                raise AssertionError(f"home={home}")
        """
        self.module("test_a", looks)
        self.module("test_b", looks)
        said = self.run_tests(1, "-j", "2")
        homes = {line for line in said.splitlines() if line.startswith("AssertionError: home=")}
        self.assertEqual(len(homes), 2)
        self.assertNotIn(f"AssertionError: home={os.environ['HOME']}", homes)
