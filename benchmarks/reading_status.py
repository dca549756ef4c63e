"""What ``director status`` takes: ``python3 -m benchmarks.reading_status [NODES]``.

The records of a job of a thousand nodes, with failed ones, several attempts and a long journal.
The goal is less than 0.2 s, from the start of the process to its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import director
from director.model.codec.encoding import encode
from director.model.failure import Failure
from director.model.plan import Node

NODES = 1000
GOAL_SECS = 0.2
ROUNDS = 10
EVENTS_PER_NODE = 20
TS = "2026-01-02T03:04:05.678Z"
JOB = {
    "job_id": "20260102-030405-5622",
    "task": "Measure the reading of a status",
    "base_commit": "b" * 40,
    "job_branch": "director/job-20260102-030405-5622",
    "created_at": TS,
}
TOKENS = dict.fromkeys(("input", "output", "cache_read", "cache_write", "reasoning"), 100)


def main(argv: list[str]) -> int:
    """Measure, print the least wall time, and return 1 where it is more than the goal."""
    count = int(argv[0]) if argv else NODES
    with tempfile.TemporaryDirectory(prefix="director-benchmark-") as folder:
        write_job(Path(folder), count)
        taken = min(_wall(folder, "-m", "director", "status") for _ in range(ROUNDS))
        bare = min(_wall(folder, "-c", "pass") for _ in range(ROUNDS))
    print(f"status of {count} nodes: {taken:.3f} s, of which {bare:.3f} s are the interpreter's")
    return int(taken > GOAL_SECS)


def write_job(repository: Path, count: int) -> None:
    """Write the records of a job with ``count`` nodes to a new repository."""
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    home = repository / ".director"
    home.mkdir()
    nodes = [_node(number) for number in range(count)]
    plan = {**JOB, "repo": str(repository), "nodes": [encode(node) for node in nodes]}
    _write(home / "plan.json", plan)
    _write(home / "plan_stage.json", {**JOB, "stage": "ready"})
    states = {node.id: _state(number, node) for number, node in enumerate(nodes)}
    _write(home / "state.json", {"job_id": JOB["job_id"], "nodes": states})
    _write_lines(home / "costs.jsonl", (_call(node, one) for node in nodes for one in (1, 2)))
    _write_lines(home / "metrics.jsonl", (_ended(node) for node in nodes))
    happened = ({"ts": TS, "kind": "gate", "node": node.id, "lesson": "x" * 300} for node in nodes)
    events = [event for event in happened for _ in range(EVENTS_PER_NODE)]
    _write_lines(home / "events.jsonl", [*events, {"ts": TS, "kind": "run_ended", "node": None}])


def _node(number: int) -> Node:
    return Node(
        id=f"node-{number:04d}",
        title=f"Write module {number}",
        spec="The module holds a function that does what its name says. " * 10,
        files=(f"src/module_{number}.py",),
        depends_on=(f"node-{number - 10:04d}",) if number >= 10 else (),
        test_cmd=f"python3 -m unittest tests.test_module_{number}",
        tests=(f"tests/test_module_{number}.py",),
        test_hashes={f"tests/test_module_{number}.py": "a" * 64},
    )


def _state(number: int, node: Node) -> dict[str, Any]:
    """Return where a node stands: one of a hundred failed, the others took two attempts."""
    log = f"logs/{node.id}.1.gate.log"
    why = Failure("red", node.test_cmd, 1, "AssertionError: 2 != 3", "File x\n" * 6, log)._asdict()
    failed = number % 100 == 50
    first = {"role": "executor", "outcome": "red", "number": 1, "failure": why}
    second = first if failed else {"role": "executor", "outcome": "green", "number": 2}
    ended = {"status": "failed", "failure": why} if failed else {"status": "done"}
    return {**ended, "attempts": 2, "tier_used": "executor", "tries": [first, second]}


def _call(node: Node, attempt: int) -> dict[str, Any]:
    about = {"ts": TS, "role": "executor", "model": "p/m", "node": node.id, "attempt": attempt}
    return {**about, **TOKENS, "cost": 0.001, "cost_source": "priced", "ok": True}


def _ended(node: Node) -> dict[str, Any]:
    return {"kind": "node", "ts": TS, "node": node.id, "title": node.title, "status": "done"}


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2))


def _write_lines(path: Path, values: Iterable[Any]) -> None:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))


def _wall(folder: str, *argv: str) -> float:
    """Return the seconds that a process of this interpreter takes."""
    place = str(Path(director.__file__).resolve().parent.parent)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": place},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
