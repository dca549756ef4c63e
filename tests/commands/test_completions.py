"""Completion in real shells. With it: ``command_line.grammar.shells``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unittest

from tests.support.jobs import SOURCE, JobCase, node

BASH = """
director() {{ {python} -m director "$@"; }}
{script}
COMP_WORDS=({words}) COMP_CWORD={place}
_director
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


class TestCompletions(JobCase):
    def script(self, shell: str) -> str:
        return self.ends(0, "completions", shell).out

    @unittest.skipUnless(shutil.which("bash"), "there is no bash")
    def completed(self, *words: str) -> list[str]:
        typed = BASH.format(
            python=sys.executable,
            script=self.script("bash"),
            words=" ".join(f"'{word}'" for word in ("director", *words)),
            place=len(words),
        )
        done = subprocess.run(
            ["bash", "-c", typed],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_bash_completes_commands_and_flags(self) -> None:
        self.assertEqual(self.completed("sta"), ["status"])
        self.assertEqual(self.completed("run", "--ret"), ["--retry-failed"])

    def test_bash_completes_the_names_of_nodes_and_jobs(self) -> None:
        self.plan(node("contents"), node("anchors"))
        self.assertEqual(self.completed("run", "--node", "c"), ["contents"])
        self.implement("contents")
        self.implement("anchors")
        self.ends(0, "run")
        job_id = self.stored("plan.json")["job_id"]
        self.script_planning(node("b"))
        self.ends(0, "plan", "another", "--no-critique")
        current = self.stored("plan.json")["job_id"]
        for command in (("plan", "--resume"), ("status", "--job"), ("jobs", "--resume")):
            self.assertEqual(self.completed(*command, ""), [current, job_id])
        self.assertEqual(self.completed("logs", ""), ["b"])
        named = self.completed("logs", "--job", job_id[:-1], "")
        self.assertEqual(sorted(named), ["anchors", "contents"])
        self.assertEqual(self.completed("status", "--job", job_id, "--node", "c"), ["contents"])

    def test_where_there_is_no_job_there_are_no_names(self) -> None:
        for names in ("nodes", "jobs"):
            self.assertEqual(self.ends(0, "completions", names).out, "")

    def test_the_other_shells_can_read_their_scripts(self) -> None:
        missing = [shell for shell in ("zsh", "fish") if not shutil.which(shell)]
        for shell in {"zsh", "fish"} - set(missing):
            done = subprocess.run(
                [shell, "-n"], input=self.script(shell), capture_output=True, text=True
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""), shell)
        if missing:
            self.skipTest(f"not installed: {', '.join(missing)}")
