"""The completion scripts of the shells, made from the parser.

What follows a flag, or an argument without one, is completed by its name in the help: NODE and JOB
are asked of director, choices are listed, and anything else is a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from shlex import quote

from director.command_line.grammar.arguments import Argument, arguments_of
from director.command_line.grammar.catalog import COMMANDS

Parsers = Mapping[str, argparse.ArgumentParser]
ASKED = {"NODE": "nodes", "JOB": "jobs"}


def bash(commands: Parsers) -> str:
    """Return the script for bash."""
    cases = "\n".join(line for name, one in commands.items() for line in _bash_cases(name, one))
    return f"""\
# bash completion of director
_director() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} words=
    if ((COMP_CWORD == 1)); then
        words={quote(" ".join(commands))}
    else
        case ${{COMP_WORDS[1]}}:$before:$current in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
# The names of nodes or jobs; with --job among the words, the nodes of that job.
_director_names() {{
    local place job=()
    for ((place = 2; place < COMP_CWORD; place++)); do
        [[ ${{COMP_WORDS[place]}} == --job ]] && job=(--job "${{COMP_WORDS[place + 1]}}")
    done
    director completions "$1" ${{job[@]+"${{job[@]}}"}} 2>/dev/null
}}
complete -o default -F _director director"""


def _bash_cases(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Give the cases of a command: after its flags with values, for a flag, and for the rest."""
    arguments = list(arguments_of(parser))
    for argument in arguments:
        if argument.value and argument.names:
            after = "|".join(f"{name}:{flag}:*" for flag in argument.names)
            yield f"            {after}) words={_bash_words(argument)} ;;"
    flags = " ".join(flag for one in arguments for flag in one.names if flag.startswith("--"))
    yield f"            {name}:*:-*) words={quote(flags)} ;;"
    for argument in arguments:
        if not argument.names:
            yield f"            {name}:*) words={_bash_words(argument)} ;;"


def _bash_words(argument: Argument) -> str:
    if asked := ASKED.get(argument.value.split("|")[0]):
        return f"$(_director_names {asked})"
    return quote(" ".join(argument.choices))


def zsh(commands: Parsers) -> str:
    """Return the script for zsh."""
    listed = "\n".join(f"        {quote(f'{one}:{COMMANDS[one]}')}" for one in commands)
    cases = "\n".join(
        f"        {name})\n            _arguments {_zsh_specs(one)} ;;"
        for name, one in commands.items()
    )
    return f"""\
#compdef director
_director_nodes() {{
    local place=${{words[(i)--job]}}
    local -a job=()
    ((place < CURRENT)) && job=(--job "$words[place + 1]")
    compadd -- ${{(f)"$(director completions nodes $job 2>/dev/null)"}}
}}
_director_jobs() {{ compadd -- ${{(f)"$(director completions jobs 2>/dev/null)"}} }}
_director() {{
    local -a commands=(
{listed}
    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
{cases}
    esac
}}
compdef _director director"""


def _zsh_specs(parser: argparse.ArgumentParser) -> str:
    return " ".join(quote(spec) for one in arguments_of(parser) for spec in _zsh_spec(one))


def _zsh_spec(argument: Argument) -> Iterator[str]:
    action = _zsh_action(argument)
    if not argument.names:
        yield f"*:{argument.value.lower()}:{action}"
    said = argument.help.translate(str.maketrans("[]:", "()."))
    for flag in argument.names:
        value = f":{argument.value}:{action}" if argument.value else ""
        yield f"*{flag}[{said}]{value}"


def _zsh_action(argument: Argument) -> str:
    if asked := ASKED.get(argument.value.split("|")[0]):
        return f"_director_{asked}"
    return f"({' '.join(argument.choices)})" if argument.choices else "_files"


def fish(commands: Parsers) -> str:
    """Return the script for fish."""
    lines = ["# fish completion of director", _FISH_NAMES]
    for name, parser in commands.items():
        described = quote(COMMANDS[name])
        lines.append(f"complete -c director -f -n __fish_use_subcommand -a {name} -d {described}")
        within = f"complete -c director -n '__fish_seen_subcommand_from {name}'"
        lines += [f"{within} {rest}" for one in arguments_of(parser) for rest in _fish(one)]
    return "\n".join(lines)


def _fish(argument: Argument) -> Iterator[str]:
    values = " ".join(argument.choices)
    if asked := ASKED.get(argument.value.split("|")[0]):
        values = f"(__director_names {asked})"
    listed = f" -f -a {quote(values)}" if values else ""
    if not argument.names:
        if listed:
            yield listed.strip()
        return
    names = [
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in argument.names
    ]
    required = " -r" if argument.value else ""
    yield f"{' '.join(names)}{required}{listed} -d {quote(argument.help)}"


_FISH_NAMES = """\
# The names of nodes or jobs; with --job among the words, the nodes of that job.
function __director_names
    set -l words (commandline -opc)
    set -l place (contains -i -- --job $words)
    and set -l job --job $words[(math $place + 1)]
    director completions $argv[1] $job 2>/dev/null
end"""

SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
