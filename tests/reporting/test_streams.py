"""Printing to an outlet never fails; what is lost is remembered."""

from __future__ import annotations

import errno
import os
import threading
import unittest
from pathlib import Path

from director.reporting.streams import Outlet
from tests.support.hermetic import HermeticCase


class TestOutlet(HermeticCase):
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
