"""What this process read and wrote counts, whatever is in the file meanwhile."""

from director.records.guarded_lines import GuardedLines
from tests.support.hermetic import TemporaryCase


class TestGuardedLines(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "x.jsonl"
        self.path.write_text('{"n": 1}\n')
        self.lines = GuardedLines(self.path)

    def test_lines_are_read_and_added(self) -> None:
        self.lines.add({"n": 2})
        self.assertEqual([*self.lines.values], [{"n": 1}, {"n": 2}])
        self.assertEqual(self.path.read_text(), '{"n": 1}\n{"n": 2}\n')
        self.assertFalse(self.lines.restore())

    def test_what_others_add_change_or_remove_is_undone(self) -> None:
        for forged in ('{"n": 1}\n{"n": 9}\n', '{"n": 9}\n', ""):
            self.path.write_text(forged)
            self.assertTrue(self.lines.restore())
            self.assertEqual(self.path.read_text(), '{"n": 1}\n')
        self.path.write_text('{"n": 9}\n')
        self.lines.add({"n": 2})
        self.assertEqual(self.path.read_text(), '{"n": 1}\n{"n": 2}\n')
        self.path.unlink()
        self.assertTrue(self.lines.restore())
        self.assertEqual(len([*GuardedLines(self.path).values]), 2)

    def test_a_torn_line_is_none(self) -> None:
        self.path.write_text('{"n": 1}\n{"n": ')
        lines = GuardedLines(self.path)
        lines.add({"n": 2})
        self.assertEqual([*GuardedLines(self.path).values], [{"n": 1}, {"n": 2}])

    def test_a_folder_that_is_gone_is_not_made_again(self) -> None:
        self.path.unlink()
        lines = GuardedLines(self.tmp / "gone" / "x.jsonl")
        self.assertFalse(lines.restore())
        self.assertFalse((self.tmp / "gone").exists())
