"""The documents agree with the program: links lead somewhere, flags are told, examples parse."""

from __future__ import annotations

import re
import shlex
import unittest
from collections.abc import Iterator
from pathlib import Path

from director.command_line.grammar.arguments import arguments_of
from director.command_line.grammar.catalog import COMMANDS
from director.command_line.grammar.parser import parse, parsers
from director.model.config_reader import read_config

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "director" / "README.md"]
)
LONGEST_README = 220  # lines: what does not fit is for docs/
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
TYPED = re.compile(r"^\$ (director .*)$", re.MULTILINE)


def prose(text: str) -> str:
    """Return a page without its code."""
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as hosts of git repositories make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
        names.add(f"{name}-{found[name]}" if found[name] else name)
    return names


def typed_in(page: Path) -> Iterator[list[str]]:
    """Give the command lines of director that a page tells to type, as words."""
    for line in TYPED.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r" && | +# ", line):
            if part.startswith("director ") and "…" not in part:
                yield shlex.split(part)[1:]


class TestDocs(unittest.TestCase):
    def test_links_lead_somewhere(self) -> None:
        for page in PAGES:
            for path, anchor in LINK.findall(prose(page.read_text(encoding="utf-8"))):
                target = (page.parent / path).resolve() if path else page
                with self.subTest(page=page.name, link=f"{path}#{anchor}"):
                    self.assertTrue(target.exists())
                    if anchor and target.suffix == ".md":
                        self.assertIn(anchor, anchors(target))

    def test_what_is_to_be_typed_can_be_typed(self) -> None:
        seen = [words for page in PAGES for words in typed_in(page)]
        self.assertGreater(len(seen), 10)
        for words in seen:
            if words[0] not in ("--version", "--help"):
                with self.subTest(" ".join(words)):
                    self.assertEqual(parse(words).command, words[0])

    def test_every_command_and_flag_is_told(self) -> None:
        told = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
        for name in COMMANDS:
            if not re.search(rf"^## .*director {name}\b", told, re.MULTILINE):
                self.fail(f"docs/commands.md does not tell of `{name}`")
        for name, parser in parsers()[1].items():
            for argument in arguments_of(parser):
                for flag in argument.names:
                    if not re.search(rf"`[^`\n]*(?<![\w-]){flag}\b", told):
                        self.fail(f"docs/commands.md does not tell of `{name} {flag}`")

    def test_the_configuration_in_the_readme_can_be_read(self) -> None:
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        (example,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        config = read_config(example.replace("PROVIDER/", "provider/"), "README.md")
        self.assertEqual(config.limits.cost_ceiling_usd, 5.0)

    def test_the_readme_is_short(self) -> None:
        lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(len(lines), LONGEST_README)
