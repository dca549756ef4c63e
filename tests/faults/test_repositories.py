"""Any repository a user has: a job works in it, or is refused in one line; it stays as it is."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import Step, mark, say, shell, write
from tests.support.jobs import Done, JobCase, node, script_of_test
from tests.support.repositories import SampleRepo

HOOKS = (
    "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout",
    "reference-transaction", "post-merge", "pre-merge-commit", "pre-push", "pre-rebase",
    "post-rewrite", "post-index-change", "pre-auto-gc", "fsmonitor-watchman",
)  # fmt: skip
PYTHON_TEST = """\
import pathlib, sys
text = pathlib.Path("a.txt").read_bytes() if pathlib.Path("a.txt").exists() else b""
sys.exit(0 if b"good" in text else "no good a")
"""


class RepositoryCase(JobCase):
    """A job of one node in a repository of some kind."""

    def configure(self, text: str = "", *, pricing: bool = True) -> None:
        super().configure(text, pricing=pricing)
        (self.home / ".gitignore").write_text("*\n")  # as director's own: no test commits records

    def adopt(self, root: Path) -> None:
        """Make the repository at ``root`` the one that director works in."""
        self.repo = SampleRepo(root.resolve(), self.env)
        self.configure()

    def make(self, cwd: Path | None = None, **changes: Any) -> Done:
        """Plan and run one node; the user's checkout is the same bit for bit afterwards."""
        before = self.repo.fingerprint()
        one = node("a", **changes)
        self.script_planning(one)
        steps = [write(path, script_of_test("a")) for path in one["tests"]]
        self.fake.always("test-author", *steps, say("written"), node="a")
        return self.go(before, self.good_work("a"), cwd)

    def go(
        self, before: dict[str, str], work: Sequence[Step], cwd: Path | None = None, code: int = 0
    ) -> Done:
        self.ends(0, "plan", "make a", "--no-critique", cwd=cwd)
        self.implement("a", *work)
        done = self.ends(code, "run", cwd=cwd)
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.left_behind(), [])
        return done

    def blob(self, path: str, repo: Path | None = None) -> bytes:
        """Return the content of a file on the published branch, byte for byte."""
        return subprocess.run(
            ["git", "show", f"{self.branch}:{path}"],
            cwd=repo or self.repo.root,
            env=self.env,
            check=True,
            capture_output=True,
        ).stdout

    def assert_merged(self, path: str = "a.txt") -> None:
        self.assertEqual(self.blob(path), b"good\n")


