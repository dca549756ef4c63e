"""``director help``: what director can do, or one command; also as a manual page."""

from __future__ import annotations

import argparse

from director.command_line.context import Context
from director.command_line.grammar.catalog import COMMANDS
from director.command_line.grammar.manual import manual
from director.command_line.grammar.parser import parsers

EXAMPLES = (
    ("director help run", "show the flags of `director run`"),
    ("director help --man > director.1", "write the manual page of all commands"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``help``."""
    parser.add_argument(
        "about", nargs="?", metavar="COMMAND", choices=list(COMMANDS), help="the command to explain"
    )
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
