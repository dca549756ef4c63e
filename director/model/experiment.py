"""A bench of several repeats: what was asked for, what came of each run, in which order they go."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from director.model.comparison import Row
from director.model.reason import Reason

OF_ITS_OWN = frozenset({None, Reason.NODE_FAILED, Reason.INTEGRATION_RED, Reason.CEILING})
"""How a run ends that says something of its profile; whatever else stops one comes from outside."""


class Turn(NamedTuple):
    """One run: a task ("": the only one) under a profile, for the ``repeat``-th time (from 1)."""

    task: str
    repeat: int
    profile: str

    @property
    def name(self) -> str:
        """What the run's folder is called, and its job after the plan's; no profile holds an @."""
        return self.profile if self.repeat == 1 else f"{self.profile}@{self.repeat}"


class Sample(NamedTuple):
    """What came of one run. ``resumed``: it was not run in one go, so its time says nothing."""

    turn: Turn
    job_id: str
    row: Row
    resumed: bool = False

    @property
    def counts(self) -> bool:
        """Whether it says something of its profile."""
        return self.row.reason in OF_ITS_OWN

    @property
    def secs(self) -> float | None:
        """How long it took, in seconds; None: unknown."""
        return None if self.resumed else self.row.wall_secs


class Asked(NamedTuple):
    """What an experiment is of.

    ``tasks`` maps names to texts ("" is the name of the only one), ``profiles`` names to the
    digests of their configurations. ``max_cost`` in US dollars, None: no limit. ``base`` is the
    commit that all jobs begin at.
    """

    tasks: Mapping[str, str]
    profiles: Mapping[str, str]
    plan_profile: str
    repeats: int
    base: str
    parallel: int | None = 1
    max_attempts: int | None = None
    max_cost: float | None = None

    @property
    def is_single(self) -> bool:
        """Whether it is one run of one task under each profile."""
        return self.repeats == 1 and list(self.tasks) == [""]

    def continues(self, earlier: "Asked") -> bool:
        """Whether an ``earlier`` one that has not ended is this one, or its beginning."""
        own = earlier._replace(repeats=self.repeats, max_cost=self.max_cost)
        order = (list(self.tasks), list(self.profiles))
        same = own == self and order == (list(own.tasks), list(own.profiles))
        return same and earlier.repeats <= self.repeats


class Block(NamedTuple):
    """Runs that are compared with each other, in the order in which they go."""

    task: str
    repeat: int
    turns: tuple[Turn, ...]


def blocks(asked: Asked) -> Iterator[Block]:
    """Give the blocks: the first repeat of each task, then the second.

    The order of profiles rotates, so that each comes first as often as the others: what changes
    with time (a busy provider, a warm cache) falls on all of them.
    """
    names = list(asked.profiles)
    for repeat in range(1, asked.repeats + 1):
        for place, task in enumerate(asked.tasks):
            first = (repeat - 1 + place) % len(names)
            order = names[first:] + names[:first]
            yield Block(task, repeat, tuple(Turn(task, repeat, name) for name in order))


def latest(samples: Sequence[Sample]) -> dict[Turn, Sample]:
    """Return what each run came to in the end; one that an outside reason stopped may go again."""
    return {sample.turn: sample for sample in samples}


def to_reserve(block: Block, pending: Sequence[Turn], samples: Sequence[Sample]) -> float:
    """Return what the ``pending`` runs of a block are expected to cost, in US dollars.

    For each the most that a run of its profile has cost, of the same task where there is one; 0
    where there has been none.
    """
    return sum(_most(turn, block.task, samples) for turn in pending)


def _most(turn: Turn, task: str, samples: Sequence[Sample]) -> float:
    own = [sample for sample in samples if sample.turn.profile == turn.profile]
    same = [sample for sample in own if sample.turn.task == task]
    return max((sample.row.cost_known for sample in same or own), default=0.0)


def sample_to_json(sample: Sample) -> dict[str, Any]:
    """Return a line of ``bench/repeats.jsonl``."""
    turn, row = sample.turn, sample.row
    return {
        "task": turn.task,
        "repeat": turn.repeat,
        "job_id": sample.job_id,
        "counts": sample.counts,
        "solved": row.ok and sample.counts,
        "resumed": sample.resumed,
        **row._asdict(),
    }


def sample_from_json(line: Mapping[str, Any]) -> Sample:
    """Return the sample of such a line; KeyError, TypeError or ValueError for another one."""
    known = {name: line[name] for name in Row._fields if name in line}
    reason = known.get("reason")
    row = Row(**{**known, "reason": Reason(reason) if reason else None})
    turn = Turn(str(line["task"]), int(line["repeat"]), row.profile)
    return Sample(turn, str(line["job_id"]), row, bool(line["resumed"]))
