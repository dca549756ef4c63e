"""Worktrees that are kept between the commands of a job: prepared, but never evidence.

With it: ``handover``, ``pool_note``, their record (``worktrees_record``),
``director clean`` (``clean``), ``job.cleaning`` and ``job.job_worktrees``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import signal
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from director import __version__
from director.worktrees.pool_note import BOOT_ID, read_note
from tests.faults.test_provided import NEEDS_TOOL, SETUP, ProvidedCase
from tests.support.fake_opencode import hang, mark, wait_for, write
from tests.support.hermetic import remove_tree
from tests.support.jobs import node, script_of_test

WEEK_SECS = 7 * 24 * 3600
TOOL = "node_modules/tool/version"


class KeptCase(ProvidedCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(SETUP)

    def planned(self, *nodes: Mapping[str, Any]) -> Path:
        """Plan ``nodes`` here and now, and return the folder that is kept."""
        self.script_planning(*nodes)
        self.ends(0, "plan", "make things", "--no-critique")
        self.before = self.repo.fingerprint()
        folder = self.kept_folder()
        assert folder is not None
        return folder

    def needs_tool(self, name: str = "a") -> Mapping[str, Any]:
        return node(name, test_cmd=NEEDS_TOOL.format(name=name))


def vouching_for(place: Path, path: str, data: bytes) -> bytes:
    """Return an index that takes the file at ``place`` for the tracked one (gitformat-index(5))."""
    found = place.stat()
    times = (*divmod(found.st_ctime_ns, 10**9), *divmod(found.st_mtime_ns, 10**9))
    starts = data.index(f"{path}\0".encode()) - 62
    before = struct.pack(">6L", *times, found.st_dev & 0xFFFFFFFF, found.st_ino & 0xFFFFFFFF)
    after = struct.pack(">3L", found.st_uid, found.st_gid, found.st_size)
    forged = data[:starts] + before + data[starts + 24 : starts + 28] + after
    forged += data[starts + 40 : -20]
    return forged + hashlib.sha1(forged, usedforsecurity=False).digest()


class TestKeeping(KeptCase):
    def test_one_preparation_serves_all_commands_of_a_job(self) -> None:
        self.script_planning(self.needs_tool("a"), self.needs_tool("b"))
        self.ends(0, "plan", "make things")
        self.assertEqual(self.setups(), [])  # only readers so far
        self.ends(0, "plan", "--continue")
        self.ends(0, "plan", "--continue")
        self.before = self.repo.fingerprint()
        folder = self.kept_folder()
        self.implement("a")
        self.implement("b")
        self.ends(0, "run", "--parallel", "2")
        self.ends(0, "verify", "--rerun")
        self.assertEqual([one["slot"] for one in self.setups()], [1])
        self.assertEqual(len(list((self.home / "logs").glob("setup.*.log"))), 1)
        self.assertEqual(self.kept_folder(), folder)

    def test_they_hold_nothing_but_what_is_noted(self) -> None:
        folder = self.planned(self.needs_tool())
        self.assertEqual({one.name for one in (folder / "agents").iterdir()}, {"slot-1"})
        self.assertEqual({one.name for one in (folder / "gates").iterdir()}, {"slot-1"})
        kinds = {one.name.partition("-")[0] for one in (folder / "notes").iterdir()}
        self.assertEqual(kinds, {"agents", "gates", "given", "setup", "kept.json"})
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)

    def test_status_tells_and_clean_removes_them(self) -> None:
        folder = self.planned(self.needs_tool())
        said = self.ends(0, "status", "--json").json["worktrees"]
        self.assertEqual(said["folder"], str(folder))
        self.assertGreater(said["bytes"], 4096)
        self.assertIn(
            f"in {folder} (`director clean`", self.ends(0, "status", "--stats").in_one_line
        )
        cleaned = self.ends(0, "clean", "--json")
        self.assertRegex(cleaned.err, rf"^removing \d+ \w+ in {re.escape(str(folder))} …\n$")
        freed = cleaned.json
        self.assertEqual([one["folder"] for one in freed["removed"]], [str(folder)])
        self.assertGreater(freed["freed_bytes"], 4096)
        self.assertFalse(folder.exists())
        self.assertIsNone(self.ends(0, "status", "--json").json["worktrees"])
        self.assertIn("No prepared worktrees", self.ends(0, "clean").out)
        self.implement("a")
        self.ends(0, "run")

    def test_they_go_with_the_job(self) -> None:
        folder = self.planned(self.needs_tool())
        self.ends(0, "plan", "something else", "--new")
        self.assertFalse(folder.exists())

    def test_nothing_is_kept_where_nothing_confines(self) -> None:
        self.configure(SETUP + '[sandbox]\nmode = "off"\n')
        self.script_planning(self.needs_tool())
        self.ends(0, "plan", "make things", "--no-critique")
        self.before = self.repo.fingerprint()
        self.assertFalse((self.home / "worktrees.json").exists())
        self.assertEqual(self.left_behind(), [])

    def test_nothing_is_kept_where_it_would_save_nothing(self) -> None:
        self.configure()
        self.script_planning(node("a"))
        self.ends(0, "plan", "make things", "--no-critique")
        self.before = self.repo.fingerprint()
        self.assertFalse((self.home / "worktrees.json").exists())

    def test_the_users_files_are_given_as_they_are_now(self) -> None:
        self.configure(SETUP + 'copy = [".env"]\n')
        self.users_file(".env", "V=1\n")
        self.planned(node("a", test_cmd="grep -qx V=2 .env && sh tests/a.sh"))
        self.users_file(".env", "V=2\n")
        self.implement("a")
        self.ends(0, "run")

    def test_what_gates_built_is_no_evidence_when_they_run_again(self) -> None:
        self.configure('[worktree]\nkeep = ["build"]\n')
        seen = self.tmp / "seen"
        build = f"ls build >> {seen} 2>/dev/null; mkdir -p build; touch build/x; sh tests/a.sh"
        self.script_planning(node("a", test_cmd=build))
        self.ends(0, "plan", "make things", "--no-critique")
        self.before = self.repo.fingerprint()
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "run")
        self.assertIsNotNone(self.kept_folder())
        seen.write_text("")
        self.ends(0, "verify", "--rerun")
        self.assertEqual(seen.read_text(), "")


class TestCorrected(KeptCase):
    """Setup runs again where something was missing: what it finds on the machine no key tells."""

    def setUp(self) -> None:
        super().setUp()
        self.needed = self.place / "needed"
        setup = f"cp {self.needed} needed.txt 2>/dev/null || true"
        self.worktree = f'[worktree]\nsetup = "{setup}"\n'
        self.configure(self.worktree)

    def test_what_stopped_planning_is_there_when_it_goes_on(self) -> None:
        self.configure(self.worktree + '[gates]\nunit = "./needed.txt"\n')
        self.script_planning(node("a"))
        self.ends(2, "plan", "make things", "--no-critique")
        self.needed.write_text("#!/bin/sh\n")
        self.needed.chmod(0o755)
        self.ends(0, "plan", "--continue", "--no-critique")
        self.before = self.repo.fingerprint()

    def test_what_a_node_failed_for_is_there_when_it_is_tried_again(self) -> None:
        present = "[ -e needed.txt ] || { echo tool: not installed; exit 1; }\n"
        script = present + script_of_test("a")
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", script), node="a")
        self.needed.write_text("x\n")
        self.ends(0, "plan", "make things", "--no-critique")
        self.before = self.repo.fingerprint()
        self.ends(0, "clean")
        self.needed.unlink()
        self.implement("a")
        self.ends(1, "run")
        self.assertTrue(self.node_state("a")["environment"])
        self.needed.write_text("x\n")
        self.implement("a")
        self.ends(0, "run", "--retry-failed")


class TestCopies(KeptCase):
    """What setup made in one worktree is copied into others, unless a copy would be wrong."""

    def lanes_that_set_up(self, setup: str) -> list[str]:
        """Return the logs of setup for two lanes, each of which checks its own place."""
        self.configure(SETUP.replace('"sh setup.sh"', f"'''{setup}'''"))
        check = 'test "$(cat deps/place)" = "$PWD" && sh tests/{name}.sh'
        if "PWD" not in setup:
            check = "test -e deps/place && sh tests/{name}.sh"
        self.planned(*(node(name, test_cmd=check.format(name=name)) for name in "ab"))
        for name, other in ("ab", "ba"):
            meet = (mark(self.tmp / f"{name}-began"), wait_for(self.tmp / f"{other}-began"))
            self.implement(name, *meet, *self.good_work(name))
        self.ends(0, "run", "--parallel", "2")
        return [str(one["log"]) for one in self.setups()]

    def test_one_that_names_its_worktree_runs_in_each(self) -> None:
        logs = self.lanes_that_set_up('mkdir -p deps; printf "%s" "$PWD" > deps/place')
        self.assertEqual(len(logs), 4)

    def test_so_does_one_that_leaves_a_link_to_it(self) -> None:
        logs = self.lanes_that_set_up('mkdir -p deps; : > deps/place; ln -s "$(pwd)" deps/me')
        self.assertEqual(len(logs), 4)

    def test_so_does_one_that_asks_for_its_number(self) -> None:
        logs = self.lanes_that_set_up('mkdir -p deps; echo "$DIRECTOR_SLOT" > deps/place')
        self.assertEqual(len(logs), 4)

    def test_any_other_runs_once(self) -> None:
        self.assertEqual(len(self.lanes_that_set_up("mkdir -p deps; echo > deps/place")), 1)


class TestTampering(KeptCase):
    """Whoever changes what is kept, between two commands, changes no verdict."""

    def red_in_spite_of(self, change: Callable[[Path], None], check: str = "true") -> None:
        folder = self.planned(node("a", test_cmd=f"{check} && sh tests/a.sh"))
        change(folder)
        for _ in range(4):
            self.implement("a", write("a.txt", "bad\n"))
        self.ends(1, "run")
        self.assertEqual(set(self.outcomes()), {"red"})

    def test_a_tracked_file_of_the_gates(self) -> None:
        def change(folder: Path) -> None:
            for place in ("gates", "agents"):
                test = folder / place / "slot-1" / "tests" / "a.sh"
                old = test.stat()
                test.write_text("exit 0".ljust(old.st_size))
                os.utime(test, ns=(old.st_atime_ns, old.st_mtime_ns))

        self.red_in_spite_of(change)

    def test_an_ignored_file_and_a_new_one(self) -> None:
        def change(folder: Path) -> None:
            gate = folder / "gates" / "slot-1"
            (gate / "a.txt").write_text("good\n")
            (gate / "x.local").write_text("")
            (gate / "node_modules" / "new").write_text("")

        self.red_in_spite_of(change, "test ! -e x.local && test ! -e node_modules/new || exit 0")

    def test_what_setup_made(self) -> None:
        def change(folder: Path) -> None:
            for made in (folder / "gates" / "slot-1", *(folder / "notes").glob("setup-*")):
                (made / TOOL).write_text("forged\n")

        self.red_in_spite_of(change, f"if grep -q forged {TOOL}; then exit 0; fi")

    def forged_note(self) -> str:
        """Return a shell command for setup that writes a note of what is kept."""
        note: dict[str, Any] = {"director": __version__, "boot": BOOT_ID.read_text().strip()}
        note["places"] = ["notes/kept.json", "gates/slot-1"]
        forged = self.place / "forged.json"
        forged.write_text(json.dumps(note))
        return f"cp {forged} ../../notes/kept.json; rm -f ../../notes/*.index"

    def test_a_note_that_setup_wrote(self) -> None:
        for more in ("", '[sandbox]\nmode = "off"\n'):
            with self.subTest(more):
                self.configure(f'[worktree]\nsetup = "{self.forged_note()}"\n{more}')
                self.script_planning(node("a"))
                self.director("plan", "make things", "--new", "--no-critique")
                self.before = self.repo.fingerprint()
                folder = self.kept_folder()
                kept = read_note(folder / "notes") if folder else None
                self.assertIn("worktrees", kept or {"worktrees": None})
                self.assertEqual(self.left_behind(), [])

    def test_a_note_that_is_there_after_a_kill(self) -> None:
        folder = self.planned(self.needs_tool())
        (self.home / "worktrees.json").write_text(json.dumps({"folder": str(folder)}))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(len(self.setups()), 2)

    def test_the_index_of_the_gates(self) -> None:
        def change(folder: Path) -> None:
            test = folder / "gates" / "slot-1" / "tests" / "a.sh"
            test.write_text("exit 0\n")
            index = folder / "notes" / "gates-slot-1.index"
            index.write_bytes(vouching_for(test, "tests/a.sh", index.read_bytes()))
            later = time.time() + 60  # so that git does not look closer
            os.utime(index, (later, later))

        self.red_in_spite_of(change)

    def test_a_folder_that_is_gone_or_half_gone_is_made_again(self) -> None:
        for name in ("", "gates/slot-1/node_modules", "notes", "agents/slot-1", "gates"):
            with self.subTest(name):
                folder = self.planned(self.needs_tool(f"n{len(name)}"))
                remove_tree(folder / name)
                self.implement(f"n{len(name)}")
                self.ends(0, "run")


class TestAtOnce(KeptCase):
    def test_clean_is_refused_while_a_command_works(self) -> None:
        folder = self.planned(self.needs_tool())
        began, go = self.tmp / "began", self.tmp / "go"
        self.implement("a", mark(began), wait_for(go), *self.good_work("a"))
        running = self.start("run")
        self.until(began)
        refused = self.ends(3, "clean", "--json").json
        self.assertIn("director run", refused["error"])
        self.assertTrue(folder.exists())
        self.ends(3, "verify", "--rerun")
        go.touch()
        self.assertEqual(running.ended().code, 0)

    def test_a_copy_of_the_repository_works_elsewhere(self) -> None:
        folder = self.planned(self.needs_tool())
        lock = os.open(folder / "lock", os.O_RDWR)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.implement("a")
        self.ends(0, "run")
        self.assertNotEqual(self.kept_folder(), folder)
        self.assertTrue(folder.exists())
        remove_tree(folder)

    def test_a_command_that_was_killed_while_it_began_or_ended_leaves_nothing_over(self) -> None:
        def unsaid(folder: Path) -> None:  # what is in it is noted, that it is kept is not
            (self.home / "worktrees.json").write_text(json.dumps({"folder": str(folder)}))

        def begun(folder: Path) -> None:
            unsaid(folder)
            (folder / "notes" / "kept.json").unlink()

        def untold(folder: Path) -> None:
            (folder / "notes" / "kept.json").unlink()

        def torn(folder: Path) -> None:
            (folder / "notes" / "kept.json").write_text('{"dire')

        def before_a_restart_of_the_machine(folder: Path) -> None:
            note = folder / "notes" / "kept.json"
            note.write_text(json.dumps({**json.loads(note.read_text()), "boot": "another"}))

        steps = (unsaid, begun, untold, torn, before_a_restart_of_the_machine)
        for step in steps:
            with self.subTest(step.__name__):
                name = step.__name__.partition("_")[0]
                folder = self.planned(self.needs_tool(name))
                step(folder)
                self.implement(name)
                self.ends(0, "run")
                self.assertEqual(self.left_behind(), [])
                self.assertEqual(self.kept_folder() == folder, step in (unsaid, begun))

    def test_after_an_interruption_a_call_is_made_again(self) -> None:
        folder = self.planned(self.needs_tool())
        began = self.tmp / "began"
        self.implement("a", write("a.txt", "good\n"), write("stray", ""), mark(began), hang())
        running = self.start("run")
        self.until(began)
        running.send(signal.SIGTERM)
        self.assertEqual(running.ended().code, 143)
        self.assertEqual(self.kept_folder(), folder)
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual((self.outcomes(), self.executor_calls()), (["green"], 2))
        self.only_the_work_is_merged()

    def test_after_a_kill_the_next_run_goes_on_and_nothing_is_left_over(self) -> None:
        folder = self.planned(self.needs_tool())
        began = self.tmp / "began"
        self.implement("a", mark(began), hang())
        running = self.start("run")
        self.until(began)
        running.send(signal.SIGKILL)
        running.ended()
        self.assertIsNone(self.kept_folder())
        left = self.ends(0, "clean", "--json").json
        self.assertEqual((left["removed"], left["left_by_killed"]), ([], [str(folder)]))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.kept_folder(), folder)


class TestAWeekLater(KeptCase):
    def test_what_was_not_used_for_a_week_goes_with_the_next_command_of_any_job(self) -> None:
        self.planned(self.needs_tool())
        place = Path(self.env["XDG_STATE_HOME"]) / "director"
        record = self.tmp / "elsewhere.json"
        forgotten, killed, used = (self.pool(place, n, record) for n in "abc")
        young = self.pool(place, "d", record, old=False)
        record.write_text(json.dumps({"folder": str(killed)}))
        linked = self.tmp / "linked"
        linked.mkdir()
        (place / "job-eeeeeeeeeeee").symlink_to(linked)
        (place / "mine").mkdir()
        os.utime(place / "mine", (0, 0))
        lock = os.open(used / "lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.implement("a")
        self.ends(0, "run")
        os.close(lock)
        self.assertFalse(forgotten.exists())
        link = place / "job-eeeeeeeeeeee"
        for left in (killed, used, young, linked, link, place / "mine"):
            self.assertTrue(left.exists(), left)
        link.unlink()
        for left in (killed, used, young, place / "mine"):
            remove_tree(left)

    def pool(self, place: Path, letter: str, record: Path, *, old: bool = True) -> Path:
        """Return a folder as a command leaves it that is noted in ``record``."""
        folder = place / f"job-{letter * 12}"
        (folder / "notes").mkdir(parents=True)
        (folder / "owner.json").write_text(json.dumps({"record": str(record)}))
        (folder / "lock").touch()
        if old:
            then = (folder / "lock").stat().st_mtime - WEEK_SECS - 60
            os.utime(folder / "lock", (then, then))
        return folder
