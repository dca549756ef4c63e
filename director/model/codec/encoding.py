"""Records as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Set
from enum import Enum
from functools import cache
from operator import attrgetter
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


def encode_any(record: object | None) -> dict[str, Any] | None:
    """Return a record as an object of JSON, and None where there is none."""
    return None if record is None else encode(record)


@cache
def _record_encoder(kind: Hashable) -> Encode:
    fields = fields_of(kind)
    keys = [one.key for one in fields]
    values_of = attrgetter(*(one.name for one in fields), "__class__")  # two or more: a tuple
    changed = [(one.key, found) for one in fields if (found := _encoder(one.hint))]
    omitted = [one for one in fields if Mark.OMITTED in one.marks]
    inline = {one.key for one in fields if one.is_inline}

    def record_encoder(record: Any) -> dict[str, Any]:
        stored = dict(zip(keys, values_of(record), strict=False))
        for key, encode_one in changed:
            stored[key] = encode_one(stored[key])
        for field in omitted:
            if getattr(record, field.name) == field.default:
                del stored[field.key]
        return _flat(stored, inline) if inline else stored

    return record_encoder


def _flat(stored: Mapping[str, Any], inline: Set[str]) -> dict[str, Any]:
    """Return what is stored, the fields of ``inline`` records in the place of these."""
    flat: dict[str, Any] = {}
    for key, value in stored.items():
        flat |= value if key in inline else {key: value}
    return flat


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
    if hint in (Any, object) or issubclass(hint, (bool, int, float, str, Enum)):
        return None
    return _record_encoder(hint)
