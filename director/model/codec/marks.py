"""Marks: what ``Annotated`` says of a field besides its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from director.model.codec.mistakes import MismatchError, Mistake, mismatch

Decode = Callable[[Any], Any]
"""What makes a value of what is stored; raises MismatchError."""


class Mark(Enum):
    """Marks that say nothing more.

    OMITTED: a field that holds its default is not written. REQUIRED: it may not be missing, though
    it has a default. INLINE: the fields of the record stand between those of the one that holds it.
    COMPLETE: a mapping has every member of the enum of its keys. ANY_NUMBER: what is not finite is
    a number as well.
    """

    OMITTED = "omitted"
    REQUIRED = "required"
    INLINE = "inline"
    COMPLETE = "complete"
    ANY_NUMBER = "any_number"


class Key(NamedTuple):
    """The field has another name where it is stored."""

    name: str


class By(NamedTuple):
    """What decodes the field, whatever its type is."""

    decode: Decode

    def around(self, _: Decode) -> Decode:
        """Return what decodes the field."""
        return self.decode


class Otherwise(NamedTuple):
    """What is said whatever is wrong with the value."""

    problem: str

    def around(self, decode: Decode) -> Decode:
        """Return ``decode`` with that one mistake."""

        def expecting(value: Any) -> Any:
            try:
                return decode(value)
            except MismatchError:
                raise mismatch(self.problem) from None

        return expecting


class After(NamedTuple):
    """What makes of the decoded value the one that is wanted."""

    change: Callable[[Any], Any]

    def around(self, decode: Decode) -> Decode:
        """Return ``decode`` and the change."""
        return lambda value: self.change(decode(value))


class Check(NamedTuple):
    """A rule: what is wrong with a decoded value, in words that can stand after its place."""

    problems: Callable[[Any], Iterable[str]]

    def around(self, decode: Decode) -> Decode:
        """Return ``decode`` of values without problems."""

        def checked(value: Any) -> Any:
            found = decode(value)
            if problems := [Mistake((), problem) for problem in self.problems(found)]:
                raise MismatchError(problems)
            return found

        return checked


def between(least: float, most: float, means: str = "") -> Check:
    """Return the rule for numbers that have bounds; ``means`` explains these."""

    def problems(value: float) -> Iterator[str]:
        if not least <= value <= most:  # also true of a NaN
            yield f"must be {least:,} to {most:,}{means}"

    return Check(problems)


def one_of(choices: Mapping[str, Any] | Iterable[str]) -> By:
    """Return what takes the strings of ``choices`` only, for what they stand for.

    The empty string goes without saying.
    """
    known = dict(choices) if isinstance(choices, Mapping) else {one: one for one in choices}

    def choice(value: Any) -> Any:
        if isinstance(value, str) and value in known:
            return known[value]
        raise mismatch(f"must be one of {', '.join(filter(None, known))}, not {value!r}")

    return By(choice)
