"""An agent may do what it likes: nothing red turns green by it, and nothing else merges."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import (
    answer,
    exit_with,
    mark,
    orphan,
    raw,
    say,
    shell,
    silent_shell,
    write,
)
from tests.support.hermetic import remove_tree
from tests.support.immutable import need_immutable_files, release
from tests.support.jobs import node, script_of_test

JOB_GIT = '"$(dirname "$(cat "$(git rev-parse --absolute-git-dir)/objects/info/alternates")")"'
JOB_REF = "$(git for-each-ref --format='%(refname)' refs/heads/director/)"


class TestGit(FaultCase):
    """The agent uses git, and nothing keeps it from the job repository."""

    confined = False

    def test_an_agent_that_commits_gets_its_allowlisted_file_merged_and_no_commit_of_its_own(
        self,
    ) -> None:
        self.plan(node("a"))
        commit = shell("echo x > extra.txt; git add -A; git commit -qm mine; git commit -qm more")
        self.implement("a", *good(), commit)
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])
        self.only_the_work_is_merged()

    def test_an_agent_that_amends_rebases_or_leaves_the_branch_changes_no_history(self) -> None:
        self.plan(node("a"))
        tricks = (
            "git commit -q --amend --allow-empty -m amended",
            "git checkout -q --orphan elsewhere && git commit -qm orphan",
            "git checkout -q -b another HEAD",
            "git tag -f v1; git branch -f main HEAD",
        )
        self.implement("a", *good(*(shell(trick) for trick in tricks)))
        self.ends(0, "run")
        self.only_the_work_is_merged()
        self.assertEqual(self.repo.git("tag"), "")

    def test_an_agent_that_moves_or_deletes_the_job_branch_does_not_change_it(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]), node("c", depends_on=["b"]))
        forge = (
            "git commit -q --allow-empty -m 'b is done\n\nDirector-Kind: merge\nDirector-Node: b'; "
            f"git update-ref {JOB_REF} HEAD"
        )
        delete = f"git update-ref -d {JOB_REF}"
        block = f"ref={JOB_REF}; git update-ref -d $ref; git update-ref $ref/deeper HEAD"
        self.implement("a", shell(forge), *self.good_work("a"))
        self.implement("b", shell(delete), *self.good_work("b"))
        self.implement("c", shell(block), *self.good_work("c"))
        self.ends(0, "run")
        self.assertEqual(self.executor_calls(), 3)
        self.assertEqual(self.subjects()[3:], ["Make a", "Make b", "Make c"])

    def test_git_settings_of_an_agent_do_not_decide_what_is_seen_or_run(self) -> None:
        self.plan(node("a"))
        program = f"touch {self.tmp}/ran"
        settings = {
            "core.fsmonitor": f"sh -c '{program}'",
            "core.hooksPath": f"{self.tmp}",
            "core.worktree": "/tmp",
            "core.autocrlf": "true",
            "core.fileMode": "false",
            "core.excludesFile": f"{self.tmp}/all",
            "core.attributesFile": f"{self.tmp}/attributes",
            "filter.evil.clean": f"sh -c '{program}; echo good'",
            "filter.evil.smudge": f"sh -c '{program}; cat'",
            "alias.update-index": f"!{program}",
            "diff.external": program,
            "gc.auto": "1",
        }
        (self.tmp / "all").write_text("*\n")
        (self.tmp / "attributes").write_text("* filter=evil\n")
        for name in ("post-checkout", "reference-transaction", "post-index-change"):
            (self.tmp / name).write_text(f"#!/bin/sh\n{program}\n")
            (self.tmp / name).chmod(0o755)
        for name, value in settings.items():
            self.implement("a", *bad(silent_shell(f'git config {name} "{value}"')))
        attributes = f"echo '* filter=evil' | tee .gitattributes > {JOB_GIT}/info/attributes"
        self.implement("a", *bad(silent_shell(f"mkdir -p {JOB_GIT}/info; {attributes}")))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "20")
        self.assertEqual(self.outcomes(), ["red"] * (len(settings) + 1) + ["green"])
        self.assertFalse((self.tmp / "ran").exists())
        self.only_the_work_is_merged()

    def test_hooks_of_an_agent_never_run(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        install = (
            f"mkdir -p {JOB_GIT}/hooks; cd {JOB_GIT}/hooks; "
            "for name in post-checkout post-commit reference-transaction post-index-change "
            "post-merge pre-commit update post-update; do "
            f"printf '#!/bin/sh\\ntouch {self.tmp}/ran\\nexit 1\\n' > $name; chmod +x $name; done"
        )
        self.implement("a", *good(silent_shell(install)))
        self.implement("b")
        self.ends(0, "run")
        self.assertFalse((self.tmp / "ran").exists())
        self.assertEqual(self.on_branch("b.txt"), "good")

    def test_an_agent_that_stashes_its_work_has_changed_nothing(self) -> None:
        self.plan(node("a"))
        self.implement("a", *good(), shell("git add -A; git stash -q"))
        self.implement("a", *good())
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["unchanged", "green"])
        self.only_the_work_is_merged()
        self.assertEqual(self.repo.git("stash", "list"), "")

    def test_an_agent_that_breaks_its_git_folder_breaks_nothing_else(self) -> None:
        self.plan(node("a"))
        tricks = (
            "rm .git",
            "rm .git; mkdir .git; echo x > .git/x",
            "rm .git; git init -q .; git add -A; git commit -qm mine",
            "git init -q .",
            'rm -rf "$(git rev-parse --absolute-git-dir)"',
            'rm "$(git rev-parse --absolute-git-dir)/index"',
            'echo x > "$(git rev-parse --absolute-git-dir)/index"',
            'touch "$(git rev-parse --absolute-git-dir)/index.lock"',
            'echo x > "$(git rev-parse --absolute-git-dir)/HEAD"',
            f"echo x > {JOB_GIT}/config",
            f"rm {JOB_GIT}/config",
        )
        for trick in tricks:
            self.implement("a", *bad(shell(trick)))
        self.implement("a", *good(shell(tricks[0])))
        self.ends(0, "run", "--max-attempts", "20")
        self.assertEqual(self.outcomes(), ["red"] * len(tricks) + ["green"])
        self.only_the_work_is_merged()

    def test_a_repository_left_inside_the_worktree_is_no_part_of_it(self) -> None:
        self.plan(node("a", files=["a.txt", "sub/b.txt"]))
        nested = (
            "mkdir -p sub lib; git init -q sub; git init -q lib; echo b > sub/b.txt; "
            "echo l > lib/l; git -C sub add -A; git -C sub commit -qm nested"
        )
        self.implement("a", *good(shell(nested)))
        self.ends(0, "run")
        listed = self.repo.git("ls-tree", "-r", self.branch)
        self.assertNotIn("commit", listed.split())
        self.assertEqual(self.on_branch("sub/b.txt"), "b")
        self.assertIsNone(self.on_branch("lib/l"))

    def test_a_job_repository_that_is_gone_is_made_again_from_what_was_published(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        published = f"git -C {self.repo.root} cat-file -e {self.branch}:a.txt 2>&-"
        waits = silent_shell(f"until {published}; do sleep 0.05; done; rm -rf {JOB_GIT}")
        self.implement("b", *self.good_work("b"), waits)
        done = self.ends(3, "run", "--json")
        self.assertIn("job.git", done.json["what"])
        self.ends(0, "run")
        self.assertEqual(self.executor_calls(), 2)  # what the second wrote is still there
        self.assertEqual(self.subjects()[2:], ["Make a", "Make b"])

    def test_an_agent_that_moves_the_job_repositorys_head_costs_nothing(self) -> None:
        self.plan(node("a"))
        self.implement("a", *bad(shell(f"echo rubbish > {JOB_GIT}/HEAD")))
        self.implement("a", *bad(shell(f"rm {JOB_GIT}/HEAD")))
        self.implement("a", *bad(shell(f"echo /nowhere > {JOB_GIT}/objects/info/alternates")))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "9")
        self.assertEqual(self.outcomes(), ["red"] * 3 + ["green"])
        self.only_the_work_is_merged()


class TestContract(FaultCase):
    """The agent changes tests."""

    def test_an_agent_that_edits_its_test_gets_nothing_merged(self) -> None:
        self.plan(node("a"))
        for _ in range(2):
            self.implement("a", write("tests/a.sh", "exit 0\n"), *good())
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("tests/a.sh", done.out)
        self.assertEqual(self.outcomes(), ["contract_violated"] * 2)
        self.nothing_is_merged()
        self.assertEqual(self.lines("metrics.jsonl")[-1]["done"], 0)

    def test_no_way_of_changing_a_test_is_accepted(self) -> None:
        self.plan(node("a"))
        tricks = (
            "rm tests/a.sh",
            "git mv tests/a.sh tests/b.sh",
            "chmod +x tests/a.sh",
            "rm -r tests; mkdir -p $TMPDIR/elsewhere; echo 'exit 0' > $TMPDIR/elsewhere/a.sh; "
            "ln -s $TMPDIR/elsewhere tests",
            "rm tests/a.sh; ln -s ../README tests/a.sh",
            "rm tests/a.sh; mkdir tests/a.sh",
            "rm tests/a.sh; mkfifo tests/a.sh",
            "echo 'exit 0' > tests/a.sh; git commit -qam x",
            "echo 'exit 0' > tests/a.sh; git update-index --skip-worktree tests/a.sh",
            "echo 'exit 0' > tests/a.sh; git update-index --assume-unchanged tests/a.sh",
            'echo "exit 0" > tests/a.sh; rm "$(git rev-parse --absolute-git-dir)/index"',
            "touch -r tests/a.sh $TMPDIR/then; sed -i s/exit.1/exit.0/ tests/a.sh; "
            "touch -r $TMPDIR/then tests/a.sh",
            "echo 'exit 0' > tests/a.sh; git sparse-checkout set --no-cone /README",
            "git replace -f HEAD:tests/a.sh $(echo 'exit 0' | git hash-object -w --stdin); "
            "echo 'exit 0' > tests/a.sh",
        )
        for trick in tricks:
            self.implement("a", *good(silent_shell(trick)))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "20")
        self.assertEqual(self.outcomes(), ["contract_violated"] * len(tricks) + ["green"])
        self.only_the_work_is_merged()

    def test_an_agent_that_edits_a_test_and_restores_it_has_done_no_wrong(self) -> None:
        self.plan(node("a"))
        trial = (
            "cp tests/a.sh $TMPDIR/kept; echo 'set -x' >> tests/a.sh; cp $TMPDIR/kept tests/a.sh"
        )
        self.implement("a", *good(shell(trial)))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])
        self.only_the_work_is_merged()

    def test_an_agent_that_edits_the_test_of_another_node_gets_nothing_merged(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a", write("tests/b.sh", "exit 0\n"), *good())
        self.implement("a", *good())
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["contract_violated", "green"])
        self.assertIn("no good b", str(self.on_branch("tests/b.sh")))

    def test_a_test_that_does_the_work_itself_does_not_make_the_node_green(self) -> None:
        does_it = "grep -q good a.txt && exit 0\necho good > a.txt\necho 'no good'; exit 1\n"
        self.plan(node("a"), tests={"a": does_it})
        for _ in range(2):
            self.implement("a", shell("sh tests/a.sh; sh tests/a.sh"), *bad())
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.outcomes(), ["red", "red"])
        self.nothing_is_merged()

    def test_a_test_that_deletes_itself_when_run_stays_on_the_branch(self) -> None:
        once = "rm tests/a.sh\ngrep -q good a.txt || { echo 'no good'; exit 1; }\n"
        self.plan(node("a"), tests={"a": once})
        self.implement("a", *good(shell("sh tests/a.sh")), shell("git checkout -q tests/a.sh"))
        self.implement("a", *good())
        self.director("run", "--max-attempts", "1")
        self.assertIn("no good", str(self.on_branch("tests/a.sh")))
        self.assertNotIn("contract_violated", self.outcomes()[1:])


SHOWING = (
    ("status",),
    ("status", "--node", "a"),
    ("status", "--node", "a", "--diff"),
    ("logs", "a"),
    ("logs", "a", "--gate"),
    ("logs", "a", "--prompt"),
    ("logs", "a", "--raw"),
)


class TestScope(FaultCase):
    """The agent changes files that are none of its business."""

    def test_no_way_of_changing_another_file_is_accepted(self) -> None:
        self.commit_files({"lib/one.py": "1\n", "lib/two.py": "2\n"})
        self.plan(node("a"))
        tricks = (
            "git mv README READYOU",
            "mv lib library",
            "rm README",
            "chmod +x README",
            "rm README; ln -s lib/one.py README",
            "rm -r lib; ln -s /etc lib",
            "rm -r lib; echo file > lib",
            "rm README; mkdir README; echo x > README/x",
            "rm README; mkfifo README",
            "echo x >> README; git commit -qam x; git update-index --skip-worktree README",
            f"mkdir -p {JOB_GIT}/info; echo README | tee .gitignore > {JOB_GIT}/info/exclude; "
            "echo x > README",
        )
        for trick in tricks:
            self.implement("a", *good(silent_shell(trick)))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "20")
        self.assertEqual(self.outcomes(), ["out_of_scope"] * len(tricks) + ["green"])
        self.only_the_work_is_merged()

    def test_a_symlink_where_an_allowlisted_file_should_be_is_not_accepted(self) -> None:
        self.plan(node("a", files=["a.txt", "src/b.txt"]))
        outside = self.tmp / "outside"
        outside.mkdir()
        (outside / "b.txt").write_text("good\n")
        tricks = (
            "echo good > ../kept; ln -s ../kept a.txt",
            f"ln -s {outside}/b.txt a.txt",
            "echo good > stray; ln -s stray a.txt",
            f"echo good > a.txt; ln -s {outside} src",
            "echo good > a.txt; mkdir lib; echo b > lib/b.txt; ln -s lib src",
        )
        for trick in tricks:
            self.implement("a", silent_shell(trick))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "20")
        self.assertEqual(self.outcomes(), ["out_of_scope"] * len(tricks) + ["green"])
        self.assertNotIn("120000", self.repo.git("ls-tree", "-r", self.branch))
        self.assertEqual([path.name for path in outside.iterdir()], ["b.txt"])

    def test_odd_names_are_dropped_named_and_harm_no_record(self) -> None:
        self.plan(node("a"))
        odd = (
            "printf x > 'new\nline'; printf x > '-rf'; printf x > '\"quoted\" \\'; "
            "printf x > ünï-🙂; printf x > \"$(printf 'bytes-\\377\\376')\"; printf x > 'a b\tc'; "
            "mkdir -p ':(top)/*'; printf x > ':(top)/*/x'"
        )
        for _ in range(2):
            self.implement("a", *bad(silent_shell(odd)))
        strict = {**self.env, "PYTHONIOENCODING": "utf-8:strict"}
        done = self.ends(1, "run", "--max-attempts", "1", env=strict)
        self.assertIn("✗ a  Make a", done.out)
        self.assertIn("ünï-🙂", self.fake.calls()[-1].prompt)
        self.lines("events.jsonl")
        self.ends(0, "status", "--json", env=strict)
        self.nothing_is_merged()

    def test_an_allowlisted_file_with_an_odd_name_is_merged(self) -> None:
        name = "a b/ünï-🙂 'q'.txt"
        self.plan(node("a", files=["a.txt", name]))
        self.implement("a", *good(write(name, "odd\n")))
        self.ends(0, "run")
        self.assertEqual(self.repo.git("show", f"{self.branch}:{name}"), "odd")

    def test_hidden_strays_are_dropped_and_named(self) -> None:
        helper = "test -e helper && grep -q good a.txt || { echo 'no good'; exit 1; }\n"
        self.plan(node("a"), tests={"a": helper})
        hidden = f"mkdir -p {JOB_GIT}/info; echo '*' | tee .gitignore > {JOB_GIT}/info/exclude"
        for _ in range(2):
            self.implement("a", *good(silent_shell(hidden), write("helper", "x")))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.outcomes(), ["red", "red"])
        self.assertIn("helper", self.fake.calls()[-1].prompt)
        self.nothing_is_merged()

    def test_a_stray_that_is_no_file_cannot_make_the_gate_pass(self) -> None:
        self.commit_files({"lib/one.py": "1\n"})
        scripts = {
            "a": "test -e pipe && " + script_of_test("a"),
            "b": "test -e lib/socket && " + script_of_test("b"),
        }
        self.plan(node("a"), node("b"), tests=scripts)
        socket = "import socket; socket.socket(socket.AF_UNIX).bind('lib/socket')"
        for name in ("a", "b"):
            for _ in range(2):
                strays = shell(f'mkfifo pipe; mkdir -p empty; python3 -c "{socket}"')
                self.implement(name, strays, write(f"{name}.txt", "good\n"))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.outcomes("a") + self.outcomes("b"), ["red"] * 4)
        self.nothing_is_merged("a", "b")

    def test_a_pipe_or_a_socket_at_an_allowlisted_path_does_not_hang_the_run(self) -> None:
        self.configure("[limits]\nnode_timeout_secs = 20\n")
        self.plan(node("a"))
        socket = "import socket; socket.socket(socket.AF_UNIX).bind('a.txt')"
        self.implement("a", shell("mkfifo a.txt"))
        self.implement("a", shell(f'rm -f a.txt; python3 -c "{socket}"'))
        self.implement("a", shell("rm -f a.txt; mkdir a.txt; echo good > a.txt/good"))
        self.implement("a", shell("rm -rf a.txt"), *good())
        self.ends(0, "run", "--max-attempts", "9")
        self.assertEqual(self.outcomes()[-1], "green")
        self.assertNotIn("green", self.outcomes()[:-1])
        self.only_the_work_is_merged()

    def test_thousands_of_strays_are_dropped_and_told_in_short(self) -> None:
        self.plan(node("a"))
        fill = "mkdir -p deep; for i in $(seq 1000); do : > stray-$i; : > deep/stray-$i; done"
        self.implement("a", *bad(silent_shell(fill)))
        self.implement("a", *good())
        self.ends(0, "run")
        prompt = self.fake.calls()[-1].prompt
        self.assertIn("more", prompt)
        self.assertLess(len(prompt), 3000)
        self.only_the_work_is_merged()

    def test_folders_without_permissions_do_not_stop_the_run(self) -> None:
        self.commit_files({"lib/one.py": "1\n"})
        self.plan(node("a"), node("b"))
        lock = "mkdir -p own/deep; echo x > own/deep/x; chmod 000 own/deep own"
        self.implement("a", *good(), silent_shell(f"{lock}; chmod 500 ."))
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("b.txt"), "good")

    def test_stray_attributes_are_dropped_and_do_not_stop_the_run(self) -> None:
        self.plan(node("a"))
        stray = "* working-tree-encoding=no-such-encoding\n"
        self.implement("a", *bad(write(".gitattributes", stray), write("x/.gitattributes", stray)))
        self.implement("a", *good(write(".gitattributes", stray)))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        self.only_the_work_is_merged()

    def test_what_git_cannot_take_in_is_the_attempts_own_fault(self) -> None:
        self.plan(node("a", files=["a.txt", ".gitattributes"]))
        self.implement("a", *good(write(".gitattributes", "*.txt working-tree-encoding=none\n")))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["out_of_scope", "green"])
        self.only_the_work_is_merged()

    def test_what_cannot_be_removed_is_named_and_stops_no_run(self) -> None:
        need_immutable_files(self, self.place)
        made = "mkdir -p build/x && touch build/x/y && chattr +i build/x/y build/x; grep -q good "
        self.plan(node("a"), node("b"), tests={"a": f"{made} a.txt\n", "b": f"{made} b.txt\n"})
        self.implement("a", *good(shell("mkdir t && touch t/u && chattr +i t/u")))
        self.implement("b")
        done = self.ends(0, "run")
        self.assertRegex(done.err, "cannot be removed: .*/(build/x/y|build/x|t/u).*sudo rm -rf")
        self.assertEqual(self.on_branch("b.txt"), "good")
        self.assertEqual(self.stored("state.json")["nodes"]["a"]["attempts"], 1)
        for _ in range(2):  # the tests run on the tip again, and leave as much
            self.assertNotEqual(self.left_behind(), [])
            release(self.place)
            for folder in self.left_behind():
                remove_tree(Path(folder))
            self.ends(0, "run")
        release(self.place)
        for folder in self.left_behind():
            remove_tree(Path(folder))

    def test_folders_deeper_than_any_path_do_not_stop_the_run(self) -> None:
        self.plan(node("a"), node("b"))
        dig = (
            "import os\nfor _ in range(1500):\n"
            "    os.mkdir('a-long-name'); os.chdir('a-long-name')\n"
        )
        self.implement("a", *good(write("dig.py", dig), silent_shell("python3 dig.py")))
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual((self.on_branch("a.txt"), self.on_branch("b.txt")), ("good", "good"))

    def test_an_agent_that_clears_everything_around_it_costs_its_own_attempt_only(self) -> None:
        self.plan(node("a"))
        clear = "here=$PWD; cd /; rm -rf $here/../*"
        self.implement("a", silent_shell(clear))
        self.implement("a", silent_shell('rm -rf "$BUN_TMPDIR"; echo x > "$BUN_TMPDIR"'), *bad())
        self.implement("a", *good())
        self.ends(0, "run")
        self.assertEqual(self.outcomes()[-1], "green")
        self.only_the_work_is_merged()

    def test_an_agent_that_puts_a_file_in_place_of_all_worktrees_gains_nothing(self) -> None:
        self.plan(node("a"))
        replace = 'all=${PWD%/*}; cd /; rm -rf "$all"; echo x > "$all"'
        self.implement("a", silent_shell(replace))
        self.implement("a", *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_directors_own_index_cannot_be_turned_against_it(self) -> None:
        self.plan(node("a"))
        own = 'GIT_INDEX_FILE="$PWD/../$(basename "$PWD").index"'
        tricks = (
            f"export {own}; git update-index --skip-worktree tests/a.sh",
            f"export {own}; git update-index --assume-unchanged tests/a.sh",
            f"export {own}; git add -A",
            'rm "../$(basename "$PWD").index"',
            'echo x > "../$(basename "$PWD").index"',
        )
        for trick in tricks:
            self.implement("a", *good(silent_shell(f"echo 'exit 0' > tests/a.sh; {trick}")))
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "9")
        self.assertEqual(self.outcomes(), ["contract_violated"] * len(tricks) + ["green"])
        self.only_the_work_is_merged()


class TestCaches(FaultCase):
    """Something outside the tree would make the test pass."""

    def test_nothing_ignored_that_an_agent_left_makes_the_gate_pass(self) -> None:
        self.commit_files({".gitignore": "__pycache__/\n*.pyc\n*.pth\nsitecustomize.py\n.cache/\n"})
        imports = (
            "PYTHONPATH=. python3 -c 'import mod; mod.works()' || { echo 'no good'; exit 1; }\n"
        )
        self.plan(node("a", files=["mod.py"]), tests={"a": imports})
        good_code, bad_code = "def works(): pass\n", "works = None\n"
        inject = f"import sys, types; m = types.ModuleType('mod'); exec({good_code!r}, vars(m)); "
        keep = f"printf '{bad_code}' > mod.py"
        tricks = {
            "sitecustomize": write("sitecustomize.py", f"{inject}sys.modules['mod'] = m\n"),
            "package": write("mod/__init__.py", good_code),
            "cache": shell(
                f"printf '{good_code}' > mod.py; "
                "python3 -m compileall -q --invalidation-mode unchecked-hash mod.py"
            ),
        }
        for name, trick in tricks.items():
            works = shell(f"{keep}; sh tests/a.sh && touch {self.tmp}/{name}-worked")
            self.implement("a", trick, works)
        self.ends(1, "run", "--max-attempts", str(len(tricks) - 1))
        self.assertEqual(self.outcomes(), ["red"] * len(tricks))
        for name in tricks:
            self.assertTrue((self.tmp / f"{name}-worked").exists(), name)
        self.nothing_is_merged()


class TestProcesses(FaultCase):
    """The agent leaves something running."""

    def test_a_process_left_in_a_session_of_its_own_is_ended(self) -> None:
        self.plan(node("a"))
        self.implement("a", orphan(f"touch {self.tmp}/on; exec sleep 600"), *good())
        self.implement("a", *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_a_process_that_dropped_its_environment_is_ended_too(self) -> None:
        self.plan(node("a"))
        hide = f"env -i /bin/sh -c 'echo $$ > {self.tmp}/pid; exec sleep 600'"
        waits = f"while ! test -s {self.tmp}/pid; do sleep 0.01; done"
        self.implement("a", orphan(hide), shell(waits), *good())
        self.ends(0, "run")
        pid = int((self.tmp / "pid").read_text())
        self.addCleanup(_kill, pid)
        self.assertFalse(_runs(pid))
        self.only_the_work_is_merged()

    def test_a_process_that_goes_on_writing_does_not_decide_the_gate(self) -> None:
        helper = "test -e helper && grep -q good a.txt || { sleep 0.3; echo 'no good'; exit 1; }\n"
        self.plan(node("a"), tests={"a": helper})
        writer = f"touch {self.tmp}/on; while :; do : > helper; echo bad > a.txt; done"
        waits = f"while ! test -e {self.tmp}/on; do sleep 0.01; done"
        for how in (writer, f"trap '' TERM; {writer}"):
            self.implement("a", orphan(how), shell(waits), *good())
        self.ends(1, "run", "--max-attempts", "1")
        self.assertNotIn("green", self.outcomes())
        self.nothing_is_merged()

    def test_a_process_that_dropped_its_environment_and_goes_on_writing_does_not_decide_the_gate(
        self,
    ) -> None:
        helper = "sleep 0.3; test -e helper && grep -q good a.txt || { echo 'no good'; exit 1; }\n"
        self.plan(node("a"), tests={"a": helper})
        loop = "while :; do : > $1/helper; sleep 0.01; done"
        script = f"echo $$ > {self.tmp}/pid; cd /; {loop}"
        hide = f"exec env -i setsid /bin/sh -c '{script}' sh \"$PWD\""
        waits = f"while ! test -s {self.tmp}/pid; do sleep 0.01; done"
        for _ in range(2):
            self.implement("a", orphan(hide), shell(waits), *good())
        self.ends(1, "run", "--max-attempts", "1")
        pid = int((self.tmp / "pid").read_text())
        self.addCleanup(_kill, pid)
        self.assertFalse(_runs(pid))
        self.nothing_is_merged()

    def test_a_process_that_holds_the_output_does_not_hold_up_the_run(self) -> None:
        self.plan(node("a"))
        self.implement("a", silent_shell("sleep 600 >>/proc/$PPID/fd/1 2>&1 &"), *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_an_agent_that_forks_wildly_is_cleared_away(self) -> None:
        self.plan(node("a"))
        bomb = "f() { [ $1 -gt 5 ] || { f $(($1 + 1)) & f $(($1 + 1)) & }; sleep 600; }; f 0"
        self.implement("a", orphan(bomb), *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_what_a_test_leaves_running_is_ended(self) -> None:
        leaves = "setsid sleep 600 >/dev/null 2>&1 &\n" + script_of_test("a")
        self.plan(node("a"), tests={"a": leaves})
        self.implement("a", *good())
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")


class TestTalk(FaultCase):
    """The agent prints things."""

    def test_an_agent_that_says_all_tests_pass_and_does_nothing_gets_nothing_merged(self) -> None:
        self.plan(node("a"))
        for _ in range(2):
            self.implement("a", say("All tests pass, everything is done and merged."))
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("✗ a  Make a", done.out)
        self.assertEqual(self.outcomes(), ["unchanged", "unchanged"])
        self.nothing_is_merged()

    def test_lines_that_are_no_events_do_not_disturb_the_call(self) -> None:
        self.plan(node("a"))
        deep = "[" * 100_000
        odd_tokens = '{"input": 1e999, "output": NaN, "cache": [], "reasoning": "many"}'
        part = f'{{"reason": "tool-calls", "tokens": {odd_tokens}, "cost": -Infinity}}'
        self.implement(
            "a",
            silent_shell("printf 'caf\\351 \\000\\000 \\377\\n' >> /proc/$PPID/fd/1"),
            silent_shell("printf 'caf\\351 \\000\\000 \\377\\n' >> /proc/$PPID/fd/2"),
            raw("not json"),
            raw("[1, 2]"),
            raw("null"),
            raw('{"type": "step_finish"}'),
            raw('{"type": ["text"], "part": "x"}'),
            raw('{"type": "text", "part": {"text": "\\ud800"}}'),
            raw('{"type": "tool_use", "part": {"state": {"metadata": {"exit": "x"}}}}'),
            raw(f'{{"type": "step_finish", "part": {part}}}'),
            raw(deep),
            raw('{"type":' + deep),
            *good(),
        )
        self.ends(0, "run", "--json", env={**self.env, "PYTHONIOENCODING": "utf-8:strict"})
        self.only_the_work_is_merged()
        costs = self.lines("costs.jsonl")[-1]
        self.assertEqual((costs["input"], costs["output"]), (1000, 100))

    def test_a_line_of_twenty_megabytes_is_read(self) -> None:
        self.plan(node("a"))
        event = json.dumps({"type": "text", "part": {"text": "x" * 20_000_000}})
        self.implement("a", raw(event), *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_a_title_that_cannot_be_written_goes_back_to_the_planner(self) -> None:
        self.script_planning(node("a"))
        for title in ("half \ud800 a letter", "nothing \0 there"):
            self.fake.queue("planner", answer({"nodes": [node("a", title=title)]}), heading="Plan")
        self.ends(0, "plan", "make a", "--no-critique")
        rejected = [e for e in self.lines("events.jsonl") if e["kind"] == "plan_rejected"]
        self.assertEqual(len(rejected), 2)

    def test_a_terminal_that_knows_no_unicode_gets_what_it_can_show(self) -> None:
        self.plan(node("a", title="Make ünï-🙂"))
        for _ in range(2):
            self.implement("a", *bad(silent_shell(": > ünï-🙂")))
        ascii_only = {**self.env, "PYTHONIOENCODING": "ascii:strict"}
        done = self.ends(1, "run", "--max-attempts", "1", env=ascii_only)
        self.assertIn("x a  Make ?n?-?", done.out)  # one sign each: columns stay columns
        self.ends(0, "status", env=ascii_only)

    def test_what_a_test_prints_is_no_command_for_the_runner_of_a_workflow(self) -> None:
        evil = "::error::owned\\n  ::add-mask::it\\nsay ##[group]owned\\n"
        script = f"printf '{evil}'; grep -q good a.txt\n"
        self.plan(node("a", title="A ##[group]owned"), tests={"a": script})
        for _ in range(2):
            self.implement("a", *bad(say("::error::owned ##[group]x")))
        env = {**self.env, "GITHUB_ACTIONS": "true"}
        run = self.ends(1, "run", "--max-attempts", "1", env=env)
        shown = [run, *(self.ends(0, *argv, env=env) for argv in SHOWING)]
        for line in "\n".join(done.out for done in shown).splitlines():
            self.assertNotRegex(line, r"^\s*::\w|##\[")
        title = self.ends(0, "status", "--node", "a", "--json", env=env).json["node"]["title"]
        self.assertEqual(title, "A ##[group]owned")


class TestOtherRoles(FaultCase):
    """Those who only read, write."""

    def test_a_reviewer_that_writes_changes_nothing_that_merges(self) -> None:
        self.plan(node("a", files=["a.txt", "b", "c", "d"]), node("e"))
        wide = [write(name, "x") for name in "bcd"]
        self.implement("a", *good(), *wide)
        self.implement("e")
        verdict = answer({"verdict": "pass", "summary": "fine", "findings": []})
        spoil = shell("echo spoiled > a.txt; echo x > tests/a.sh; touch helper; git commit -qam x")
        self.fake.always("reviewer", spoil, verdict)
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertIn("no good a", str(self.on_branch("tests/a.sh")))
        self.assertIsNone(self.on_branch("helper"))

    def test_planning_roles_that_write_change_nothing(self) -> None:
        self.script_planning(node("a"))
        spoil = shell("echo x > README; echo good > a.txt; git add -A; git commit -qm mine")
        self.fake.always("explorer", spoil, say("the recon"))
        self.fake.always("brainstorm", spoil, say("the spec"))
        self.fake.always("planner", spoil, answer({"nodes": [node("a")]}), heading="Plan")
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertEqual(self.files_on_branch(), {"README", "tests/a.sh"})
        self.assertEqual(self.on_branch("README"), "hello")
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_a_test_author_that_also_does_the_work_gets_only_its_tests_on_the_branch(self) -> None:
        self.script_planning(node("a"))
        author = (
            write("tests/a.sh", script_of_test("a")),
            write("a.txt", "good\n"),
            shell("git add -A; git commit -qm mine"),
        )
        self.fake.always("test-author", *author, node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.nothing_is_merged()
        self.assertIsNone(self.on_branch("a.txt"))

    def test_a_test_author_whose_test_is_a_link_gets_nothing_on_the_branch(self) -> None:
        self.script_planning(node("a"))
        link = shell("echo 'exit 1' > ../a.sh; mkdir -p tests; ln -sf ../../a.sh tests/a.sh")
        self.fake.always("test-author", link, node="a")
        done = self.ends(1, "plan", "make a", "--no-critique")
        self.assertIn(
            "a: tests/a.sh is a symbolic link: a test must be a file of its own", done.err
        )
        self.assertEqual(self.subjects(), [])

    def test_an_agent_that_goes_mad_in_one_lane_does_not_stop_the_other(self) -> None:
        self.plan(node("a"), node("b"))
        spoil = f"echo '[broken' > {JOB_GIT}/config"
        self.implement("a", mark(self.tmp / "a-on"), silent_shell(spoil), exit_with(1))
        self.implement("a", *good())
        self.implement("b")
        self.configure("[limits]\nprovider_retries = 0\n")
        self.ends(3, "run", "--node", "a")
        self.ends(0, "run", "--parallel", "2")
        self.assertEqual((self.on_branch("a.txt"), self.on_branch("b.txt")), ("good", "good"))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


def _kill(pid: int) -> None:
    if _runs(pid):
        os.kill(pid, 9)
