"""A job is carried to a base that moved on: what holds there is done, what does not begins again.

With it: ``replaying``, ``new_base``, ``former``, ``commands.rebase``, ``rebase_words`` and
``picking``.
"""

from __future__ import annotations

import json
from typing import Any

from director.records.lock import job_lock
from tests.support.fake_opencode import write
from tests.support.jobs import JobCase, node
from tests.support.typist import Typist

YES = ("--yes", "--json")
PICKY = """\
grep -q good a.txt || { echo "no good a"; exit 1; }
grep -q spoiled README && ! grep -q whole a.txt && { echo "it is spoiled"; exit 1; }
exit 0
"""


class RebaseCase(JobCase):
    """A job of which ``b`` waits for ``a``; ``c`` stands alone. Main moves on meanwhile."""

    gates = ""

    def setUp(self) -> None:
        super().setUp()
        if self.gates:
            self.configure(self.gates)
            self.commit_files({"gate.sh": "exit 0\n"})
        self.plan(node("a"), node("b", depends_on=["a"]), node("c"), tests={"a": PICKY})

    def done(self, *names: str) -> None:
        """Let the nodes ``names`` be done."""
        for name in names:
            self.implement(name)
        self.ends(0, "run", *(word for name in names for word in ("--node", name)))

    def commit(self, **files: str | None) -> str:
        """Put a commit on main: name → text of ``<name>.txt`` (None: removed); returns it."""
        return self.commit_files({f"{name}.txt": text for name, text in files.items()})

    def commit_files(self, files: dict[str, str | None]) -> str:
        for path, text in files.items():
            if text is None:
                self.repo.git("rm", "--quiet", "--", path)
            else:
                self.repo.write(path, text)
                self.repo.git("add", "--", path)
        self.repo.git("commit", "--quiet", "--message", f"change {', '.join(files)}")
        return self.repo.git("rev-parse", "HEAD")

    def rebase(self, *flags: str) -> dict[str, Any]:
        """Rebase the job, and return what --json says."""
        return self.ends(0, "rebase", *(flags or YES)).json

    def fates(self, told: dict[str, Any]) -> dict[str, str]:
        """Return node → fate."""
        return {one["node"]: one["fate"] for one in told["nodes"]}

    def why(self, told: dict[str, Any], name: str) -> str:
        """Return what is said of a node."""
        return str(next(one["why"] for one in told["nodes"] if one["node"] == name))

    def records(self) -> dict[str, str]:
        """Return what of the job's records a refused rebase must leave alone."""
        names = ("plan.json", "sealed.json", "plan_stage.json", "receipts.jsonl", "tips.jsonl")
        places = (self.home / name for name in names)
        found = {place.name: place.read_text() for place in places if place.exists()}
        return {**found, "branch": self.tip()}

    def refused(self, code: int, *words: str, flags: tuple[str, ...] = YES) -> dict[str, Any]:
        """Demand that a rebase is refused with ``words``, and that nothing of the job changed."""
        before = self.records()
        told = self.ends(code, "rebase", *flags).json
        for word in words:
            self.assertIn(word, told["what"])
        self.assertTrue(told["next"])
        self.assertEqual(self.records(), before)
        self.assertFalse((self.home / "rebasing").exists())
        self.assertEqual(self.left_behind(), [])
        self.ends(0, "verify")
        return told

    def tip(self) -> str:
        return self.repo.git("rev-parse", self.branch)

    def finish(self, *names: str) -> None:
        """Let ``names`` be done, and demand that all of the job holds then."""
        for name in names:
            self.implement(name)
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")


