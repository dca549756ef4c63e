"""What to do next with a job, as commands that can be copied."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from director.job.stage import Stage
from director.model.errors import AGAIN
from director.model.format import counted
from director.model.state import NodeStatus
from director.reporting.status.status import NodeNow, Standing, Status

MOST = 6  # steps: more are no help in choosing
MUCH = 10  # commits by which a base moved on: the job should follow before it conflicts
NAMED = 3  # nodes that are named in steps of their own
WORKTREE = (
    "provide what is missing with `setup`, `copy` or `link` of [worktree] in config.toml, or put "
    "it on the PATH that director is started with; then, one of:"
)


class Asked(NamedTuple):
    """How the job was named on the command line, so that the next command names it, too.

    ``job``: it is not the current one; ``archived``: it can be made that again. ``lanes``: as
    given with ``--parallel`` (None: not given).
    """

    repo: str | None = None
    job: str | None = None
    archived: bool = False
    lanes: str | None = None


_CONTINUED = {
    "director plan": "`director plan --continue`",
    "director run": "`director run`",
}
"""What continues a command that was stopped."""

CURRENT = Asked()  # the current job of the repository around


class Step(NamedTuple):
    """A command, as its arguments, and what it is good for."""

    command: tuple[str, ...]
    why: str


class Advice(NamedTuple):
    """What comes next: what no command can do ("": nothing), and commands, the best first."""

    first: str
    steps: tuple[Step, ...]


def advice(status: Status, asked: Asked = CURRENT) -> Advice:
    """Return what to do next."""
    if asked.job is not None:
        return Advice("", tuple(_named(step, asked) for step in _of_another(status, asked)))
    steps = [*_STEPS[status.standing](status)][:MOST]
    if status.can_move and (status.newer or 0) >= MUCH:
        commits = counted(status.newer or 0, "newer commit")
        steps[1:1] = [
            Step(("director", "rebase"), f"your branch has {commits}: move the job there")
        ]
    return Advice(
        _by_hand(status), tuple(_named(_wide(step, status, asked), asked) for step in steps)
    )


def looking_at(node: str, asked: Asked = CURRENT, *, diff: bool = False) -> tuple[str, ...]:
    """Return the command that shows a node, or the change that its last attempt made."""
    flags = ("--diff",) if diff else ()
    return _named(Step(("director", "status", "--node", node, *flags), ""), asked).command


def listening_to(node: str, asked: Asked = CURRENT) -> tuple[str, ...]:
    """Return the command that shows what the agent of a node said and did."""
    return _named(Step(("director", "logs", node), ""), asked).command


def _named(step: Step, asked: Asked) -> Step:
    """Return the step for the repository and the job that were asked for."""
    program, *words = step.command
    if program == "git":
        where = ("-C", asked.repo) if asked.repo else ()
        return step._replace(command=(program, *where, *words))
    job = ("--job", asked.job) if asked.job and words[0] in ("status", "logs", "land") else ()
    where = ("--repo", asked.repo) if asked.repo else ()
    return step._replace(command=(program, *words, *job, *where))


def _wide(step: Step, status: Status, asked: Asked) -> Step:
    """Return a step that runs nodes with the lanes that were asked for, else of the last run."""
    lanes = asked.lanes or (str(status.lanes) if (status.lanes or 1) > 1 else None)
    if step.command[:2] != ("director", "run") or lanes is None:
        return step
    return step._replace(command=(*step.command, "--parallel", lanes))


def _by_hand(status: Status) -> str:
    """Return what a person has to see to first."""
    if status.standing is Standing.STOPPED and status.end:
        said = status.end.next_step
        return "" if said == AGAIN else said  # the command itself is the first of the steps
    failed = status.of(NodeStatus.FAILED)
    around = any(node.state.environment for node in failed)
    return WORKTREE if around and status.standing is Standing.FAILED else ""


def _of_another(status: Status, asked: Asked) -> Iterable[Step]:
    """Give what can be done with a job that is not the current one."""
    for node in status.of(NodeStatus.FAILED)[:NAMED]:
        yield Step(("director", "status", "--node", node.id), "what its attempts came to")
    if asked.archived and asked.job and status.standing is not Standing.DONE:
        yield Step(("director", "plan", "--resume", asked.job), "make it the current job again")
    if status.standing is Standing.DONE:
        yield from _take_over(status)


def _working(status: Status) -> Iterable[Step]:
    yield Step(("director", "status", "--watch"), "watch it until it ends")
    for node in status.of(NodeStatus.RUNNING)[:1]:
        yield Step(("director", "logs", node.id, "--follow"), "what its agent does now")
    command = status.process.command if status.process else ""
    later = _CONTINUED.get(command, "the same command again")
    yield Step(("director", "stop"), f"stop it; {later} continues")


def _continue(status: Status) -> Iterable[Step]:
    if status.stage is not Stage.READY:
        yield Step(("director", "plan", "--continue"), "continue planning where it was")
        return
    left = len(status.nodes) - len(status.of(NodeStatus.DONE, NodeStatus.FAILED, NodeStatus.TAKEN))
    failed = status.of(NodeStatus.FAILED)
    if left or not failed:
        yield Step(("director", "run"), "continue where it was")
    if failed:
        yield from _after_failures(status)


def _amending(status: Status) -> Iterable[Step]:
    command = ("director", "amend", status.amending)
    yield Step((*command, "--continue"), "approve it as it is on disk now")
    yield Step(command, "see what can be edited")
    yield Step((*command, "--cancel"), "leave it as it was approved")


def _answer(_: Status) -> Iterable[Step]:
    yield Step(("director", "plan", "--continue"), "continue with questions.md as it is")
    yield Step(("director", "plan", "--answer", "1: a"), "answer here, by a letter or in words")


def _approve(status: Status) -> Iterable[Step]:
    if status.stage is Stage.SPEC_APPROVAL:
        yield Step(("director", "plan", "--continue"), "approve spec.md, as you edited it")
    else:
        yield Step(("director", "plan", "--show"), "the plan as a table")
        yield Step(("director", "plan", "--continue"), "approve the plan and its tests")
    yield Step(("director", "plan", "--revise", "…"), "have it changed, in your words")


def _after_failures(status: Status) -> Iterable[Step]:
    """Give what follows failed nodes.

    The same failure in all attempts is the strongest sign that the test or the spec is wrong.
    """
    yield from _give(status)
    failed = status.of(NodeStatus.FAILED)
    stubborn = [
        node
        for node in failed
        if node.same_failure and not (node.state.environment or node.state.repairs)
    ]
    for node in stubborn[:NAMED]:
        yield Step(("director", "amend", node.id), "the test or the spec is wrong")
    if any(node.state.environment for node in failed):
        yield Step(("director", "doctor"), "see what the worktrees lack")
    yield _retry(status, failed)
    if not stubborn:
        repairs = bool(failed[0].state.repairs)
        why = "give it other files or another spec" if repairs else "the test or the spec is wrong"
        yield Step(("director", "amend", failed[0].id), why)
    one = (stubborn or failed)[0]
    yield Step(("director", "take", one.id), "write it yourself, same gate")


def _retry(status: Status, failed: list[NodeNow]) -> Step:
    alone = len(failed) == 1 and len(status.of(NodeStatus.DONE)) == len(status.nodes) - 1
    node = ("--node", failed[0].id) if alone else ()
    what = "try" if len(failed) == 1 else f"try all {len(failed)}"
    return Step(("director", "run", "--retry-failed", *node), f"{what} again (fresh attempts)")


def _after_red_gates(status: Status) -> Iterable[Step]:
    if not any(gate.culprit for gate in status.red_gates):
        yield Step(("director", "run"), "no merge is blamed: run the gates again")
    yield Step(("git", "switch", "-c", "fix", status.job_branch), "fix it there")
    yield Step(("director", "plan", "…"), "plan the fix as a new task")
    yield Step(("director", "logs", "integration"), "the whole output")


def _give(status: Status) -> Iterable[Step]:
    for node in status.of(NodeStatus.TAKEN)[:NAMED]:
        yield Step(("director", "give", node.id), "merge what you wrote, by the same gate")


def _run(status: Status) -> Iterable[Step]:
    yield from _give(status)
    left = len(status.nodes) - len(status.of(NodeStatus.DONE, NodeStatus.TAKEN))
    if not left and status.of(NodeStatus.TAKEN):
        return
    begun = bool(status.of(NodeStatus.DONE, NodeStatus.TAKEN))
    why = f"work on the {counted(left, 'node')} left" if begun else "carry out the plan"
    if not left:
        yield Step(("director", "land"), "gate all of it on your branch, and land it")
    yield Step(("director", "run"), why if left else "gate all of it together")


def _take_over(status: Status) -> Iterable[Step]:
    base, branch = status.base_commit[:12], status.job_branch
    if status.unpublished:
        repository = str(status.directory / "job.git")
        yield Step(("git", "fetch", repository, branch), "brings it as FETCH_HEAD")
        return
    yield Step(("git", "diff", base, branch), "look at it")
    if status.landed is None or status.landed.partial:
        yield Step(("director", "land"), "land it on your branch")


_STEPS: dict[Standing, Callable[[Status], Iterable[Step]]] = {
    Standing.WORKING: _working,
    Standing.DECIDING: _answer,
    Standing.APPROVING: _approve,
    Standing.PLANNING: _continue,
    Standing.KILLED: _continue,
    Standing.STOPPED: _continue,
    Standing.FAILED: _after_failures,
    Standing.INTEGRATION_RED: _after_red_gates,
    Standing.READY: _run,
    Standing.DONE: _take_over,
    Standing.AMENDING: _amending,
}
