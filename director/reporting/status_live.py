"""Which process works on a job, and what its calls are at: its lock, and its live file."""

from __future__ import annotations

from typing import Any

from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.records.job_directory import JobDirectory
from director.records.lock import holder_of
from director.records.worktrees_record import read_quietly
from director.reporting.status import LiveCall, Process

LIVE = "live.json"


def read_process(directory: JobDirectory) -> Process | None:
    """Return the process that works on a job now, or None where none does."""
    holder = holder_of(directory.lock)
    if holder is None:
        return None
    live = read_quietly(directory.path / LIVE) or {}
    if live.get("pid") != holder.get("pid"):  # a killed process left it
        live = {}
    nodes = live.get("nodes")
    lanes = live.get("lanes")
    return Process(
        _number(holder.get("pid")),
        str(live.get("command") or holder.get("command") or "director"),
        str(holder.get("since") or live.get("since") or ""),
        lanes if isinstance(lanes, int) else _number(live.get("parallel")),
        {name: _call(said) for name, said in nodes.items()} if isinstance(nodes, dict) else {},
    )


def _call(said: object) -> LiveCall:
    try:
        return decode(
            LiveCall,
            {k: v for k, v in said.items() if v is not None} if isinstance(said, dict) else said,
        )
    except MismatchError:
        return LiveCall()


def _number(said: Any) -> int | None:
    return said if isinstance(said, int) else None