class TestCarried(RebaseCase):
    def test_half_a_job_is_carried_verified_finished_and_landed(self) -> None:
        self.done("a")
        old = self.tip()
        before = json.loads((self.home / "receipts.jsonl").read_text())
        new = self.commit(more="text\n")
        calls, checkout = len(self.fake.calls()), self.repo.git("status", "--porcelain")
        told = self.rebase()
        self.assertEqual(self.fates(told), {"a": "carried", "b": "left", "c": "left"})
        self.assertEqual((told["rebased"], told["base"], told["newer_commits"]), (True, new, 1))
        self.assertEqual(told["next_command"][:2], ["director", "run"])
        self.assertEqual(self.stored("plan.json")["base_commit"], new)
        self.assertEqual(self.stored("plan_stage.json")["base_commit"], new)
        self.assertEqual(self.tip(), told["tip"])
        self.assertEqual(self.repo.git("merge-base", self.branch, "main"), new)
        self.assertEqual(self.on_branch("more.txt"), "text")
        (receipt,) = self.lines("receipts.jsonl")
        self.assertEqual(receipt["rebased"], before["merged"])
        self.assertEqual((receipt["tier"], receipt["model"]), (before["tier"], before["model"]))
        self.assertEqual([run["purpose"] for run in receipt["gates"]], ["rebased"])
        said = self.repo.git("log", "-1", "--format=%B", self.branch)
        self.assertIn(f"Director-Rebased: {before['merged']}", said)
        self.assertEqual(self.node_state("a")["commit"], receipt["merged"])
        self.ends(0, "verify")
        self.assertEqual(len(self.fake.calls()), calls)
        self.assertEqual(self.repo.git("status", "--porcelain"), checkout)
        self.assertEqual(self.left_behind(), [])
        (event,) = [one for one in self.lines("events.jsonl") if one["kind"] == "rebased"]
        self.assertEqual((event["carried"], event["again"], event["base"]), (["a"], {}, new))
        self.assertEqual(list(self.home.glob("rebasing*")), [])
        self.assertNotEqual(self.repo.git("merge-base", old, self.branch), old)
        self.finish("b", "c")
        self.ends(0, "land", "--merge", "--yes")
        self.assertEqual(self.repo.git("show", "main:c.txt"), "good")

    def test_nothing_to_do(self) -> None:
        self.done("a")
        before = self.records()
        self.assertIn("Nothing to rebase", self.ends(0, "rebase", "--yes").out)
        self.commit(more="x\n")
        self.assertIn("main~1", self.ends(0, "rebase", "--onto", "main~1", "--yes").out)
        self.assertEqual(self.records(), before)
        self.rebase()
        older = self.ends(0, "rebase", "--onto", "main~1", "--yes").out
        self.assertIn("has all of main~1", older)

    def test_a_dry_run_changes_nothing(self) -> None:
        self.done("a")
        before = self.records()
        self.commit(more="x\n")
        told = self.rebase("--dry-run", "--json")
        self.assertEqual((self.fates(told)["a"], told["rebased"]), ("carried", False))
        self.assertEqual(self.records(), before)
        self.assertFalse((self.home / "rebasing").exists())
        self.ends(0, "verify")

    def test_without_a_terminal_it_wants_to_be_told(self) -> None:
        self.assertIn("--yes", self.ends(2, "rebase").err)

    def test_a_job_without_merges_is_carried(self) -> None:
        new = self.commit(more="x\n")
        self.assertEqual(set(self.fates(self.rebase()).values()), {"left"})
        self.assertEqual(self.stored("sealed.json")["plan"]["base_commit"], new)
        self.ends(0, "verify")
        self.finish("a", "b", "c")

    def test_twice(self) -> None:
        self.done("a")
        for number in range(2):
            self.commit(**{f"more{number}": "x\n"})
            self.rebase()
            self.ends(0, "verify")
        self.finish("b", "c")

    def test_a_finished_job_is_gated_together_again(self) -> None:
        self.finish("a", "b", "c")
        self.commit(more="x\n")
        self.assertEqual(set(self.fates(self.rebase()).values()), {"carried"})
        self.assertEqual(self.ends(0, "status", "--json").json["standing"], "ready")
        self.finish()
        self.assertEqual(self.ends(0, "status", "--json").json["standing"], "done")


