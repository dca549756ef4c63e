"""Whether exit code 0 of a test command shows that tests ran: decided from texts alone.

A program that ends with 0 before its first test looks green. Where the runner is recognised, its
count decides; where it is not, the count is unknown and the exit code stands.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing.counted_tests import UNKNOWN, CountedTests, total
from director.model.testing.runner_command import Invocation, read_command
from director.model.testing.runner_output import READ_CHARACTERS, read_output

# A report in another form than a summary: tests may have run.
_OTHER_REPORT = lazy_pattern(
    r'<testsuites?\b|\breport (?:written|saved|generated)|^\s*\{\s*"|^ +Running \S+',
    re.MULTILINE | re.IGNORECASE,
)
_PYTEST_BEGINS = lazy_pattern(r"^=+ test session starts =+$", re.MULTILINE)


class Evidence(NamedTuple):
    """What a run of tests shows. ``lacking`` says what it does not show ("": nothing is missing).

    ``tests_run``: how many tests ran, the skipped ones aside (None: not known).
    """

    tests_run: int | None
    lacking: str = ""


def evidence_of_green(command: str, output: str, tests: Mapping[str, str]) -> Evidence:
    """Judge a run that ended with 0; ``tests`` maps the frozen test files to their text.

    It is lacking when no test ran, or fewer than the runner announced or the files hold.
    """
    invocation = read_command(command, tests)
    counted = _counted(invocation, output)
    if counted.executed is None:
        return Evidence(None)
    declared = _declared(invocation, counted.runner or "", tests)
    whole = len(output) <= READ_CHARACTERS  # otherwise its end shows only a part of the tests
    least = max(declared, counted.announced, 1) if whole else 1
    if counted.executed and counted.executed + counted.skipped >= least:
        return Evidence(counted.executed)
    skipped = f" ({counted.skipped} skipped)" if counted.skipped else ""
    ran = "no test ran" if least == 1 else f"{counted.executed} of at least {least} tests ran"
    return Evidence(counted.executed, f"{ran}{skipped}")


def tests_seen(command: str, output: str) -> int | None:
    """Return how many tests an output shows, whatever the exit code was (None: not known)."""
    return total(_of_command(read_command(command, {}), output)).executed


def tests_run(command: str, output: str) -> int | None:
    """Return how many tests ran, whatever the exit code was (None: not known).

    None did where the command's runner is plain to see and its summary is missing.
    """
    return _counted(read_command(command, {}), output).executed


def _counted(invocation: Invocation, output: str) -> CountedTests:
    """Return the count; none where a recognised runner prints no summary of its own."""
    if found := _of_command(invocation, output):
        return total(found)
    if _PYTEST_BEGINS.search(output):
        return CountedTests("pytest", 0)
    if not invocation.runners or invocation.quiet or _OTHER_REPORT.search(output):
        return UNKNOWN
    return CountedTests(", ".join(sorted(invocation.runners)), 0)


def _of_command(invocation: Invocation, output: str) -> list[CountedTests]:
    """Return the counts of the command's own runners, where they are known and have any."""
    found = read_output(output)
    own = [found[runner] for runner in sorted(invocation.runners) if runner in found]
    return own or list(found.values())


def _declared(invocation: Invocation, runner: str, tests: Mapping[str, str]) -> int:
    """Return how many tests the command runs by what the frozen files hold, at least."""
    if invocation.runners != {runner}:
        return 0
    from director.model.testing.declared_tests import declared_tests

    return sum(declared_tests(path, tests[path], runner) for path in invocation.covers)
