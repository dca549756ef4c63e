"""One run of a test command, and how many tests it executed."""

import re
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing.green_evidence import tests_run
from director.model.testing.plain_text import plain_text

# A file that cannot be imported counts as one error (pytest) or one test (unittest).
_ONLY_ERRORS = lazy_pattern(
    r"^(?:=+ )?(?:\d+ (?:skipped|deselected|warnings?), )*\d+ errors?"
    r"(?:, \d+ (?:skipped|deselected|warnings?))* in [\d.]+s",
    re.MULTILINE,
)
_OF_PYTEST = lazy_pattern(r"^(?:=+ )?(?:\d+ \w+, )*\d+ (?:passed|failed|xfailed)\b", re.MULTILINE)
READ_CHARACTERS = 50_000  # of the beginning of an output, and of its end
# `node --test` reports a file that it could not load as a test of that name.
_NOT_LOADED = lazy_pattern(
    r"^(?:not ok \d+ - |✖ )((?:/.+|\S*)/\S+\.[cm]?[jt]sx?)(?: \([\d.]+ms\))?$", re.MULTILINE
)
_INNER_TEST = lazy_pattern(r"^ +(?:not )?ok \d|^ +[✔✖] ", re.MULTILINE)
_NOT_IMPORTED = lazy_pattern(r"^ERROR: .*\b_FailedTest\b", re.MULTILINE)


class CommandRun(NamedTuple):
    """One run of a test command, its exit code (None: it was ended) and all of its output."""

    command: str
    code: int | None
    output: str

    @property
    def plain(self) -> str:
        """The output without colours, its lines ended by a line feed; its middle left out."""
        text = self.output
        if len(text) > 2 * READ_CHARACTERS:
            text = f"{text[:READ_CHARACTERS]}\n{text[-READ_CHARACTERS:]}"
        return plain_text(text)

    @property
    def executed(self) -> int | None:
        """How many tests ran; those that only failed to be read or set up do not count.

        None: not known.
        """
        seen = tests_run(self.command, self.output)
        if not seen:
            return seen
        text = self.plain
        if _ONLY_ERRORS.search(text) and not _OF_PYTEST.search(text):
            return 0
        not_read = len(_NOT_IMPORTED.findall(text))
        if not _INNER_TEST.search(text):
            not_read += len(set(_NOT_LOADED.findall(text)))
        return max(0, seen - not_read)
