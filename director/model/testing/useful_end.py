"""The useful end of a failing run: the few lines around its headline that a person needs.

These are the place and the error, as the runner shows them: without rules, tracebacks through
other people's code, and what the next failure says. What ends a failure and what is noise is data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from os.path import commonprefix

from director.model.patterns import lazy_pattern
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
    before, after = _sides(output, found)
    lines = list(_of_failure(after, folder)) if found.recognised else _last(before, after)
    if found.recognised and not any(_says(line, found.text) for line in lines):
        lines = [*_said_before(before, found.text), *lines]  # as `go test -v` does
    lines = [_cut(line) for line in _relative(lines, folder) if line.strip()]
    shown = _around(lines, found.text) or [found.text]
    margins = [line[: len(line) - len(line.lstrip())] for line in shown]
    margin = len(commonprefix(margins))  # noqa: RUF071 - these are no paths
    return "\n".join(line[margin:] for line in shown)


def _sides(output: str, found: Headline) -> tuple[list[str], list[str]]:
    """Return the lines before the headline, and those from there on."""
    before = output[max(0, found.start - LOOKED_AT) : found.start]
    after = output[found.start : found.start + LOOKED_AT]
    one, other = ([_cut(x) for x in plain_text(side).split("\n")] for side in (before, after))
    return one, other


def _of_failure(lines: Sequence[str], folder: str) -> Iterator[str]:
    """Give the lines of the failure that begins with the first one, less what is noise."""
    if not HEADS.match(lines[0]):
        yield lines[0]
    passing_over = -1  # what is indented deeper belongs to a frame that is not shown
    for number, line in enumerate(lines[1:], 1):
        indent = len(line) - len(line.lstrip())
        if 0 <= passing_over < indent:
            continue
        passing_over = -1
        if ENDS.match(line) and (number > 2 or not BEGINS.match(line)):
            return
        if frame := FRAME.match(line):
            own = _is_own(frame["file"] or frame["path"] or frame["go"], folder)
            if own:
                yield f"{frame['file']}:{frame['line']}" if frame["file"] else line
            if not own or frame["file"]:  # the place says which line it is
                passing_over = indent
        elif not NOISE.match(line):
            yield line


def _is_own(path: str, folder: str) -> bool:
    """Whether a frame is in the code that was tested, rather than in what runs it."""
    if OTHERS.search(path):
        return False
    return not path.startswith("/") or not folder or path.startswith(f"{folder}/")


def _last(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the last words, with which ``after`` begins, and the lines before them."""
    lines = [line for line in (*before, after[0]) if line.strip() and not ABOUT_OTHERS.match(line)]
    return lines[-MOST_LINES:] or [after[0]]


def _said_before(lines: Sequence[str], said: str) -> list[str]:
    """Return the last line that says what the headline quotes, if any does."""
    return next(([line] for line in reversed(lines) if _says(line, said)), [])


def _relative(lines: Iterable[str], folder: str) -> Iterator[str]:
    for line in lines:
        if folder:
            line = line.replace(f"file://{folder}/", "").replace(f"{folder}/", "")
        yield line


def _around(lines: list[str], said: str) -> list[str]:
    """Return the MOST_LINES of ``lines`` that stand around the error which is ``said``."""
    if len(lines) <= MOST_LINES:
        return lines
    at = next((number for number, line in enumerate(lines) if _says(line, said)), 0)
    start = max(0, min(at - BEFORE, len(lines) - MOST_LINES))
    return lines[start : start + MOST_LINES]


def _says(line: str, said: str) -> bool:
    """Whether the headline quotes a line, less the place or the mark that it begins with."""
    words = " ".join(re.sub(r"^\s*(?:E\s+|#\s+|\S+:\d+:\s+)?|\s//\s.*$", "", line).split())
    return len(words) >= 3 and (words in said or said in words)


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


# The first line of a failure, where it only names the test, which the headline does, too.
HEADS = lazy_pattern(
    r"(?:FAIL|ERROR): \S+|_{3,} .* _{3,}$|---- \S+ stdout ----$|Traceback \(most| *╰─> \["
    r"|FAIL \S+$| FAIL  | *--- FAIL: "
)
# What may come right after the first line without ending the failure.
BEGINS = lazy_pattern(r" *● ")
ENDS = lazy_pattern(
    r"={20,}$|={3,} .* ={3,}$|_{3,} .* _{3,}$|Ran \d+ tests? in |!{5,} "  # unittest, pytest
    r"|(?:SUB)?FAILED\b|\d+ failed"
    r"|---- \S+ stdout ----$|failures:$|stack backtrace:$|note: run with `RUST_BACKTRACE"  # cargo
    r"|For more information about (?:this|an) error|error: could not compile "  # rustc
    r"|(?:FAIL|ok|PASS)\t|(?:FAIL|PASS)$|=== (?:RUN|PAUSE|CONT|NAME) "  # go
    r"|Test Suites: | *● | ?⎯{5,}| FAIL  "  # jest, vitest
    r"|\s*\.\.\.$|\s*(?:not )?ok \d+\b|(?:# )?Node\.js v\d|test at \S+:\d+:\d+$"  # TAP, Node.js
    r"| +\[end of output\]$"  # pip
    r"|Found \d+ errors?\b|All checks passed|\[\*\] \d+ fixable"  # linters and type checkers
)
FRAME = lazy_pattern(
    r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in .*)?$'  # Python
    r"|(?P<path>\S+\.py|<[^>]+>):\d+: in \S+$"  # pytest, --tb=short
    r"|\t(?P<go>/\S+):\d+ \+0x[0-9a-f]+$"  # Go, of a panic
)
NOISE = lazy_pattern(
    r"[\s|^~]*$|[-=_~*⎯]{5,}$|Traceback(?: \(most recent.*)?:?$"
    r"|\s+Traceback \(most recent call last\):$"
    r"|(?:Import|Module\w*)Error: Failed to import test module: |ImportError while importing test "
    r"|Hint: make sure your test|self = <"
    r"|goroutine \d+ \[|created by |[\w./*()]+\((?:\{?0x.*|\.{3})?\)$"  # of Go
    r"|\tpanic: .*"  # once more
    r"|(?:# )?\s*at .*(?:node:|node_modules|/rustc/|<anonymous>\)?(?: \{)?$)"  # frames
    r"|\s*(?:new )?(?:\w+\.)*#?\w+ \((?:node:|<anonymous>)|\s*node:internal/"
    r"|\s*(?:# )?\}$|\s*---$"
    r"|\s*(?:duration_ms|failureType|type|code|exitCode|signal|name|operator|stack|generatedMessage"
    r"|diff): ?"  # TAP, and how Node.js shows an error
)
OTHERS = lazy_pattern(r"(?:^|/)(?:site-packages|dist-packages|node_modules|_pytest)/|^/usr/|^<")
