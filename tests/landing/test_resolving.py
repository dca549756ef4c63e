"""Conflicts that a model resolves: what is asked, what decides, and what a hostile one gains.

With it: ``resolved_landing``, ``marked_tree``, ``resolve_prompt``, ``resolutions``, ``first_look``.
"""

from __future__ import annotations

import json
import unittest
from typing import Any

from director.landing.marked_tree import changed_on_both
from director.landing.merging import merge_trees
from director.records.job_directory import JobDirectory
from director.repositories.job_repository import create_job_repository
from director.repositories.repository import open_repository
from tests.landing.land_case import LandCase
from tests.support.fake_opencode import Step, say, shell, write
from tests.support.typist import Typist

RESOLVE = ("--resolve", "--squash", "--yes")
THEIRS = "something else\n"
BOTH = "good\nsomething else\n"


class ResolveCase(LandCase):
    """``main`` has another b.txt than the job."""

    def setUp(self) -> None:
        super().setUp()
        self.newer = self.commit_on_main("b.txt", THEIRS)
        self.asked_before = len(self.fake.calls())

    def answers(self, *steps: Step, times: int = 1) -> None:
        """Let the next calls do ``steps``."""
        for _ in range(times):
            self.fake.queue("executor", *steps, say("done"), heading="Resolve")

    def resolves(self, text: str = BOTH) -> None:
        """Let the next call resolve the conflict."""
        self.answers(write("b.txt", text))

    @property
    def asked(self) -> list[Any]:
        """The calls that landing made."""
        return self.fake.calls()[self.asked_before :]

    def outcomes(self, found: dict[str, Any]) -> list[str]:
        return [one["outcome"] for one in found["attempts"]]


class TestResolved(ResolveCase):
    def test_a_model_resolves_it_and_the_commit_says_so(self) -> None:
        self.resolves()
        found = self.land(*RESOLVE)
        self.assertEqual((self.repo.root / "b.txt").read_text(), BOTH)
        self.assertEqual(self.repo.git("rev-parse", "HEAD^@"), self.newer)
        self.assertEqual((found["resolved"], found["resolved_by"]), (["b.txt"], "fake/cheap"))
        self.assertEqual(found["conflicts"], [])
        self.assertEqual(len(found["gates"]), 3)
        message = self.repo.git("log", "-1", "--format=%B")
        self.assertIn("Conflicts with main, resolved by fake/cheap:\n\n- b.txt", message)
        trailers = self.repo.git("log", "-1", "--format=%(trailers:only)")
        self.assertIn("Director-Resolved: b.txt\nDirector-Resolved-By: fake/cheap", trailers)
        landed = self.stored("landed.json")
        self.assertEqual((landed["resolved"], landed["resolved_by"]), (["b.txt"], "fake/cheap"))
        shown = self.ends(0, "status").in_one_line
        self.assertIn("1 conflict resolved by fake/cheap", shown)
        self.assertEqual(self.left_behind(), [])

    def test_what_the_model_is_told_and_may_do(self) -> None:
        self.resolves()
        self.land(*RESOLVE)
        (call,) = self.asked
        for words in ("<<<<<<< target", ">>>>>>> job", "change b.txt", "something else", "Make b",
                      "sh tests/b.sh", "grep -q good a.txt b.txt"):  # fmt: skip
            self.assertIn(words, call.prompt)
        self.assertEqual(call.edit_rules, {"*": "deny", "b.txt": "allow"})
        self.assertFalse(call.cwd.is_relative_to(self.repo.root))

    def test_the_call_is_in_the_ledger_the_journal_and_the_logs(self) -> None:
        self.resolves()
        before = self.ends(0, "status", "--json").json["cost_known"]
        found = self.land(*RESOLVE)
        line = self.lines("costs.jsonl")[-1]
        self.assertEqual((line["role"], line["node"]), ("executor", "land:resolve"))
        self.assertEqual(line["log"], "logs/land.1.agent.jsonl")
        self.assertGreater(found["cost_known"], before)
        kinds = [one["kind"] for one in self.lines("events.jsonl")]
        for kind in ("call_started", "call_ended", "landing_gate", "resolution", "landed"):
            self.assertIn(kind, kinds)
        self.assertTrue((self.home / "logs" / "land.1.agent.jsonl").exists())
        self.assertEqual(list((self.home / "calls").glob("land*")), [])

    def test_a_merge_keeps_both_parents_and_a_kill_loses_no_record_of_it(self) -> None:
        self.resolves()
        commit = self.land("--resolve", "--merge", "--yes")["landed"]["commit"]
        self.assertEqual(self.repo.git("rev-parse", "HEAD^@").split(), [self.newer, self.tip()])
        (self.home / "landed.json").unlink()
        again = self.land("--merge", "--yes")
        self.assertEqual(again["landed"]["commit"], commit)
        self.assertEqual(again["resolved"], ["b.txt"])
        self.assertEqual(self.stored("landed.json")["resolved_by"], "fake/cheap")

    def test_without_a_conflict_no_model_is_asked(self) -> None:
        self.repo.git("reset", "--quiet", "--hard", "HEAD~1")
        found = self.land(*RESOLVE)
        self.assertEqual((found["resolved"], self.asked), ([], []))

    def test_a_pull_request_gets_the_resolved_merge(self) -> None:
        remote = self.place / "shared" / "remote.git"
        self.repo.git("init", "--quiet", "--bare", str(remote))
        self.repo.git("remote", "add", "origin", str(remote))
        self.program("gh", "echo https://forge/pr/7")
        self.resolves()
        found = self.land("--resolve", "--pr", "--yes")
        pushed = self.repo.git("ls-remote", str(remote)).split()[0]
        self.assertEqual(found["landed"]["commit"], pushed)
        self.assertEqual(
            self.repo.git("rev-parse", f"{pushed}^@").split(), [self.tip(), self.newer]
        )
        self.assertEqual(self.repo.git("show", f"{pushed}:b.txt"), BOTH.strip())
        self.assertIn("resolved by the model", (self.home / "pull-request.md").read_text())
        self.assertEqual(self.head(), self.newer)