class TestPlaces(RepositoryCase):
    def test_a_subfolder(self) -> None:
        self.repo.write("deep/er/x", "x\n")
        self.repo.commit()
        self.make(cwd=self.repo.root / "deep" / "er")
        self.assert_merged()
        self.assertFalse((self.repo.root / "deep" / "er" / ".director").exists())

    def test_a_linked_worktree(self) -> None:
        self.repo.git("worktree", "add", "--quiet", "-b", "side", str(self.tmp / "linked"))
        main = self.repo
        before = main.fingerprint()
        self.adopt(self.tmp / "linked")
        self.make()
        self.assert_merged()
        self.assertEqual(main.fingerprint(), before)
        self.assertIn(self.branch, main.git("branch", "--list", "director/*"))

    def test_a_path_with_blanks_quotes_and_letters_of_all_kinds(self) -> None:
        self.repo = SampleRepo.create(
            self.tmp / 'Größe "zwei" it\'s $HOME 仓库 #', self.env, {"README": "hello\n"}
        )
        self.configure()
        self.make()
        self.assert_merged()

    def test_a_path_with_bytes_that_mean_something_to_git_or_a_shell(self) -> None:
        for name in (b'"#re\xffpo:a;b', b" back\\slash and tab\t "):
            root = self.tmp / "odd" / os.fsdecode(name)
            SampleRepo.create(root, self.env)
            self.adopt(root)
            self.make()
            self.assertEqual(self.on_branch("a.txt"), "good", name)

    def test_a_path_with_a_line_break_is_refused_by_its_name(self) -> None:
        root = self.tmp / "two\nlines"
        SampleRepo.create(root, self.env)
        self.adopt(root)
        before = self.repo.fingerprint()
        for command in (["plan", "x"], ["run"], ["verify"], ["sync-agents"]):
            done = self.ends(2, *command)
            self.assertIn(repr(str(root)), done.err)
            self.assertEqual(len(done.err.splitlines()), 2, done.err)
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.fake.calls(), [])

    def test_a_branch_called_director_leaves_no_room_for_the_jobs(self) -> None:
        self.repo.git("branch", "director")
        self.script_planning(node("a"))
        (self.home / "profiles").mkdir()
        (self.home / "profiles" / "p.toml").write_text((self.home / "config.toml").read_text())
        for command in (["plan", "make a", "--no-critique"], ["bench", "x", "--profiles", "p"]):
            done = self.ends(2, *command)
            self.assertIn("a branch called director", done.err)
            self.assertIn("git branch -m director ", done.err)
        self.assertEqual(self.fake.calls(), [])
        self.repo.git("branch", "-m", "director", "director-old")
        self.make()

    def test_such_a_branch_made_after_the_plan_is_said_and_nothing_is_lost(self) -> None:
        self.plan(node("a"))
        self.repo.git("branch", "-D", self.branch)
        self.repo.git("branch", "director")
        self.implement("a")
        done = self.ends(0, "run")
        self.assertIn(f"{self.branch} could not be updated in your repository", done.out)
        self.repo.git("branch", "-D", "director")
        self.ends(0, "run")
        self.assert_merged()

    def test_a_folder_for_worktrees_with_blanks_and_letters_of_all_kinds(self) -> None:
        self.env["XDG_STATE_HOME"] = str(self.tmp / "Zwischen speicher ü")
        self.make()
        self.assert_merged()


class TestSubmodules(RepositoryCase):
    def setUp(self) -> None:
        super().setUp()
        SampleRepo.create(self.tmp / "library", self.env, {"lib.txt": "lib\n"})
        self.repo.git(
            "-c", "protocol.file.allow=always",
            "submodule", "--quiet", "add", str(self.tmp / "library"), "parts/lib",
        )  # fmt: skip
        self.repo.commit("a submodule")

    def test_a_job_inside_a_submodule(self) -> None:
        outer = self.repo
        self.adopt(outer.root / "parts" / "lib")
        before = outer.git("status", "--porcelain", "--ignored=no")
        self.make()
        self.assert_merged()
        self.assertEqual(outer.git("status", "--porcelain", "--ignored=no"), before)
        self.assertEqual(outer.git("branch", "--list", "director/*"), "")

    def test_a_repository_with_a_submodule(self) -> None:
        self.make()
        self.assert_merged()
        kept = self.repo.git("ls-tree", self.branch, "parts/lib")
        self.assertEqual(kept, self.repo.git("ls-tree", "HEAD", "parts/lib"))
        self.assertEqual((self.repo.root / "parts/lib/lib.txt").read_text(), "lib\n")

    def with_helper(self, *first: Step) -> None:
        """A test that passes when there is a file in the submodule's folder: it must not."""
        cheated = 'grep -q good a.txt && test -e parts/lib/helper || { echo "no"; exit 1; }\n'
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", cheated), say("written"), node="a")
        before = self.repo.fingerprint()
        self.ends(0, "plan", "make a", "--no-critique")
        for _ in range(2):
            self.implement("a", write("a.txt", "good\n"), *first, shell("sh tests/a.sh"))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.node_state("a")["status"], "failed")
        played = self.fake.calls()[-1]
        self.assertIn("Attempt: 2", played.prompt)

    def test_what_an_agent_puts_into_it_makes_no_gate_pass(self) -> None:
        self.with_helper(shell("mkdir -p parts/lib/x && touch parts/lib/helper parts/lib/x/y"))

    def test_nor_does_a_link_in_its_place(self) -> None:
        elsewhere = self.tmp / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "helper").touch()
        self.with_helper(shell(f"rm -rf parts/lib && ln -s {elsewhere} parts/lib"))
        self.assertTrue((elsewhere / "helper").exists())

    def test_nor_does_a_repository_made_in_there(self) -> None:
        made = "cd parts/lib && git init -q . && touch helper && git add . && git commit -qm x"
        self.with_helper(shell(made))


