from __future__ import annotations

import tomllib
import unittest

from director.model.errors import RequestError
from director.model.toml_edit import parse_assignment, set_key

TEXT = """\
# mine
[tiers]
planner     = "a/b"   # the "#1"
executor = 'c/d'

[gates]
# test = "x"

[worktree]
copy = [
  ".env",  # keys
  "a = b",
]
link = []

[pricing."p/m"]
input = 1.0
"""


class TestSetKey(unittest.TestCase):
    def test_a_value_is_replaced_and_its_comment_stays(self) -> None:
        new = set_key(TEXT, ("tiers", "planner"), "x/y")
        self.assertEqual(new, TEXT.replace('"a/b"', '"x/y"'))

    def test_a_value_of_several_lines(self) -> None:
        new = tomllib.loads(set_key(TEXT, ("worktree", "copy"), [".env"]))
        self.assertEqual(new["worktree"], {"copy": [".env"], "link": []})

    def test_what_looks_like_a_key_inside_of_a_value_is_none(self) -> None:
        new = tomllib.loads(set_key(TEXT, ("worktree", "a"), True))
        self.assertEqual(new["worktree"]["copy"], [".env", "a = b"])

    def test_a_new_key_goes_into_its_section(self) -> None:
        new = set_key(TEXT, ("gates", "test"), "make")
        self.assertIn('[gates]\ntest = "make"\n# test = "x"\n', new)
        new = set_key(TEXT, ("pricing", "p/m", "output"), 2.5)
        self.assertTrue(new.endswith("input = 1.0\noutput = 2.5\n"))

    def test_a_new_section_goes_to_the_end(self) -> None:
        new = set_key(TEXT, ("pricing", "q/n", "input"), 1.5)
        self.assertTrue(new.endswith('\n[pricing."q/n"]\ninput = 1.5\n'))
        self.assertEqual(set_key("", ("a", "b"), 1), "[a]\nb = 1\n")

    def test_odd_strings(self) -> None:
        for value in ('a "quoted" \\ one', "tab\there", "ümläut €", "# no comment"):
            new = tomllib.loads(set_key(TEXT, ("tiers", "planner"), value))
            self.assertEqual(new["tiers"]["planner"], value)

    def test_what_cannot_be_edited_safely_is_refused(self) -> None:
        for text in ('tiers = { planner = "a/b" }\n', 'tiers.planner = "a/b"\n'):
            with self.assertRaises(RequestError):
                set_key(text, ("tiers", "planner"), "x/y")


class TestAssignments(unittest.TestCase):
    def test_keys_and_values(self) -> None:
        for text, expected in (
            ("tiers.planner=a/b", (("tiers", "planner"), "a/b")),
            ('pricing."p/m=1".input = 2', (("pricing", "p/m=1", "input"), 2)),
            ("gates.test=A=1 make test", (("gates", "test"), "A=1 make test")),
            ("review.veto=false", (("review", "veto"), False)),
            ('worktree.copy=["a"]', (("worktree", "copy"), ["a"])),
        ):
            self.assertEqual(parse_assignment(text), expected)

    def test_nonsense(self) -> None:
        for text in ("planner", "=x", "a b=c"):
            with self.assertRaises(RequestError):
                parse_assignment(text)
