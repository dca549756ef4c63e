"""Gates test a worktree: what they cannot read of the user's checkout cannot decide instead."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.cases import FaultCase
from tests.support.bubblewrap import bubblewrap_problem
from tests.support.fake_opencode import say, write
from tests.support.jobs import SOURCE, Done, node
from tests.support.kernel import require_landlock


class ReadingCase(FaultCase):
    def setUp(self) -> None:
        require_landlock()
        super().setUp()
        self.answers = self.tmp / "answers"

    def asks(self, *places: str) -> str:
        """Return a test that notes which files can be read, and is then that of node a."""
        paths = " ".join(f"'{self.repo.root / place}'" for place in places)
        look = f'for one in {paths}; do cat "$one" > /dev/null 2>&1 && echo "$one"; done'
        return f"({look}) > {self.answers}; grep -q good a.txt || {{ echo no good a; exit 1; }}\n"

    def could_read(self) -> list[str]:
        lines = self.answers.read_text().splitlines()
        return [str(Path(line).relative_to(self.repo.root)) for line in lines]


class TestGates(ReadingCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo.write(".gitignore", ".venv\ndata\n.director\n")
        self.repo.write("tools/bin/tool", "exit 0\n")
        self.repo.write("src/a.py", "A = 1\n")
        self.repo.commit("more")
        for name in (".venv/lib/x.py", "data/x", "new.txt", "env/pyvenv.cfg", "env/lib/x.py"):
            self.repo.write(name, "x\n")
        self.places = (
            ".git/config", ".director/config.toml", ".venv/lib/x.py", "data/x", "env/lib/x.py",
            "tools/bin/tool", "tools/other", "src/a.py", "new.txt", "README",
        )  # fmt: skip
        (self.repo.root / "env/bin").mkdir()
        self.repo.write("tools/other", "x\n")
        self.before = self.repo.fingerprint()
        found = [str(self.repo.root / name) for name in ("env/bin", "tools/bin")]
        self.env["PATH"] = ":".join([*found, self.env["PATH"]])

    def test_they_read_what_they_need_and_nothing_that_a_worktree_has_of_its_own(self) -> None:
        self.plan(node("a"), tests={"a": self.asks(*self.places)})
        self.assertEqual(
            self.could_read(),
            [".git/config", ".director/config.toml", ".venv/lib/x.py", "data/x", "env/lib/x.py",
             "tools/bin/tool"],
        )  # fmt: skip
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")

    def test_what_the_configuration_lets_them(self) -> None:
        self.configure(f'[sandbox]\nread = ["{self.repo.root}/src"]\n')
        self.plan(node("a"), tests={"a": self.asks("src/a.py", "README")})
        self.assertEqual(self.could_read(), ["src/a.py"])

    def test_what_is_hidden_is_hidden_in_what_they_may_read_too(self) -> None:
        self.configure(f'[sandbox]\nhide = ["{self.repo.root}/data"]\n')
        self.plan(node("a"), tests={"a": self.asks("data/x", ".venv/lib/x.py")})
        self.assertEqual(self.could_read(), [".venv/lib/x.py"])

    def test_nothing_is_closed_where_confinement_is_off(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')
        self.plan(node("a"), tests={"a": self.asks("src/a.py")})
        self.assertEqual(self.could_read(), ["src/a.py"])

    def test_setup_and_agents_read_it(self) -> None:
        self.configure(f'[worktree]\nsetup = "cat {self.repo.root}/README > made"\n')
        self.plan(node("a"), tests={"a": self.asks("README")})
        self.assertEqual(self.could_read(), [])
        self.fake.queue(
            "executor",
            {"do": "shell", "command": f"cat {self.repo.root}/README > a.txt; echo good >> a.txt"},
            say("done"),
            node="a",
        )
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "hello\ngood")

    def test_a_gate_that_is_refused_says_so(self) -> None:
        self.repo.write("src/a.sh", "A=1\n")
        self.before = self.repo.fingerprint()
        gate = f". {self.repo.root}/src/a.sh"
        self.configure(f'[gates]\nall = "{gate}"\n')
        self.plan(node("a"))
        (told,) = [e for e in self.lines("events.jsonl") if e["kind"] == "base_gate"]
        self.assertIn(f"it may not read {self.repo.root}/src/a.sh", told["reason"])
        self.assertIn("`read` of [sandbox]", told["reason"])

    def test_a_linked_worktree_of_the_users_closes_the_main_checkout_too(self) -> None:
        self.repo.git("worktree", "add", "-q", str(self.place / "second"))
        places = [f"{self.place}/second/README", "README", ".git/config"]
        self.script_planning(node("a"))
        self.fake.always(
            "test-author", write("tests/a.sh", self.asks(*places)), say("written"), node="a"
        )
        (self.place / "second/.director").mkdir()
        (self.place / "second/.director/config.toml").write_text(
            (self.home / "config.toml").read_text()
        )
        self.before = self.repo.fingerprint()
        self.ends(0, "plan", "make things", "--no-critique", cwd=self.place / "second")
        self.assertEqual(self.could_read(), [".git/config"])


class TestBubblewrap(TestGates):
    """The same where there is no Landlock."""

    def setUp(self) -> None:
        if problem := bubblewrap_problem():
            self.skipTest(f"bubblewrap does not work here: {problem}")
        super().setUp()

    def director(self, *argv: str, cwd: Path | None = None, **_how: object) -> Done:
        words = [sys.executable, "-m", "tests.support.kernel", sys.executable, "-m", "director"]
        env = {**self.env, "PYTHONPATH": str(SOURCE)}
        return self.command(*words, *argv, env=env, cwd=cwd)

    def test_a_gate_that_is_refused_says_so(self) -> None:
        self.skipTest("there, what cannot be read is not there")
