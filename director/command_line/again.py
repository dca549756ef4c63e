"""Next steps that can be copied: their commands name the repository and the lanes as given."""

import argparse
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from director.model.patterns import lazy_pattern

WITHOUT_REPOSITORY = frozenset({"demo", "help", "completions"})
WITH_LANES = frozenset({"plan", "run", "bench", "auto"})
# Where a command may stand in a text: alone in a line, or quoted; what else says "director" is
# prose. It ends with the quotes, the line, or where an explanation begins.
_LEAD = r"(?P<lead>^[ \t]*|`|^Next: |, then )"
_DIRECTOR = lazy_pattern(rf"{_LEAD}director (?P<name>[a-z][a-z-]*)(?P<rest>[^`\n]*)", re.MULTILINE)
_GIT = lazy_pattern(
    rf"{_LEAD}git (?=(?:diff|fetch|log|merge|reset|show|switch|update-ref)\b)", re.MULTILINE
)
_GUESS = lazy_pattern(r"did you mean `director ([a-z-]+)`\?")
_QUOTED = lazy_pattern(r"`((?:director|git) [^`]*)`")
_PLAIN = lazy_pattern(r"(?:director|git) [^,;:]*")
_PLACEHOLDER = lazy_pattern(r"<[a-z ]+>|…")
_REPEATED = lazy_pattern(r"\brun the (?:same )?command again\b")


class Given(NamedTuple):
    """What a command line named, for the commands that come next.

    ``words`` are all of it, ``repo`` and ``lanes`` the values of ``--repo`` and ``--parallel``
    (None: not given, or as it is anyway).
    """

    words: tuple[str, ...] = ()
    repo: str | None = None
    lanes: str | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Given":
        """Return what the parsed ``args`` name."""
        repo = str(getattr(args, "repo", None) or ".")
        lanes = getattr(args, "parallel", 1)
        return cls(
            tuple(getattr(args, "words", ())),
            None if repo == "." else repo,
            None if lanes == 1 else "auto" if lanes is None else str(lanes),
        )

    def completed(self, text: str) -> str:
        """Return ``text`` with the flags in each command of it; complete ones stay as they are."""
        if self.repo is None and self.lanes is None:
            return text
        text = _DIRECTOR.sub(self._with_flags, text)
        if self.repo is None:
            return text
        folder = shlex.quote(self.repo)
        return _GIT.sub(lambda found: f"{found['lead']}git -C {folder} ", text)

    def complete(self, command: Sequence[str]) -> tuple[str, ...]:
        """Return a command, given as arguments, with the flags in it."""
        return tuple(shlex.split(self.completed(shlex.join(command))))

    def command_in(self, next_step: str) -> tuple[str, ...] | None:
        """Return the first command that a next step names, as arguments.

        None where there is none, or one that has a blank to be filled in. "Again" is what was
        given, but for a text from standard input, which is used up.
        """
        if guess := _GUESS.match(next_step):
            return ("director", guess[1], *self.words[1:])
        found = _QUOTED.search(next_step)
        command = found[1] if found else next_step if _PLAIN.fullmatch(next_step) else ""
        if command and not _PLACEHOLDER.search(command):
            return tuple(shlex.split(command))
        if command or "-" in self.words or not _REPEATED.search(next_step):
            return None
        return ("director", *self.words)

    def _with_flags(self, found: re.Match[str]) -> str:
        name, rest = found["name"], found["rest"]
        flags = "".join(
            f" {flag} {shlex.quote(value)}"
            for flag, value, known in (
                ("--repo", self.repo, name not in WITHOUT_REPOSITORY),
                ("--parallel", self.lanes, name in WITH_LANES),
            )
            if value is not None and known and flag not in rest and "--help" not in rest
        )
        return f"{found['lead']}director {name}{flags}{rest}"
