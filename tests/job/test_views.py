"""A view that is made from the last one is the one that is made of its commit alone."""

from __future__ import annotations

import hashlib
import random
import unittest
from typing import ClassVar

from director.job.trailers import CANDIDATE, MERGE, TESTS, commit_message
from director.job.views import View, ViewReader, Views, views_of
from director.model.plan import Node, Plan
from director.repositories.history import Entry
from tests.worktrees.jobs import BRANCH, JobCase

SHARED, ON_BASE = "tests/all_test", "tests/a_test"
CONTENT = {"a": "of a\n", "c": "of a and c\n"}  # of the shared file, at its nodes
DEPENDS_ON = {"a": (), "b": (), "c": ("a",), "d": ("b",), "e": (), "f": ("c", "d")}


def planned(base: str, node_id: str) -> Node:
    files = {SHARED: CONTENT[node_id]} if node_id in CONTENT else {}
    files |= {f"tests/{node_id}_test": node_id, f"more/{node_id}/{node_id}_test": node_id}
    hashes = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
    made, needed = (f"{node_id}.py",), DEPENDS_ON[node_id]
    return Node(node_id, "t", "s", made, needed, "true", tuple(files), test_hashes=hashes)


class TestDerived(JobCase):
    files: ClassVar[dict[str, str]] = {ON_BASE: "before\n", "a": "", "tests/kept": "x\n"}

    def setUp(self) -> None:
        super().setUp()
        nodes = tuple(planned(self.base, node_id) for node_id in DEPENDS_ON)
        self.plan = Plan("job", "task", "/repo", self.base, "now", BRANCH, nodes)
        self.numbered = 0
        self.frozen = self.base
        for owner in CONTENT:  # each commit of tests has what the file holds at one node
            texts = {f"{one}_test": node for node in DEPENDS_ON for one in self.folders(node)}
            self.frozen = self.put({**texts, SHARED: CONTENT[owner]}, self.frozen, TESTS, owner)
        self.views = views_of(self.job, self.plan)

    def folders(self, node_id: str) -> tuple[str, str]:
        return f"tests/{node_id}", f"more/{node_id}/{node_id}"

    def put(self, files: dict[str, str], parent: str, kind: str, node_id: str) -> str:
        self.numbered += 1
        message = commit_message(f"number {self.numbered}", {"Kind": kind, "Node": node_id})
        entries = [
            Entry(path, "100644", self.job.store(text.encode())) for path, text in files.items()
        ]
        return self.job.commit(self.job.tree_with(parent, entries), parent, message)

    def work(self, node_id: str, parent: str, kind: str = MERGE) -> str:
        return self.put({f"{node_id}.py": f"{self.numbered}\n"}, parent, kind, node_id)

    def assert_as_alone(self, commit: str, node_id: str) -> None:
        """Compare what is made after others with what is made first."""
        node, alone = self.plan.node(node_id), views_of(self.job, self.plan)
        tree = self.job.tree
        self.assertEqual(tree(self.views.of(commit, node)), tree(alone.of(commit, node)))
        alone = views_of(self.job, self.plan)
        self.assertEqual(tree(self.views.of_done(commit)), tree(alone.of_done(commit)))

    def test_in_any_order(self) -> None:
        for seed in range(8):
            chance = random.Random(seed)
            order = chance.sample(sorted(DEPENDS_ON), len(DEPENDS_ON))
            tip, commits = self.frozen, [self.frozen]
            for node_id in order:
                self.assert_as_alone(chance.choice(commits), chance.choice(order))
                self.assert_as_alone(tip, node_id)
                candidate = self.work(node_id, chance.choice(commits), CANDIDATE)
                self.assert_as_alone(candidate, node_id)
                tip = self.work(node_id, tip)
                commits += [candidate, tip]
            self.assert_as_alone(tip, "a")
            self.assertEqual(self.views.of_done(tip), tip)

    def test_what_is_held_back_is_gone_or_as_on_the_base(self) -> None:
        node = self.plan.node
        done = self.work("b", self.frozen)
        for commit, seen in ((self.frozen, {"e"}), (done, {"b", "e"}), (self.frozen, {"e"})):
            view = self.views.of(commit, node("e"))
            paths = [f"{one}_test" for name in DEPENDS_ON for one in self.folders(name)]
            found = self.job.contents(view, [*paths, SHARED, "tests/kept"])
            self.assertEqual(found.pop(ON_BASE), b"before\n")
            self.assertEqual(found.pop("tests/kept"), b"x\n")
            self.assertEqual(
                found.keys(), {f"{one}_test" for name in seen for one in self.folders(name)}
            )
        shared = self.job.contents(self.views.of(self.frozen, node("a")), [SHARED])
        self.assertEqual(shared, {SHARED: CONTENT["a"].encode()})

    def test_only_what_turned_is_looked_at(self) -> None:
        reader = ViewReader(self.job, self.plan)
        tree = self.job.tree(self.views.of(self.frozen, self.plan.node("e")))
        last = View(self.frozen, frozenset({"e"}), tree)
        commit = self.work("b", self.frozen)
        entries = reader.between(last, commit, {"b", "e"})
        changed = {"b.py", *(f"{one}_test" for one in self.folders("b"))}
        self.assertEqual({one.path for one in entries}, changed)

    def test_where_a_content_is_not_known_each_view_is_made_alone(self) -> None:
        unknown = self.plan.node("a")._replace(
            test_hashes={**self.plan.node("a").test_hashes, SHARED: "0" * 64}
        )
        plan = self.plan.with_node(unknown)
        reader = ViewReader(self.job, plan)
        views = Views(self.job, reader)
        self.assertTrue(reader.can_derive)
        commit = self.work("a", self.frozen)
        views.of_done(commit)  # it holds the file as it is at a, which no commit has
        self.assertFalse(reader.can_derive)


if __name__ == "__main__":
    unittest.main()
