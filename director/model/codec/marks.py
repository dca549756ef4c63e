"""Marks: what ``Annotated`` adds to the type of a field, for reading and writing it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from director.model.codec.mistakes import MismatchError, Mistake, mismatch

Decode = Callable[[Any], Any]
"""Turns what is stored into a value; raises MismatchError where it cannot."""


class Mark(Enum):
    """Marks without arguments.

    OMITTED: not written while it holds its default. REQUIRED: may not be missing, though it has a
    default. INLINE: the record's fields are stored among those of the record that holds it.
    COMPLETE: a mapping must have every member of the enum of its keys. ANY_NUMBER: infinities and
    NaN are allowed.
    """

    OMITTED = "omitted"
    REQUIRED = "required"
    INLINE = "inline"
    COMPLETE = "complete"
    ANY_NUMBER = "any_number"


class Key(NamedTuple):
    """The name under which the field is stored, where that is another."""

    name: str


class DecodeWith(NamedTuple):
    """A decoder to use instead of that of the field's type."""

    decode: Decode

    def around(self, _: Decode) -> Decode:
        """Return what decodes the field."""
        return self.decode


class ErrorMessage(NamedTuple):
    """The one message for a value that is wrong in any way."""

    problem: str

    def around(self, decode: Decode) -> Decode:
        """Return ``decode``, which fails with that message."""

        def expecting(value: Any) -> Any:
            try:
                return decode(value)
            except MismatchError:
                raise mismatch(self.problem) from None

        return expecting


class Convert(NamedTuple):
    """A conversion of the decoded value."""

    change: Callable[[Any], Any]

    def around(self, decode: Decode) -> Decode:
        """Return ``decode``, followed by the conversion."""
        return lambda value: self.change(decode(value))


class Validate(NamedTuple):
    """A rule for the decoded value: ``problems`` says what is wrong, to follow the field's name."""

    problems: Callable[[Any], Iterable[str]]

    def around(self, decode: Decode) -> Decode:
        """Return ``decode``, which fails for values with problems."""

        def checked(value: Any) -> Any:
            found = decode(value)
            if problems := [Mistake((), problem) for problem in self.problems(found)]:
                raise MismatchError(problems)
            return found

        return checked


def between(least: float, most: float, means: str = "") -> Validate:
    """Return the rule for numbers that have bounds; ``means`` explains these."""

    def problems(value: float) -> Iterator[str]:
        if not least <= value <= most:  # also true of a NaN
            yield f"must be {least:,} to {most:,}{means}"

    return Validate(problems)


def one_of(choices: Mapping[str, Any] | Iterable[str]) -> DecodeWith:
    """Return a decoder of the strings ``choices`` only, or of its keys to its values.

    The error message leaves out the empty string.
    """
    known = dict(choices) if isinstance(choices, Mapping) else {one: one for one in choices}

    def choice(value: Any) -> Any:
        if isinstance(value, str) and value in known:
            return known[value]
        raise mismatch(f"must be one of {', '.join(filter(None, known))}, not {value!r}")

    return DecodeWith(choice)
