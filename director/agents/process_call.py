"""A call that is a process of its own: prompt on standard input, events on standard output."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from director.agents.backend import AgentContext
from director.agents.calls import Assignment
from director.agents.recorder import errors_of
from director.agents.watching import Watch
from director.model.slots import scratch_folder
from director.processes.command import Command, Ended
from director.processes.launchers.launcher import Part


class Invocation(NamedTuple):
    """How a CLI is started for one call: its words, the first a path, and all its variables."""

    argv: Sequence[str]
    env: Mapping[str, str]


def run_call(
    context: AgentContext,
    assignment: Assignment,
    invoke: Callable[[Path], Invocation],
    prompt: Path,
    watch: Watch,
) -> Ended:
    """Run one call to its end, in the sandbox of agents.

    ``invoke`` is given a scratch folder that the call may write, and that is removed afterwards.
    The events go where ``watch`` looks for them.
    """
    scratch = scratch_folder(assignment.cwd)
    if scratch.is_symlink() or not scratch.is_dir():  # an agent may have put a file there
        scratch.unlink(missing_ok=True)
        scratch.mkdir(parents=True)
    argv, env = invoke(scratch)
    sandbox = context.sandbox
    launch = sandbox.launch(Part.AGENT, argv, assignment.cwd)
    events = watch.events
    ended = context.processes.run(
        Command(
            argv=launch.argv,
            cwd=assignment.cwd,
            env={**env, **sandbox.variables(Part.AGENT, assignment.cwd, context.env)},
            stdin=prompt,
            stdout=events,
            stderr=errors_of(events),
            timeout_secs=context.config.limits.node_timeout_secs,
            bind=launch.bind,
            step=launch.step,
        ),
        watch,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    return ended
