"""Who shows what happens, by flags and surroundings. With it: ``workspace``."""

from __future__ import annotations

import argparse
import io
import os
import pty
from typing import IO, Any

from director.command_line.context import Context
from director.command_line.dialogs.terminal import Terminal
from director.command_line.ending import Ends
from director.command_line.output import (
    add_output_flags,
    listeners_for,
    mode_of,
    wants_colour,
)
from director.command_line.result import Result
from director.model.errors import RequestError
from director.model.secrets import NOTHING_SECRET, Redactor
from director.processes.cancellation import Cancellation
from director.records.events import Event, Kind
from tests.support.hermetic import TemporaryCase
from tests.support.told import event, opened


class OutputCase(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        master, slave = pty.openpty()
        self.terminal = os.fdopen(slave, "w")
        self.addCleanup(os.close, master)
        self.addCleanup(self.terminal.close)
        self.env = {"TERM": "xterm"}
        self.err: IO[str] = self.terminal

    def context(self) -> Context:
        streams = io.StringIO(), io.StringIO(), self.err
        return Context(self.env, Cancellation(), *streams, NOTHING_SECRET, Ends())

    def args(self, *words: str, **others: Any) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_output_flags(parser)
        found = parser.parse_args(words)
        vars(found).update(command="run", json=False, **others)
        return found

    def mode(self, *words: str, **others: Any) -> str:
        return mode_of(self.args(*words, **others), self.context())


class TestMode(OutputCase):
    def test_a_terminal_has_the_live_view(self) -> None:
        self.assertEqual(self.mode(), "live")

    def test_a_pipe_and_a_dumb_terminal_have_lines(self) -> None:
        for env in ({"TERM": "dumb"}, {}):
            self.env = env
            self.assertEqual((self.mode(), self.mode("--progress", "live")), ("lines", "lines"))
        self.env, self.err = {"TERM": "xterm"}, io.StringIO()
        self.assertEqual((self.mode(), self.mode("--progress", "live")), ("lines", "lines"))

    def test_so_have_programs_that_read_the_result(self) -> None:
        for flag in ("json", "events"):
            args = self.args()
            vars(args)[flag] = True
            self.assertEqual(mode_of(args, self.context()), "lines")

    def test_flags_decide(self) -> None:
        for words, mode in (
            (("--progress", "lines"), "lines"),
            (("--progress", "none"), "none"),
            (("--quiet",), "none"),
            (("-q", "--progress", "live"), "none"),
            (("-v",), "verbose"),
        ):
            self.assertEqual(self.mode(*words), mode, words)

    def test_commands_without_these_flags_have_what_suits_the_stream(self) -> None:
        self.assertEqual(mode_of(argparse.Namespace(command="take"), self.context()), "live")


class TestColour(OutputCase):
    def wanted(self, *words: str, terminal: bool = True) -> bool:
        return wants_colour(self.args(*words), self.context(), terminal=terminal)

    def test_a_terminal_has_colours_unless_told_otherwise(self) -> None:
        self.assertTrue(self.wanted())
        self.assertFalse(self.wanted("--color", "never"))
        for env in ({"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}):
            self.env = env
            self.assertFalse(self.wanted(), env)
            self.assertTrue(self.wanted("--color", "always"))

    def test_a_pipe_has_none_unless_told_otherwise(self) -> None:
        self.assertFalse(self.wanted(terminal=False))
        self.assertTrue(self.wanted("--color", "always", terminal=False))

    def test_an_empty_no_color_says_nothing(self) -> None:
        self.env = {"NO_COLOR": "", "TERM": "xterm"}
        self.assertTrue(self.wanted())


class Shown(io.StringIO):
    """What a terminal got."""

    def isatty(self) -> bool:
        return True


class TestMessages(OutputCase):
    def context(self) -> Context:
        self.err = Shown()
        self.env = {"COLUMNS": "40"}
        return super().context()._replace(redactor=Redactor({"PASS": "open sesame, please"}))

    def test_a_secret_that_would_be_broken_over_two_lines_is_not_shown(self) -> None:
        told = RequestError("the server does not take open sesame, please", "ask for another")
        context = self.context()
        context.complain(told.what, told.next_step)
        Terminal(context, self.tmp).complain(told)
        said = "director: the server does not take\n    [redacted PASS]\n  next: ask for another\n"
        self.assertEqual(context.err.getvalue(), said * 2)  # type: ignore[attr-defined]

    def test_a_result_is_broken_between_words_on_a_terminal_only(self) -> None:
        text = f"worktree  {'/folder' * 8}\nholds     the tip of the branch, and no more"
        for stream, lines in ((Shown(), 4), (io.StringIO(), 2)):
            context = self.context()._replace(out=stream)
            context.finish(argparse.Namespace(command="take"), Result(text))
            said = stream.getvalue()
            self.assertEqual(len(said.splitlines()), lines, said)
            self.assertIn("/folder" * 8, said)


class TestListeners(OutputCase):
    def told(self, *events: Event, words: tuple[str, ...] = (), **env: str) -> str:
        self.err, self.env = io.StringIO(), env
        for listener in listeners_for(self.args(*words), self.context()):
            for one in events:
                listener(one)
        return self.err.getvalue()

    def test_each_mode_prints_what_it_is_for(self) -> None:
        gate: dict[str, Any] = {"purpose": "candidate", "verdict": "green", "reason": "exit code 0"}
        one = event(Kind.GATE, "a", **gate)
        self.assertEqual(self.told(one), "")
        self.assertIn("a: gate on the candidate: green", self.told(one, words=("-v",)))
        self.assertEqual(self.told(event(Kind.NOTICE, message="x"), words=("-q",)), "")

    def test_github_gets_groups(self) -> None:
        stage = event(Kind.STAGE_ENTERED, stage="spec")
        self.assertIn("::group::", self.told(stage, GITHUB_ACTIONS="true"))
        self.assertNotIn("::group::", self.told(stage))

    def test_a_mistake_of_the_view_is_told_once_and_stops_no_command(self) -> None:
        broken = event(Kind.CALL_STARTED, "a")  # says neither who is asked nor which model
        said = self.told(broken, broken, event(Kind.NOTICE, message="x"))
        self.assertEqual(said.count("\n"), 2)
        self.assertIn("a bug in director's live output", said)
        self.assertIn("the job continues", said)

    def test_the_live_view_is_left_in_order_by_the_second_ctrl_c(self) -> None:
        context = self.context()
        (listener,) = listeners_for(self.args(), context)
        listener(opened(directory=str(self.tmp)))
        self.assertEqual(len(context.cancellation.last_resorts), 1)
        listener(event(Kind.CLOSED))
