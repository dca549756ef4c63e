"""The part of a long output that is shown to models and people."""

from __future__ import annotations

from director.model.testing.headline import headline

SHOWN_CHARACTERS = 6_000


def excerpt(output: str, limit: int = SHOWN_CHARACTERS, left_out: int = 0) -> str:
    """Return the headline of a failing run, then its output in ``limit`` characters.

    Of a longer one the beginning is kept, what begins with the failure that the headline is of,
    and most of all the end. ``left_out``: how many characters it lacks already.
    """
    found = headline(output)
    shown = _around(output, found.start, limit, left_out)
    if not found.text or shown.lstrip().startswith(found.text):
        return shown
    return f"{found.text}\n\n{shown}"


def shortened(text: str, limit: int = SHOWN_CHARACTERS, left_out: int = 0) -> str:
    """Return ``text`` with its middle left out when it is longer than ``limit`` characters.

    ``left_out``: how many are missing from its middle already.
    """
    if len(text) <= limit:
        return text
    head = limit // 3
    return _pieces(text, [(0, head), (len(text) - limit + head, len(text))], left_out)


def _around(text: str, start: int, limit: int, left_out: int) -> str:
    """Return ``text`` shortened, with what stands from ``start`` on in it."""
    if len(text) <= limit:
        return text
    head, failing, tail = limit // 6, limit // 2, limit // 3
    if start + failing >= len(text) - tail:  # the end holds it
        return shortened(text, limit, left_out)
    if start <= head:
        return _pieces(text, [(0, head + failing), (len(text) - tail, len(text))], left_out)
    pieces = [(0, head), (start, start + failing), (len(text) - tail, len(text))]
    return _pieces(text, pieces, left_out)


def _pieces(text: str, pieces: list[tuple[int, int]], left_out: int) -> str:
    """Return what stands in ``pieces`` (from, to), and between them how much was left out.

    ``left_out`` counts for the last gap: of a long log the middle is missing.
    """
    (begin, end), *rest = pieces
    shown = text[begin:end]
    for number, (start, stop) in enumerate(rest, 1):
        gap = start - end + (left_out if number == len(rest) else 0)
        shown += f"\n[… {gap} characters left out …]\n{text[start:stop]}"
        end = stop
    return shown
