"""The processes that run tests: as many as are wanted, each with a home of its own."""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.runner.suite import Unit
from tests.support.shared import FOLDER

SET_CHILD_SUBREAPER = 36  # prctl(2)
TAIL_BYTES = 4000


@dataclass(frozen=True)
class Ended:
    """A test that is over: ``outcome`` is "passed", "failed" or "skipped".

    ``text`` says why (a traceback, a reason), ``printed`` is what came on the standard streams.
    """

    test: str
    outcome: str
    secs: float
    text: str = ""
    printed: str = ""


class Pool:
    """Runs units in ``count`` processes that work in folders below ``place``.

    ``source`` is the folder from which they import the tests.
    """

    def __init__(self, place: Path, source: Path, count: int) -> None:
        self._place, self._source, self._count = place, source, count
        self._events: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self._waiting: deque[Unit] = deque()
        self._closed = False

    def run(self, units: Sequence[Unit]) -> Iterator[Ended]:
        """Begin the units in their order and give each test as it ends."""
        self._waiting.extend(units)
        (self._place / "shared").mkdir()
        count = self._count
        for number in range(count):
            threading.Thread(target=self._work, args=(number,), daemon=True).start()
        while count:
            event = self._events.get()
            if event is None:
                count -= 1
            else:
                yield event

    def kill(self) -> None:
        """End all that the tests started, and the workers."""
        self._closed = True
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans become ours
        while found := _offspring(os.getpid(), self._place):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in found:
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _work(self, number: int) -> None:
        home = self._place / str(number)
        worker = None
        try:
            while not self._closed:
                try:
                    unit = self._waiting.popleft()
                except IndexError:
                    break
                worker = worker or _Worker(home, self._source)
                for event in worker.run(unit):
                    self._events.put(event)
                if worker.broken:
                    worker.close()
                    worker = None
        finally:
            if worker:
                worker.close()
            self._events.put(None)


class _Worker:
    """One process; ``broken`` when it ended before it was told to."""

    def __init__(self, home: Path, source: Path) -> None:
        home.mkdir(exist_ok=True)
        self._log = (home / "log").open("a+b")
        units, self._units = os.pipe()
        self._events, events = os.pipe()
        given = (units, events, self._log.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.runner.worker", *map(str, given)],
            cwd=source,
            env=_environment(home, os.environ),
            pass_fds=given,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # ctrl-C is for the one who ends them all
        )
        os.close(units)
        os.close(events)
        self._lines = os.fdopen(self._events)
        self.broken = False

    def run(self, unit: Unit) -> Iterator[Ended]:
        """Give the tests of a unit as they end; all of them end, also where the process breaks."""
        left, running, outside = list(unit.tests), "", None
        request = {"name": unit.name, "tests": left, "fast": unit.fast}
        try:
            os.write(self._units, f"{json.dumps(request)}\n".encode())
        except BrokenPipeError:
            self.broken = True
        while not self.broken:
            event = json.loads(self._lines.readline() or "null")
            if event is None:
                self.broken = True
            elif "done" in event:
                yield from _not_run(left, outside, unit.tests[-1])
                return
            elif event["outcome"] == "begun":
                running = event["test"]
            elif event["test"] in left:
                left.remove(event["test"])
                running = ""
                yield Ended(**event)
            else:  # setUpClass, an import
                outside = Ended(**event)
        how = f"the process that ran it ended with {_in_words(self._process.wait())}"
        for test in left:
            text = how if test == running or not running else f"not run: {running} broke it off"
            last_words = self._tail() if test == (running or left[0]) else ""
            yield Ended(test, "failed", 0.0, text, last_words)

    def close(self) -> None:
        """Let the process end."""
        os.close(self._units)
        self._process.wait()
        self._lines.close()
        self._log.close()

    def _tail(self) -> str:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - TAIL_BYTES))
        return self._log.read().decode(errors="replace")


def _not_run(left: Sequence[str], outside: Ended | None, last: str) -> Iterator[Ended]:
    """Give an end to tests that did not run; what happened after all of them is the last one's."""
    if outside:
        for test in left or [last]:
            yield replace(outside, test=test)
    else:
        for test in left:
            yield Ended(test, "failed", 0.0, "it did not run")


def _environment(home: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Return ``env`` with all that is written below ``home``, but for what is kept for good."""
    cache = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    own = {"HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": cache}
    return {**env, **own, FOLDER: str(home.with_name("shared"))}


def _in_words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _offspring(ancestor: int, place: Path) -> list[int]:
    """Return the processes that stem from ``ancestor``, or whose environment names ``place``."""
    parents: dict[int, int] = {}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rpartition(")")[2].split()[1]
            )
            if f"={place}/".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    for pid in parents:
        above = parents[pid]
        while above not in (0, ancestor):
            above = parents.get(above, 0)
        if above == ancestor:
            found.append(pid)
    return [pid for pid in set(found) if pid != ancestor]
