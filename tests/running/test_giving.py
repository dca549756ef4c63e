"""A person takes a node and gives it back: the same gate, the same merge, on record as theirs.

Covers ``taking``, ``taken``, ``updating``, ``opened_run``, ``taken_nodes`` and ``taken_folders``.
With it: ``commands.take`` and ``commands.give``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.faults.cases import bad
from tests.support.fake_opencode import say, write
from tests.support.jobs import Done, JobCase, node


class TakenCase(JobCase):
    """A job of which ``b`` waits for ``a``; ``c`` stands alone."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b", depends_on=["a"]), node("c"))

    def let_fail(self) -> None:
        """Let ``a`` fail, and ``c`` merge."""
        for _ in range(2):
            self.implement("a", *bad())
        self.implement("c")
        self.ends(1, "run", "--max-attempts", "1")

    def take(self, name: str = "a") -> Path:
        return Path(self.ends(0, "take", name, "--json").json["worktree"])

    def status_of(self, name: str) -> str:
        return str(self.node_state(name)["status"])

    def receipt(self, name: str) -> dict[str, Any]:
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line

    def folders(self) -> list[str]:
        """Return the folders of people's worktrees that are there."""
        place = Path(self.env["XDG_STATE_HOME"]) / "director"
        return [path.name for path in place.glob("taken-*")]

    def is_merged_by_a_person(self, name: str = "a") -> None:
        """Demand a merge, on record as a person's, and nothing left of the worktree."""
        line = self.receipt(name)
        self.assertEqual((line["tier"], line["model"]), ("human", None))
        state = self.node_state(name)
        self.assertEqual(
            (state["status"], state["tier_used"], state["model_used"], state["error"]),
            ("done", "human", None, None),
        )
        self.assertEqual(self.folders(), [])
        self.assertEqual(list((self.home / "taken").glob("*")), [])

    def finish(self) -> None:
        self.implement("b")
        self.implement("c")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")


