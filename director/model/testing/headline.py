"""The headline of a failing test run: the one line of its output that a person would quote.

What each runner prints around a failure is data here (``FAILURE_PATTERNS``), read off the real
tools. The first failure in the output gives the headline; where no pattern matches it is the last
line that says something.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from re import MULTILINE, Match, Pattern
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing.plain_text import ESCAPES

LONGEST = 200  # characters of a headline
LOOKED_AT = 200_000  # characters of an output, from its end: failures are reported last
BLOCK = 8_000  # characters after the name of a failing test in which its reason stands
TRIED = 100  # failures of one pattern that may turn out to have no reason


class Headline(NamedTuple):
    """``text``: one line. ``start``: where in the output (characters) the failure begins.

    ``recognised``: a runner's way to show a failure was seen; else it is the last words.
    """

    text: str
    start: int
    recognised: bool = True


class FailurePattern(NamedTuple):
    """How a runner shows one failure.

    ``head`` finds it, and may name the test (or the place) in a group ``name``; ``what`` finds the
    reason, in a group of that name, after it and before ``end``: the first one, or the ``last``.
    The lines of a group ``values`` belong to it. Without ``what`` the reason is in ``head``.
    """

    head: str
    what: str = ""
    end: str = ""
    last: bool = False

    def find(self, text: str) -> Headline | None:
        """Return the headline of the first failure of this pattern in ``text``."""
        for head in islice(re.finditer(self.head, text, MULTILINE), TRIED):
            if reason := self._reason(head, text):
                return Headline(_joined(head.groupdict().get("name") or "", reason), head.start())
        return None

    def _reason(self, head: Match[str], text: str) -> str:
        if not self.what:
            return _whole(head)
        stop = min(len(text), head.end() + BLOCK)
        if self.end and (ends := _compiled(self.end).search(text, head.end(), stop)):
            stop = ends.start()
        found = [*_compiled(self.what).finditer(text, head.end(), stop)]
        return _whole(found[-1 if self.last else 0]) if found else ""


def _compiled(pattern: str) -> Pattern[str]:
    return re.compile(pattern, MULTILINE)


def _whole(found: Match[str]) -> str:
    return f"{found['what']}{found.groupdict().get('values') or ''}"


def headline(output: str) -> Headline:
    """Return the headline of the output of a command that failed; its text is "" for no output."""
    skipped = max(0, len(output) - LOOKED_AT)
    found = _headline(output[skipped:])
    return found._replace(start=skipped + found.start) if skipped else found


@lru_cache(maxsize=2)  # it is asked for several times, by all that says why a gate is red
def _headline(output: str) -> Headline:
    text, places = _without_colours(output)
    for find in FAILURE_PATTERNS:
        if found := find(text):
            return Headline(one_line(found.text), places(found.start))
    last = _last_words(text)
    return Headline(one_line(last.text), places(last.start), recognised=False)


def _without_colours(text: str) -> tuple[str, Callable[[int], int]]:
    """Return plain text, and what gives a place in ``text`` for a place in it."""
    if "\x1b" not in text:
        return text, lambda place: place
    cuts, removed = [], 0
    for found in ESCAPES.finditer(text):
        cuts.append((found.start() - removed, len(found[0])))
        removed += len(found[0])
    return ESCAPES.sub("", text), lambda place: place + sum(n for at, n in cuts if at < place)


def _joined(name: str, reason: str) -> str:
    """Return ``name: reason``; the lines of a reason are joined as a person would say them."""
    said = ""
    for line in filter(None, (line.strip() for line in reason.splitlines())):
        said += line if not said else f"{' ' if said.endswith(':') else ', '}{line}"
    return f"{name.strip()}: {said}" if name.strip() else said


def one_line(text: str) -> str:
    """Return ``text`` as one line of at most LONGEST characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _last_words(text: str) -> Headline:
    """Return the last line that says something; a line about other lines only where alone."""
    spoken = list(re.finditer(r"^.*\w.*$", text, MULTILINE))
    telling = [line for line in spoken if not ABOUT_OTHERS.match(line[0])]
    telling = telling or [line for line in spoken if NPM_SAYS.match(line[0])][:1] or spoken
    return Headline(telling[-1][0], telling[-1].start()) if telling else Headline("", 0)


