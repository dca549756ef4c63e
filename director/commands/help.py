"""``director help``: what director can do, or one command; also as a manual page."""

from __future__ import annotations

import argparse

from director.commands.catalog import COMMANDS
from director.commands.context import Context
from director.commands.manual import manual
from director.commands.parser import parsers

EXAMPLES = (
    ("director help run", "show the flags of `director run`"),
    ("director help --man > director.1", "write the manual page of all commands"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``help``."""
    parser.add_argument("about", nargs="?", metavar="COMMAND", choices=list(COMMANDS))
    parser.add_argument(
        "--man", action="store_true", help="print the manual page, as `man -l` reads it"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the help."""
    parser, commands = parsers()
    if args.man:
        context.say(manual(commands))
    else:
        context.say((commands[args.about] if args.about else parser).format_help().rstrip())
    return 0
