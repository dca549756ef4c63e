"""The first signal asks, the second kills; afterwards everything is as before."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

from director.model.errors import InterruptedRunError
from director.processes.cancellation import Cancellation, signals_cancel
from tests.support.hermetic import HermeticCase

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import os, signal, sys
from director.processes.cancellation import Cancellation, signals_cancel
cancellation = Cancellation()
cancellation.last_resorts.append(lambda: print("killed", flush=True))
with signals_cancel(cancellation):
    os.kill(os.getpid(), signal.SIGINT)
    print("asked", cancellation.signal_number, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    print("never")
"""


class TestCancellation(HermeticCase):
    def test_check_raises_the_end_that_the_signal_means(self) -> None:
        cancellation = Cancellation()
        cancellation.check()
        self.assertFalse(cancellation.requested)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            cancellation.cancel(number)
            self.assertTrue(cancellation.requested)
            with self.assertRaises(InterruptedRunError) as caught:
                cancellation.check()
            self.assertEqual(caught.exception.exit_code, code)

    def test_listeners_are_told_once_whatever_the_caller_holds(self) -> None:
        cancellation, held, told = Cancellation(), threading.Lock(), queue.SimpleQueue[int]()

        def listen() -> None:
            with held:
                told.put(cancellation.signal_number or 0)

        cancellation.told_of_end.append(listen)
        with held:  # as by what a signal interrupts
            cancellation.cancel(signal.SIGINT)
        self.assertEqual(told.get(timeout=30), signal.SIGINT)
        cancellation.cancel(signal.SIGTERM)
        self.assertTrue(told.empty())

    def test_a_listener_that_cannot_be_told_makes_no_error_of_a_signal(self) -> None:
        cancellation = Cancellation()
        cancellation.told_of_end.append(lambda: None)
        cancellation.told_of_drain.append(lambda: None)
        self.addCleanup(threading.stack_size, threading.stack_size())
        threading.stack_size(2**50)  # more than there is: no thread can start
        cancellation.drain()
        cancellation.cancel(signal.SIGINT)
        self.assertTrue(cancellation.requested and cancellation.draining)

    def test_a_signal_sets_it_and_the_old_handlers_come_back(self) -> None:
        cancellation = Cancellation()
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        with signals_cancel(cancellation):
            os.kill(os.getpid(), signal.SIGTERM)
            while not cancellation.requested:
                signal.sigtimedwait([], 0.01)
        self.assertEqual(cancellation.signal_number, signal.SIGTERM)
        after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        self.assertEqual(after, before)

    def test_a_second_signal_kills_and_exits_at_once(self) -> None:
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines(), ["asked 2", "killed"])
        self.assertEqual(done.returncode, 143)
