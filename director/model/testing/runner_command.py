"""Which test runner a shell command starts, and on which files: read from its words alone.

Only what is plain to see counts. A runner's name in a string, behind ``make`` or in a script is
not recognised: nothing is known of such a command, and nothing is held against it.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from director.model.patterns import lazy_pattern

_ASSIGNMENT = lazy_pattern(r"[A-Za-z_]\w*=")
_JOINED_STREAMS = lazy_pattern(r"\d?>&\d")
_SEPARATORS = frozenset({"&&", ";", "||", "|", "|&", "&", "(", ")"})
_IN_DOUBT = lazy_pattern(r"[|&()]+|.*[<>].*")  # what runs, and what is seen of it, is not plain
_PYTHON = lazy_pattern(r"(?:python|pypy)[\d.]*")
_MODULES = {"unittest": "unittest", "pytest": "pytest", "py.test": "pytest"}
_PROGRAMS = {
    **{name: name for name in ("pytest", "jest", "vitest", "mocha", "phpunit", "rspec", "ctest")},
    **{"py.test": "pytest", "_mocha": "mocha"},
    **{"jest.js": "jest", "mocha.js": "mocha", "vitest.mjs": "vitest"},
}
_SUBCOMMANDS = {
    ("go", "test"): "go",
    ("cargo", "test"): "cargo",
    ("cargo", "t"): "cargo",
    ("deno", "test"): "deno",
    ("bun", "test"): "bun",
}
_WRAPPERS = {
    **dict.fromkeys(("env", "time", "exec", "command", "nice", "npx", "bunx", "timeout"), 1),
    **dict.fromkeys(("uv run", "poetry run", "pipenv run", "pdm run", "rye run"), 2),
    **dict.fromkeys(("hatch run", "bundle exec", "pnpm exec", "yarn exec", "coverage run"), 2),
}
# Options that take the next word, of wrappers and of interpreters.
_OF_WRAPPERS = frozenset(
    {"--with", "--python", "--extra", "--group", "--project", "--directory", "--source"}
    | {"--rcfile", "-p", "-k", "-s", "-n"}
)
_OF_INTERPRETERS = frozenset(
    {"-W", "-X", "-r", "--require", "--import", "--loader", "--source", "--rcfile"}
)
# A script that starts its own tests, by what stands in it.
_STARTING_THEMSELVES = (
    (lazy_pattern(r"^\s*unittest\.main\(", re.MULTILINE), _PYTHON, "unittest"),
    (lazy_pattern(r"""["']node:test["']"""), lazy_pattern("node"), "node"),
)
_QUIET = lazy_pattern(r"-qq+|(?:-p)?no:terminal|--?.*(?:report|format|json|silent).*")
# Options that leave no test out; any other may.
_HARMLESS = lazy_pattern(
    r"-[vqsxbiu]+|-r[aAfEsxXpPwN]+|-race|-cover|-json|-count=\d+|-timeout=\S+|-[nj]\d*|-W.*|-p(?:no:\S+)?"
    r"|--(?:verbose|quiet|failfast|exitfirst|buffer|locals|ci|runInBand|silent|json|test|locked"
    r"|offline|frozen|release|all-features|no-fail-fast|no-warnings|passWithNoTests|import|require"
    r"|(?:tb|colou?r|no-colou?r|no-header|no-summary|strict|cov|no-cov|durations|maxfail|bail"
    r"|watch|no-watch|reporter|test-reporter|test-concurrency|test-timeout|experimental)\S*)"
)
_HARMLESS_FOR = {"unittest": frozenset({"-f", "-s", "-t", "-c"})}
_SUBCOMMAND_WORDS = frozenset({"run", "discover"})


class Invocation(NamedTuple):
    """What a command says of the tests it runs.

    ``runners`` is empty where none is recognised. ``quiet``: tests may run although the output
    shows no count. ``covers``: those of the given test files that are known to run as a whole.
    """

    runners: frozenset[str] = frozenset()
    quiet: bool = False
    covers: frozenset[str] = frozenset()


def read_command(command: str, tests: Mapping[str, str]) -> Invocation:
    """Read a shell command; ``tests`` maps the paths of test files to their text."""
    try:
        words = _words(command)
    except ValueError:  # a quotation that does not end
        return Invocation()
    calls = [call for one in _split(words) if (call := _call(_unwrapped(one), tests))]
    in_doubt = any(_IN_DOUBT.fullmatch(word) and word != "&&" for word in words)
    covers = [path for call in calls for path in call.covered(tests, "cd" in words)]
    return Invocation(
        runners=frozenset(call.runner for call in calls),
        quiet=in_doubt or any(call.quiet for call in calls),
        covers=frozenset(() if in_doubt else covers),
    )


def programs(command: str) -> frozenset[str]:
    """Return the names of the programs that a shell command starts, as far as they are plain."""
    try:
        found = [_unwrapped(one) for one in _split(_words(command))]
    except ValueError:
        return frozenset()
    return frozenset(_base(words[0]) for words in found if words)


def simple_commands(command: str) -> list[list[str]]:
    """Return the words of each simple command of a shell command; none where it is not plain."""
    try:
        return [words for words in _split(_words(command)) if words]
    except ValueError:
        return []


