"""What is known before anything is merged: the job's work, and whether it has landed already."""

from __future__ import annotations

from director.job.trailers import PREFIX
from director.landing.message import RESOLVED, RESOLVED_BY, lands
from director.landing.prospect import How, Prospect, Verified
from director.landing.target import Target
from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.format import counted
from director.model.landed import Landed
from director.model.plan import Plan
from director.model.state import NodeStatus
from director.records.clock import now
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls
from director.repositories.branch_commits import BranchCommit
from director.repositories.history import History
from director.repositories.repository import Repository
from director.repositories.reverts import standing_revert


def record_of(prospect: Prospect, how: str, commit: str) -> Landed:
    """Return the record of a landing as ``commit``, with what models resolved for it."""
    branch, tip = prospect.target.branch, prospect.verified.tip
    landed = Landed(branch, commit, how, now(), tip, bool(prospect.left))
    done = prospect.resolved if prospect.resolved and prospect.resolved.done else None
    return landed._replace(resolved=done.paths, resolved_by=done.by) if done else landed


def first_prospect(
    directory: JobDirectory, plan: Plan, target: Target, verified: Verified
) -> Prospect:
    """Return what the records say of the work that is to land."""
    return Prospect(
        plan=plan,
        target=target,
        verified=verified,
        nodes=[node for node in plan.nodes if node.id in verified.nodes],
        left=tuple(node.id for node in plan.nodes if node.id not in verified.nodes),
        states=directory.load_state(plan).nodes,
        cost=cost_of_job(directory),
    )


def cost_of_job(directory: JobDirectory) -> Cost:
    """Return what the job has cost so far."""
    return Cost.of(call.cost for call in read_calls(directory.costs))


def refuse_part(prospect: Prospect, *, partial: bool, how: How | None) -> None:
    """Raise RequestError for a job that is not finished, unless a part of it is asked for."""
    done, total = len(prospect.nodes), len(prospect.plan.nodes)
    if not done:
        raise RequestError(
            f"no node of job {prospect.plan.job_id} is done: there is nothing to land",
            "`director run` works on them",
        )
    if prospect.left and not partial:
        raise RequestError(
            f"{done} of {counted(total, 'node')} are done, not {', '.join(prospect.left)}",
            f"{_continued(prospect)}{_moved_on(prospect)}; or `director land --partial --squash` "
            "lands what is done",
        )
    if how is not None:
        refuse_shape(prospect, how)


def _continued(prospect: Prospect) -> str:
    """Return what works on the nodes that are left: one that failed is left alone unasked."""
    failed = any(prospect.states[one].status is NodeStatus.FAILED for one in prospect.left)
    return f"`director run{' --retry-failed' if failed else ''}` continues"


def _moved_on(prospect: Prospect) -> str:
    """Return what to do first where the branch has left the job's base behind; "" elsewhere."""
    target = prospect.target
    if target.tip == prospect.plan.base_commit:
        return ""
    onto = "" if target.here else f" --onto {target.branch}"
    return f" (after `director rebase{onto}`, since {target.branch} moved on)"


def refuse_shape(prospect: Prospect, how: How) -> None:
    """Raise RequestError for work that cannot land in such a shape."""
    if prospect.left and how is How.MERGE:
        raise RequestError(
            "a part of a job cannot land as a merge: git would treat the tests that are left "
            "out now as removed when the rest lands",
            "land it as one commit: `director land --partial --squash`",
        )


def landed_before(user: Repository, prospect: Prospect) -> Landed | None:
    """Return how the job as it is came onto the branch already, with or without director.

    What was reverted since has not landed; RequestError where git takes it for merged all the same.
    """
    history, tip, target = History(user.git), prospect.verified.tip, prospect.target
    known = history.log(prospect.plan.base_commit, target.tip)
    landings = [one for one in known if lands(one, prospect.plan, tip)]
    last = landings[-1] if landings else None
    revert = standing_revert(user.git, last.oid, target.tip) if last else None
    if history.descends(target.tip, tip):
        if last and revert:
            raise _merged_and_reverted(target, last.oid, revert)
        landed = record_of(prospect, How.MERGE.value, target.tip)
        return _with_resolved(landed, history.step(target.tip), prospect)
    if last is None or revert:
        return None
    return _with_resolved(record_of(prospect, How.SQUASH.value, last.oid), last, prospect)


def _merged_and_reverted(target: Target, landing: str, revert: str) -> RequestError:
    return RequestError(
        f"the job was merged into {target.branch} as {landing[:10]}, and {revert[:10]} reverted "
        "that: git takes its commits for merged, and would bring nothing of them",
        f"revert the revert: `git revert {revert[:10]}` in a checkout of {target.branch}",
    )


def _with_resolved(landed: Landed, commit: BranchCommit, prospect: Prospect) -> Landed:
    """Return the record of a landing with what the trailers of its commit say was resolved."""
    if not lands(commit, prospect.plan, prospect.verified.tip):
        return landed
    paths = tuple(value for key, value in commit.pairs if key == f"{PREFIX}{RESOLVED}")
    by = commit.trailers.get(f"{PREFIX}{RESOLVED_BY}", "")
    return landed._replace(resolved=paths, resolved_by=by)
