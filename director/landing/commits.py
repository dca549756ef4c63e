"""The commits that land work: on a branch of the user's, or pushed for a pull request."""

from __future__ import annotations

from director.job.commits import signed_off, signer_of
from director.landing.message import Resolutions, landing_message
from director.landing.prospect import How, Prospect
from director.model.commit_policy import CommitPolicy
from director.repositories.job_repository import JobRepository


def commit_to_land(
    repository: JobRepository, policy: CommitPolicy, prospect: Prospect, how: How
) -> str:
    """Write and return the commit for the target's branch, signed where the job's commits are."""
    merge = how is How.MERGE
    also = (prospect.verified.tip,) if merge else ()
    message = _message(repository, policy, prospect, merge=merge)
    return _written(repository, policy, prospect, message, prospect.target.tip, *also)


def commit_to_push(repository: JobRepository, policy: CommitPolicy, prospect: Prospect) -> str:
    """Return the commit that is pushed for a pull request.

    That is the job's work; where conflicts were resolved, merged with the target's branch.
    """
    if not prospect.resolved:
        return prospect.work
    message = _message(repository, policy, prospect, merge=True)
    parents = (prospect.work, prospect.target.tip)
    return _written(repository, policy, prospect, message, *parents)


def _message(
    repository: JobRepository, policy: CommitPolicy, prospect: Prospect, *, merge: bool
) -> str:
    done = prospect.resolved if prospect.resolved and prospect.resolved.done else None
    branch = prospect.target.branch
    return landing_message(
        policy,
        prospect.plan,
        prospect.nodes,
        prospect.verified.tip,
        merge=merge,
        by=signed_off(repository, policy),
        resolved=Resolutions(done.paths, done.by, branch) if done else None,
    )


def _written(
    repository: JobRepository,
    policy: CommitPolicy,
    prospect: Prospect,
    message: str,
    parent: str,
    *also: str,
) -> str:
    if signer := signer_of(repository, policy):
        return signer.commit(repository.git, prospect.tree, parent, message, *also)
    return repository.commit(prospect.tree, parent, message, *also)
