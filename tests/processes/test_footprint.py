"""What a process holds with what it started."""

from __future__ import annotations

import os
import time
import unittest
from unittest import TestCase

from director.processes.footprint import descendants, held_bytes
from director.processes.process_table import MARKER, PROC
from director.processes.service import Service
from tests.processes.case import ProcessCase

GROW = 'import sys, time; kept = b"x" * (64 << 20); print("up", flush=True); time.sleep(300)'
TREE = f"""python3 -c '{GROW}' & python3 -c 'import time; time.sleep(300)' & wait"""
MIB = 2**20


@unittest.skipUnless(PROC.is_dir(), "known from /proc only")
class TestFootprint(ProcessCase):
    def serving(self, script: str) -> Service:
        """Start a service and wait until it says that it is up."""
        service = self.processes.start(self.command(script))
        self.addCleanup(service.end)
        while not (self.out.exists() and "up" in self.out.read_text()):
            self.assertTrue(service.alive())
            time.sleep(0.01)
        return service

    def test_what_it_started_counts(self) -> None:
        held = self.serving(TREE).held_bytes()
        assert held
        self.assertTrue(64 * MIB < held < 200 * MIB, held)

    def test_what_has_another_marker_does_not(self) -> None:
        script = f"{MARKER}=of-a-call {TREE.partition('&')[0]} & exec sleep 300"
        held = self.serving(script).held_bytes()
        assert held is not None
        self.assertLess(held, 64 * MIB)
        self.processes.end_marked("of-a-call", self.tmp)

    def test_what_works_in_a_folder(self) -> None:
        folder = self.tmp / "folder"
        folder.mkdir()
        script = f"(cd {folder}; echo up; exec sleep 300) & exec sleep 300"
        service = self.serving(script)
        self.assertTrue(service.at_work_in(folder))
        self.assertFalse(service.at_work_in(self.tmp / "other"))

    def test_one_that_is_gone(self) -> None:
        self.assertEqual(held_bytes(2**22 + 1, "none"), 0)


class TestDescendants(TestCase):
    def test_of_none(self) -> None:
        self.assertNotIn(os.getpid(), list(descendants(os.getpid())))
