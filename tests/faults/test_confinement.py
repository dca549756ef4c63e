"""Agents, gates and setup cannot write what director believes; where the kernel helps, it is said.

The attacks of ``TestForgery`` turned red into green before the kernel was asked to help.
Covers ``job.job_worktrees``, ``filters`` and ``git_settings`` in repositories, too.

With it: ``processes.confinement``, ``processes.domain``, ``processes.trusted``.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path

from tests.faults.cases import FaultCase, bad, good
from tests.support.bubblewrap import bubblewrap_problem
from tests.support.fake_opencode import (
    Step,
    mark,
    say,
    shell,
    silent_shell,
    wait_for,
    write,
)
from tests.support.jobs import SOURCE, Done, node, script_of_test
from tests.support.kernel import require_landlock

POOL = "../.."  # of an agent's worktree: all that director keeps for a job's work


def work(script: str) -> Step:
    """Return a step that writes a script which the test command runs."""
    return silent_shell(f"cat > work.sh <<'END'\n{script}\nEND")


class ConfinedCase(FaultCase):
    def setUp(self) -> None:
        require_landlock()
        super().setUp()
        self.answers = self.tmp / "answers"

    def asks(self, **commands: str) -> Step:
        """Return a step that tries commands, and notes for each whether it could be done."""
        return silent_shell(self.script(**commands))

    def script(self, **commands: str) -> str:
        lines = (
            f"if ({command}) > /dev/null 2>&1; then echo {name} yes; else echo {name} no; fi"
            for name, command in commands.items()
        )
        return f"({'; '.join(lines)}) >> '{self.answers}'"

    def answered(self) -> dict[str, str]:
        """Return name → "yes" or "no", of all commands that were tried."""
        lines = self.answers.read_text().splitlines()
        return dict(line.split(" ") for line in lines)

    def all_denied(self) -> None:
        self.assertEqual(set(self.answered().values()), {"no"}, self.answered())


class TestForgery(ConfinedCase):
    """An agent forges what director believes, or what gates find."""

    def test_the_note_of_a_call_that_says_green(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        commit = "$(git rev-parse HEAD)"
        memo: dict[str, object] = {
            "base": commit, "start": commit, "first_output": "", "feedback": None,
            "fallback": None, "rewritten": [],
            "green": {"commit": commit, "base": commit, "role": "executor", "gates": []},
        }  # fmt: skip
        note = {"name": "b-executor-1", "log": "x", "cwd": "y", "memo": memo, "reason": ""}
        text = json.dumps({**note, "outcome": "completed"}).replace('"', '\\"')
        target = f"{self.home}/calls/b-executor-1.json"
        self.implement("a", *good(self.asks(note=f'echo "{text}" > {target}')))
        self.implement("b")
        self.ends(0, "run")
        self.all_denied()
        self.assertEqual(self.executor_calls(), 2)
        self.assertEqual(self.on_branch("b.txt"), "good")

    def test_every_record_and_the_job_repository(self) -> None:
        self.plan(node("a"))
        before = (self.home / "plan.json").read_text()
        places = {
            "plan": "sed -i 's/sh tests/true tests/' {home}/plan.json",
            "state": "echo '{{}}' > {home}/state.json",
            "receipts": "echo '{{}}' >> {home}/receipts.jsonl",
            "costs": "echo '{{}}' >> {home}/costs.jsonl",
            "tips": "echo '{{}}' >> {home}/tips.jsonl",
            "old_tips": "echo '{{}}' >> {home}/job.git/tips.jsonl",
            "new": "touch {home}/new",
            "removed": "rm {home}/plan.json",
            "moved": "mv {home}/job.git {home}/elsewhere",
            "linked": "ln {home}/plan.json linked",
            "ref": "git --git-dir={home}/job.git update-ref refs/heads/director/x HEAD",
            "object": "touch {home}/job.git/objects/x",
            "config": "git --git-dir={home}/job.git config a.b c",
            "users_file": "echo x >> {root}/README",
            "users_new": "touch {root}/new",
            "users_ref": "git --git-dir={root}/.git update-ref refs/heads/x HEAD",
            "users_config": "git --git-dir={root}/.git config a.b c",
            "users_hook": "touch {root}/.git/hooks/post-merge",
            "lock": "rm {home}/lock",
        }
        given = {"home": str(self.home), "root": str(self.repo.root)}
        tried = {name: command.format(**given) for name, command in places.items()}
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.all_denied()
        self.assertEqual(len(self.answered()), len(places))
        self.assertEqual((self.home / "plan.json").read_text(), before)

    def test_the_worktrees_of_gates_and_what_belongs_to_director_beside_them(self) -> None:
        self.plan(node("a"))
        tried = {
            "gate": f"echo exit 0 > {POOL}/gates/slot-1/tests/a.sh",
            "gates": f"mkdir {POOL}/gates/x",
            "moved": f"mv {POOL}/gates/slot-1 {POOL}/gates/slot-2",
            "its_git": f"touch {POOL}/gates/slot-1.git/x",
            "index": f"echo x > {POOL}/notes/agents-slot-1.index",
            "gits_settings": f"echo x >> {POOL}/notes/git/config",
            "other": "mkdir ../slot-2",
            "pool": f"mkdir {POOL}/x",
        }
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.all_denied()

    def test_the_other_lanes_worktrees_while_its_gate_runs(self) -> None:
        began, forged = self.tmp / "began", self.tmp / "forged"
        gate = f"touch {began}; while ! test -e {forged}; do sleep 0.01; done; sh tests/b.sh"
        self.plan(node("a"), node("b", test_cmd=f"test -e b.txt || exit 1; {gate}"))
        forge = {
            f"{part}{number}": f"echo exit 0 > {POOL}/{part}/slot-{number}/tests/b.sh"
            for part in ("gates", "agents")
            for number in (1, 2)
        }
        own = f'sed -i "/agents${{PWD##*-}}/d" {self.answers}; git checkout -q -f'
        self.implement(
            "a", wait_for(began), self.asks(**forge), shell(own), mark(forged), *self.good_work("a")
        )
        for _ in range(2):
            self.implement("b", write("b.txt", "bad\n"))
        self.ends(1, "run", "--parallel", "2", "--max-attempts", "1")
        self.all_denied()
        self.assertEqual(self.outcomes("b"), ["red", "red"])
        self.assertIsNone(self.on_branch("b.txt"))

    def test_git_settings_and_start_up_files_in_the_home_folder(self) -> None:
        self.plan(node("a"))
        home = Path(self.env["HOME"])
        (home / ".config" / "git").mkdir()
        python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        site = f"$HOME/.local/lib/{python}/site-packages"
        self.implement(
            "a",
            *good(
                self.asks(
                    filter="git config --global filter.x.smudge 'sed s/bad/good/'",
                    attributes="echo '* filter=x' > $HOME/.config/git/attributes",
                    site=f"mkdir -p {site} && echo 'exit(0)' > {site}/usercustomize.py",
                    profile="echo x >> $HOME/.profile",
                    program="mkdir -p $HOME/.local/bin",
                    key="mkdir -p $HOME/.ssh",
                )
            ),
        )
        self.ends(0, "run")
        self.all_denied()

    def test_the_program_of_an_agent_cli_which_director_asks_for_its_version(self) -> None:
        """That is confined by nothing, and a program on PATH may be a link to anywhere."""
        fake = shutil.which("opencode", path=self.env["PATH"])
        versions, links = Path(self.env["HOME"]) / "versions", self.place / "links"
        for folder in (versions, links):
            folder.mkdir()
        program, ran = versions / "1.0", self.home / "ran"
        program.write_text(f'#!/bin/sh\nexec {fake} "$@"\n')
        program.chmod(0o755)
        (links / "opencode").symlink_to(program)
        self.env["PATH"] = f"{links}:{self.env['PATH']}"
        self.plan(node("a"))
        text = f'#!/bin/sh\ntouch {ran}\nexec {fake} "$@"\n'
        forged = shlex.quote(text.replace("\n", "\\n"))
        forge = self.asks(
            written=f"printf {forged} > {program}",
            moved=f"printf {forged} > {program}.new && chmod +x {program}.new "
            f"&& mv {program}.new {program}",
        )
        self.implement("a", *good(forge))
        self.ends(0, "run")
        self.assertFalse(ran.exists())
        self.all_denied()

    def test_settings_of_agent_clis_whose_hooks_would_run_in_the_users_sessions(
        self,
    ) -> None:
        home, moved = Path(self.env["HOME"]), self.tmp / "moved"
        for folder in (home / ".claude", home / ".opencode" / "plugin", moved):
            folder.mkdir(parents=True)
        (home / ".claude.json").write_text("{}")
        self.answers.touch()  # nothing new can be made beside what is kept
        self.env["CODEX_HOME"] = str(moved)
        self.plan(node("a"))
        forge = self.asks(
            hooks=f"echo x > {home}/.claude/settings.json",
            state=f"echo x > {home}/.claude.json",
            elsewhere=f"echo x > {moved}/config.toml",
            settings=f"echo x > {home}/.config/opencode/opencode.json",
            plugin=f"mkdir -p {home}/.config/opencode/plugin",
            beside=f"echo x > {home}/.opencode/plugin/x.ts",
        )
        self.implement("a", *good(forge))
        self.ends(0, "run")
        self.all_denied()

    def test_settings_in_the_folder_that_an_agent_cli_needs_to_write(self) -> None:
        """That happens where all of the XDG folders are one."""
        one = Path(self.env["HOME"]) / "one"
        self.env |= dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(one))
        self.plan(node("a"))
        self.implement("a", *good(shell(f"echo x > {one}/opencode/log")))
        self.ends(0, "run")
        self.assertTrue((one / "opencode" / "log").exists())

    def test_links_on_the_way_to_programs_and_to_the_home_folder(self) -> None:
        links, tools = self.tmp / "links", self.tmp / "tools"
        (tools / "v1" / "bin").mkdir(parents=True)
        links.mkdir()
        self.answers.touch()  # nothing new can be made beside what is kept
        (links / "current").symlink_to(tools / "v1")
        (links / "home").symlink_to(self.env["HOME"])
        self.env["PATH"] = f"{links}/current/bin:{self.env['PATH']}"
        self.env["HOME"] = str(links / "home")
        self.plan(node("a"))
        tried = {
            "programs": f"mv {links}/current {links}/x && mkdir -p {links}/current/bin",
            "behind": f"mv {tools}/v1 {tools}/x",
            "home": f"mv {links}/home {links}/y && mkdir {links}/home",
            "profile": "echo x >> $HOME/.profile",
        }
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.all_denied()

    def test_the_libraries_of_a_language_in_the_home_folder(self) -> None:
        home = Path(self.env["HOME"])
        own, other = (home / "versions" / name for name in ("1", "2"))
        for version in (own, other):
            (version / "bin").mkdir(parents=True)
            (version / "lib" / "python3.99").mkdir(parents=True)
            (version / "lib" / "ruby").mkdir()
        (other / "bin" / "python3").touch()
        (home / "venv" / "bin").mkdir(parents=True)
        (home / "venv" / "bin" / "python3").symlink_to(other / "bin" / "python3")
        self.env["PATH"] = f"{home}/venv/bin:{own}/bin:{self.env['PATH']}"
        self.plan(node("a"))
        tried = {
            "module": f"touch {own}/lib/python3.99/unittest.py",
            "gem": f"touch {own}/lib/ruby/x",
            "base": f"touch {other}/lib/python3.99/unittest.py",
            "interpreter": f"echo x >> {other}/bin/python3",
        }
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.all_denied()

    def test_director_cannot_be_stopped_by_an_agent(self) -> None:
        self.plan(node("a"))
        holder = f"$(sed 's/.*\"pid\": \\([0-9]*\\).*/\\1/' {self.home}/lock)"
        self.implement("a", *good(self.asks(kill=f"kill -9 {holder}", stop=f"kill -STOP {holder}")))
        self.ends(0, "run")
        self.all_denied()

    def test_the_code_that_a_gate_runs(self) -> None:
        tried = self.script(
            record=f"echo x >> {self.home}/plan.json",
            checkout=f"touch {self.repo.root}/x",
            agents_worktree="touch ../../agents/slot-1/x",
            settings="git config --global a.b c",
        )
        self.plan(node("a", files=["a.txt", "work.sh"], test_cmd="sh work.sh; sh tests/a.sh"))
        self.implement("a", work(tried), *good())
        self.ends(0, "run")
        self.all_denied()


class TestForgeryOnASharedServer(TestForgery):
    server = "auto"


class TestWhatStaysPossible(ConfinedCase):
    """Builds work, in agents and in gates; setup may do more."""

    def test_caches_temporary_files_and_commits(self) -> None:
        tried = self.script(
            cache="mkdir -p $HOME/.cache/new-tool/x",
            temporary="touch $TMPDIR/x && mktemp",
            data="touch $HOME/.local/share/opencode/x",
            commit="git add -A && git commit -qm x --allow-empty && git log -1",
            stash="echo x > x && git stash -qu && git stash pop -q && rm x",
            tag="git tag mine && git checkout -q -b branch",
            elsewhere=f"touch {self.tmp}/x",
            null="echo x > /dev/null",
        )
        self.plan(node("a", files=["a.txt", "work.sh"], test_cmd="sh work.sh; sh tests/a.sh"))
        self.implement(
            "a", silent_shell(tried), shell(f"cat > work.sh <<'END'\n{tried}\nEND"), *good()
        )
        self.ends(0, "run")
        self.assertEqual(set(self.answered().values()), {"yes"}, self.answered())
        self.assertEqual(self.repo.git("tag"), "")

    def test_caches_beside_programs_on_the_path(self) -> None:
        """Nothing new can be made in ~/.cargo itself where ~/.cargo/bin is on PATH."""
        home = Path(self.env["HOME"])
        for folder, program in ((".cargo/bin", "cargo"), ("go/bin", "go"), (".bun/bin", "bun")):
            (home / folder).mkdir(parents=True)
            (home / folder / program).symlink_to("/bin/true")
            self.env["PATH"] += f":{home / folder}"
        tried = {
            "cargo": "mkdir -p $HOME/.cargo/registry/x $HOME/.cargo/git/x",
            "go": "mkdir -p $HOME/go/pkg/mod/x",
            "bun": "mkdir -p $HOME/.bun/install/cache/x",
        }
        self.plan(node("a"))
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.assertEqual(self.answered(), dict.fromkeys(tried, "yes"))

    def test_a_gate_that_may_not_write_in_the_home_folder_says_so(self) -> None:
        """Before anything is paid for work that could never pass."""
        script = 'mkdir -p "$HOME/.tool" || exit 1\n' + script_of_test("a")
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", script), say("written"), node="a")
        denied = f"exit code 1; it may not write {self.env['HOME']}/.tool; see `write` of [sandbox]"
        planned = self.ends(0, "plan", "make things", "--no-critique", "-v")
        self.assertIn(f"a: new tests on the base: red ({denied})", planned.err)
        self.fake.always("executor", *good())
        failed = self.ends(1, "run", "--max-attempts", "1").in_one_line
        self.assertIn(denied.removeprefix("exit code 1; "), failed)

    def test_setup_may_write_what_is_the_users_but_not_the_checkout(self) -> None:
        tried = self.script(
            settings="git config --global a.b c && git config --global --unset a.b",
            checkout=f"touch {self.repo.root}/x",
        )
        self.configure(f"[worktree]\nsetup = '''{tried}'''\n")
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.answered(), {"settings": "yes", "checkout": "no"})

    def test_setup_of_a_candidate_may_write_no_more_than_its_gate(self) -> None:
        tried = self.script(settings="git config --global a.b c")
        self.commit_files({"setup.sh": "true\n"})
        self.configure('[worktree]\nsetup = "sh setup.sh"\nsetup_inputs = ["setup.sh"]\n')
        self.plan(node("a", files=["a.txt", "setup.sh"]))
        given = silent_shell(f"cat > setup.sh <<'END'\n{tried}\nEND")
        self.implement("a", *good(given))
        self.ends(0, "run")
        self.all_denied()

    def test_a_test_may_have_a_home_with_settings_of_its_own(self) -> None:
        own = "export HOME=$(mktemp -d); git config --global user.name Me"
        check = 'test "$(git config user.name)" = Me'
        self.plan(node("a", test_cmd=f"({own}; {check}) || exit 3; sh tests/a.sh"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])

    def test_what_the_users_git_settings_include_is_kept_as_well(self) -> None:
        home = Path(self.env["HOME"])
        for name in ("more", "attributes"):
            (home / "dots" / name).parent.mkdir(exist_ok=True)
            (home / "dots" / name).write_text("[a]\n\tb = c\n" if name == "more" else "")
        with (home / ".gitconfig").open("a") as stream:
            stream.write("[include]\n\tpath = dots/more\n")
            stream.write("[core]\n\tattributesFile = ~/dots/attributes\n")
        self.plan(node("a"))
        tried = {name: f"echo >> {home}/dots/{name}" for name in ("more", "attributes")}
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.all_denied()

    def test_a_repository_in_the_folder_for_temporary_files(self) -> None:
        self.env["TMPDIR"] = str(self.place)
        self.plan(node("a"))
        tried = {"temporary": "touch $TMPDIR/x", "usual": f"touch {self.place}/x"}
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.assertEqual(self.answered(), {"temporary": "yes", "usual": "no"})


class TestModes(ConfinedCase):
    def test_strict(self) -> None:
        extra = Path(self.env["HOME"]) / "extra"
        words = json.dumps([str(self.tmp), str(self.fake.folder), "~/extra"])
        self.configure(f'[sandbox]\nmode = "strict"\nwrite = {words}\n')
        tried = self.script(
            worktree="touch new && rm new",
            temporary="touch $TMPDIR/x",
            named=f"touch {extra}/x",
            null="echo > /dev/null",
            cache="mkdir $HOME/.cache/x",
            settings="touch $HOME/.config/opencode/x",
            beside=f"touch {self.place}/x",
        )
        self.plan(node("a", files=["a.txt", "work.sh"], test_cmd="sh work.sh; sh tests/a.sh"))
        self.implement(
            "a", silent_shell(tried), shell(f"cat > work.sh <<'END'\n{tried}\nEND"), *good()
        )
        self.ends(0, "run")
        free = dict.fromkeys(("worktree", "temporary", "named", "null"), "yes")
        closed = dict.fromkeys(("cache", "settings", "beside"), "no")
        self.assertEqual(self.answered(), {**free, **closed})
        self.assertIn("strict by Landlock", self.lines("receipts.jsonl")[0]["confinement"])

    def test_hidden_files_cannot_be_read(self) -> None:
        secret = Path(self.env["HOME"]) / ".ssh"
        secret.mkdir()
        (secret / "key").write_text("x")
        self.configure('[sandbox]\nhide = ["~/.ssh"]\n')
        self.plan(node("a"))
        tried = {"key": "cat $HOME/.ssh/key", "listed": "ls $HOME/.ssh", "other": "cat a.txt"}
        self.implement("a", *good(), self.asks(**tried))
        self.ends(0, "run")
        self.assertEqual(self.answered(), {"key": "no", "listed": "no", "other": "yes"})

    def test_hiding_takes_nothing_else_from_agents_on_a_shared_server(self) -> None:
        """Their shell cannot list the folders on the way to what is hidden."""
        secret = Path(self.env["HOME"]) / ".ssh"
        secret.mkdir()
        self.configure('[opencode]\nserver = "auto"\n[sandbox]\nhide = ["~/.ssh"]\n')
        self.plan(node("a"))
        tried = {
            "null": "echo x > /dev/null",
            "cache": "mkdir -p $HOME/.cache/new-tool",
            "temporary": f"touch {self.tmp}/x",
            "commit": "git commit -qm x --allow-empty",
        }
        self.implement("a", *good(), shell(self.script(**tried)))
        self.ends(0, "run")
        self.assertEqual(self.answered(), dict.fromkeys(tried, "yes"))

    def test_off(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')
        self.plan(node("a"))
        self.implement("a", *good(self.asks(place=f"touch {self.place}/x")))
        self.ends(0, "run")
        self.assertEqual(self.answered(), {"place": "yes"})
        self.assertEqual(self.lines("receipts.jsonl")[0]["confinement"], "none")

    def test_what_holds_is_said_and_on_the_receipt(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        done = self.ends(0, "run")
        self.assertRegex(done.err, r"run: 1 node, .*; confined: protect by Landlock \(ABI \d+\)")
        self.assertRegex(self.lines("receipts.jsonl")[0]["confinement"], "^protect by Landlock")

    def test_a_folder_that_would_open_the_checkout_is_refused(self) -> None:
        self.configure(f'[sandbox]\nwrite = ["{self.place}"]\n')
        done = self.ends(2, "plan", "make things", "--no-critique")
        self.assertIn(f"[sandbox] write names {self.place}, which holds {self.repo.root}", done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_a_folder_in_the_checkout_is_refused_and_not_made(self) -> None:
        inside = self.repo.root / "build"
        self.configure(f'[sandbox]\nwrite = ["{inside}"]\n')
        done = self.ends(2, "plan", "make things", "--no-critique")
        self.assertIn(f"[sandbox] write names {inside}, which is in {self.repo.root}", done.err)
        self.assertFalse(inside.exists())

    def test_hiding_what_agents_work_in_is_refused(self) -> None:
        self.configure('[sandbox]\nhide = ["~"]\n')
        done = self.ends(2, "plan", "make things", "--no-critique")
        self.assertIn(f"[sandbox] hide names {self.env['HOME']}, which holds ", done.err)
        self.assertEqual(self.fake.calls(), [])


class TestWithoutLandlock(FaultCase):
    """The kernel has no Landlock: bubblewrap where it works, else one line says that nothing is."""

    def ends_without(self, code: int, *argv: str) -> Done:
        words = [sys.executable, "-m", "tests.support.kernel", sys.executable, "-m", "director"]
        done = self.command(*words, *argv, env={**self.env, "PYTHONPATH": str(SOURCE)})
        self.assertEqual(done.code, code, done.err)
        return done

    def without_bubblewrap(self) -> None:
        """Leave on PATH what the job needs, and no bwrap."""
        programs = self.place / "programs"
        programs.mkdir()
        for name in ("sh", "git", "cat", "grep", "touch", "true", "rm", "cp", "sed"):
            (programs / name).symlink_to(str(shutil.which(name)))
        self.env["PATH"] = f"{self.fake.program.parent}:{programs}"

    def test_it_is_said_once_and_the_job_is_done(self) -> None:
        self.without_bubblewrap()
        self.script_planning(node("a"))
        planned = self.ends_without(0, "plan", "make things", "--no-critique")
        self.assertEqual(planned.err.count("are not confined"), 1)
        self.implement("a", *good(shell(f"touch {self.place}/x")))
        done = self.ends_without(0, "run")
        self.assertEqual(done.err.count("are not confined: neither Landlock nor bubblewrap"), 1)
        self.assertEqual(self.lines("receipts.jsonl")[0]["confinement"], "none")
        self.before = self.repo.fingerprint()
        self.only_the_work_is_merged()

    def test_what_is_demanded_and_cannot_be_had_is_refused(self) -> None:
        self.without_bubblewrap()
        for mode in ("protect", "strict"):
            self.configure(f'[sandbox]\nmode = "{mode}"\n')
            done = self.ends_without(2, "plan", "make things", "--no-critique")
            self.assertIn("needs Landlock (Linux 5.19 or later) or a working bubblewrap", done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_bubblewrap_takes_its_place(self) -> None:
        if problem := bubblewrap_problem():
            self.skipTest(f"bubblewrap does not work here: {problem}")
        self.script_planning(node("a"))
        self.ends_without(0, "plan", "make things", "--no-critique")
        tried = (
            f"touch {self.repo.root}/x",
            f"echo x >> {self.home}/plan.json",
            "touch ../../gates/x",
            "echo x >> $HOME/.gitconfig",
            "mkdir $HOME/.ssh",
            "rm $HOME/.profile",
            f"mkdir -p {self.tmp}/a/b",
            "mv $HOME/.config $HOME/.moved",
            f"mv {self.repo.root} {self.place}/moved",
            "mv $HOME/.local $HOME/.moved",
        )
        (Path(self.env["HOME"]) / ".profile").symlink_to("dots")
        answers = self.tmp / "answers"
        answers.touch()  # nothing new can be made beside what is kept
        self.env["GOENV"] = f"{self.tmp}/a/b/env"
        steps = [
            shell(f"({one}) && echo yes >> {answers} || echo no >> {answers}") for one in tried
        ]
        free = shell(
            f"mkdir $HOME/.cache/new; git commit -qm x --allow-empty && echo yes >> {answers}"
        )
        self.implement("a", *good(*steps, free))
        self.ends_without(0, "run")
        self.assertEqual(answers.read_text().split(), [*["no"] * len(tried), "yes"])
        receipt = self.lines("receipts.jsonl")[0]
        self.assertEqual(receipt["confinement"], "protect by bubblewrap")
        self.before = self.repo.fingerprint()


class TestUnconfined(FaultCase):
    """Nothing keeps agents from anything: director looks at what it can."""

    confined = False

    def test_git_settings_of_an_agent_have_no_part_in_what_gates_see(self) -> None:
        self.plan(node("a"))
        tricks = (
            "git config --global filter.x.smudge 'sed s/bad/good/'; "
            f"git config --global core.attributesFile {self.tmp}/attributes; "
            f"echo '* filter=x' > {self.tmp}/attributes",
            "mkdir -p $HOME/.config/git; echo '* filter=x' > $HOME/.config/git/attributes",
            f"echo '[core]\n\tattributesFile={self.tmp}/attributes' >> {POOL}/notes/git/config",
        )
        for trick in tricks:
            self.implement("a", silent_shell(trick), *bad())
        self.implement("a", *good())
        self.ends(0, "run", "--max-attempts", "9")
        self.assertEqual(self.outcomes(), ["red"] * len(tricks) + ["green"])
        self.only_the_work_is_merged()

    def test_what_is_put_into_a_gates_worktree_while_it_runs_is_not_what_merges(
        self,
    ) -> None:
        gate = f"test -e {self.tmp}/now && echo good > a.txt; sh tests/a.sh"
        self.plan(node("a", test_cmd=gate))
        self.implement("a", mark(self.tmp / "now"), *bad())
        self.implement("a", mark(self.tmp / "now"), *bad())
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.outcomes(), ["red", "red"])
        self.assertIn("while it ran a.txt changed", str(self.node_state("a")["error"]))
        self.nothing_is_merged()


class TestGatesOwnChanges(FaultCase):
    """What the test command itself writes is not the agent's work."""

    def test_a_command_that_rewrites_a_tracked_file_costs_no_attempt(self) -> None:
        self.commit_files({"lock": "1\n"})
        self.plan(node("a", test_cmd="date +%N > lock; sh tests/a.sh"))
        self.implement("a", *good(shell("date +%N > lock; sh tests/a.sh")))
        done = self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])
        self.assertIn("the test command of a itself changes lock: left out", done.err)
        self.only_the_work_is_merged()
        self.assertEqual(self.on_branch("lock"), "1")

    def test_nor_does_one_that_does_so_only_when_the_work_is_there(self) -> None:
        self.commit_files({"lock": "1\n"})
        self.plan(node("a", test_cmd="sh tests/a.sh && echo 2 > lock"))
        self.implement("a", *good(shell("sh tests/a.sh && echo 2 > lock")))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])
        self.only_the_work_is_merged()
        self.assertEqual(self.on_branch("lock"), "1")

    def test_each_run_starts_from_the_exact_tree(self) -> None:
        self.plan(node("a", test_cmd="test ! -e dirt && touch dirt && sh tests/a.sh"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["green"])

    def test_another_file_that_an_agent_changed_is_still_out_of_scope(self) -> None:
        self.commit_files({"lock": "1\n", "other": "1\n"})
        self.plan(node("a", test_cmd="sh tests/a.sh && echo 2 > lock"))
        self.implement("a", *good(shell("sh tests/a.sh && echo 2 > lock; echo 2 > other")))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["out_of_scope", "green"])
