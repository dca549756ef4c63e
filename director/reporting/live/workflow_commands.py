"""Workflow commands of GitHub Actions: groups, annotations, and texts that are none."""

from __future__ import annotations

from director.model.patterns import lazy_pattern

BREAKS = lazy_pattern(r"(?<=[\r\n])")  # where the runner begins a line
OLD_MARK = "##["  # of the first version, which the runner finds anywhere in a line


def group(title: str) -> str:
    """Return the line that begins a group, which can be folded."""
    return f"::group::{_data(title)}"


END_GROUP = "::endgroup::"


def error(title: str, message: str) -> str:
    """Return the line that makes an annotation."""
    return f"::error title={_property(title)}::{_data(message)}"


def harmless(line: str) -> str:
    """Return ``line`` so that the runner takes it for text, whatever it says."""
    text = line.replace(OLD_MARK, "## [")
    blanks = len(text) - len(text.lstrip())
    return f"{text[:blanks]}: {text[blanks + 1 :]}" if text.startswith("::", blanks) else text


class Guard:
    """Makes what is printed to one stream harmless, piece by piece as it is written.

    ``commands``: those that ``group`` and ``error`` make get through.
    """

    def __init__(self, *, commands: bool) -> None:
        self._commands = commands
        self._line = ""  # what stands in the last line so far, if it says anything

    def __call__(self, text: str) -> str:
        """Return ``text`` as it is to be printed; of JSON the meaning stays."""
        return "".join(map(self._passed, BREAKS.split(text)))

    def _passed(self, piece: str) -> str:
        begins, is_json = not self._line, (self._line + piece).startswith("{")
        ended = piece.endswith(("\n", "\r"))
        self._line = "" if ended else (self._line or piece.strip()[:1])
        if is_json:
            return piece.replace(OLD_MARK, "##\\u005b")
        is_text = self._commands or not begins
        return piece.replace(OLD_MARK, "## [") if is_text else harmless(piece)


def _data(text: str) -> str:
    safe = text.replace(OLD_MARK, "## [")
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
