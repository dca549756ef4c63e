"""A node whose first attempt is wrong (it rounds to the nearest minute); the second is right."""

from director.demo.scripted_node import ScriptedNode
from director.model.plan import Node

SPEC = """\
Add the module textkit/reading.py with reading_time(text: str, words_per_minute: int = 200) -> int,
which says how many minutes it takes to read a text.

- Words are what white space separates.
- The result is a whole number of minutes, rounded up: 201 words at 200 a minute take 2.
- One word takes 1 minute, a text without words takes 0.
- words_per_minute below 1 raises ValueError("words_per_minute must be at least 1"), also for a text
  without words.
"""

TESTS = '''\
"""The contract of textkit.reading."""

import unittest

from textkit.reading import reading_time


def words(count: int) -> str:
    return "word " * count


class ReadingTime(unittest.TestCase):
    def test_whole_minutes_stay_as_they_are(self) -> None:
        self.assertEqual(reading_time(words(200)), 1)
        self.assertEqual(reading_time(words(600)), 3)

    def test_a_part_of_a_minute_is_rounded_up(self) -> None:
        self.assertEqual(reading_time(words(1)), 1)
        self.assertEqual(reading_time(words(201)), 2)

    def test_large_counts_are_exact(self) -> None:
        self.assertEqual(reading_time("a " * 100_001, 1), 100_001)

    def test_no_words_take_no_time(self) -> None:
        self.assertEqual(reading_time(""), 0)
        self.assertEqual(reading_time(" \\n\\t "), 0)

    def test_any_white_space_separates_words(self) -> None:
        self.assertEqual(reading_time("one\\ntwo\\tthree", 1), 3)

    def test_the_speed_can_be_given(self) -> None:
        self.assertEqual(reading_time(words(90), words_per_minute=45), 2)

    def test_a_speed_below_one_is_an_error(self) -> None:
        for speed in (0, -200):
            for text in ("one", ""):
                with self.subTest(speed=speed, text=text):
                    with self.assertRaises(ValueError) as caught:
                        reading_time(text, speed)
                    self.assertEqual(str(caught.exception), "words_per_minute must be at least 1")


if __name__ == "__main__":
    unittest.main()
'''

ROUNDED_TO_NEAREST = '''\
"""How long a text takes to read."""

from __future__ import annotations


def reading_time(text: str, words_per_minute: int = 200) -> int:
    """Return the minutes it takes to read ``text``."""
    if words_per_minute < 1:
        raise ValueError("words_per_minute must be at least 1")
    return max(1, round(len(text.split()) / words_per_minute))
'''

SOLUTION = '''\
"""How long a text takes to read."""

from __future__ import annotations


def reading_time(text: str, words_per_minute: int = 200) -> int:
    """Return the minutes it takes to read ``text``, rounded up; 0 for a text without words."""
    if words_per_minute < 1:
        raise ValueError("words_per_minute must be at least 1")
    return -(-len(text.split()) // words_per_minute)
'''

READING_TIME = ScriptedNode(
    Node(
        id="reading-time",
        title="Say how long a text takes to read",
        spec=SPEC,
        files=("textkit/reading.py",),
        depends_on=(),
        test_cmd="python3 -m unittest tests.test_reading",
        tests=("tests/test_reading.py",),
        estimated_difficulty="easy",
    ),
    tests={"tests/test_reading.py": TESTS},
    attempts=({"textkit/reading.py": ROUNDED_TO_NEAREST}, {"textkit/reading.py": SOLUTION}),
    by_executor=2,
)
