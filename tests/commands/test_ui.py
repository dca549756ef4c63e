"""``director ui``: serves the page until it is ended."""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
import urllib.request

from director.commands.ui import port
from tests.support.jobs import SOURCE, JobCase, node

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/\n")


class TestUi(JobCase):
    def serve(self, *argv: str) -> tuple[subprocess.Popen[str], str]:
        """Start the server; returns its process and the address that it prints."""
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "ui", *argv],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        assert process.stdout
        return process, process.stdout.readline()

    def ask(self, address: str) -> str:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return str(answer.read().decode())

    def test_shows_the_job_as_it_stands_until_ctrl_c(self) -> None:
        self.plan(node("a"))
        process, said = self.serve()
        self.assertRegex(said, ADDRESS)
        address = said.strip()
        self.assertIn("the plan is ready", self.ask(address))
        version = json.loads(self.ask(f"{address}state?since=1"))["version"]
        self.implement("a")
        self.ends(0, "run")
        self.assertIn("Everything is done", self.ask(address))
        self.assertGreater(json.loads(self.ask(f"{address}state?since=1"))["version"], version)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 130)

    def test_writes_nothing(self) -> None:
        self.plan(node("a"))
        before = self.records()
        process, said = self.serve()
        self.ask(said.strip())
        process.terminate()
        self.assertEqual(process.wait(60), 143)
        self.assertEqual(self.records(), before)

    def records(self) -> dict[str, int]:
        return {
            str(path): path.stat().st_mtime_ns for path in self.home.rglob("*") if path.is_file()
        }

    def test_a_port_that_is_taken_is_an_end_that_is_explained(self) -> None:
        self.plan(node("a"))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            number = taken.getsockname()[1]
            err = self.ends(2, "ui", "--port", str(number)).err
        self.assertIn(f"port {number} cannot be used: {os.strerror(errno.EADDRINUSE)}", err)

    def test_no_job_is_an_end_that_is_explained(self) -> None:
        self.assertIn("there is no job in", self.ends(2, "ui").err)


class TestPort(unittest.TestCase):
    def test_only_ports_are_ports(self) -> None:
        self.assertEqual((port("0"), port("65535")), (0, 65535))
        for wrong in ("-1", "65536", "http", ""):
            with self.assertRaises(argparse.ArgumentTypeError):
                port(wrong)
