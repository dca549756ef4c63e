"""The parser of the command line: groups of commands, examples, and help with what is mistyped."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from director import __version__
from director.command_line.grammar.catalog import COMMANDS, GROUPS
from director.model.errors import RequestError
from director.model.patterns import lazy_pattern
from director.model.reason import Reason

DESCRIPTION = "A strong model plans, a cheap one implements, exit codes decide what merges."
EXIT_CODES = {
    "0": "done, or paused for an approval",
    "1": "the work failed",
    "2": "the request cannot be carried out",
    "3": "stopped for an outside reason, and resumable",
    "70": "a bug",
    "130, 143": "interrupted, terminated",
}

NO_COMMAND = lazy_pattern(r"argument COMMAND: invalid choice: (.*) \(choose.*")  # of argparse
LISTED = "see `director --help`, which lists the commands"


def module_of(command: str) -> Any:
    """Return the module of a command: ``add_arguments``, ``run`` and ``EXAMPLES``."""
    return importlib.import_module(f"director.commands.{command.replace('-', '_')}")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return what a command line asks for; no command at all asks for help.

    Raises RequestError with the likely word for one that is nearly right.
    """
    if not words:
        words = ["help"]
    named = words[:1] if words[0] in COMMANDS else list(COMMANDS)
    parser, commands = _parsers(named, filled=words)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        command = commands[args.command]
        command.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the whole command line, and the one of each command, all filled in."""
    return _parsers(list(COMMANDS), filled=COMMANDS)


def _parsers(
    names: Collection[str], filled: Collection[str]
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return a parser that knows ``names``; only those in ``filled`` are imported for it."""
    parser = _TopParser(prog="director", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"director {__version__}")
    found = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, prog="director", parser_class=_Parser
    )
    commands = {name: _command(found, name, filled=name in filled) for name in names}
    return parser, commands


def _command(found: Any, name: str, *, filled: bool) -> argparse.ArgumentParser:
    summary = COMMANDS[name]
    command: argparse.ArgumentParser = found.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if filled:
        module = module_of(name)
        module.add_arguments(command)
        command.epilog = examples_text(module.EXAMPLES)
    return command


def examples_text(examples: Sequence[tuple[str, str]]) -> str:
    """Return the end of a command's help: what to type, and what it is for."""
    lines = [f"  {typed}\n      {purpose}" for typed, purpose in examples]
    return "\n".join(["examples:", *lines])


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes end like all others: what is wrong, what to do next, exit code."""

    def error(self, message: str) -> NoReturn:
        """Raise RequestError with the likely word, and where the flags are explained.

        A command that is nearly right is named whole.
        """
        guess = self._guess(message)
        if no_command := NO_COMMAND.fullmatch(message):
            meant = f"did you mean `{self.prog} {guess}`?" if guess else LISTED
            raise RequestError(f"there is no command {no_command[1]}", meant, Reason.USAGE)
        meant = f"did you mean `{guess}`? " if guess else ""
        raise RequestError(message, f"{meant}see `{self.prog} --help`", Reason.USAGE)

    def _guess(self, message: str) -> str:
        """Return what stands in the message and is nearly right, as it should be; "" for none."""
        from difflib import get_close_matches

        wrong = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: (\S+)", message)
        if wrong is None:
            return ""
        word = (wrong[1] or wrong[2] or "").partition("=")[0]
        known = [one for one in self._option_string_actions if one.startswith("--")]
        if wrong[1]:
            known = [str(one) for action in self._actions for one in action.choices or ()]
        close = get_close_matches(word, known, n=1)
        return close[0] if close else ""


class _TopParser(_Parser):
    """The parser of ``director`` itself, whose help shows the commands in groups."""

    def format_help(self) -> str:
        """Return the help of the whole command line."""
        width = max(map(len, COMMANDS))
        parts = [f"usage: director COMMAND …\n\n{DESCRIPTION}"]
        for title, group in GROUPS.items():
            lines = [f"  {name:{width}}  {summary}" for name, summary in group.items()]
            parts.append("\n".join([f"{title}:", *lines]))
        codes = [f"  {code:{width}}  {meaning}" for code, meaning in EXIT_CODES.items()]
        parts.append("\n".join(["exit codes:", *codes]))
        parts.append(
            "`director COMMAND --help` explains a command, `--version` prints the version."
        )
        return "\n\n".join(parts) + "\n"
