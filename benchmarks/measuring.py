"""Samples and what is said of them, and the one way in which a command is timed."""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from benchmarks.footprint import OwnPeak


@dataclass(frozen=True)
class Samples:
    """What was measured, in the order of the rounds; one value at least."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def over(self, divisor: float) -> Samples:
        """Return each value divided by ``divisor``."""
        return Samples(tuple(value / divisor for value in self.values))

    def ratio(self, other: Samples) -> Samples:
        """Return this over ``other``, round by round."""
        return Samples(tuple(a / b for a, b in zip(self.values, other.values, strict=False)))

    def less(self, other: Samples) -> Samples:
        """Return this less ``other``, round by round."""
        return Samples(tuple(a - b for a, b in zip(self.values, other.values, strict=False)))

    def times(self, factor: float) -> Samples:
        """Return each value times ``factor``."""
        return Samples(tuple(value * factor for value in self.values))


@dataclass(frozen=True)
class NotMeasured:
    """Why there are no samples; a ``limit`` that was reached says all there is to say."""

    reason: str
    limit_secs: float | None = None


Cell = Samples | NotMeasured


@dataclass(frozen=True)
class Line:
    """What grows with the number of nodes, and what does not: ``fixed`` + nodes × ``per_node``."""

    per_node: Samples
    fixed: Samples

    @classmethod
    def through(cls, sizes: tuple[int, int], small: Samples, large: Samples) -> Line:
        """Return the line through what two sizes took, round by round."""
        per_node = large.less(small).over(sizes[1] - sizes[0])
        return cls(per_node, small.less(per_node.times(sizes[0])))


@dataclass(frozen=True)
class Result:
    """One cell of the table: ``what`` (in ``unit``) of ``column``, in a scenario.

    ``goal`` is what this tree is to reach, in words; empty: nothing is set.
    """

    scenario: str
    what: str
    unit: str
    column: str
    cell: Cell
    goal: str = ""


class CommandError(Exception):
    """A command that was to succeed and did not; the message is one line."""

    def __init__(self, message: str, limit_secs: float | None = None) -> None:
        super().__init__(message)
        self.limit_secs = limit_secs


@dataclass(frozen=True)
class Finished:
    """A command that ended: ``cpu_secs`` are its own and its waited-for descendants'.

    ``peak_mib`` is the most memory that the command itself held (0: not known here).
    """

    code: int
    out: str
    err: str
    wall_secs: float
    cpu_secs: float
    peak_mib: float = 0.0


def run(
    argv: Sequence[str | Path],
    cwd: Path,
    env: Mapping[str, str],
    limit_secs: float = 600.0,
) -> Finished:
    """Run a command to its end; CommandError when it fails or takes over ``limit_secs``."""
    with TemporaryFile() as out, TemporaryFile() as err:
        cpu = cpu_of_children()
        began = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        late = threading.Event()
        timer = threading.Timer(limit_secs, _end, (process, late))
        timer.start()
        own = OwnPeak(process.pid)
        try:
            with own:
                code = process.wait()  # with a time-out it would poll, every 50 ms
        except BaseException:
            _end(process, late)
            process.wait()
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - began
        cpu = cpu_of_children() - cpu
        finished = Finished(code, _text(out), _text(err), wall, cpu, own.mib)
    if late.is_set():
        raise CommandError(f"it took over {limit_secs:g} s", limit_secs)
    if code != 0:
        raise CommandError(_said(argv, finished).replace(str(cwd), "."))
    return finished


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    """End a command that takes too long, with its process group."""
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _said(argv: Sequence[str | Path], finished: Finished) -> str:
    lines = [
        line.strip() for line in (finished.out + "\n" + finished.err).splitlines() if line.strip()
    ]
    words = " ".join(str(word) for word in (Path(argv[0]).name, *argv[1:3]))
    return f"`{words}` ended with {finished.code}: {'; '.join(lines[-2:]) or 'no output'}"


def cpu_of_children() -> float:
    """Return the seconds of processors that ended and waited-for descendants have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")
