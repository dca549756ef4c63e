"""A call that is a process of its own: prompt on standard input, events on standard output."""

import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from director.agents.backend import AgentContext
from director.agents.calls import Assignment
from director.agents.watching import Watch
from director.model.slots import scratch_folder
from director.processes.command import Command, Ended
from director.processes.launchers.launcher import Part
from director.processes.removal import clear
from director.records.logs import errors_of


class Invocation(NamedTuple):
    """How a CLI is started for one call: its words, the first a path, and all its variables.

    ``first_signal`` is the one that it ends at in good order, with what it started; ``part`` says
    what it may touch.
    """

    argv: Sequence[str]
    env: dict[str, str]
    first_signal: signal.Signals = signal.SIGTERM
    part: Part = Part.AGENT


def run_call(
    context: AgentContext,
    assignment: Assignment,
    invoke: Callable[[Path], Invocation],
    prompt: Path,
    watch: Watch,
) -> Ended:
    """Run one call to its end, in its sandbox.

    ``invoke`` is given a scratch folder that the call may write, and that is removed afterwards.
    The events go where ``watch`` looks for them.
    """
    scratch = scratch_folder(assignment.cwd)
    clear(scratch)  # an agent may have put anything there: links that are written through, too
    scratch.mkdir(parents=True)
    argv, env, first_signal, part = invoke(scratch)
    sandbox = context.sandbox
    launch = sandbox.launch(part, argv, assignment.cwd)
    places = sandbox.variables(part, assignment.cwd, context.env)
    events = watch.events
    ended = context.processes.run(
        Command(
            argv=launch.argv,
            cwd=assignment.cwd,
            # The sandbox redirects caches, but not where the backend has set the variable itself.
            env=env | {k: v for k, v in places.items() if env.get(k) == context.env.get(k)},
            stdin=prompt,
            stdout=events,
            stderr=errors_of(events),
            timeout_secs=context.config.limits.node_timeout_secs,
            bind=launch.bind,
            step=launch.step,
            first_signal=first_signal,
        ),
        watch,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    return ended
