"""A pseudo-terminal of the test's own, and what a person would see on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import threading
from typing import IO

from tests.support.hermetic import TemporaryCase
from tests.support.screen import Screen

LONGEST_WAIT_SECS = 60


class PtyCase(TemporaryCase):
    """``self.terminal`` is a stream to a pseudo-terminal; ``self.screen`` shows what it got."""

    width, height = 80, 24

    def setUp(self) -> None:
        super().setUp()
        self.screen = Screen(self.width, self.height)
        self.raw = ""
        self._change = threading.Condition()
        self._master, slave = pty.openpty()
        self._set_size(slave)
        self.terminal: IO[str] = os.fdopen(slave, "w", encoding="utf-8")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.addCleanup(self._close)

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        with self._change:
            self.screen.resize(width, height)
            self.width, self.height = width, height
            self._set_size(self._master)

    def shown(self) -> list[str]:
        """Return all that stands on the terminal now."""
        with self._change:
            return list(self.screen.text)

    def wait_until_shown(self, text: str) -> list[str]:
        """Wait until some line has ``text``, and return all."""
        with self._change:
            found = self._change.wait_for(
                lambda: any(text in line for line in self.screen.text), LONGEST_WAIT_SECS
            )
            self.assertTrue(found, f"{text!r} is not among {self.screen.text}")
            return list(self.screen.text)

    def _set_size(self, descriptor: int) -> None:
        size = struct.pack("HHHH", self.height, self.width, 0, 0)
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8")()
        left = ""
        while True:
            try:
                select.select((self._master,), (), ())
                text = left + decoder.decode(os.read(self._master, 65536))
            except OSError:
                return
            whole, left = _whole(text)
            with self._change:
                self.raw += whole
                self.screen.write(whole)
                self._change.notify_all()

    def _close(self) -> None:
        self.terminal.close()  # the reader's next read fails
        self._reader.join(LONGEST_WAIT_SECS)
        os.close(self._master)


def _whole(text: str) -> tuple[str, str]:
    """Return the text up to an escape sequence that is not whole yet, and the rest."""
    start = text.rfind("\x1b")
    whole = start < 0 or any(one.isalpha() for one in text[start:])
    return (text, "") if whole else (text[:start], text[start:])
