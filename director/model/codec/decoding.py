"""Records from what is stored: all that is wrong is found at once."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from functools import cache
from math import inf
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from director.model.codec.fields import Field, fields_of, without_marks, without_none
from director.model.codec.marks import Decode, Key, Mark, Validate, one_of
from director.model.codec.mistakes import MismatchError, Mistake, mismatch, not_known

Record = TypeVar("Record")
SCALARS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
}


PLAIN = (bool, int, str)  # of a float it matters which one
MISSING = object()


class Words(NamedTuple):
    """What a format calls things. ``unknown`` None: keys that no field has do no harm."""

    table: str = "an object"
    missing: str = "{} is missing"
    unknown: str | None = None


JSON = Words()
TOML = Words("a table", unknown="a known key")


def decode(kind: Callable[..., Record], value: object, words: Words = JSON) -> Record:
    """Return the record of the class ``kind`` that ``value`` is (parsed JSON or TOML).

    Its fields are ``bool``, ``int``, ``float``, ``str``, an enum of strings, ``tuple[X, ...]``,
    ``Mapping[K, V]``, a record, any of these or None, or ``Any``; marks say more. One that has a
    default may be missing. ``mistakes()``, where the class has it, gives what is wrong between its
    fields. Raises MismatchError, which names everything that is wrong.
    """
    record: Record = _record_decoder(kind, words)(value)
    return record


def decode_fields(
    kind: Hashable, value: object, words: Words = JSON
) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the fields that can be decoded, by their names, and what is wrong with the others."""
    return _record_decoder(kind, words).fields(value)


class _RecordDecoder:
    """Decodes records of one class."""

    def __init__(self, kind: Any, words: Words) -> None:
        self._kind = kind
        self._words = words
        self._plain: list[tuple[str, str, frozenset[type], Decode]] = []
        self._inline: list[tuple[str, _RecordDecoder]] = []
        self._required = {one.name for one in fields_of(kind) if one.required}
        self._keys: list[str] = []
        for one in fields_of(kind):
            if one.is_inline:
                inner = _record_decoder(one.hint, words._replace(unknown=None))
                self._inline.append((one.name, inner))
                self._keys += inner._keys
            else:
                decode_one = decoder(one.hint, one.marks, words)
                self._plain.append((one.key, one.name, _taken_as_is(one), decode_one))
                self._keys.append(one.key)

    def __call__(self, value: object) -> Any:
        values, mistakes = self.fields(value)
        if self._required <= values.keys():
            record = self._kind(**values)
            rules = getattr(record, "mistakes", None)
            mistakes += rules() if rules else ()
            if not mistakes:
                return record
        raise MismatchError(mistakes)

    def fields(self, value: object) -> tuple[dict[str, Any], list[Mistake]]:
        if not isinstance(value, dict):
            raise mismatch(f"must be {self._words.table}")
        values: dict[str, Any] = {}
        mistakes: list[Mistake] = []
        for key, name, as_is, decode_one in self._plain:
            found = value.get(key, MISSING)
            if type(found) in as_is:
                values[name] = found
            elif found is not MISSING:
                try:
                    values[name] = decode_one(found)
                except MismatchError as error:
                    mistakes += error.below(key)
            elif name in self._required:
                mistakes.append(Mistake((), self._words.missing.format(key)))
        for name, inner in self._inline:
            try:
                values[name] = inner(value)
            except MismatchError as error:
                mistakes += error.mistakes
        if what := self._words.unknown:
            unknown = (key for key in value if key not in self._keys)
            mistakes += (not_known(key, self._keys, what) for key in unknown)
        return values, mistakes


def _taken_as_is(field: Field) -> frozenset[type]:
    """Return the types whose values a field takes as they are: most are, and there are many."""
    hint, own = without_marks(field.hint)
    other = without_none(hint)
    inner, more = without_marks(other or hint)
    if inner not in PLAIN or any(
        not isinstance(one, Key | Mark) for one in (*own, *more, *field.marks)
    ):
        return frozenset()
    return frozenset({inner, type(None)} if other else {inner})


@cache
def _record_decoder(kind: Hashable, words: Words) -> _RecordDecoder:
    return _RecordDecoder(kind, words)


def decoder(hint: Any, marks: tuple[Any, ...], words: Words) -> Decode:
    """Return what decodes values of an annotation, which may have marks of its own as well."""
    hint, own = without_marks(hint)
    marks = (*own, *marks)
    if other := without_none(hint):
        given = decoder(other, marks, words)
        return lambda value: None if value is None else given(value)
    decode_one = _unmarked_decoder(hint, marks, words)
    for mark in marks:
        if not isinstance(mark, Key | Mark):
            decode_one = mark.around(decode_one)
    return decode_one


def _unmarked_decoder(hint: Any, marks: tuple[Any, ...], words: Words) -> Decode:
    origin, members = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _tuple_decoder(members[0], words)
    if origin is Mapping:
        return _mapping_decoder(members, words, complete=Mark.COMPLETE in marks)
    if hint in (Any, object):
        return lambda value: value
    if hint is float:
        has_own_rule = Mark.ANY_NUMBER in marks or any(isinstance(one, Validate) for one in marks)
        return _scalar_decoder(float) if has_own_rule else _finite
    if hint in SCALARS:
        return _scalar_decoder(hint)
    if issubclass(hint, Enum):
        return one_of({member.value: member for member in hint}).decode
    return _record_decoder(hint, words)


def _scalar_decoder(kind: type) -> Decode:
    kinds = (int, float) if kind is float else (kind,)

    def scalar(value: Any) -> Any:
        if type(value) not in kinds:  # not isinstance: a bool is no number here
            raise mismatch(f"must be {SCALARS[kind]}")
        return value

    return scalar


def _finite(value: Any) -> Any:
    if type(value) not in (int, float):
        raise mismatch(f"must be {SCALARS[float]}")
    if not -inf < value < inf:  # also true of a NaN
        raise mismatch("must be a finite number")
    return value


def _tuple_decoder(member: Any, words: Words) -> Decode:
    decode_one = decoder(member, (), words)
    expected = "a list of strings" if member is str else "a list"

    def listed(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise mismatch(f"must be {expected}")
        return tuple(_all_of(enumerate(value), decode_one, []))

    return listed


def _mapping_decoder(members: tuple[Any, ...], words: Words, *, complete: bool) -> Decode:
    key_kind, member = members
    decode_one = decoder(member, (), words)
    names = [] if key_kind is str else [str(one.value) for one in key_kind]

    def mapped(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise mismatch(f"must be {words.table}")
        known = {key: held for key, held in value.items() if not names or key in names}
        wrong = [not_known(key, names) for key in value if key not in known]
        if complete:
            wrong += (Mistake((name,), "is missing") for name in names if name not in value)
        return dict(
            zip(map(key_kind, known), _all_of(known.items(), decode_one, wrong), strict=True)
        )

    return mapped


def _all_of(
    items: Iterable[tuple[str | int, Any]], decode_one: Decode, mistakes: list[Mistake]
) -> list[Any]:
    """Return the decoded values; MismatchError with ``mistakes`` and those of any of them."""
    found = []
    for key, value in items:
        try:
            found.append(decode_one(value))
        except MismatchError as error:
            mistakes += error.below(key)
    if mistakes:
        raise MismatchError(mistakes)
    return found