class TestGiven(TakenCase):
    def test_a_failed_node_is_taken_given_and_its_dependents_run(self) -> None:
        checkout = self.repo.fingerprint()
        self.let_fail()
        before, calls = self.node_state("a"), len(self.fake.calls())
        taken = self.ends(0, "take", "a")
        self.assertIn(f"Next: director give a --repo {self.repo.root}", taken.out)
        self.assertIn("sh tests/a.sh", taken.out)
        place, wide = self.take(), {**self.env, "COLUMNS": "200"}
        self.assertEqual(place.stat().st_mode & 0o777, 0o700)
        self.assertFalse(place.is_relative_to(self.repo.root))
        self.assertTrue((place / "tests" / "a.sh").exists())
        self.assertFalse((place / "tests" / "b.sh").exists())  # it is to come
        self.assertEqual((place / "c.txt").read_text(), "good\n")
        self.assertEqual((self.status_of("a"), self.status_of("b")), ("taken", "pending"))
        self.assertIn(str(place), self.ends(0, "status", env=wide).out)
        self.assertIn("director give a", self.ends(0, "status", "--node", "a").out)
        value = self.ends(0, "status", "--json").json
        self.assertEqual((value["taken"], value["amending"]), ({"a": str(place)}, None))
        left = self.ends(0, "run")
        self.assertIn("a: a person writes it", left.err)
        self.assertIn("director give a", left.out)
        self.ends(0, "clean")
        long_ago = 1_000_000_000
        os.utime(place.parents[1], (long_ago, long_ago))
        self.ends(0, "run")
        (place / "a.txt").write_text("still bad\n")
        red = self.ends(1, "give", "a")
        self.assertIn("no good a", red.out)
        self.assertIn("exit code 1", red.out)
        self.assertIn(str(place), red.out)
        self.assertEqual((place / "a.txt").read_text(), "still bad\n")
        (place / "a.txt").write_text("good\n")
        given = self.ends(0, "give", "a")
        self.assertIn("Next: director run", given.out)
        self.is_merged_by_a_person()
        self.assertEqual(len(self.fake.calls()), calls)
        after = self.node_state("a")
        for kept in ("attempts", "cost_usd", "tokens"):
            self.assertEqual(after[kept], before[kept], kept)
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.finish()
        self.assertEqual(self.repo.fingerprint(), checkout)
        self.assertIn("a (by hand), ", self.ends(0, "land", "--dry-run").out)
        said = self.repo.git("log", "--format=%(trailers:only)", self.branch)
        self.assertEqual(said.count("Director-Tier: human"), 1)
        (line,) = [
            one
            for one in self.lines("metrics.jsonl")
            if one.get("node") == "a" and one["status"] == "done"
        ]
        self.assertEqual((line["tier_used"], line["model_used"]), ("human", None))
        kinds = [one["kind"] for one in self.lines("events.jsonl") if one.get("node") == "a"]
        self.assertLess(kinds.index("taken"), kinds.index("given"))
        self.assertEqual(kinds.count("given"), 2)
        self.assertEqual(self.left_behind(), [])

    def test_nodes_that_failed_are_what_is_left(self) -> None:
        for name in "ac":
            self.fake.always("executor", say("Nothing to do."), node=name)
        self.ends(1, "run", "--max-attempts", "1")
        for name, left in (("c", "1 node failed.\nNext: director run --retry-failed\n"),
                           ("a", "1 node can be worked on.\nNext: director run\n")):  # fmt: skip
            (self.take(name) / f"{name}.txt").write_text("good\n")
            self.assertIn(f"; {left}", self.ends(0, "give", name).out)

    def test_a_node_without_work_can_be_taken(self) -> None:
        place = self.take()
        (place / "a.txt").write_text("good\n")
        (place / "tests" / "__pycache__").mkdir()
        (place / "tests" / "__pycache__" / "x.pyc").touch()
        value = self.ends(0, "give", "a", "--json").json
        self.assertEqual((value["state"], value["files"]), ("merged", ["a.txt"]))
        self.assertEqual(value["next_command"], ["director", "run"])
        self.is_merged_by_a_person()
        self.finish()

    def test_what_merged_meanwhile_is_there_when_it_is_gated(self) -> None:
        place = self.take()
        self.implement("c")
        self.ends(0, "run")
        (place / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        self.assertEqual(self.on_branch("c.txt"), "good")
        line = self.receipt("a")
        self.assertEqual(line["parent"], self.receipt("c")["merged"])
        self.finish()

    def test_the_last_candidate_is_in_it(self) -> None:
        self.let_fail()
        place = self.take()
        if not (self.home / "job.git" / "refs" / "attempts").exists():
            self.skipTest("attempts are not kept")
        self.assertEqual((place / "a.txt").read_text(), "bad\n")
        shown = subprocess.run(
            ["git", "status", "--short"], cwd=place, env=self.env, capture_output=True, text=True
        )
        self.assertEqual(shown.stdout, "?? a.txt\n")

    def test_a_link_that_was_forged_as_a_candidate_is_not_in_it(self) -> None:
        self.let_fail()
        place = self.home / "job.git"

        def git(*argv: str, given: str = "") -> str:
            done = subprocess.run(["git", *argv], cwd=place, env=self.env, input=given,
                                  capture_output=True, text=True, check=True)  # fmt: skip
            return done.stdout.strip()

        outside = git("hash-object", "-w", "--stdin", given=str(self.tmp / "outside"))
        listed = f"{git('ls-tree', self.branch)}\n120000 blob {outside}\ta.txt\n"
        forged = git("commit-tree", git("mktree", given=listed), "-p", self.branch, "-m", "x")
        (place / "refs" / "attempts" / "a" / "9").write_text(f"{forged}\n")
        self.assertFalse((self.take() / "a.txt").is_symlink())

    def test_what_director_provides_is_there(self) -> None:
        self.configure('[worktree]\nsetup = "mkdir -p made && echo x > made/it"\ncopy = ["mine"]\n')
        self.repo.write("mine", "my own\n")
        self.repo.write(".git/info/exclude", "mine\nmade\n")
        self.script_planning(node("a"))
        self.ends(0, "plan", "again", "--no-critique", "--new")
        place = self.take()
        self.assertEqual((place / "made" / "it").read_text(), "x\n")
        self.assertEqual((place / "mine").read_text(), "my own\n")
        (place / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()

    def test_git_in_it_shows_the_work_and_commits_make_no_difference(self) -> None:
        place = self.take()
        (place / "a.txt").write_text("good\n")
        for argv in (["add", "-A"], ["commit", "-q", "-m", "mine"]):
            subprocess.run(["git", *argv], cwd=place, env=self.env, check=True)
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()


class TestRefused(TakenCase):
    def refused(self, *words: str) -> Done:
        done = self.ends(1, "give", "a", "--json")
        for word in words:
            self.assertIn(word, done.json["what"])
        self.assertEqual((done.json["state"], done.json["ok"]), ("refused", False))
        self.assertTrue(Path(done.json["worktree"]).is_dir())
        self.assertEqual(self.status_of("a"), "taken")
        return done

    def test_files_outside_the_allowlist(self) -> None:
        place = self.take()
        (place / "a.txt").write_text("good\n")
        (place / "README").write_text("changed\n")
        self.refused("outside the allowlist", "README")
        (place / "README").write_text("hello\n")
        (place / "new.txt").write_text("mine\n")
        self.refused("outside the allowlist", "new.txt")
        self.assertEqual((place / "new.txt").read_text(), "mine\n")
        (place / "new.txt").unlink()
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()
        self.finish()

    def test_changed_tests(self) -> None:
        place = self.take()
        (place / "a.txt").write_text("bad\n")
        script = (place / "tests" / "a.sh").read_text()
        (place / "tests" / "a.sh").write_text("exit 0\n")
        self.refused("frozen tests", "tests/a.sh")
        (place / "tests" / "a.sh").write_text(script)
        self.refused("exit code 1")

    def test_nothing_changed(self) -> None:
        self.take()
        self.refused("None of the files")

    def test_a_link_out_of_it(self) -> None:
        place = self.take()
        (self.tmp / "outside").write_text("good\n")
        (place / "a.txt").symlink_to(self.tmp / "outside")
        self.refused("symbolic links", "a.txt")

    def test_work_that_is_green_only_now_and_then(self) -> None:
        once = f"{self.tmp}/once"
        script = f"grep -q good a.txt && mkdir {once} || {{ echo no good a; exit 1; }}\n"
        self.ends(0, "amend", "a")
        (self.home / "tests/tests/a.sh").write_text(script)
        self.ends(0, "amend", "a", "--continue")
        place = self.take()
        (place / "a.txt").write_text("good\n")
        self.refused("flaky")

    def test_what_cannot_be_taken_or_given_is_named(self) -> None:
        self.assertIn("did you mean a?", self.ends(2, "take", "aa").err)
        self.assertIn("did you mean a?", self.ends(2, "give", "aa").err)
        self.assertIn("node a is not taken", self.ends(2, "give", "a").err)
        self.assertIn("node a is not taken", self.ends(2, "take", "--drop", "a").err)
        self.assertIn("node b waits for a", self.ends(2, "take", "b").err)
        self.implement("c")
        self.ends(0, "run", "--node", "c")
        self.assertIn("node c is merged", self.ends(2, "take", "c").err)
        self.assertEqual(self.folders(), [])
        self.take()
        self.assertIn("taken by a person", self.ends(2, "run", "--node", "a").err)
        self.assertIn("taken by a person", self.ends(2, "amend", "a").err)

    def test_a_taken_node_is_not_dropped_from_the_plan(self) -> None:
        self.take("c")
        self.assertIn("taken by a person", self.ends(2, "plan", "--drop", "c").err)

    def test_a_setup_that_fails_leaves_nothing(self) -> None:
        self.configure('[worktree]\nsetup = "exit 7"\n')
        self.assertIn("setup of a worktree failed", self.ends(3, "take", "a").err)
        self.assertEqual(self.folders(), [])
        self.configure()
        self.take()


class TestUpdated(TakenCase):
    def test_what_merged_meanwhile_comes_and_the_work_stays(self) -> None:
        place = self.take()
        self.implement("c")
        self.ends(0, "run")
        (place / "a.txt").write_text("half\n")
        self.assertFalse((place / "c.txt").exists())
        done = self.ends(0, "take", "--update", "a")
        self.assertIn(str(place), done.out)
        self.assertEqual((place / "c.txt").read_text(), "good\n")
        self.assertEqual((place / "a.txt").read_text(), "half\n")
        (place / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()
        self.finish()

    def test_nothing_of_the_persons_is_lost(self) -> None:
        self.assertIn("is not taken", self.ends(2, "take", "--update", "a").err)
        place = self.take()
        self.implement("c")
        self.ends(0, "run")
        (place / "mine.txt").write_text("notes\n")
        (place / "README").write_text("changed\n")
        done = self.ends(2, "take", "--update", "a")
        self.assertIn("would be lost: README, mine.txt", done.err)
        self.assertEqual((place / "mine.txt").read_text(), "notes\n")
        self.assertFalse((place / "c.txt").exists())

    def test_a_kill_amid_it_is_completed(self) -> None:
        self.implement("c")
        place = self.take()
        self.ends(0, "run")
        (place / "a.txt").write_text("good\n")
        reached = self.tmp / "reached"
        self.configure(f'[worktree]\nsetup = "touch {reached}; sleep 60"\n')
        self.kill_at(reached, "take", "--update", "a")
        self.configure()
        self.assertIn("take --update a", self.ends(2, "give", "a").err)
        self.take()  # which completes it, too
        self.assertEqual((place / "a.txt").read_text(), "good\n")
        self.assertEqual((place / "c.txt").read_text(), "good\n")
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()
        self.finish()


class TestDropped(TakenCase):
    def test_a_node_that_had_failed_has_failed_again(self) -> None:
        self.let_fail()
        before = self.stored("state.json")
        self.take()
        self.ends(0, "run")
        done = self.ends(0, "take", "--drop", "a")
        self.assertIn("given back", done.out)
        self.assertEqual(self.stored("state.json"), before)
        self.assertEqual(self.folders(), [])
        self.implement("a")
        self.implement("b")
        self.ends(0, "run", "--retry-failed")
        self.ends(0, "verify")

    def test_one_that_was_open_is_open_again(self) -> None:
        self.take()
        self.ends(0, "take", "--drop", "a")
        self.assertEqual(self.status_of("a"), "pending")
        self.implement("a")
        self.finish()

    def test_a_worktree_that_was_removed_is_made_again(self) -> None:
        import shutil

        place = self.take()
        shutil.rmtree(place.parents[1])
        self.assertIn("is gone from", self.ends(2, "give", "a").err)
        again = self.take()
        self.assertNotEqual(again, place)
        (again / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()

    def test_a_record_that_names_another_folder_removes_nothing_there(self) -> None:
        self.take()
        record = self.home / "taken" / "a.json"
        mine = self.tmp / "mine"
        mine.mkdir()
        record.write_text(json.dumps({**json.loads(record.read_text()), "folder": str(mine)}))
        self.ends(0, "take", "--drop", "a")
        self.assertTrue(mine.is_dir())


class TestKilled(TakenCase):
    """A kill anywhere leaves what the same command completes, or the next one cleans up."""

    def test_while_the_worktree_is_made(self) -> None:
        reached = self.tmp / "reached"
        self.configure(f'[worktree]\nsetup = "touch {reached}; sleep 60"\n')
        self.kill_at(reached, "take", "a")
        self.assertEqual(len(self.folders()), 1)
        self.configure()
        place = self.take()
        self.assertEqual(self.folders(), [place.parents[1].name])
        self.ends(0, "take", "--drop", "a")
        self.kill_take_again(reached)
        self.implement("a")
        self.implement("b")
        self.implement("c")
        self.ends(0, "run")
        self.assertEqual(self.folders(), [])

    def kill_take_again(self, reached: Path) -> None:
        reached.unlink()
        self.configure(f'[worktree]\nsetup = "touch {reached}; sleep 60"\n')
        self.kill_at(reached, "take", "a")
        self.configure()

    def test_while_it_is_given(self) -> None:
        place = self.take()
        (place / "a.txt").write_text("good\n")
        reached = self.tmp / "reached"
        # the gate shows that it began; the marker is no part of the work
        (self.tmp / "wait").touch()
        self.slow_gate(reached)
        self.assertEqual((place / "a.txt").read_text(), "good\n")
        (self.tmp / "wait").unlink()
        self.ends(0, "give", "a")
        self.is_merged_by_a_person()
        self.finish()

    def slow_gate(self, reached: Path) -> None:
        self.kill_at(reached, "give", "a")

    def plan(self, *nodes: Any, **how: Any) -> None:
        waits = f"test -e {self.tmp}/wait && touch {self.tmp}/reached && sleep 60; "
        script = f"{waits}grep -q good a.txt || {{ echo no good a; exit 1; }}\n"
        super().plan(*nodes, tests={"a": script})

    def test_between_the_merge_and_its_record(self) -> None:
        place = self.take()
        state = (self.home / "state.json").read_text()
        (record,) = (self.home / "taken").glob("*.json")
        said = record.read_text()
        (place / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        # as if it had been killed right after the branch moved
        (self.home / "state.json").write_text(state)
        (self.home / "receipts.jsonl").unlink()
        metrics = self.home / "metrics.jsonl"
        lines = metrics.read_text().splitlines()
        metrics.write_text("".join(f"{one}\n" for one in lines[:-1]))
        record.write_text(said)
        place.mkdir(parents=True)
        value = self.ends(0, "give", "a", "--json").json
        self.assertEqual(value["state"], "merged")
        self.is_merged_by_a_person()
        self.finish()
        told = [one for one in self.lines("metrics.jsonl") if one.get("node") == "a"]
        self.assertEqual([one["tier_used"] for one in told], ["human"])


class TestWholeJob(TakenCase):
    def test_planned_failed_amended_taken_given_run_and_verified(self) -> None:
        checkout = self.repo.fingerprint()
        self.let_fail()
        self.ends(0, "amend", "a")
        (self.home / "tests/tests/a.sh").write_text("grep -q very a.txt || exit 1\n")
        self.ends(0, "amend", "a", "--continue")
        place = self.take()
        self.assertIn("very", (place / "tests" / "a.sh").read_text())
        (place / "a.txt").write_text("good\n")
        self.ends(1, "give", "a")
        (place / "a.txt").write_text("very good\n")
        self.ends(0, "give", "a")
        line = self.receipt("a")
        self.assertEqual((line["tier"], line["amended"]), ("human", True))
        self.implement("b", write("b.txt", "good\n"))
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")
        self.assertEqual(self.repo.fingerprint(), checkout)

    def test_a_receipt_that_is_made_again_says_the_same(self) -> None:
        self.ends(0, "amend", "a")
        (self.home / "tests/tests/a.sh").write_text("grep -q very a.txt || exit 1\n")
        self.ends(0, "amend", "a", "--continue")
        (self.take() / "a.txt").write_text("very good\n")
        self.ends(0, "give", "a")
        before = self.receipt("a")
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.finish()
        receipts = (self.home / "receipts.jsonl").read_text()
        for forged in (receipts.replace('"amended": true', '"amended": false'),
                       receipts.replace('"human"', '"executor"')):  # fmt: skip
            self.assertNotEqual(forged, receipts)
            (self.home / "receipts.jsonl").write_text(forged)
            self.ends(1, "verify")
        (self.home / "receipts.jsonl").write_text(receipts)
        for name in ("plan.json", "sealed.json"):
            text = (self.home / name).read_text()
            without, marks = re.subn(r',\s*"amended": true', "", text)
            self.assertEqual(marks, 1)
            (self.home / name).write_text(without)
        self.assertIn("whether it was amended", self.ends(1, "verify").out)
        again = self.receipt("a")
        for name in ("tier", "model", "amended", "attempts", "tests", "tree"):
            self.assertEqual(again[name], before[name], name)
        self.assertIs(again["rebuilt"], True)