class TestOffered(ResolveCase):
    def test_a_conflict_offers_it(self) -> None:
        found = self.refuses(1, "conflict")
        self.assertIn("`director land --resolve --squash --yes`", found["next"])
        command = ["director", "land", "--resolve", "--squash", "--yes"]
        self.assertEqual(found["next_command"], command)

    def test_a_dry_run_says_which_model_would_be_asked_and_asks_none(self) -> None:
        with self.untouched():
            done = self.ends(1, "land", "--resolve", "--dry-run")
            found = self.ends(1, "land", "--resolve", "--dry-run", "--json").json
        self.assertIn("fake/cheap (at most 3 attempts), then fake/big (once)", done.in_one_line)
        self.assertEqual(found["would_ask"], ["fake/cheap", "fake/big"])
        self.assertEqual(self.asked, [])

    def test_without_a_terminal_it_wants_to_be_told(self) -> None:
        with self.untouched():
            self.assertIn("no terminal", self.ends(2, "land", "--resolve").err)
        self.assertEqual(self.asked, [])

    def test_work_of_the_users_in_the_way_is_seen_before_anything_is_paid_for(self) -> None:
        self.repo.write("b.txt", "mine\n")
        self.assertIn("b.txt", self.refuses(2, "request", *RESOLVE)["what"])
        self.assertEqual(self.asked, [])

    def test_a_person_sees_who_resolved_it_and_how(self) -> None:
        self.resolves()
        env = {**self.env, "DIRECTOR_PAGER": "cat"}
        with Typist(self.repo.root, env, "land", "--resolve") as person:
            seen = " ".join(person.sees("[q]uit > ").split())
            self.assertIn("1 conflict resolved by fake/cheap in 1 attempt", seen)
            self.assertIn("look at it with [d]iff", seen)
            person.types("d")
            seen = person.sees("[q]uit > ")
            self.assertIn("How fake/cheap resolved the conflicts", seen)
            self.assertIn("-<<<<<<< target", seen)
            person.types("s")
            code, rest = person.leaves()
        self.assertEqual(code, 0, rest)
        self.assertIn("1 conflict resolved by fake/cheap", " ".join(rest.split()))


