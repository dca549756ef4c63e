"""What holds of a finished job, and what each forgery breaks.

With it: what a ``receipt`` holds; ``agreement``, ``frozen_tests`` and ``problem``.
"""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from dataclasses import replace

from director.job.receipts import expected_trailers
from director.job.trailers import tests_hash as hash_of_tests
from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.plan import Node, Plan
from director.model.receipt import GateRun, Receipt
from director.repositories.branch_commits import BranchCommit
from director.verifying.checks import run_checks
from director.verifying.evidence import CommitFacts, Evidence, Journal

BASE, TESTS, MERGE, TREE = ("b" * 40, "e" * 40, "c" * 40, "d" * 40)
HASHES = {"tests/a.sh": "1" * 64}
NODE = Node(
    "a", "Make a", "spec", ("a.txt",), (), "sh tests/a.sh", ("tests/a.sh",), test_hashes=HASHES
)
PLAN = Plan("job", "task", "/repo", BASE, "now", "director/job-job", (NODE,))
RECEIPT = Receipt(
    ts="now",
    job_id="job",
    node="a",
    base=TESTS,
    candidate=MERGE,
    merged=MERGE,
    tree=TREE,
    parent=TESTS,
    tests=HASHES,
    tests_hash=hash_of_tests(NODE),
    gates=(GateRun("candidate", "sh tests/a.sh", "green", 0, 0.1, MERGE, TREE),),
    files=("a.txt",),
    tier="executor",
    model="fake/cheap",
    attempts=1,
)
TEST_TRAILERS = (("Director-Job", "job"), ("Director-Node", "a"), ("Director-Kind", "tests"))
BROUGHT = CommitFacts(
    BranchCommit(TESTS, "f" * 40, (BASE,), TEST_TRAILERS), ("tests/a.sh",), HASHES
)
MERGED = CommitFacts(
    BranchCommit(MERGE, TREE, (TESTS,), expected_trailers(RECEIPT)), ("a.txt",), HASHES
)
EVIDENCE = Evidence(
    plan=PLAN,
    done=frozenset({"a"}),
    tip=MERGE,
    begins_at_base=True,
    commits=(BROUGHT, MERGED),
    tip_tests=HASHES,
    receipts=(RECEIPT,),
    unreadable=(),
)


