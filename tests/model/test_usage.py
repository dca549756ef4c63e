"""Every kind of token counts."""

import unittest

from director.model.codec.encoding import encode
from director.model.usage import Tokens


class TestTokens(unittest.TestCase):
    def test_sum_and_total_take_every_kind(self) -> None:
        one, two = Tokens(1, 20, 300, 4000, 50000), Tokens(1, 1, 1, 1, 1)
        self.assertEqual(one + two, Tokens(2, 21, 301, 4001, 50001))
        self.assertEqual(one.total, 54321)
        self.assertEqual(Tokens().total, 0)

    def test_json_comes_back(self) -> None:
        self.assertEqual(Tokens(**encode(Tokens(1, 2, 3, 4, 5))), Tokens(1, 2, 3, 4, 5))