class TestNotForModels(LandCase):
    def test_a_frozen_test_is_never_resolved_by_a_model(self) -> None:
        self.commit_on_main("tests/b.sh", "exit 0\n")
        self.commit_on_main("b.txt", THEIRS)
        before = len(self.fake.calls())
        found = self.refuses(1, "conflict", *RESOLVE)
        self.assertIn("no model may resolve tests/b.sh (a frozen test)", found["what"])
        self.assertIn("git merge", found["next"])
        self.assertEqual(len(self.fake.calls()), before)

    def test_what_is_no_text_is_named(self) -> None:
        base = self.head()
        for path, reason in (("link", "a symbolic link"), ("binary", "a binary file")):
            with self.subTest(path):
                (self.repo.root / "b.txt").unlink(missing_ok=True)
                if path == "link":
                    (self.repo.root / "b.txt").symlink_to("README")
                else:
                    (self.repo.root / "b.txt").write_bytes(b"\0\1")
                self.repo.git("add", "b.txt")
                self.repo.git("commit", "--quiet", "--message", "another")
                found = self.refuses(1, "conflict", *RESOLVE)
                self.assertIn(f"({reason})", found["what"])
                self.repo.git("reset", "--quiet", "--hard", base)

    def test_kinds_of_conflicts(self) -> None:
        repo = self.repo
        text = "\n".join(map(str, range(9))) + "\n"
        for path in ("moved", "gone", "runner/package.json", "ä b.txt"):
            repo.write(path, text)
        repo.write("gone", "0\n4\nand something else\n")
        repo.git("add", "."), repo.git("commit", "--quiet", "--message", "base")
        base = self.head()

        def side(word: str) -> None:
            repo.write("new", word)
            for path in ("moved", "gone", "runner/package.json", "ä b.txt"):
                if (repo.root / path).exists():
                    repo.write(path, (repo.root / path).read_text().replace("4", word))
            repo.git("add", "."), repo.git("commit", "--quiet", "--message", word)

        repo.git("mv", "moved", "there"), repo.git("rm", "--quiet", "gone")
        repo.write("there", text.replace("4", "ours"))
        side("ours")
        ours = self.head()
        repo.git("reset", "--quiet", "--hard", base)
        side("theirs")
        user = open_repository(repo.root, self.env)
        job = create_job_repository(self.tmp / "merging.git", user, "b", base)
        plan = JobDirectory(self.home).load_plan()
        merged = merge_trees(job, plan, ours, self.head())
        removed = "changed on one side and removed on the other"
        expected = {
            "gone": removed,
            "new": "",
            "there": "",
            "runner/package.json": "",
            "ä b.txt": "",
        }
        self.assertEqual({one.path: one.unresolvable for one in merged.conflicts}, expected)


