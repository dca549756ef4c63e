"""Validating and scheduling many nodes in memory: what a plan's size costs without any work."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.contestants import PROJECT, Contestant
from benchmarks.measuring import Result, run
from benchmarks.stage import Stage, Turns
from benchmarks.work import Work, layered, write_plan

LIMIT_SECS = 60.0
ASPECTS = ("validate", "schedule")
OURS = """\
import json, sys, time
sys.path.insert(0, sys.argv[3])
from director.model.dag import dag_problems
from director.model.plan_reader import read_nodes
from director.job.scheduler import Schedule

nodes = read_nodes(json.load(open(sys.argv[1])))

def validate():
    assert dag_problems(nodes) == []

def schedule():
    left = Schedule(nodes, finished=())
    given = 0
    while (node := left.take()) is not None:
        left.finish(node)
        given += 1
    assert given == len(nodes)
"""
THEIRS = """\
import json, sys, time
from director import dag
from director.models import Node, Plan

nodes = [Node(**node) for node in json.load(open(sys.argv[1]))["nodes"]]
plan = Plan("job", "task", "repo", "now", "branch", nodes)

def validate():
    dag.validate(plan)

def schedule():
    done = set()
    while ready := dag.ready_nodes(plan, done, done):
        done.add(ready[0])
    assert len(done) == len(nodes)
"""
TIMED = """
began = time.perf_counter()
globals()[sys.argv[2]]()
print(1e3 * (time.perf_counter() - began))
"""


def in_memory(stage: Stage) -> Iterator[Result]:
    """Milliseconds to validate a DAG of layers, and to give out its nodes one after another."""
    for count in (50, 200) if stage.quick else (1_000, 10_000):
        document = stage.folder / f"plan-{count}.json"
        write_plan(document, Work(layered(count)))
        for aspect in ASPECTS:
            stage.say(f"  in memory: {aspect} {count:,} nodes")
            turns = Turns(stage.absent)
            for who in stage.contestants:
                turns.join(who.name, partial(_secs, stage, who, document, aspect))
            for _ in range(stage.few_rounds):
                turns.play()
            for column, cell in turns.cells(aspect).items():
                yield Result("in-memory", f"{aspect} {count:,} nodes", "ms", column, cell)


def _secs(stage: Stage, who: Contestant, document: Path, aspect: str) -> dict[str, float]:
    """Return the time that the script printed; reading the document is not in it."""
    script = (OURS if who.ours else THEIRS) + TIMED
    argv = (who.python, "-c", script, document, aspect, PROJECT)
    return {aspect: float(run(argv, stage.folder, stage.env, LIMIT_SECS).out)}
