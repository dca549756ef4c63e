"""``director doctor``: whether a job could run here, and what to do where it could not."""

from __future__ import annotations

import argparse
from typing import Any

from director.command_line.context import Context, add_common_flags
from director.command_line.output import add_color_flag, columns, style_of_output
from director.command_line.result import Result
from director.diagnosing.diagnose import diagnose
from director.diagnosing.subject import Subject
from director.model.diagnosis import Level, Row, count
from director.model.errors import ExitCode
from director.model.reason import Reason
from director.processes.children import adopt_orphans
from director.records.events import Event, Events, Kind
from director.reporting.diagnosis import render_row, total

EXAMPLES = (
    ("director doctor", "check everything that a job would need"),
    ("director doctor --live", "and make one short call to each model"),
)
INIT = ("director", "init")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``doctor``."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="also make one short call to each model of [tiers], which costs a little",
    )
    add_color_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print a row for each thing that was looked at; returns 2 where something stops the work."""
    adopt_orphans()
    progress = _Progress(args, context)
    subject = Subject(
        args.repo,
        context.env,
        context.cancellation,
        context.redactor,
        progress.begins,
        Events([progress.told]),
        args.live,
    )
    rows: list[Row] = []
    for row in diagnose(subject):
        rows.append(row)
        progress.row(row)
    progress.clear()
    return context.finish(args, _result(rows))


class _Progress:
    """Shows rows as they are found and, on a terminal, what is being looked at meanwhile."""

    def __init__(self, args: argparse.Namespace, context: Context) -> None:
        self._context = context
        self._silent = args.json
        self._live = context.err.isatty() and context.env.get("TERM") != "dumb"
        self._style = style_of_output(args, context)
        self._shown = False

    def begins(self, what: str) -> None:
        """Show what takes a while, until there is a row."""
        self.clear()
        if self._live:
            width = columns(self._context, self._context.err)
            line = "".join(one if one.isprintable() else " " for one in f"  … {what}")[: width - 1]
            print(line, end="", file=self._context.err, flush=True)
            self._shown = True

    def told(self, event: Event) -> None:
        """Show what the work says that it begins, such as a setup that takes minutes."""
        if event.kind is Kind.NOTICE:
            self.begins(str(event.data["message"]))

    def row(self, row: Row) -> None:
        """Print a row."""
        self.clear()
        if not self._silent:
            self._context.say(render_row(row, self._style))

    def clear(self) -> None:
        """Remove what is shown of the work under way."""
        if self._shown:
            print("\r\x1b[K", end="", file=self._context.err, flush=True)
        self._shown = False


def _result(rows: list[Row]) -> Result:
    bad = [row for row in rows if row.level is Level.PROBLEM]
    data: dict[str, Any] = {
        "rows": [row.to_json() for row in rows],
        "problems": len(bad),
        "warnings": count(rows, Level.WARNING),
        "cost_known": round(sum(row.usd or 0.0 for row in rows), 6),
        "unpriced_calls": sum(row.usd is None for row in rows),
    }
    what = total(rows)
    if not bad:
        ready = ("director", "plan")
        text = f'\n{what[0].upper()}{what[1:]}.\nNext: director plan "<task>"'
        return Result(text, data, what=what, next_step='director plan "<task>"', next_command=ready)
    first = bad[0]
    command = INIT if "director init" in first.fix else None
    return Result(
        f"\n{what[0].upper()}{what[1:]}.\nNext, {_place(first)}: {first.fix}",
        data,
        ExitCode.REQUEST,
        f"{what}: {first.about}: {first.what}",
        first.fix,
        Reason.MODEL_UNKNOWN if first.about == "model" else Reason.REQUEST,
        command,
    )


def _place(row: Row) -> str:
    """Return what a row is about and, where a line of the configuration is, its place."""
    return f"{row.about} ({row.where})" if row.where else row.about
