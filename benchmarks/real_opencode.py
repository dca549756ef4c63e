"""Runs with the real OpenCode and a scripted model: what a node costs in time, CPU and memory."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.contestants import NO_SERVER, PROVIDER, ROLES, Contestant
from benchmarks.footprint import PeakMemory
from benchmarks.measuring import CommandError, Result, Samples, run
from benchmarks.stage import Stage, Turns, both
from benchmarks.trial import Planned, Trial
from benchmarks.work import MARK, Work, free, mark
from director.demo.model_server import ModelServer, Request
from director.demo.turns import Say, Turn, write

LANES = {1: "≤ 0.40", 2: "≤ 0.42"}
"""How many lanes, and which share of the wall time of BESIDE this tree is to reach."""

BESIDE = "0.3.0"
VARIANTS = (("", ""), (", no server", NO_SERVER))
"""This tree's configurations: (what the column's name ends in, text for config.toml)."""

WALL, CPU, MEMORY = "wall time", "CPU time", "peak memory"
REQUESTS, OTHERS = "model requests", "of these not the agent's own turns"
UNITS = {WALL: "s/node", CPU: "s/node", MEMORY: "MiB", REQUESTS: "/node", OTHERS: "/node"}


def real_opencode(stage: Stage) -> Iterator[Result]:
    """What a node costs with one lane and with two."""
    program = shutil.which("opencode")
    if program is None or stage.quick:
        stage.say(f"  real-opencode: skipped, {'a smoke' if program else 'none is on PATH'}")
        return
    work = Work(free(6))
    with ModelServer(partial(_conversation, work)) as server:
        for lanes, goal in LANES.items():
            trial = Trial(f"{lanes} lane{'s' * (lanes > 1)}", work, lanes)
            turns = _measured(stage, trial, _Real(Path(program).absolute(), server))
            yield from _results(trial, turns, goal)


def _measured(stage: Stage, trial: Trial, real: _Real) -> Turns:
    with stage.bench(trial) as bench:
        turns = Turns(stage.absent)
        for contestant in stage.contestants:
            stage.say(f"  {trial.name}: {contestant.name} plans")
            with turns.judged(contestant.name):
                planned = bench.plan(contestant)
                for variant in _variants(contestant):
                    mine = planned.with_contestant(variant)
                    turns.join(variant.name, partial(real.run, mine))
        for number in range(stage.few_rounds):
            stage.say(f"  {trial.name}: round {number + 1} of {stage.few_rounds}")
            turns.play()
    return turns


def _results(trial: Trial, turns: Turns, goal: str) -> Iterator[Result]:
    for what, unit in UNITS.items():
        for column, cell in turns.cells(what).items():
            yield Result("real-opencode", f"{trial.name}, {what}", unit, column, cell)
    walls = turns.cells(WALL)
    for column, cell in walls.items():
        if BESIDE in walls and column != BESIDE:
            share = both(cell, walls[BESIDE], Samples.ratio)
            what = f"{trial.name}, {WALL}, of {BESIDE}"
            yield Result("real-opencode", what, "×", column, share, goal)


def _variants(contestant: Contestant) -> list[Contestant]:
    """Return the contestant; this tree in all its configurations."""
    if not contestant.ours:
        return [contestant]
    return [
        replace(contestant, name=contestant.name + words, config=text) for words, text in VARIANTS
    ]


@dataclass(frozen=True)
class _Real:
    """The real OpenCode, and the model that it asks."""

    program: Path
    server: ModelServer

    def run(self, planned: Planned) -> dict[str, float]:
        """Run a planned job once; OpenCode has been started in its home folder before."""
        planned.restore()
        env = self._environment(planned)
        run((self.program, "run", "--model", f"{PROVIDER}/executor", "hello"), planned.repo, env)
        self.server.requests.clear()
        with PeakMemory(env["HOME"]) as memory:
            finished = planned.run(env)
        count = len(planned.trial.work.nodes)
        asked = list(self.server.requests)
        if not asked:
            raise CommandError("the run asked the scripted model nothing")
        return {
            WALL: finished.wall_secs / count,
            CPU: finished.cpu_secs / count,
            MEMORY: memory.bytes / 2**20,
            REQUESTS: len(asked) / count,
            OTHERS: sum(not _is_own_turn(one) for one in asked) / count,
        }

    def _environment(self, planned: Planned) -> dict[str, str]:
        """Return an environment in which OpenCode asks only the model server."""
        catalogue = planned.place / "models.json"
        catalogue.write_text("{}")
        settings = Path(planned.env["XDG_CONFIG_HOME"]) / "opencode" / "opencode.json"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(json.dumps(_settings(self.server.base_url)))
        return {
            **planned.env,
            "PATH": os.pathsep.join((str(self.program.parent), planned.env["PATH"])),
            "OPENCODE_MODELS_PATH": str(catalogue),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "npm_config_offline": "true",
        }


def _settings(base_url: str) -> dict[str, object]:
    """Return OpenCode's own configuration: the model server is PROVIDER."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": PROVIDER,
        "options": {"baseURL": base_url, "apiKey": "none"},
        "models": {role: {"name": role} for role in ROLES},
    }
    return {"$schema": "https://opencode.ai/config.json", "provider": {PROVIDER: provider}}


def _conversation(work: Work, _model: str, prompt: str) -> Sequence[Turn]:
    """Return what the model says: the node's file and a word, or a word only."""
    for node in work.nodes:
        if mark(node) in prompt:
            return [write(f"made_{node}.py", "VALUE = 1\n"), Say("Done.")]
    return [Say("There is nothing to do.")]


def _is_own_turn(request: Request) -> bool:
    """Whether the agent asks what to do next: it offers tools, and is about a node."""
    return bool(request.body.get("tools")) and MARK in request.prompt
