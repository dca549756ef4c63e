"""A warm Python does as a new one does, and nothing of one run is there in the next."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.hermetic import HermeticCase
from tests.support.jobs import CONFIG
from tests.support.repositories import SampleRepo
from tests.support.warm import SOURCE, can_run, run_warm


class TestWarm(HermeticCase):
    def test_the_same_as_a_new_process(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        for words in (["--version"], ["--help"], [], ["statsu"], ["status"], ["run", "--json"]):
            new = self.new(words, repo.root)
            warm = run_warm(words, self.env, repo.root, "")
            first, second = ((one.returncode, one.stdout, one.stderr) for one in (warm, new))
            self.assertEqual(first, second, words)

    def test_it_has_the_folder_and_the_environment_it_was_given(self) -> None:
        plain = SampleRepo.create(self.tmp / "plain", self.env)
        other = self.tmp / "no-repository"
        other.mkdir()
        here = run_warm(["status"], self.env, plain.root, "")
        self.assertIn("there is no job", here.stderr)
        there = run_warm(["status"], self.env, other, "")
        self.assertIn("not in a git repository", there.stderr)
        asked = ["run", "--help"]
        narrow = run_warm(asked, {**self.env, "COLUMNS": "40"}, plain.root, "").stdout
        wide = run_warm(asked, {**self.env, "COLUMNS": "200"}, plain.root, "").stdout
        widest = [max(map(len, text.splitlines())) for text in (narrow, wide)]
        self.assertLess(widest[0] + 40, widest[1])
        self.assertEqual(run_warm(["status"], self.env, plain.root, "").stderr, here.stderr)

    def test_several_at_once(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        with ThreadPoolExecutor(4) as threads:
            jobs = [
                threads.submit(run_warm, [word], self.env, repo.root, "")
                for word in ("--version", "statsu", "--version", "status")
            ]
        codes = [job.result().returncode for job in jobs]
        self.assertEqual(codes, [0, 2, 0, self.new(["status"], repo.root).returncode])

    def test_what_decides_at_the_start_of_a_process_is_left_to_a_new_one(self) -> None:
        self.assertTrue(can_run(self.env, "y\n"))
        self.assertFalse(can_run({**self.env, "PYTHONHASHSEED": "1"}, ""))
        self.assertFalse(can_run({**self.env, "LC_ALL": "C"}, ""))
        self.assertFalse(can_run(self.env, "y" * (1 << 16)))

    def new(self, words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "director", *words],
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            cwd=cwd,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )


class TestInput(HermeticCase):
    def test_standard_input_is_what_it_was_given(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        repo.write(".director/config.toml", CONFIG)
        self.env["PATH"] = os.defpath
        for said in ("", "a task that standard input holds\n"):
            done = run_warm(["plan", "-"], self.env, repo.root, said)
            self.assertEqual("the task is empty" in done.stderr, said == "", done.stderr)
