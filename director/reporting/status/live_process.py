"""Which process works on a job, and what its calls are at: its lock, and its live file."""

from __future__ import annotations

from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.records.job_directory import JobDirectory
from director.records.lock import is_held, read_holder
from director.records.worktrees_record import read_quietly
from director.reporting.status.status import LiveCall, Process


def read_process(directory: JobDirectory) -> Process | None:
    """Return the process that works on a job now, or None where none does."""
    if not is_held(directory.lock):
        return None
    holder = read_holder(directory.lock)
    live = read_quietly(directory.live) or {}
    known = (live.get("pid"), live.get("started"))
    if holder is None or known != (holder.pid, holder.started):  # a killed process left it
        live = {}
    nodes, lanes = live.get("nodes"), live.get("lanes")
    return Process(
        holder.pid if holder else None,
        str(live.get("command") or (holder.command if holder else "director")),
        holder.since if holder else "",
        lanes if isinstance(lanes, int) else None,
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
