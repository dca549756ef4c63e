"""Each change is on disk for every reader, whatever happens next, and costs the same.

With it: how it is on disk (``state_file``).
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from director.model.codec.encoding import encode
from director.model.plan import Node, Plan
from director.model.secrets import Redactor
from director.model.state import NodeState, NodeStatus, RunState
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.state_file import SMALL
from director.records.state_keeper import StateKeeper
from tests.support.hermetic import HermeticCase

ROOT = Path(__file__).resolve().parents[2]
MANY = 300  # whose state is no small one
WRITER = """
import sys
from pathlib import Path
from tests.records.test_state_keeper import MANY, fresh
from director.records.job_directory import JobDirectory
from director.records.state_keeper import StateKeeper

keeper = StateKeeper(JobDirectory(Path(sys.argv[1])), fresh(MANY))
keeper.replace(keeper.state)
print("begun", flush=True)
for number in range(100_000):
    keeper.update(f"n{number % MANY}", attempts=number)
    print(number, flush=True)
"""


def fresh(count: int) -> RunState:
    return RunState("job", {f"n{number}": NodeState() for number in range(count)})


def plan_of(state: RunState) -> Plan:
    nodes = [Node(name, name, "", ("f",), (), "true", ("t",)) for name in state.nodes]
    return Plan("job", "task", "/repo", "c0ffee", "now", "director/job", tuple(nodes))


class KeeperCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = JobDirectory(self.tmp / "job")

    def keeper(self, count: int) -> StateKeeper:
        keeper = StateKeeper(self.job, fresh(count))
        self.addCleanup(keeper.close)
        keeper.replace(keeper.state)
        return keeper

    def read(self, count: int = MANY) -> RunState:
        """Return the state as another process sees it."""
        return JobDirectory(self.job.path).load_state(plan_of(fresh(count)))


class TestReading(KeeperCase):
    def test_a_reader_sees_each_change_when_it_is_made(self) -> None:
        for count in (3, MANY):
            keeper = self.keeper(count)
            for number in range(2 * count):
                keeper.note("n0", wall_secs=number)
                keeper.update(f"n{number % count}", durable=number % 3 > 0, attempts=number)
                self.assertEqual(self.read(count), keeper.state)
            keeper.close()

    def test_what_is_only_noted_is_there_with_the_next_change(self) -> None:
        for count in (3, MANY):
            keeper = self.keeper(count)
            keeper.update("n0", attempts=1)
            keeper.note("n1", status=NodeStatus.BLOCKED, error="waits")
            self.assertEqual(self.read(count).nodes["n1"], NodeState())
            keeper.update("n2", attempts=1)
            self.assertEqual(self.read(count), keeper.state)

    def test_the_state_alone_is_whole_when_the_keeper_is_closed(self) -> None:
        for count in (3, MANY):
            keeper = self.keeper(count)
            keeper.update("n0", attempts=1)
            keeper.note("n1", wall_secs=2.0)
            self.assertTrue(self.job.state_changes.exists())
            keeper.close()
            self.assertFalse(self.job.state_changes.exists())
            self.assertEqual(files.read_json(self.job.state), encode(keeper.state))
            self.assertEqual(self.read(count), keeper.state)

    def test_a_small_state_alone_is_current_after_a_while(self) -> None:
        keeper = self.keeper(3)
        whole = self.job.state.read_bytes()
        for number in range(3):
            keeper.update("n1", attempts=number + 1)
        self.assertEqual(self.job.state.read_bytes(), whole)  # of three changes none is written out
        while self.job.state_changes.exists():
            time.sleep(0.01)
        stored = files.read_json(self.job.state)
        self.assertEqual(stored, json.loads(json.dumps(encode(keeper.state))))
        keeper.update("n2", attempts=1)
        self.assertEqual(self.read(3), keeper.state)

    def test_changes_have_no_secrets_in_them(self) -> None:
        self.job.redactor = Redactor({"A_KEY": "the-secret-value"})
        keeper = self.keeper(MANY)
        keeper.update("n0", error="the-secret-value \ud800")
        self.assertNotIn(b"the-secret", self.job.state_changes.read_bytes())
        self.assertEqual(self.read().nodes["n0"].error, "[redacted A_KEY] \ud800")


class TestCrashes(KeeperCase):
    def test_changes_that_follow_another_state_say_nothing(self) -> None:
        keeper = self.keeper(MANY)
        keeper.update("n0", attempts=1)
        left = self.tmp / "left"
        shutil.copy(self.job.state_changes, left)
        keeper.update("n0", attempts=2)
        keeper.close()
        shutil.copy(left, self.job.state_changes)  # as a kill before its removal leaves it
        self.assertEqual(self.read(), keeper.state)
        again = StateKeeper(self.job, self.read())
        again.replace(again.state)
        self.assertFalse(self.job.state_changes.exists())

    def test_a_torn_change_is_none(self) -> None:
        keeper = self.keeper(MANY)
        keeper.update("n0", attempts=1)
        before = keeper.state
        keeper.update("n1", attempts=1)
        whole = self.job.state_changes.read_bytes()
        for cut in (1, 20, 200):
            self.job.state_changes.write_bytes(whole[:-cut])
            self.assertEqual(self.read(), keeper.state if cut == 1 else before)
        for cut in (0, 1, 20, 80):
            self.job.state_changes.write_bytes(whole[:cut])
            self.assertEqual(self.read(), fresh(MANY))

    def test_a_kill_at_any_moment_loses_nothing(self) -> None:
        chance = random.Random(7)
        for _ in range(5):
            shutil.rmtree(self.job.path, ignore_errors=True)
            process = subprocess.Popen(
                [sys.executable, "-c", WRITER, str(self.job.path)],
                cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 600)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")
            process.stdout.close()
            process.wait()
            last = int(rest[-2]) if len(rest) > 1 else -1  # the last change that was told of
            attempts = [node.attempts for node in self.read().nodes.values()]
            for number in range(max(0, last - MANY + 1), last + 1):
                self.assertIn(attempts[number % MANY], (number, number + MANY), number)


class TestCost(KeeperCase):
    def written(self, count: int) -> int:
        """Return how many bytes are written for three changes of each node."""
        keeper = self.keeper(count)
        self.assertGreater(self.job.state.stat().st_size, SMALL)
        total = before = 0
        whole = self.job.state.stat()
        for number in range(3 * count):
            keeper.update(f"n{number % count}", durable=False, attempts=number)
            changes = self.job.state_changes
            size = changes.stat().st_size if changes.exists() else 0
            if (state := self.job.state.stat()).st_ino != whole.st_ino:
                total, before, whole = total + state.st_size, 0, state
            total, before = total + size - before, size
        return total

    def test_what_is_written_grows_with_the_changes_and_not_with_their_square(self) -> None:
        few, many = self.written(500), self.written(2000)
        self.assertLess(many, 5 * few)
