"""The useful end of a failing run: the few lines around its headline that a person needs.

These are the place and the error, as the runner shows them: without rules, tracebacks through
other people's code, and what the next failure says. What ends a failure and what is noise is data.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from director.model.testing.headline import ABOUT_OTHERS, Headline, headline
from director.model.testing.plain_text import plain_text

MOST_LINES = 12
LONGEST_LINE = 200  # characters
LOOKED_AT = 8_000  # characters: of what stands after the headline, or before last words
BEFORE = 8  # lines before the error, where not all of them fit


def useful_end(output: str, folder: str = "") -> str:
    """Return at most MOST_LINES lines of the output of a command that failed, "" for no output.

    Paths below ``folder``, where it ran, are shown as relative ones.
    """
    found = headline(output)
    if not found.text:
        return ""
    lines = _of_failure(output, found, folder) if found.recognised else _last(output, found)
    lines = [line for line in _relative(lines, folder) if line.strip()]
    shown = [_cut(line) for line in _around(lines, found.text)]
    return textwrap.dedent("\n".join(shown)) or found.text


def _of_failure(output: str, found: Headline, folder: str) -> Iterator[str]:
    """Give the lines of the failure that begins at the headline, less what is noise."""
    text = plain_text(output[found.start : found.start + LOOKED_AT])
    first, *rest = text.split("\n")
    if not HEADS.match(first):
        yield first
    passing_over = False  # the lines of a frame that is somebody else's
    for line in rest:
        if ENDS.match(line):
            return
        if place := FRAME.match(line):
            passing_over = not _is_own(place["path"], folder)
            if not passing_over:
                yield f"{place['path']}:{place['number']}"
                passing_over = place["kind"] == "File"  # its place says which line it is
        elif not (passing_over and line.startswith("    ")):
            passing_over = False
            if not NOISE.match(line):
                yield line


def _is_own(path: str, folder: str) -> bool:
    """Whether a frame is in the code that was tested, rather than in what runs it."""
    if OTHERS.search(path):
        return False
    return not path.startswith("/") or not folder or path.startswith(f"{folder}/")


def _last(output: str, found: Headline) -> list[str]:
    """Return the last words and the lines before them."""
    end = output.find("\n", found.start)
    end = len(output) if end < 0 else end
    text = plain_text(output[max(0, found.start - LOOKED_AT) : end])
    lines = [line for line in text.split("\n") if line.strip() and not ABOUT_OTHERS.match(line)]
    return lines[-MOST_LINES:] or [found.text]


def _relative(lines: Iterable[str], folder: str) -> Iterator[str]:
    for line in lines:
        if folder:
            line = line.replace(f"file://{folder}/", "").replace(f"{folder}/", "")
        yield line


def _around(lines: list[str], said: str) -> list[str]:
    """Return the MOST_LINES of ``lines`` that stand around the error which is ``said``."""
    if len(lines) <= MOST_LINES:
        return lines
    at = next((number for number, line in enumerate(lines) if _words(line) in said), 0)
    start = max(0, min(at - BEFORE, len(lines) - MOST_LINES))
    return lines[start : start + MOST_LINES]


def _words(line: str) -> str:
    """Return a line as a headline would quote it; what is too short to tell is never quoted."""
    words = " ".join(re.sub(r"^E\s+|\s//\s.*$", "", line.strip()).split())
    return words if len(words) >= 8 else "\n"


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


# The first line of a failure, where it only names the test, which the headline does, too.
HEADS = re.compile(r"(?:FAIL|ERROR): \S+|_{3,} .* _{3,}$|---- \S+ stdout ----$|Traceback \(most")
ENDS = re.compile(
    r"={20,}$|={3,} .* ={3,}$|_{3,} .* _{3,}$|Ran \d+ tests? in |!{5,} "  # unittest, pytest
    r"|---- \S+ stdout ----$|failures:$|stack backtrace:$|note: run with `RUST_BACKTRACE"  # cargo
    r"|For more information about (?:this|an) error|error: could not compile "  # rustc
    r"|(?:FAIL|ok|PASS)\t|(?:FAIL|PASS)$|goroutine \d+ \["  # go
    r"|=== (?:RUN|PAUSE|CONT|NAME) "
    r"|Test Suites: | *● | ?⎯{5,}| FAIL  "  # jest, vitest
    r"|\s*\.\.\.$|\s*(?:not )?ok \d+\b|(?:# )?Node\.js v\d|test at \S+:\d+:\d+$"  # TAP, Node.js
    r"|Found \d+ errors?\b|All checks passed|\[\*\] \d+ fixable"  # linters and type checkers
)
FRAME = re.compile(
    r'\s*(?P<kind>File) "(?P<path>[^"]+)", line (?P<number>\d+)(?:, in .*)?$'
    r"|(?!)"
)
NOISE = re.compile(
    r"\s*$|[-=_~*⎯]{5,}$|\s*[\^~]+\s*$|\s*\|?\s*[\^~]*\s*$|Traceback(?: \(most recent.*)?:?$"
    r"|(?:Import|Module\w*)Error: Failed to import test module: |ImportError while importing test "
    r"|Hint: make sure your test|self = <"
    r"|\s*at .*(?:node:|node_modules|<anonymous>\)?$|/rustc/)|\s*(?:Async)?\w*\.?\w+ \(node:"
    r"|\s*node:internal/|\s*(?:new )?\w*\.?\w+ \(<anonymous>\)"
    r"|\s*---$|\s*(?:duration_ms|failureType|type|code|exitCode|signal|name|operator|stack"
    r"|generatedMessage|diff): ?"
)
OTHERS = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules|_pytest)/|^/usr/|^<")
