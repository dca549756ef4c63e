"""The page in short: for a CI, with nothing in it that a renderer would take for markup."""

from __future__ import annotations

import unittest

from director.model.landed import Landed
from director.model.secrets import NOTHING_SECRET, Redactor
from director.reporting.page.markdown import markdown
from tests.reporting.page.pages import EVIL, example, node, page, part
from tests.reporting.status import statuses

LANDED = Landed("main", "0123456789abc", "squash", "", resolved=("b.txt",), resolved_by="p/m")


class TestMarkdown(unittest.TestCase):
    def test_verdict_failures_and_cost(self) -> None:
        text = markdown(example(), NOTHING_SECRET)
        self.assertTrue(text.startswith("## ❌ 1 of 3 nodes done, 1 failed, 1 blocked.\n"))
        for said in (
            "#### ❌ b: module b", "**ImportError: no f**", "```text\nline 2", "| executor | 2 | ",
            "$0.5000 + 1 unpriced call", "`director run`", "(at least 15 % of the ceiling)",
        ):  # fmt: skip
            self.assertIn(said, text.replace("\\", ""))

    def test_a_job_that_is_done_has_no_failures(self) -> None:
        shown = page(part(node("a"), statuses.node("a")), status={"integration_ok": True})
        text = markdown(shown, NOTHING_SECRET)
        self.assertTrue(text.startswith("## ✅ "))
        self.assertNotIn("Failures", text)

    def test_where_it_landed_and_what_a_model_resolved(self) -> None:
        text = markdown(page(status={"landed": LANDED}), NOTHING_SECRET).replace("\\", "")
        self.assertIn("- landed on main as 0123456789 (squash); 1 conflict resolved by p/m", text)
        self.assertIn("`b.txt`", text)

    def test_nothing_that_agents_wrote_is_markup(self) -> None:
        for evil in (EVIL, "[x](http://evil) ![y](z) | **b** @somebody `c`", "# h", "1. x"):
            text = markdown(example(evil), NOTHING_SECRET)
            outside = "".join(text.split("```")[::2])
            self.assertNotRegex(outside, r"(?<!\\)<(?!br)|(?<!\\)\]\(|@somebody|http://|\x1b")

    def test_no_fence_can_be_closed_from_within(self) -> None:
        text = markdown(example("```\n# injected"), NOTHING_SECRET)
        self.assertIn("````text\n", text)
        self.assertIn("\n````\n", text)

    def test_holds_no_secret(self) -> None:
        text = markdown(example("hunter2-secret"), Redactor({"API_KEY": "hunter2-secret"}))
        self.assertNotIn("hunter2", text)
