"""A job in a repository with a submodule: gates see the commit's, and no other.

With it: ``submodules``.
"""

from __future__ import annotations

import shutil

from tests.support.fake_opencode import Step, say, shell, write
from tests.support.jobs import Done, JobCase, node
from tests.support.repositories import SampleRepo

LOCAL = ("-c", "protocol.file.allow=always")  # git refuses to clone submodules from folders
LIB = "parts/lib"


def with_library(name: str, word: str = "two") -> str:
    """Return a test that wants ``word`` in the submodule, and the work of the node."""
    return (
        f"grep -q {word} {LIB}/lib.txt && grep -q good {name}.txt "
        f'|| {{ echo "no good {name}"; exit 1; }}\n'
    )


class SubmoduleCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.library = SampleRepo.create(self.place / "library", self.env, {"lib.txt": "one\n"})
        self.old = self.library.git("rev-parse", "HEAD")
        self.library.write("lib.txt", "two\n")
        self.new = self.library.commit()
        self.repo.git(*LOCAL, "submodule", "--quiet", "add", str(self.library.root), LIB)
        (self.home / ".gitignore").write_text("*\n")
        self.repo.commit("a submodule")
        self.before = self.repo.fingerprint()

    def linked(self) -> str:
        """Return the commit of the submodule on the job branch."""
        return self.repo.git("rev-parse", f"{self.branch}:{LIB}")

    def run_red(self, script: str, *first: Step) -> str:
        """Run node a, whose agent does ``first`` and then what is asked; returns the feedback."""
        self.plan(node("a"), tests={"a": script})
        for _ in range(2):
            self.implement("a", write("a.txt", "good\n"), *first, shell("sh tests/a.sh"))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.node_state("a")["status"], "failed")
        self.assertIsNone(self.on_branch("a.txt"))
        self.assertEqual(self.repo.fingerprint(), self.before)
        return self.fake.calls()[-1].prompt


class TestJob(SubmoduleCase):
    def test_two_lanes_verified_again_and_the_users_checkout_as_it_was(self) -> None:
        names = ("a", "b", "c")
        self.plan(*map(node, names), tests={name: with_library(name) for name in names})
        for name in names:
            self.implement(name)
        self.ends(0, "run", "--parallel", "2")
        self.ends(0, "verify", "--rerun")
        self.assertEqual([self.on_branch(f"{name}.txt") for name in names], ["good"] * 3)
        self.assertEqual(self.linked(), self.new)
        self.assertEqual(self.repo.fingerprint(), self.before)
        self.assertEqual(self.left_behind(), [])
        self.repo.git("merge", "--quiet", "--ff-only", self.branch)
        self.assertEqual(self.repo.git("status", "--porcelain"), "")

    def test_agents_find_it_clean_and_at_its_commit(self) -> None:
        self.plan(node("a"), tests={"a": with_library("a")})
        seen = self.tmp / "seen"
        look = f"git status --porcelain > {seen}; git -C {LIB} status --porcelain >> {seen}"
        self.implement("a", shell(f"{look}; git -C {LIB} rev-parse HEAD >> {seen}"),
                       *self.good_work("a"))  # fmt: skip
        self.ends(0, "run")
        self.assertEqual(seen.read_text().split(), [self.new])


class TestWhatAgentsDo(SubmoduleCase):
    def test_an_edited_file_in_there_makes_no_gate_green(self) -> None:
        wrong = shell(f"echo three > {LIB}/lib.txt")
        feedback = self.run_red(with_library("a", "three"), wrong)
        self.assertIn(f"outside the allowlist: {LIB}/lib.txt (of the submodule {LIB}", feedback)

    def test_nor_does_one_that_git_is_told_to_overlook(self) -> None:
        wrong = f"cd {LIB} && echo three > lib.txt && git update-index --assume-unchanged lib.txt"
        self.run_red(with_library("a", "three"), shell(wrong))

    def test_nor_does_a_file_left_in_there(self) -> None:
        script = f"grep -q good a.txt && test -e {LIB}/helper || {{ echo no; exit 1; }}\n"
        self.run_red(script, shell(f"touch {LIB}/helper"))

    def test_nor_does_a_repository_that_the_agent_put_in_its_place(self) -> None:
        made = f"cd {LIB} && rm .git && git init -q . && echo three > lib.txt && git add ."
        script = f"git -C {LIB} rev-parse --verify -q mine && grep -q good a.txt || exit 1\n"
        self.run_red(script, shell(f"{made} && git commit -qm x && git branch mine"))

    def test_nor_does_another_commit_that_the_node_may_not_choose(self) -> None:
        feedback = self.run_red(
            with_library("a", "one"), shell(f"git -C {LIB} checkout -q {self.old}; git add .")
        )
        self.assertIn(f"(of the submodule {LIB}", feedback)


class TestAnotherCommit(SubmoduleCase):
    def move(self, script: str, code: int) -> Done:
        self.plan(node("a", files=["a.txt", LIB]), tests={"a": with_library("a", "one")})
        for _ in range(2):
            self.implement("a", write("a.txt", "good\n"), shell(script), say("done"))
        done = self.ends(code, "run", "--max-attempts", "1")
        self.assertEqual(self.repo.fingerprint(), self.before)
        return done

    def test_one_that_the_users_repository_has_merges_where_the_node_may(self) -> None:
        self.move(f"git -C {LIB} checkout -q {self.old}", 0)
        self.assertEqual(self.linked(), self.old)
        self.ends(0, "verify", "--rerun")
        self.assertEqual(self.lines("receipts.jsonl")[-1]["node"], "a")

    def test_one_that_only_the_agent_has_does_not_and_the_feedback_says_why(self) -> None:
        self.move(f"cd {LIB} && echo one > lib.txt && git commit -qam mine", 1)
        self.assertEqual(self.linked(), self.new)
        prompt = self.fake.calls()[-1].prompt
        self.assertIn(f"the submodule {LIB} is at commit", prompt)
        self.assertIn("which the user's checkout of it does not have", prompt)


class TestNotThere(SubmoduleCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo.git("submodule", "--quiet", "deinit", "--all", "--force")
        shutil.rmtree(self.repo.root / ".git/modules")
        self.before = self.repo.fingerprint()

    def test_one_notice_names_it_and_what_brings_it(self) -> None:
        self.script_planning(node("a"))
        done = self.ends(0, "plan", "make a", "--no-critique")
        said = f"{done.out}{done.err}"
        self.implement("a")
        run = self.ends(0, "run")
        said += f"{run.out}{run.err}"
        self.assertEqual(said.count(f"does not have the submodules {LIB}"), 1, said)
        self.assertEqual(said.count("git submodule update --init"), 1, said)
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(self.repo.fingerprint(), self.before)

    def test_a_copy_of_the_folder_fills_it(self) -> None:
        self.repo.write(f"{LIB}/lib.txt", "two\n")
        self.configure(f'\n[worktree]\ncopy = ["{LIB}"]\n')
        self.plan(node("a"), tests={"a": with_library("a")})
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")


class TestPlans(SubmoduleCase):
    def test_a_file_in_there_cannot_be_part_of_the_work(self) -> None:
        self.script_planning(node("a", files=[f"{LIB}/lib.txt"]))
        done = self.ends(1, "plan", "make a", "--no-critique")
        self.assertIn(f"'{LIB}/lib.txt' lies in the submodule '{LIB}'", f"{done.out}{done.err}")
