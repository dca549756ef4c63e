"""The seal of a plan: what was approved with the tests, to tell whether it has changed since."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from director.model.codec.encoding import encode
from director.model.codec.marks import Mark
from director.model.errors import RequestError
from director.model.merge_policy import CONTRACT, NODE
from director.model.plan import Node, Plan
from director.model.reason import Reason
from director.records import files
from director.records.clock import now
from director.records.job_directory import JobDirectory

SEAL_AGAIN = (
    "restore it; or remove it, check plan.json, and admit that as it is: `director plan --continue`"
)
UNSEALED = ("repo",)  # where the repository is may change


class Seal(NamedTuple):
    """The content of ``sealed.json``.

    ``contract`` is the commit of the job branch that brought the frozen tests as they are; ``plan``
    is what plan.json held, but for UNSEALED. ``merge_gate`` is what every merge is held to,
    whatever the configuration says later (``model/merge_policy.py``).
    """

    sealed_at: str
    contract: str
    plan: Mapping[str, Any]
    merge_gate: Annotated[str, Mark.OMITTED] = NODE


def seal_plan(directory: JobDirectory, plan: Plan, contract: str, merge_gate: str) -> Seal:
    """Record that ``plan``, with its tests in commit ``contract``, is what may run."""
    seal = Seal(now(), contract, _sealed(plan), merge_gate)
    files.write_json(directory.sealed, encode(seal))
    return seal


def read_seal(directory: JobDirectory) -> Seal | None:
    """Return the seal of a job, or None where there is none; RequestError when it is damaged."""
    stored = files.read_json(directory.sealed, SEAL_AGAIN)
    if stored is None:
        return None
    match stored:
        case {"sealed_at": str(), "contract": str(), "plan": {"nodes": list()}}:
            merge_gate = stored.get("merge_gate", NODE)
            if merge_gate in (NODE, CONTRACT):
                return Seal(stored["sealed_at"], stored["contract"], stored["plan"], merge_gate)
    raise RequestError(f"{directory.sealed} was not written by this version", SEAL_AGAIN)


def differences(seal: Seal, plan: Plan) -> Iterator[str]:
    """Name the nodes and fields in which ``plan`` differs from the one that was sealed."""
    before, after = seal.plan, _sealed(plan)
    yield from (name for name in after if name != "nodes" and after[name] != before.get(name))
    known = {str(node.get("id")): node for node in before["nodes"]}
    for node in after["nodes"]:
        was = known.pop(node["id"], None)
        if was is None:
            yield f"node {node['id']} is new"
        elif changed := [name for name in Node._fields if node.get(name) != was.get(name)]:
            yield f"node {node['id']}: {', '.join(changed)}"
    yield from (f"node {node_id} is gone" for node_id in known)


def check_seal(directory: JobDirectory, plan: Plan) -> Seal:
    """Return the seal of a ready plan; RequestError when the plan is not what was sealed.

    Where both say the same, their texts are the same ones, kept once.
    """
    seal = read_seal(directory)
    if seal is None:
        raise RequestError(
            f"{directory.plan} was never sealed",
            "check it, then admit it as it is: `director plan --continue`",
            Reason.PLAN_INVALID,
        )
    if changed := list(differences(seal, plan)):
        raise RequestError(
            f"{directory.plan} was changed after it was approved: {'; '.join(changed)}",
            "restore it, or admit it as it is now: `director plan --continue`",
            Reason.PLAN_INVALID,
        )
    same = _sealed(plan)
    return seal._replace(plan=same) if same == seal.plan else seal


def restore_seal(directory: JobDirectory, seal: Seal) -> bool:
    """Restore a seal that was changed while it was in use; returns whether that was so."""
    try:
        if read_seal(directory) == seal:
            return False
    except RequestError:
        pass
    files.write_json(directory.sealed, encode(seal))
    return True


def _sealed(plan: Plan) -> dict[str, Any]:
    return {name: value for name, value in encode(plan).items() if name not in UNSEALED}