class TestClones(RepositoryCase):
    def origin(self) -> str:
        """Return the address of a server that can filter, with three commits."""
        for number in range(3):
            self.repo.write("README", f"hello {number}\n")
            self.repo.write(f"src/{number}.txt", f"{number}\n")
            self.repo.commit(f"commit {number}")
        self.repo.git("config", "uploadpack.allowFilter", "true")
        self.repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
        return f"file://{self.repo.root}"

    def clone(self, *options: str) -> None:
        url = self.origin()
        target = self.tmp / "clone"
        self.repo.git("clone", "--quiet", *options, url, str(target))
        self.adopt(target)

    def test_a_shallow_clone(self) -> None:
        self.clone("--depth", "1")
        self.make()
        self.assert_merged()
        self.assertEqual(self.repo.git("rev-list", "--count", "HEAD"), "1")

    def missing(self) -> list[str]:
        listed = self.repo.git("rev-list", "--objects", "--missing=print", "HEAD^{tree}")
        return [line for line in listed.splitlines() if line.startswith("?")]

    def test_a_partial_clone_fetches_what_the_base_needs_and_nothing_else(self) -> None:
        for name, options in (("blobs", ["blob:none"]), ("trees", ["tree:0"])):
            with self.subTest(name):
                self.clone("--no-checkout", f"--filter={options[0]}")
                self.repo.git("sparse-checkout", "set", "--no-cone", "/README")
                self.repo.git("checkout", "--quiet")
                self.assertNotEqual(self.missing(), [])
                self.make(test_cmd="test -e src/2.txt && sh tests/a.sh")
                self.assert_merged()
                self.assertEqual(self.missing(), [])
                history = self.repo.git("rev-list", "--objects", "--missing=print", "HEAD")
                self.assertIn("?", history)
                self.repo.git("fsck", "--connectivity-only")
                subprocess.run(["rm", "-rf", self.repo.root], check=True)
                self.repo = SampleRepo(self.place / "repo", self.env)

    def test_a_partial_clone_whose_server_is_gone_is_refused_in_one_line(self) -> None:
        self.clone("--no-checkout", "--filter=blob:none")
        (self.place / "repo").rename(self.tmp / "gone")
        before = self.repo.fingerprint()
        self.script_planning(node("a"))
        done = self.ends(3, "plan", "make a", "--no-critique")
        self.assertIn("partial clone", done.err)
        self.assertIn("origin", done.err)
        self.assertEqual(self.fake.calls(), [])
        self.assertEqual(self.repo.fingerprint(), before)

    def test_a_sparse_checkout_stays_sparse_and_the_job_sees_the_whole_tree(self) -> None:
        self.origin()
        self.repo.git("sparse-checkout", "set", "--cone", "docs")
        self.script_planning(node("a", files=["src/a.txt"]))
        test = "test -e src/2.txt && grep -q good src/a.txt || { echo no; exit 1; }\n"
        self.fake.always("test-author", write("tests/a.sh", test), say("written"), node="a")
        self.go(self.repo.fingerprint(), [write("src/a.txt", "good\n")])
        self.assert_merged("src/a.txt")
        self.assertFalse((self.repo.root / "src").exists())


