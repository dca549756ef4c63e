"""``director report``: what is in the file, where it goes, and what ``--json`` says of it.

With it: ``reporting.page.reading``, ``job_page``, ``candidates``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.support.fake_opencode import write
from tests.support.jobs import JobCase, node


class TestReport(JobCase):
    def a_failed_run(self) -> None:
        """Let a of a, b and c be done, b fail twice in the same way, and c wait for b."""
        self.plan(node("a"), node("b"), node("c", depends_on=["b"]))
        self.implement("a")
        for _ in range(2):
            self.implement("b", write("b.txt", "bad <script>alert(1)</script>\n"))
        self.ends(1, "run", "--max-attempts", "1")

    def report(self, *argv: str) -> str:
        """Return the report that director writes by default."""
        self.ends(0, "report", *argv)
        return (self.home / "report.html").read_text()

    def test_tells_all_that_is_on_record_of_a_failed_job(self) -> None:
        self.a_failed_run()
        html = self.report()
        for said in (
            "1 of 3 nodes done, 1 failed, 1 blocked.", "no good b", "sh tests/b.sh", "the spec",
            "1 merge verified", "director amend b", "director verify --rerun",
            "frozen test tests/a.sh", "grep -q good a.txt", "Receipt (merged as", "Diff (merge ",
            "Diff (attempts/b/2)", "+good", "+bad &lt;script&gt;alert(1)&lt;/script&gt;",
        ):  # fmt: skip
            self.assertIn(said, html)
        self.assertNotIn("<script>alert", html)

    def test_says_where_the_file_is(self) -> None:
        self.a_failed_run()
        self.assertIn("Report: ", self.ends(0, "report").out)
        target = self.place / "out" / "page.html"
        done = self.ends(0, "report", "-o", str(target), "--json")
        said = done.json
        self.assertEqual(said["file"], str(target))
        self.assertTrue(target.read_text().startswith("<!doctype html>"))
        self.assertEqual((said["standing"], said["failed"], said["nodes"]), ("failed", ["b"], 3))
        self.assertEqual((said["verified"], said["cost_ceiling_usd"]), (True, None))
        self.assertFalse((self.home / "report.html").read_text() == "")

    def test_a_file_of_the_users_own_is_readable_as_they_have_it(self) -> None:
        self.plan(node("a"))
        target = self.place / "out" / "of" / "page.html"
        self.ends(0, "report", "-o", str(target))
        umask = os.umask(0o077)
        os.umask(umask)
        found = [one.stat().st_mode & 0o777 for one in (target.parent, target)]
        self.assertEqual(found, [0o777 & ~umask, 0o666 & ~umask])
        self.ends(0, "report")
        self.assertEqual((self.home / "report.html").stat().st_mode & 0o777, 0o600)

    def test_standard_output_takes_it_too(self) -> None:
        self.a_failed_run()
        out = self.ends(0, "report", "-o", "-").out
        self.assertTrue(out.startswith("<!doctype html>"))
        self.assertTrue(out.endswith("</html>\n"))

    def test_markdown_for_a_step_summary(self) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 5.0\n")
        self.a_failed_run()
        text = self.ends(0, "report", "--markdown").out
        self.assertTrue(text.startswith("## ❌ 1 of 3 nodes done"))
        for said in (
            "### Failures",
            "no good b",
            "of \\$5.00 (2 %",
            "### Cost",
            "| executor | 2 |",
        ):
            self.assertIn(said, text)
        self.assertFalse((self.home / "report.html").exists())
        said = json.loads(self.ends(0, "report", "--markdown", "--json").out)
        self.assertEqual(said["markdown"], text)

    def test_what_was_changed_behind_director_is_not_verified(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        receipts = self.home / "receipts.jsonl"
        receipts.write_text(
            receipts.read_text().replace('"files": ["a.txt"]', '"files": ["b.txt"]')
        )
        said = self.ends(0, "report", "--json").json
        self.assertFalse(said["verified"])
        self.assertIn("not verified: ", (self.home / "report.html").read_text())

    def test_a_job_that_is_only_planned(self) -> None:
        self.plan(node("a"))
        html = self.report()
        self.assertIn("the plan is ready", html)
        self.assertIn("nothing is merged yet", html)
        self.assertIn("grep -q good a.txt", html)

    def test_an_archived_job_can_be_named(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        job_id = str(self.stored("plan.json")["job_id"])
        self.script_planning(node("b"))
        self.ends(0, "plan", "another", "--no-critique")
        said = self.ends(0, "report", "--job", job_id, "--json").json
        self.assertEqual(said["job_id"], job_id)
        self.assertEqual(Path(said["file"]), self.home / "jobs" / job_id / "report.html")
        self.assertIn(f"--job {job_id}", Path(said["file"]).read_text())

    def test_no_job_is_an_end_that_is_explained(self) -> None:
        self.assertIn("there is no job in", self.ends(2, "report").err)

    def test_candidates_that_are_gone_are_left_out(self) -> None:
        self.a_failed_run()
        self.repo.git("--git-dir", str(self.home / "job.git"), "update-ref", "-d",
                      "refs/attempts/b/2")  # fmt: skip
        self.assertIn("Diff (attempts/b/1)", self.report())
