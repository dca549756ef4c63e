"""What the records say of attempts and gates that failed: why, on what, in which log.

With it: ``model.failure``.
"""

from __future__ import annotations

from typing import Any

from tests.support.fake_opencode import answer, mark, shell, wait_for, write
from tests.support.jobs import NO_REPAIR, JobCase, node

CRITICAL = {
    "summary": "it cheats",
    "findings": [{"severity": "critical", "file": "a.txt", "problem": "hard-coded"}],
}
NOT_BOTH = (
    "grep -q good b.txt || { echo 'no good b'; exit 1; }\n"
    "if test -f a.txt && ! grep -q together b.txt; then echo apart; exit 1; fi\n"
)


class FailureCase(JobCase):
    def tries(self, name: str = "a") -> list[dict[str, Any]]:
        """Return what the state says of the attempts at a node."""
        found: list[dict[str, Any]] = self.node_state(name)["tries"]
        return found

    def events(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """Return the events of a kind that hold these values."""
        lines = [one for one in self.lines("events.jsonl") if one["kind"] == kind]
        return [one for one in lines if one.items() >= values.items()]

    def shown(self, candidate: str, path: str) -> str:
        """Return a file of a candidate as a person would look at it."""
        return self.repo.git("-C", str(self.home / "job.git"), "show", f"{candidate}:{path}")

    def read(self, log: str) -> str:
        """Return what is in a log that a record names."""
        self.assertRegex(log, "^logs/")
        return (self.home / log).read_text()


class TestAttempts(FailureCase):
    def test_each_attempt_says_who_made_it_what_it_changed_and_why_it_failed(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\nworse\n"))
        self.implement("a")
        self.ends(0, "run")
        red, green = self.tries()
        self.assertEqual((red["number"], green["number"]), (1, 2))
        self.assertEqual((red["model"], red["role"]), ("fake/cheap", "executor"))
        self.assertEqual((red["files"], red["added"], red["removed"]), (1, 2, 0))
        self.assertEqual((green["files"], green["added"], green["removed"]), (1, 1, 0))
        self.assertIn("step_finish", self.read(red["call"]))
        self.assertNotEqual(red["call"], green["call"])
        self.assertIsNone(green["failure"])
        failure = red["failure"]
        self.assertEqual(
            {**failure, "log": "", "command": ""},
            {
                "kind": "red",
                "command": "",
                "exit_code": 1,
                "headline": "no good a",
                "excerpt": "no good a",
                "log": "",
                "candidate": "attempts/a/1",
                "hint": "",
            },
        )
        self.assertEqual(failure["command"], self.stored("plan.json")["nodes"][0]["test_cmd"])
        self.assertEqual(self.read(failure["log"]), "no good a\n")
        self.assertEqual(self.shown("attempts/a/1", "a.txt"), "bad\nworse")

    def test_events_and_metrics_say_the_same(self) -> None:
        self.plan(node("a"))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.ends(1, "run", "--max-attempts", "1")
        first, last = (one["failure"] for one in self.tries())
        self.assertEqual([one["failure"] for one in self.events("attempt_failed")], [first, last])
        (gate,) = self.events("gate", purpose="candidate", log=last["log"])
        self.assertEqual(gate["failure"], last)
        (line,) = (one for one in self.lines("metrics.jsonl") if one["kind"] == "node")
        self.assertEqual(line["failure"], last)
        self.assertEqual(self.node_state("a")["failure"], last)
        self.assertEqual(self.events("node_ended")[0]["failure"], last)

    def test_logs_are_named_by_node_attempt_and_what_they_are(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        names = {path.name for path in (self.home / "logs").iterdir() if path.suffix != ".err"}
        self.assertLessEqual(
            {
                "plan.recon.prompt.md", "plan.recon.agent.jsonl", "plan.spec.agent.jsonl",
                "plan.nodes-1.agent.jsonl", "a.tests-1.prompt.md", "a.tests-1.gate.log",
                "a.0.before.log", "a.1.prompt.md", "a.1.agent.jsonl", "a.1.gate.log",
                "a.2.prompt.md", "a.2.agent.jsonl", "a.2.gate.log", "a.2.gate-2.log",
            },
            names,
        )  # fmt: skip

    def test_every_log_that_a_record_names_is_there(self) -> None:
        self.configure('[gates]\nlint = "echo linted; exit 1"\n')
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        names = ("events.jsonl", "costs.jsonl", "metrics.jsonl")
        records = [line for name in names for line in self.lines(name)]
        records += [self.stored("state.json"), self.stored("plan_stage.json")]
        found = set(_named(records))
        self.assertGreater(len(found), 12)
        for log in found:
            with self.subTest(log):
                self.read(log)

    def test_without_a_gate_the_lesson_is_quoted(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell("true"))
        self.implement("a", write("tests/a.sh", "exit 0\n"), write("a.txt", "mine\n"))
        self.implement("a", write("a.txt", "good\n"), shell("echo x > README"))
        self.implement("a")
        self.ends(0, "run", "--max-attempts", "4")
        unchanged, contract, scope, _ = (one["failure"] for one in self.tries())
        self.assertEqual(contract["kind"], "contract_violated")
        self.assertEqual(contract["headline"], "You changed or deleted frozen tests: tests/a.sh.")
        self.assertEqual((contract["command"], contract["exit_code"]), ("", None))
        self.assertEqual(self.shown(contract["candidate"], "a.txt"), "mine")
        self.assertIn("no good a", self.shown(contract["candidate"], "tests/a.sh"))
        self.assertEqual(unchanged["kind"], "unchanged")
        self.assertIn("README", scope["headline"])
        self.assertEqual(self.shown(scope["candidate"], "README"), "hello")

    def test_an_attempt_that_left_nothing_keeps_nothing(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell("true"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.tries()[0]["failure"]["candidate"], "")
        self.assertEqual(self.tries()[0]["files"], 0)

    def test_a_reviewer_that_objects_is_quoted(self) -> None:
        self.configure("[review]\nstage_two_file_threshold = 0\n")
        self.plan(node("a"))
        self.implement("a")
        self.implement("a", write("a.txt", "good and honest\n"))
        self.fake.queue("reviewer", answer(CRITICAL))
        self.fake.queue("reviewer", answer({"summary": "fine", "findings": []}))
        self.ends(0, "run")
        failure = self.tries()[0]["failure"]
        self.assertEqual(failure["kind"], "blocked_by_review")
        self.assertEqual(failure["headline"], "a.txt: hard-coded")
        self.assertEqual(failure["log"], "logs/a.1.review.agent.jsonl")
        self.assertEqual(self.shown(failure["candidate"], "a.txt"), "good")

    def test_what_collides_is_kept_and_says_with_what(self) -> None:
        self.script_planning(node("a"), node("b"))
        self.fake.always("test-author", write("tests/b.sh", NOT_BOTH), node="b")
        self.ends(0, "plan", "make", "--no-critique")
        self.implement("a", wait_for(self.tmp / "b-began"), *self.good_work("a"))
        merged = f"while ! git -C {self.repo.root} show {self.branch}:a.txt; do sleep 0.05; done"
        self.implement("b", mark(self.tmp / "b-began"), shell(merged), *self.good_work("b"))
        self.implement("b", write("b.txt", "good together\n"))
        self.ends(0, "run", "--parallel", "2", "--max-attempts", "1")
        green, collided, _ = self.tries("b")
        self.assertIsNone(green["failure"])
        self.assertEqual((green["number"], collided["number"]), (1, 1))
        failure = collided["failure"]
        self.assertEqual((failure["kind"], failure["headline"]), ("collided", "apart"))
        self.assertEqual(self.shown(failure["candidate"], "b.txt"), "good")


class TestNodes(FailureCase):
    def test_a_gate_that_cannot_start_is_why_a_node_failed(self) -> None:
        program = self.tmp / "program"
        program.write_text("#!/bin/sh\nexec sh tests/a.sh\n")
        program.chmod(0o755)
        self.plan(node("a", test_cmd=str(program)))
        program.unlink()
        self.ends(1, "run")
        failure = self.node_state("a")["failure"]
        self.assertEqual((failure["kind"], failure["exit_code"]), ("broken", 127))
        self.assertIn("not found", failure["headline"])
        self.assertEqual(failure["log"], "logs/a.0.before.log")

    def test_a_retry_forgets_why_it_failed_but_not_what_was_kept(self) -> None:
        self.plan(node("a"))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.ends(1, "run", "--max-attempts", "1")
        self.implement("a", write("a.txt", "worse\n"))
        self.implement("a")
        self.ends(0, "run", "--max-attempts", "2", "--retry-failed")
        self.assertIsNone(self.node_state("a")["failure"])
        self.assertEqual(self.tries()[0]["failure"]["candidate"], "attempts/a/3")
        self.assertEqual(self.shown("attempts/a/1", "a.txt"), "bad")
        self.assertEqual(self.shown("attempts/a/3", "a.txt"), "worse")
        (line, *_) = (one for one in self.lines("metrics.jsonl") if one["kind"] == "node")
        self.assertEqual(line["failure"]["candidate"], "attempts/a/2")

    def test_what_is_kept_is_of_this_node_only(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        self.assertNotIn("attempts", self.repo.git("for-each-ref"))
        self.repo.git("--git-dir", str(self.home / "job.git"), "gc", "--quiet", "--prune=now")
        self.assertEqual(self.shown("attempts/a/1", "a.txt"), "bad")
        self.ends(0, "run")
        self.ends(0, "verify")
        self.assertEqual(self.shown("attempts/a/1", "a.txt"), "bad")


class TestIntegration(FailureCase):
    def test_a_gate_that_turned_red_says_why_in_events_and_json(self) -> None:
        self.configure(
            NO_REPAIR + '[gates]\nall = "! grep -rq good a.txt || { echo spoiled; exit 3; }"\n'
        )
        self.plan(node("a"))
        self.implement("a")
        done = self.ends(1, "run", "--json")
        (gate,) = (one for one in done.json["integration"] if one["name"] == "all")
        failure = gate["failure"]
        self.assertEqual((failure["kind"], failure["exit_code"]), ("red", 3))
        self.assertEqual((failure["headline"], failure["excerpt"]), ("spoiled", "spoiled"))
        self.assertEqual(gate["log"], "logs/integration.all.log")
        self.assertEqual(self.read(failure["log"]), "spoiled\n")
        for kind in ("integration_gate", "blame"):
            self.assertEqual([one["failure"] for one in self.events(kind, name="all")], [failure])
        searched = self.events("gate", purpose="blame", verdict="red")
        self.assertEqual({one["failure"]["headline"] for one in searched}, {"spoiled"})
        self.assertIn(str(self.home / failure["log"]), done.json["what"])

    def test_one_that_was_red_on_the_base_says_why_there(self) -> None:
        self.configure('[gates]\nlint = "echo dirty; exit 1"\n')
        self.plan(node("a"))
        (event, *_) = self.events("base_gate", name="lint")
        self.assertEqual(event["failure"]["headline"], "dirty")
        recorded = self.stored("plan_stage.json")["base_gates"]["lint"]
        self.assertEqual(recorded["log"], "logs/base.lint.log")


def _named(record: Any) -> list[str]:
    """Return every log that a record names, at any depth."""
    if isinstance(record, list):
        return [name for one in record for name in _named(one)]
    if not isinstance(record, dict):
        return []
    own = [str(record[key]) for key in ("log", "call") if record.get(key)]
    return own + [name for one in record.values() for name in _named(one)]
