"""``status --watch``: the screen again and again on a terminal, only what is new elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from director.model.printable import ESCAPES, one_line
from director.model.state import NodeStatus
from director.reporting.status.nodes import MARKS
from director.reporting.status.status import NodeNow, Status
from director.reporting.terminal.cells import width_of

PAUSE_SECS = 2.0
Show = Callable[[Status], None]


def watch(read: Callable[[], Status], show: Show, wait: Callable[[float], None]) -> Status:
    """Show a job until no process works on it, with a pause between; returns how it stands then.

    Whatever ``wait`` raises ends it.
    """
    while True:
        status = read()
        show(status)
        if status.process is None:
            return status
        wait(PAUSE_SECS)


class Redrawn:
    """Shows each text in the place of the one before, as much of it as the window holds.

    ``size`` gives the columns and lines of the window as it is now.
    """

    def __init__(self, stream: IO[str], size: Callable[[], tuple[int, int]]) -> None:
        self._stream = stream
        self._size = size
        self._lines: list[str] = []

    def __call__(self, text: str) -> None:
        """Show ``text``."""
        back = self._back()
        columns, height = self._size()
        self._lines = _fitting(text.splitlines(), columns, height - 1)
        drawn = "".join(f"{line}\x1b[K\n" for line in self._lines)
        self._write(f"{back}{drawn}\x1b[J")

    def clear(self) -> None:
        """Take away what is shown: something else comes in its place."""
        self._write(f"{self._back()}\x1b[J" if self._lines else "")
        self._lines = []

    def _back(self) -> str:
        """Return what moves the cursor to the first line that is shown."""
        up = sum(_rows(line, self._size()[0]) for line in self._lines)
        return f"\x1b[{up}A\r" if up else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _fitting(lines: list[str], columns: int, height: int) -> list[str]:
    """Return the first of ``lines`` that fit, and how many do not."""
    rows = 0
    shown: list[str] = []
    for line in lines:
        rows += _rows(line, columns)
        if rows > height:
            kept = shown[: max(0, height - 1)]
            return [*kept, f"({len(lines) - len(kept)} more lines; without --watch all are shown)"]
        shown.append(line)
    return shown


def _rows(line: str, columns: int) -> int:
    """Return how many rows of a window a line takes."""
    return max(1, -(-width_of(ESCAPES.sub("", line)) // columns))


def changes(before: Status, after: Status) -> Iterator[str]:
    """Give a line for each thing that is new in ``after``."""
    if before.stage is not after.stage:
        yield f"planning: {after.stage.value}"
    known = {node.id: node for node in before.nodes}
    for node in after.nodes:
        if (line := _change(known.get(node.id), node)) is not None:
            yield line
    if before.process is not None and after.process is None:
        yield "the command has ended"


def _change(before: NodeNow | None, node: NodeNow) -> str | None:
    state = node.state
    mark, _ = MARKS[state.status]
    if before is None or before.state.status is not state.status:
        why = node.failure.headline if node.failure else state.error or ""
        said = f": {one_line(why)}" if why and state.status is NodeStatus.FAILED else ""
        return f"{mark} {node.id} {state.status.value}{said}"
    tries = state.past_attempts[len(before.state.past_attempts) :]
    if not tries:
        return None
    why = tries[-1].failure.headline if tries[-1].failure else ""
    said = f": {one_line(why)}" if why else ""
    return f"{mark} {node.id} attempt {state.attempts} {tries[-1].outcome.value}{said}"