class TestChecks(unittest.TestCase):
    def problem(self, evidence: Evidence) -> str:
        _, problem = run_checks(evidence)
        return f"{problem.check}: {problem.what}" if problem else ""

    def test_everything_holds(self) -> None:
        self.assertEqual(self.problem(EVIDENCE), "")

    def test_a_frozen_test_at_a_merge(self) -> None:
        for tests, found in (({"tests/a.sh": "2" * 64}, "2" * 12), ({}, "none")):
            with self.subTest(found):
                merged = replace(MERGED, tests=tests)
                said = self.problem(replace(EVIDENCE, commits=(BROUGHT, merged)))
                self.assertIn("tests: commit cccccccccccc: frozen test tests/a.sh of node a", said)
                self.assertIn(f"expected sha256 {'1' * 12}, found {found}", said)

    def with_tests_after_the_merge(
        self, other: Node, path: str, tests: Mapping[str, str]
    ) -> tuple[Evidence, str]:
        """Return evidence with a commit of tests of ``other`` after a's merge.

        And the problem of that evidence where a's merge holds another test.
        """
        commit = BranchCommit("9" * 40, "8" * 40, (MERGE,), TEST_TRAILERS)
        edited = CommitFacts(commit, (path,), tests)
        evidence = replace(
            EVIDENCE,
            plan=PLAN._replace(nodes=(NODE, other)),
            tip=commit.oid,
            commits=(BROUGHT, MERGED, edited),
            tip_tests=tests,
        )
        spoilt = replace(MERGED, tests={"tests/a.sh": "2" * 64})
        return evidence, self.problem(replace(evidence, commits=(BROUGHT, spoilt, edited)))

    def test_tests_that_changed_later_are_asked_of_what_was_merged_by_then(self) -> None:
        other = NODE._replace(
            id="b", files=("b.txt",), tests=("tests/b.sh",), test_hashes={"tests/b.sh": "3" * 64}
        )
        both = {**HASHES, "tests/b.sh": "3" * 64}
        evidence, said = self.with_tests_after_the_merge(other, "tests/b.sh", both)
        self.assertEqual(self.problem(evidence), "")
        self.assertIn("tests: commit cccccccccccc: frozen test tests/a.sh of node a", said)

    def test_a_file_that_a_later_node_extends(self) -> None:
        """Where nothing was held back it is asked what the file holds at the node that merged."""
        extended = {"tests/a.sh": "3" * 64}
        other = NODE._replace(id="b", files=("b.txt",), depends_on=("a",), test_hashes=extended)
        evidence, said = self.with_tests_after_the_merge(other, "tests/a.sh", extended)
        self.assertEqual(self.problem(evidence), "")
        self.assertIn("frozen test tests/a.sh of node a: expected sha256 1111", said)
        said = self.problem(replace(evidence, tip_tests=HASHES))
        self.assertIn("frozen test tests/a.sh of node b: expected sha256 3333", said)

    def test_the_view_of_a_merge(self) -> None:
        less = "a" * 40
        merged = replace(MERGED, view=less)
        evidence = replace(EVIDENCE, commits=(BROUGHT, merged))
        self.assertEqual(self.problem(evidence), "")  # by a version that had no views
        for view, words in ((less, ""), (TREE, "views: "), ("7" * 40, "views: ")):
            gates = (RECEIPT.gates[0]._replace(tree=view),)
            receipt = RECEIPT._replace(view=view, gates=gates)
            said_so = merged.commit._replace(pairs=expected_trailers(receipt))
            commits = (BROUGHT, replace(merged, commit=said_so))
            said = self.problem(replace(evidence, commits=commits, receipts=(receipt,)))
            self.assertTrue(said.startswith(words) if words else said == "", said)

    def test_a_commit_of_tests_after_a_merge_that_the_journal_does_not_know(self) -> None:
        late = CommitFacts(
            BranchCommit("9" * 40, "8" * 40, (MERGE,), TEST_TRAILERS), ("tests/a.sh",), HASHES
        )
        journal = Journal(frozenset({TESTS, MERGE}), {MERGE: RECEIPT})
        evidence = replace(EVIDENCE, tip=late.commit.oid, commits=(BROUGHT, MERGED, late))
        said = self.problem(replace(evidence, journal=journal))
        self.assertIn("commits: foreign commit 999999999999: it changes tests after", said)

    def test_the_journal(self) -> None:
        tips = frozenset({TESTS, MERGE})
        for journal, words in (
            (Journal(tips, {MERGE: RECEIPT}), ""),
            (Journal(tips, {}), "director recorded no such merge"),
            (Journal(tips, {MERGE: RECEIPT._replace(ts="then")}), "the receipt that was noted"),
            (Journal(frozenset({TESTS}), {MERGE: RECEIPT}), "where director never moved it"),
        ):
            self.assertIn(words, self.problem(replace(EVIDENCE, journal=journal)))
        self.assertIn("no sealed.json", self.problem(replace(EVIDENCE, at_home=True)))

    def test_a_rebuilt_receipt_rests_on_runs_that_no_trailer_has(self) -> None:
        runs = tuple(run._replace(purpose="rebuilt") for run in RECEIPT.gates)
        rebuilt = RECEIPT._replace(gates=runs)
        self.assertIn("Director-Gate", self.problem(replace(EVIDENCE, receipts=(rebuilt,))))
        receipts = (rebuilt._replace(rebuilt=True),)
        self.assertEqual(self.problem(replace(EVIDENCE, receipts=receipts)), "")

    def test_a_damaged_object_and_a_test_without_an_owner(self) -> None:
        said = self.problem(replace(EVIDENCE, damaged="7" * 40, commits=()))
        self.assertIn("objects: object 7777", said)
        said = self.problem(replace(EVIDENCE, ownerless={"tests/x.sh": "x"}))
        self.assertIn("contract: tests/x.sh was put on the branch as a test of x", said)

    def test_a_frozen_test_at_the_tip(self) -> None:
        self.assertIn("tests: ", self.problem(replace(EVIDENCE, tip_tests={})))

    def test_a_tests_commit_that_implements(self) -> None:
        sly = replace(BROUGHT, changed=("a.txt", "tests/a.sh"))
        said = self.problem(replace(EVIDENCE, commits=(sly, MERGED)))
        self.assertIn("should bring tests but changes a.txt", said)

    def test_a_gate_that_ran_no_test(self) -> None:
        for tests_run, found in ((0, "expected tests, found no test"), (3, ""), (None, "")):
            with self.subTest(tests_run):
                gates = (RECEIPT.gates[0]._replace(tests_run=tests_run),)
                said = self.problem(replace(EVIDENCE, receipts=(RECEIPT._replace(gates=gates),)))
                self.assertIn(found, said)
                self.assertEqual(bool(said), bool(found))

    def test_a_receipt_from_before_tests_were_counted_is_read(self) -> None:
        line = encode(RECEIPT)
        del line["gates"][0]["tests_run"]
        self.assertEqual(decode(Receipt, line), RECEIPT)
        line["gates"][0]["tests_run"] = "many"
        with self.assertRaises(ValueError):
            decode(Receipt, line)

    def test_a_merge_that_is_not_in_the_state_needs_its_receipt_too(self) -> None:
        said = self.problem(replace(EVIDENCE, done=frozenset(), receipts=()))
        self.assertIn("node a: expected exactly one receipt, found 0", said)

    def test_an_added_trailer(self) -> None:
        pairs = (*MERGED.commit.pairs, ("Director-Gate", "0 again sh tests/a.sh"))
        merged = replace(MERGED, commit=MERGED.commit._replace(pairs=pairs))
        said = self.problem(replace(EVIDENCE, commits=(BROUGHT, merged)))
        self.assertIn("the trailer Director-Gate: expected none, found 0 again", said)

    def test_a_trailer_of_another_tool_does_not_matter(self) -> None:
        pairs = (*MERGED.commit.pairs, ("Signed-off-by", "me"))
        merged = replace(MERGED, commit=MERGED.commit._replace(pairs=pairs))
        self.assertEqual(self.problem(replace(EVIDENCE, commits=(BROUGHT, merged))), "")


class TestReceipt(unittest.TestCase):
    def test_survives_being_written(self) -> None:
        self.assertEqual(decode(Receipt, encode(RECEIPT)), RECEIPT)
        for view in (None, TREE):
            stored = encode(RECEIPT._replace(view=view))
            self.assertEqual("view" in stored, view is not None)
            self.assertEqual(decode(Receipt, stored).view, view)

    def test_what_is_none_is_refused(self) -> None:
        line = encode(RECEIPT)
        wrong = [
            {},
            {**line, "attempts": "1"},
            {**line, "gates": ["green"]},
            {**line, "gates": [{"purpose": "candidate"}]},
            {**line, "tests": None},
        ]
        for one in wrong:
            with self.subTest(one), self.assertRaises(MismatchError):
                decode(Receipt, one)
