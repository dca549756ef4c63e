"""The scenarios that run whole jobs with the instant agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from benchmarks.contestants import OURS
from benchmarks.measuring import Cell, Line, NotMeasured, Result, Samples
from benchmarks.stage import FLOOR, MEMORY, WALL, Stage, both, derived
from benchmarks.trial import Trial
from benchmarks.work import Work, chain, fan, free

LANES = 8
AGENT_SECS = 0.4
TINY = 0
SIZES = {10_000: "≤ 1.6", 50_000: "≤ 3"}  # files, and what a node may cost, × those of TINY
PER_NODE = "CPU beyond the bare loop"
FIXED = "CPU beyond the bare loop, fixed"
COUNTED = ("programs", "git processes", "fsyncs", "opened files", "looks at paths")
GOALS = {PER_NODE: "≤ 9", FIXED: "≤ 150", "git processes": "≤ 3", "fsyncs": "≤ 6"}

Lines = Mapping[str, Line | NotMeasured]


def one_lane(stage: Stage) -> Iterator[Result]:
    """What a node costs beyond its agent and its tests, and what a run costs without any."""
    small, large = _two_sizes("one lane", stage.size(6, 2), stage.size(36, 4))
    runs = stage.runs((small, large), stage.rounds)
    lines = runs.lines(small, large, beyond=True)
    yield from _cells("one-lane", PER_NODE, "ms/node", per_node(lines))
    yield from _cells("one-lane", FIXED, "ms", _fixed(lines))
    yield from _counted("one-lane", runs.counts(small, large), COUNTED)
    yield from _subcommands("one-lane", runs.counts(small, large))
    work = Work(free(stage.size(12, 2)), unittest=True)
    trial = Trial("one lane, tests by unittest", work)
    walls = stage.runs((trial,), stage.few_rounds, count=False).cells(trial, WALL)
    yield from _ratios("one-lane", f"{len(work.nodes)} nodes by unittest", "× floor", walls)


def eight_lanes(stage: Stage) -> Iterator[Result]:
    """Which share of the bare loop's speed several lanes come to: in all, and where they go on."""
    lanes = stage.size(LANES, 2)
    small, large = (
        Trial(f"{count} nodes in {lanes} lanes", Work(free(count), agent_secs=AGENT_SECS), lanes)
        for count in (stage.size(3, 1) * lanes, stage.size(9, 3) * lanes)
    )
    runs = stage.runs((small, large), stage.rounds, count=not stage.quick)
    for one in (small, large):
        what = f"{one.name}: speed, of the bare loop's"
        yield from _cells("eight-lanes", what, "×", speeds(runs.cells(one, WALL)), "≥ 0.90")
    what = f"what is more in {large.name}: speed, of the bare loop's"
    slopes = per_node(runs.walls(small, large))
    yield from _cells("eight-lanes", what, "×", speeds(slopes), "≥ 0.90")
    lines = runs.lines(small, large, beyond=True)
    yield from _cells("eight-lanes", PER_NODE, "ms/node", per_node(lines), "")
    yield from _counted("eight-lanes", runs.counts(small, large), COUNTED, goals={})


def big_repository(stage: Stage) -> Iterator[Result]:
    """What a node costs by the number of files in the repository, agent and tests included."""
    tiny: dict[str, Cell] = {}
    few, more = stage.size(2, 1), stage.size(10, 2)
    for files in (TINY, 200) if stage.quick else (TINY, *SIZES):
        name = f"{files:,} files" if files else "3 files"
        small, large = _two_sizes(name, few, more, files=files, unittest=True)
        rounds = stage.few_rounds if files else stage.rounds
        runs = stage.runs((small, large), rounds, count=not stage.quick)
        slopes = per_node(runs.lines(small, large, beyond=False))
        yield from _cells("big-repository", name, "CPU ms/node", slopes)
        tiny = tiny or slopes
        if files:
            times = {one: both(slopes[one], tiny[one], _of_medians) for one in slopes}
            goal = SIZES.get(files, "")
            yield from _cells("big-repository", f"{name}, of 3 files", "×", times, goal)
            looks = _looks(runs.counts(small, large), files)
            yield from _counted("big-repository", looks, tuple(looks.get(OURS, ())), of=f"{name}: ")


