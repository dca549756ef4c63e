"""The command line as people type it: help, examples, and what is nearly right.

Of ``grammar.parser`` and ``cli``. With it: ``catalog``, ``commands.help``, and ``manual``, which is
made from it with ``arguments``.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import unittest
from pathlib import Path

from director.command_line.grammar.catalog import COMMANDS, GROUPS
from director.command_line.grammar.manual import manual
from director.command_line.grammar.parser import module_of, parse, parsers
from director.model.errors import RequestError
from tests.support.hermetic import ProcessCase
from tests.support.jobs import JobCase

PAGE = Path(__file__).resolve().parents[3] / "docs" / "director.1"


class TestHelp(JobCase):
    def test_no_command_at_all_shows_the_help(self) -> None:
        out = self.ends(0).out
        for title, group in GROUPS.items():
            self.assertIn(f"{title}:", out)
            for name, summary in group.items():
                self.assertRegex(out, rf"(?m)^  {name} +{summary}$")
        self.assertEqual(self.ends(0, "help").out, out)

    def test_help_of_a_command_is_what_its_flag_shows(self) -> None:
        out = self.ends(0, "help", "run").out
        self.assertIn("usage: director run", out)
        self.assertIn("--retry-failed", out)
        self.assertEqual(self.ends(0, "run", "--help").out, out)


class TestExamples(unittest.TestCase):
    def test_each_command_has_two_examples_that_parse(self) -> None:
        for name in COMMANDS:
            examples = module_of(name).EXAMPLES
            self.assertGreaterEqual(len(examples), 2, name)
            for line, purpose in examples:
                with self.subTest(line):
                    words = shlex.split(line.split(" >")[0])
                    self.assertEqual(words[:2], ["director", name])
                    self.assertEqual(parse(words[1:]).command, name)
                    self.assertTrue(purpose)

    def test_help_fits_eighty_columns(self) -> None:
        whole, commands = parsers()
        for name, parser in {"director": whole, **commands}.items():
            for line in parser.format_help().splitlines():
                self.assertLessEqual(len(line), 80, f"{name}: {line}")


class TestMistakes(JobCase):
    def test_an_unknown_flag_is_answered_by_its_own_command(self) -> None:
        err = self.ends(2, "run", "--paralel", "3").err
        self.assertIn("did you mean `--parallel`?", err)
        self.assertIn("see `director run --help`", err)

    def test_one_that_is_nothing_like_any_names_the_help(self) -> None:
        with self.assertRaises(RequestError) as caught:
            parse(["verify", "--frobnicate"])
        self.assertIn("--frobnicate", caught.exception.what)
        self.assertEqual(caught.exception.next_step, "see `director verify --help`")

    def test_a_command_that_is_nearly_right_is_named(self) -> None:
        self.assertIn("did you mean `director status`?", self.ends(2, "statsu").err)
        self.assertIn("see `director --help`", self.ends(2, "frobnicate").err)
        self.assertIn("did you mean `director help verify`?", self.ends(2, "help", "verfy").err)
        for words in (["frobnicate"], ["help", "frobnicate"]):
            said = self.ends(2, *words).err
            self.assertIn("director: there is no command 'frobnicate'\n", said)
            self.assertIn("see `director --help`, which lists the commands", said)


class TestManual(unittest.TestCase):
    def test_the_page_in_the_documentation_is_the_one_the_parser_makes(self) -> None:
        found = PAGE.read_text(encoding="utf-8").rstrip("\n")
        advice = "write it again: `python3 -m director help --man > docs/director.1`"
        self.assertEqual(found, manual(parsers()[1]), advice)

    def test_every_command_and_flag_is_in_it(self) -> None:
        page = manual(parsers()[1]).replace(r"\-", "-")
        for name, parser in parsers()[1].items():
            self.assertIn(f'.SS "director {name}"', page)
            for flag in parser._option_string_actions:
                if flag.startswith("--") and flag != "--help":
                    self.assertIn(rf"\fB{flag}\fR", page)

    def test_no_text_is_taken_for_a_macro(self) -> None:
        parser = argparse.ArgumentParser("x")
        parser.add_argument("--at", help=".SH 'is a back\\slash\"")
        page = manual({**parsers()[1], "run": parser})
        self.assertIn("\\&.SH 'is a back\\eslash\\(dq", page.splitlines())


@unittest.skipUnless(shutil.which("groff"), "there is no groff to read the page")
class TestPage(ProcessCase):
    def test_groff_has_nothing_to_complain_about(self) -> None:
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-z"],
            input=manual(parsers()[1]), capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""))
