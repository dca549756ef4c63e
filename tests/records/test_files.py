"""Records survive crashes: replaced whole, appended whole, read whatever else is in the file."""

from __future__ import annotations

import errno
import os
import threading
import unittest
from pathlib import Path

from director.model.errors import RequestError, StoppedError
from director.model.reason import Reason
from director.model.secrets import Redactor
from director.records import files, json_lines
from tests.support.hermetic import TemporaryCase

ODD = "ü \u2028 \u0085 \x1e \r\n tail"


class TestNoFile(TemporaryCase):
    def test_a_pipe_in_place_of_a_record_is_an_error_that_nothing_waits_for(self) -> None:
        path = self.tmp / "record"
        os.mkfifo(path)
        for read in (files.read_text, files.read_json, json_lines.read_lines):
            with self.subTest(read.__name__), self.assertRaises(RequestError) as caught:
                read(path)
            self.assertIn("not a regular file", caught.exception.what)
        with self.assertRaises(RequestError):
            json_lines.read_last_lines(path, 10)
        with self.assertRaises(RequestError):
            list(json_lines.each_line(path))
        with self.assertRaises(StoppedError):
            files.redact_file(path, Redactor({}))
        with self.assertRaises(StoppedError):
            json_lines.append_line(path, {}, durable=True)
        self.assertEqual(files.read_beginning(path), "")

    def test_a_folder_is_no_record_either(self) -> None:
        with self.assertRaises(RequestError):
            files.read_text(self.tmp)


class TestReplacing(TemporaryCase):
    def test_text_is_replaced_and_nothing_else_is_left(self) -> None:
        path = self.tmp / "new" / "folder" / "f.json"
        files.write_text(path, "one")
        files.write_text(path, "zwö")
        self.assertEqual(path.read_bytes(), "zwö".encode())
        self.assertEqual(list(path.parent.iterdir()), [path])

    def test_a_reader_sees_the_old_or_the_new_content(self) -> None:
        path = self.tmp / "f"
        contents = {"a" * 100_000, "b" * 100_000}
        files.write_text(path, "a" * 100_000)
        over = threading.Event()

        def write() -> None:
            for _ in range(20):
                for content in sorted(contents):
                    files.write_text(path, content)
            over.set()

        thread = threading.Thread(target=write)
        thread.start()
        seen = set()
        while not over.is_set():
            seen.add(path.read_text())
        thread.join()
        self.assertLessEqual(seen, contents)

    def test_a_failure_leaves_the_old_content_and_no_rest(self) -> None:
        path = self.tmp / "f"
        files.write_text(path, "old")
        with self.assertRaises(TypeError):
            files.write_json(path, {"a": object()})
        folder = self.tmp / "taken"
        (folder / "inside").mkdir(parents=True)
        with self.assertRaises(StoppedError):
            files.write_text(folder, "text")
        self.assertEqual(path.read_text(), "old")
        self.assertEqual({p.name for p in self.tmp.iterdir()} - {"home"}, {"f", "taken"})

    def test_an_error_of_the_disk_is_an_end_to_act_on(self) -> None:
        (self.tmp / "file").touch()
        with self.assertRaisesRegex(StoppedError, "cannot write .*file/f: Not a directory"):
            files.write_text(self.tmp / "file" / "f", "text")
        with self.assertRaisesRegex(StoppedError, "cannot write"):
            json_lines.append_line(self.tmp / "file" / "f", {}, durable=True)

    @unittest.skipUnless(Path("/dev/full").exists(), "needs /dev/full")
    def test_a_full_disk_is_called_so(self) -> None:
        with (
            self.assertRaisesRegex(StoppedError, "the disk is full"),
            files.os_errors_stop(self.tmp / "f"),
            Path("/dev/full").open("wb", buffering=0) as stream,
        ):
            stream.write(b"x")

    def test_no_room_is_a_reason_of_its_own(self) -> None:
        for number, reason in (
            (errno.ENOSPC, Reason.DISK_FULL),
            (errno.EDQUOT, Reason.DISK_FULL),
            (errno.EACCES, Reason.STOPPED),
        ):
            with self.assertRaises(StoppedError) as caught, files.os_errors_stop(self.tmp):
                raise OSError(number, os.strerror(number))
            self.assertIs(caught.exception.reason, reason)

    def test_a_file_that_is_made_is_a_new_one(self) -> None:
        path, other = self.tmp / "new", self.tmp / "other"
        files.make_file(path, b"ours", 0o600)
        self.assertEqual((path.read_bytes(), path.stat().st_mode & 0o777), (b"ours", 0o600))
        path.unlink()
        path.symlink_to(other)  # nothing is written through a link
        with self.assertRaises(FileExistsError):
            files.make_file(path, b"ours")
        self.assertFalse(other.exists())

    def test_what_is_replaced_quickly_leaves_nothing_else_either(self) -> None:
        path = self.tmp / "job" / "live.json"
        path.parent.mkdir()
        for text in ("one", "two"):
            files.replace_quickly(path, text)
            self.assertEqual(list(path.parent.iterdir()), [path])
            self.assertEqual(path.read_text(), text)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_json_round_trip(self) -> None:
        path = self.tmp / "f.json"
        value = {"text": ODD, "list": [1, None, 0.5], "name": os.fsdecode(b"\xff.py")}
        files.write_json(path, value)
        self.assertEqual(files.read_json(path), value)
        self.assertIn("ü", path.read_text())

    def test_text_with_bytes_of_a_strange_file_name_can_be_written(self) -> None:
        files.write_text(self.tmp / "prompt.md", "stray: " + os.fsdecode(b"\xff.py"))
        self.assertTrue((self.tmp / "prompt.md").read_text().startswith("stray: "))


