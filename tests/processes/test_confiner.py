"""A program that confines itself, then becomes what it is told: wherever it is started."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from director.processes import landlock
from director.processes.confiner import CANNOT_START, write_confiner
from director.processes.domain import Domain
from tests.support.hermetic import HermeticCase


class TestConfiner(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        if not landlock.abi():
            self.skipTest("there is no Landlock here")
        self.kept, self.own = self.tmp / "kept ' one", self.tmp / "own"
        for folder in (self.kept, self.own):
            folder.mkdir()
        self.domain = Domain(kept=(self.kept,))

    def run_confined(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        words = write_confiner(self.domain, self.tmp / "notes")
        return subprocess.run([*words, *argv], cwd=self.own, capture_output=True, text=True)

    def test_what_is_kept_cannot_be_written(self) -> None:
        script = 'echo x > written; echo x > "$1/forged"; exit 7'
        done = self.run_confined(["/bin/sh", "-c", script, "sh", str(self.kept)])
        self.assertEqual(done.returncode, 7)
        self.assertIn("Permission denied", done.stderr)
        self.assertEqual((self.own / "written").read_text(), "x\n")
        self.assertEqual(list(self.kept.iterdir()), [])

    def test_folders_are_those_of_the_machine_where_it_starts(self) -> None:
        write_confiner(self.domain, self.tmp / "notes")
        (self.tmp / "made later").mkdir()
        done = self.run_confined(["/bin/sh", "-c", "echo x > '../made later/file'"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_there_is_one_program_for_a_domain(self) -> None:
        words = [write_confiner(self.domain, self.tmp / "notes") for _ in range(2)]
        self.assertEqual(words[0], words[1])
        self.assertEqual(len(list((self.tmp / "notes").iterdir())), 1)

    def test_what_cannot_be_started_says_so(self) -> None:
        done = self.run_confined(["/no/such"])
        self.assertEqual(done.returncode, CANNOT_START)
        self.assertIn("/no/such cannot be started confined: ", done.stderr)