@lru_cache(maxsize=64)  # each run of a command is read several times
def _words(command: str) -> tuple[str, ...]:
    lexer = shlex.shlex(_JOINED_STREAMS.sub("", command), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    return tuple(";" if word.startswith("\n") else word for word in lexer)


def _split(words: Iterable[str]) -> Iterator[list[str]]:
    simple: list[str] = []
    for word in [*words, ";"]:
        if word in _SEPARATORS:
            yield simple
            simple = []
        else:
            simple.append(word)


def _unwrapped(words: Sequence[str]) -> Sequence[str]:
    """Return a simple command without assignments and programs that only run another one."""
    while words:
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
        elif taken := _WRAPPERS.get(_base(words[0])) or _WRAPPERS.get(" ".join(words[:2])):
            words = _after_options(words[taken:], _OF_WRAPPERS)
            if taken == 1 and words and re.fullmatch(r"[\d.]+[smh]?", words[0]):
                words = words[1:]  # of `timeout`
        else:
            break
    return words


def _after_options(words: Sequence[str], with_value: frozenset[str]) -> Sequence[str]:
    """Return what a program runs, with its arguments; an interpreter's ``-m`` or ``-c`` is kept."""
    while words and words[0].startswith("-") and words[0] not in ("-m", "-c", "-e"):
        words = words[2:] if words[0] in with_value else words[1:]
    return words


def _base(word: str) -> str:
    return word.rpartition("/")[2]


class _Call(NamedTuple):
    """One runner with its arguments."""

    runner: str
    arguments: Sequence[str]

    @property
    def quiet(self) -> bool:
        """Whether it may run tests and print no count."""
        return any(map(_QUIET.fullmatch, self.arguments)) or self.arguments.count("-q") > 1

    def covered(self, tests: Iterable[str], moved: bool) -> list[str]:
        """Return the test files that run as a whole; ``moved``: in another folder."""
        options = [word for word in self.arguments if word.startswith("-") and word != "-"]
        harmless = _HARMLESS_FOR.get(self.runner, frozenset())
        if not all(word in harmless or _HARMLESS.fullmatch(word) for word in options):
            return []
        places = [word for word in self.arguments if word not in options]
        places = [word for word in places if word not in _SUBCOMMAND_WORDS]
        named = [path for path in tests if any(_names(word, path) for word in places)]
        if self.runner == "cargo":
            return named if len(named) == len(places) and (named or not moved) else []
        if named or moved:
            return named
        return [path for path in tests if self._in_place(path, places)]

    def _in_place(self, path: str, places: Sequence[str]) -> bool:
        """Whether a file lies where the runner looks: below one of ``places``, or anywhere."""
        if self.runner == "go":
            folder = path.rpartition("/")[0]
            return any(_go_package(word, folder) for word in places or (".",))
        folders = [word.removeprefix("./").rstrip("/") for word in places]
        return not folders or any(one in ("", ".") or path.startswith(f"{one}/") for one in folders)


def _go_package(word: str, folder: str) -> bool:
    base = word.removesuffix("...").removeprefix("./").rstrip("/")
    base = "" if base == "." else base
    below = word.endswith("...") and (not base or folder.startswith(f"{base}/"))
    return folder == base or below


def _names(word: str, path: str) -> bool:
    """Whether a word names a test file: by its path, as a Python module, or by its stem."""
    word = word.removeprefix("./")
    stem = path.rpartition(".")[0]
    return word in (path, stem.replace("/", "."), _base(stem)) or path.endswith(f"/{word}")


def _call(words: Sequence[str], tests: Mapping[str, str]) -> _Call | None:
    """Return the runner that a simple command starts, or None where none is plain to see."""
    if not words:
        return None
    program = _base(words[0])
    if program == "-m":  # of a wrapper that starts Python itself
        return _interpreted("python", words, tests)
    if program in ("yarn", "pnpm") and len(words) > 1 and words[1] in _PROGRAMS:
        return _Call(_PROGRAMS[words[1]], words[2:])
    if program in _PROGRAMS:
        return _Call(_PROGRAMS[program], words[1:])
    rest = [word for word in words[1:] if not word.startswith("+")]  # a toolchain of cargo's
    if rest and (runner := _SUBCOMMANDS.get((program, rest[0]))):
        return _Call(runner, rest[1:])
    if program == "node" and "--test" in words:
        return _Call("node", words[1:])
    if _PYTHON.fullmatch(program) or program == "node":
        return _interpreted(program, _after_options(words[1:], _OF_INTERPRETERS), tests)
    return None


def _interpreted(program: str, words: Sequence[str], tests: Mapping[str, str]) -> _Call | None:
    if words[:1] == ["-m"] and len(words) > 1:
        if words[1] == "coverage" and words[2:3] == ["run"]:
            return _interpreted(program, _after_options(words[3:], _OF_INTERPRETERS), tests)
        return _Call(_MODULES[words[1]], words[2:]) if words[1] in _MODULES else None
    script = words[0].removeprefix("./") if words else ""
    if _base(script) in _PROGRAMS:
        return _Call(_PROGRAMS[_base(script)], words[1:])
    for marker, interpreter, runner in _STARTING_THEMSELVES:
        if interpreter.fullmatch(program) and marker.search(tests.get(script, "")):
            return _Call(runner, words)
    return None