class TestObjectsAndRefs(RepositoryCase):
    def test_sha256(self) -> None:
        self.repo = SampleRepo.create(
            self.tmp / "modern", self.env, {"README": "hello\n"}, object_format="sha256"
        )
        self.configure()
        self.make()
        self.assert_merged()
        self.assertEqual(len(self.stored("plan.json")["base_commit"]), 64)

    def test_three_thousand_refs(self) -> None:
        head = self.repo.git("rev-parse", "HEAD")
        lines = "".join(f"create refs/heads/many/{n} {head}\n" for n in range(3000))
        subprocess.run(
            ["git", "update-ref", "--stdin"],
            cwd=self.repo.root, env=self.env, input=lines, text=True, check=True,
        )  # fmt: skip
        self.repo.git("pack-refs", "--all")
        self.make()
        self.assert_merged()
        inside = subprocess.run(
            ["git", "--git-dir", str(self.home / "job.git"), "for-each-ref"],
            env=self.env, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        self.assertEqual(len(inside.splitlines()), 1)

    def test_a_detached_head(self) -> None:
        self.repo.commit("second")
        self.repo.git("checkout", "--quiet", "--detach", "HEAD~1")
        self.make()
        self.assert_merged()
        base = self.stored("plan.json")["base_commit"]
        self.assertEqual(self.repo.git("rev-parse", "HEAD"), base)

    def test_an_unborn_branch_is_refused_in_one_line(self) -> None:
        self.repo.git("checkout", "--quiet", "--orphan", "new")
        before = self.repo.fingerprint()
        done = self.ends(2, "plan", "make a", "--no-critique")
        self.assertIn("has no commit yet", done.err)
        self.assertEqual(self.fake.calls(), [])
        self.assertEqual(self.repo.fingerprint(), before)

    def test_the_job_branch_in_the_users_tree_stays_as_it_is_until_it_is_free(self) -> None:
        self.plan(node("a"))
        self.repo.git("checkout", "--quiet", self.branch)
        planned = self.repo.git("rev-parse", "HEAD")
        before = self.repo.fingerprint()
        self.implement("a")
        done = self.ends(0, "run")
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.repo.git("rev-parse", "HEAD"), planned)
        self.assertIn("was not updated in your repository", done.err)
        self.assertIn("checked out", done.err)
        self.repo.git("checkout", "--quiet", "main")
        self.ends(0, "run")
        self.assert_merged()


class TestNames(RepositoryCase):
    def test_files_with_blanks_quotes_and_letters_of_all_kinds(self) -> None:
        file, test = 'ä "b" it\'s ö.txt', 'prüfung/it\'s a "test" 测试.sh'
        text = f"grep -q good {shlex.quote(file)} || {{ echo no good; exit 1; }}\n"
        changes = {
            "files": [file], "tests": [test], "test_cmd": f"sh {shlex.quote(test)}",
        }  # fmt: skip
        self.script_planning(node("a", **changes))
        self.fake.always("test-author", write(test, text), say("written"), node="a")
        self.go(self.repo.fingerprint(), [write(file, "good\n"), write("strä y", "x")])
        self.assert_merged(file)
        self.assertEqual(self.blob(test).decode(), text)
        self.assertEqual(
            self.stored("plan.json")["nodes"][0]["test_hashes"],
            {test: hashlib.sha256(text.encode()).hexdigest()},
        )

    def test_such_names_are_kept_where_they_are_not_part_of_the_job(self) -> None:
        for name in ("ünï/ö.txt", "with blank/it's.txt", 'quo"te.txt', "-dash", ":colon", "[a]*"):
            self.repo.write(name, "x\n")
        self.repo.commit("names")
        self.make()
        self.assert_merged()
        changed = self.repo.git("diff", "--name-only", "HEAD", self.branch)
        self.assertEqual(changed.splitlines(), ["a.txt", "tests/a.sh"])


