"""The check that commit, trailers, receipt and plan say the same of a merge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from director.job.receipts import expected_trailers
from director.job.trailers import PREFIX, single_line, tests_hash
from director.model.checks import ONCE, TESTS, Checks, check_called
from director.model.merge_policy import is_of_contract
from director.model.plan import Node
from director.model.receipt import GREEN, GateRun, Receipt
from director.repositories.branch_commits import BranchCommit
from director.verifying.contract_gates import contract_gates
from director.verifying.evidence import CommitFacts, Evidence, receipted
from director.verifying.problem import Problem, differing

Claim = tuple[str, str, str]
"""(subject, expected value, found value)."""


def agreement(evidence: Evidence) -> Iterator[Problem]:
    """Give what disagrees, merge by merge; each is known to have one receipt.

    What merges were held to besides comes last (``contract_gates.py``).
    """
    for facts, node, receipt in receipted(evidence):
        for about, expected, found in _claims(facts, receipt, node, evidence.checks(node, ONCE)):
            if expected != found:
                yield differing(facts.commit, about, expected, found)
    yield from contract_gates(evidence)


def _claims(facts: CommitFacts, receipt: Receipt, node: Node, checks: Checks) -> Iterator[Claim]:
    commit = facts.commit
    yield "the commit on its receipt", receipt.merged, commit.oid
    yield "the parent on its receipt", receipt.parent, commit.parents[0]
    yield "the files on its receipt", _listed(receipt.files), _listed(facts.changed)
    yield "its tests in plan.json", _hashes(node.test_hashes), _hashes(receipt.tests)
    yield "its tests hash by plan.json", tests_hash(node), receipt.tests_hash
    yield "whether it was amended, by plan.json", _yes(node.amended), _yes(receipt.amended)
    gate = node.repairs.gate if node.repairs else "no gate"
    yield "what it repairs, by plan.json", gate, receipt.repairs or "no gate"
    yield from _gate_claims(receipt, checks)
    yield from _trailer_claims(receipt, commit)


def _gate_claims(receipt: Receipt, checks: Checks) -> Iterator[Claim]:
    """Claim that every check was green, last of all on the tree that merged."""
    last: dict[str, GateRun] = {}
    for run in receipt.gates:
        if is_of_contract(run):
            continue
        check, command = check_called(run.purpose, checks), single_line(run.command)
        yield f"the exit code of the {run.purpose} gate `{command}`", "0", str(run.exit_code)
        yield f"the verdict of the {run.purpose} gate `{command}`", GREEN, run.verdict
        yield f"the command of the {run.purpose} gate", single_line(check.command), command
        ran = "no test" if run.tests_run == 0 else "tests"
        yield f"what the {run.purpose} gate `{command}` ran", "tests", ran
        last[check.name] = run
    for check in checks:
        by = "" if check.name == TESTS else f" by {check.name}"
        if check.name in last:
            gated = str(last[check.name].tree)
            yield f"the tree that was gated last{by}", receipt.gated, gated
        else:
            yield f"the gate runs{by} on its receipt", "one or more", "none"


def _trailer_claims(receipt: Receipt, commit: BranchCommit) -> Iterator[Claim]:
    expected, own = (
        [pair for pair in pairs if pair[0].startswith(PREFIX) and not _of_lost_gate(pair, receipt)]
        for pairs in (expected_trailers(receipt), commit.pairs)
    )
    for wanted, said in zip_longest(expected, own, fillvalue=("", "none")):
        name = wanted[0] or said[0]
        found = said[1] if said[0] == name else "none"
        yield f"the trailer {name}", wanted[1], found


def _of_lost_gate(pair: tuple[str, str], receipt: Receipt) -> bool:
    """Whether a trailer is about gate runs that a rebuilt receipt does not have."""
    return receipt.rebuilt and pair[0] in (f"{PREFIX}Gate", f"{PREFIX}Contract")


def _hashes(tests: Mapping[str, str]) -> str:
    return _listed(f"{path} {digest}" for path, digest in tests.items())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(sorted(texts)) or "none"
