"""Printing to an outlet never fails; what is lost is remembered."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from director.reporting.terminal.streams import Outlet
from tests.support.hermetic import HermeticCase, TemporaryCase

ROOT = Path(__file__).resolve().parents[3]
CHILD = """
import subprocess, sys
from director.reporting.terminal.streams import occupy_closed_descriptors
occupy_closed_descriptors()
with open("new", "w") as new:
    assert new.fileno() > 2
    sys.exit(subprocess.run(["sh", "-c", "cat && echo to nobody && echo to nobody >&2"]).returncode)
"""


class TestClosedDescriptors(HermeticCase):
    def test_no_file_gets_their_numbers_and_children_can_use_them(self) -> None:
        command = shlex.join([sys.executable, "-c", CHILD])
        env = {**self.env, "PYTHONPATH": str(ROOT)}
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            script = ["bash", "-c", f"{command} </dev/null {closed}"]
            done = subprocess.run(script, cwd=self.tmp, env=env, capture_output=True)
            self.assertEqual(done.returncode, 0, closed)
            self.assertEqual((self.tmp / "new").read_text(), "")


class TestOutlet(TemporaryCase):
    def test_what_is_written_arrives(self) -> None:
        path = self.tmp / "out"
        with Outlet(str(path), "w") as outlet:
            self.assertEqual(outlet.write(b"some"), 4)
        self.assertEqual((path.read_bytes(), outlet.lost), (b"some", None))

    def test_a_reader_that_has_gone_is_no_loss(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with Outlet(writing, "w") as outlet:
            self.assertEqual(outlet.write(b"some"), 4)
        self.assertIsNone(outlet.lost)

    @unittest.skipUnless(Path("/dev/full").exists(), "there is no /dev/full here")
    def test_the_first_reason_for_a_loss_is_kept(self) -> None:
        with Outlet("/dev/full", "w") as outlet:
            self.assertEqual(outlet.write(b"some"), 4)
        assert outlet.lost is not None
        self.assertEqual(outlet.lost.errno, errno.ENOSPC)

    def test_a_pipe_that_does_not_block_is_waited_for(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        size, read = 1 << 20, bytearray()

        def drain() -> None:
            with os.fdopen(reading, "rb") as stream:
                read.extend(stream.read())

        reader = threading.Thread(target=drain)
        with Outlet(writing, "w") as outlet:
            left = memoryview(b"x" * size)
            left = left[outlet.write(left) :]  # the pipe is full now
            reader.start()
            while left:
                left = left[outlet.write(left) :]
        reader.join()
        self.assertEqual((len(read), outlet.lost), (size, None))
