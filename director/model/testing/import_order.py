"""Where Python looks for modules first when a command runs tests: read from its words alone.

Only a test runner that is plain to see counts. What another program sets up (``make``, ``tox``,
``uv run``) is not known, and nothing is concluded from such a command.
"""

import re
from collections.abc import Iterator, Sequence
from posixpath import join, normpath
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing.runner_command import simple_commands

_ASSIGNMENT = lazy_pattern(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
_PYTHON = lazy_pattern(r"(?:python|pypy)[\d.]*")
_PYTEST = frozenset({"pytest", "py.test"})
_HERE = lazy_pattern(r"^(?:\$PWD|\$\{PWD\}|\.)(?:/|$)")
_ON_ITS_OWN = lazy_pattern(r"-[A-Za-z]*[EIP][A-Za-z]*|-c")  # of Python: no PYTHONPATH, no folder
_TAKING_A_WORD = frozenset({"-W", "-X"})
# Options of pytest that change where it looks.
_ELSEWHERE = lazy_pattern(r"-c.*|-o.*|--(?:override-ini|rootdir|import-mode|pyargs|confcutdir).*")


class PythonRun(NamedTuple):
    """One run of tests by Python. Folders are relative to the worktree, "" is its top.

    ``program`` is what is started, ``folder`` where; ``first`` are the folders that come before
    what is installed, ``outside`` the absolute ones that the command puts before it. ``places``
    are the files and folders that pytest is given (None: it is not pytest).
    """

    program: str
    folder: str
    first: tuple[str, ...]
    outside: tuple[str, ...]
    places: tuple[str, ...] | None


def python_runs(command: str) -> tuple[PythonRun, ...]:
    """Return the runs of unittest and pytest in a shell command, as far as they are plain."""
    if "$(" in command or "`" in command:
        return ()
    return tuple(_runs(simple_commands(command)))


class _Shell(NamedTuple):
    """Where a shell stands, and what it set PYTHONPATH to (None: as it was).

    ``programs`` is the folder of the environment that was activated, "" for none.
    """

    folder: str = ""
    path: str | None = None
    programs: str = ""


def _runs(commands: Sequence[Sequence[str]]) -> Iterator[PythonRun]:
    shell = _Shell()
    for words in commands:
        if words[:1] == ["cd"]:
            if len(words) != 2 or words[1].startswith(("/", "~", "-", "$")):
                return
            shell = shell._replace(folder=_joined(shell.folder, words[1]))
            continue
        if words[0] in (".", "source"):
            if len(words) != 2 or not words[1].endswith("/activate"):
                return
            shell = shell._replace(programs=words[1].removesuffix("activate"))
            continue
        if any(word.startswith("PATH=") for word in words):
            return
        here, rest = _assigned(shell, words)
        if not rest:
            shell = here
        elif run := _run(here, rest):
            yield run


def _assigned(shell: _Shell, words: Sequence[str]) -> tuple[_Shell, Sequence[str]]:
    """Return the shell with what stands in front of a command, and the command."""
    while words and (words[0] in ("env", "export") or _ASSIGNMENT.fullmatch(words[0])):
        found = _ASSIGNMENT.fullmatch(words[0])
        if found and found["name"] == "PYTHONPATH":
            shell = shell._replace(path=found["value"])
        words = words[1:]
    return shell, words


def _run(shell: _Shell, words: Sequence[str]) -> PythonRun | None:
    program, arguments = words[0], list(words[1:])
    base = program.rpartition("/")[2]
    if base == program:
        program = shell.programs + program
    first = []
    if _PYTHON.fullmatch(base):
        while arguments and arguments[0].startswith("-") and arguments[0] != "-m":
            if _ON_ITS_OWN.fullmatch(arguments[0]):
                return None
            arguments = arguments[2 if arguments[0] in _TAKING_A_WORD else 1 :]
        if len(arguments) < 2:
            return None
        base, arguments, first = arguments[1], arguments[2:], [shell.folder]
    if base not in {"unittest", *_PYTEST} or (base == "unittest" and not first):
        return None
    if base in _PYTEST and any(map(_ELSEWHERE.fullmatch, arguments)):
        return None
    inside, outside = _entries(shell)
    named = [one.partition("::")[0] for one in arguments if not one.startswith("-")]
    places = tuple(_joined(shell.folder, one) for one in named if not one.startswith("/"))
    taken = places if base in _PYTEST else None
    return PythonRun(program, shell.folder, (*first, *inside), tuple(outside), taken)


def _entries(shell: _Shell) -> tuple[list[str], list[str]]:
    """Return the folders of PYTHONPATH in the worktree, and those outside it."""
    inside, outside = [], []
    for entry in (shell.path or "").split(":") if shell.path is not None else ():
        plain = _HERE.sub("", entry)
        if plain.startswith("/"):
            outside.append(plain)
        elif "$" not in plain and not plain.startswith("~"):
            inside.append(_joined(shell.folder, plain))
    return inside, outside


def inherits_path(command: str) -> bool:
    """Whether PYTHONPATH of the environment counts in a shell command."""
    values = re.findall(r"\bPYTHONPATH=(\S*)", command)
    return not values or any("PYTHONPATH" in value for value in values)


def _joined(folder: str, name: str) -> str:
    found = normpath(join(folder, name)) if name else folder
    return "" if found == "." else found
