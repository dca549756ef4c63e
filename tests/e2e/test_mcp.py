"""The official client of the Model Context Protocol plans and runs a job. Of ``director.mcp``."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from tests.e2e.npm import UnavailableError
from tests.e2e.pip import python_with
from tests.support.jobs import JobCase, node
from tests.support.warm import SOURCE

CLIENT = Path(__file__).with_name("official_client.py")
TALK_SECS = 120


@functools.cache
def client_python(release: str) -> Path | UnavailableError:
    """Return a Python with that release of the client; look once, and say aloud what is missing."""
    try:
        return python_with(f"mcp-{release}", f"mcp=={release}")
    except UnavailableError as error:
        print(f"the official MCP client cannot be tested with: {error}", file=sys.stderr)
        return error


class TestOfficialClient(JobCase):
    def talk(self, release: str) -> dict[str, Any]:
        python = client_python(release)
        if isinstance(python, UnavailableError):
            if os.environ.get("CI") == "true":
                raise AssertionError(str(python))
            raise unittest.SkipTest(str(python))
        server = (sys.executable, "-m", "director", "mcp")
        done = subprocess.run(
            [str(python), str(CLIENT), str(self.repo.root), *server],
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            timeout=TALK_SECS,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def test_a_job_with_the_first_generation_of_the_client(self) -> None:
        self.a_job("1.30.0")

    def test_a_job_with_the_second(self) -> None:
        self.a_job("2.3.0")

    def a_job(self, release: str) -> None:
        self.script_planning(node("a"))
        self.implement("a")
        heard = self.talk(release)
        self.assertEqual(heard["greeting"]["protocolVersion"], "2025-06-18")
        self.assertIn("wait_secs", heard["greeting"]["instructions"])
        names = {one["name"] for one in heard["tools"]["tools"]}
        self.assertLessEqual({"plan", "revise", "approve", "run", "stop", "init_repo"}, names)
        self.assertNotIn("land", names)
        self.assertEqual(len(heard["resources"]["resources"]), 4)
        self.assertEqual(len(heard["templates"]["resourceTemplates"]), 1)
        self._calls(heard)
        for name, found in heard["read"].items():
            self.assertTrue(found["contents"][0]["text"], name)
        self.assertIn("task must be a string", str(heard["refused"]))
        self.assertEqual(self.left_behind(), [])

    def _calls(self, heard: dict[str, Any]) -> None:
        first, *others = [result for _, result in heard["calls"]]
        self.assertTrue(first["isError"])  # there is no job yet
        self.assertEqual([one["structuredContent"]["exit_code"] for one in others], [0] * 7)
        for one in others:
            self.assertEqual(json.loads(one["content"][0]["text"]), one["structuredContent"])
        messages = [message for _, _, message in heard["progress"]]
        self.assertTrue([one for one in messages if one.startswith("a: merged")], messages)
