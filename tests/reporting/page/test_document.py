"""The page as one file: what is in it, and that nothing which agents wrote can act in it.

With it: ``page.page``, ``overview``, ``costs``, ``node_part``, ``lanes``.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unittest
from html.parser import HTMLParser

from director.model.cost import Cost
from director.model.secrets import NOTHING_SECRET, Redactor
from director.reporting.page.costs import against_ceiling, lines_by
from director.reporting.page.document import Live, document, policy
from director.reporting.page.page import Page
from director.reporting.page.reading import PATCH_LINES, shortened
from director.reporting.page.timeline import Doing, Row, Session, Span
from tests.reporting.page.pages import EVIL, call, example, page

ALLOWED = {
    "a", "article", "b", "body", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
    "g", "h1", "h2", "h3", "head", "html", "li", "line", "main", "meta", "ol", "p", "path", "pre",
    "rect", "script", "section", "span", "style", "summary", "svg", "table", "tbody", "td", "text",
    "th", "thead", "title", "tr", "ul", "noscript",
}  # fmt: skip


class Reader(HTMLParser):
    """Keeps names of elements and attributes, targets, scripts, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.sealed: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, name: str, pairs: list[tuple[str, str | None]]) -> None:
        self.names.add(name)
        self.attributes |= {key for key, _ in pairs}
        self.links += [str(value) for key, value in pairs if key in ("href", "src")]
        self.ids += [str(value) for key, value in pairs if key == "id"]
        self._within = name

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style"):
            self.sealed.append((self._within, data))
        else:
            self.words.append(data)
        self._within = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


class TestDocument(unittest.TestCase):
    def read(self, shown: Page) -> Reader:
        return Reader(document(shown, NOTHING_SECRET))

    def test_says_what_a_person_needs_to_know(self) -> None:
        text = self.read(example()).text
        for said in (
            "1 of 3 nodes done, 1 failed, 1 blocked.", "add it",
            "$0.7500 + 1 unpriced call of $5.00", "1 merge verified", "ImportError: no f",
            "director amend b", "director run",
            "director verify --rerun", "## Goal", "test a", "x = 1",
            "An unpriced call",
        ):  # fmt: skip
            self.assertIn(said, text)

    def test_failures_come_before_everything_else_about_nodes(self) -> None:
        html = document(example(), NOTHING_SECRET)
        places = [html.index(f'id="{name}"') for name in ("verdict", "failures", "dag", "node-a")]
        self.assertEqual(places, sorted(places))
        self.assertNotIn("<h2>Failures", document(page(), NOTHING_SECRET))

    def test_nothing_that_agents_wrote_is_markup(self) -> None:
        shown = self.read(example(EVIL))
        self.assertEqual(shown.names - ALLOWED, set())
        self.assertEqual({one for one in shown.attributes if one.startswith("on")}, set())
        self.assertEqual([name for name, _ in shown.sealed], ["style", "script"])
        self.assertIn("<script>alert(1)</script>", shown.text)
        self.assertNotIn("\x1b", shown.text)
        self.assertNotIn("\u202e", shown.text)

    def test_asks_for_nothing_elsewhere(self) -> None:
        for shown in (example(), example(EVIL)):
            read = self.read(shown)
            self.assertEqual([link for link in read.links if not link.startswith("#")], [])
            self.assertEqual({link[1:] for link in read.links} - set(read.ids), set())
        self.assertNotIn("style", self.read(example()).attributes)

    def test_the_policy_names_the_styles_and_scripts_that_are_in_it(self) -> None:
        for live in (None, Live(1)):
            html = document(example(), NOTHING_SECRET, live)
            said = re.findall(r"&#x27;sha256-([^&]*)&#x27;", html)
            found = [
                base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                for _, text in Reader(html).sealed
            ]
            self.assertEqual(said, found)
            self.assertTrue(policy(live is not None).startswith("default-src 'none'; "))
        self.assertNotIn("connect-src", policy(False))

    def test_holds_no_secret(self) -> None:
        html = document(example("hunter2-secret"), Redactor({"API_KEY": "hunter2-secret"}))
        self.assertNotIn("hunter2", html)
        self.assertIn("[redacted API_KEY]", html)

    def test_ids_are_unique(self) -> None:
        ids = self.read(example()).ids
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_job_without_a_plan(self) -> None:
        text = self.read(page(no_plan="plan.json is not a valid plan")).text
        self.assertIn("plan.json is not a valid plan", text)
        self.assertIn("No call has been paid for yet.", text)

    def test_the_timeline_says_where_the_time_went(self) -> None:
        spans = (Span(Doing.CALL, 1000.0, 1060.0), Span(Doing.GATE, 1060.0, 1070.0))
        row = Row("a", "a", 1000.0, 1080.0, spans)
        text = self.read(page(sessions=(Session((row,), 1),))).text
        self.assertIn("calls 1 min 00 s, gates 10.0 s, waiting 10.0 s", text)


class TestCosts(unittest.TestCase):
    def test_unpriced_calls_are_never_counted_as_free(self) -> None:
        calls = (call(0.5), call(None), call(None, "reviewer"))
        found = {line.name: line.cost for line in lines_by(calls, "role")}
        self.assertEqual(found, {"executor": Cost(0.5, 1), "reviewer": Cost(0.0, 1)})
        said = against_ceiling(page(calls=calls, ceiling_usd=2.0))
        self.assertEqual(said, "$0.5000 + 2 unpriced calls of $2.00 (at least 25 % of the ceiling)")

    def test_a_job_without_a_ceiling_says_so(self) -> None:
        self.assertEqual(
            against_ceiling(page(calls=(call(1.0),))), "$1.00; no ceiling is configured"
        )


class TestPatches(unittest.TestCase):
    def test_long_patches_are_cut_and_say_so(self) -> None:
        change = shortened("merge", "x\n" * (PATCH_LINES + 5), 10**6)
        self.assertEqual((len(change.patch.splitlines()), change.left_out), (PATCH_LINES, 5))
        self.assertEqual(shortened("merge", "abc\n", 2).patch, "")
