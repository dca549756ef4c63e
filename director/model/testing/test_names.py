"""The names of the tests in a file, in any of the usual languages: read from its text alone."""

from __future__ import annotations

import re

from director.model.patterns import lazy_pattern

_NAMES = lazy_pattern(
    r"""
      ^\s*(?:async\s+)?def\s+(?P<python>test\w*)\s*\(           # Python, Ruby's minitest
    | ^func\s+(?P<go>(?:Test|Example|Fuzz)\w*)\s*\(             # Go
    | ^\s*\#\[(?:\w+::)*test\b[^\n]*\]\s*(?:\#\[[^\n]*\]\s*)*
      (?:pub\s+)?(?:async\s+)?fn\s+(?P<rust>\w+)                # Rust
    | \b(?:test|it|specify|scenario)(?:\.\w+)?\s*\(?\s*
      (?P<quote>["'`])(?P<quoted>(?:(?!(?P=quote))[^\\\n]|\\.)+)(?P=quote)   # JavaScript, RSpec
    | ^\s*@(?:Parameterized)?Test\b[^\n]*\s+(?:[\w<>\[\]]+\s+)*(?P<java>\w+)\s*\(   # Java, Kotlin
    | ^\s*(?:public\s+)?function\s+(?P<php>test\w*)\s*\(        # PHP
    | ^@test\s+"(?P<bats>[^"\n]+)"                              # Bats
    """,
    re.MULTILINE | re.VERBOSE,
)
_GROUPS = ("python", "go", "rust", "quoted", "java", "php", "bats")


def lost_tests(before: str, after: str) -> list[str]:
    """Return what ``after`` no longer has of the tests in ``before``: their names, in order.

    Where no test has a name that is known here, it is the lines that are gone.
    """
    names = list(dict.fromkeys(_names(before)))
    if names:
        there = set(_names(after))
        return [name for name in names if name not in there]
    lines = {line.strip() for line in after.splitlines()}
    wanted = (line.strip() for line in before.splitlines())
    return [line for line in wanted if line and line not in lines]


def _names(text: str) -> list[str]:
    found = (match.groupdict() for match in _NAMES.finditer(text))
    return [next(one[group] for group in _GROUPS if one[group]) for one in found]
