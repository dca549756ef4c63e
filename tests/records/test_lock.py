"""One process per job, and no stale lock after any end."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

from director.model.errors import StoppedError
from director.records.lock import has_locked, has_open, is_held, job_lock, read_holder
from tests.support.hermetic import HermeticCase

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from director.records.lock import job_lock, is_held
with job_lock(Path(sys.argv[1]), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestLock(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "new" / "lock"

    def holder(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(self.path)],
            cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None and process.stdin is not None
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def test_another_process_is_kept_out_and_told_who_holds_it(self) -> None:
        process = self.holder()
        with self.assertRaises(StoppedError) as caught, job_lock(self.path, "plan"):
            self.fail("the lock was given twice")
        self.assertRegex(
            caught.exception.what, rf"run \(process {process.pid}, since [-0-9]+ [:0-9]+\)"
        )
        process.communicate("")
        with job_lock(self.path, "plan"):
            pass

    def test_the_holder_is_known_by_its_descriptors_and_by_the_kernels_list(self) -> None:
        if not Path("/proc/locks").exists():
            self.skipTest("there is no list of locks on this system")
        pid = self.holder().pid
        other = self.path.with_name("other")
        other.touch()
        for knows in (has_open, has_locked):
            with self.subTest(knows.__name__):
                self.assertTrue(knows(pid, self.path))
                self.assertFalse(knows(os.getpid(), self.path))
                self.assertFalse(knows(pid, other))

    def test_who_ends_with_an_error_is_named_no_more(self) -> None:
        with self.assertRaises(StoppedError), job_lock(self.path, "run"):
            self.assertIsNotNone(read_holder(self.path))
            raise StoppedError("stopped", "again")
        self.assertIsNone(read_holder(self.path))

    def test_a_pipe_in_its_place_is_held_by_none_and_waited_for_by_none(self) -> None:
        self.path.parent.mkdir()
        os.mkfifo(self.path)
        self.assertFalse(is_held(self.path))
        self.assertIsNone(read_holder(self.path))

    def test_a_killed_holder_holds_nothing(self) -> None:
        process = self.holder()
        process.kill()
        process.wait()
        with job_lock(self.path, "plan"):
            said = json.loads(self.path.read_text())
            self.assertEqual((said["pid"], said["command"]), (os.getpid(), "plan"))

    def test_a_second_holder_in_the_same_process_is_kept_out(self) -> None:
        with (
            job_lock(self.path, "plan"),
            self.assertRaisesRegex(StoppedError, rf"^plan \(process {os.getpid()}, .*\) holds"),
            job_lock(self.path, "run"),
        ):
            self.fail("the lock was given twice")

    def test_an_error_inside_gives_it_back(self) -> None:
        with self.assertRaises(ZeroDivisionError), job_lock(self.path, "plan"):
            raise ZeroDivisionError
        with job_lock(self.path, "plan"):
            pass

    def test_a_holder_that_has_not_said_its_name(self) -> None:
        self.holder()
        self.path.write_text("")
        with self.assertRaisesRegex(StoppedError, "just starting"), job_lock(self.path, "plan"):
            self.fail("the lock was given twice")

    def test_is_the_owners_only_and_does_not_reach_children(self) -> None:
        with job_lock(self.path, "plan"):
            self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
            child = subprocess.Popen(["sleep", "300"], close_fds=False)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
        with job_lock(self.path, "plan"):
            pass

    def test_whether_it_is_held_is_asked_of_the_lock_and_not_of_a_number(self) -> None:
        self.assertFalse(is_held(self.path))
        process = self.holder()
        self.assertTrue(is_held(self.path))
        self.path.write_text("")
        self.assertTrue(is_held(self.path))
        process.kill()
        process.wait()
        self.path.write_text(json.dumps({"pid": os.getpid(), "command": "run", "since": "now"}))
        self.assertFalse(is_held(self.path))
        with job_lock(self.path, "plan"):
            self.assertTrue(is_held(self.path))

    def test_asking_whether_it_is_held_refuses_no_command(self) -> None:
        with job_lock(self.path, "plan"):
            pass
        asking = os.open(self.path, os.O_RDONLY)
        fcntl.flock(asking, fcntl.LOCK_SH | fcntl.LOCK_NB)

        def pause(_secs: float) -> None:
            os.close(asking)

        with job_lock(self.path, "run", pause):
            self.assertTrue(is_held(self.path))