class TestConfiguration(RepositoryCase):
    def test_signing_with_a_program_that_does_not_work(self) -> None:
        for key in ("commit.gpgSign", "tag.gpgSign"):
            self.repo.git("config", "--global", key, "true")
            self.repo.git("config", key, "true")
        self.repo.git("config", "--global", "gpg.program", "false")
        self.make()
        self.assert_merged()

    def hooks(self, folder: Path) -> Path:
        """Fill ``folder`` with hooks that leave a trace and fail; returns the trace."""
        trace = self.tmp / "trace"
        folder.mkdir(exist_ok=True)
        for name in HOOKS:
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> {trace}\nexit 1\n")
            (folder / name).chmod(0o755)
        return trace

    def test_without_an_identity_director_commits_as_itself_and_says_so_once(self) -> None:
        own = "git does not know who you are"
        for setting in ("useConfigOnly = true", "name ="):
            with self.subTest(setting):
                (Path(self.env["HOME"]) / ".gitconfig").write_text(f"[user]\n\t{setting}\n")
                self.script_planning(node("a"))
                planned = self.ends(0, "plan", "make a", "--no-critique")
                self.implement("a")
                done = self.ends(0, "run")
                said = [line for line in self.lines("events.jsonl") if line["kind"] == "notice"]
                self.assertEqual((planned.err.count(own), done.err.count(own)), (1, 1))
                self.assertEqual(sum(own in line["message"] for line in said), 2)
                log = self.repo.git("log", "--format=%an <%ae> %cn <%ce>", f"main..{self.branch}")
                itself = "director <director@localhost>"
                self.assertEqual(set(log.splitlines()), {f"{itself} {itself}"})
                self.ends(0, "verify")

    def test_no_hook_of_the_repository_runs(self) -> None:
        trace = self.hooks(self.repo.root / ".git" / "hooks")
        self.make()
        self.assert_merged()
        self.assertFalse(trace.exists())

    def test_no_hook_of_the_user_runs_not_even_for_an_agents_git(self) -> None:
        trace = self.hooks(self.tmp / "hooks")
        self.repo.git("config", "--global", "core.hooksPath", str(self.tmp / "hooks"))
        (self.tmp / "committed").touch()  # nothing new can be made beside what is kept
        before = self.repo.fingerprint()
        self.script_planning(node("a"))
        commits = shell(f"git add -A && git commit -qm mine && echo yes > {self.tmp}/committed")
        self.go(before, [write("a.txt", "good\n"), commits])
        self.assert_merged()
        self.assertEqual((self.tmp / "committed").read_text(), "yes\n")
        self.assertFalse(trace.exists())

    def test_no_template_of_the_user_is_used(self) -> None:
        (self.tmp / "template").mkdir()
        trace = self.hooks(self.tmp / "template" / "hooks")
        self.repo.git("config", "--global", "init.templateDir", str(self.tmp / "template"))
        self.make()
        self.assert_merged()
        self.assertFalse(trace.exists() or (self.home / "job.git" / "hooks").exists())

    def test_a_user_who_trusts_no_local_repository_gets_the_branch(self) -> None:
        self.repo.git("config", "--global", "protocol.file.allow", "never")
        self.make()
        self.assert_merged()

    def test_a_user_whose_git_overlooks_changes_gets_what_was_tested(self) -> None:
        for setting in ("core.trustctime", "core.filemode"):
            self.repo.git("config", "--global", setting, "false")
        self.repo.git("config", "--global", "core.checkStat", "minimal")
        one = node("a")
        self.script_planning(one)
        before = self.repo.fingerprint()
        wrong = script_of_test("a").replace("grep -q good", "grep -q evil")
        hidden = f"touch -r tests/a.sh ../t; cat > tests/a.sh <<'E'\n{wrong}E\n"
        evil = (shell(f"{hidden}touch -r ../t tests/a.sh; rm ../t"), write("a.txt", "evil\n"))
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a", shell("sleep 1.1"), write("a.txt", "bad\n"))  # its test is old then
        self.implement("a", *evil, say("done"))
        self.implement("a")
        self.ends(0, "run")
        tries = self.stored("state.json")["nodes"]["a"]["tries"]
        self.assertEqual([one["outcome"] for one in tries], ["red", "contract_violated", "green"])
        self.assert_merged()
        self.assertEqual(self.repo.fingerprint(), before)

    def test_a_file_system_monitor_is_not_asked(self) -> None:
        trace = self.hooks(self.tmp / "monitor")
        program = str(self.tmp / "monitor" / "fsmonitor-watchman")
        for scope in ("--local", "--global"):
            self.repo.git("config", scope, "core.fsmonitor", program)
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a")
        self.ends(0, "run")
        self.assertFalse(trace.exists())

    def python_test(self) -> None:
        """Plan a node whose test does not mind how its lines end."""
        self.script_planning(node("a", tests=["tests/a.py"], test_cmd="python3 tests/a.py"))
        self.fake.always("test-author", write("tests/a.py", PYTHON_TEST), say("done"), node="a")

    def assert_frozen_as_shown(self, expected: str) -> None:
        (hashes,) = [one["test_hashes"] for one in self.stored("plan.json")["nodes"]]
        shown = self.blob("tests/a.py")
        self.assertEqual(shown.decode(), expected)
        self.assertEqual(hashes, {"tests/a.py": hashlib.sha256(shown).hexdigest()})

    def test_line_ends_that_git_converts(self) -> None:
        for scope in ("--local", "--global"):
            with self.subTest(scope):
                self.repo.git("config", scope, "core.autocrlf", "true")
                self.repo.git("config", scope, "core.safecrlf", "true")
                self.python_test()
                seen = self.tmp / f"seen{scope}"
                self.go(
                    self.repo.fingerprint(),
                    [shell(f"cp README tests/a.py {self.tmp}"), write("a.txt", "good\n"),
                     mark(seen)],
                )  # fmt: skip
                self.assertTrue(seen.exists())
                self.assert_merged()
                self.assertEqual((self.tmp / "README").read_bytes(), b"hello\r\n")
                self.assert_frozen_as_shown(PYTHON_TEST)
                self.assertEqual(self.node_state("a")["attempts"], 1)
                self.repo.git("config", scope, "--unset", "core.autocrlf")
                self.repo.git("config", scope, "--unset", "core.safecrlf")
                self.repo.commit("another base")

    def test_line_ends_that_attributes_ask_for(self) -> None:
        self.repo.write(".gitattributes", "*.py text eol=crlf\n*.txt text eol=crlf\n")
        self.repo.commit("attributes")
        self.python_test()
        self.go(
            self.repo.fingerprint(),
            [shell(f"cp tests/a.py {self.tmp}"), write("a.txt", "good\r\n")],
        )
        self.assert_merged()
        self.assert_frozen_as_shown(PYTHON_TEST)
        self.assertIn(b"\r\n", (self.tmp / "a.py").read_bytes())

    def test_edited_tests_are_frozen_as_git_shows_them(self) -> None:
        self.repo.write(".gitattributes", "*.py text eol=crlf\n")
        self.repo.commit("attributes")
        self.python_test()
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        edited = PYTHON_TEST + "# edited\n"
        (self.home / "tests" / "tests" / "a.py").write_text(edited)
        self.ends(0, "plan", "--continue")
        self.implement("a", write("a.txt", "good\n"))
        self.ends(0, "run")
        self.assert_frozen_as_shown(edited)
        self.assertEqual(self.node_state("a")["attempts"], 1)

    def test_a_filter_of_the_repositorys_own(self) -> None:
        for name, letters in (("clean", "a-z A-Z"), ("smudge", "A-Z a-z")):
            script = self.repo.root / ".git" / name
            script.write_text(f"#!/bin/sh\nexec tr {letters}\n")
            script.chmod(0o755)
            self.repo.git("config", f"filter.upper.{name}", f"'{script}'")
        self.repo.git("config", "filter.upper.required", "true")
        self.repo.write(".gitattributes", "*.txt filter=upper\n")
        self.repo.write("there.txt", "before\n")
        self.repo.commit("a filter")
        self.assertEqual(self.repo.git("show", "HEAD:there.txt"), "BEFORE")
        self.script_planning(node("a"))
        self.go(
            self.repo.fingerprint(),
            [shell("grep -q before there.txt || rm tests/a.sh"), write("a.txt", "good\n")],
        )
        self.assertEqual(self.blob("a.txt"), b"GOOD\n")
        self.assertEqual(self.blob("there.txt"), b"BEFORE\n")
        self.assertEqual(self.node_state("a")["attempts"], 1)
