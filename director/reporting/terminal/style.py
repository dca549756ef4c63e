"""How a terminal is written to: how wide it is, its signs, and its colours."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from director.reporting.terminal.cells import cut, width_of

NARROWEST, WIDEST = 40, 200
USUAL = 80  # where the width is not known
FARTHEST = 100  # where what belongs to the right edge of a line stands at most


class Paint(StrEnum):
    """The colours, as the numbers of their sequences (ECMA-48, SGR)."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


class Marks(NamedTuple):
    """The signs that stand for something. ``bar`` is full, half and empty."""

    done: str
    failed: str
    waiting: str
    current: str
    planned: str
    dot: str
    ellipsis: str
    bar: tuple[str, str, str]
    spinner: str


UNICODE = Marks("✓", "✗", "–", "●", "○", "·", "…", ("█", "▌", "░"), "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
ASCII = Marks("+", "x", "-", "*", "o", "-", "...", ("#", "-", "."), "|/-\\")


class Span(NamedTuple):
    """A part of a line in one colour."""

    text: str
    paint: Paint = Paint.PLAIN


Line = tuple[Span, ...]


class Style(NamedTuple):
    """What a terminal shows: ``width`` cells, in ``colour`` or without, ``unicode`` or ASCII."""

    width: int = USUAL
    colour: bool = False
    unicode: bool = True

    @property
    def measure(self) -> int:
        """The width of lines with something at their right edge."""
        return min(self.width, FARTHEST)

    @property
    def marks(self) -> Marks:
        """The signs that can be shown."""
        return UNICODE if self.unicode else ASCII

    def plain(self, text: str) -> str:
        """Return ``text`` as it can be shown."""
        if self.unicode or text.isascii():
            return text
        return text.translate(_IN_ASCII).encode("ascii", "replace").decode("ascii")

    def painted(self, text: str, paint: Paint) -> str:
        """Return ``text`` in a colour, where there are any."""
        return f"\x1b[{paint}m{text}\x1b[0m" if self.colour and paint and text else text

    def text_of(self, line: Iterable[Span], width: int) -> str:
        """Return what shows ``line``, cut where it takes more than ``width`` cells."""
        shown, left = [], width
        for span in line:
            text = self.plain(span.text)
            part = cut(text, left, self.marks.ellipsis)
            shown.append(self.painted(part, span.paint))
            left -= width_of(part)
            if part != text or left <= 0:
                break
        return "".join(shown).rstrip(" ")


PLAIN = Style()
_IN_ASCII = str.maketrans(
    {"…": "...", "·": "-", "–": "-", "—": "-", "→": "->", "×": "x", "─": "-", "│": "|"}
    | {"✓": "+", "✗": "x", "●": "*", "○": "o", "■": "!", "‖": "=", "“": '"', "”": '"', "’": "'"}
)


def style_of_width(width: int, *, colour: bool = False, unicode: bool = True) -> Style:
    """Return the style of a terminal that is ``width`` cells wide, as far as that is of use."""
    return Style(max(NARROWEST, min(width, WIDEST)), colour, unicode)
