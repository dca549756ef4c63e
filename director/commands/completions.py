"""``director completions``: what makes a shell complete commands, flags, nodes and jobs."""

from __future__ import annotations

import argparse

from director.command_line.context import Context, add_repo_flag, find_home
from director.command_line.grammar.parser import parsers
from director.command_line.grammar.shells import SHELLS
from director.model.errors import RequestError
from director.records.known_jobs import job_called, known_jobs

EXAMPLES = (
    ("director completions bash >> ~/.bash_completion", "for bash"),
    ("director completions fish > ~/.config/fish/completions/director.fish", "for fish"),
)
NAMES = ("nodes", "jobs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``completions``."""
    parser.add_argument(
        "what",
        metavar="SHELL",
        choices=[*SHELLS, *NAMES],
        help=f"{', '.join(SHELLS)}; the scripts themselves ask for {' and '.join(NAMES)}",
    )
    parser.add_argument(
        "--job", metavar="JOB", help="the job whose nodes are asked for (default: the current one)"
    )
    add_repo_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the script, or the names."""
    if args.what in SHELLS:
        context.say(SHELLS[args.what](parsers()[1]))
    elif names := _names(args, context):
        context.say("\n".join(names))
    return 0


def _names(args: argparse.Namespace, context: Context) -> list[str]:
    """Return the nodes of a job, or all jobs; none where there is no such job."""
    try:
        home = find_home(args, context)
        if args.what == "jobs":
            return [one.id for one in known_jobs(home)]
        return [node.id for node in job_called(home, args.job).load_plan().nodes]
    except RequestError:
        return []