class TestAgain(RebaseCase):
    def test_a_conflict_begins_again_with_what_depends_on_it(self) -> None:
        self.done("a", "b", "c")
        self.commit(a="of the user\n")
        told = self.rebase()
        self.assertEqual(self.fates(told), {"a": "again", "b": "again", "c": "carried"})
        self.assertIn("conflicts in a.txt", self.why(told, "a"))
        self.assertIn("waits for a", self.why(told, "b"))
        self.assertEqual(self.node_state("a")["status"], "pending")
        self.assertEqual(self.on_branch("a.txt"), "of the user")
        self.assertIsNone(self.on_branch("b.txt"))
        self.ends(0, "verify")
        self.assertIn("+good", self.ends(0, "status", "--node", "a", "--diff").out)
        self.implement("a", write("a.txt", "good, says the user\n"))
        self.finish("b")
        asked = [one.prompt for one in self.fake.calls() if "an older base" in one.prompt]
        self.assertEqual(len(asked), 2)
        self.assertIn("+good", asked[0])
        self.assertIn("Nothing of it is left", asked[0])
        self.assertIn("is still there", asked[1])

    def test_what_is_red_on_the_new_base_begins_again(self) -> None:
        self.done("a")
        told = self.rebase("--onto", self.main_that_breaks("a"), *YES)
        self.assertEqual(self.fates(told)["a"], "again")
        self.assertIn("red: exit code 1", self.why(told, "a"))
        log = next(one["log"] for one in told["nodes"] if one["node"] == "a")
        self.assertIn("spoiled", (self.home / log).read_text())
        self.ends(0, "verify")
        (attempt,) = self.node_state("a")["tries"]
        self.assertEqual(attempt["outcome"], "rebased")
        self.assertEqual(attempt["failure"]["candidate"], "attempts/a/1")
        self.assertIn("it is spoiled", self.ends(0, "status", "--node", "a").out)
        self.implement("a", write("a.txt", "good and whole\n"))
        self.finish("b", "c")
        asked = [one.prompt for one in self.fake.calls() if "an older base" in one.prompt]
        self.assertIn("is still there", asked[0])
        self.assertIn("spoiled", asked[0])

    def main_that_breaks(self, name: str) -> str:
        """Put on main what the test of a node finds there, and return that commit."""
        self.commit_files({"README": f"spoiled {name}\n"})
        return self.repo.git("rev-parse", "HEAD")

    def test_work_that_git_can_merge_is_merged(self) -> None:
        lines = "".join(f"line {number}\n" for number in range(9))
        self.repo.write("a.txt", lines)
        self.commit_files({"a.txt": lines})
        self.ends(0, "plan", "--new", "make things", "--no-critique")
        self.implement("a", write("a.txt", f"{lines}good\n"))
        self.ends(0, "run", "--node", "a")
        self.commit_files({"a.txt": f"first\n{lines}"})
        self.assertEqual(self.fates(self.rebase())["a"], "carried")
        merged = str(self.on_branch("a.txt")).splitlines()
        self.assertEqual((merged[0], merged[-1]), ("first", "good"))
        self.finish("b", "c")

    def test_files_that_the_new_base_renamed_or_deleted_are_named(self) -> None:
        self.done("a")
        for name in ("b", "c"):
            self.commit_files({f"{name}.txt": f"{name}\n" * 9})
        self.rebase()
        self.repo.git("mv", "b.txt", "other.txt")
        self.repo.git("commit", "--quiet", "--message", "rename it")
        self.commit(c=None)
        told = self.rebase()
        self.assertEqual(
            told["moved_files"],
            [
                {"path": "b.txt", "now": "other.txt", "nodes": ["b"]},
                {"path": "c.txt", "now": "", "nodes": ["c"]},
            ],
        )

    def test_what_the_new_base_does_already_is_said(self) -> None:
        self.done("a")
        self.commit(a="good\n", c="good\n")
        told = self.rebase()
        self.assertEqual(self.fates(told), {"a": "carried", "b": "left", "c": "left"})
        self.assertIn("has its work already", self.why(told, "a"))
        self.assertIn("green on the new base", self.why(told, "c"))
        self.assertEqual(self.why(told, "b"), "")
        self.finish("b")

    def test_what_landed_in_part_is_carried_on(self) -> None:
        self.done("a")
        self.ends(0, "land", "--partial", "--squash", "--yes")
        self.assertIn("has its work already", self.why(self.rebase(), "a"))
        self.finish("b", "c")
        self.ends(0, "land", "--merge", "--yes")
        self.assertEqual(self.repo.git("show", "main:b.txt"), "good")

    def test_an_amended_node_is_carried_with_its_tests(self) -> None:
        self.done("c")
        self.ends(0, "amend", "b")
        (self.home / "tests" / "tests" / "b.sh").write_text("grep -q better b.txt || exit 1\n")
        self.ends(0, "amend", "b", "--continue")
        self.commit(more="x\n")
        self.assertEqual(self.fates(self.rebase())["c"], "carried")
        self.ends(0, "verify")
        self.implement("b", write("b.txt", "better\n"))
        self.finish("a")


