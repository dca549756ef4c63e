"""How many tests ran, by what a test runner prints: read without effects.

A count is read only where a runner's summary is plain to see; what is not recognised is unknown.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing.plain_text import plain_text

READ_CHARACTERS = 1_000_000  # of the end of an output: that is where summaries stand


class CountedTests(NamedTuple):
    """What a run shows of its tests.

    ``runner`` None: not recognised. ``executed``: tests that ran, whatever became of them
    (None: not known). ``announced``: how many the runner said it would run (0: it does not say).
    """

    runner: str | None
    executed: int | None
    skipped: int = 0
    announced: int = 0


UNKNOWN = CountedTests(None, None)


def read_output(output: str) -> dict[str, CountedTests]:
    """Return the counts of the runners whose summaries stand in ``output``, by runner."""
    text = plain_text(output[-READ_CHARACTERS:])
    found = (read(text) for read, hints in _READERS if any(hint in text for hint in hints))
    return {counted.runner: counted for counted in found if counted and counted.runner}


def total(found: Iterable[CountedTests]) -> CountedTests:
    """Return the sum of several counts; not known where one of them is not."""
    counts = list(found)
    known = [one.executed for one in counts if one.executed is not None]
    return CountedTests(
        runner=", ".join(one.runner for one in counts if one.runner) or None,
        executed=sum(known) if counts and len(known) == len(counts) else None,
        skipped=sum(one.skipped for one in counts),
        announced=sum(one.announced for one in counts),
    )


_RAN = lazy_pattern(
    r"\b(\d+) (?:passed|failed|x?passed|xfailed|errors?|passing|failing|measured)\b"
)
_LEFT_OUT = lazy_pattern(r"\b(\d+) (?:skipped|pending|ignored|todo)\b")


def _worded(runner: str, lines: Iterable[str]) -> CountedTests | None:
    """Add up lines like "3 passed, 1 skipped"; None when there are none."""
    text = "\n".join(lines)
    if not text:
        return None
    return CountedTests(runner, _sum(_RAN.findall(text)), _sum(_LEFT_OUT.findall(text)))


def _sum(numbers: Iterable[str | None]) -> int:
    """Add up numbers as they are printed; of absurd ones the first nine digits count."""
    return sum(int(number[:9]) for number in numbers if number)


_UNITTEST = lazy_pattern(
    r"^Ran (?P<ran>\d+) tests? in [\d.]+s$"
    r"(?:\n+(?:OK|FAILED|NO TESTS RAN)(?: \((?P<how>[^)\n]*)\))?$)?",
    re.MULTILINE,
)
_UNITTEST_PROGRESS = lazy_pattern(r"^[.sxuFE]+$", re.MULTILINE)
_UNITTEST_VERBOSE = lazy_pattern(r"\.\.\. (?:ok|expected failure|FAIL|ERROR)$", re.MULTILINE)


def _unittest(text: str) -> CountedTests | None:
    runs = list(_UNITTEST.finditer(text))
    if not runs:
        return None
    how = " ".join(run["how"] or "" for run in runs)
    ran = _sum(run["ran"] for run in runs)
    skipped = _sum(re.findall(r"\bskipped=(\d+)", how))
    trouble = _sum(re.findall(r"\b(?:errors|failures|expected failures)=(\d+)", how))
    # A class that is skipped as a whole, and every skipped test in Python 3.12.1, are not among
    # those that ran: what is shown of each test says more then.
    shown = min(ran, _shown_by_unittest(text)) if skipped else 0
    return CountedTests("unittest", max(ran - skipped, shown, trouble), skipped)


def _shown_by_unittest(text: str) -> int:
    marks = "".join(_UNITTEST_PROGRESS.findall(text))
    return len(marks) - marks.count("s") + len(_UNITTEST_VERBOSE.findall(text))


_PYTEST = lazy_pattern(
    r"^(?:=+ )?((?:\d+ (?:passed|failed|skipped|deselected|xfailed|xpassed|errors?|warnings?|rerun"
    r"|subtests|tests? collected)\b.*|no tests (?:ran|collected).*)"
    r" in [\d.]+s(?: \([\d:]+\))?)(?: =+)?$",
    re.MULTILINE,
)
_PYTEST_PROGRESS = lazy_pattern(r"^(?:\S+ )?([.sxXFER]+) +\[ *\d+%\]$", re.MULTILINE)


def _pytest(text: str) -> CountedTests | None:
    if counted := _worded("pytest", _PYTEST.findall(text)):
        return counted
    if marks := "".join(_PYTEST_PROGRESS.findall(text)):  # -qq
        skipped = marks.count("s")
        return CountedTests("pytest", len(marks) - skipped - marks.count("R"), skipped)
    return None


_GO_PACKAGE = lazy_pattern(
    r"^(?:ok  ?|FAIL)\s+\S+\s+(?:[\d.]+s|\(cached\))(?P<rest>.*)$", re.MULTILINE
)
_GO_NOTHING = lazy_pattern(r"^\?\s+\S+\s+\[no test files\]$", re.MULTILINE)
_GO_TEST = lazy_pattern(r"^--- (?P<end>PASS|FAIL|SKIP): \S+ \(", re.MULTILINE)
_GO_EVENT = lazy_pattern(
    r'^\{(?=[^\n]*"Action":"(?P<end>pass|fail|skip)")[^\n]*"Test":"[^"/\n]+"', re.MULTILINE
)
_GO_EVENTS = lazy_pattern(r'^\{[^\n]*"Action":"(?:pass|fail|skip)","Package":', re.MULTILINE)


def _go(text: str) -> CountedTests | None:
    events = bool(_GO_EVENTS.search(text))
    ends = [found["end"].lower() for found in (_GO_EVENT if events else _GO_TEST).finditer(text)]
    packages = [found["rest"] for found in _GO_PACKAGE.finditer(text)]
    if not (ends or events or packages or _GO_NOTHING.search(text)):
        return None
    silent = any("[no tests to run]" not in rest for rest in packages) and not (ends or events)
    skipped = ends.count("skip")
    return CountedTests("go", None if silent else len(ends) - skipped, skipped)


_CARGO = lazy_pattern(r"^test result: \w+\. (.*)$", re.MULTILINE)
_CARGO_BEGINS = lazy_pattern(r"^running (\d+) tests?$", re.MULTILINE)
_NEXTEST = lazy_pattern(r"^ *Summary \[[^\]\n]*\] +\S+ tests? run: (.*)$", re.MULTILINE)


def _cargo(text: str) -> CountedTests | None:
    begun = _CARGO_BEGINS.findall(text)
    ended = _CARGO.findall(text)
    if not begun and not ended:
        return _worded("nextest", _NEXTEST.findall(text))
    counted = _worded("cargo", ended) or CountedTests("cargo", 0)
    return CountedTests("cargo", counted.executed, counted.skipped, _sum(begun))


_JEST = lazy_pattern(r"^Tests: +(.*\b\d+ total)$", re.MULTILINE)
_JEST_NOTHING = lazy_pattern(
    r"^No tests found, exiting with code \d+|^ +● +process\.exit called with", re.MULTILINE
)
_VITEST = lazy_pattern(r"^ *Tests  (\d+ \w+(?: \| \d+ \w+)* \(\d+\))$", re.MULTILINE)
_VITEST_NOTHING = lazy_pattern(
    r"^ *Tests  no tests$|^No test files found, exiting with code", re.MULTILINE
)
_MOCHA = lazy_pattern(r"^ {2}(\d+ (?:passing|pending|failing)\b.*)$", re.MULTILINE)
_MOCHA_NOTHING = lazy_pattern(r"^(?:Error: )?No test files found: ", re.MULTILINE)
_JSON_TOTALS = lazy_pattern(r'"num(Passed|Failed|Pending|Todo)Tests": ?(\d+)')
_JSON_STATS = lazy_pattern(
    r'"stats": \{[^}]{0,300}?"passes": (?P<passed>\d+),\s*"pending": (?P<skipped>\d+),'
    r'\s*"failures": (?P<failed>\d+)'
)


def _jest(text: str) -> CountedTests | None:
    nothing = CountedTests("jest", 0) if _JEST_NOTHING.search(text) else None
    return _worded("jest", _JEST.findall(text)) or _json_totals(text) or nothing


def _vitest(text: str) -> CountedTests | None:
    nothing = CountedTests("vitest", 0) if _VITEST_NOTHING.search(text) else None
    return _worded("vitest", _VITEST.findall(text)) or nothing


def _mocha(text: str) -> CountedTests | None:
    if counted := _worded("mocha", _MOCHA.findall(text)):
        return counted
    if stats := _JSON_STATS.search(text):
        ran = _sum((stats["passed"], stats["failed"]))
        return CountedTests("mocha", ran, _sum((stats["skipped"],)))
    return CountedTests("mocha", 0) if _MOCHA_NOTHING.search(text) else None


def _json_totals(text: str) -> CountedTests | None:
    """Read the JSON that jest and vitest share."""
    found = {what: _sum((number,)) for what, number in _JSON_TOTALS.findall(text)}
    if len(found) < 4:
        return None
    ran = found["Passed"] + found["Failed"]
    return CountedTests("jest", ran, found["Pending"] + found["Todo"])


_TAP = lazy_pattern(r"^(?:TAP version \d+|1\.\.\d+.*)$", re.MULTILINE)
_TAP_LINE = lazy_pattern(
    r"^(?P<indent> *)(?:(?P<point>(?:not )?ok)\b(?: \d+)?(?: -)? ?(?P<name>.*)|1\.\.\d+.*)$",
    re.MULTILINE,
)
_TAP_SKIPPED = lazy_pattern(r"# *skip", re.IGNORECASE)
_NODE_SUMMARY = lazy_pattern(r"^(?:#|ℹ) (tests|pass|skipped) (\d+)$", re.MULTILINE)
# `node --test` reports a file as a test of its own when no test in it has run.
_NODE_FILE = lazy_pattern(r"ok \S*/\S+\.[cm]?[jt]sx?|✔ \S*/\S+\.[cm]?[jt]sx? \([\d.]+ms\)")


def _tap(text: str) -> CountedTests | None:
    """Read TAP, and what node's own runner prints instead of it."""
    summary = _node_summary(text)
    points = list(_tap_points(text)) if _TAP.search(text) else []
    if not summary and not _TAP.search(text):
        return None
    skipped = sum(bool(_TAP_SKIPPED.search(point)) for point in points)
    if not summary:
        announced = 0 if re.search(r"^ +1\.\.\d", text, re.MULTILINE) else _announced(text)
        return CountedTests("tap", len(points) - skipped, skipped, announced)
    empty = sum(bool(_NODE_FILE.fullmatch(point)) for point in (*points, *text.splitlines()))
    skipped = max(skipped, summary.get("skipped", 0))
    told = summary["tests"] - empty - summary.get("skipped", 0)
    # Before version 20 node's summary counts files: then the points say more.
    return CountedTests("node", max(told, len(points) - skipped - empty), skipped)


