from __future__ import annotations

import signal
import subprocess
import sys

from director.processes.other_process import other_process, wait_until_over
from tests.support.hermetic import ProcessCase

READS = [sys.executable, "-c", "import sys; print('on', flush=True); sys.stdin.read()"]


class TestOtherProcess(ProcessCase):
    def setUp(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(READS, stdin=pipe, stdout=pipe)
        assert self.process.stdin and self.process.stdout
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.addCleanup(self.process.stdin.close)
        self.addCleanup(self.process.stdout.close)
        self.assertEqual(self.process.stdout.readline(), b"on\n")

    def test_it_is_told_to_end_and_waited_for(self) -> None:
        with other_process(self.process.pid, lambda: True) as found:
            assert found is not None
            self.assertFalse(found.is_over(0))
            found.send(signal.SIGTERM)
            self.assertTrue(wait_until_over(found, lambda: False))
        self.assertEqual(self.process.wait(), -signal.SIGTERM)

    def test_another_one_with_its_id_is_left_alone(self) -> None:
        with other_process(self.process.pid, lambda: False) as found:
            self.assertIsNone(found)
        self.assertIsNone(self.process.poll())

    def test_a_wait_can_be_given_up(self) -> None:
        with other_process(self.process.pid, lambda: True) as found:
            assert found is not None
            self.assertFalse(wait_until_over(found, lambda: True))

    def test_one_that_is_over_is_not_signalled(self) -> None:
        with other_process(self.process.pid, lambda: True) as found:
            assert found is not None
            self.process.kill()
            self.process.wait()
            found.send(signal.SIGTERM)
            self.assertTrue(found.is_over(0))
