"""The integration gate: what was red before is not blamed, and what turned red is traced.

With it: ``blaming``, ``gate_report``.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from director.job.blaming import bisect
from director.job.integration import tests_to_run
from director.model.plan import Node, Plan
from director.model.receipt import GateRun, Receipt
from tests.support.fake_opencode import answer, say, write
from tests.support.jobs import NO_REPAIR, Done, JobCase, node


def red_from(first: int, asked: list[int] | None = None) -> Callable[[int], bool]:
    """Return a gate that is red from merge ``first`` on, and notes where it ran."""

    def is_green(number: int) -> bool:
        if asked is not None:
            asked.append(number)
        return number < first

    return is_green


class TestSearch(unittest.TestCase):
    def test_finds_the_first_red_merge_of_any_number(self) -> None:
        for count in range(1, 18):
            for first in range(1, count + 1):
                with self.subTest(count=count, first=first):
                    self.assertEqual(bisect(count, red_from(first)).culprit, first)

    def test_asks_a_logarithm_of_times(self) -> None:
        asked: list[int] = []
        bisect(1000, red_from(777, asked))
        self.assertLessEqual(len(asked), 14)

    def test_a_gate_that_is_green_the_second_time_blames_no_merge(self) -> None:
        found = bisect(5, lambda number: True)
        self.assertEqual((found.culprit, "flaky" in found.doubt), (None, True))

    def test_a_gate_that_became_red_on_the_base_blames_no_merge(self) -> None:
        found = bisect(5, lambda number: False)
        self.assertEqual((found.culprit, "on the base" in found.doubt), (None, True))

    def test_a_gate_that_changes_its_mind_at_the_culprit_blames_no_merge(self) -> None:
        for doubtful in (3, 4):
            asked: list[int] = []

            def is_green(number: int, doubtful: int = doubtful, asked: list[int] = asked) -> bool:
                asked.append(number)
                steady = number < 4
                return steady if asked.count(number) == 1 or number != doubtful else not steady

            found = bisect(8, is_green)
            self.assertEqual((found.culprit, "flaky" in found.doubt), (None, True))

    def test_what_was_red_by_design_before_a_merge_is_not_looked_at(self) -> None:
        asked: list[int] = []
        found = bisect(9, red_from(7, asked), first=4)
        self.assertEqual((found.culprit, min(asked)), (7, 4))
        found = bisect(9, lambda number: False, first=4, there="at the merge of a")
        self.assertIn("red at the merge of a now", found.doubt)


class TestTestsToRun(unittest.TestCase):
    def to_run(self, *receipts: Receipt) -> list[list[str]]:
        nodes = [
            Node(name, "t", "s", (f"{name}.py",), (), command, (f"{name}_test",))
            for name, command in (("a", "test a"), ("b", "test all"), ("c", "test all"))
        ]
        plan = Plan("job", "task", "/repo", "b" * 40, "now", "branch", tuple(nodes))
        return [list(group.nodes) for group in tests_to_run(plan, receipts, "tip")]

    def receipt(
        self, node_id: str, command: str, tree: str, purpose: str = "candidate", said: str = "green"
    ) -> Receipt:
        run = GateRun(purpose, command, said, 0, 0.1, "commit", tree)
        return Receipt(
            "now", "job", node_id, "", "", node_id, tree, "", {}, "", (run,), (), None, None, 1
        )

    def test_each_command_once_but_for_what_was_green_on_that_tree(self) -> None:
        self.assertEqual(self.to_run(), [["a"], ["b", "c"]])
        a, b = self.receipt("a", "test a", "tip"), self.receipt("b", "test all", "tip")
        self.assertEqual(self.to_run(a, b), [["b", "c"]])
        self.assertEqual(self.to_run(a, b, self.receipt("c", "test all", "tip")), [])

    def test_what_the_contract_saw_green_on_that_tree_is_so_for_all_nodes(self) -> None:
        c = self.receipt("c", "test all", "tip", "contract")
        self.assertEqual(self.to_run(c), [["a"]])
        red = self.receipt("a", "test a", "tip", "contract", "red")
        self.assertEqual(self.to_run(c, red), [["a"]])
        self.assertEqual(self.to_run(self.receipt("a", "test a", "other"))[0], ["a"])
        self.assertEqual(self.to_run(self.receipt("a", "other", "tip"))[0], ["a"])


class GateCase(JobCase):
    def gates(self, **commands: str) -> None:
        lines = "\n".join(f"{name} = '{command}'" for name, command in commands.items())
        self.configure(f"{NO_REPAIR}[gates]\n{lines}\n")

    def gate(self, done: Done, name: str) -> dict[str, Any]:
        found = [one for one in done.json["integration"] if one["name"] == name]
        self.assertEqual(len(found), 1)
        value = found[0]
        assert isinstance(value, dict)
        return value

    def probes(self) -> list[str | None]:
        return [e["node"] for e in self.lines("events.jsonl") if e.get("purpose") == "blame"]


class TestBase(GateCase):
    def test_the_base_is_gated_once_before_the_plan_and_recorded(self) -> None:
        trace = self.tmp / "trace"
        self.gates(
            unit=f"ls -A >> {trace}; test ! -e tests", lint="exit 3", types="echo no; exit 2"
        )
        self.script_planning(node("a"))
        done = self.ends(0, "plan", "make a", "--json")
        for _ in range(2):
            self.ends(0, "plan", "--continue")
        recorded = self.stored("plan_stage.json")["base_gates"]
        self.assertEqual(
            {name: (gate["command"], gate["verdict"]) for name, gate in recorded.items()},
            {
                "unit": (f"ls -A >> {trace}; test ! -e tests", "green"),
                "lint": ("exit 3", "red"),
                "types": ("echo no; exit 2", "red"),
            },
        )
        self.assertEqual(recorded["lint"]["reason"], "exit code 3")
        self.assertEqual(done.json["base_gates"], recorded)
        self.assertEqual(trace.read_text().split(), [".git", "README"])
        told = [line for line in done.err.splitlines() if "on the base already" in line]
        self.assertEqual(len(told), 2)
        self.assertIn("gate lint is red on the base already (exit code 3): `exit 3`", told[0])
        kinds = [e["kind"] for e in self.lines("events.jsonl")]
        self.assertEqual(kinds.count("base_gate"), 3)
        self.assertLess(kinds.index("base_gate"), kinds.index("call_started"))

    def test_what_was_red_before_does_not_make_the_run_fail(self) -> None:
        self.gates(lint="exit 3", unit="true")
        self.plan(node("a"))
        self.implement("a")
        done = self.ends(0, "run", "--json")
        lint = self.gate(done, "lint")
        self.assertEqual((lint["verdict"], lint["red_before"]), ("red", True))
        self.assertEqual((lint["turned_red_by"], lint["note"]), (None, "red, as before the job"))
        self.assertIs(self.gate(done, "unit")["red_before"], False)
        self.assertIs(done.json["integration_ok"], True)
        self.assertIn("the integration gate is green but for lint (red before)", done.json["what"])
        self.assertEqual(self.probes(), [])

    def test_what_is_red_on_the_base_is_shown_wherever_the_job_stands(self) -> None:
        self.gates(lint="exit 3", unit="true")
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        at_gate = self.ends(0, "status", "--json").json
        self.assertEqual(at_gate["integration_words"], "not run; lint (red before)")
        self.implement("a")
        self.ends(0, "plan", "--continue")
        self.assertIn("Everything is done (1 node): the integration gate is green but for lint "
                      "(red before)", self.ends(0, "run").in_one_line)  # fmt: skip
        status = self.ends(0, "status", "--json").json
        self.assertIs(status["integration_ok"], True)
        self.assertEqual(status["integration_words"], "green but for lint (red before)")
        told = self.ends(0, "status", "--stats").out
        self.assertIn("integration gate          green but for lint (red before)\n", told)

    def test_gate_2_names_the_gates_that_judge_no_work(self) -> None:
        self.gates(lint="exit 3", unit="true")
        self.script_planning(node("a"))
        self.assertNotIn("lint", self.ends(0, "plan", "make a").out)
        said = self.ends(0, "plan", "--continue")
        self.assertIn(
            "These gates fail on the base already, so they do not count: lint (red before).\n",
            said.out,
        )
        self.implement("a")
        ready = self.ends(0, "plan", "--continue", "--json").json
        self.assertEqual(ready["base_gates_words"], "lint (red before)")
        self.assertEqual(ready["base_gates"]["lint"]["verdict"], "red")

    def test_with_auto_a_line_warns_that_no_gate_counts(self) -> None:
        for gates, said in (
            ({}, "no integration gate counts (there is none in [gates])"),
            ({"lint": "exit 3"}, "no integration gate counts (lint is red on the base)"),
            ({"lint": "exit 3", "unit": "true"}, None),
        ):
            with self.subTest(gates=gates):
                self.gates(**gates)
                self.script_planning(node("a"))
                done = self.ends(0, "plan", "make a", "--no-critique", "--new")
                lines = [line for line in done.err.splitlines() if "counts" in line]
                self.assertEqual(len(lines), 1 if said else 0)
                self.assertTrue(said is None or said in lines[0], lines)

    def test_without_auto_there_is_a_person_who_sees_it(self) -> None:
        self.script_planning(node("a"))
        self.assertNotIn("counts", self.ends(0, "plan", "make a").err)

    def test_another_command_is_run_on_the_base_before_the_first_call(self) -> None:
        self.gates(lint="true")
        self.plan(node("a"))
        self.implement("a")
        trace = self.tmp / "trace"
        self.gates(lint="exit 4", unit=f"echo x >> {trace}", third="true")
        done = self.ends(0, "run", "--json")
        self.assertIs(self.gate(done, "lint")["red_before"], True)
        self.assertIs(self.gate(done, "unit")["red_before"], False)
        kinds = [e["kind"] for e in self.lines("events.jsonl")]
        asked = [number for number, kind in enumerate(kinds) if kind == "base_gate"]
        # planning knew the third; what is red at the end is seen red on the base once more
        self.assertEqual(len(asked), 4)
        self.assertLess(asked[2], kinds.index("node_started"))
        before = trace.read_text()
        self.ends(0, "run")  # nothing is left to call for: nothing but the tip is gated
        self.assertEqual(trace.read_text(), before + "x\n")


class TestBroken(GateCase):
    """A gate that cannot run on the base: nothing that is paid for could ever pass it."""

    def refused(self, *argv: str) -> Done:
        done = self.ends(2, *argv, "--json")
        said = done.json.get("error") or done.json["what"]
        self.assertIn("a gate cannot run on the base commit: types (", said)
        self.assertIn("`no-such-program --all`; see", said)
        self.assertIn("no-such-program", Path(said.rpartition("see ")[2]).read_text())
        self.assertIn("[gates]", done.json["next"])
        return done

    def test_planning_stops_before_the_first_call(self) -> None:
        trace = self.tmp / "trace"
        self.gates(unit=f"echo x >> {trace}", types="no-such-program --all")
        self.script_planning(node("a"))
        for _ in range(2):
            self.refused("plan", "make a", "--no-critique")
        self.assertEqual(self.fake.calls(), [])
        self.gates(unit=f"echo x >> {trace}", types="true")
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertEqual(trace.read_text(), "x\n")  # what ran is not run again
        self.assertFalse((self.home / "jobs").exists())

    def test_what_was_missing_may_be_provided_meanwhile(self) -> None:
        tool = self.tmp / "tool"
        self.gates(types=f"{tool}")
        self.script_planning(node("a"))
        self.ends(2, "plan", "make a", "--no-critique")
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o700)
        self.ends(0, "plan", "make a", "--no-critique")

    def test_one_that_does_not_end(self) -> None:
        self.configure("[limits]\nnode_timeout_secs = 1\n[gates]\nunit = 'sleep 60'\n")
        done = self.ends(2, "plan", "make a", "--json")
        self.assertIn("node_timeout_secs", done.json["next"])
        self.assertEqual(self.fake.calls(), [])

    def test_a_run_stops_before_its_first_call(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.gates(types="no-such-program --all")
        calls = len(self.fake.calls())
        self.refused("run")
        self.assertEqual(len(self.fake.calls()), calls)
        self.gates(types="true")
        self.ends(0, "run")

    def test_a_profile_of_a_bench_stops_before_its_first_call(self) -> None:
        (self.home / "profiles").mkdir()
        config = (self.home / "config.toml").read_text()
        for name, more in (("good", ""), ("bad", "[gates]\ntypes = 'no-such-program'\n")):
            (self.home / "profiles" / f"{name}.toml").write_text(config + more)
        self.script_planning(node("a"))
        self.fake.always("planner", say('{"verdict": "approve", "problems": []}'))
        self.fake.always("planner", answer({"nodes": [node("a")]}), heading="Plan")
        self.fake.always("executor", *self.good_work("a"), node="a")
        done = self.ends(1, "bench", "make a", "--profiles", "bad,good", "--plan-profile", "good")
        self.assertIn("a gate cannot run on the base commit", done.out)
        executors = [call for call in self.fake.calls() if call.heading == "Implement"]
        self.assertEqual(len(executors), 1)


class TestBlame(GateCase):
    def run_chain(self, names: str, **by_name: str) -> Done:
        """Run nodes one after the other; ``by_name`` is what one writes besides its own file."""
        nodes = [
            node(name, files=[f"{name}.txt", f"{name}.extra"], depends_on=list(before))
            for name, before in zip(names, ["", *names], strict=False)
        ]
        self.plan(*nodes)
        for name in names:
            more = [write(f"{name}.extra", by_name[name])] if name in by_name else []
            self.implement(name, write(f"{name}.txt", "good\n"), *more)
        return self.ends(1, "run", "--json")

    def test_the_merge_that_turned_it_red_is_named(self) -> None:
        self.gates(clean="! grep -rq spoiled .", unit="true")
        done = self.run_chain("abcde", c="spoiled\n")
        commit = self.node_state("c")["commit"]
        gate = self.gate(done, "clean")
        self.assertEqual(gate["turned_red_by"], {"node": "c", "commit": commit})
        self.assertIs(gate["red_before"], False)
        self.assertIn(f"turned red by the merge of c ({commit[:10]})", done.json["what"])
        self.assertIs(done.json["integration_ok"], False)
        told = [e for e in self.lines("events.jsonl") if e["kind"] == "blame"]
        self.assertEqual(
            [(e["name"], e["node"], e["commit"]) for e in told], [("clean", "c", commit)]
        )
        self.assertIn("turned red by the merge of c", done.err)

    def test_tests_of_later_merges_are_not_blamed_for_being_red_by_design(self) -> None:
        every_test = "for t in tests/*.sh; do test ! -e $t || sh $t || exit 1; done"
        self.gates(all=f"{every_test}; ! grep -rq spoiled *.extra")
        done = self.run_chain("abcd", b="spoiled\n")
        self.assertEqual(self.gate(done, "all")["turned_red_by"]["node"], "b")
        for name in "abcd":
            self.assertIn("no good", str(self.on_branch(f"tests/{name}.sh")))

    def test_a_test_that_was_there_before_is_as_it_was(self) -> None:
        self.repo.write("tests/b.sh", "exit 0\n")
        self.repo.commit("a test")
        self.gates(all="test -e tests/b.sh && sh tests/b.sh && ! grep -q spoiled c.extra")
        done = self.run_chain("abc", c="spoiled\n")
        self.assertEqual(self.gate(done, "all")["turned_red_by"]["node"], "c")

    def test_a_flaky_gate_blames_no_merge(self) -> None:
        seen = self.tmp / "seen"
        self.gates(flaky=f"test ! -e a.txt || test -e {seen} || {{ touch {seen}; exit 1; }}")
        done = self.run_chain("ab")
        self.assertIsNone(self.gate(done, "flaky")["turned_red_by"])
        self.assertIn("no merge is blamed", done.json["what"])
        self.assertIn("flaky", done.json["what"])

    def test_tests_that_turn_red_with_what_is_outside_are_all_named_and_gated_again(self) -> None:
        outside = self.tmp / "outside"
        outside.touch()
        nodes = [
            node(name, depends_on=list(before))
            for name, before in zip("abc", ["", "a", "b"], strict=True)
        ]
        script = "grep -q good {0}.txt && test -e {1} || {{ echo no good {0}; exit 1; }}\n"
        self.plan(*nodes, tests={name: script.format(name, outside) for name in "abc"})
        for name in "abc":
            self.implement(name)
        self.ends(0, "run")
        outside.unlink()
        done = self.ends(1, "run", "--json")
        self.assertEqual([g["verdict"] for g in done.json["integration"]], ["red"] * 3)
        self.assertIn("tests of c: exit code 1; no merge is blamed", done.json["what"])
        self.assertIn("something outside the repository has changed", done.json["what"])
        self.assertEqual(done.json["next_command"], ["director", "run"])
        self.assertIn("director run", self.ends(0, "status").out)
        outside.touch()
        green = self.ends(0, "run", "--json").json["integration"]
        self.assertEqual([one["name"] for one in green], ["tests of a", "tests of b"])

    def test_the_search_leaves_no_commit_on_the_branch(self) -> None:
        self.gates(clean="! grep -rq spoiled .")
        self.run_chain("ab", a="spoiled\n")
        subjects = self.repo.git("log", "--format=%s", f"main..{self.branch}").splitlines()
        self.assertEqual(subjects[:2], ["Make b", "Make a"])
        self.assertEqual(sorted(subjects[2:]), ["Tests of a", "Tests of b"])
        self.assertEqual(self.left_behind(), [])

    def test_two_gates_have_a_culprit_each(self) -> None:
        self.gates(one="! grep -q spoiled a.extra", two="! grep -q spoiled c.extra")
        done = self.run_chain("abc", a="spoiled\n", c="spoiled\n")
        red = [g for g in done.json["integration"] if g["verdict"] == "red"]
        blamed = {g["name"]: g["turned_red_by"]["node"] for g in red}
        self.assertEqual(blamed, {"one": "a", "two": "c"})

    def test_red_tests_of_a_node_that_was_green_alone_count_from_its_own_merge_on(self) -> None:
        self.script_planning(node("a"), node("b", depends_on=["a"]))
        apart = 'grep -q good b.txt || { echo no good b; exit 1; }\ntest -z "$WHOLE"\n'
        self.fake.always("test-author", write("tests/b.sh", apart), say("written"), node="b")
        self.gates(all="test ! -e tests/b.sh || WHOLE=1 sh tests/b.sh")
        self.ends(0, "plan", "make", "--no-critique")
        self.implement("a")
        self.implement("b")
        done = self.ends(1, "run", "--json")
        self.assertEqual(self.gate(done, "all")["turned_red_by"]["node"], "b")