def long_plans(stage: Stage) -> Iterator[Result]:
    """What a node costs by the number of nodes, beyond its agent and its tests."""
    fans: dict[int, dict[str, Cell]] = {}
    for shape, count, rounds in (
        (fan, stage.size(150, 4), stage.few_rounds),
        (chain, stage.size(150, 4), stage.few_rounds),
        (fan, stage.size(1_000, 6), 1),
    ):
        trial = Trial(f"{shape.__name__} of {count:,}", Work(shape(count)))
        runs = stage.runs((trial,), rounds, count=False)
        own = {one: _over(cell, count) for one, cell in runs.beyond(trial).items()}
        yield from _cells("long-plans", trial.name, "CPU ms/node beyond", own)
        if shape is fan:
            fans[count] = own
            what = f"{trial.name}: memory of director itself"
            yield from _cells("long-plans", what, "MiB", runs.cells(trial, MEMORY), "≤ 50")
    small, large = fans.values()
    times = {one: both(large[one], small[one], _of_medians) for one in large}
    what = "a node of the large fan, of the small one's"
    yield from _cells("long-plans", what, "×", times, "≤ 1.2")


def _two_sizes(
    name: str, few: int, more: int, *, files: int = 0, unittest: bool = False
) -> tuple[Trial, Trial]:
    """Return two trials that differ in how many nodes they have."""
    small, large = (
        Trial(f"{name}, {count} nodes", Work(free(count), files=files, unittest=unittest))
        for count in (few, more)
    )
    return small, large


def speeds(walls: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return column → speed, of the bare loop's in the same round."""
    return {one: both(walls[FLOOR], cell, Samples.ratio) for one, cell in walls.items()}


def _over(cell: Cell, count: int) -> Cell:
    return derived(cell, lambda samples: samples.over(count))


def per_node(lines: Lines) -> dict[str, Cell]:
    """Return column → what each further node adds."""
    return _part(lines, "per_node")


def _fixed(lines: Lines) -> dict[str, Cell]:
    return _part(lines, "fixed")


def _part(lines: Lines, name: str) -> dict[str, Cell]:
    part = attrgetter(name)
    return {
        column: line if isinstance(line, NotMeasured) else part(line)
        for column, line in lines.items()
    }


def _cells(
    scenario: str, what: str, unit: str, cells: Mapping[str, Cell], goal: str | None = None
) -> Iterator[Result]:
    reach = GOALS.get(what, "") if goal is None else goal
    for column, cell in cells.items():
        yield Result(scenario, what, unit, column, cell, reach)


def _counted(
    scenario: str,
    counts: Mapping[str, Mapping[str, float]],
    what: tuple[str, ...],
    *,
    of: str = "",
    goals: Mapping[str, str] = GOALS,
) -> Iterator[Result]:
    for name in what:
        for column, found in counts.items():
            if name in found:
                cell = Samples((found[name],))
                yield Result(scenario, f"{of}{name}", "/node", column, cell, goals.get(name, ""))


def _subcommands(scenario: str, counts: Mapping[str, Mapping[str, float]]) -> Iterator[Result]:
    """Tell which subcommands of git this tree starts for each node."""
    names = [name for name, count in counts.get(OURS, {}).items() if _is_regular(name, count)]
    yield from _counted(scenario, counts, tuple(names))


def _is_regular(name: str, count: float) -> bool:
    return name.startswith("git ") and name != "git processes" and count >= 0.1


def _looks(counts: Mapping[str, Mapping[str, float]], files: int) -> dict[str, dict[str, float]]:
    """Return how often all files are looked at: what else is looked at is next to nothing."""
    return {
        column: {"looks at all files": found["looks at paths"] / files}
        if "looks at paths" in found
        else {}
        for column, found in counts.items()
    }


def _ratios(scenario: str, what: str, unit: str, walls: Mapping[str, Cell]) -> Iterator[Result]:
    for column, cell in walls.items():
        yield Result(scenario, what, unit, column, both(cell, walls[FLOOR], Samples.ratio))


def _of_medians(one: Samples, other: Samples) -> Samples:
    """Return one median over another: these were not measured in the same rounds."""
    return Samples((one.median / other.median,))
