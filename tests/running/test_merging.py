"""Many lanes, and work that fails at random: what merges was tested, whatever happened.

The repository, the queue, the examining and the merging are the real ones; agents and test commands
are functions of a tree.

With it: ``verifying.contract_gates``, ``merge_policy``.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar, cast

from director.job.commits import Commits
from director.job.context import JobContext
from director.job.merge_queue import MergeQueue, Place
from director.job.scheduler import Schedule, drive
from director.job.seal import Seal
from director.job.views import HeldBack, ViewReader, views_of
from director.model.checks import checks_of
from director.model.commit_policy import CommitPolicy
from director.model.config import Limits, ReviewPolicy
from director.model.merge_policy import CONTRACT, NODE, MergePolicy, is_of_contract
from director.model.plan import Node, Plan
from director.model.receipt import GREEN, GateRun, Receipt
from director.model.roles import Tier
from director.model.state import AttemptOutcome
from director.processes.cancellation import Cancellation
from director.repositories.history import Entry
from director.repositories.tips import Tips
from director.running.examining import Author, Examiner
from director.running.merging import Collision, Turn, merge, take_place
from director.running.node_gates import GateFailure, NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Candidate, Progress, UngatedCandidate
from director.verifying.agreement import agreement
from director.verifying.evidence import CommitFacts, Evidence, Journal
from director.worktrees.gates import GateResult, Verdict
from tests.worktrees.jobs import JobCase

LANES = 8
FLAKE_RUNS = 2
GOOD, BAD = "good", "bad"
STURDY = "sturdy"
"""What a file of a node says that is green whatever other files say."""
BREAKS = "breaks "
"""What a file of a node says that turns the tests of another one red, unless it is STURDY."""


@dataclass(frozen=True)
class Said:
    """What every test command says of a tree: files of nodes → their contents."""

    files: Mapping[str, str]

    def green(self, node: str) -> bool:
        """Whether the tests of ``node`` are green."""
        own = self.files.get(node, BAD)
        return own == STURDY or (own != BAD and f"{BREAKS}{node}" not in self.files.values())


class FakeGates:
    """Runs the tests of a node on trees, in memory; counts the runs."""

    def __init__(self, case: MergingCase, work: NodeWork) -> None:
        self.case, self.work = case, work
        self.ran: list[GateRun] = []
        self.attempt = 1
        self.rewritten: set[str] = set()

    def judge(self, commit: str, occasion: str, *, once: bool = False) -> GateFailure | None:
        check = self.work.checks[0]
        for number in range(1 if once else check.runs):
            purpose = "again" if number else occasion
            result, run = self._run(self.work.node.id, self.work.view(commit), commit, purpose)
            if result.verdict is not Verdict.GREEN:
                return GateFailure(check, result)
            self.ran.append(run)
        return None

    def green_runs(self, commit: str) -> tuple[GateRun, ...]:
        return tuple(run for run in self.ran if run.commit == commit)

    def run_tests_of(
        self, nodes: Sequence[str], command: str, commit: str, purpose: str
    ) -> tuple[GateResult, GateRun]:
        (node,) = nodes
        return self._run(node, self.work.views.of_done(commit), commit, purpose)

    def _run(self, node: str, view: str, commit: str, purpose: str) -> tuple[GateResult, GateRun]:
        self.case.count(self.work.node.id)
        green = self.case.said_of(view).green(node)
        verdict, code = (Verdict.GREEN, 0) if green else (Verdict.RED, 1)
        command = f"test {node}"
        result = GateResult(command, verdict, code, 0.0, f"exit code {code}", self.case.log)
        tree = self.case.job.tree(view)
        return result, GateRun(purpose, command, verdict.value, code, 0.0, commit, tree, 1)


class MergingCase(JobCase):
    """A plan of ``names``, its tests on the branch, and lanes that work it off."""

    names: ClassVar[tuple[str, ...]] = tuple(f"n{number}" for number in range(12))
    gate = NODE

    def setUp(self) -> None:
        super().setUp()
        self.log = self.tmp / "output"
        self.log.write_text("red\n")
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.counting = threading.Lock()
        self.tried: defaultdict[str, list[AttemptOutcome]] = defaultdict(list)
        self.queue = MergeQueue(self.job, Cancellation())
        self.plan = self.planned()
        self.views = views_of(self.job, self.plan)

    def planned(self) -> Plan:
        """Return the plan, after putting its tests on the branch."""
        plan = Plan("1", "task", "/repo", self.base, "now", "b", tuple(map(a_node, self.names)))
        entries = [
            Entry(path, "100644", self.job.store(path.encode()))
            for node in plan.nodes
            for path in node.tests
        ]
        tree = self.job.tree_with(self.base, entries)
        tests = self.commits.tests("Tests", self.names, tree, self.base)
        self.assertTrue(self.job.advance(tests, self.base))
        return plan

    @property
    def commits(self) -> Commits:
        return Commits(self.job, "1", "task", CommitPolicy(), None)

    def count(self, node: str) -> None:
        with self.counting:
            self.counts[node] += 1

    def said_of(self, commit: str) -> Said:
        found = self.job.contents(commit, self.names)
        return Said({name: content.decode() for name, content in found.items()})

    def work_on(self, name: str) -> NodeWork:
        nothing = SimpleNamespace(emit=lambda *_args, **_values: None)
        config = SimpleNamespace(
            limits=Limits(flake_runs=FLAKE_RUNS),
            review=ReviewPolicy(stage_two=False),
            merge=MergePolicy(self.gate),
            tiers=defaultdict(lambda: "m"),
        )
        agents = SimpleNamespace(
            notes=SimpleNamespace(remember=lambda *_args, **_values: None),
            caller=SimpleNamespace(versions=dict),
        )
        job = SimpleNamespace(
            job_id="1",
            repository=self.job,
            queue=self.queue,
            config=config,
            agents=agents,
            commits=self.commits,
            confinement="none",
            checks=checks_of,
            events=nothing,
        )
        return NodeWork(cast(JobContext, job), self.views, self.plan.node(name))

    def attempt(self, name: str, content: str, number: int, base: str) -> Receipt | Collision | str:
        """Let an agent write ``content``; returns what became of it, or which outcome it had."""
        work = self.work_on(name)
        fake = FakeGates(self, work)
        gates = cast(NodeGates, fake)
        entry = Entry(name, "100644", self.job.store(content.encode()))
        draft = UngatedCandidate(work.draft(self.job.tree_with(base, [entry]), base))
        with self.queue.place() as place:
            examiner = Examiner(work, cast(Any, None), gates, place)
            author = Author(Tier.EXECUTOR, number, "m")
            found = examiner.examine(author, Progress(base, base, drafted=draft))
            if found.candidate is None:
                return found.outcome
            return merge(work, gates, found.candidate, number, place)

    def run_lanes(self, contents: Mapping[str, Sequence[str]], lanes: int = LANES) -> None:
        """Work all nodes off; ``contents`` is what agents write, attempt by attempt."""

        def work(name: str) -> None:
            for number, content in enumerate((*contents[name], GOOD, STURDY), 1):
                end = self.attempt(name, content, number, self.job.tip())
                while isinstance(end, Collision) and end.outcome is AttemptOutcome.COLLIDED:
                    self.tried[name].append(end.outcome)  # the next attempt is made for nothing
                    end = self.attempt(name, STURDY, number, end.tip)
                if isinstance(end, Receipt):
                    return
                outcome = end.outcome if isinstance(end, Collision) else AttemptOutcome(end)
                self.tried[name].append(outcome)

        schedule = Schedule(self.plan.nodes, ())
        drive(schedule, lanes, work, lambda name, _end: schedule.finish(name))

    def evidence(self) -> Evidence:
        """Return what ``verify`` would read of the branch."""
        log = self.job.log(self.base, self.job.tip())
        reader = ViewReader(self.job, self.plan, rule=HeldBack.TO_COME_AT_MERGE)
        commits = []
        for commit in log:
            changed = self.job.changes(commit.parents[0], commit.oid)
            held = reader.differing(commit.oid, reader.done(commit.oid))
            view = self.job.id_of_tree_with(commit.oid, held) if held else commit.tree
            paths = tuple(change.path for change in changed)
            merge = "Director-Tree" in commit.trailers
            commits.append(CommitFacts(commit, paths, {}, view if merge else None))
        noted = Tips(self.job.path.with_name("tips.jsonl"))
        receipts = tuple(noted.receipts.values())
        done = frozenset(receipt.node for receipt in receipts)
        journal = Journal(frozenset(noted.commits), noted.receipts)
        seal = Seal("now", "", {"nodes": []}, self.gate)
        return Evidence(
            self.plan, done, self.job.tip(), True, tuple(commits), {}, receipts, (),
            seal=seal, journal=journal,
        )  # fmt: skip

    def problems(self, evidence: Evidence | None = None) -> list[str]:
        return [problem.what for problem in agreement(evidence or self.evidence())]

    def hold_everywhere(self) -> None:
        """Demand of every merge that its node's tests are green on the tree that its runs name."""
        evidence = self.evidence()
        self.assertEqual(self.problems(evidence), [])
        self.assertEqual(evidence.done, set(self.names))
        receipts = {receipt.merged: receipt for receipt in evidence.receipts}
        for facts in evidence.commits[1:]:
            receipt = receipts[facts.commit.oid]
            own = [run for run in receipt.gates if not is_of_contract(run)]
            self.assertGreaterEqual(len(own), FLAKE_RUNS)
            self.assertEqual((own[-1].tree, own[-1].verdict), (facts.view, GREEN))
            self.assertTrue(self.said_of(facts.commit.oid).green(receipt.node))

    def random_contents(self, rng: random.Random) -> dict[str, list[str]]:
        """Return attempts: red ones, and ones that turn a node's tests red that may be there."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            other = rng.choice([one for one in self.names if one != name])
            attempts = [BAD] * rng.choice([0, 0, 1, 2])
            found[name] = attempts + [f"{BREAKS}{other}"] * rng.choice([0, 0, 1])
            rng.shuffle(found[name])
        return found


def a_node(name: str) -> Node:
    path = f"tests/{name}"
    hashes = {path: hashlib.sha256(path.encode()).hexdigest()}
    return Node(name, "t", "s", (name,), (), f"test {name}", (path,), test_hashes=hashes)


class TestManyLanes(MergingCase):
    def test_each_is_gated_once_where_all_are_green(self) -> None:
        self.run_lanes({name: [] for name in self.names})
        self.hold_everywhere()
        self.assertEqual(set(self.counts.values()), {FLAKE_RUNS})

    def test_random_failures_and_collisions(self) -> None:
        for seed in range(12):
            with self.subTest(seed):
                self.doCleanups()
                self.setUp()
                self.run_lanes(self.random_contents(random.Random(seed)))
                self.hold_everywhere()

    def test_one_lane_gates_what_it_made_and_nothing_else(self) -> None:
        self.run_lanes({name: [] for name in self.names}, lanes=1)
        self.hold_everywhere()
        for receipt in self.job.receipts.values():
            self.assertEqual({run.commit for run in receipt.gates}, {receipt.candidate})
            self.assertEqual(receipt.base, receipt.parent)


class TestContract(MergingCase):
    gate = CONTRACT

    def test_no_tip_is_red_for_any_node_that_is_done(self) -> None:
        for seed in range(12):
            with self.subTest(seed):
                self.doCleanups()
                self.setUp()
                self.run_lanes(self.random_contents(random.Random(seed)))
                self.hold_everywhere()
                self.no_tip_is_red()

    def no_tip_is_red(self) -> None:
        for tip in Tips(self.job.path.with_name("tips.jsonl")).commits[1:]:
            tests = self.said_of(tip)
            red = [name for name in self.views.done(tip) if not tests.green(name)]
            self.assertEqual(red, [])

    def ready(self, contents: Mapping[str, str]) -> dict[str, Turn]:
        """Let candidates stand in line, green and ready to merge, in this order."""
        turns = {}
        for number, (name, content) in enumerate(contents.items(), 1):
            work = self.work_on(name)
            gates = cast(NodeGates, FakeGates(self, work))
            tip = self.job.tip()
            entry = Entry(name, "100644", self.job.store(content.encode()))
            commit = work.draft(self.job.tree_with(tip, [entry]), tip)
            place = self.open.enter_context(self.queue.place())
            ahead = take_place(work, place, tip, commit)
            assert ahead
            self.assertIsNone(gates.judge(ahead, "candidate"))
            candidate = Candidate(commit, tip, Tier.EXECUTOR, gates.green_runs(ahead), "m")
            place.offer = turns[name] = Turn(work, gates, candidate, number)
            place.proven, place.ready = True, ahead
            self.places[name] = place
        return turns

    def setUp(self) -> None:
        super().setUp()
        self.places: dict[str, Place] = {}
        self.open = ExitStack()
        self.addCleanup(self.open.close)

    def test_those_that_wait_are_judged_together_and_merge_in_one_step(self) -> None:
        turns = self.ready({"n0": GOOD, "n1": GOOD, "n2": GOOD})
        moves = len(Tips(self.job.path.with_name("tips.jsonl")).commits)
        self.counts.clear()
        turns["n0"].lead()
        self.assertEqual(sum(self.counts.values()), 2)  # n2's was green on that very tree
        noted = Tips(self.job.path.with_name("tips.jsonl"))
        self.assertEqual(len(noted.commits), moves + 1)
        self.assertEqual([one.node for one in noted.receipts.values()], ["n0", "n1", "n2"])
        self.assertEqual(self.problems(), [])
        ends = [self.places[name].end.merged for name in turns]
        self.assertEqual(ends, list(noted.receipts))

    def test_the_first_culprit_is_refused_and_the_others_merge(self) -> None:
        turns = self.ready({"n0": GOOD, "n1": GOOD, "n2": f"{BREAKS}n0", "n3": GOOD})
        turns["n0"].lead()
        refused = self.places["n2"].end
        self.assertIs(refused.outcome, AttemptOutcome.COLLIDED)  # n0 was not done on its base
        self.assertIn("The tests of n0, which must stay green", refused.feedback.lesson)
        turns["n0"].lead()
        self.assertEqual(self.views.done(self.job.tip()), {"n0", "n1"})
        self.assertEqual(self.problems(), [])

    def test_what_breaks_its_own_base_is_a_regression(self) -> None:
        self.ready({"n0": GOOD})["n0"].lead()
        turns = self.ready({"n1": f"{BREAKS}n0", "n2": GOOD})
        turns["n1"].lead()
        self.assertIs(self.places["n1"].end.outcome, AttemptOutcome.REGRESSION)
        self.assertEqual(self.queue.contract.refused, 1)

    def test_what_is_red_anyway_is_held_against_no_candidate_and_on_record(self) -> None:
        self.ready({"n0": GOOD})["n0"].lead()
        self.gate = NODE
        self.ready({"n1": f"{BREAKS}n0"})["n1"].lead()
        self.gate = CONTRACT
        self.ready({"n2": GOOD})["n2"].lead()
        receipt = self.places["n2"].end
        said = [(run.purpose, run.verdict) for run in receipt.gates if is_of_contract(run)]
        self.assertEqual(said[:2], [("contract before", "red"), ("contract", "red")])
        self.gate = NODE  # what the plan was approved with; receipts with such runs are read
        self.assertEqual(self.problems(), [])

    def test_verify_misses_what_was_not_run(self) -> None:
        self.ready({"n0": GOOD, "n1": GOOD, "n2": GOOD})["n0"].lead()
        whole = self.evidence()
        before, first = whole.receipts[:2]
        contract = [run for run in first.gates if is_of_contract(run)]
        own = tuple(run for run in first.gates if not is_of_contract(run))
        for wrong, said in (
            ((), "contract gate"),
            (contract[1:], "test n0"),
            ([run._replace(tree="f" * 40) for run in contract], "the tree that the contract"),
            ([contract[0]._replace(verdict="red"), *contract[1:]], "test n0"),
            ([contract[0]._replace(tests_run=0), *contract[1:]], "test n0"),
        ):
            with self.subTest(said):
                forged = first._replace(gates=(*own, *wrong))
                found = self.problems(replace(whole, receipts=(before, forged, whole.receipts[2])))
                self.assertTrue(any(said in what for what in found), found)

    def test_verify_knows_where_the_branch_stood(self) -> None:
        self.ready({"n0": GOOD, "n1": GOOD})["n0"].lead()
        whole = self.evidence()
        assert whole.journal
        tips = whole.journal.tips | {whole.receipts[0].merged}
        forged = replace(whole, journal=Journal(tips, whole.journal.receipts))
        self.assertTrue(any("one step" in what for what in self.problems(forged)))
