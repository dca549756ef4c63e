from __future__ import annotations

import re
import unittest

from director.model.cost import Cost
from director.model.state import NodeStatus
from director.records.events import Kind
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.screen import SPARE_LINES, in_words, screen, spent
from director.reporting.live.time_left import TimeLeft
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style
from director.reporting.terminal.windows import Window
from tests.support.told import a_busy_run, a_run, at, call, event, opened, take, uses

NOW = at(128)
COLOUR = re.compile(r"\x1b\[\d*m")


def lines(
    progress: Progress, width: int = 80, height: int = 24, style: Style | None = None
) -> list[str]:
    return screen(progress, Window(width, height), style or Style(), NOW)


class TestRun(unittest.TestCase):
    def shown(self, width: int, style: Style | None = None) -> list[str]:
        busy = a_busy_run()
        busy.spent = Cost(0.25, 3)
        found = lines(busy, width, style=style)
        return [re.sub(r"\d\d:\d\d:\d\d(?=\x1b|$)", "hh:mm:ss", line) for line in found]

    def test_in_80_columns(self) -> None:
        self.assertEqual(
            self.shown(80),
            [
                "director run · job 5622 · Add a table of contents                      hh:mm:ss",
                "████████████████▌░░░░░░░░░  9/14 done   1 failed · 2 running · 2 blocked",
                "$0.28 of $5.00 (+3 unpriced) · 2 min 08 s · under 1 min left (from 9 nodes)",
                "",
                "  ⠋ contents  executor     attempt 2/3   1:48  $0.0009   edit src/toc.py",
                "  ⠋ anchors   escalation   attempt 4     1:08  $0.0311   bash python3 -m unitt…",
                "  ✗ links     failed after 3 attempts: test_link (AssertionError)",
                "              director status --node links",
                "  – cli, readme   wait for links (blocked)",
            ],
        )

    def test_a_run_of_a_bench_is_named_whole(self) -> None:
        busy = a_busy_run()
        busy.job_id += "-all-frontier@2"
        self.assertIn(" · job 5622-all-frontier@2 · Add a ", lines(busy)[0])

    def test_setup_is_told_where_no_node_is_at_work_yet(self) -> None:
        run = take(a_run(a=()), event(Kind.NOTICE, None, 1, message="", slot=0, worktrees="gates"))
        self.assertIn("running setup", "\n".join(lines(run)))

    def test_in_40_columns(self) -> None:
        self.assertEqual(
            self.shown(40),
            [
                "run · job 5622 · Add a tabl…   hh:mm:ss",
                "██████████▌░░░░░░  9/14 done   1 failed",
                "$0.28 of $5.00 (+3 unpriced)",
                "",
                "  ⠋ contents   1:48  edit src/toc.py",
                "  ⠋ anchors    1:08  bash python3 -m u…",
                "  ✗ links     failed after 3 attempts:…",
                "  – 2 nodes   wait for links (blocked)",
            ],
        )

    def test_in_200_columns_in_ascii(self) -> None:
        head, bar, facts, _, first, second, *_ = self.shown(200, Style(unicode=False))
        self.assertEqual(width_of(head), 79)
        self.assertTrue(bar.startswith("################-.........  9/14 done   1 failed - 2"))
        self.assertTrue(facts.startswith("$0.28 of $5.00 (+3 calls unpriced) - 2 min 08 s - under"))
        self.assertTrue(first.startswith("  | contents  executor     attempt 2/3   1:48"))
        self.assertTrue(second.endswith("bash python3 -m unittest tests.test_toc"))
        self.assertTrue("\n".join(self.shown(200, Style(unicode=False))).isascii())

    def test_no_line_is_too_wide_and_there_are_never_too_many(self) -> None:
        busy = take(a_busy_run(), uses("contents", 70, "edit", "源/" * 90))
        busy.task = "目次を追加する" * 20
        for style in (Style(), Style(unicode=False), Style(colour=True)):
            for width in (*range(20, 90), 120, 199, 200, 201, 400):
                for height in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 50):
                    found = lines(busy, width, height, style)
                    self.assertLessEqual(len(found), max(1, height - SPARE_LINES), (width, height))
                    for line in found:
                        self.assertLess(width_of(COLOUR.sub("", line)), width, line)

    def test_colours_change_nothing_but_colours(self) -> None:
        plain, coloured = self.shown(80), self.shown(80, Style(colour=True))
        self.assertEqual([COLOUR.sub("", line).rstrip() for line in coloured], plain)
        self.assertIn("\x1b[31m1 failed\x1b[0m", coloured[1])

    def test_in_a_low_window_what_matters_most_stays(self) -> None:
        self.assertRegex(lines(a_busy_run(), height=3)[0], "9/14 done")
        self.assertEqual(len(lines(a_busy_run(), height=5)), 3)
        (*_, last) = lines(a_busy_run(), height=8)
        self.assertEqual(last, "  … and 3 more")
        self.assertNotIn("director status", "\n".join(lines(a_busy_run(), height=10)))

    def test_many_nodes_are_counted_where_there_is_no_room(self) -> None:
        run = a_run()
        run.know(NodeProgress(f"n{number}") for number in range(60))
        for number in range(60):
            take(run, event(Kind.NODE_STARTED, f"n{number}", title="x"))
        self.assertEqual(lines(run)[-1], "  … and 43 more")
        self.assertIn("0/60 done   60 running", lines(run)[1])

    def test_the_spinner_turns(self) -> None:
        frames = [
            screen(a_busy_run(), Window(80, 24), Style(), NOW + turn / 5)[4][2]
            for turn in range(10)
        ]
        self.assertEqual(len(set(frames)), 10)

    def test_the_full_bar_is_full_and_the_empty_one_empty(self) -> None:
        run = a_run(done=2)
        self.assertTrue(lines(run)[1].startswith("█" * 26 + "  2/2 done"))
        run.nodes["done-0"].status = NodeStatus.PENDING
        run.nodes["done-1"].status = NodeStatus.PENDING
        self.assertTrue(lines(run)[1].startswith("░" * 26 + "  0/2 done   2 waiting"))

    def test_a_command_is_ready_to_be_typed(self) -> None:
        found = screen(a_busy_run(), Window(80, 24), Style(), NOW, " --repo 'a b'")
        self.assertIn("              director status --node links --repo 'a b'", found)

    def test_whoever_asked_for_the_end_is_told_that_it_comes(self) -> None:
        run = a_busy_run()
        run.stopping = True
        self.assertIn("stopping; ctrl-C again stops at once", lines(run)[2])

    def test_between_nodes_it_says_what_is_done(self) -> None:
        self.assertIn("looking for the next node", lines(a_run(a=()))[2])


