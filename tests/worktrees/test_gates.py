"""A gate's verdict is its exit code; a command that cannot start is no failure of the work."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from director.model.errors import InterruptedRunError, StoppedError
from director.model.failure import Failure
from director.model.secrets import Redactor
from director.model.testing.excerpt import SHOWN_CHARACTERS, shortened
from director.processes.cancellation import Cancellation
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.worktrees.gates import (
    HELD_BYTES,
    KEPT_BYTES,
    GateResult,
    Gates,
    Verdict,
)
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.sandboxes import sandbox_of


class TestGates(HermeticCase):
    sandbox = Sandbox()

    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.work = self.tmp / "work"
        self.work.mkdir()
        self.logs = self.tmp / "new" / "logs"

    def run_gate(
        self, command: str, *, timeout_secs: float = 300, worktree: Path | None = None
    ) -> GateResult:
        processes = Processes(self.tmp.name, self.cancellation)
        env = {**self.env, "GIT_DIR": "/elsewhere"}
        redactor = Redactor({"A_KEY": "the-secret-value"})
        gates = Gates(processes, env, self.logs, timeout_secs, self.sandbox, redactor)
        return gates.run(command, worktree or self.work, "node a/b")

    def test_exit_codes_are_verdicts(self) -> None:
        for code, verdict in (
            (0, Verdict.GREEN),
            (1, Verdict.RED),
            (2, Verdict.RED),
            (125, Verdict.RED),
            (126, Verdict.BROKEN),
            (127, Verdict.BROKEN),
            (128, Verdict.RED),
        ):
            result = self.run_gate(f"exit {code}")
            self.assertEqual((result.verdict, result.code), (verdict, code))
            self.assertIn(str(code), result.reason)

    def test_a_command_that_is_not_there_or_cannot_be_run_is_broken(self) -> None:
        (self.work / "tool").write_text("#!/bin/sh\n")
        for command, reason in (
            (
                "no-such-tool --check",
                "exit code 127: `no-such-tool` was not found, "
                "neither on PATH nor in a fresh worktree",
            ),
            (
                "echo working; .venv/bin/pytest",
                "exit code 127: `.venv/bin/pytest` is missing in a fresh worktree",
            ),
            ("./tool", "exit code 126: `./tool` cannot be executed in a fresh worktree"),
            (
                "exit 127",
                "exit code 127: a program was not found, neither on PATH nor in a fresh worktree",
            ),
        ):
            result = self.run_gate(command)
            self.assertEqual((result.verdict, result.reason), (Verdict.BROKEN, reason))

    def test_a_failure_is_quoted_by_its_headline_which_comes_first(self) -> None:
        result = self.run_gate("echo so far; echo no good a; echo ---; exit 3")
        self.assertEqual(result.headline, "no good a")
        self.assertEqual(result.failure, "exit code 3: no good a")
        self.assertEqual(result.output, "no good a\n\nso far\nno good a\n---\n")
        green = self.run_gate("echo fine")
        self.assertEqual((green.headline, green.failure), ("", "exit code 0"))
        self.assertEqual(self.run_gate("exit 3").failure, "exit code 3")

    def test_a_crash_is_red(self) -> None:
        result = self.run_gate("kill -SEGV $$")
        self.assertEqual((result.verdict, result.code), (Verdict.RED, -signal.SIGSEGV))

    def test_a_time_out_is_broken_and_keeps_the_output(self) -> None:
        result = self.run_gate("echo so far; sleep 300", timeout_secs=1)
        self.assertEqual(result.verdict, Verdict.BROKEN)
        self.assertIn("within 1 s", result.reason)
        self.assertEqual(result.output, "so far\n")

    def test_a_missing_worktree_is_an_outside_reason(self) -> None:
        with self.assertRaisesRegex(StoppedError, "No such file"):
            self.run_gate("true", worktree=self.tmp / "none")

    def test_runs_in_the_worktree_without_git_variables_that_redirect(self) -> None:
        result = self.run_gate('pwd; echo "[$GIT_DIR]"; echo err >&2')
        self.assertEqual(result.output, f"{self.work}\n[]\nerr\n")

    def test_what_is_not_green_says_why(self) -> None:
        said = f'File "{self.work}/tests/a.py", line 2, in <module>\n    x'
        (self.work / "said").write_text(f"Traceback (most recent call last):\n  {said}\nE: no\n")
        result = self.run_gate("cat said; exit 3")
        expected = Failure(
            "red", "cat said; exit 3", 3, "E: no", "tests/a.py:2\nE: no", "logs/node-a-b.log"
        )
        self.assertEqual(result.why(), expected)
        other = expected._replace(kind="flaky", candidate="attempts/a/1")
        self.assertEqual(result.why("flaky", "attempts/a/1"), other)

    def test_a_command_that_was_ended_is_quoted_by_the_reason(self) -> None:
        failure = self.run_gate("echo said; sleep 30", timeout_secs=0.3).why()
        self.assertEqual((failure.kind, failure.exit_code), ("broken", None))
        self.assertEqual(failure.excerpt, "said")
        self.assertNotIn("said", failure.headline)
        self.assertTrue(failure.headline)

    def test_one_that_ended_with_0_is_quoted_by_what_is_lacking(self) -> None:
        result = self.run_gate("echo said")
        result = result._replace(verdict=Verdict.RED, reason="no test ran", no_test_ran=True)
        failure = result.why()
        self.assertEqual((failure.kind, failure.headline), ("no_test_ran", "no test ran"))

    def test_has_no_standard_input(self) -> None:
        self.assertEqual(self.run_gate("cat").output, "")

    def test_every_run_has_a_log_of_its_own_for_the_owner_only(self) -> None:
        logs = {self.run_gate(f"echo {n}").log for n in range(3)}
        self.assertEqual(len(logs), 3)
        self.assertEqual({log.parent for log in logs}, {self.logs})
        names = {"node-a-b.log", "node-a-b-2.log", "node-a-b-3.log"}
        self.assertEqual({log.name for log in logs}, names)
        self.assertEqual(self.logs.stat().st_mode & 0o777, 0o700)

    def test_cancellation_is_no_verdict(self) -> None:
        self.cancellation.cancel(signal.SIGTERM)
        with self.assertRaises(InterruptedRunError) as caught:
            self.run_gate("sleep 300")
        self.assertEqual(caught.exception.exit_code, 143)

    def test_no_secret_is_in_the_output_nor_in_the_log(self) -> None:
        result = self.run_gate("echo it is the-secret-value")
        self.assertEqual(result.output, "it is [redacted A_KEY]\n")
        self.assertEqual(result.log.read_text(), result.output)
        self.assertEqual(result.log.stat().st_mode & 0o777, 0o600)

    def test_no_secret_is_in_the_log_of_one_that_was_ended(self) -> None:
        result = self.run_gate("echo it is the-secret-value; sleep 300", timeout_secs=1)
        self.assertEqual(result.output, "it is [redacted A_KEY]\n")

    def test_a_sandbox_stands_in_front(self) -> None:
        self.sandbox = sandbox_of(("env", "WHERE={worktree}"))
        self.assertEqual(self.run_gate("echo $WHERE").output, f"{self.work}\n")

    def test_a_sandbox_that_cannot_be_started_is_an_outside_reason(self) -> None:
        self.sandbox = sandbox_of(("no-such-box",))
        with self.assertRaisesRegex(StoppedError, "no-such-box"):
            self.run_gate("true")

    def test_output_that_is_not_text_can_be_shown(self) -> None:
        self.assertEqual(self.run_gate(r"printf 'a\377b'").output, "a\ufffdb")

    def test_what_it_said_counts_as_it_was_when_it_ended(self) -> None:
        result = self.run_gate("printf 'one\\r\\ntwo\\n'; exit 1")
        self.assertEqual(result.whole_output, "one\ntwo\n")
        result.log.write_text("Ran 1 test\n\nOK\n")  # by what it left running, for one
        self.assertEqual(result.whole_output, "one\ntwo\n")
        self.assertEqual(result.headline, "two")

    def test_what_is_long_is_read_where_it_is_needed(self) -> None:
        result = self.run_gate(
            f"head -c {HELD_BYTES} /dev/zero | tr '\\0' x; echo; echo last; exit 1"
        )
        self.assertIsNone(result.said)
        self.assertEqual(result.headline, "last")
        self.assertEqual(len(result.whole_output), HELD_BYTES + len("\nlast\n"))

    def test_long_output_is_shown_shortened_and_kept_whole(self) -> None:
        result = self.run_gate("seq 100000")
        self.assertLess(len(result.output), SHOWN_CHARACTERS + 100)
        self.assertTrue(result.output.startswith("1\n2\n"))
        self.assertTrue(result.output.endswith("99999\n100000\n"))
        self.assertGreater(len(result.log.read_text()), 500_000)

    def test_output_without_end_is_kept_in_part_and_counted(self) -> None:
        lines = 3_000_000
        result = self.run_gate(f"seq {lines}; echo the-secret-value")
        said = sum(len(str(number)) + 1 for number in range(1, lines + 1)) + 17
        kept = result.log.read_text()
        self.assertLess(len(kept), 2 * KEPT_BYTES + 100)
        self.assertTrue(kept.startswith("1\n2\n"))
        self.assertTrue(kept.endswith(f"\n{lines}\n[redacted A_KEY]\n"))
        self.assertIn(f"\n[… {result.left_out:,} bytes left out …]\n", kept)
        self.assertGreater(result.left_out, said - 2 * KEPT_BYTES)
        shown = re.search(r"(\d+) characters left out", result.output)
        assert shown
        self.assertGreater(int(shown[1]), said - 2 * SHOWN_CHARACTERS)
        self.assertEqual(result.verdict, Verdict.GREEN)

    def test_what_was_said_before_a_time_out_is_kept_in_part(self) -> None:
        result = self.run_gate("echo begun; exec yes", timeout_secs=1)
        self.assertEqual(result.verdict, Verdict.BROKEN)
        self.assertLess(result.log.stat().st_size, 2 * KEPT_BYTES + 100)
        self.assertTrue(result.log.read_text().startswith("begun\ny\n"))

    def test_one_that_closes_its_output_is_waited_for(self) -> None:
        result = self.run_gate("echo said; exec >&- 2>&-; sleep 0.3; exit 3")
        self.assertEqual((result.code, result.output), (3, "said\n"))

    def test_what_holds_the_output_open_does_not_hold_it_up(self) -> None:
        held = "env -i sh -c 'while :; do echo x; sleep 0.01; done' & sleep 0.2; echo done"
        result = self.run_gate(held)
        self.assertEqual(result.verdict, Verdict.GREEN)
        self.assertIn("done\n", result.output)


class TestShortened(TemporaryCase):
    def test_short_text_stays(self) -> None:
        self.assertEqual(shortened("x" * 30, 30), "x" * 30)

    def test_the_middle_goes_and_is_counted(self) -> None:
        text = shortened("a" * 10 + "b" * 15 + "c" * 20, 30)
        self.assertEqual(text, "a" * 10 + "\n[… 15 characters left out …]\n" + "c" * 20)

    def test_what_is_missing_already_counts(self) -> None:
        self.assertIn("[… 1015 characters left out …]", shortened("a" * 45, 30, left_out=1000))
