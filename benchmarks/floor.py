"""The floor: the agent and test processes of a job, as a bare loop in a plain folder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import CommandError, cpu_of_children
from benchmarks.work import FILES, RUNS_OF_TESTS, Work, mark


@dataclass(frozen=True)
class Floor:
    """What the loop took: the time on the wall, and of processors, its own and its processes'."""

    wall_secs: float
    cpu_secs: float


def floor(
    work: Work,
    lanes: int,
    program: Path,
    folder: Path,
    env: Mapping[str, str],
    runs: int = RUNS_OF_TESTS,
) -> Floor:
    """Work off all nodes of ``work`` in ``lanes`` threads; makes what it needs in ``folder``.

    ``runs`` is how often a node's test runs, once of these red. The nodes' dependencies are not
    looked at: with one lane they make no difference, and with several only nodes without any are
    measured.
    """
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for node in work.nodes:
        (folder / "tests" / f"test_{node}.{work.suffix}").write_text(work.test_text(node))

    def node_done(node: str) -> None:
        _test(work, node, folder, env, green=False)
        prompt = f"Implement {mark(node)}"
        argv = (program, "run", "--dir", folder, "--agent", "executor", prompt)
        subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True)
        for _ in range(runs - 1):
            _test(work, node, folder, env, green=True)

    began, cpu = time.perf_counter(), _cpu()
    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(node_done, work.nodes))
    return Floor(time.perf_counter() - began, _cpu() - cpu)


def _cpu() -> float:
    """Return the seconds of processors so far: starting a process costs the one who starts it."""
    return time.process_time() + cpu_of_children()


def _test(work: Work, node: str, folder: Path, env: Mapping[str, str], *, green: bool) -> None:
    command = ("sh", "-c", work.test_cmd(node))
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True
    )
    if (done.returncode == 0) is not green:
        raise CommandError(f"the floor's test of {node} ended with {done.returncode}")