class TestRefused(ResolveCase):
    def fails(self, *outcomes: str) -> dict[str, Any]:
        """Demand that landing fails with such attempts, and changes nothing."""
        found = self.refuses(1, "conflict", *RESOLVE)
        self.assertEqual(self.outcomes(found), list(outcomes))
        self.assertEqual(found["conflicts"][0]["path"], "b.txt")
        return found

    def test_what_is_red_is_tried_again_with_the_output_then_escalated_then_given_up(self) -> None:
        self.configure('[limits]\nmax_attempts = 2\n[gates]\nwhole = "grep -q good b.txt"\n')
        self.answers(write("b.txt", THEIRS), times=3)
        found = self.fails("red", "red", "red")
        roles = [one["role"] for one in found["attempts"]]
        self.assertEqual(roles, ["executor", "executor", "escalation"])
        self.assertIn("no good b", self.asked[1].prompt)
        self.assertIn("not resolved in 3 attempts, the last: no good b", found["what"])
        self.assertTrue(found["attempts"][-1]["failure"]["log"])
        self.resolves()
        self.assertEqual(self.land(*RESOLVE)["resolved"], ["b.txt"])

    def test_a_second_attempt_can_be_green(self) -> None:
        self.answers(write("b.txt", THEIRS))
        self.resolves()
        found = self.land(*RESOLVE)
        self.assertEqual(self.outcomes(found), ["red", "green"])
        self.assertIn("Attempt: 2", self.asked[1].prompt)

    def test_left_markers_are_refused_even_where_all_gates_are_green(self) -> None:
        self.configure("[limits]\nmax_attempts = 1\n")
        self.answers(shell("sed -i 's/^something else/good/' b.txt"))
        self.answers(write("b.txt", "good\n=======\nother\n"))
        self.fails("unresolved", "unresolved")
        self.assertIn("still has lines that mark a conflict", self.asked[1].prompt)

    def test_a_hostile_agent_gains_nothing(self) -> None:
        self.configure("[limits]\nmax_attempts = 4\n")
        good = "echo good > b.txt;"
        self.answers(shell(f"{good} echo 'exit 0' > tests/b.sh"))
        self.answers(shell(f"{good} echo mine > README"))
        self.answers(shell("rm b.txt; ln -s a.txt b.txt"))
        self.answers(shell("rm b.txt"))
        commit = "git add -A; git commit -qm x; git update-ref refs/heads/main HEAD"
        self.answers(shell(f"echo 'exit 0' > tests/b.sh; echo bad > b.txt; {commit}; git reset -q"))
        expected = ["contract_violated", "out_of_scope", "out_of_scope", "out_of_scope"]
        self.fails(*expected, "contract_violated")

    def test_a_key_of_the_users_is_refused_and_not_kept(self) -> None:
        self.configure("[limits]\nmax_attempts = 1\n")
        self.env = {**self.env, "SOME_API_KEY": "sk-hunter2-hunter2-hunter2"}
        self.answers(write("b.txt", f"good {self.env['SOME_API_KEY']}\n"), times=2)
        found = self.fails("out_of_scope", "out_of_scope")
        self.assertIn("A key from the environment", found["what"])
        self.assertNotIn("hunter2", (self.home / "resolution.json").read_text())

    def test_new_files_outside_are_dropped(self) -> None:
        self.answers(write("b.txt", BOTH), shell("echo x > stray; mkdir deep; echo y > deep/z"))
        self.land(*RESOLVE)
        self.assertEqual(self.files() & {"stray", "deep/z"}, set())

    def test_the_ceiling_holds(self) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 0.000001\n")
        found = self.refuses(3, "ceiling", *RESOLVE)
        self.assertIn("ceiling", found["what"])
        self.assertEqual(self.asked, [])

    def test_a_gate_that_cannot_run_spends_no_attempt_and_nothing_is_paid_twice(self) -> None:
        self.configure('[gates]\nwhole = "no-such-program-anywhere"\n')
        self.resolves()
        found = self.refuses(1, "conflict", *RESOLVE)
        self.assertIn("no model can resolve it: whole cannot run", found["what"])
        self.assertEqual((found["attempts"], len(self.asked)), ([], 1))
        self.configure('[gates]\nwhole = "true"\n')
        self.land(*RESOLVE)
        self.assertEqual(len(self.asked), 1)

    def test_tests_that_are_red_without_the_conflict_are_no_models_fault(self) -> None:
        self.made.outside.unlink()  # the test of node a wants it
        self.addCleanup(self.made.outside.touch)
        self.resolves()
        found = self.refuses(1, "conflict", *RESOLVE)
        self.assertIn("not green on the job's own branch either", found["what"])
        self.assertEqual(len(self.asked), 1)


