"""The live view on a terminal. With it: ``cells``, ``style``."""

from __future__ import annotations

import threading

from director.records.events import Event, Kind
from director.reporting.live.live_progress import following
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.view import LiveView, Terminal, showing
from director.reporting.terminal.canvas import HIDE_CURSOR, SHOW_CURSOR
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style
from director.reporting.terminal.windows import NO_SIZE
from tests.support.pty_case import PtyCase
from tests.support.told import at, attempt, call, ends, event, opened, uses


class LiveCase(PtyCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = at(0)
        self.progress = Progress("run")
        terminal = Terminal(self.terminal, Style())
        self.stopping = False
        self.view = LiveView(terminal, self.progress, "", lambda: self.stopping, lambda: self.time)
        self.listen = showing(self.view, following(self.progress, self.view.take))
        self.addCleanup(self.close)

    def close(self) -> None:
        self.listen(event(Kind.CLOSED))

    def begin(self, *names: str) -> None:
        """Open a job and let its nodes begin."""
        self.listen(opened())
        with self.view.lock:
            self.progress.know(NodeProgress(name) for name in names)
        for name in names:
            self.tell(event(Kind.NODE_STARTED, name, title=name), attempt(name, 1), call(name, 1))

    def tell(self, *events: Event) -> None:
        for one in events:
            self.listen(one)


class TestLive(LiveCase):
    def test_the_picture_follows_events_in_place(self) -> None:
        self.begin("a", "b")
        self.wait_until_shown("asking the model")
        self.tell(uses("a", 2, "edit", "src/a.py"))
        shown = self.wait_until_shown("edit src/a.py")
        self.assertEqual(sum("director run" in line for line in shown), 1)
        self.assertEqual(len(shown), 6)

    def test_what_is_done_stays_above(self) -> None:
        self.begin("a", "b")
        self.tell(ends("a", 9))
        shown = self.wait_until_shown("1/2 done")
        self.assertTrue(shown[0].startswith("✓ a    "), shown)
        self.tell(ends("b", 9, "failed"))
        self.close()
        shown = self.shown_at_the_end()
        self.assertEqual([line[0] for line in shown[:-1]], ["✓", "✗"])
        self.assertEqual(shown[-1], "")

    def shown_at_the_end(self) -> list[str]:
        """Return what stands there when the cursor is seen again."""
        self.terminal.write("(end)\r\n")
        self.terminal.flush()
        return [line.replace("(end)", "") for line in self.wait_until_shown("(end)")][:-1]

    def test_before_and_after_a_job_lines_are_only_lines(self) -> None:
        self.tell(event(Kind.NOTICE, message="first"))
        self.begin("a")
        self.wait_until_shown("0/1 done")
        self.close()
        self.tell(event(Kind.NOTICE, message="last"))
        self.assertEqual(self.wait_until_shown("last"), ["· first", "· last", ""])

    def test_another_job_may_follow(self) -> None:
        for name in ("a", "b"):
            self.begin(name)
            self.wait_until_shown(f"⠋ {name} ")
            self.tell(ends(name, 9))
            self.close()
        shown = self.shown_at_the_end()
        self.assertEqual([line[:3] for line in shown], ["✓ a", "✓ b", ""])

    def test_the_cursor_is_hidden_only_meanwhile(self) -> None:
        self.begin("a")
        self.wait_until_shown("0/1 done")
        self.assertFalse(self.screen.cursor_is_visible)
        self.close()
        self.shown_at_the_end()
        self.assertTrue(self.screen.cursor_is_visible)
        self.assertEqual(self.raw.count(HIDE_CURSOR), self.raw.count(SHOW_CURSOR))

    def test_whoever_asked_for_the_end_sees_that(self) -> None:
        self.begin("a")
        self.stopping = True
        self.wait_until_shown("stopping; ctrl-C again")

    def test_the_second_ctrl_c_leaves_a_terminal_in_order(self) -> None:
        self.begin("a")
        self.wait_until_shown("0/1 done")
        with self.view.lock:  # as whoever is interrupted may hold it
            self.view.abandon()
            self.tell_screen()
        self.assertTrue(self.screen.cursor_is_visible)
        self.view.draw()  # nothing more is drawn
        self.tell_screen()
        self.assertTrue(self.screen.cursor_is_visible)

    def tell_screen(self) -> None:
        """See to it that the screen has got all that was written so far."""
        number = getattr(self, "number", 0) + 1
        self.number = number
        self.terminal.write(f"(seen {number})")
        self.terminal.flush()
        self.wait_until_shown(f"(seen {number})")

    def test_a_picture_that_was_left_is_drawn_again_below(self) -> None:
        self.begin("a")
        self.wait_until_shown("0/1 done")
        self.view.leave()
        self.time = at(3)
        self.view.draw()
        self.wait_until_shown("3 s")
        self.assertFalse(self.screen.cursor_is_visible)
        self.assertEqual(sum("0/1 done" in line for line in self.shown()), 2)

    def test_a_mistake_in_drawing_leaves_the_cursor(self) -> None:
        told: list[object] = []
        before, threading.excepthook = threading.excepthook, told.append
        self.addCleanup(setattr, threading, "excepthook", before)
        self.listen(opened())
        self.progress.nodes = None  # type: ignore[assignment]
        self.view._artist.join(60) if self.view._artist else None
        self.tell_screen()
        self.assertTrue(self.screen.cursor_is_visible)
        self.assertEqual(len(told), 1)
        self.progress.nodes = {}


class TestWindow(LiveCase):
    def test_another_width_is_a_new_picture_in_the_same_place(self) -> None:
        self.begin("a", "b")
        self.wait_until_shown("asking the model")
        for turn, width in enumerate((40, 120, 57, 200, 80)):
            self.resize(width, 24)
            self.time = at(60 * (turn + 1))
            shown = self.wait_until_shown(f"{turn + 1} min 00 s")
            self.assertEqual(sum("0/2 done" in line for line in shown), 1, (width, shown))
            self.assertTrue(all(width_of(line) < width for line in shown), (width, shown))

    def test_it_is_lower_than_the_window(self) -> None:
        self.begin(*(f"node-{number}" for number in range(40)))
        self.assertEqual(len(self.wait_until_shown("and 23 more")), 22)
        self.resize(80, 12)
        self.assertEqual(len(self.wait_until_shown("and 35 more")[-11:]), 11)

    def test_a_terminal_that_does_not_tell_its_size_has_the_usual_one(self) -> None:
        with (self.tmp / "file").open("w") as stream:
            self.assertEqual(Terminal(stream, Style()).window(), NO_SIZE)
        self.resize(0, 0)
        self.assertEqual(Terminal(self.terminal, Style()).window(), NO_SIZE)
        self.resize(80, 24)

    def test_a_terminal_that_is_gone_is_no_reason_to_stop(self) -> None:
        with (self.tmp / "file").open("w") as stream:
            gone = Terminal(stream, Style())
        gone.write("x")
        gone.write_at_once("x")
