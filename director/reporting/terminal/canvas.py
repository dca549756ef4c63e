"""A block of lines at the end of a terminal's output, redrawn in place."""

from __future__ import annotations

from collections.abc import Sequence

from director.model.patterns import lazy_pattern
from director.reporting.terminal.cells import rows_of

HIDE_CURSOR = "\x1b[?25l"
SHOW_CURSOR = "\x1b[?25h"
LEAVE = f"\r\n{SHOW_CURSOR}"  # the block stays as it is; what comes is below
CLEAR_LINE = "\x1b[K"  # from the cursor to the end of the line
CLEAR_BELOW = "\x1b[J"  # from the cursor to the end of the screen
COLOURS = lazy_pattern(r"\x1b\[[\d;]*m")


class Canvas:
    """Knows what stands on the terminal, and what must be written to change it.

    The cursor stays at the end of the block's last line.
    """

    def __init__(self) -> None:
        self._drawn: list[str] = []  # the block's lines, without colours
        self._width = 0  # of the terminal when they were drawn

    def draw(self, lines: Sequence[str], width: int, above: Sequence[str] = ()) -> str:
        """Return what puts ``lines`` in the place of the block, and ``above`` before it for good.

        ``width`` is the terminal's now; a line that was drawn wider has been broken by it.
        """
        start = self._to_start(width) if self._drawn else HIDE_CURSOR
        # Some terminals keep in mind that a row was broken, whatever is written over it, and join
        # it with the next one when they become wider again. They forget it of a cleared row.
        first = CLEAR_LINE if width != self._width else ""
        self._width = width
        self._drawn = [COLOURS.sub("", line) for line in lines]
        kept = "".join(f"{first}{line}{CLEAR_LINE}\r\n" for line in above)
        block = f"{CLEAR_LINE}\r\n".join(f"{first}{line}" for line in lines)
        return f"{start}{kept}{block}{CLEAR_BELOW}"

    def erase(self, width: int, above: Sequence[str] = ()) -> str:
        """Return what takes the block away, leaves ``above`` in its place, and ends the line."""
        start = f"{self._to_start(width)}{CLEAR_BELOW}" if self._drawn else ""
        shown = SHOW_CURSOR if self._drawn else ""
        self._drawn = []
        kept = "".join(f"{line}\r\n" for line in above)
        return f"{start}{kept}{shown}"

    def _to_start(self, width: int) -> str:
        """Return what moves the cursor to the beginning of the block.

        A terminal that became narrower shows a line in as many rows as it takes now.
        """
        rows = sum(rows_of(line, width) for line in self._drawn)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"
