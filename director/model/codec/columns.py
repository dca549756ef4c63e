"""Many records of one class, decoded column by column: a job may have tens of thousands.

What is decided for a value that stands alone (``decoding``) is decided here for all values of a
field at once, which takes a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence, Set
from enum import Enum
from functools import cache
from itertools import chain, islice, repeat
from math import isfinite
from typing import Any, get_args, get_origin

from director.model.codec.decoding import JSON, MISSING, PLAIN, Record, decoder
from director.model.codec.fields import Field, fields_of, without_marks, without_none
from director.model.codec.marks import Key, Mark
from director.model.codec.mistakes import mismatch

Column = Sequence[Any]
Kinds = Set[type]
DecodeColumn = Callable[[Column, Kinds], Column]
"""Decodes the values of a field, which are of these types; MismatchError where one is wrong."""
NONE = type(None)


def decode_all(kind: Callable[..., Record], values: Sequence[object]) -> list[Record]:
    """Return the records of the class ``kind`` (a NamedTuple) that ``values`` are (parsed JSON).

    Raises MismatchError where one of them is none: ``decode`` says of each what is wrong.
    """
    return list(_records(kind)(values, set(map(type, values))))


@cache
def _records(kind: Hashable) -> DecodeColumn:
    """Return what decodes records of a class that has fields and no rules between them."""
    make: Any = kind
    columns = [_field(one) for one in fields_of(kind)]

    def records(column: Column, kinds: Kinds) -> Column:
        if not kinds <= {dict}:
            raise mismatch("must be objects")
        found = zip(*(values_of(column) for values_of in columns), strict=True)
        return list(map(tuple.__new__, repeat(make), found))

    return records


def _field(field: Field) -> Callable[[Column], Column]:
    """Return what decodes a field of records, which are given as they are stored."""
    decode_column = _column(field.hint, field.marks)
    if field.is_inline:
        return lambda records: decode_column(records, {dict})

    def values_of(records: Column) -> Column:
        found = list(map(dict.get, records, repeat(field.key), repeat(MISSING)))
        kinds = set(map(type, found))
        if type(MISSING) not in kinds:
            return decode_column(found, kinds)
        if field.required:
            raise mismatch(f"{field.key} is missing")
        if len(kinds) == 1:
            return [field.default] * len(found)
        return _but_for(MISSING, field.default, found, decode_column)

    return values_of


def _but_for(hole: object, filled: object, column: Column, decode_column: DecodeColumn) -> Column:
    """Return the decoded column, with ``filled`` where there is a ``hole``."""
    given = [one for one in column if one is not hole]
    decoded = iter(decode_column(given, set(map(type, given))))
    return [filled if one is hole else next(decoded) for one in column]


def _column(hint: Any, marks: tuple[Any, ...]) -> DecodeColumn:
    """Return what decodes values of an annotation, which may have marks of its own as well."""
    hint, own = without_marks(hint)
    marks = (*own, *marks)
    if other := without_none(hint):
        return _optional(_column(other, marks))
    if any(not isinstance(one, Key | Mark) for one in marks):
        return _each(hint, marks)
    if get_origin(hint) is tuple:
        return _tuples(_column(get_args(hint)[0], ()))
    if hint in PLAIN:
        return _of_types({hint})
    if hint is float:
        return _of_types({int, float}) if Mark.ANY_NUMBER in marks else _finite
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _members(hint)
    if hasattr(hint, "_fields") and not hasattr(hint, "mistakes"):
        return _records(hint)
    return _each(hint, marks)


def _optional(given: DecodeColumn) -> DecodeColumn:
    def optional(column: Column, kinds: Kinds) -> Column:
        if NONE not in kinds:
            return given(column, kinds)
        return column if len(kinds) == 1 else _but_for(None, None, column, given)

    return optional


def _each(hint: Any, marks: tuple[Any, ...]) -> DecodeColumn:
    decode_one = decoder(hint, marks, JSON)
    return lambda column, _: list(map(decode_one, column))


def _of_types(allowed: Kinds) -> DecodeColumn:
    def checked(column: Column, kinds: Kinds) -> Column:
        if not kinds <= allowed:
            raise mismatch("must be of another type")
        return column

    return checked


def _finite(column: Column, kinds: Kinds) -> Column:
    try:
        if kinds <= {int, float} and all(map(isfinite, column)):
            return column
    except OverflowError:  # a whole number beyond all floats
        pass
    raise mismatch("must be finite numbers")


def _members(kind: type[Enum]) -> DecodeColumn:
    known = {member.value: member for member in kind}

    def members(column: Column, kinds: Kinds) -> Column:
        if not all(issubclass(one, str) for one in kinds) or not known.keys() >= set(column):
            raise mismatch("must be among those that there are")
        return list(map(known.__getitem__, column))

    return members


def _tuples(decode_items: DecodeColumn) -> DecodeColumn:
    """Return what decodes lists, by decoding the items of all of them."""

    def tuples(column: Column, kinds: Kinds) -> Column:
        if not kinds <= {list}:
            raise mismatch("must be lists")
        given = list(chain.from_iterable(column))
        items = iter(decode_items(given, set(map(type, given))))
        return [tuple(islice(items, len(one))) for one in column]

    return tuples
