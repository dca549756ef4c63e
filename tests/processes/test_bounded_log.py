"""Of what is said without end, the beginning and the end are kept, and the rest is counted."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

from director.model.errors import StoppedError
from director.processes.bounded_log import LONGEST_EDGE, BoundedLog
from tests.support.hermetic import TemporaryCase

MEBIBYTE = 1024 * 1024


class TestBoundedLog(TemporaryCase):
    def log(self, keep_bytes: int, parts: Iterable[bytes]) -> tuple[bytes, int]:
        path = self.tmp / "log"
        path.unlink(missing_ok=True)
        log = BoundedLog(path, keep_bytes)
        for part in parts:
            log.add(part)
        log.close()
        return path.read_bytes(), log.left_out

    def test_what_is_short_stays_whole(self) -> None:
        for text in (b"", b"a\n", b"0123456789", b"0123456789" * 2):
            for size in (1, 3, 100):
                parts = [text[start : start + size] for start in range(0, len(text), size)]
                self.assertEqual(self.log(10, parts), (text, 0))

    def test_head_and_tail_are_whole_lines_and_the_rest_is_counted(self) -> None:
        lines = [f"line {number}\n".encode() for number in range(100_000)]
        whole = b"".join(lines)
        for size in (1000, 4096, 100_000, len(whole)):
            parts = [whole[start : start + size] for start in range(0, len(whole), size)]
            kept, left_out = self.log(100_000, parts)
            head, count, tail = re.split(rb"\[\xe2\x80\xa6 ([\d,]+) bytes left out [^\n]*\n", kept)
            self.assertTrue(whole.startswith(head) and head.endswith(b"\n"))
            self.assertTrue(whole.endswith(tail) and tail.startswith(b"line "))
            self.assertEqual(int(count.replace(b",", b"")), left_out)
            self.assertEqual(len(head) + len(tail) + left_out, len(whole))
            self.assertGreater(len(head), 99_900)
            self.assertGreater(len(tail), 99_900)

    def test_of_a_line_without_end_no_half_of_a_secret_is_kept(self) -> None:
        keep = 4 * LONGEST_EDGE
        secret = b"S" * 1000
        whole = b"x" * (keep - 500) + secret + b"x" * keep + secret + b"x" * (keep - 500)
        kept, left_out = self.log(keep, [whole])
        self.assertNotIn(b"S", kept)
        note = f"\n[… {left_out:,} bytes left out …]\n".encode()
        self.assertEqual(kept.count(note), 1)
        self.assertEqual(len(kept) - len(note) + left_out, len(whole))

    def test_neither_disk_nor_memory_holds_more(self) -> None:
        path = self.tmp / "log"
        log = BoundedLog(path, MEBIBYTE)
        tracemalloc.start()
        for _ in range(100):
            log.add(bytes(MEBIBYTE // 2 + 1))
            self.assertLessEqual(path.stat().st_size, MEBIBYTE)
        log.close()
        self.assertLess(tracemalloc.get_traced_memory()[1], 6 * MEBIBYTE)
        tracemalloc.stop()
        self.assertLess(path.stat().st_size, 2 * MEBIBYTE + 100)

    def test_it_is_for_the_owner_only(self) -> None:
        self.log(10, [b"x"])
        self.assertEqual((self.tmp / "log").stat().st_mode & 0o777, 0o600)

    def test_a_disk_that_is_full_is_an_outside_reason(self) -> None:
        if not Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        log = BoundedLog(Path("/dev/full"), 10)
        with self.assertRaisesRegex(StoppedError, "the disk is full"):
            log.add(b"x")
        log.close()
