"""How many tests ran, by what a test runner prints: read without effects.

A count is read only where a runner's summary is plain to see; what is not recognised is unknown.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from director.model.patterns import lazy_pattern
from director.model.testing.counted_tests import CountedTests, add_up
from director.model.testing.plain_text import plain_text
from director.model.testing.runner_readers import (
    read_cargo,
    read_go,
    read_jest,
    read_mocha,
    read_pytest,
    read_tap,
    read_unittest,
    read_vitest,
)

READ_CHARACTERS = 1_000_000  # of the end of an output: that is where summaries stand


def read_output(output: str) -> dict[str, CountedTests]:
    """Return the counts of the runners whose summaries stand in ``output``, by runner."""
    text = plain_text(output[-READ_CHARACTERS:])
    found = (read(text) for read, hints in _READERS if any(hint in text for hint in hints))
    return {counted.runner: counted for counted in found if counted and counted.runner}


_OTHERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    # ``ran`` and ``all`` count skipped tests too, ``done`` does not.
    "deno": (
        (" passed",),
        r"^(?:ok|FAILED) \| (?P<done>\d+) passed[^|\n]* \| \d+ failed"
        r"(?: \| (?P<skipped>\d+) ignored)?",
    ),
    "bun": (
        (" pass\n",),
        r"^ *(?P<done>\d+) pass\n(?: *(?P<skipped>\d+) skip\n)?(?: *\d+ todo\n)? *\d+ fail$",
    ),
    "phpunit": (
        ("OK (", "Assertions: ", "No tests executed!"),
        r"^(?:OK \((?P<ran>\d+) tests?, |Tests: (?P<all>\d+), Assertions: \d+"
        r"(?:, \w[\w ]*: \d+)*?(?:, Skipped: (?P<skipped>\d+))?\b)|^No tests executed!",
    ),
    "rspec": (
        (" example",),
        r"^(?P<ran>\d+) examples?, \d+ failures?(?:, (?P<skipped>\d+) pending)?",
    ),
    "minitest": (
        (" assertions, ",),
        r"^(?P<ran>\d+) (?:runs|tests), \d+ assertions, .*\b(?P<skipped>\d+) skips$",
    ),
    "maven": (
        ("Tests run: ",),
        r"^(?:\[\w+\] )?Tests run: (?P<ran>\d+), Failures: \d+, Errors: \d+,"
        r" Skipped: (?P<skipped>\d+)$",
    ),
    "ctest": (
        ("tests passed, ", "No tests were found!!!"),
        r"\btests passed, \d+ tests? failed out of (?P<ran>\d+)$|^No tests were found!!!$",
    ),
    "prove": (("Files=",), r"^Files=\d+, Tests=(?P<ran>\d+),"),
    "dotnet": (
        ("Passed!",),
        r"^Passed! +- Failed: +\d+, Passed: +(?P<done>\d+), Skipped: +(?P<skipped>\d+),",
    ),
    "junit": (
        ("<testsuite ",),
        r'<testsuite [^>\n]{0,500}?\btests="(?P<ran>\d+)"'
        r'[^>\n]{0,500}?\bskipped="(?P<skipped>\d+)"',
    ),
    "bats": ((" failure",), r"^(?P<ran>\d+) tests?, \d+ failures?(?:, (?P<skipped>\d+) skipped)?"),
}


def _other(runner: str, pattern: re.Pattern[str]) -> Callable[[str], CountedTests | None]:
    def read(text: str) -> CountedTests | None:
        found = [one.groupdict() for one in pattern.finditer(text)]
        if not found:
            return None
        done, skipped = _sum_of(found, "done"), _sum_of(found, "skipped")
        ran = _sum_of(found, "ran", "all")
        return CountedTests(runner, done + max(ran - skipped, 0), skipped)

    return read


def _sum_of(found: Iterable[Mapping[str, str | None]], *names: str) -> int:
    return add_up(one.get(name) for one in found for name in names)


# Each reader with texts of which one stands in every output that it can read: most outputs are
# passed over without a search.
_READERS: tuple[tuple[Callable[[str], CountedTests | None], tuple[str, ...]], ...] = (
    (read_unittest, ("Ran ",)),
    (read_pytest, (" in ", "%]")),
    (read_go, ("ok  ", "--- ", "[no test files]", '"Action":', "FAIL\t")),
    (read_cargo, ("test result: ", "running ", "Summary [")),
    (read_jest, ("Tests: ", "No tests found", "process.exit called", '"numPassedTests"')),
    (read_vitest, ("Tests  ", "No test files found")),
    (read_mocha, (" passing", "No test files found", '"stats": {')),
    (read_tap, ("TAP version", "1..", "tests ")),
    *(
        (_other(runner, lazy_pattern(text, re.MULTILINE)), hints)
        for runner, (hints, text) in _OTHERS.items()
    ),
)