ABOUT_OTHERS = lazy_pattern(
    r"\s*(?:make(?:\[\d+\])?: (?:\*\*\* .* Error \d+|Leaving |Entering )"
    r"|npm (?:ERR!|error|warn|notice)|\d+ tests? passed$|at .*:\d+:\d+\)?$"
    r"|exit (?:status|code) \d+$|FAILED \(|FAIL$"
    r"|note: This error originates from a subprocess|\[… .* left out …\])"
)
NPM_SAYS = lazy_pattern(
    r"npm (?:ERR!|error) (?!code |errno |syscall |path |command |A complete log)\S+ \S"
)
"""A line of npm's that says why it failed; its last one says where its log is."""


def _go(text: str) -> Headline | None:
    """Read `go test`: the innermost failing test, whose words stand after it, or before (`-v`)."""
    fails = list(GO_FAIL.finditer(text))
    for number, fail in enumerate(fails):
        inner = fails[number + 1] if number + 1 < len(fails) else None
        if inner and len(inner["indent"]) > len(fail["indent"]):
            continue  # its subtest says why
        ends = GO_END.search(text, fail.end())
        places = [(fail.end(), ends.start() if ends else len(text))]
        for run in re.finditer(rf"^=== (?:RUN|CONT) +{re.escape(fail['name'])}$", text, MULTILINE):
            ends = GO_RUN_END.search(text, run.end())
            places.append((run.end(), ends.start() if ends else len(text)))
        said = [one["what"] for start, end in places for one in GO_WORDS.finditer(text, start, end)]
        return Headline(_joined(fail["name"], said[-1] if said else "failed"), fail.start())
    return None


GO_FAIL = lazy_pattern(r"^(?P<indent> *)--- FAIL: (?P<name>\S+) \([\d.]+s\)$", MULTILINE)
GO_END = lazy_pattern(r"^ *--- |^(?:FAIL|ok|PASS|exit status)\b|^goroutine ", MULTILINE)
GO_RUN_END = lazy_pattern(r"^=== |^ *--- |^(?:FAIL|ok|PASS)\b", MULTILINE)
GO_WORDS = lazy_pattern(
    r"^(?: +\S+\.go:\d+: (?=\S)|panic: |\s+Error: +\t?)(?P<what>\S.*?)(?: \[recovered.*\])?$",
    MULTILINE,
)


def _tap(text: str) -> Headline | None:
    """Read TAP: the first test that is not ok for a reason of its own."""
    fails = [
        fail
        for fail in TAP_FAIL.finditer(text)
        if not re.search(r"#\s*(?:todo|skip)", fail[0], re.I)
    ]
    for fail in fails:
        ends = TAP_END.search(text, fail.end())
        block = text[fail.end() : min(ends.start() if ends else len(text), fail.end() + BLOCK)]
        said = TAP_WORDS.search(block)
        reason = next(filter(None, said.groups()), "") if said else ""
        if not TAP_OF_OTHERS.search(reason):
            return Headline(_joined(fail["name"], reason or "not ok"), fail.start())
    return None


TAP_FAIL = lazy_pattern(r"^ *not ok \d+(?: - | -|)(?P<name>.*)$", MULTILINE)
TAP_END = lazy_pattern(r"^ *(?:not )?ok \d|^\s*\.\.\.$", MULTILINE)
TAP_WORDS = lazy_pattern(
    r"^ *(?:error|message): [|>]-?\n((?:(?: +.*)?\n)+?)(?= *\w+:)"  # a block of YAML
    r"|^ *(?:error|message): ['\"]?(?![|>])(.*?)['\"]?$"
    r"|^ *# +(.*failed.*)$",
    MULTILINE,
)
TAP_OF_OTHERS = lazy_pattern(r"^(?:test failed|\d+ subtests? failed)$")