class TestKept(ResolveCase):
    def kept(self) -> None:
        """Have it resolved, and not landed."""
        self.resolves()
        with Typist(self.repo.root, self.env, "land", "--resolve") as person:
            person.sees("[q]uit > ")
            person.types("q")
            self.assertEqual(person.leaves()[0], 0)
        self.assertEqual(len(self.asked), 1)

    def test_nothing_is_paid_twice(self) -> None:
        self.kept()
        found = self.refuses(1, "conflict")
        self.assertTrue(found["resolution_kept"])
        self.assertIn("without a call", found["next"])
        self.assertEqual(self.ends(0, "land", "--resolve", "--dry-run", "--json").json["resolved"],
                         ["b.txt"])  # fmt: skip
        found = self.land(*RESOLVE)
        self.assertEqual((found["resolved_by"], len(self.asked)), ("fake/cheap", 1))
        self.assertEqual((self.repo.root / "b.txt").read_text(), BOTH)

    def test_another_tip_is_another_conflict(self) -> None:
        self.kept()
        self.commit_on_main("b.txt", "yet another\n")
        self.resolves("good\nyet another\n")
        self.land(*RESOLVE)
        self.assertEqual(len(self.asked), 2)

    def forge(self, **values: Any) -> None:
        """Change what is on record."""
        record = self.home / "resolution.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), **values}))

    def test_what_is_forged_on_record_is_gated_before_it_is_believed(self) -> None:
        self.kept()
        before = self.head()
        for forged in ("bad\n", "good\n<<<<<<< target\n", None):
            with self.subTest(forged):
                files = {"b.txt": forged} if forged else {"b.txt": "good\n", "README": "mine\n"}
                self.forge(files=files)
                self.answers(write("b.txt", BOTH))
                found = self.land(*RESOLVE)
                self.assertEqual((self.repo.root / "b.txt").read_text(), BOTH)
                self.assertEqual((self.repo.root / "README").read_text(), "hello\n")
                self.assertEqual(found["attempts"][-1]["outcome"], "green")
                self.repo.git("reset", "--quiet", "--hard", before)

    def test_a_green_record_without_files_is_none(self) -> None:
        """The gates may say nothing of the markers that git left."""
        self.kept()
        self.forge(files={})
        self.answers(write("b.txt", BOTH))
        self.land(*RESOLVE)
        self.assertEqual((self.repo.root / "b.txt").read_text(), BOTH)

    def test_a_record_that_cannot_be_read_is_none(self) -> None:
        (self.home / "resolution.json").write_text('{"work": 7}')
        self.resolves()
        self.land(*RESOLVE)

    def test_after_a_kill_in_the_gate_the_paid_work_is_used(self) -> None:
        reached = self.place / "shared" / "reached"
        self.configure(f'[gates]\nwhole = "touch {reached}; sleep 600"\n')
        self.resolves()
        self.kill_at(reached, "land", *RESOLVE)
        self.configure('[gates]\nwhole = "true"\n')
        self.land(*RESOLVE)
        self.assertEqual(len(self.asked), 1)
        self.assertEqual(self.left_behind(), [])

    def test_a_call_that_a_kill_cut_short_is_in_the_ledger(self) -> None:
        reached = self.place / "shared" / "reached"
        secret = "sk-hunter2-hunter2-hunter2"
        self.env = {**self.env, "SOME_API_KEY": secret}
        self.answers(say(f"thinking of {secret}"), shell(f"touch {reached}; sleep 600"))
        self.kill_at(reached, "land", *RESOLVE)
        before = len(self.lines("costs.jsonl"))
        self.resolves()
        self.land(*RESOLVE)
        self.assertEqual(len(self.lines("costs.jsonl")), before + 2)
        for log in (self.home / "logs").iterdir():
            self.assertNotIn("hunter2", log.read_text(errors="replace"), log)
        self.assertEqual(self.left_behind(), [])


class TestSettings(unittest.TestCase):
    """Files that also say how tests run: a model may take a side's settings, not its own."""

    def test_settings_of_the_test_runner_are_one_of_the_sides(self) -> None:
        def package(test: str, name: str) -> bytes:
            return json.dumps({"name": name, "scripts": {"test": test}}).encode()

        ours, theirs = package("jest", "a"), package("jest --ci", "b")
        for test, settings in (("jest", []), ("jest --ci", []), ("true", ["scripts.test"])):
            found = changed_on_both("package.json", [ours, theirs], package(test, "c"))
            self.assertEqual(found, settings)
