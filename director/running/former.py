"""Beginning again with work that had merged before its job was carried to another base."""

from __future__ import annotations

from director.agents.markdown import fenced
from director.job.feedback import Feedback
from director.model.failure import Failure
from director.model.state import AttemptOutcome, NodeState
from director.model.testing.excerpt import shortened
from director.running.node_work import NodeWork
from director.running.progress import Progress

DIFF_CHARACTERS = 20_000
SAID = "You did this before, on an older base of the job. That work does not hold on the new one"


def begun_with_former(work: NodeWork, state: NodeState, progress: Progress) -> Progress:
    """Return where work on the node begins: with what it had merged on the former base, if any.

    Where that conflicts with the tip, work begins there and the agent is shown its diff.
    """
    last = state.past_attempts[-1] if state.past_attempts else None
    if last is None or last.outcome is not AttemptOutcome.REBASED or last.failure is None:
        return progress
    failure, repository = last.failure, work.job.repository
    commit = dict(repository.attempts(work.node.id)).get(failure.candidate)
    lesson = f"{SAID}: {failure.headline}"
    if commit is None:
        return progress._replace(feedback=_told(lesson, failure))
    base = repository.step(commit).parents[0]
    if moved := work.rebased(base, commit, progress.base):
        return progress._replace(start=moved, feedback=_told(lesson, failure))
    diff = fenced(shortened(repository.diff(base, commit), DIFF_CHARACTERS), "diff")
    lesson = f"{lesson}\n\nThis is what it changed then:\n\n{diff}"
    return progress._replace(feedback=_told(lesson, failure))


def _told(lesson: str, failure: Failure) -> Feedback:
    output = failure.excerpt if failure.command else ""
    return Feedback(lesson, output, failure=failure)
