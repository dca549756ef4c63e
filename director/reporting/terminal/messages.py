"""Messages in a window: text breaks between words, and a command stays one that can be copied."""

from __future__ import annotations

from collections.abc import Iterator

from director.model.patterns import lazy_pattern
from director.reporting.terminal.cells import width_of, wrapped_command, wrapped_prose

HANGING = 4  # cells before the second line of what is too long for one
FARTHEST = 16  # cells of a label beside which its text can stand
COMMAND = lazy_pattern(r"((?:Next|Start with|Read the tests|Cancel|Make it with): )([^`]+)")
LABEL = lazy_pattern(r" *[^ ]+ {2,}(?=[^ ])")  # of a row: a word, and blanks up to its text


def fitted(text: str, width: int) -> str:
    """Return ``text`` in lines of ``width`` cells at most; a longer word has a line of its own.

    Lines with colours were laid out for the window before, and stay as they are.
    """
    lines = text.split("\n")
    return "\n".join(part for line in lines for part in _parts(line, width))


def _parts(line: str, width: int) -> Iterator[str]:
    if width_of(line) <= width or "\x1b" in line:
        yield line
    elif found := COMMAND.fullmatch(line):
        yield found[1].rstrip()
        indent = " " * HANGING
        yield from (f"{indent}{one}" for one in wrapped_command(found[2], width - HANGING, indent))
    else:
        yield from wrapped_prose(line, width, " " * _hanging(line))


def _hanging(line: str) -> int:
    label = LABEL.match(line)
    if label and width_of(label[0]) <= FARTHEST:
        return width_of(label[0])
    return max(HANGING, len(line) - len(line.lstrip(" ")) + 2)
