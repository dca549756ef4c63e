"""Several nodes inside one compile unit: each sees its view, the branch holds all tests.

With it: ``job.views``.
"""

from __future__ import annotations

import shutil
import unittest
from typing import Any

from tests.support.compile_unit import CompileUnitCase, unit
from tests.support.fake_opencode import Step, answer, mark, say, shell, wait_for, write
from tests.support.jobs import NO_REPAIR, JobCase, node

ALL = {"pkg/a_test.sh", "pkg/b_test.sh"}


class TestViews(CompileUnitCase):
    def verified(self) -> None:
        self.ends(0, "verify")
        self.ends(0, "verify", "--rerun")

    def listed(self, tree: str) -> set[str]:
        git = ("--git-dir", str(self.home / "job.git"))
        listed = self.repo.git(*git, "ls-tree", "-r", "--name-only", tree).splitlines()
        return {path for path in listed if path.endswith("_test.sh")}

    def attempts(self) -> list[int]:
        return [self.node_state(name)["attempts"] for name in "ab"]

    def test_side_by_side_and_one_after_the_other(self) -> None:
        for lanes in ("1", "2"):
            with self.subTest(lanes):
                self.plan_units(unit("a"), unit("b"))
                self.work_on("a", "b")
                self.ends(0, "run", "--parallel", lanes)
                self.assertEqual(self.attempts(), [1, 1])
                for line in self.lines("tips.jsonl"):  # the branch holds the whole contract
                    if line.get("receipt"):
                        self.assertEqual(self.listed(line["tip"]), ALL)
                self.verified()

    def test_with_dependencies(self) -> None:
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a", "b")
        self.ends(0, "run")
        self.assertEqual(self.attempts(), [1, 1])
        self.assertEqual((self.seen_by("a"), self.seen_by("b")), ({"a"}, {"a", "b"}))
        first, last = self.receipt("a"), self.receipt("b")
        self.assertEqual(self.listed(first["view"]), {"pkg/a_test.sh"})
        self.assertEqual({gate["tree"] for gate in first["gates"]}, {first["view"]})
        self.assertNotIn("view", last)  # nothing was held back
        said = self.repo.git("log", "-1", "--format=%(trailers:only)", first["merged"])
        self.assertIn(f"Director-View: {first['view']}", said)
        said = self.repo.git("log", "-1", "--format=%(trailers:only)", last["merged"])
        self.assertNotIn("Director-View", said)
        self.verified()

    def test_a_node_in_between_sees_what_is_done(self) -> None:
        self.plan_units(unit("a"), unit("b"), unit("c", depends_on=["b"]))
        self.work_on("a", "b", "c")
        self.ends(0, "run", "--node", "a")
        self.verified()  # while others are still to come
        self.ends(0, "run")
        self.assertEqual(self.seen_by("b"), {"a", "b"})
        self.assertEqual(self.seen_by("c"), {"a", "b", "c"})
        self.verified()

    def test_escalated_and_reviewed(self) -> None:
        self.plan_units(unit("a"), unit("b"))
        for name in "ab":
            self.implement(name, *self.unit_work(name, "bad"))
            self.implement(name, *self.unit_work(name))
        looked = shell(f"ls pkg > {self.tmp}/seen-by-reviewer")
        fine = answer({"verdict": "pass", "summary": "fine", "findings": []})
        self.fake.always("reviewer", looked, fine)
        self.ends(0, "run", "--max-attempts", "1", "--node", "a")
        self.assertEqual(self.seen_by("reviewer"), {"a"})
        self.ends(0, "run", "--max-attempts", "1")
        for name in "ab":
            self.assertEqual(self.node_state(name)["tier_used"], "escalation")
        self.verified()

    def test_collided(self) -> None:
        """What b made goes with its tests, and not with what a made meanwhile."""
        self.plan_units(unit("a"), unit("b"))
        clash = "b() { if type a >/dev/null 2>&1; then echo clash; else echo good; fi; }\n"
        began, done = self.tmp / "b-began", self.tmp / "a-is-merged"
        self.implement("a", wait_for(began), *self.unit_work("a"))
        shown = f"git -C {self.repo.root} show {self.branch}:pkg/a.lib.sh"
        merged = f"while ! {shown}; do sleep 0.05; done; touch {done}"
        self.implement("b", mark(began), shell(merged), write("pkg/b.lib.sh", clash))
        self.implement("b", *self.unit_work("b"))
        self.ends(0, "run", "--parallel", "2")
        outcomes = [one["outcome"] for one in self.node_state("b")["tries"]]
        self.assertEqual(outcomes, ["green", "collided", "green"])
        self.assertEqual(self.seen_by("b"), {"a", "b"})
        self.verified()

    def test_killed_and_resumed(self) -> None:
        self.plan_units(unit("a"), unit("b", depends_on=["a"]), unit("c", depends_on=["b"]))
        self.work_on("a")
        reached = self.tmp / "reached"
        self.implement("b", *self.unit_work("b"), mark(reached), wait_for(self.tmp / "never"))
        self.kill_at(reached, "run")
        self.work_on("b", "c")
        self.ends(0, "run")
        self.assertEqual(self.seen_by("c"), {"a", "b", "c"})
        self.verified()

    def test_one_that_needs_no_work_comes_in_between(self) -> None:
        """It changes nothing on the branch but what the others see."""
        both = unit("a", files=["pkg/a.lib.sh", "pkg/b.lib.sh"])
        self.plan_units(both, unit("b", files=["pkg/other.sh"], depends_on=["a"]), unit("c"))
        self.implement("a", *self.unit_work("a"), write("pkg/b.lib.sh", "b() { echo good; }\n"))
        self.ends(0, "run", "--node", "a")
        self.implement("c", *self.unit_work("c"), self.until_merged("b"))
        self.ends(0, "run", "--parallel", "2")
        self.assertEqual(self.receipt("b")["tier"], None)
        self.verified()

    def until_merged(self, name: str) -> Step:
        log = f"git -C {self.repo.root} log --format=%s {self.branch}"
        return shell(f"while ! {log} | grep -q 'Make {name}'; do sleep 0.05; done")

    def test_setup_that_compiles_everything(self) -> None:
        """It runs on what is merged: there, too, tests to come would not compile."""
        ran = self.tmp / "ran"
        self.configure(f'[worktree]\nsetup = "echo x >> {ran}; sh build.sh"\n')
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a", "b")
        self.ends(0, "run")
        self.assertIn("x", ran.read_text())
        self.verified()

    def test_where_nothing_is_held_back_the_view_is_the_commit(self) -> None:
        self.plan_units(unit("a"))
        self.work_on("a")
        self.ends(0, "run")
        self.assertNotIn("view", self.receipt("a"))
        self.verified()