class TestRefused(RebaseCase):
    def test_a_frozen_test_that_the_new_base_has_otherwise(self) -> None:
        self.done("a")
        self.commit_files({"tests/b.sh": "exit 1\n"})
        told = self.refused(1, "tests/b.sh", "test of b", "change tests/b.sh")
        self.assertEqual(told["reason"], "conflict")

    def test_a_frozen_test_that_the_new_base_has_just_so_is_none(self) -> None:
        self.done("a")
        self.commit_files({"tests/b.sh": f"{self.on_branch('tests/b.sh')}\n"})
        self.rebase()
        self.finish("b", "c")

    def test_while_a_person_writes_a_node(self) -> None:
        self.ends(0, "take", "c")
        self.commit(more="x\n")
        told = self.ends(2, "rebase", *YES).json
        self.assertIn("a person works on c, on the old base", told["what"])
        self.assertIn("director take --drop c", told["next"])
        self.ends(0, "take", "--drop", "c")
        self.rebase()

    def test_while_another_command_has_the_lock(self) -> None:
        self.commit(more="x\n")
        with job_lock(self.home / "lock", "director run"):
            self.assertEqual(self.ends(3, "rebase", *YES).json["reason"], "locked")

    def test_while_a_node_is_amended(self) -> None:
        self.commit(more="x\n")
        self.ends(0, "amend", "a")
        self.assertIn("being amended", self.ends(2, "rebase", *YES).json["what"])

    def test_where_the_job_branch_is_checked_out(self) -> None:
        self.done("a")
        self.commit(more="x\n")
        self.repo.git("worktree", "add", "--quiet", str(self.tmp / "beside"), self.branch)
        self.refused(2, "is checked out in")

    def test_from_the_job_branch_itself(self) -> None:
        self.done("a")
        self.repo.git("switch", "--quiet", self.branch)
        self.refused(2, "is a branch of director's")

    def test_a_job_that_was_merged(self) -> None:
        self.finish("a", "b", "c")
        self.commit(more="x\n")
        self.ends(0, "land", "--merge", "--yes")
        self.refused(2, "already")

    def test_a_commit_that_there_is_not(self) -> None:
        self.refused(2, "there is no commit", flags=("--onto", "nowhere", *YES))

    def test_commits_that_were_put_on_the_published_branch_stay(self) -> None:
        self.done("a")
        self.commit(more="x\n")
        tree = self.repo.git("rev-parse", f"{self.branch}^{{tree}}")
        mine = self.repo.git("commit-tree", "-p", self.branch, "-m", "mine", tree)
        self.repo.git("update-ref", f"refs/heads/{self.branch}", mine)
        told = self.ends(2, "rebase", *YES).json
        self.assertIn("commits that are not director's", told["what"])
        self.assertEqual(self.tip(), mine)


