"""``director status``: where the current job stands."""

from __future__ import annotations

import argparse

from director.commands.context import Context, add_common_flags, find_home
from director.commands.node_flags import add_node_flags
from director.commands.result import Result
from director.reporting.status import read_status, render_status

EXAMPLES = (
    ("director status", "show the current job"),
    ("director status --json", "the same, for a program"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``status``."""
    add_node_flags(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the status; reads records only."""
    directory = find_home(args, context).job
    if args.node:
        from director.commands.node_status import show_node  # what reads logs is slow to import

        return show_node(args, context, directory)
    status = read_status(directory)
    return context.finish(args, Result(render_status(status), status, job_id=status["job_id"]))
