"""Records as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin

from director.model.codec.fields import fields_of, without_marks, without_none
from director.model.codec.marks import Mark

Encode = Callable[[Any], Any]


def encode(record: object) -> dict[str, Any]:
    """Return a record as an object of JSON, its fields in the order of its class.

    A member of an enum of strings stays what it is: a string.
    """
    kind: Callable[..., object] = type(record)
    stored: dict[str, Any] = _record_encoder(kind)(record)
    return stored


@cache
def _record_encoder(kind: Hashable) -> Encode:
    fields = [(one, Mark.OMITTED in one.marks, _encoder(one.hint)) for one in fields_of(kind)]

    def record_encoder(record: Any) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        for field, may_be_omitted, encode_one in fields:
            value = getattr(record, field.name)
            if may_be_omitted and value == field.default:
                continue
            if encode_one:
                value = encode_one(value)
            stored |= value if field.is_inline else {field.key: value}
        return stored

    return record_encoder


def _encoder(hint: Any) -> Encode | None:
    """Return what encodes values of an annotation; None where they are stored as they are."""
    hint, _ = without_marks(hint)
    if other := without_none(hint):
        given = _encoder(other)
        return given and (lambda value: None if value is None else given(value))
    origin, members = get_origin(hint), get_args(hint)
    if origin is tuple:
        item = _encoder(members[0])
        return (lambda values: [item(one) for one in values]) if item else list
    if origin is Mapping:
        held = _encoder(members[1])
        return (lambda value: {key: held(one) for key, one in value.items()}) if held else dict
    if hint is Any or issubclass(hint, (bool, int, float, str, Enum)):
        return None
    return _record_encoder(hint)
