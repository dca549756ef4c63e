"""Short commands: what they say, and how they end."""

from __future__ import annotations

import signal
import threading

from director.processes.capture import capture, run_attached
from tests.processes.case import ProcessCase, until


class TestShortCommands(ProcessCase):
    def test_capture_keeps_the_streams_apart(self) -> None:
        done = capture(["sh", "-c", "cat; echo e >&2; exit 2"], self.tmp, self.env, b"\xff\0")
        self.assertEqual((done.code, done.out, done.err), (2, b"\xff\0", b"e\n"))

    def test_capture_has_a_session_of_its_own(self) -> None:
        done = capture(["sh", "-c", "echo $$; ps -o sid= -p $$"], self.tmp, self.env)
        pid, session = done.out.split()
        self.assertEqual(pid, session)

    def test_capture_raises_what_cannot_start(self) -> None:
        with self.assertRaises(OSError):
            capture([str(self.tmp / "none")], self.tmp, self.env)

    def attached(self, script: str) -> int:
        return run_attached(["sh", "-c", script], self.tmp, self.env, self.cancellation)

    def test_run_attached_returns_the_code(self) -> None:
        self.assertEqual(self.attached("exit 9"), 9)

    def test_run_attached_passes_a_sigterm_on(self) -> None:
        def cancel() -> None:
            until(self.tmp / "ready")()
            self.cancellation.cancel(signal.SIGTERM)

        thread = threading.Thread(target=cancel)
        thread.start()
        script = "trap 'exit 7' TERM; touch ready; while :; do sleep 0.05; done"
        self.assertEqual(self.attached(script), 7)
        thread.join()
