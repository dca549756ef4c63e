"""How a call ended is judged by its events, whichever CLI made it."""

from __future__ import annotations

import unittest

from director.agents.calls import Outcome
from director.agents.judging import judge, stopped
from director.agents.opencode.events import OpenCodeReader
from director.agents.transcript import FaultKind, Finish, Transcript
from director.processes.command import Ended, Ending


class TestJudge(unittest.TestCase):
    def judge(self, ending: Ending, finish: Finish | None = Finish.DONE) -> Outcome:
        ended, transcript = Ended(ending, 0, 1.0, "reason"), Transcript(last_finish=finish)
        return judge(ended, transcript, OpenCodeReader(), "").outcome

    def test_why_it_was_stopped_comes_first(self) -> None:
        end = stopped(Ended(Ending.STOPPED, 0, 1.0, "money"), Transcript(), Outcome.OVER_BUDGET)
        self.assertEqual(end, (Outcome.OVER_BUDGET, "money", FaultKind.PASSING))
        asked = Transcript(asked_for="edit (*)")
        end = stopped(Ended(Ending.STOPPED, 0, 1.0, "asked"), asked, Outcome.AGENT_FAULT)
        self.assertIs(end.kind, FaultKind.LASTING)

    def test_how_the_process_ended_comes_before_what_it_said(self) -> None:
        self.assertEqual(self.judge(Ending.CANCELLED), Outcome.CANCELLED)
        self.assertEqual(self.judge(Ending.TIMED_OUT), Outcome.TIMED_OUT)
        self.assertEqual(self.judge(Ending.NOT_STARTED), Outcome.AGENT_FAULT)

    def test_finishes(self) -> None:
        for finish, outcome in (
            (Finish.DONE, Outcome.COMPLETED),
            (Finish.LENGTH, Outcome.INCOMPLETE),
            (Finish.TOOL_CALLS, Outcome.AGENT_FAULT),
            (Finish.REFUSED, Outcome.INCOMPLETE),
            (Finish.OTHER, Outcome.AGENT_FAULT),
            (Finish.EMPTY, Outcome.PROVIDER_FAULT),
            (None, Outcome.AGENT_FAULT),
        ):
            self.assertEqual(self.judge(Ending.EXITED, finish), outcome, finish)
