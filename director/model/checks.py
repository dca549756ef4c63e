"""What must be green on a candidate before it merges, as data: one entry for each kind of check.

The gates of a node run these, a receipt names their runs, and ``verify`` demands them and can run
them again. So another kind of check is another entry in ``checks_of``, and nothing else.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from director.model.config import Limits
from director.model.plan import Node

TESTS = "tests"
ONCE = Limits(flake_runs=1)


class Check(NamedTuple):
    """A command that must be green on a clean checkout of a candidate, ``runs`` times in a row.

    ``tests`` are the test files that must be seen to run: where there are any, an exit code of 0
    is not green without that.
    """

    name: str
    command: str
    tests: tuple[str, ...] = ()
    runs: int = 1

    def purpose(self, occasion: str) -> str:
        """Return what receipts call a run: for the tests the ``occasion``, else the check's name.

        Occasions are "before" the work, a "candidate", "again", "merged", "rebuilt" and
        "rebased".
        """
        return occasion if self.name == TESTS else self.name


Checks = tuple[Check, ...]
"""What a node's candidates must pass, in this order. The node's ``test_cmd`` is the first."""
ChecksOf = Callable[[Node, Limits], Checks]


def checks_of(node: Node, limits: Limits = ONCE) -> Checks:
    """Return what the candidates of ``node`` must pass.

    Those of a repair node: the integration gate, in the place of tests of their own, and the frozen
    tests of all nodes.
    Only how often depends on the configuration: what a merge rests on must follow from the plan,
    which is sealed, for ``verify`` to say it without the configuration of that day.
    """
    repairs = node.repairs
    if repairs is None:
        return (Check(TESTS, node.test_cmd, node.tests, limits.flake_runs),)
    contract = (
        Check(f"{TESTS}.{one.nodes[0]}", one.command, one.tests) for one in repairs.contract
    )
    return (Check(TESTS, node.test_cmd, repairs.tests, limits.flake_runs), *contract)


def check_called(purpose: str, checks: Sequence[Check]) -> Check:
    """Return the check of which a run with this ``purpose`` on a receipt was one."""
    return next((check for check in checks if check.name == purpose), checks[0])
