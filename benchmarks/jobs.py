"""The scenarios that time whole runs of a job with the instant agent."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measuring import Cell, Result, Samples
from benchmarks.stage import FLOOR, Stage, both, derived
from benchmarks.trial import Trial
from benchmarks.work import Work, chain, fan, free

LANES = 8
AGENT_SECS = 0.4
TINY_REPOSITORY = "3 files"


def one_lane(stage: Stage) -> Iterator[Result]:
    """Seconds for each node of nodes that wait for nothing, tests by unittest."""
    work = Work(free(stage.size(12, 2)), unittest=True)
    walls = stage.walls(Trial("one lane", work), stage.rounds)
    yield from _per_node("one-lane", f"{len(work.nodes)} nodes", work, walls)
    yield from _over_floor("one-lane", f"{len(work.nodes)} nodes", walls)


def eight_lanes(stage: Stage) -> Iterator[Result]:
    """Which share of the ideal wall time several lanes come to."""
    lanes = stage.size(LANES, 2)
    work = Work(free(stage.size(3 * LANES, 2)), agent_secs=AGENT_SECS)
    walls = stage.walls(Trial("eight lanes", work, lanes), stage.rounds)
    what = f"{len(work.nodes)} nodes in {lanes} lanes"
    for column, cell in walls.items():
        yield Result("eight-lanes", f"{what}, wall time", "s", column, cell)
    for column, cell in walls.items():
        share = both(walls[FLOOR], cell, Samples.ratio)
        yield Result("eight-lanes", f"{what}, share of the ideal", "", column, share)


def big_repository(stage: Stage) -> Iterator[Result]:
    """Seconds for each node against the number of files in the repository."""
    sizes = (0, 200) if stage.quick else (0, 10_000, 50_000)
    for files in sizes:
        work = Work(free(stage.size(4, 1)), files=files)
        what = f"{files:,} files" if files else TINY_REPOSITORY
        walls = stage.walls(Trial(what, work), stage.few_rounds)
        yield from _per_node("big-repository", what, work, walls)


def long_plans(stage: Stage) -> Iterator[Result]:
    """Seconds for each node against the number of nodes."""
    for shape, shaped in (("fan", fan), ("chain", chain)):
        for count in (stage.size(12, 2), stage.size(150, 4)):
            work = Work(shaped(count))
            what = f"{shape} of {count}"
            walls = stage.walls(Trial(what, work), stage.few_rounds)
            yield from _per_node("long-plans", what, work, walls)


def _per_node(scenario: str, what: str, work: Work, walls: dict[str, Cell]) -> Iterator[Result]:
    count = len(work.nodes)
    for column, cell in walls.items():
        yield Result(scenario, what, "s/node", column, derived(cell, lambda s: s.over(count)))


def _over_floor(scenario: str, what: str, walls: dict[str, Cell]) -> Iterator[Result]:
    for column, cell in walls.items():
        yield Result(scenario, what, "× floor", column, both(cell, walls[FLOOR], Samples.ratio))
