"""The live view on a terminal: a picture of the job, redrawn in place while it is open."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NamedTuple

from director.records.events import Event, Kind
from director.reporting.live.progress import Progress
from director.reporting.live.screen import FRAMES_PER_SEC, screen
from director.reporting.live.story import story
from director.reporting.terminal.canvas import LEAVE, Canvas
from director.reporting.terminal.style import Style
from director.reporting.terminal.windows import Window, window_of


class Terminal(NamedTuple):
    """A terminal: a stream to it, and how it shows things."""

    stream: IO[str]
    style: Style

    def window(self) -> Window:
        """Return its size now."""
        return window_of(self.stream)

    def write(self, text: str) -> None:
        """Write and send ``text``; a terminal that is gone is no reason to stop."""
        with suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def write_at_once(self, text: str) -> None:
        """Write ``text`` past the stream: in a handler of a signal, which may interrupt a write."""
        with suppress(OSError, ValueError):
            os.write(self.stream.fileno(), text.encode("ascii"))


class LiveView:
    """Shows a job while it is open. ``take`` is told each event after the picture has changed.

    The picture is drawn by a thread of its own; between jobs nothing is drawn, and the cursor is
    as it was. ``hint`` as for ``screen``; ``stopping`` says whether an end was asked for;
    ``now`` gives seconds since 1970.
    """

    def __init__(
        self,
        terminal: Terminal,
        progress: Progress,
        hint: str = "",
        stopping: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.lock = threading.Lock()
        self._terminal = terminal
        self._progress = progress
        self._hint = hint
        self._stopping = stopping
        self._now = now
        self._canvas = Canvas()
        self._above: list[str] = []
        self._over = threading.Event()
        self._artist: threading.Thread | None = None
        self._left = False  # the block was left as it is, by a handler of a signal
        self._gone = False

    def take(self, event: Event) -> None:
        """Note what stays of an event; begin to draw when a job opens, end when it closes.

        The caller holds ``lock``, but for the events that begin and end it.
        """
        style, width = self._terminal.style, self._terminal.window().width - 1
        self._above += story(event, self._progress, style, width)
        if not self._artist and self._above:
            self._terminal.write("".join(f"{line}\r\n" for line in self._above))
            self._above = []

    def begin(self) -> None:
        """Begin to draw."""
        self._over.clear()
        self._artist = threading.Thread(target=self._draw_on, name="live view", daemon=True)
        self._artist.start()

    def end(self) -> None:
        """Draw no more: what stays, stays; the picture goes, and the cursor is seen again."""
        self._over.set()
        if self._artist:
            self._artist.join()
        self._artist = None
        with self.lock:
            width = self._terminal.window().width
            self._terminal.write(self._canvas.erase(width, self._above))
            self._above = []

    def draw(self) -> None:
        """Draw the picture as it is now."""
        with self.lock:
            if self._gone or not self._progress.is_open:
                return
            if self._left:
                self._left, self._canvas = False, Canvas()
            self._progress.stopping = self._stopping()
            window = self._terminal.window()
            lines = screen(self._progress, window, self._terminal.style, self._now(), self._hint)
            self._terminal.write(self._canvas.draw(lines, window.width, self._above))
            self._above = []

    def leave(self) -> None:
        """Leave the picture as it is and show the cursor; for handlers of signals."""
        if self._artist:
            self._left = True
            self._terminal.write_at_once(LEAVE)

    def abandon(self) -> None:
        """Leave for good: the process ends at once."""
        self._gone = True
        self.leave()

    def _draw_on(self) -> None:
        try:
            while not self._over.is_set():
                self.draw()
                self._over.wait(1 / FRAMES_PER_SEC)
        except BaseException:
            self.leave()
            raise


def showing(view: LiveView, take: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener for ``view`` that hands events to ``take`` while nothing is drawn."""
    pausing = Pausing(view)

    def listen(event: Event) -> None:
        with view.lock:
            take(event)
        if event.kind is Kind.OPENED:
            view.begin()
            pausing.begin()
        elif event.kind is Kind.CLOSED:
            pausing.end()
            view.end()

    return listen


class Pausing:
    """While begun, a ctrl-Z leaves the terminal in order, and the view comes back with ``fg``."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._begun = False

    def begin(self) -> None:
        """Handle SIGTSTP, unless it is handled already, or this thread cannot."""
        free = signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
        if free and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTSTP, self._stop)
            self._begun = True

    def end(self) -> None:
        """Leave SIGTSTP as it was."""
        if self._begun and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            self._begun = False

    def _stop(self, number: int, _frame: object) -> None:
        self._view.leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # returns when the process continues
        signal.signal(number, self._stop)
