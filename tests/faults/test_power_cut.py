"""The machine stops: only what was waited for is on disk, and the job continues all the same.

The worst disk there can be is played: of the records it keeps what was synced, as it was then, and
new names from when their folder was synced. What is synced is noted by the director under test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from tests.support.fake_opencode import shell, write
from tests.support.jobs import SOURCE, JobCase, node

NOTING = """
import os, threading

HOME, DISK = os.environ["RECORDS"], os.environ["DISK"]
sync, turn, synced, names = os.fsync, threading.Lock(), {}, {}

def content(name):
    with open(os.path.join(HOME, name), "rb") as stream:
        return os.fstat(stream.fileno()).st_ino, stream.read()

def files_of_home():
    return [one.name for one in os.scandir(HOME) if one.is_file(follow_symlinks=False)]

def put_on_disk(name):
    with open(os.path.join(DISK, name), "wb") as stream:
        stream.write(synced[names[name]])

def note(descriptor):
    sync(descriptor)
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    with turn:
        if path == HOME:
            note_names()
        elif os.path.dirname(path) == HOME:
            inode, synced_bytes = content(os.path.basename(path))
            synced[inode] = synced_bytes
            for name in [name for name, known in names.items() if known == inode]:
                put_on_disk(name)

def note_names():
    names.clear()
    for name in os.listdir(DISK):
        os.unlink(os.path.join(DISK, name))
    for name in files_of_home():
        inode = os.stat(os.path.join(HOME, name)).st_ino
        if inode in synced:
            names[name] = inode
            put_on_disk(name)

try:
    os.mkdir(DISK)  # only the first process is the director that is tested
except FileExistsError:
    pass
else:
    synced.update(map(content, files_of_home()))
    note_names()
    os.fsync = note
"""


class PowerCutCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.disk, self.reached = self.tmp / "disk", self.tmp / "reached"
        self.noting = self.place / "noting"  # agents can make nothing beside what is imported
        self.noting.mkdir()
        (self.noting / "sitecustomize.py").write_text(NOTING)

    def cut_power(self) -> None:
        """Run until the file ``reached`` is there; then only the disk's records are left."""
        env = {
            **self.env,
            "PYTHONPATH": os.pathsep.join((str(self.noting), str(SOURCE))),
            "RECORDS": str(self.home),
            "DISK": str(self.disk),
        }
        argv = [sys.executable, "-m", "director", "run"]
        process = subprocess.Popen(argv, cwd=self.repo.root, env=env)
        try:
            while not self.reached.exists():
                self.assertIsNone(process.poll(), "it ended before its machine stopped")
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
        self.forget_what_was_not_synced()

    def forget_what_was_not_synced(self) -> None:
        for path in self.home.iterdir():
            if path.is_file() and path.name != "lock":
                path.unlink()
        for path in self.disk.iterdir():
            shutil.copy(path, self.home / path.name)
        for path in (*(self.home / "calls").iterdir(), *(self.home / "logs").iterdir()):
            path.write_bytes(b"")

    def reach_and_hang(self, name: str) -> None:
        """Let a node's next call say that it is there, and work for ever."""
        self.fake.queue("executor", shell(f"touch {self.reached}; sleep 300"), node=name)

    def executor_calls(self) -> list[str]:
        """Return the nodes of the executor's calls that are on record, in their order."""
        return [x["node"] for x in self.lines("costs.jsonl") if x["role"] == "executor"]


class TestPowerCut(PowerCutCase):
    def test_what_is_merged_stays_so_and_is_told_of_once(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]), node("c", depends_on=["b"]))
        self.implement("a")
        self.implement("b")
        self.reach_and_hang("c")
        self.cut_power()
        self.assertEqual(self.executor_calls(), ["a", "b"])
        self.implement("c")
        done = self.ends(0, "run")
        self.assertNotIn("there was no receipt", done.err)
        self.assertEqual(self.executor_calls(), ["a", "b", "c"])
        told = [line["node"] for line in self.lines("metrics.jsonl") if line["kind"] == "node"]
        self.assertEqual(sorted(told), ["a", "b", "c"])
        self.assertEqual([line["node"] for line in self.lines("receipts.jsonl")], ["a", "b", "c"])
        self.ends(0, "verify")

    def test_an_attempt_that_failed_is_not_given_again(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.reach_and_hang("a")
        self.cut_power()
        self.assertEqual(self.executor_calls(), ["a"])
        self.implement("a")
        self.ends(0, "run")
        state = self.node_state("a")
        outcomes = [one["outcome"] for one in state["tries"]]
        self.assertEqual((outcomes, state["attempts"]), (["red", "green"], 2))

    def test_a_node_that_failed_has_failed(self) -> None:
        self.configure("\n[limits]\nmax_attempts = 1\n")
        self.plan(node("a"), node("b"))
        for text in ("bad\n", "worse\n"):  # at the executor's tier, then at the escalation's
            self.implement("b", write("b.txt", text))
        self.reach_and_hang("a")
        self.cut_power()
        self.implement("a")
        self.ends(1, "run")
        self.assertEqual(self.executor_calls(), ["b", "a"])
        state = self.node_state("b")
        self.assertEqual((state["status"], state["attempts"]), ("failed", 2))
        told = [line["node"] for line in self.lines("metrics.jsonl") if line["kind"] == "node"]
        self.assertEqual(sorted(told), ["a", "b"])
