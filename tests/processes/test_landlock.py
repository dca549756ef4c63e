"""What a thread has taken away from itself stays away, from it and from what it starts."""

from __future__ import annotations

import subprocess
import sys
import threading
import unittest
from pathlib import Path

from director.processes import landlock
from director.processes.confinement import Landlock
from director.processes.domain import Domain, outermost
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.kernel import require_landlock

TRACE = """
import ctypes, os, subprocess, sys
library = ctypes.CDLL(None)
own = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
for name, one in ("own", own.pid), ("thread", int(sys.argv[1])):
    print(name, library.ptrace(0x4206, one, 0, 0), flush=True)  # PTRACE_SEIZE
own.stdin.close()
"""


class TestAllBut(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("a/x", "a/y", "b", "c"):
            (self.tmp / name).mkdir(parents=True)
        (self.tmp / "link").symlink_to("a")

    def open_ones(self, *kept: str) -> set[str]:
        found = map(Path, landlock.all_but([self.tmp / name for name in kept]))
        return {str(p.relative_to(self.tmp)) for p in found if p.is_relative_to(self.tmp)}

    def test_siblings_on_the_way_without_links(self) -> None:
        self.assertEqual(self.open_ones("a/x"), {"a/y", "b", "c", "home"})
        self.assertEqual(self.open_ones("a/x", "c"), {"a/y", "b", "home"})

    def test_what_is_not_there_closes_its_folder(self) -> None:
        self.assertEqual(self.open_ones("a/new"), {"a/x", "a/y", "b", "c", "home"})

    def test_nothing_kept_is_everything(self) -> None:
        self.assertEqual(landlock.all_but([]), ["/"])

    def test_outermost(self) -> None:
        paths = [Path("/a/b"), Path("/a"), Path("/c"), Path("/c")]
        self.assertEqual(outermost(paths), (Path("/a"), Path("/c")))


class TestCloses(unittest.TestCase):
    def test_what_is_kept_what_lies_in_it_and_what_holds_it(self) -> None:
        domain = Domain((Path("/a/b"), Path("/c")))
        closed = {"/a", "/a/b", "/a/b/x", "/c", "/"}
        free = {"/a/bc", "/a/x", "/d", "/cc"}
        found = {path for path in closed | free if domain.closes(Path(path))}
        self.assertEqual(found, closed)

    def test_nothing_kept_closes_nothing(self) -> None:
        self.assertFalse(Domain().closes(Path("/")))


class TestRuleset(HermeticCase):
    def setUp(self) -> None:
        require_landlock()
        super().setUp()
        self.kept, self.free = self.tmp / "kept", self.tmp / "free"
        self.kept.mkdir()
        self.free.mkdir()

    def bound(self, script: str, domain: Domain, mechanism: Landlock | None = None) -> str:
        """Run a script in a domain, from a thread of its own; returns what it says."""
        mechanism = mechanism or Landlock(landlock.abi())
        launch = mechanism.launch(["sh", "-c", script], domain)
        said: list[str] = []

        def run() -> None:
            assert launch.bind
            launch.bind()
            done = subprocess.run(launch.argv, cwd=self.tmp, capture_output=True, text=True)
            said.append(done.stdout)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return said[0]

    def settled(self, mechanism: Landlock, domain: Domain) -> object:
        """Return the rules once they are kept: those of folders that were made just now are not."""
        first = mechanism.launch([], domain).bind
        while (again := mechanism.launch([], domain).bind) != first:
            first = again
        return first

    def test_what_is_kept_cannot_be_written_by_any_way(self) -> None:
        (self.kept / "f").write_text("x")
        tries = (
            "echo y > kept/f", "echo y >> kept/f", "touch kept/new", "mkdir kept/new",
            "rm kept/f", "mv kept/f free/f", "ln kept/f free/f", "ln -s x kept/link",
            "mv kept elsewhere", "mkfifo kept/pipe", "rm -r kept", "truncate -s 0 kept/f",
        )  # fmt: skip
        script = "; ".join(f"({one}) 2>/dev/null && echo '{one}'" for one in tries)
        self.assertEqual(self.bound(script, Domain(kept=(self.kept,))), "")
        self.assertEqual((self.kept / "f").read_text(), "x")

    def test_the_rest_can_and_so_can_what_is_its_own(self) -> None:
        own = self.kept / "own"
        own.mkdir()
        script = "echo x > free/f && mv free/f kept/own/f && cat kept/own/f"
        self.assertEqual(self.bound(script, Domain((self.kept,), (own,))), "x\n")

    def test_strict(self) -> None:
        script = "touch kept/f && echo own; touch free/f 2>/dev/null || echo else; echo > /dev/null"
        said = self.bound(script, Domain(own=(self.kept,), strict=True))
        self.assertEqual(said, "own\nelse\n")

    def test_files_that_are_unread_are_listed_and_those_let_through_are_read(self) -> None:
        for name in ("f", "in/g", "hidden/h"):
            (self.kept / name).parent.mkdir(exist_ok=True)
            (self.kept / name).write_text(f"{name}\n")
        (self.free / "f").write_text("free\n")
        unread = Domain(unread=(self.kept,), read=(self.kept / "in", self.kept / "new"))
        script = "cat kept/f kept/in/g free/f 2>/dev/null; ls kept; echo x > kept/f"
        self.assertEqual(self.bound(script, unread), "in/g\nfree\nf\nhidden\nin\n")
        self.assertEqual((self.kept / "f").read_text(), "x\n")
        inside = Domain(
            hidden=(self.kept / "hidden",),
            unread=(self.kept,),
            read=(self.kept, self.kept / "hidden"),
        )
        script = "cat kept/f kept/hidden/h kept/in/g 2>/dev/null; ls kept/hidden 2>/dev/null"
        self.assertEqual(self.bound(script, inside), "x\nin/g\n")

    def test_what_may_be_read_and_was_made_again_is_read_still(self) -> None:
        mechanism, place = Landlock(landlock.abi()), self.kept / "in"
        place.mkdir()
        domain = Domain(unread=(self.kept,), read=(place,))
        self.settled(mechanism, domain)
        place.rename(self.kept / "old")
        place.mkdir()
        (place / "f").write_text("x\n")
        self.assertEqual(self.bound("cat kept/in/f; cat kept/old/f", domain, mechanism), "x\n")

    def test_an_own_folder_that_was_made_again_is_written_by_the_same_rules(self) -> None:
        mechanism, own = Landlock(landlock.abi()), self.kept / "own"
        own.mkdir()
        domain = Domain((self.kept,), (own,))
        rules = self.settled(mechanism, domain)
        for _ in range(2):
            own.rmdir()
            own.mkdir()
            script = (
                "touch kept/f 2>/dev/null; touch kept/own/f && rm kept/own/f && echo own; ls kept"
            )
            self.assertEqual(self.bound(script, domain, mechanism), "own\nown\n")
            self.assertEqual(mechanism.launch([], domain).bind, rules)

    def test_an_own_folder_that_a_link_stands_for_opens_nothing(self) -> None:
        mechanism, own = Landlock(landlock.abi()), self.kept / "own"
        own.mkdir()
        domain = Domain((self.kept,), (own,))
        self.settled(mechanism, domain)
        own.rmdir()
        own.symlink_to(self.kept)
        self.assertEqual(
            self.bound("touch kept/f 2>/dev/null || echo no", domain, mechanism), "no\n"
        )

    def test_this_thread_stays_free_and_processes_outside_get_no_signal(self) -> None:
        sleeper = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
        self.addCleanup(sleeper.communicate)
        said = self.bound(f"kill -9 {sleeper.pid} 2>/dev/null || echo no", Domain((self.kept,)))
        if landlock.abi() < landlock.SCOPES_SINCE:
            raise unittest.SkipTest("this Landlock does not know of signals")
        self.assertEqual((said, sleeper.poll()), ("no\n", None))
        (self.kept / "f").write_text("free")

    def test_what_is_started_cannot_trace_the_thread_that_started_it(self) -> None:
        said: list[str] = []

        def run() -> None:
            landlock.Ruleset([str(self.free)]).restrict_thread()
            words = [sys.executable, "-c", TRACE, str(threading.get_native_id())]
            said.append(subprocess.run(words, capture_output=True, text=True).stdout)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(said, ["own 0\nthread -1\n"])

    def test_rules_are_made_again_when_a_folder_on_the_way_has_changed(self) -> None:
        mechanism, domain = Landlock(landlock.abi()), Domain((self.kept,))
        first = self.settled(mechanism, domain)
        (self.tmp / "new").mkdir()
        self.assertNotEqual(mechanism.launch([], domain).bind, first)

    def test_what_is_its_own_and_was_made_again_is_its_own_still(self) -> None:
        mechanism, own = Landlock(landlock.abi()), self.kept / "own"
        own.mkdir()
        domain = Domain((self.kept,), (own,))
        script = f"touch {own}/f && echo written"
        self.settled(mechanism, domain)
        own.rename(self.kept / "old")
        own.mkdir()
        self.assertEqual(self.bound(script, domain, mechanism), "written\n")
