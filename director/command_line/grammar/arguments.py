"""What a parser knows of a command's arguments, for what is made from it: manual, completions."""

import argparse
from collections.abc import Iterator
from typing import NamedTuple


class Argument(NamedTuple):
    """A flag with its ``names``, or a positional argument without any.

    ``value`` names what follows a flag ("": nothing), ``choices`` are all it can be, if they are
    known.
    """

    names: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[Argument]:
    """Give the arguments of a command in their order, but for the one that asks for help."""
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        takes_value = action.nargs != 0
        name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        choices = tuple(str(one) for one in action.choices or ())
        yield Argument(
            tuple(action.option_strings), name if takes_value else "", choices, action.help or ""
        )
