"""What the pages for CI and for agents tell to do is done: their snippets are run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from director.command_line.grammar.parser import parse
from director.mcp.resources import RESOURCES, TEMPLATES
from director.mcp.tools import TOOLS
from tests.support.fake_opencode import exit_with, write
from tests.support.jobs import JobCase, node
from tests.support.warm import SOURCE

DOCS = SOURCE / "docs"
URL = "https://forge.example/pr/7"


class Step(NamedTuple):
    """A step of a workflow; ``always``: also after one that failed."""

    script: str
    always: bool


def snippet(page: str, language: str) -> str:
    """Return the one block of code in a language that a page has."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def steps(workflow: str) -> Iterator[Step]:
    """Give the steps of a workflow that are commands."""
    for step in workflow.partition("    steps:\n")[2].split("      - ")[1:]:
        if found := re.match(r"run: (?:\|\n(?P<block>(?: {10}.*\n)+)|(?P<line>.*)\n)", step):
            script = re.sub("^ {10}", "", found["block"] or found["line"], flags=re.MULTILINE)
            yield Step(script, always="if: always()" in step)


class PageCase(JobCase):
    """Gives commands of the names that the snippets use, and a remote called ``origin``."""

    def setUp(self) -> None:
        super().setUp()
        self.bin = self.place / "bin"
        self.bin.mkdir()
        self.out = self.place / "out"
        self.out.mkdir()
        python = shlex.quote(sys.executable)
        self.program("director", f'PYTHONPATH={SOURCE} exec {python} -m director "$@"')
        for name in ("npm", "pip"):
            self.program(name, f'echo "{name} $*" >> {self.place}/installed')
        self.program("gh", f'printf "%s\\n" "$@" > {self.place}/asked; echo {URL}')
        self.env["PATH"] = f"{self.bin}:{self.env['PATH']}"
        self.env |= {"TASK": "make things", "OUT": str(self.out), "GITHUB_ACTIONS": "true"}
        self.env |= {"RUNNER_TEMP": str(self.out), "GITHUB_STEP_SUMMARY": str(self.out / "sum.md")}
        self.remote = self.place / "remote.git"
        self.repo.git("init", "--quiet", "--bare", str(self.remote))
        self.repo.git("remote", "add", "origin", str(self.remote))
        self.script_planning(node("a"))

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def bad_work(self, times: int) -> None:
        for _ in range(times):
            self.fake.queue("executor", write("a.txt", "bad\n"), node="a")

    def typed(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.repo.root, env=self.env, capture_output=True, text=True
        )

    def pushed(self) -> list[str]:
        return self.repo.git("ls-remote", "--heads", str(self.remote)).split()[1::2]


class TestGitHubActions(PageCase):
    def works(self) -> list[int]:
        """Run the workflow as its runner does; returns the exit codes of the steps it ran."""
        codes: list[int] = []
        for step in steps(snippet("ci.md", "yaml")):
            if step.always or not any(codes):
                done = self.typed("bash", "-eo", "pipefail", "-c", step.script)
                codes.append(done.returncode)
        return codes

    def test_a_job_that_is_done_becomes_a_pull_request_with_a_summary(self) -> None:
        self.implement("a")
        self.assertEqual(self.works(), [0] * 6)
        self.assertIn("npm install -g opencode-ai", (self.place / "installed").read_text())
        self.assertIn("Everything is done", (self.out / "sum.md").read_text())
        self.assertIn("<html", (self.out / "report.html").read_text())
        self.assertEqual(len(self.pushed()), 1)
        asked = (self.place / "asked").read_text().split("\n")
        self.assertEqual(asked[:2], ["pr", "create"])
        self.assertEqual(self.stored("landed.json")["url"], URL)

    def test_a_failed_job_has_its_report_and_no_pull_request(self) -> None:
        self.bad_work(4)
        self.assertEqual(self.works(), [0, 0, 1, 0, 0])
        self.assertIn("no good a", (self.out / "sum.md").read_text())
        self.assertTrue((self.out / "report.html").exists())
        self.assertEqual(self.pushed(), [])
        self.assertFalse((self.place / "asked").exists())

    def test_what_is_kept_between_attempts_is_what_a_job_continues_from(self) -> None:
        caches = re.findall(r"path: \|\n((?: {12}.*\n)+)", snippet("ci.md", "yaml"))
        state = Path(self.env["XDG_STATE_HOME"]).relative_to(self.env["HOME"]) / "director"
        self.assertEqual([one.split() for one in caches], [[".director", f"~/{state}"]] * 2)


class TestShell(PageCase):
    def works(self) -> int:
        done = self.typed("sh", "-c", snippet("ci.md", "sh"))
        self.assertEqual(json.loads((self.out / "result.json").read_text())["command"], "auto")
        self.assertTrue((self.out / "report.html").exists())
        return done.returncode

    def test_a_job_that_is_done_is_pushed(self) -> None:
        self.implement("a")
        self.assertEqual(self.works(), 0)
        self.assertEqual(self.pushed(), [f"refs/heads/{self.branch}"])
        self.assertIn("Everything is done", (self.out / "summary.md").read_text())

    def test_a_failed_one_is_not_and_the_same_again_continues_a_stopped_one(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.fake.queue("executor", exit_with(1), node="a")
        self.assertEqual((self.works(), self.pushed()), (3, []))
        self.bad_work(4)
        self.assertEqual((self.works(), self.pushed()), (1, []))
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual(headings.count("Plan"), 1)


class TestAgent(PageCase):
    def drives(self) -> subprocess.CompletedProcess[str]:
        program = self.place / "drive.py"
        program.write_text(snippet("from-an-agent.md", "python"))
        return self.typed(sys.executable, str(program), "make things")

    def test_plans_runs_reads_metrics_and_decides_to_try_again(self) -> None:
        self.bad_work(4)
        self.implement("a")
        done = self.drives()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^a done 5 attempts \$0\.\d+$")
        self.assertIn("1 merge verified", done.stdout)

    def test_an_outside_reason_ends_it_with_what_to_do(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.fake.queue("executor", exit_with(1), node="a")
        done = self.drives()
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("run the command again", done.stdout)


class TestServer(unittest.TestCase):
    page = (DOCS / "from-an-agent.md").read_text(encoding="utf-8")

    def test_what_a_client_is_configured_to_start_can_be_started(self) -> None:
        server = json.loads(snippet("from-an-agent.md", "json"))["mcpServers"]["director"]
        self.assertEqual((server["command"], parse(server["args"]).command), ("director", "mcp"))

    def test_every_tool_and_resource_is_described(self) -> None:
        told = set(re.findall(r"^\| `(\w+)`", self.page, re.MULTILINE))
        self.assertEqual({one.name for one in TOOLS} - told, set())
        for one in (*RESOURCES, *TEMPLATES):
            self.assertIn(f"`{one.uri}`", self.page)