class TestHeldBack(CompileUnitCase):
    def feedback(self) -> str:
        return self.fake.calls()[-1].prompt

    def test_a_test_to_come_that_an_agent_writes_does_not_get_on_the_branch(self) -> None:
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        before = self.on_branch("pkg/b_test.sh")
        self.implement("a", write("pkg/b_test.sh", "exit 0\n"), write("pkg/a.lib.sh", "# none\n"))
        self.work_on("a", "b")
        self.ends(0, "run")
        calls = [call for call in self.fake.calls() if call.heading == "Implement"]
        self.assertIn("At pkg/b_test.sh there will be frozen tests of other nodes", calls[1].prompt)
        self.assertEqual(self.on_branch("pkg/b_test.sh"), before)
        self.ends(0, "verify", "--rerun")

    def test_one_beside_good_work_is_dropped(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"], tests=["more/b/b.sh"], test_cmd="false"))
        before = self.on_branch("more/b/b.sh")
        self.implement("a", write("more/b/b.sh", "exit 0\n"), *self.good_work("a"))
        self.ends(0, "run", "--node", "a")
        self.assertEqual(self.on_branch("more/b/b.sh"), before)
        self.ends(0, "verify")


class TestOnTheTip(CompileUnitCase):
    """All frozen tests run once together when the last node has merged."""

    def reports(self, done: Any) -> list[tuple[str, list[str], str]]:
        return [(one["name"], one["nodes"], one["verdict"]) for one in done.json["integration"]]

    def test_each_runs_once_but_for_what_was_gated_there(self) -> None:
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a", "b")
        done = self.ends(0, "run", "--json")
        self.assertEqual(self.reports(done), [("tests of a", ["a"], "green")])
        self.assertIn("all tests are green together", done.json["what"])
        self.assertIs(done.json["integration_ok"], True)

    def test_one_command_of_several_nodes_runs_once(self) -> None:
        command = "sh build.sh $(ls pkg | sed -n 's/_test.sh//p')"
        nodes = [unit("a", test_cmd=command), unit("b", test_cmd=command)]
        self.plan_units(*nodes)
        self.work_on("a", "b")
        done = self.ends(0, "run", "--json", "--parallel", "2")
        self.assertEqual(self.reports(done), [("tests of a, b", ["a", "b"], "green")])

    def test_a_test_that_another_node_broke_is_red_and_traced(self) -> None:
        self.configure(NO_REPAIR)
        self.plan_units(
            unit("a"), unit("b", depends_on=["a"]), unit("c", depends_on=["b"]),
            unit("d", depends_on=["c"]),
        )  # fmt: skip
        self.work_on("a", "b", "d")
        self.implement("c", *self.unit_work("c", "good; }\na() { echo spoiled"))
        done = self.ends(1, "run", "--json")
        said = {name: verdict for name, _, verdict in self.reports(done)}
        others = dict.fromkeys((f"tests of {name}" for name in "bcd"), "green")
        self.assertEqual(said, {"tests of a": "red", **others})
        red = done.json["integration"][0]
        commit = self.node_state("c")["commit"]
        self.assertEqual(red["turned_red_by"], {"node": "c", "commit": commit})
        self.assertIn("bad a", (self.home / red["log"]).read_text())
        self.assertIsNone(red["red_before"])
        self.assertIn("tests of a: exit code 1; turned red by the merge of c", done.json["what"])
        told = [e for e in self.lines("events.jsonl") if e["kind"] == "integration_gate"]
        self.assertEqual(told[0]["nodes"], ["a"])
        self.ends(1, "run")  # nothing excuses it the next time
        self.assertIn("tests of a", self.ends(1, "run").out)
        self.assertIn("integration gate of the last run is not", self.ends(0, "verify").out)
        self.ends(1, "verify", "--rerun")

    def test_beside_gates(self) -> None:
        self.configure('[gates]\nlint = "true"\n')
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a", "b")
        done = self.ends(0, "run", "--json")
        self.assertEqual([name for name, _, _ in self.reports(done)], ["tests of a", "lint"])


GO_TEST = """\
package calc

import "testing"

func Test{name}(t *testing.T) {{
\tif {name}(2) != {expected} {{
\t\tt.Fatal("wrong")
\t}}
}}
"""


@unittest.skipUnless(shutil.which("go"), "there is no go here")
class TestGo(JobCase):
    """The real compiler: two nodes in one package, two lanes."""

    def test_two_nodes_in_one_package(self) -> None:
        for name, text in (("go.mod", "module example.org/calc\n\ngo 1.18\n"),
                           ("calc/doc.go", "// Package calc counts.\npackage calc\n")):  # fmt: skip
            self.repo.write(name, text)
        self.repo.commit("a module")
        self.env = {**self.env, "GOCACHE": str(self.tmp / "cache"), "GOFLAGS": "-mod=mod"}
        self.env |= {"GOTOOLCHAIN": "local", "GOPROXY": "off"}
        nodes = {"Double": ("x * 2", 4), "Square": ("x * x", 4)}
        self.script_planning(*(self.go_node(name) for name in nodes))
        for name, (_, expected) in nodes.items():
            text = GO_TEST.format(name=name, expected=expected)
            path = f"calc/{name.lower()}_test.go"
            self.fake.always("test-author", write(path, text), say("written"), node=name)
        self.ends(0, "plan", "count", "--no-critique")
        for name, (body, _) in nodes.items():
            text = f"package calc\n\nfunc {name}(x int) int {{ return {body} }}\n"
            self.implement(name, write(f"calc/{name.lower()}.go", text))
        self.ends(0, "run", "--parallel", "2")
        self.assertEqual([self.node_state(name)["attempts"] for name in nodes], [1, 1])
        self.ends(0, "verify", "--rerun")

    def go_node(self, name: str) -> dict[str, Any]:
        return node(
            name,
            files=[f"calc/{name.lower()}.go"],
            tests=[f"calc/{name.lower()}_test.go"],
            test_cmd=f"go test -v -run '^Test{name}$' ./calc/",
        )
