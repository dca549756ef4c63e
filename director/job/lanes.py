"""How many nodes to work on at once: ``--parallel auto``.

Calls wait for a provider, gates and the start of an agent use a core. So there is work for more
lanes than cores: as many as there are cores, times the time of an attempt over its time on a core.
Each lane takes memory and disk, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from director.agents.backend import LaneCost
from director.agents.registry import lane_cost
from director.job.context import JobContext
from director.model.dag import remaining_path_lengths
from director.model.format import size
from director.model.plan import Node
from director.processes.machine import Machine, Room
from director.records import json_lines
from director.records.events import Kind
from director.records.job_directory import JobDirectory

MOST_LANES = 16  # providers limit how many calls they take at once
FEWEST_CALLS = 3  # to say how long they take
EARLIER_JOBS = 3


class Pace(NamedTuple):
    """Mean times of one attempt at a node: its call, and its gates, in seconds."""

    call_secs: float
    gate_secs: float
    measured: bool = True


ASSUMED = Pace(call_secs=90.0, gate_secs=30.0, measured=False)


class Choice(NamedTuple):
    """A number of lanes, and the reason in words."""

    lanes: int
    reason: str


def choose_lanes(
    machine: Machine, pace: Pace, side_by_side: int, call: LaneCost, room: Room | None = None
) -> Choice:
    """Return how many lanes are of use; ``side_by_side`` nodes can be worked on at once.

    ``call`` is what a call takes of the machine. ``room`` None: it is unknown how much disk a lane
    takes.
    """
    # While a model thinks its lane needs no core: more lanes than cores keep the cores busy.
    on_core = pace.gate_secs + call.cpu_secs
    waiting = max(0.0, pace.call_secs - call.cpu_secs)
    bounds = {"nodes side by side": side_by_side}
    if machine.cluster:
        bounds["have a place"] = machine.cores
    else:
        useful = int(machine.cores * (waiting + on_core) / on_core)
        bounds["keep the cores busy"] = useful
    if machine.free_bytes is not None:
        bounds["fit in memory"] = machine.free_bytes // call.memory_bytes
    if room is not None:
        bounds["fit on the disk"] = room.lanes
    lanes = max(1, min(MOST_LANES, *bounds.values()))
    how = "measured" if pace.measured else "assumed"
    times = f"{how}: {pace.call_secs:.0f} s in calls, {pace.gate_secs:.0f} s in gates"
    limits = ", ".join(f"{number} {what}" for what, number in bounds.items())
    cores = "places on the cluster" if machine.cluster else "cores"
    disk = f"; about {size(room.lane_bytes)} of disk each" if room else ""
    return Choice(lanes, f"{machine.cores} {cores}; {times}; {limits}; at most {MOST_LANES}{disk}")


def side_by_side(nodes: Sequence[Node], open_ids: Iterable[str]) -> int:
    """Return a bound on how many of the open nodes can be worked on at once.

    Of a chain only one can, so all but one of the longest chain are not counted.
    """
    wanted = set(open_ids)
    left = [
        node._replace(depends_on=tuple(one for one in node.depends_on if one in wanted))
        for node in nodes
        if node.id in wanted
    ]
    longest = max(remaining_path_lengths(left).values(), default=1)
    return len(left) - longest + 1


def pace_of(events: Iterable[Mapping[str, Any]]) -> Pace | None:
    """Return the mean times in journals; None: too few calls to say."""
    calls, in_calls, in_gates = 0, 0.0, 0.0
    for event in events:
        secs = event.get("wall_secs")
        if not isinstance(secs, int | float) or event.get("node") is None:
            continue
        if event.get("kind") == Kind.CALL_ENDED:
            calls, in_calls = calls + 1, in_calls + secs
        elif event.get("kind") == Kind.GATE:
            in_gates += secs
    return Pace(in_calls / calls, in_gates / calls) if calls >= FEWEST_CALLS else None


def pick_lanes(
    job: JobContext, asked: int | None, nodes: Sequence[Node], open_ids: Iterable[str]
) -> int:
    """Return the lanes that were asked for; None: chosen here, and said in one line."""
    wanted = set(open_ids)
    if asked is not None or not wanted:
        _warn_of_little_room(job, min(asked or 1, len(wanted)))
        return asked or 1
    pace = _known_pace(job.directory) or ASSUMED
    room = job.pool.room(job.repository.tip())
    call = lane_cost(job.config.tiers.values())
    choice = choose_lanes(job.machine(), pace, side_by_side(nodes, wanted), call, room)
    lanes = "1 lane" if choice.lanes == 1 else f"{choice.lanes} lanes"
    job.events.notice(f"{lanes}: {choice.reason}")
    return choice.lanes


def _warn_of_little_room(job: JobContext, lanes: int) -> None:
    """Say so when more lanes than one will not fit on the disk."""
    if lanes < 2 or (room := job.pool.room(job.repository.tip())) is None or lanes <= room.lanes:
        return
    job.events.notice(
        f"{lanes} lanes take about {size(room.lane_bytes)} of disk each, and {size(room.free)} "
        f"are free in {job.pool.folder}: free disk space, or ask for fewer with --parallel"
    )


def _known_pace(directory: JobDirectory) -> Pace | None:
    """Return the pace of this job, or else of the latest jobs before it."""
    if pace := pace_of(json_lines.read_lines(directory.events)):
        return pace
    earlier = directory.earlier_events()[-EARLIER_JOBS:]
    return pace_of(line for journal in earlier for line in json_lines.read_lines(journal))
