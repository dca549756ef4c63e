"""``director status``: where the current job stands."""

from __future__ import annotations

import argparse

from director.commands.context import Context, add_common_flags, find_home
from director.commands.result import Result
from director.reporting.status import read_status, render_status

EXAMPLES = (
    ("director status", "show the current job"),
    ("director status --json", "the same, for a program"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``status``."""
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the status; reads records only."""
    status = read_status(find_home(args, context).job)
    return context.finish(args, Result(render_status(status), status, job_id=status["job_id"]))
