"""The plan by layers, in 40 to 200 columns; what is not known is a dash. With it: ``history``."""

from __future__ import annotations

import unittest

from director.model.codec.encoding import encode
from director.model.plan import Node
from director.model.state import CallRecord
from director.model.usage import Tokens
from director.records import json_lines
from director.records.job_directory import JobDirectory
from director.reporting.approvals.history import Expectation, expectations
from director.reporting.approvals.plan_view import plan_rows, plan_table, spec_outline
from director.reporting.terminal.cells import width_of
from tests.support.hermetic import TemporaryCase

TEST = "import unittest\n\nclass TestA(unittest.TestCase):\n    def test_x(self):\n        pass\n"
KNOWN = {"easy": Expectation(0.0123, 75.0, 4)}


def made(name: str, *depends_on: str, title: str = "", difficulty: str = "easy") -> Node:
    return Node(
        id=name,
        title=title or f"Make {name}",
        spec="…",
        files=(f"src/{name}.py", "src/__init__.py"),
        depends_on=depends_on,
        test_cmd=f"python3 -m unittest tests.test_{name}",
        tests=(f"tests/test_{name}.py",),
        estimated_difficulty=difficulty,
    )


PLAN = (
    made("toc", "anchors", "links"),
    made("anchors", title="世界 " * 30),
    made("links", difficulty="hard", title="An extraordinarily long title of a node " * 3),
)
ROWS = plan_rows(PLAN, {"tests/test_toc.py": TEST}, KNOWN)


class TestTable(unittest.TestCase):
    def test_wide_it_is_a_table_by_layers(self) -> None:
        lines = plan_table(ROWS, 120).splitlines()
        self.assertEqual(lines[0].split()[-4:], ["cases", "difficulty", "cost", "time"])
        self.assertEqual(
            [line for line in lines if line.startswith("Layer")], ["Layer 1", "Layer 2"]
        )
        toc = next(line for line in lines if line.startswith("toc"))
        self.assertEqual(toc.split()[-6:], ["1", "easy", "$0.0123", "1", "min", "15", "s"][-6:])
        links = next(line for line in lines if line.startswith("links"))
        self.assertEqual(links.split()[-4:], ["–", "hard", "–", "–"])

    def test_narrow_a_node_takes_some_lines(self) -> None:
        self.assertEqual(
            plan_table(plan_rows((made("toc"),), {"tests/test_toc.py": TEST}, KNOWN), 40),
            "Layer 1\n"
            "  toc  Make toc\n"
            "    src/toc.py · src/__init__.py\n"
            "    tests/test_toc.py (1 case) · easy\n"
            "    $0.0123 · 1 min 15 s\n"
            "\n"
            "1 node in 1 layer · 1 test case\n"
            "expected cost $0.0123\n"
            "time 1 min 15 s one after another\n"
            "by 4 nodes done before",
        )

    def test_no_line_is_wider_than_it_may_be(self) -> None:
        for width in range(40, 201):
            for line in plan_table(ROWS, width).splitlines():
                self.assertLessEqual(width_of(line), width, line)

    def test_the_sums_say_of_how_many_something_is_known(self) -> None:
        said = plan_table(ROWS, 200).splitlines()
        self.assertEqual(said[-2], "3 nodes in 2 layers · 1 test case")
        self.assertIn("expected cost $0.0246 for 2 of 3", said[-1])
        alone = plan_table(plan_rows(PLAN, {}, {}), 200).splitlines()
        self.assertEqual(alone[-1], "3 nodes in 2 layers")

    def test_json_says_the_same(self) -> None:
        first = ROWS[-1].to_json()
        self.assertEqual((first["id"], first["layer"], first["test_cases"]), ("toc", 2, 1))
        self.assertEqual((first["expected_cost_usd"], first["expected_secs"]), (0.0123, 75.0))


class TestOutline(unittest.TestCase):
    def test_headings_are_indented_and_code_has_none(self) -> None:
        text = "# The spec\n## Goal\nx\n```sh\n# a comment\n```\n### Of it ##\n#### deep\n#no\n"
        self.assertEqual(spec_outline(text, 80), "  The spec\n    Goal\n      Of it")

    def test_they_fit_and_steer_no_terminal(self) -> None:
        self.assertEqual(spec_outline(f"## \x1b[31m{'x' * 90}", 40), f"  {'x' * 37}…")
        self.assertEqual(spec_outline("the spec", 40), "")


class TestExpectations(TemporaryCase):
    def job(self, name: str = "") -> JobDirectory:
        return JobDirectory(self.tmp / "jobs" / name if name else self.tmp)

    def done(self, job: JobDirectory, node: str, **more: object) -> None:
        line = {"kind": "node", "node": node, "status": "done", "difficulty": "easy", **more}
        json_lines.append_line(job.metrics, line, durable=False)

    def call(
        self, job: JobDirectory, node: str, cost: float | None, role: str = "executor"
    ) -> None:
        call = CallRecord("t", role, "m", Tokens(), cost, "priced", node, 1, True)
        json_lines.append_line(job.costs, encode(call), durable=False)

    def test_nothing_is_known_without_jobs(self) -> None:
        self.assertEqual(expectations(self.job()), {})

    def test_it_is_the_median_of_what_was_done(self) -> None:
        old, now = self.job("old"), self.job()
        for name, secs, cost in (("a", 10.0, 0.1), ("b", 20.0, 0.3), ("c", 90.0, 0.2)):
            self.done(old, name, wall_secs=secs)
            self.call(old, name, cost)
        self.call(old, "a", 5.0, role="test_author")
        self.done(now, "x", difficulty="hard", wall_secs=1.0, cost_usd=0.5)
        self.done(now, "y", status="failed", wall_secs=1000.0, cost_usd=50.0)
        self.assertEqual(
            expectations(now),
            {"easy": Expectation(0.2, 20.0, 3), "hard": Expectation(0.5, 1.0, 1)},
        )

    def test_a_node_counts_once_and_nonsense_does_not(self) -> None:
        now = self.job()
        self.done(now, "a", wall_secs=1.0, cost_usd=1.0)
        self.done(now, "a", wall_secs=3.0, cost_usd=3.0)
        self.done(now, "b", wall_secs=True, cost_usd="much")
        self.done(now, "c", wall_secs=-1, cost_usd=None)
        self.assertEqual(expectations(now)["easy"], Expectation(3.0, 3.0, 3))

    def test_the_cost_of_a_node_with_an_unpriced_call_is_not_known(self) -> None:
        now = self.job()
        self.done(now, "a", wall_secs=1.0, cost_usd=1.0)
        self.call(now, "a", 1.0)
        self.call(now, "a", None)
        self.assertEqual(expectations(now)["easy"], Expectation(None, 1.0, 1))
