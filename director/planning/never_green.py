"""Whether a red run of new tests can ever turn green: read from its output, without effects.

Tests are admitted because they are red. Two kinds of red say nothing about the work that is to
be done: a test file that cannot be read, and a runner that ran no test. Where the output leaves
a doubt the tests are admitted: an executor's attempts are cheaper than tests that are refused for
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from director.model.patterns import lazy_pattern
from director.model.testing.command_run import CommandRun
from director.model.testing.counted_tests import total
from director.model.testing.runner_command import read_command
from director.model.testing.runner_output import read_output

NO_TESTS_CODE = 5  # pytest, and unittest since Python 3.12


_SYNTAX_ERRORS = (
    # Python. A frame ends in ", in <name>"; the place of a syntax error does not. pytest: "E   ".
    lazy_pattern(
        r'^(?:E\s)?\s*File "(?P<path>[^"\n]+)", line \d+\n'
        r"(?:.*\n){0,3}?"
        r"(?:E\s+)?(?P<what>(?:SyntaxError|IndentationError|TabError): .*)$",
        re.MULTILINE,
    ),
    # node, and `node --test`, which puts "# " before each line.
    lazy_pattern(
        r"^(?:# )?(?:file://)?(?P<path>/\S.*):\d+\n(?:.*\n){1,4}?(?:# )?(?P<what>SyntaxError: .*)$",
        re.MULTILINE,
    ),
    # Babel, for jest. TypeScript is left out: there, what is missing may be its configuration.
    lazy_pattern(
        r"^\s*(?P<what>SyntaxError: (?P<path>/\S.*\.[cm]?jsx?): .* \(\d+:\d+\))", re.MULTILINE
    ),
    # dash: "P: 3: Syntax error"; bash, busybox: "P: line 3: syntax error"; ruby, go: "P:3:1: …".
    # An `eval` or a file that the test reads in stands between the path and the words.
    lazy_pattern(
        r"^(?P<path>[^\s:][^:\n]*):(?: line)? ?\d+:(?:\d+:)? (?P<what>[Ss]yntax error\b.*)$",
        re.MULTILINE,
    ),
)
_FIXABLE = lazy_pattern(
    # What the work may correct: an export of the module under test, "type" in package.json,
    # a plugin in Babel's configuration.
    r"requested module|outside a module|bodies of modules|isn't currently enabled"
)
_SOMETHING_RAN = lazy_pattern(
    r"""
      ^Ran\ [1-9]\d*\ tests?\b            # unittest
    | ^(?:FAIL|ERROR):\ \S+\ \(           # unittest, a failed class set-up ("Ran 0 tests") too
    | ^FAILED\ \(                         # unittest
    | \b[1-9]\d*\ (?:passed|failed|failing|errors?)\b   # pytest, jest, vitest, mocha
    | \bERROR\ collecting\b               # pytest: what the test imports does not exist yet
    | ^E\ \ +\S                           # pytest
    | ^collected\ [1-9]                   # pytest
    | ^\s*(?:---\ )?FAIL\b                # jest, vitest, go
    | ^\s*not\ ok\b                       # TAP
    | Traceback\ \(most\ recent\ call\ last\)
    | \b(?:AssertionError|ImportError|ModuleNotFoundError)\b
    | \bassertion\ failed\b
    """,
    re.MULTILINE | re.VERBOSE,
)
_GREEN_WITHOUT_TESTS = {
    # These end with 0 when they ran nothing: red came from elsewhere, unless every line is theirs.
    "go": lazy_pattern(r"\?\s+\S+\s+\[no test files\]"),
    "cargo": lazy_pattern(
        r"running 0 tests|test result: ok\. 0 passed; .*"
        r"|\s*(?:Compiling|Finished|Running|Doc-tests) .*"
    ),
    "unittest": lazy_pattern(r"-+|Ran 0 tests in [\d.]+s|OK(?: .*)?"),
}


def never_green(run: CommandRun, tests: Sequence[str]) -> str | None:
    """Say why nothing that an executor may do turns this run green, or None when it might."""
    output = run.plain
    for path, what in _syntax_errors(output):
        test = _named(path, tests)
        if test and not _was_run(test, output):
            return f"{test} cannot be read: {what}"
    words = _no_tests(run)
    return f"no tests ran ({words})" if words else None


def _syntax_errors(output: str) -> Iterator[tuple[str, str]]:
    """Give the file and the words of each syntax error that the work cannot correct."""
    for pattern in _SYNTAX_ERRORS:
        for found in pattern.finditer(output):
            if not _FIXABLE.search(found["what"]):
                yield found["path"], found["what"].strip()


def _named(path: str, tests: Sequence[str]) -> str | None:
    """Return the test that ``path`` (absolute, or as the command gave it) names."""
    plain = path.removeprefix("./")
    return next((one for one in tests if plain == one or plain.endswith(f"/{one}")), None)


def _was_run(test: str, output: str) -> bool:
    """Whether the output shows a line of ``test`` being executed: then it could be read."""
    name = re.escape(test)
    frames = (
        rf'File "(?:[^"\n]*/)?{name}", line \d+, in ',  # Python
        rf"^(?:E\s+)?(?:\S*/)?{name}:\d+: (?:in |\w*(?:Error|Exception|Failed)\b)",  # pytest
        rf"^[#\s]*at .*{name}:\d+:\d+",  # node
    )
    return any(re.search(frame, output, re.MULTILINE) for frame in frames)


def _no_tests(run: CommandRun) -> str | None:
    """Return what says that no test ran, when nothing else says that something did."""
    output = run.plain
    found = read_output(output)
    if found:
        ran = total(found.values()).executed
        return _unless_something_ran(", ".join(found), output) if ran == 0 else None
    if run.code == NO_TESTS_CODE and read_command(run.command, {}).runners & {"pytest", "unittest"}:
        return f"exit code {NO_TESTS_CODE}"
    return None


def _unless_something_ran(runner: str, output: str) -> str | None:
    theirs = _GREEN_WITHOUT_TESTS.get(runner)
    if theirs and "NO TESTS RAN" not in output:
        lines = (line for line in output.splitlines() if line.strip())
        return runner if all(map(theirs.fullmatch, lines)) else None
    return None if _SOMETHING_RAN.search(output) else runner
