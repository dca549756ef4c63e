"""The documents agree with the program.

Links lead somewhere, examples parse, and every flag, key, event and field of a record is described.
"""

from __future__ import annotations

import re
import shlex
import tomllib
import unittest
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from director import __version__
from director.benching.records import Experiment
from director.command_line.grammar.arguments import arguments_of
from director.command_line.grammar.catalog import COMMANDS
from director.command_line.grammar.parser import parse, parsers
from director.job.amendment import Amendment
from director.job.seal import Seal
from director.job.stage import PlanStage
from director.model.codec.fields import fields_of, without_marks
from director.model.comparison import Row
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.experiment import Asked
from director.model.failure import Failure
from director.model.landed import Landed
from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.model.state import CallRecord, NodeState, WatchItFail
from director.records.call_notes import CallNote
from director.records.events import Kind
from director.records.lock import Holder
from director.records.taken_nodes import TakenNode
from tests.support.jobs import JobCase, node
from tests.test_architecture import LAYERS

ROOT = Path(__file__).resolve().parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "director" / "README.md"]
)
LONGEST_README = 220  # lines: what does not fit is for docs/
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
TYPED = re.compile(r"^\$ (director .*)$", re.MULTILINE)
RECORDS: tuple[tuple[str, Hashable], ...] = (
    ("plan.json", Plan),
    ("plan.json", Node),
    ("sealed.json", Seal),
    ("plan_stage.json", PlanStage),
    ("state.json", NodeState),
    ("failure", Failure),
    ("costs.jsonl", CallRecord),
    ("metrics.jsonl", WatchItFail),
    ("receipts.jsonl", Receipt),
    ("bench/", Experiment),
    ("bench/", Asked),
    ("bench/", Row),
    ("Small files", Holder),
    ("Small files", Landed),
    ("Small files", CallNote),
    ("Small files", Amendment),
    ("Small files", TakenNode),
)
"""Section of docs/records.md → a class whose fields are stored in what the section describes."""

ELSEWHERE = {"Node": "plan.json", "Failure": "failure", "Plan": "plan.json"}
"""Records within others that have a section of their own."""


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


@cache
def section(title: str) -> str:
    """Return a section of docs/records.md."""
    text = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"\n## {title}\n")
    if not rest:
        raise AssertionError(f"docs/records.md has no section {title}")
    return rest.partition("\n## ")[0]


def is_told(name: str, text: str) -> bool:
    """Whether a name stands among code, alone or at the end of a path (`nodes[].id`)."""
    return bool(re.search(rf"`(?:[^`\s]*\.)?{re.escape(name)}\]?`", text))


def stored_fields(kind: Hashable) -> Iterator[tuple[str, str]]:
    """Give class and key of every field of a record, those of records within it among them."""
    for field in fields_of(kind):
        if not field.is_inline:
            yield getattr(kind, "__name__", ""), field.key
        for inner in records_in(field.hint):
            if inner.__name__ not in ELSEWHERE:
                yield from stored_fields(inner)


def records_in(hint: Any) -> Iterator[type]:
    """Give the classes of records that an annotation names."""
    hint, _ = without_marks(hint)
    if hasattr(hint, "_fields") or hasattr(hint, "__dataclass_fields__"):
        yield hint
    for part in get_args(hint):
        yield from records_in(part)


