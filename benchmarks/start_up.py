"""What commands take that only start, look and say something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.measuring import Result, run
from benchmarks.stage import Stage, Turns
from benchmarks.trial import Planned, Trial
from benchmarks.work import Work, free

COMMANDS = ("--version", "status")
REPETITIONS = 10  # in each round: these are short


def start_up(stage: Stage) -> Iterator[Result]:
    """Milliseconds of each command, less those of an interpreter that does nothing."""
    trial = Trial("start-up", Work(free(stage.size(12, 1))))
    with stage.bench(trial) as bench:
        turns = Turns(stage.absent)
        for contestant in stage.contestants:
            with turns.judged(contestant.name):
                planned = bench.plan(contestant)
                planned.restore()
                turns.join(contestant.name, partial(_over_python, planned))
        stage.say("  start-up: rounds")
        for _ in range(stage.size(REPETITIONS * stage.rounds, 2)):
            turns.play()
    for command in COMMANDS:
        for column, cell in turns.cells(command).items():
            yield Result("start-up", command, "ms over python3", column, cell)


def _over_python(planned: Planned) -> dict[str, float]:
    who = planned.contestant
    bare = run((who.python, "-c", "pass"), planned.repo, planned.env).wall_secs
    return {
        command: (run((who.program, command), planned.repo, planned.env).wall_secs - bare) * 1e3
        for command in COMMANDS
    }