PYTHON_END = r'^ *File ".*\n(?: {2}.*\n)*(?P<what>\S.*)$'
PLACE = r"(?P<name>(?:\./)?[\w./@+~-]+\.\w+:\d+(?::\d+)?)"
NO_WARNING = r"(?!\s*(?:\w*[Ww]arning|note|info|remark)\b)"

FAILURE_PATTERNS: tuple[Callable[[str], Headline | None], ...] = (
    # unittest; the reason is what follows the last frame, also of a module that cannot be imported
    FailurePattern(
        r"^(?:FAIL|ERROR): (?P<name>\S+)(?: \(.*)?$",
        PYTHON_END,
        r"^={70}$|^Ran \d+ tests? in ",
        last=True,
    ).find,
    # pytest; of a file that cannot be compiled it shows the place before the error
    FailurePattern(
        r"^_{3,} (?:ERROR (?:collecting|at \w+ of) )?(?P<name>\S.*?) _{3,}$",
        r'^E +(?:File ".*", line \d+\n(?:E {4,}.*\n)*E +)?(?P<what>\S.*)$',
        r"^_{3,} .* _{3,}$|^={3,} .* ={3,}$",
    ).find,
    FailurePattern(
        r"^(?:(?:SUB)?FAILED|ERROR)(?:\(.*?\))? (?:\S+::)?(?P<name>\S+) - (?P<what>.+)$"
    ).find,
    # pip, of a build that failed: the end of the build's own output
    FailurePattern(
        r"^ *╰─> \[\d+ lines? of output\]$", r"^ +(?P<what>\S.*)\n +\[end of output\]$"
    ).find,
    # cargo test; before Rust 1.73 the message stood in quotes before the place
    FailurePattern(
        r"^---- (?P<name>\S+) stdout ----$",
        r"(?:panicked at (?:.*:\n|')|(?=^Error: ))"
        r"(?P<what>.+\n *left: .*\n *right: .*|.+?(?=', \S+:\d+:\d+$|$))",
        r"^(?:---- |failures:$|stack backtrace:)",
    ).find,
    # rustc, and ruff as it prints by default
    FailurePattern(
        r"^(?:error(?:\[\w+\])?: )?(?P<what>(?!warning).+)\n +--> (?P<name>\S+:\d+:\d+)$"
    ).find,
    _go,
    # jest
    FailurePattern(
        r"^FAIL (?P<name>\S+).*\n(?:.*\n){0,5}? *● Test suite failed to run\n\n"
        r"(?P<what> +\S.*)$"
    ).find,
    FailurePattern(
        r"^ *● (?!Console|Cannot log|Test suite)(?P<name>\S.*)$",
        r"^ +(?P<what>\S.*?)(?: // .*)?(?P<values>\n\n +Expected.*\n +Received.*)?$",
    ).find,
    # vitest; of a file that cannot be read it gives the name twice
    FailurePattern(
        r"^ FAIL +(?P<name>\S.*?)(?: \[ .* \])?\n(?P<what>(?! FAIL)\S.*?)(?: // .*)?$"
    ).find,
    _tap,
    # node --test, the reporter for people
    FailurePattern(
        r"^test at \S+\n✖ (?P<name>.+?)(?: \([\d.]+m?s\))?\n"
        r"(?P<what>(?!\s+'(?:test failed|\d+ subtests? failed)')(?:(?!\s+at ).*\n){1,5})"
    ).find,
    # a JavaScript file that ends with an error
    FailurePattern(r"^(?:# )?(?:Uncaught )?(?P<what>[A-Z]\w*(?: \[\w+\])?: .+)\n(?:# )? +at ").find,
    # TypeScript, plain and pretty
    FailurePattern(
        r"^(?P<name>\S+?(?:\(\d+,\d+\)|:\d+:\d+))(?::| -) error (?P<what>TS\d+: .+)$"
    ).find,
    # compilers, linters and type checkers: what they call an error before what they only name
    FailurePattern(rf"^{PLACE}:? (?:fatal )?error:? (?P<what>.+)$").find,
    FailurePattern(rf"^{PLACE}: {NO_WARNING}(?P<what>\S.+)$").find,
    # Python
    FailurePattern(r"^Traceback \(most recent call last\):$", PYTHON_END, last=True).find,
)
