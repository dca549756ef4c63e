"""The folder of tasks."""

from __future__ import annotations

from director.benching.tasks import read_tasks
from director.model.errors import RequestError
from tests.support.hermetic import TemporaryCase


class TestTasks(TemporaryCase):
    def put(self, **files: str) -> None:
        for name, text in files.items():
            (self.tmp / name.replace("_", ".")).write_text(text)

    def test_by_name_without_what_is_no_task(self) -> None:
        self.put(b_md="do b\n", a_txt="\ufeffdo a\n", notes_rst="no task")
        self.assertEqual(list(read_tasks(self.tmp).items()), [("a", "do a"), ("b", "do b")])

    def test_what_cannot_be_used_is_refused(self) -> None:
        self.assertRaisesRegex(RequestError, "no task in", read_tasks, self.tmp)
        self.put(a_md="")
        self.assertRaisesRegex(RequestError, "is empty", read_tasks, self.tmp)
        self.put(a_md="x", a_txt="y")
        self.assertRaisesRegex(RequestError, "two tasks are called a", read_tasks, self.tmp)
        (self.tmp / "a.txt").rename(self.tmp / "a b.txt")
        self.assertRaisesRegex(RequestError, "cannot be a task's name", read_tasks, self.tmp)
        (self.tmp / "a b.txt").rename(self.tmp / "c.txt")
        (self.tmp / "c.txt").write_bytes(b"M\xfcller")
        self.assertRaisesRegex(RequestError, "cannot read", read_tasks, self.tmp)
