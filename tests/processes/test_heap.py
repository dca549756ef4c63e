"""One heap for all threads, as the C library itself tells."""

import ctypes
import subprocess
import sys
import unittest
from pathlib import Path

from tests.support.hermetic import ProcessCase

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = """\
import ctypes, sys, threading
sys.path.insert(0, sys.argv[1])
from director.processes.heap import share_one_heap

if sys.argv[2] == "shared":
    share_one_heap()
held = []
both = threading.Barrier(3)

def use():
    held.append(bytes(50_000))
    both.wait()

threads = [threading.Thread(target=use) for _ in range(3)]
for one in threads:
    one.start()
for one in threads:
    one.join()
ctypes.CDLL(None).malloc_stats()
"""


def arenas(how: str) -> int:
    """Return how many heaps a process has whose threads have used memory."""
    argv = (sys.executable, "-c", SCRIPT, str(PROJECT), how)
    return subprocess.run(argv, capture_output=True, check=True).stderr.count(b"Arena ")


@unittest.skipUnless(hasattr(ctypes.CDLL(None), "malloc_stats"), "the C library is not glibc")
class TestHeap(ProcessCase):
    def test_threads_share_one_heap(self) -> None:
        self.assertGreater(arenas("each"), 1)
        self.assertEqual(arenas("shared"), 1)
