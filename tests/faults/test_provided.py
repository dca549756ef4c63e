"""Worktrees that are ready to test: what is provided is there, and changing it gains nothing.

With it: what setup made (``setups``), what tells lanes apart (``slots``),
``job.job_worktrees`` and ``job.forbidden``.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from tests.faults.cases import FaultCase
from tests.support.fake_opencode import hang, mark, say, shell, wait_for, write
from tests.support.jobs import node, script_of_test

SETUP = """\
[worktree]
setup = "sh setup.sh"
setup_inputs = ["deps.lock"]
"""
SETUP_SCRIPT = """\
mkdir -p node_modules/tool/.bin
cp deps.lock node_modules/tool/version
echo "setup ran with $(cat deps.lock)"
"""
# Changes a file, and has director's index of the worktree say that it is as it was checked out.
FORGE = """\
import hashlib, os, pathlib, struct, sys, time
path, here = sys.argv[1], pathlib.Path.cwd()
pathlib.Path(path).write_text("forged\\n")
time.sleep(1.1)  # git looks at the content of what is of the same second as its index
index = here.parent.parent / "notes" / f"{here.parent.name}-{here.name}.index"
data, now = bytearray(index.read_bytes()), os.lstat(path)
times = [*divmod(now.st_ctime_ns, 10**9), *divmod(now.st_mtime_ns, 10**9)]
mode = 0o100644  # as git has it
about = [*times, now.st_dev, now.st_ino, mode, now.st_uid, now.st_gid, now.st_size]
at = data.index(path.encode() + b"\\0") - 62
data[at : at + 40] = struct.pack(">10L", *(one & 0xFFFFFFFF for one in about))
data[-20:] = hashlib.sha1(data[:-20]).digest()
index.write_bytes(data)
"""
NEEDS_TOOL = "grep -qx one node_modules/tool/version && sh tests/{name}.sh"


class ProvidedCase(FaultCase):
    def setUp(self) -> None:
        super().setUp()
        self.commit_files(
            {
                ".gitignore": "node_modules\n.env\ntarget/\n*.local\n",
                "setup.sh": SETUP_SCRIPT,
                "deps.lock": "one\n",
            }
        )

    def users_file(self, name: str, text: str) -> None:
        """Let the user have a file that git ignores."""
        self.repo.write(name, text)
        self.before = self.repo.fingerprint()

    def setups(self) -> list[dict[str, Any]]:
        """Return what became of the setup command, each time it ran."""
        return [event for event in self.lines("events.jsonl") if event["kind"] == "setup"]

    def setups_of_run(self) -> int:
        """Return how often setup ran since the last run began."""
        kinds = [event["kind"] for event in self.lines("events.jsonl")]
        return kinds[len(kinds) - kinds[::-1].index("run_started") :].count("setup")


class TestSetup(ProvidedCase):
    def test_it_cannot_hide_what_it_does_to_tracked_files(self) -> None:
        self.commit_files({"forge.py": FORGE, "setup.sh": f"{sys.executable} forge.py deps.lock\n"})
        self.configure(SETUP)
        self.plan(node("a", test_cmd="grep -qx one deps.lock && sh tests/a.sh"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("deps.lock"), "one")

    def test_it_runs_once_for_the_job_and_the_tests_find_what_it_made(self) -> None:
        self.configure(SETUP + '[gates]\nall = "test -d node_modules"\n')
        needs = [node(n, test_cmd=NEEDS_TOOL.format(name=n)) for n in "ab"]
        self.plan(*needs)
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual((len(self.setups()), self.setups_of_run()), (1, 0))  # by `plan`
        (log,) = {one["log"] for one in self.setups()[-1:]}
        self.assertIn("setup ran with one", (self.home / log).read_text())
        self.assertNotIn("node_modules", " ".join(self.files_on_branch()))

    def test_nothing_runs_where_nothing_is_configured(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.setups(), [])

    def test_it_runs_again_where_the_lock_file_changes(self) -> None:
        self.configure(SETUP)
        wants_two = f"grep -qx two node_modules/tool/version || exit 1\n{script_of_test('a')}"
        self.plan(
            node("a", files=["a.txt", "deps.lock"]),
            node("b", test_cmd=NEEDS_TOOL.replace("one", "two").format(name="b"), depends_on=["a"]),
            tests={"a": wants_two},
        )
        self.implement("a", write("deps.lock", "two\n"), write("a.txt", "good\n"), say("done"))
        self.implement("b", *self.good_work("b"))
        self.ends(0, "run")
        self.assertEqual(self.setups_of_run(), 2)  # for the candidate's gate, and b's agent
        self.assertEqual(self.outcomes("a"), ["green"])

    def test_one_that_fails_stops_the_run_and_says_where_to_look(self) -> None:
        self.configure(SETUP)
        self.plan(node("a"))
        config = self.home / "config.toml"
        config.write_text(config.read_text().replace("sh setup.sh", "echo no network; exit 7"))
        done = self.ends(3, "run", "--json")
        what = f"{done.json['what']} {done.json['next']}"
        self.assertIn("the setup of a worktree failed: `echo no network; exit 7`", what)
        self.assertIn("exit code 7: no network", what)
        log = self.home / self.setups()[-1]["log"]
        self.assertIn(str(log), what)
        self.assertEqual(log.read_text(), "no network\n")
        self.assertEqual(self.executor_calls(), 0)
        config.write_text(config.read_text().replace("echo no network; exit 7", "sh setup.sh"))
        self.is_pending_and_resumable()

    def test_one_that_cannot_start_or_takes_too_long_stops_the_run(self) -> None:
        self.configure(SETUP)
        self.plan(node("a"))
        config = self.home / "config.toml"
        text = config.read_text()
        config.write_text(text.replace("sh setup.sh", "no-such-program"))
        self.assertIn("127", self.ends(3, "run").in_one_line)
        config.write_text(
            text.replace("sh setup.sh", "sleep 300") + "[limits]\nnode_timeout_secs = 1\n"
        )
        self.assertIn("no end within 1 s", self.ends(3, "run").in_one_line)

    def test_one_that_a_candidate_broke_spends_an_attempt(self) -> None:
        config = SETUP.replace("sh setup.sh", "grep -q one deps.lock")
        self.configure(config)
        self.plan(node("a", files=["a.txt", "deps.lock"]))
        self.implement("a", write("deps.lock", "broken\n"), write("a.txt", "good\n"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        self.assertEqual(self.on_branch("deps.lock"), "one")
        (again,) = [c for c in self.fake.calls() if "prepares the worktree, fails" in c.prompt]
        self.assertIn("grep -q one deps.lock", again.prompt)

    def test_one_that_fails_names_what_was_withheld_from_it_and_how_to_give_it(self) -> None:
        self.configure(SETUP.replace("sh setup.sh", "echo 401; exit 7"))
        self.env["MY_API_KEY"] = "key-that-is-secret"
        self.script_planning(node("a"))
        done = self.ends(3, "plan", "make a", "--no-critique", "--json")
        self.assertIn("exit code 7: 401 (it did not get MY_API_KEY)", done.json["error"])
        self.assertIn('`pass = ["MY_API_KEY"]` in [env]', done.json["next"])
        self.assertNotIn("key-that-is-secret", done.out + done.err)
        self.configure(
            SETUP.replace("sh setup.sh", "echo 401; exit 7") + '[env]\npass = ["MY_API_KEY"]\n'
        )
        done = self.ends(3, "plan", "--continue", "--no-critique", "--json")
        self.assertNotIn("did not get", done.json["error"])

    def test_keys_are_withheld_from_it(self) -> None:
        self.configure(SETUP.replace("sh setup.sh", 'test -z \\"$MY_API_KEY\\"'))
        self.env["MY_API_KEY"] = "key-that-is-secret"
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")

    def test_what_it_does_to_tracked_files_is_undone(self) -> None:
        self.configure(SETUP.replace("sh setup.sh", "echo changed > README; rm .gitignore"))
        check = "grep -qx hello README && cat .gitignore && sh tests/a.sh"
        self.plan(node("a", files=["a.txt", "deps.lock"], test_cmd=check))
        self.implement("a", write("deps.lock", "two\n"), *self.good_work("a"))
        self.ends(0, "run")
        self.assertEqual((self.outcomes(), self.setups_of_run()), (["green"], 1))  # the candidate's

    def test_a_process_that_it_leaves_is_ended(self) -> None:
        self.configure(SETUP.replace("sh setup.sh", "setsid sleep 300 & true"))
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")


class TestTampering(ProvidedCase):
    """An agent that makes its red work green by what is provided gains nothing."""

    def red_by(self, *scripts: str, test: str) -> None:
        """Let an agent do bad work and run ``scripts``; ``test`` must be red all the same."""
        self.plan(node("a", test_cmd=test))
        for script in scripts:
            self.implement("a", shell(script), write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run", "--max-attempts", str(len(scripts) + 1))
        self.assertEqual(self.outcomes(), ["red"] * len(scripts) + ["green"])
        self.only_the_work_is_merged()

    def test_what_setup_made(self) -> None:
        self.configure(SETUP)
        self.red_by(
            "echo cheat > node_modules/tool/version",
            "touch -r node_modules/tool/version t; printf 'two\\n' > node_modules/tool/version;"
            " touch -r t node_modules/tool/version",
            "echo > node_modules/cheat",
            "rm -rf node_modules; mkdir node_modules; touch node_modules/cheat",
            "mv node_modules away; ln -s away node_modules; touch away/cheat",
            "chmod 0 node_modules; ln -s / cheat",
            "echo cheat > ../../notes/*-slot-1.made/node_modules/tool/version; rm -r node_modules",
            "rm -rf ../../notes/*-slot-1.made node_modules; touch ../../notes/*-slot-1.made",
            test="test -e node_modules/cheat || ! grep -qx one node_modules/tool/version"
            " || sh tests/a.sh",
        )

    def test_what_is_copied(self) -> None:
        self.users_file(".env", "MODE=strict\n")
        self.configure('[worktree]\ncopy = [".env"]\n')
        self.red_by(
            "echo MODE=cheat > .env",
            "rm .env",
            "rm .env; ln -s README .env",
            "for f in ../../notes/given-*/tree/.env; do echo MODE=cheat > $f; done; rm .env",
            "rm -r ../../notes/given-*; rm .env",
            test="! grep -qx MODE=strict .env || sh tests/a.sh",
        )

    def test_what_is_linked(self) -> None:
        self.users_file("node_modules/tool/version", "one\n")
        self.configure('[worktree]\nlink = ["node_modules"]\n')
        self.red_by(
            "chmod -R u+w node_modules/; echo cheat > node_modules/tool/version",
            "chmod -R u+w node_modules/; touch node_modules/cheat",
            "rm node_modules; mkdir node_modules; touch node_modules/cheat",
            "rm -rf ../../notes/given-*",
            test="test -e node_modules/cheat || ! grep -qx one node_modules/tool/version"
            " || sh tests/a.sh",
        )

    def test_build_folders(self) -> None:
        self.configure('[worktree]\nkeep = ["target/"]\n')
        self.red_by(
            "mkdir -p target; echo > target/cheat",
            "ln -s . target; echo > cheat",
            "mkdir -p ../../notes/slot-1.kept/target; echo > ../../notes/slot-1.kept/target/cheat",
            test="test -e target/cheat || sh tests/a.sh",
        )

    def test_strays_next_to_what_is_provided_are_removed_and_named(self) -> None:
        self.users_file("pkg/.env.local", "X=1\n")
        self.users_file(".worktreeinclude", ".env*\n")
        self.configure(SETUP)
        self.plan(node("a", test_cmd="test ! -e stray && test ! -e pkg/stray && sh tests/a.sh"))
        self.implement("a", shell("echo > stray; mkdir -p pkg; echo > pkg/stray"))
        self.implement("a")
        self.ends(0, "run")
        lessons = [e["lesson"] for e in self.lines("events.jsonl") if "lesson" in e]
        self.assertIn("dropped: stray.", " ".join(lessons))
        self.assertNotIn("node_modules", " ".join(lessons))


class TestBuildFolders(ProvidedCase):
    def test_what_a_green_gate_built_is_there_for_the_next(self) -> None:
        self.configure('[worktree]\nkeep = ["target"]\n')
        build = "ls target; mkdir -p target; echo built > target/{name}; sh tests/{name}.sh"
        self.plan(
            node("a", test_cmd=build.format(name="a")),
            node("b", test_cmd=build.format(name="b"), depends_on=["a"]),
        )
        self.implement("a")
        self.implement("b", shell("cat target/a && echo seen"), *self.good_work("b"))
        self.ends(0, "run")
        found = {
            e["node"] + "-" + e["purpose"]: (self.home / e["log"]).read_text().split("\n")[0]
            for e in self.lines("events.jsonl")
            if e["kind"] == "gate" and e["purpose"] in ("before", "candidate")
        }
        self.assertIn("No such file", found["a-candidate"])  # the red gate's was thrown away
        self.assertEqual((found["b-before"], found["b-candidate"]), ("a", "a"))


class TestUsersFiles(ProvidedCase):
    def test_copies_and_links_are_there_for_agents_and_gates(self) -> None:
        self.users_file(".env", "A=1\n")
        self.users_file("conf/dev.local", "B=1\n")
        self.users_file("conf/other.local", "C=1\n")
        self.users_file("node_modules/tool/version", "one\n")
        self.users_file(".worktreeinclude", "# as other tools have it\ndev.local\nREADME\n")
        self.configure('[worktree]\ncopy = [".env"]\nlink = ["node_modules"]\n')
        check = (
            "test -f .env && test ! -L .env && test -f conf/dev.local && test ! -e conf/other.local"
            " && test -L node_modules && grep -qx one node_modules/tool/version"
        )
        self.plan(node("a", test_cmd=f"{check} && sh tests/a.sh"))
        self.implement("a", shell(f"{check} || echo missing > a.txt"), *self.good_work("a"))
        self.ends(0, "run")
        self.only_the_work_is_merged()
        self.assertEqual(self.ends(0, "verify", "--rerun", "--json").json["ok"], True)

    def test_the_checkout_is_as_it_was_whatever_agents_do_through_links(self) -> None:
        self.users_file("node_modules/tool/version", "one\n")
        self.users_file(".env", "A=1\n")
        self.configure('[worktree]\ncopy = [".env"]\nlink = ["node_modules"]\n')
        self.plan(node("a"))
        harm = (
            "chmod -R u+w node_modules/; rm -rf node_modules/*; echo x > .env; touch node_modules/y"
        )
        self.implement("a", shell(harm), *self.good_work("a"))
        self.ends(0, "run")  # the checkout is compared at the end of each test

    def test_what_cannot_be_given_is_said_before_any_call(self) -> None:
        self.users_file(".env", "A=1\n")
        targets = {"abs": f"{self.repo.root}/README", "out": "../../outside", "dir": "."}
        for name, target in targets.items():
            (self.repo.root / f"{name}.local").symlink_to(target)
        self.before = self.repo.fingerprint()
        for table, said in (
            ('copy = ["nope"]', "names nope, which is not in"),
            ('link = ["nope"]', "names nope, which is not in"),
            ('copy = ["README"]', "names README, which git tracks"),
            ('copy = ["abs.local"]', "abs.local is a symbolic link"),
            ('copy = ["out.local"]', "out.local is a symbolic link"),
            ('copy = ["dir.local/.env"]', "dir.local is a symbolic link"),
            ('copy = ["../x"]', "must be paths inside the repository"),
            ('link = ["/etc"]', "must be paths inside the repository"),
            ('keep = [".git"]', "must be paths outside .git and .director"),
            ('copy = [".env"]\nlink = [".env/"]', "names '.env' twice"),
        ):
            with self.subTest(table):
                self.configure(f"[worktree]\n{table}\n")
                done = self.ends(2, "plan", "make things", "--no-critique")
                self.assertIn(said, done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_a_node_cannot_work_on_what_is_provided(self) -> None:
        self.users_file(".env", "A=1\n")
        self.configure('[worktree]\ncopy = [".env"]\n')
        self.script_planning(node("a", files=["a.txt", ".env"]))
        done = self.ends(1, "plan", "make things", "--no-critique")
        self.assertIn("'.env' is provided to every worktree", done.err)

    def test_a_key_in_a_copied_file_does_not_get_into_records_or_commits(self) -> None:
        key = "sk-0123456789abcdef"
        self.users_file(".env", f"export SERVICE_API_KEY='{key}'\n")
        self.configure('[worktree]\ncopy = [".env"]\n')
        self.plan(node("a", test_cmd="cat .env; sh tests/a.sh"))
        self.implement("a", shell("cat .env > a.txt; echo good >> a.txt"), say(key))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["out_of_scope", "green"])
        logs = "".join(path.read_text() for path in (self.home / "logs").iterdir())
        self.assertNotIn(key, logs)
        self.assertIn("[redacted .env.SERVICE_API_KEY]", logs)


class TestSlots(ProvidedCase):
    def test_lanes_have_numbers_and_ports_of_their_own(self) -> None:
        told = 'echo "$DIRECTOR_SLOT $DIRECTOR_PORT_BASE"'
        self.configure(f"[worktree]\nsetup = '{told}'\n")
        self.plan(*(node(n, test_cmd=f"{told}; sh tests/{n}.sh") for n in "ab"))
        both = self.tmp / "both"
        both.mkdir()
        for mine, other in ("ab", "ba"):
            meet = (mark(both / mine), wait_for(both / other))
            self.implement(mine, *meet, *self.good_work(mine))
        self.ends(0, "run", "--parallel", "2")
        agents = {
            call.node: (call.env["DIRECTOR_SLOT"], call.env["DIRECTOR_PORT_BASE"])
            for call in self.fake.calls()
            if call.heading == "Implement"
        }
        self.assertEqual(set(agents.values()), {("1", "20000"), ("2", "20100")})
        for event in self.lines("events.jsonl"):
            if event["kind"] == "gate" and event["purpose"] == "candidate":
                first = (self.home / event["log"]).read_text().split("\n")[0]
                self.assertEqual(tuple(first.split()), agents[event["node"]])
        slots = {str(one["slot"]): self.home / one["log"] for one in self.setups()}
        self.assertEqual(slots["2"].read_text(), "2 20100\n")


class TestKilled(ProvidedCase):
    def test_a_killed_run_goes_on_in_its_slot_with_what_is_provided(self) -> None:
        self.users_file(".env", "A=1\n")
        self.configure(f'{SETUP}copy = [".env"]\n')
        self.plan(node("a", test_cmd=f"test -f .env && {NEEDS_TOOL.format(name='a')}"))
        there = self.tmp / "there"
        self.implement("a", shell("echo cheat > node_modules/tool/version"), mark(there), hang())
        running = self.start("run")
        self.until(there)
        running.send(signal.SIGKILL)
        running.ended()
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()
        self.assertEqual(self.outcomes(), ["green"])

    def test_a_run_that_is_killed_while_setup_runs_begins_it_again(self) -> None:
        self.configure(SETUP)
        self.plan(node("a", test_cmd=NEEDS_TOOL.format(name="a")))
        config = self.home / "config.toml"
        there = self.tmp / "there"
        text = config.read_text()
        half = f"mkdir node_modules; touch node_modules/half {there}; sleep 300"
        config.write_text(text.replace("sh setup.sh", half))
        running = self.start("run")
        self.until(there)
        running.send(signal.SIGKILL)
        running.ended()
        config.write_text(text.replace("sh setup.sh", "test ! -e node_modules && sh setup.sh"))
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_a_run_that_is_stopped_while_setup_runs_leaves_nothing(self) -> None:
        self.configure(SETUP)
        self.plan(node("a"))
        config = self.home / "config.toml"
        there = self.tmp / "there"
        text = config.read_text()
        config.write_text(text.replace("sh setup.sh", f"touch {there}; sleep 300"))
        running = self.start("run")
        self.until(there)
        running.send(signal.SIGTERM)
        self.assertEqual(running.ended().code, 143)
        config.write_text(text)
        self.is_pending_and_resumable()