def _node_summary(text: str) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for what, number in _NODE_SUMMARY.findall(text):
        counts[what] = counts.get(what, 0) + _sum((number,))
    return counts if "tests" in counts and "pass" in counts else {}


def _announced(text: str) -> int:
    return _sum(re.findall(r"^1\.\.(\d+)", text, re.MULTILINE))


def _tap_points(text: str) -> Iterator[str]:
    """Give the test points that hold no others: "ok" or "not ok", and their names."""
    depth = 0
    for line in _TAP_LINE.finditer(text):
        indent = len(line["indent"])
        is_parent = indent < depth or (line["name"] or "").endswith("{")
        depth = indent
        if line["point"] and not is_parent:
            yield f"{line['point']} {line['name']}".strip()


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
    return _sum(one.get(name) for one in found for name in names)


# Each reader with texts of which one stands in every output that it can read: most outputs are
# passed over without a search.
_READERS: tuple[tuple[Callable[[str], CountedTests | None], tuple[str, ...]], ...] = (
    (_unittest, ("Ran ",)),
    (_pytest, (" in ", "%]")),
    (_go, ("ok  ", "--- ", "[no test files]", '"Action":', "FAIL\t")),
    (_cargo, ("test result: ", "running ", "Summary [")),
    (_jest, ("Tests: ", "No tests found", "process.exit called", '"numPassedTests"')),
    (_vitest, ("Tests  ", "No test files found")),
    (_mocha, (" passing", "No test files found", '"stats": {')),
    (_tap, ("TAP version", "1..", "tests ")),
    *(
        (_other(runner, lazy_pattern(text, re.MULTILINE)), hints)
        for runner, (hints, text) in _OTHERS.items()
    ),
)
