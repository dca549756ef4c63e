"""Objects are read as git reads them, and written as git reads them back.

And index files (``index_files``).
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import ClassVar

from director.model.errors import StoppedError
from director.repositories.git import GitError
from director.repositories.index_files import index_data
from director.repositories.objects import Item
from tests.support.repositories import SampleRepo
from tests.worktrees.jobs import JobCase


class TestReading(JobCase):
    files: ClassVar[dict[str, str]] = {"a.py": "A = 1\n", "a/b.py": "B\n", "ü x": "", "z/y/x": "X"}

    def test_by_id_and_by_name(self) -> None:
        found = self.job.objects.get(f"{self.base}:a.py")
        self.assertEqual((found.kind, found.data), ("blob", b"A = 1\n"))
        self.assertEqual(self.job.objects.get(found.oid), found)

    def test_what_is_not_there(self) -> None:
        self.assertIsNone(self.job.objects.find("no such name"))
        with self.assertRaises(GitError):
            self.job.objects.get("0" * 40)

    def test_no_name_spoils_the_answers_that_follow(self) -> None:
        blob = self.job.objects.get(f"{self.base}:a.py")
        names = (
            f"{self.base}\n{self.base}",
            f"{self.base}\n",
            "\ud800",
            f"{self.base}\0",
            f"{self.base}\r",
            "",
            " ",
            "x blob 3",
            f"{'a' * 40} blob 0",
            f"{self.base} {'x' * 200_000}",
            "\udcff",
            "--batch-check",
        )
        for name in names:
            with self.subTest(name[:50]):
                self.assertIsNone(self.job.objects.find(name))
                self.assertEqual(self.job.objects.find(f"{self.base}:a.py"), blob)

    def test_a_name_with_blanks_is_found(self) -> None:
        self.assertEqual(self.job.objects.get(f"{self.base}:ü x").data, b"")

    def test_an_ambiguous_id_is_none(self) -> None:
        ids: dict[str, int] = {}
        for number in range(2000):
            oid = self.job.store(str(number).encode())[:4]
            ids[oid] = ids.get(oid, 0) + 1
        twice = next(oid for oid, count in ids.items() if count > 1)
        self.assertIsNone(self.job.objects.find(twice))
        self.assertEqual(self.job.objects.get(self.base).kind, "commit")

    def test_a_damaged_object_is_named_and_others_are_read(self) -> None:
        oid = self.job.store(b"to be damaged")
        place = self.job.path / "objects" / oid[:2] / oid[2:]
        place.chmod(0o600)
        for data in (b"", b"no object"):
            place.write_bytes(data)
            with self.assertRaisesRegex(StoppedError, oid):
                self.job.objects.get(oid)
            self.assertEqual(self.job.objects.get(self.base).kind, "commit")

    def test_what_is_written_later_is_found(self) -> None:
        self.job.objects.get(self.base)
        self.sample.write("new", "new\n")
        commit = self.sample.commit()
        self.sample.git("gc", "-q")
        self.assertEqual(self.job.contents(commit, ["new"]), {"new": b"new\n"})

    def test_continues_when_its_git_is_ended(self) -> None:
        self.job.objects.get(self.base)
        for pid in readers(self.job.path):
            os.kill(pid, signal.SIGKILL)
        found = self.job.objects.find(self.base)  # asked, whatever is known
        self.assertEqual(found and found.kind, "commit")

    def test_its_git_ends_with_it(self) -> None:
        self.job.objects.get(self.base)
        self.assertEqual(len(readers(self.job.path)), 1)
        del self.job
        self.assertEqual(readers(self.sample.root / ".director" / "job.git"), [])


class TestWriting(JobCase):
    files: ClassVar[dict[str, str]] = {"a.py": "A\n", "a/b.py": "B\n", "a-b": "", "ü x": "X\n"}

    def test_git_finds_nothing_wrong_with_what_is_written(self) -> None:
        commit = self.add_commit(self.job, {"n/e/w": "1", "a/b.py": "2"}, "title\n\nKey: ä\n")
        self.job.advance(commit, self.base)
        self.job.git.output("fsck", "--strict", "--full")

    def test_git_reads_what_is_written_whatever_its_length(self) -> None:
        for length in (0, 1, 300, 2_990, 2_991, 70_000):
            with self.subTest(length):
                data = bytes(number % 251 for number in range(length))
                oid = self.job.store(data)
                self.assertEqual(self.job.git.output("cat-file", "blob", oid), data)
                self.assertEqual(oid, self.job.git.text("hash-object", "--stdin", stdin=data))
        self.job.git.output("fsck", "--strict")

    def test_who_reads_files_finds_no_text_in_them(self) -> None:
        for length in (12, 200, 2_000, 9_000):
            text = "".join(f"{number:03x}" for number in range(length // 3)).encode()
            oid = self.job.store(text)
            held = (self.job.path / "objects" / oid[:2] / oid[2:]).read_bytes()
            self.assertNotIn(text[:12], held)

    def test_a_folder_of_objects_that_was_removed_is_made_again(self) -> None:
        oid = self.job.store(b"content")
        shutil.rmtree(self.job.path / "objects" / oid[:2])
        self.assertEqual(self.job.store(b"content"), oid)
        self.assertEqual(self.job.git.output("cat-file", "blob", oid), b"content")

    def test_an_index_is_read_by_git(self) -> None:
        paths = ("a.py", "a/b.py", "ü x", "l" * 5000)
        for form in ("sha1", "sha256"):
            with self.subTest(form):
                sample = SampleRepo.create(self.tmp / form, self.env, {"a": "A\n"}, form)
                oid = sample.git("rev-parse", "HEAD:a")
                place = self.tmp / f"{form}.index"
                items = {path: Item("100755", oid) for path in paths}
                place.write_bytes(index_data(items, form))
                git = self.make_job(sample, self.tmp / f"{form}.git").git
                listed = git.with_variables(GIT_INDEX_FILE=str(place)).text("ls-files", "--stage")
                expected = [f"100755 {oid} 0\t{path}" for path in sorted(paths)]
                self.assertEqual(listed.splitlines(), expected)


def readers(repository: Path) -> list[int]:
    """Return the processes that read the objects of a repository."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"GIT_DIR={repository}".encode() in environment and b"cat-file" in command:
            found.append(int(entry.name))
    return found


class TestDamaged(JobCase):
    def test_an_object_that_is_damaged_is_written_again(self) -> None:
        oid = self.job.store(b"content")
        path = self.job.path / "objects" / oid[:2] / oid[2:]
        for damage in (b"", b"zeroed\0\0"):
            path.chmod(0o600)
            path.write_bytes(damage)
            self.assertEqual(self.job.store(b"content"), oid)
            self.assertEqual(self.job.objects.get(oid).data, b"content")
