"""The journal of where the branch was moved, and its receipts."""

import json

from director.repositories.tips import Tips
from tests.support.hermetic import TemporaryCase
from tests.verifying.test_checks import RECEIPT

ONE, TWO = RECEIPT._replace(merged="1" * 40), RECEIPT._replace(merged="2" * 40, node="b")


class TestTips(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "tips.jsonl"
        self.tips = Tips(self.path)
        self.tips.begin("base")
        self.tips.add(ONE.merged, ONE)
        self.tips.add(TWO.merged, TWO)

    def again(self) -> Tips:
        return Tips(self.path)

    def test_moves_and_receipts_are_read_as_they_were_noted(self) -> None:
        for tips in (self.tips, self.again()):
            self.assertEqual(tips.commits, ["base", ONE.merged, TWO.merged])
            self.assertEqual(tips.receipts, {ONE.merged: ONE, TWO.merged: TWO})
            self.assertIn(ONE.merged, tips)
            self.assertNotIn("f" * 40, tips)

    def test_what_came_after_where_it_went_back_to_is_not_on_it(self) -> None:
        self.tips.add(ONE.merged)
        for tips in (self.tips, self.again()):
            self.assertEqual(tips.receipts, {ONE.merged: ONE})
            self.assertEqual(tips.commits[-1], ONE.merged)

    def test_several_merges_in_one_step_are_one_line_and_go_together(self) -> None:
        three, four = (RECEIPT._replace(merged=digit * 40, node=digit) for digit in "34")
        self.tips.add(four.merged, three, four)
        for tips in (self.tips, self.again()):
            self.assertEqual(list(tips.receipts), [one.merged for one in (ONE, TWO, three, four)])
            self.assertNotIn(three.merged, tips)  # the branch never stood there
        whole = self.path.read_text()
        self.path.write_text(whole[:-40])  # torn by a crash
        self.assertEqual(self.again().receipts, {ONE.merged: ONE, TWO.merged: TWO})
        self.path.write_text(whole)
        for tips in (self.tips, self.again()):
            tips.add(TWO.merged)
            self.assertEqual(tips.receipts, {ONE.merged: ONE, TWO.merged: TWO})

    def test_a_receipt_can_be_noted_where_it_stands(self) -> None:
        better = ONE._replace(rebuilt=True)
        self.tips.add(TWO.merged, better)
        for tips in (self.tips, self.again()):
            self.assertEqual(tips.receipts, {ONE.merged: better, TWO.merged: TWO})
            tips.add(ONE.merged)
            self.assertEqual(tips.receipts, {ONE.merged: better})
            tips.add(TWO.merged, TWO)

    def test_lines_that_are_no_notes_say_nothing(self) -> None:
        with self.path.open("a") as stream:
            for line in ({"tip": 1}, {"x": 1}, {"tip": "3", "receipt": {"merged": "3"}}):
                stream.write(json.dumps(line) + "\n")
            stream.write('{"tip": "4", "receipt": 5}\n{"tip": "torn')
        self.assertEqual(self.again().commits[3:], ["3", "4"])
        self.assertEqual(len(self.again().receipts), 2)
