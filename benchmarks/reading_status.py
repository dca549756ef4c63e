"""What ``director status`` takes, on the records of jobs of many nodes: wall time.

Failed nodes, several attempts, a long journal, and lanes at work. From the start of the process
to its end; of the rounds the shortest, because what is looked for is what it takes at least.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.contestants import OURS, PROJECT
from benchmarks.measuring import Result, Samples
from benchmarks.stage import Stage
from director.model.codec.encoding import encode
from director.model.failure import Failure
from director.model.plan import Node
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock

SIZES = {1_000: "< 200", 10_000: "< 300"}  # nodes, and what is to be reached, in ms
LANES = 200
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
AT_WORK = {
    **{"role": "executor", "attempt": 1, "tier": "executor", "model": "p/m", "since": TS},
    **{"usd": 0.01, "tool": "edit", "argument": "src/module.py"},
}
TOKENS = dict.fromkeys(("input", "output", "cache_read", "cache_write", "reasoning"), 100)


def reading_status(stage: Stage) -> Iterator[Result]:
    """Milliseconds of ``status`` while lanes are at work."""
    for count, goal in {20: ""}.items() if stage.quick else SIZES.items():
        repository = stage.folder / f"job-of-{count}"
        repository.mkdir()
        lanes = min(LANES, count // 2)
        home = write_job(repository, count, lanes)
        with job_lock(home.lock, "director run"):
            for what, flags in (("status", ()), ("status --json", ("--json",))):
                taken = [_wall(repository, flags) for _ in range(1 if stage.quick else ROUNDS)]
                said = f"{what} of {count:,} nodes, {lanes} lanes at work"
                cell = Samples((min(taken) * 1e3,))
                yield Result("status", said, "ms", OURS, cell, goal)


def write_job(repository: Path, count: int, lanes: int) -> JobDirectory:
    """Write the records of a job with ``count`` nodes, ``lanes`` of them under way."""
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    home = repository / ".director"
    home.mkdir()
    nodes = [_node(number) for number in range(count)]
    plan = {**JOB, "repo": str(repository), "nodes": [encode(node) for node in nodes]}
    _write(home / "plan.json", plan)
    _write(home / "plan_stage.json", {**JOB, "stage": "ready"})
    ended, running = nodes[:-lanes], nodes[-lanes:]
    states = {node.id: _state(number, node) for number, node in enumerate(ended)}
    states |= {node.id: {"status": "running", "attempts": 0} for node in running}
    _write(home / "state.json", {"job_id": JOB["job_id"], "nodes": states})
    _write_lines(home / "costs.jsonl", (_call(node, one) for node in ended for one in (1, 2)))
    _write_lines(home / "metrics.jsonl", (_ended(node) for node in ended))
    happened = ({"ts": TS, "kind": "gate", "node": node.id, "lesson": "x" * 300} for node in nodes)
    events = [event for event in happened for _ in range(EVENTS_PER_NODE)]
    _write_lines(home / "events.jsonl", [{"ts": TS, "kind": "run_started", "node": None}, *events])
    live = {"lanes": lanes, "nodes": {node.id: AT_WORK for node in running}}
    _write(home / "live.json", {"pid": os.getpid(), "host": "here", "since": TS, **live})
    return JobDirectory(home)


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


def _wall(repository: Path, flags: tuple[str, ...]) -> float:
    """Return the seconds that a process of this interpreter takes."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "director", "status", *flags],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started
