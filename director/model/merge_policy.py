"""What a merge is held to (``[merge]``): the tests of its node, or the contract of all done nodes.

With the contract, the frozen tests of every node done so far must be green on what the branch will
be. Candidates that wait are held to it together, and merge in one step or without the one that
broke it.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Annotated, NamedTuple

from director.model.codec.marks import one_of
from director.model.plan import Plan
from director.model.receipt import GateRun

NODE, CONTRACT = "node", "contract"
BEFORE = "contract before"
"""The purpose of a red run on what the branch was: no candidate is held to that command."""
ALONE = "contract alone"
"""The purpose of a run on a candidate on its own base, which tells whose fault a red one is."""
BLAME = "contract blame"
"""The purpose of a run in search of the candidate that turned a command red."""

MergeGate = Annotated[str, one_of((NODE, CONTRACT))]


class MergePolicy(NamedTuple):
    """``gate`` says whose tests are to be green on the merged tree: NODE or CONTRACT."""

    gate: MergeGate = NODE


def commands_of_done(plan: Plan, done: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return test command → the nodes of ``done`` that it is the command of, as in the plan."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for node in plan.nodes:
        if node.id in done:
            found[node.test_cmd].append(node.id)
    return {command: tuple(ids) for command, ids in found.items()}


def is_of_contract(run: GateRun) -> bool:
    """Whether a run on a receipt is of the contract, and not of the node's own checks."""
    return run.purpose in (CONTRACT, BEFORE)