class TestPlanning(unittest.TestCase):
    def test_the_head_has_the_stages(self) -> None:
        plan = take(Progress("plan"), opened(planned=False))
        take(plan, event(Kind.STAGE_ENTERED, stage="decompose"))
        self.assertEqual(lines(plan)[1], "✓ explore  ✓ spec  ● plan  ○ tests")
        plan.know(NodeProgress(str(number)) for number in range(7))
        for number in range(3):
            plan.nodes[str(number)].admitted = True
        take(plan, call("4", 100, "test_author", 2))
        self.assertEqual(lines(plan)[1], "✓ explore  ✓ spec  ✓ plan  ● tests 3/7")
        self.assertEqual(
            lines(plan)[4],
            "  ⠋ 4         test author  attempt 2     0:28            asking the model",
        )
        self.assertEqual(
            lines(plan, style=Style(unicode=False))[1], "+ explore  + spec  + plan  * tests 3/7"
        )


class TestWords(unittest.TestCase):
    def test_money(self) -> None:
        self.assertEqual(spent(Cost(), 0.0), "$0.00")
        self.assertEqual(spent(Cost(0.0612, 5), 0.0), "$0.0612 (+5 calls unpriced)")
        self.assertEqual(spent(Cost(1.5, 1), 5.0), "$1.50 of $5.00 (+1 call unpriced)")
        self.assertEqual(spent(Cost(1.5, 1), 5.0, short=True), "$1.50 of $5.00 (+1 unpriced)")

    def test_time(self) -> None:
        left = [in_words(TimeLeft(secs, 3)) for secs in (5, 230, 9000)]
        said = ["under 1 min left", "about 4 min left", "about 2.5 h left"]
        self.assertEqual(left, [f"{one} (from 3 nodes)" for one in said])
