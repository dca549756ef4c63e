"""The summaries of the runners that take more than one pattern to read."""

import re
from collections.abc import Iterator, Mapping

from director.model.patterns import lazy_pattern
from director.model.testing.counted_tests import CountedTests, add_up, worded

_UNITTEST = lazy_pattern(
    r"^Ran (?P<ran>\d+) tests? in [\d.]+s$"
    r"(?:\n+(?:OK|FAILED|NO TESTS RAN)(?: \((?P<how>[^)\n]*)\))?$)?",
    re.MULTILINE,
)
_UNITTEST_PROGRESS = lazy_pattern(r"^[.sxuFE]+$", re.MULTILINE)
_UNITTEST_VERBOSE = lazy_pattern(r"\.\.\. (?:ok|expected failure|FAIL|ERROR)$", re.MULTILINE)


def read_unittest(text: str) -> CountedTests | None:
    """Read what unittest says."""
    runs = list(_UNITTEST.finditer(text))
    if not runs:
        return None
    how = " ".join(run["how"] or "" for run in runs)
    ran = add_up(run["ran"] for run in runs)
    skipped = add_up(re.findall(r"\bskipped=(\d+)", how))
    trouble = add_up(re.findall(r"\b(?:errors|failures|expected failures)=(\d+)", how))
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


def read_pytest(text: str) -> CountedTests | None:
    """Read what pytest says."""
    if counted := worded("pytest", _PYTEST.findall(text)):
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


def read_go(text: str) -> CountedTests | None:
    """Read what ``go test`` says, also as JSON."""
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


def read_cargo(text: str) -> CountedTests | None:
    """Read what ``cargo test`` and nextest say."""
    begun = _CARGO_BEGINS.findall(text)
    ended = _CARGO.findall(text)
    if not begun and not ended:
        return worded("nextest", _NEXTEST.findall(text))
    counted = worded("cargo", ended) or CountedTests("cargo", 0)
    return CountedTests("cargo", counted.executed, counted.skipped, add_up(begun))


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


def read_jest(text: str) -> CountedTests | None:
    """Read what jest says, also as JSON."""
    nothing = CountedTests("jest", 0) if _JEST_NOTHING.search(text) else None
    return worded("jest", _JEST.findall(text)) or _json_totals(text) or nothing


def read_vitest(text: str) -> CountedTests | None:
    """Read what vitest says."""
    nothing = CountedTests("vitest", 0) if _VITEST_NOTHING.search(text) else None
    return worded("vitest", _VITEST.findall(text)) or nothing


def read_mocha(text: str) -> CountedTests | None:
    """Read what mocha says, also as JSON."""
    if counted := worded("mocha", _MOCHA.findall(text)):
        return counted
    if stats := _JSON_STATS.search(text):
        ran = add_up((stats["passed"], stats["failed"]))
        return CountedTests("mocha", ran, add_up((stats["skipped"],)))
    return CountedTests("mocha", 0) if _MOCHA_NOTHING.search(text) else None


def _json_totals(text: str) -> CountedTests | None:
    """Read the JSON that jest and vitest share."""
    found = {what: add_up((number,)) for what, number in _JSON_TOTALS.findall(text)}
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


def read_tap(text: str) -> CountedTests | None:
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
        counts[what] = counts.get(what, 0) + add_up((number,))
    return counts if "tests" in counts and "pass" in counts else {}


def _announced(text: str) -> int:
    return add_up(re.findall(r"^1\.\.(\d+)", text, re.MULTILINE))


def _tap_points(text: str) -> Iterator[str]:
    """Give the test points that hold no others: "ok" or "not ok", and their names."""
    depth = 0
    for line in _TAP_LINE.finditer(text):
        indent = len(line["indent"])
        is_parent = indent < depth or (line["name"] or "").endswith("{")
        depth = indent
        if line["point"] and not is_parent:
            yield f"{line['point']} {line['name']}".strip()
