"""The manual page ``director.1``, made from the parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from director import __version__
from director.command_line.grammar.arguments import Argument, arguments_of
from director.command_line.grammar.catalog import COMMANDS, GROUPS
from director.command_line.grammar.parser import DESCRIPTION, EXIT_CODES, module_of

FILES = {
    ".director/config.toml": "the configuration",
    ".director/logs/": "prompts, answers and the output of gates",
    ".director/metrics.jsonl": "one line for each finished node and each run",
}


def manual(commands: Mapping[str, argparse.ArgumentParser]) -> str:
    """Return the page, in the macros of man(7), for the parsers of all commands."""
    return "\n".join(_lines(commands))


def _lines(commands: Mapping[str, argparse.ArgumentParser]) -> Iterator[str]:
    yield f'.TH DIRECTOR 1 "" "director {__version__}" "User Commands"'
    yield from (".SH NAME", r"director \- plan, implement and gate a coding task with agents")
    yield from (".SH SYNOPSIS", r".B director", r"\fICOMMAND\fR [\fIOPTION\fR]...")
    yield from (".SH DESCRIPTION", _text(DESCRIPTION))
    for title, group in GROUPS.items():
        yield f'.SH "{_text(title.upper())}"'
        for name in group:
            yield from _command(name, commands[name])
    yield ".SH EXIT STATUS"
    yield from _terms(EXIT_CODES)
    yield ".SH FILES"
    yield from _terms(FILES)


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f'.SS "director {_text(name)}"'
    summary = COMMANDS[name]
    yield _text(f"{summary[0].upper()}{summary[1:]}.")
    for argument in arguments_of(parser):
        yield from (".TP", _title(argument), _text(argument.help % {"prog": parser.prog}))
    yield from (".PP", "Examples:")
    yield from _terms(dict(module_of(name).EXAMPLES))


def _terms(meanings: Mapping[str, str]) -> Iterator[str]:
    for term, meaning in meanings.items():
        yield from (".TP", f".B {_text(term)}", _text(meaning))


def _title(argument: Argument) -> str:
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in argument.names)
    value = rf"\fI{_text(argument.value)}\fR" if argument.value else ""
    return " ".join(part for part in (names, value) if part)


def _text(text: str) -> str:
    """Return plain text as the macros need it: nothing in it is a macro, hyphens stay hyphens."""
    line = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return rf"\&{line}" if line.startswith((".", "'")) else line
