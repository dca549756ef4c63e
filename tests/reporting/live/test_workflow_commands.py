from __future__ import annotations

import json
import re
import unittest

from director.reporting.live.workflow_commands import Guard, error, group, harmless


def is_command(line: str) -> bool:
    """Whether GitHub's runner acts on a line: ``::name`` at its start, ``##[name]`` anywhere."""
    return bool(re.match(r"\s*::\w[\w-]*[ :]", line) or re.search(r"##\[[\w-]+[^]]*\]", line))


class TestCommands(unittest.TestCase):
    def test_groups_and_annotations(self) -> None:
        self.assertEqual(group("node a: 100 %"), "::group::node a: 100 %25")
        said = error("node a, b: failed", "50 %\nof: it, all\r")
        self.assertEqual(said, "::error title=node a%2C b%3A failed::50 %25%0Aof: it, all%0D")

    def test_text_stays_text(self) -> None:
        for line in (
            "::error::x",
            "  ::set-output name=a::b",
            "\t\u2003::add-mask::a",
            ":::error::x",
            "say ##[error]x",
            "##[add-mask]a",
            "::stop-commands::x ##[group]",
        ):
            self.assertTrue(is_command(line) or line.startswith(":::"), line)
            self.assertFalse(is_command(harmless(line)), line)

    def test_other_text_is_left_alone(self) -> None:
        for line in ("a ::error::b", "std::vector", "12:00:01  a: b", "## [x]", "# [x]"):
            self.assertEqual(harmless(line), line)

    def test_a_message_cannot_be_another_command(self) -> None:
        self.assertNotIn("##[", error("a ##[group]", "b ##[error]c"))

    def test_what_is_printed_in_pieces_is_no_command(self) -> None:
        guard = Guard(commands=False)
        pieces = ("a\n", " ", "::error::b\n", "c ::d ##[group]e\r::f::g", "\n", "::stop::h\n")
        printed = "".join(map(guard, pieces))
        self.assertFalse([line for line in re.split(r"[\r\n]", printed) if is_command(line)])
        self.assertEqual(Guard(commands=True)("::group::a ##[b]\n"), "::group::a ## [b]\n")

    def test_json_means_the_same(self) -> None:
        value = {"what": "##[error]a", "next": "::b"}
        printed = Guard(commands=False)(json.dumps(value) + "\n")
        self.assertFalse(is_command(printed))
        self.assertEqual(json.loads(printed), value)
