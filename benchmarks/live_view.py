"""What the live view costs: ``python3 -m benchmarks.live_view [SECONDS]``.

Eight lanes of a job of a thousand nodes tell what they do as agents would, for some seconds; the
processor time of this process is all the view's. The goal is less than 1 % of a core.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.reporting.live.live_progress import following
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.view import LiveView, Terminal, showing
from director.reporting.terminal.style import Style

LANES = 8
NODES = 1000
SECS = 20.0
GOAL_PCT = 1.0
TOLD_EVERY_SECS = 2.0  # by each lane

Tell = Callable[..., None]


def main(argv: list[str]) -> int:
    """Measure, print the share of a core, and return 1 where it is more than the goal."""
    secs = float(argv[0]) if argv else SECS
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    reader = subprocess.Popen(
        ["cat"], stdin=master, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with os.fdopen(slave, "w", encoding="utf-8") as stream:
            used = _measure(Terminal(stream, Style(colour=True)), secs)
    finally:
        reader.kill()
        reader.wait()
        os.close(master)
    share = 100 * used / secs
    print(f"{LANES} lanes, {NODES} nodes, {secs:g} s: {share:.2f} % of a core")
    return int(share > GOAL_PCT)


def _measure(terminal: Terminal, secs: float) -> float:
    """Show a job for so many seconds; returns the seconds of processor time."""
    progress = Progress("run")
    view = LiveView(terminal, progress)
    listen = showing(view, following(progress, view.take))

    def tell(kind: Kind, node: str | None = None, **data: Any) -> None:
        listen(Event(kind, datetime.now(UTC).isoformat(timespec="milliseconds"), node, data))

    told = {"job_id": "20260102-030405-5622", "task": "Measure the live view", "directory": "/"}
    tell(Kind.OPENED, **told, max_attempts=3, ceiling_usd=5.0, planned=True)
    with view.lock:
        progress.know(map(_node, range(NODES)))
    call = {"role": "executor", "agent": "executor", "model": "p/m", "attempt": 1}
    for lane in range(LANES):
        tell(Kind.NODE_STARTED, f"node-{lane:03d}", title="Some node")
        tell(Kind.CALL_STARTED, f"node-{lane:03d}", **call)
    before, end = time.process_time(), time.monotonic() + secs
    turn = 0
    while time.monotonic() < end:
        time.sleep(TOLD_EVERY_SECS / LANES)
        turn += 1
        said = {
            "tool": "bash",
            "argument": f"python3 -m unittest tests.test_{turn}",
            "tokens": turn,
        }
        tell(Kind.CALL_PROGRESS, f"node-{turn % LANES:03d}", **call, **said, cost=turn / 1000)
    used = time.process_time() - before
    tell(Kind.CLOSED)
    return used


def _node(number: int) -> NodeProgress:
    """Return a node: those after the lanes' are done, a tenth of all; others wait for one."""
    done = LANES <= number < LANES + NODES // 10
    waits_for = (f"node-{number // 2:03d}",) if number > 1 else ()
    node = NodeProgress(f"node-{number:03d}", "", waits_for)
    node.status = NodeStatus.DONE if done else NodeStatus.PENDING
    node.wall_secs = 60.0
    return node


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
