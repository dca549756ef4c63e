"""A terminal in memory: what a person sees of what a program writes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from director.reporting.terminal.cells import width_of

PARTS = re.compile(
    r"\x1b\[(?P<private>\??)(?P<number>[\d;]*)(?P<verb>[A-Za-z])|(?P<one>.)", re.DOTALL
)


@dataclass
class Screen:
    """Interprets what director writes, and refuses what it is not to write.

    Lines that are too long go on in the next row, and join again when the window gets wider, as in
    tmux and most other terminals. ``rows`` are those of the window and of what scrolled out.
    """

    width: int
    height: int
    cursor_is_visible: bool = True
    lines: list[str] = field(default_factory=lambda: [""])
    """Whole lines; the window shows the end of them, broken into rows."""
    line: int = 0
    column: int = 0

    def write(self, text: str) -> None:
        """Take what a program writes."""
        for part in PARTS.finditer(text):
            if (one := part["one"]) is not None:
                self._letter(one)
            elif part["verb"] != "m":
                self._control(part["private"], part["number"], part["verb"])

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self.width, self.height = width, height

    @property
    def text(self) -> list[str]:
        """All lines ever written that still stand, without blanks at their ends."""
        return [line.rstrip() for line in self.lines]

    def _rows_of(self, line: str) -> int:
        rows, row = 1, ""
        for letter in line:
            row += letter
            if width_of(row) > self.width:
                rows, row = rows + 1, letter
        return rows

    def _letter(self, one: str) -> None:
        match one:
            case "\n":
                self.line += 1
                if self.line == len(self.lines):
                    self.lines.append("")
            case "\r":
                self.column = 0
            case _ if not one.isprintable():
                raise AssertionError(f"a control character: {one!r}")
            case _:
                line = self.lines[self.line].ljust(self.column)
                self.lines[self.line] = line[: self.column] + one + line[self.column + 1 :]
                self.column += 1

    def _control(self, private: str, number: str, verb: str) -> None:
        match private, number, verb:
            case "?", "25", "l" | "h":
                self.cursor_is_visible = verb == "h"
            case "", "" | "0", "K":
                self.lines[self.line] = self.lines[self.line][: self.column]
            case "", "" | "0", "J":
                self.lines[self.line] = self.lines[self.line][: self.column]
                del self.lines[self.line + 1 :]
            case "", _, "A":
                self._up(int(number or 1))
            case _:
                raise AssertionError(f"a sequence that is not expected: {private}{number}{verb}")

    def _up(self, rows: int) -> None:
        """Move up by rows of the window, not beyond its first one."""
        left = min(rows, self.height - 1)
        # The cursor is at the end of its line, or at the beginning: of its last or first row.
        left -= self._rows_of(self.lines[self.line]) - 1
        while left > 0 and self.line > 0:
            self.line -= 1
            left -= self._rows_of(self.lines[self.line])
        if left < 0:
            raise AssertionError("the cursor stops in the middle of a line")