class TestReading(TemporaryCase):
    def test_no_file_is_none(self) -> None:
        self.assertIsNone(files.read_text(self.tmp / "none"))
        self.assertIsNone(files.read_json(self.tmp / "none"))
        self.assertEqual(json_lines.read_lines(self.tmp / "none"), [])
        self.assertEqual([*json_lines.each_line(self.tmp / "none")], [])
        self.assertEqual(json_lines.read_lines_counted(self.tmp / "none")[1], 0)

    def test_what_cannot_be_read_is_named(self) -> None:
        path = self.tmp / "f.json"
        for content, said in (
            (b'{"a": ', "is damaged"),
            (b"", "is damaged"),
            (b"[1]", "must hold a JSON object"),
            (b"\xff", "cannot read"),
        ):
            path.write_bytes(content)
            with self.assertRaisesRegex(RequestError, said) as caught:
                files.read_json(path)
            self.assertIn(str(path), caught.exception.what)
        with self.assertRaisesRegex(RequestError, "cannot read"):
            files.read_text(self.tmp)


class TestForTheOwnerOnly(TemporaryCase):
    def modes(self) -> dict[str, int]:
        """Return the permissions of everything under ``new``, below a folder that was there."""
        found = {path.name: path.stat().st_mode & 0o777 for path in self.tmp.rglob("*")}
        return {name: mode for name, mode in found.items() if name.startswith("new")}

    def test_files_and_folders(self) -> None:
        self.tmp.chmod(0o755)
        files.write_text(self.tmp / "new1" / "new2" / "new.txt", "x")
        files.write_json(self.tmp / "new.json", {})
        json_lines.append_line(self.tmp / "new3" / "new.jsonl", {}, durable=False)
        self.assertEqual(
            self.modes(),
            dict.fromkeys(("new1", "new2", "new3"), 448)
            | dict.fromkeys(("new.txt", "new.json", "new.jsonl"), 384),
        )
        self.assertEqual(self.tmp.stat().st_mode & 0o777, 0o755)

    def test_a_log_without_secrets(self) -> None:
        log = self.tmp / "new.log"
        with files.open_to_append(log) as stream:
            stream.write(b"\xff the-secret-value \n")
        content = files.redact_file(log, Redactor({"A_KEY": "the-secret-value"}))
        self.assertEqual(content, log.read_bytes())
        self.assertEqual(log.read_bytes(), b"\xff [redacted A_KEY] \n")
        self.assertEqual(self.modes(), {"new.log": 0o600})
        files.redact_file(self.tmp / "none", Redactor({}))
