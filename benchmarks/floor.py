"""The floor: what a node needs at least, as a bare loop in a plain folder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measuring import CommandError
from benchmarks.work import FILES, RUNS_OF_TESTS, Work, mark


def floor_secs(
    work: Work, lanes: int, program: Path, folder: Path, env: Mapping[str, str]
) -> float:
    """Return the wall time of all nodes of ``work`` in ``lanes`` threads; makes ``folder``.

    The nodes' dependencies are not looked at: with one lane they make no difference, and with
    several only nodes without any are measured.
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
        for _ in range(RUNS_OF_TESTS - 1):
            _test(work, node, folder, env, green=True)

    began = time.perf_counter()
    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(node_done, work.nodes))
    return time.perf_counter() - began


def _test(work: Work, node: str, folder: Path, env: Mapping[str, str], *, green: bool) -> None:
    command = ("sh", "-c", work.test_cmd(node))
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True
    )
    if (done.returncode == 0) is not green:
        raise CommandError(f"the floor's test of {node} ended with {done.returncode}")