class TestGates(RebaseCase):
    gates = '[gates]\nwhole = "sh gate.sh"\n'

    def test_a_gate_that_cannot_run_on_the_new_base(self) -> None:
        self.commit_files({"gate.sh": "exit 127\n"})
        told = self.refused(2, "a gate cannot run on the base commit: whole")
        self.assertEqual(told["reason"], "gate_broken")
        self.rebase("--allow-broken-gates", *YES)

    def test_gates_are_judged_on_the_new_base(self) -> None:
        self.commit_files({"gate.sh": "grep -q hello README\n"})
        self.assertEqual(self.rebase()["base_gates"], {"whole": "green"})
        self.assertEqual(self.stored("plan_stage.json")["base_gates"]["whole"]["verdict"], "green")
        self.commit_files({"gate.sh": "exit 1\n"})
        self.assertEqual(self.rebase()["base_gates"], {"whole": "red"})
        self.finish("a", "b", "c")


class TestAsked(RebaseCase):
    def answered(self, *keys: str) -> str:
        """Rebase on a terminal, and type ``keys`` when it asks; returns what was shown."""
        with Typist(self.repo.root, self.env, "rebase") as person:
            for key in keys:
                person.sees("[q]uit > ")
                person.types(key)
            code, _ = person.leaves()
            self.assertEqual(code, 0)
            return person.shown

    def test_a_person_says_whether(self) -> None:
        self.done("a")
        new = self.commit(more="x\n")
        before = self.records()
        shown = self.answered("?", "q")
        for words in ("carried, green", "1 newer commit", "Nothing was rebased, as you chose"):
            self.assertIn(words, shown)
        self.assertEqual(self.records(), before)
        self.assertIn("Rebased onto main", self.answered("y"))
        self.assertEqual(self.stored("plan.json")["base_commit"], new)
        self.ends(0, "verify")


class TestOffered(RebaseCase):
    def test_status_offers_it_where_the_base_moved_on_by_much(self) -> None:
        self.done("a")
        for number in range(9):
            self.commit(more=f"{number}\n")
        told = self.ends(0, "status", "--json").json
        self.assertEqual(told["newer_commits"], 9)
        self.assertNotIn("director rebase", self.ends(0, "status").out)
        self.commit(more="x\n")
        self.assertIn("director rebase", self.ends(0, "status").out)
        self.rebase()
        self.assertNotIn("director rebase", self.ends(0, "status").out)
        self.assertEqual(self.ends(0, "status", "--json").json["newer_commits"], 0)

    def test_land_offers_it_where_nodes_are_left(self) -> None:
        self.done("a")
        told = self.ends(2, "land", "--squash", "--yes", "--json").json
        self.assertNotIn("rebase", told["next"])
        self.commit(more="x\n")
        told = self.ends(2, "land", "--squash", "--yes", "--json").json
        self.assertIn("director rebase", told["next"])

    def test_a_finished_job_that_was_rebased_is_to_land(self) -> None:
        self.finish("a", "b", "c")
        self.commit(more="x\n")
        self.assertEqual(self.rebase()["next_command"], ["director", "land"])
        self.assertIn("director land", self.ends(0, "status").out)
        self.ends(0, "land", "--squash", "--yes")

    def test_a_finished_job_is_not_offered_it(self) -> None:
        self.finish("a", "b", "c")
        self.commit(more="x\n")
        self.assertIsNone(self.ends(0, "status", "--json").json["newer_commits"])


class TestHeldToTheContract(RebaseCase):
    gates = '[merge]\ngate = "contract"\n'

    def test_a_merge_that_is_carried_is_held_to_it_again(self) -> None:
        self.done("a", "b")
        self.commit(more="text\n")
        self.assertEqual(self.fates(self.rebase())["b"], "carried")
        carried = self.lines("receipts.jsonl")[-1]
        purposes = [run["purpose"] for run in carried["gates"]]
        self.assertEqual((carried["node"], purposes[-1]), ("b", "contract"))
        self.assertEqual(self.stored("sealed.json")["merge_gate"], "contract")
        self.ends(0, "verify")
        self.finish("c")
