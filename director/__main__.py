"""``python -m director``, and the installed ``director``: it hears signals before all else.

What a command imports takes a tenth of a second. A ctrl-C in there would end an import half way,
with a traceback; so it is noted, and ends the command as soon as that can tell of its end.
"""

import gc
import sys

TYPE_CHECKING = False  # that of `typing` takes 2 ms, in which no signal would be noted
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

# A start makes 40,000 objects that stay, and few cycles: with the usual 700 it would look for these
# sixty times. Garbage in cycles waits for so many more objects then, which is a few megabytes.
YOUNG_OBJECTS = 50_000


def main() -> int:
    """Run the command line of this process and return the exit code."""
    early: list[int] = []  # signals that came before the command waits for them
    try:
        _note_signals(early)
    except KeyboardInterrupt:
        early.append(2)
        _note_signals(early)
    gc.set_threshold(YOUNG_OBJECTS)
    from director.cli import main as run

    try:
        return run(early=early)
    finally:
        _let_signals_end_it()


def _note_signals(early: list[int]) -> None:
    """Add SIGINT and SIGTERM to ``early`` from now on; a second one ends this process at once."""
    import os

    def note(number: int, _frame: object) -> None:
        if early:
            os._exit(128 + number)
        early.append(number)

    _on_signals(note)


def _let_signals_end_it() -> None:
    """Let the kernel deal with signals: Python is about to tear down what a handler needs."""
    import signal

    _on_signals(signal.SIG_DFL)


def _on_signals(do: "signal.Handlers | Callable[[int, object], None]") -> None:
    """Have SIGINT and SIGTERM handled by ``do``, but for one that the caller has us ignore."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, do)


if __name__ == "__main__":
    sys.exit(main())