def keys_of(config: str) -> Iterator[tuple[str, str]]:
    """Give section and key of every setting of an example, those in comments among them."""
    head = ""
    for line in config.splitlines():
        try:
            setting = tomllib.loads(line.removeprefix("# "))
        except tomllib.TOMLDecodeError:
            continue  # prose, or a line of a list
        for key in setting:
            if "[" in line.partition("=")[0]:
                head = key
            else:
                yield head, key


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

    def test_every_key_of_the_configuration_is_described(self) -> None:
        told = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        example = (ROOT / "director" / "config.example.toml").read_text(encoding="utf-8")
        sections = [(one.key, kind) for one in fields_of(Config) for kind in records_in(one.hint)]
        keys = {(head, one.key) for head, kind in sections for one in fields_of(kind)}
        seen = {one for one in (*keys_of(example), *keys) if one[0] != "gates"}
        self.assertGreater(len(seen), 40)
        for head, key in sorted(seen):
            _, _, text = told.partition(f"\n## [{head}")
            if not is_told(key, text.partition("\n## ")[0]):
                self.fail(f"docs/configuration.md does not tell of `{key}` of [{head}]")

    def test_every_field_of_a_record_is_described(self) -> None:
        for title, kind in RECORDS:
            missing = [
                f"{owner}.{key}"
                for owner, key in stored_fields(kind)
                if not is_told(key, section(title))
            ]
            self.assertEqual(missing, [], f"docs/records.md, {title}")

    def test_every_kind_of_event_is_described(self) -> None:
        missing = [kind.value for kind in Kind if not is_told(kind.value, section("events.jsonl"))]
        self.assertEqual(missing, [], "docs/records.md, events.jsonl")

    def test_the_layers_are_all_named_and_in_their_order(self) -> None:
        layers = [one for one in LAYERS if not one.startswith("__")]
        text = (ROOT / "director" / "README.md").read_text(encoding="utf-8")
        (said,) = re.findall(r"^cli >[^`]*", text, re.MULTILINE)
        self.assertEqual(re.findall(r"\w+", said), layers)
        (listed,) = re.findall(r"^director/\n(.*?)^benchmarks/", CONTRIBUTING, re.M | re.S)
        self.assertEqual(re.findall(r"^  (\w+)", listed, re.MULTILINE), layers)

    def test_modules_that_contributors_are_told_of_are_there(self) -> None:
        known = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/*.py")}
        pages = (CONTRIBUTING, (ROOT / "director" / "README.md").read_text(encoding="utf-8"))
        for name in re.findall(r"`([a-z_][a-z_/]*\.py)`", "".join(pages)):
            if not any(f"/{path}".endswith(f"/{name}") for path in known):
                self.fail(f"there is no module {name}")

    def test_the_version_is_the_same_everywhere(self) -> None:
        pages = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
        self.assertIn(f"\ndirector {__version__}\n", pages["README.md"])
        manual = (ROOT / "docs" / "director.1").read_text(encoding="utf-8")
        self.assertIn(f'"director {__version__}"', manual)
        changed = re.escape(__version__)
        self.assertRegex(pages["CHANGELOG.md"], rf"(?m)^## \[(Unreleased\]|{changed}\] - \d{{4}})")

    def test_the_readme_is_short(self) -> None:
        lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(len(lines), LONGEST_README)


class TestWritten(JobCase):
    """What a job writes and prints is described, what is of no class among it."""

    def is_described(self, found: Mapping[str, Any], *titles: str) -> None:
        text = "".join(map(section, titles))
        missing = [key for key in found if not is_told(key, text)]
        self.assertEqual(missing, [], f"docs/records.md, {titles}: {found}")

    def test_records(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "land", "--merge", "--yes")
        for name in ("metrics", "events", "tips", "receipts", "costs"):
            for line in self.lines(f"{name}.jsonl"):
                self.is_described(line, f"{name}.jsonl")

    def test_json(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.prints(0, "take b")
        self.prints(0, "run", "metrics.jsonl")
        self.prints(1, "give b")
        self.prints(0, "take --drop b")
        self.prints(0, "amend b")
        self.prints(0, "amend b --cancel")
        self.implement("b")
        self.prints(0, "run", "metrics.jsonl")
        for command in (
            "plan --show", "status", "status --node a", "status --node a --diff", "logs a",
            "logs a --gate", "logs a --prompt", "logs --failed", "verify", "jobs", "report",
            "report --markdown", "clean --dry-run", "clean --older 1d --dry-run",
            "land --merge --yes --dry-run", "doctor", "stop", "sync-agents", "init --yes --force",
        ):  # fmt: skip
            self.prints(None, command)

    def prints(self, code: int | None, command: str, *besides: str) -> None:
        done = self.director(*command.split(), "--json")
        self.assertIn(done.code, (code, 0, 2) if code is None else (code,), done.err)
        self.is_described(done.json, "--json", *besides)
